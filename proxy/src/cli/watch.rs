//! Noticing that a file has changed that the configuration rests on.
//!
//! The files are looked at once a second. It works on every file system and for every way of
//! replacing a file (an editor's rename, a link that points elsewhere), which what the kernel tells
//! of single files does not.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// How often the files are looked at. What has changed must look the same twice: it may still be
/// being written.
const EVERY: Duration = Duration::from_secs(1);

/// Files, and how they looked.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    files: Vec<PathBuf>,
    used: Vec<Look>,
}

/// How a file looks from outside. None where it is not there.
type Look = Option<LooksSo>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LooksSo {
    device: u64,
    inode: u64,
    length: u64,
    modified: SystemTime,
    /// Moves as well where a file that could not be read now can be, and where it was written to and
    /// given its old date.
    changed: (i64, i64),
}

impl Watched {
    /// These as well, as they look now: to be called before they are read, so that what is written
    /// meanwhile is a change.
    pub(super) fn add(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        for file in files {
            self.used.push(look(&file));
            self.files.push(file);
        }
    }

    /// Waits until one has changed, and rests.
    pub(super) async fn changed(&mut self) {
        self.changed_looking(EVERY).await;
    }

    async fn changed_looking(&mut self, every: Duration) {
        let mut before = self.used.clone();
        loop {
            tokio::time::sleep(every).await;
            let now: Vec<_> = self.files.iter().map(|file| look(file)).collect();
            if now != self.used && now == before {
                self.used = now;
                return;
            }
            before = now;
        }
    }
}

fn look(file: &Path) -> Look {
    // A pipe changes by being read.
    let found = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    Some(LooksSo {
        device: found.dev(),
        inode: found.ino(),
        length: found.len(),
        modified: found.modified().ok()?,
        changed: (found.ctime(), found.ctime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const OFTEN: Duration = Duration::from_millis(2);

    #[tokio::test]
    async fn a_file_that_is_replaced_or_goes_or_comes_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "1").unwrap();
        let mut watched = Watched::default();
        watched.add([at("a"), at("b")]);
        let nothing = tokio::time::timeout(OFTEN * 10, watched.changed_looking(OFTEN)).await;
        assert!(nothing.is_err(), "nothing has changed");
        fs::write(at("new"), "1").unwrap();
        fs::rename(at("new"), at("a")).unwrap();
        watched.changed_looking(OFTEN).await;
        fs::write(at("b"), "").unwrap();
        watched.changed_looking(OFTEN).await;
        fs::remove_file(at("a")).unwrap();
        watched.changed_looking(OFTEN).await;
        std::os::unix::fs::symlink(at("b"), at("a")).unwrap();
        watched.changed_looking(OFTEN).await;
        fs::set_permissions(at("b"), fs::Permissions::from_mode(0o644)).unwrap();
        watched.changed_looking(OFTEN).await;
    }

    #[tokio::test]
    async fn what_changed_after_the_look_and_before_the_waiting_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let mut watched = Watched::default();
        watched.add([file.clone()]);
        fs::write(&file, "1").unwrap();
        watched.changed_looking(OFTEN).await;
    }
}
