//! Where plugins come from.

use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
};

use wasmtime::Engine;

use super::{Code, Manifest, bundled};
use crate::oci;

/// Where a plugin comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This binary.
    Bundled(String),
    /// A file.
    File(PathBuf),
    /// A registry: `oci://…`.
    Registry(String),
}

/// A plugin that can be loaded.
#[derive(Debug)]
pub struct Opened {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its code.
    pub code: Code,
}

impl From<&str> for Source {
    /// Reads `bundled:NAME`, `oci://…` or the name of a file.
    fn from(text: &str) -> Self {
        match text.strip_prefix("bundled:") {
            Some(name) => Self::Bundled(name.to_owned()),
            None if text.starts_with(oci::SCHEME) => Self::Registry(text.to_owned()),
            None => Self::File(PathBuf::from(text)),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled(name) => write!(f, "bundled:{name}"),
            Self::File(path) => path.display().fmt(f),
            Self::Registry(reference) => f.write_str(reference),
        }
    }
}

impl Source {
    /// The same, with a file that is named without its folder in this one.
    #[must_use]
    pub fn within(self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            elsewhere @ (Self::Bundled(_) | Self::Registry(_)) => elsewhere,
        }
    }

    /// Whether it is part of this binary, and so has what it asks for.
    pub fn is_bundled(&self) -> bool {
        matches!(self, Self::Bundled(_))
    }

    /// Finds it, and compiles it where `cache` does not have it compiled.
    ///
    /// # Errors
    /// Words on what is wrong with it.
    pub fn open(&self, engine: &Engine, cache: Option<&Path>) -> Result<Opened, String> {
        match self {
            Self::Bundled(name) => {
                let bundled = bundled::find(name)?;
                Ok(Opened { manifest: bundled.manifest(), code: bundled.code() })
            }
            Self::File(_) | Self::Registry(_) => {
                let path = self.file(cache)?;
                super::cache::load(engine, &path, cache)
                    .map(|super::cache::FromFile { manifest, code }| Opened { manifest, code })
            }
        }
    }

    /// What it says of itself, without compiling it.
    ///
    /// # Errors
    /// Words on what is wrong with it.
    pub fn manifest(&self, cache: Option<&Path>) -> Result<Manifest, String> {
        if let Self::Bundled(name) = self {
            return bundled::find(name).map(bundled::Bundled::manifest);
        }
        let path = self.file(cache)?;
        let mut file = File::open(&path).map_err(|error| error.to_string())?;
        Ok(Manifest::read(&mut file)?.unwrap_or_else(|| super::cache::named_after(&path)))
    }

    /// The file of its component, which is fetched where it is elsewhere.
    ///
    /// # Errors
    /// Words on why there is none.
    pub fn file(&self, cache: Option<&Path>) -> Result<PathBuf, String> {
        match self {
            Self::Bundled(name) => Err(format!("{name} is part of this binary")),
            Self::File(path) => Ok(path.clone()),
            Self::Registry(reference) => {
                let cache = cache.ok_or("what comes from a registry needs a cache: set --cache")?;
                oci::fetch(reference, cache)
            }
        }
    }
}
