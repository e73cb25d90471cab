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
pub(super) struct Watched {
    files: Vec<PathBuf>,
    used: Vec<Look>,
}

/// How a file looks from outside. None where it is not there.
type Look = Option<(u64, u64, u64, SystemTime)>;

impl Watched {
    /// These, as they look now.
    pub(super) fn new(files: Vec<PathBuf>) -> Self {
        let used = look_at(&files);
        Self { files, used }
    }

    /// Waits until one has changed, and rests.
    pub(super) async fn changed(&mut self) {
        self.changed_looking(EVERY).await;
    }

    async fn changed_looking(&mut self, every: Duration) {
        let mut before = self.used.clone();
        loop {
            tokio::time::sleep(every).await;
            let now = look_at(&self.files);
            if now != self.used && now == before {
                self.used = now;
                return;
            }
            before = now;
        }
    }
}

fn look_at(files: &[PathBuf]) -> Vec<Look> {
    files.iter().map(|file| look(file)).collect()
}

fn look(file: &Path) -> Look {
    let found = fs::metadata(file).ok()?;
    Some((found.dev(), found.ino(), found.len(), found.modified().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFTEN: Duration = Duration::from_millis(2);

    #[tokio::test]
    async fn a_file_that_is_replaced_or_goes_or_comes_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "1").unwrap();
        let mut watched = Watched::new(vec![at("a"), at("b")]);
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
    }
}
