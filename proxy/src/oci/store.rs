//! What was fetched: manifests and components, named after their digests.
//!
//! A file is what its name says or it is not there: what is damaged, or was changed, is fetched
//! again. What a tag named when it was last asked for can't be checked in that way; it is believed
//! since only our own user can have written it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Digest, Reference, artifact::Layer};
use crate::plugin::cache;

/// The part of the cache that has what came from registries.
pub struct Store {
    folder: PathBuf,
}

/// A component that is in the store.
#[derive(Debug)]
pub struct Component {
    /// Where it is.
    pub file: PathBuf,
    /// Its own digest, which is not that of its manifest.
    pub digest: Digest,
}

impl Store {
    /// In this cache.
    pub fn within(cache: &Path) -> Self {
        Self { folder: cache.join("oci") }
    }

    /// Finds the component that a manifest names, if both are here and are what their digests say.
    pub fn find(&self, manifest: &Digest) -> Option<Component> {
        let content = self.read(&self.manifest(manifest))?;
        let layer = (Digest::of(&content) == *manifest).then(|| Layer::of(&content).ok())??;
        self.component(&layer.digest)
    }

    /// Finds a component by its own digest.
    pub(super) fn component(&self, digest: &Digest) -> Option<Component> {
        let file = self.place(digest);
        let whole = cache::is_ours(&self.folder) && Digest::of_file(&file).ok()? == *digest;
        whole.then(|| Component { file, digest: digest.clone() })
    }

    /// Begins a component, which is in the store when it is whole.
    pub(super) fn begin(&self, digest: &Digest) -> Result<Unfinished, String> {
        Unfinished::new(self.place(digest)).map_err(|error| self.words(&error))
    }

    /// Keeps a component that was begun, if it is the one that was meant.
    pub(super) fn finish(&self, unfinished: Unfinished, digest: &Digest) -> Result<(), String> {
        let so = Digest::of_file(&unfinished.path).map_err(|error| self.words(&error))?;
        if so != *digest {
            return Err(format!("what came is not what was asked for: {so} in place of {digest}"));
        }
        unfinished.keep().map_err(|error| self.words(&error))
    }

    /// Keeps a manifest.
    pub(super) fn keep_manifest(&self, content: &[u8]) -> Result<(), String> {
        self.write(self.manifest(&Digest::of(content)), content)
    }

    /// Which manifest a tag named when it was last asked for.
    pub fn last_known(&self, reference: &Reference) -> Option<Digest> {
        let line = String::from_utf8(self.read(&self.tag(reference))?).ok()?;
        let pinned: Reference = line.trim().parse().ok()?;
        let manifest = pinned.digest()?;
        (reference.pinned(manifest) == pinned).then(|| manifest.clone())
    }

    /// Keeps which manifest a tag names.
    pub(super) fn remember(&self, reference: &Reference, manifest: &Digest) -> Result<(), String> {
        let line = format!("{}\n", reference.pinned(manifest));
        self.write(self.tag(reference), line.as_bytes())
    }

    /// Reads a file, if nobody else can have written it.
    fn read(&self, file: &Path) -> Option<Vec<u8>> {
        if cache::is_ours(&self.folder) { fs::read(file).ok() } else { None }
    }

    fn write(&self, place: PathBuf, content: &[u8]) -> Result<(), String> {
        Unfinished::new(place)
            .and_then(|mut unfinished| {
                io::Write::write_all(&mut unfinished.file, content)?;
                unfinished.keep()
            })
            .map_err(|error| self.words(&error))
    }

    fn words(&self, error: &io::Error) -> String {
        format!(
            "it can't be kept in {}: {error}; where nothing can be written, fill the cache beforehand \
             with `dockgate plugin pull`",
            self.folder.display()
        )
    }

    fn place(&self, component: &Digest) -> PathBuf {
        self.folder.join(format!("sha256-{}.wasm", component.hexadecimal()))
    }

    fn manifest(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("sha256-{}.json", digest.hexadecimal()))
    }

    /// Names may be longer than names of files.
    fn tag(&self, reference: &Reference) -> PathBuf {
        let name = Digest::of(reference.to_string().as_bytes());
        self.folder.join(format!("tag-{}.txt", name.hexadecimal()))
    }
}

