//! Secrets of people at a terminal: from a file, the environment or a prompt, never from an argument,
//! which everybody on the machine can see. And into files that only their owner can read.

mod place;

use std::{
    io::{self, BufRead, IsTerminal},
    path::Path,
};

use anyhow::{Context, bail};
use chaffinch_server::config::{Secret, read_secret};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;

pub(crate) use self::place::Place;
use crate::progress;

/// The longest line that is taken for a secret, in bytes.
const LONGEST: u64 = 4096;

/// From `file`, else from `variable`, else from whoever sits there, who is asked for `what`.
pub(crate) fn ask(
    what: &str,
    file: Option<&Path>,
    variable: &str,
    environment: &[(String, String)],
) -> anyhow::Result<SecretString> {
    if let Some(file) = file {
        return read_file(file);
    }
    if let Some((_, value)) = environment.iter().find(|(k, v)| k == variable && !v.is_empty()) {
        return Ok(value.trim().to_owned().into());
    }
    let stdin = io::stdin();
    let hidden = stdin.is_terminal().then(|| {
        progress::say(&format!("{what} (it is not shown):"));
        Hidden::begin()
    });
    let mut line = String::new();
    io::Read::take(stdin.lock(), LONGEST).read_line(&mut line)?;
    drop(hidden);
    match line.trim() {
        "" => bail!("{what} is missing: type it in, or give --token-file FILE, or set {variable}"),
        token => Ok(token.to_owned().into()),
    }
}

/// What `file` holds.
pub(crate) fn read_file(file: &Path) -> anyhow::Result<SecretString> {
    let secret = Secret { value: None, file: Some(file.to_owned()) };
    let found = read_secret("the token", &secret).map_err(anyhow::Error::msg)?;
    found.context("the token is missing")
}

/// Writes a file that nobody else can read: a new one, or in the place of one that is there, never a
/// half of it.
pub(crate) fn write_file(file: &Path, secret: &SecretString) -> anyhow::Result<()> {
    Place::prepare(file)?.keep(secret)
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Hidden(Option<Termios>);

impl Hidden {
    fn begin() -> Self {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(before) = &before {
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &hidden);
        }
        Self(before)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
            progress::say("");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_file_counts_before_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, " from-file \n").unwrap();
        let environment = [("T".to_owned(), "from-environment".to_owned())];
        let asked = |file: Option<&Path>| ask("a token", file, "T", &environment).unwrap();
        assert_eq!(asked(Some(&file)).expose_secret(), "from-file");
        assert_eq!(asked(None).expose_secret(), "from-environment");
    }
}
