//! Where a secret will be kept. Everything that can fail is done before the secret exists: once a token
//! has been rotated, the old one is good no longer, and there is nothing to go back to.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};

/// What is held free for a secret, in bytes.
const ROOM: usize = 4096;

/// A file beside the one that is meant, with room for a secret, so that writing into it and one rename
/// are all that is left to do.
pub(crate) struct Place {
    file: PathBuf,
    beside: PathBuf,
    open: File,
    /// Whether the file beside holds a secret that is nowhere else.
    holds: bool,
}

impl Place {
    /// Writes what `file` holds already once more, in the way in which a new secret will be written, and
    /// then makes room for that.
    pub(crate) fn prepare(file: &Path) -> anyhow::Result<Self> {
        let shown = file.display();
        // Of a link, the file that it leads to is meant.
        let file = &fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let mut beside = file.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        clear(&beside, &shown.to_string())?;
        let prepare = || -> io::Result<File> {
            if let Ok(held) = fs::read(file) {
                fill(&beside, file, &held)?;
                // A file that is mounted by itself cannot be replaced, and says so only here.
                fs::rename(&beside, file).inspect_err(|_| drop(fs::remove_file(&beside)))?;
            }
            let open = fill(&beside, file, &[b' '; ROOM])?;
            // Held until the end, so that nobody else takes it for one that was left behind.
            open.try_lock()?;
            let ours = open.metadata()?;
            let there = fs::metadata(&beside)?;
            match (there.dev(), there.ino()) == (ours.dev(), ours.ino()) {
                true => Ok(open),
                false => Err(io::Error::other("somebody else is writing there")),
            }
        };
        let open = prepare().with_context(|| {
            format!("cannot write {shown} (a new file beside it, then in its place)")
        })?;
        Ok(Self { file: file.to_owned(), beside, open, holds: false })
    }

    /// Keeps the secret. If even now it cannot be put in its place, it stays beside it, and the error
    /// says where.
    pub(crate) fn keep(mut self, secret: &SecretString) -> anyhow::Result<()> {
        let shown = self.file.display().to_string();
        self.write(secret).with_context(|| {
            let beside = self.beside.display();
            format!("cannot write {beside}: make another one by hand and put it into {shown}")
        })?;
        let placed = fs::rename(&self.beside, &self.file);
        placed.with_context(|| {
            let beside = self.beside.display();
            format!("cannot write {shown}: the new secret is in {beside}; move it to {shown}")
        })?;
        // Without it, a power cut could bring the old name back; that it is there now is certain.
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    fn write(&mut self, secret: &SecretString) -> io::Result<()> {
        let line = format!("{}\n", secret.expose_secret());
        self.holds = true;
        self.open.rewind()?;
        self.open.write_all(line.as_bytes())?;
        self.open.set_len(line.len() as u64)?;
        self.open.sync_all()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.holds {
            let _ = fs::remove_file(&self.beside);
        }
    }
}

/// Removes what an earlier attempt left beside, where it holds nothing and is nobody's any more.
fn clear(beside: &Path, shown: &str) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {shown}: {} is in the way", beside.display());
    let mut left = match File::open(beside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        left => left.with_context(cannot)?,
    };
    if left.try_lock().is_err() {
        bail!("somebody else is making a secret for {shown}: wait for that to end");
    }
    let mut text = Vec::new();
    left.read_to_end(&mut text).with_context(cannot)?;
    if !text.trim_ascii().is_empty() {
        bail!(
            "{} is there already: if what it holds is a newer token, move it to {shown}, otherwise \
             delete it",
            beside.display()
        );
    }
    fs::remove_file(beside).with_context(cannot)
}

/// A new file, durable, that belongs to whom `like` belongs, if that is there: it may be a server's that
/// runs as another user.
fn fill(new: &Path, like: &Path, bytes: &[u8]) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    filled(file, like, bytes).inspect_err(|_| drop(fs::remove_file(new)))
}

fn filled(mut file: File, like: &Path, bytes: &[u8]) -> io::Result<File> {
    if let Ok(like) = fs::metadata(like) {
        let own = file.metadata()?;
        // A group is let in only where somebody has thought about it: the rest are kept out.
        let shared = like.mode() & 0o047 == 0o040;
        if like.uid() != own.uid() || (shared && like.gid() != own.gid()) {
            fchown(&file, Some(like.uid()), Some(like.gid()))?;
        }
        if shared {
            file.set_permissions(Permissions::from_mode(0o640))?;
        }
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().mode() & 0o777
    }

    #[test]
    fn a_secret_is_written_for_its_owner_alone_and_over_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "old").unwrap();
        for text in ["one", "two"] {
            Place::prepare(&file).unwrap().keep(&text.to_owned().into()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), format!("{text}\n"));
            assert_eq!(mode(&file), 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_group_that_was_let_in_on_purpose_stays_in() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        Place::prepare(&file).unwrap().keep(&"new".to_owned().into()).unwrap();
        assert_eq!(mode(&file), 0o640);
    }

    #[test]
    fn a_place_that_is_not_used_leaves_everything_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "old").unwrap();
        drop(Place::prepare(&file).unwrap());
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn two_do_not_write_in_one_place_and_what_is_left_behind_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "old").unwrap();
        let first = Place::prepare(&file).unwrap();
        let said = format!("{:#}", Place::prepare(&file).err().unwrap());
        assert!(said.contains("somebody else"), "{said}");
        first.keep(&"new".to_owned().into()).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new\n");

        fs::write(folder.path().join("token.new"), "   ").unwrap();
        Place::prepare(&file).unwrap().keep(&"newer".to_owned().into()).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "newer\n");
    }

    #[test]
    fn a_link_stays_one_and_leads_to_the_new_secret() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("token"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        Place::prepare(&link).unwrap().keep(&"new".to_owned().into()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new\n");
    }

    #[test]
    fn what_cannot_be_replaced_is_told_before_there_is_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let away = folder.path().join("away/token");
        let said = format!("{:#}", Place::prepare(&away).err().unwrap());
        assert!(said.contains("cannot write") && said.contains("away/token"), "{said}");
    }

    #[test]
    fn a_secret_that_cannot_be_put_in_its_place_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let place = Place::prepare(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let said = format!("{:#}", place.keep(&"glpat-new".to_owned().into()).unwrap_err());
        let beside = folder.path().join("token.new");
        assert!(said.contains(&format!("the new secret is in {}", beside.display())), "{said}");
        assert!(!said.contains("glpat"), "{said}");
        assert_eq!(fs::read_to_string(&beside).unwrap(), "glpat-new\n");
        assert_eq!(mode(&beside), 0o600);

        // And it is not written over by whoever tries again.
        fs::remove_dir(&file).unwrap();
        let said = format!("{:#}", Place::prepare(&file).err().unwrap());
        assert!(said.contains("is there already"), "{said}");
        assert_eq!(fs::read_to_string(&beside).unwrap(), "glpat-new\n");
    }
}
