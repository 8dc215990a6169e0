//! A checkout as a `Source`: files below one folder, never outside of it.

use std::{
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use anyhow::Context;
use async_trait::async_trait;
use chaffinch_core::{
    Change, ChangedLines, CommitSha, ForgeError, RawReport, RepoPath, Source, SourceBytes,
};

/// The largest file that is read, in bytes; the same as the server's default.
const MAX_FILE: u64 = 1 << 20;

/// The most files that a checkout is searched for.
const MAX_PATHS: usize = 200_000;

pub(crate) struct Checkout {
    root: PathBuf,
    /// The root as it was given.
    given: PathBuf,
}

impl Checkout {
    pub(crate) fn open(root: &Path) -> anyhow::Result<Self> {
        let (given, shown) = (root.to_owned(), root.display());
        let root =
            root.canonicalize().with_context(|| format!("cannot open the checkout {shown}"))?;
        anyhow::ensure!(root.is_dir(), "{shown} is not a folder");
        Ok(Self { root, given })
    }

    pub(crate) fn bytes(&self, path: &RepoPath) -> Result<SourceBytes, ForgeError> {
        let failed = |e: std::io::Error| match e.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => ForgeError::NotFound,
            _ => ForgeError::Other(e.to_string()),
        };
        // A link in the checkout may point anywhere; what it points at must still be inside.
        let file = self.root.join(path.as_str()).canonicalize().map_err(failed)?;
        let inside = file.strip_prefix(&self.root).map_err(|_| ForgeError::NotFound)?;
        if is_git(Path::new(path.as_str())) || is_git(inside) || !file.is_file() {
            return Err(ForgeError::NotFound);
        }
        let mut bytes = Vec::new();
        let file = std::fs::File::open(file).map_err(failed)?;
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(ForgeError::Truncated { limit: MAX_FILE });
        }
        Ok(SourceBytes::new(bytes))
    }

    /// Why there is no file to read under a path, and what to look at.
    pub(crate) fn absence(&self, path: &RepoPath) -> String {
        let (file, given) = (self.root.join(path.as_str()), self.given.display());
        match (file.symlink_metadata(), file.canonicalize()) {
            (Err(_), _) => format!("there is no such file below {given}: look at --root"),
            (Ok(_), Err(_)) => "it is a link that leads nowhere".into(),
            (Ok(_), Ok(real)) if !real.starts_with(&self.root) => {
                format!("it is a link that leads out of {given}")
            }
            (Ok(_), Ok(real)) if real.is_dir() => "it is a folder, not a file".into(),
            _ => "it is not a file that may be read".into(),
        }
    }

    /// The names of the files in one folder, sorted; none where there is no such folder.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let inside = self.root.join(folder).canonicalize().ok();
        let inside = inside.filter(|path| path.starts_with(&self.root));
        let entries = inside.and_then(|path| std::fs::read_dir(path).ok());
        let files = entries.into_iter().flatten().flatten();
        let files = files.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
        let mut names: Vec<String> =
            files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// The paths of its files, without hidden folders and what is usually not one's own, to tell
    /// which part of an absolute path in a report is inside.
    pub(crate) fn paths(&self) -> Vec<RepoPath> {
        let mut folders = vec![self.root.clone()];
        let mut paths = Vec::new();
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            for entry in entries.flatten() {
                let (path, name) = (entry.path(), entry.file_name());
                let left_out = name.to_string_lossy().starts_with('.') || name == "node_modules";
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() && !left_out => folders.push(path),
                    Ok(kind) if kind.is_file() => paths.extend(self.inside(&path)),
                    _ => {}
                }
            }
            if paths.len() >= MAX_PATHS {
                break;
            }
        }
        paths
    }

    fn inside(&self, file: &Path) -> Option<RepoPath> {
        file.strip_prefix(&self.root).ok()?.to_str()?.parse().ok()
    }
}

/// Whether a path is Git's own: no source, and CI leaves its tokens there (`.git/config`).
fn is_git(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git"))
}

#[async_trait]
impl Source for Checkout {
    async fn change(&self, _: u64) -> Result<Change, ForgeError> {
        Err(ForgeError::NotFound)
    }

    async fn changes_at(&self, _: &CommitSha) -> Result<Vec<u64>, ForgeError> {
        Ok(Vec::new())
    }

    async fn reports(&self, _: &Change) -> Result<Vec<RawReport>, ForgeError> {
        Ok(Vec::new())
    }

    async fn changed_lines(&self, _: &Change) -> Result<ChangedLines, ForgeError> {
        Err(ForgeError::NotFound)
    }

    async fn file(&self, path: &RepoPath, _: &CommitSha) -> Result<SourceBytes, ForgeError> {
        self.bytes(path)
    }

    async fn names(&self, folder: &str, _: &CommitSha) -> Result<Vec<String>, ForgeError> {
        Ok(self.names(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_does_not_lead_out_of_the_checkout() {
        let outside = tempfile::NamedTempFile::new().unwrap();
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("inside"), "x").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("link")).unwrap();
        std::os::unix::fs::symlink("inside", root.path().join("fine")).unwrap();
        let checkout = Checkout::open(root.path()).unwrap();
        let read = |path: &str| checkout.bytes(&path.parse().unwrap());
        assert!(matches!(read("link"), Err(ForgeError::NotFound)));
        assert!(matches!(read("absent"), Err(ForgeError::NotFound)));
        assert_eq!(read("fine").unwrap().expose(), b"x");
    }
    #[test]
    fn what_git_keeps_for_itself_is_never_read() {
        let root = tempfile::tempdir().unwrap();
        for folder in [".git", "sub/.Git", ".github"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
            std::fs::write(root.path().join(folder).join("config"), "token").unwrap();
        }
        std::os::unix::fs::symlink(".git/config", root.path().join("link")).unwrap();
        std::os::unix::fs::symlink(".github", root.path().join("sub/.GIT")).unwrap();
        let checkout = Checkout::open(root.path()).unwrap();
        let read = |path: &str| checkout.bytes(&path.parse().unwrap());
        for path in [".git/config", "sub/.Git/config", "sub/.GIT/config", "link"] {
            assert!(matches!(read(path), Err(ForgeError::NotFound)), "{path}");
        }
        assert_eq!(read(".github/config").unwrap().expose(), b"token");
    }
}