/// A file that is being written, and gone unless it is kept.
pub(super) struct Unfinished {
    pub file: fs::File,
    path: PathBuf,
    place: PathBuf,
}

impl Unfinished {
    fn new(place: PathBuf) -> io::Result<Self> {
        let path = place.with_extension(format!("{}.tmp", std::process::id()));
        Ok(Self { file: cache::new_file(&path)?, path, place })
    }

    fn keep(self) -> io::Result<()> {
        fs::rename(&self.path, &self.place)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It is not there any more where it was kept, and otherwise in nobody's way.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, os::unix::fs::PermissionsExt as _};

    use super::*;
    use crate::{
        oci::Artifact,
        plugin::{Manifest, Outline},
    };

    fn keep(store: &Store, component: &[u8]) -> Digest {
        let artifact = Artifact::new(component.to_vec(), &Manifest::default(), &Outline::default());
        let digest = Digest::of(component);
        let mut unfinished = store.begin(&digest).unwrap();
        unfinished.file.write_all(component).unwrap();
        store.finish(unfinished, &digest).unwrap();
        store.keep_manifest(&artifact.manifest).unwrap();
        artifact.digest()
    }

    #[test]
    fn what_was_kept_is_found_until_it_is_changed() {
        let cache = tempfile::tempdir().unwrap();
        let store = Store::within(cache.path());
        let manifest = keep(&store, b"component");
        let found = store.find(&manifest).unwrap();
        assert_eq!(fs::read(&found.file).unwrap(), b"component");
        assert_eq!(fs::metadata(&found.file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(store.find(&Digest::of(b"another")).is_none());
        fs::write(&found.file, b"c0mponent").unwrap();
        assert!(store.find(&manifest).is_none(), "the component was changed");
        keep(&store, b"component");
        assert!(store.find(&manifest).is_some());
        let other = keep(&store, b"other");
        fs::copy(store.manifest(&other), store.manifest(&manifest)).unwrap();
        assert!(store.find(&manifest).is_none(), "the manifest was changed");
    }

    #[test]
    fn what_is_not_whole_is_not_kept() {
        let cache = tempfile::tempdir().unwrap();
        let store = Store::within(cache.path());
        let digest = Digest::of(b"component");
        let mut unfinished = store.begin(&digest).unwrap();
        unfinished.file.write_all(b"comp").unwrap();
        let said = store.finish(unfinished, &digest).unwrap_err();
        assert!(said.contains("not what was asked for"), "{said}");
        assert_eq!(fs::read_dir(cache.path().join("oci")).unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_believed_in_a_folder_that_others_may_write() {
        let cache = tempfile::tempdir().unwrap();
        let store = Store::within(cache.path());
        let reference: Reference = "oci://ghcr.io/team/policy:1.0".parse().unwrap();
        let manifest = keep(&store, b"component");
        store.remember(&reference, &manifest).unwrap();
        assert_eq!(store.last_known(&reference).as_ref(), Some(&manifest));
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(cache.path().join("oci"), open).unwrap();
        assert!(store.find(&manifest).is_none());
        assert!(store.last_known(&reference).is_none());
        let said = store.keep_manifest(b"{}").unwrap_err();
        assert!(said.contains("others may write the folder"), "{said}");
    }

    #[test]
    fn a_tag_is_remembered_for_itself_alone() {
        let cache = tempfile::tempdir().unwrap();
        let store = Store::within(cache.path());
        let [one, two]: [Reference; 2] =
            ["oci://ghcr.io/team/policy:1", "oci://ghcr.io/team/policy:2"]
                .map(|text| text.parse().unwrap());
        store.remember(&one, &Digest::of(b"1")).unwrap();
        assert!(store.last_known(&two).is_none());
        fs::copy(store.tag(&one), store.tag(&two)).unwrap();
        assert!(store.last_known(&two).is_none(), "that is another's");
        store.remember(&one, &Digest::of(b"2")).unwrap();
        assert_eq!(store.last_known(&one), Some(Digest::of(b"2")));
    }
}
