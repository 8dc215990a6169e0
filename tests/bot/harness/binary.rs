//! The program itself, as another process.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::JoinHandle,
};

/// The built `chaffinch`, beside this test's own binary.
pub(crate) fn chaffinch() -> Command {
    let mine = std::env::current_exe().unwrap();
    let binary = mine.parent().and_then(|deps| deps.parent()).unwrap().join("chaffinch");
    assert!(
        binary.exists(),
        "{} is missing: build it with `cargo build --workspace --bins`",
        binary.display()
    );
    let mut command = Command::new(binary);
    command.env_clear();
    command
}

/// A folder of the reference data, if it is on this machine.
#[expect(clippy::disallowed_methods, reason = "the test runner says where the data is")]
pub(crate) fn testdata(folder: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");
    let root = std::env::var("CHAFFINCH_TESTDATA").unwrap_or_else(|_| default.to_owned());
    let folder = PathBuf::from(root).join(folder);
    folder.is_dir().then_some(folder)
}

/// A running `chaffinch serve`. Killed, not stopped, when dropped.
pub(crate) struct Binary {
    child: Child,
    log: Option<JoinHandle<String>>,
    pub(crate) address: String,
}

impl Binary {
    /// Starts it and waits until it listens.
    pub(crate) fn serve(settings: &[(String, String)]) -> Self {
        Self::start(chaffinch().arg("serve"), settings)
    }

    /// The same with a configuration file below the settings.
    pub(crate) fn serve_with(settings: &[(String, String)], config: &Path) -> Self {
        Self::start(chaffinch().arg("serve").arg("--config").arg(config), settings)
    }

    fn start(command: &mut Command, settings: &[(String, String)]) -> Self {
        // Before it listens it asks the fake forge, which runs on the threads that would wait here.
        tokio::task::block_in_place(|| Self::started(command, settings))
    }

    fn started(command: &mut Command, settings: &[(String, String)]) -> Self {
        let mut child = command
            .envs(settings.iter().cloned())
            .env("CHAFFINCH__LOG__FORMAT", "json")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = String::new();
        for line in lines.by_ref() {
            let line = line.unwrap();
            if let Some((_, rest)) = line.split_once(r#""address":""#) {
                let address = rest.split('"').next().unwrap().to_owned();
                let rest = move || lines.map_while(Result::ok).map(|line| line + "\n").collect();
                return Self { child, log: Some(std::thread::spawn(rest)), address };
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        let _ = child.wait();
        panic!("chaffinch did not start:\n{seen}");
    }

    /// `kill -9`; what it has logged since it listened.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
