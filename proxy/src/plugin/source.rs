//! Where plugins come from.

use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
};

use wasmtime::Engine;

use super::{Code, Manifest, bundled, cache};

/// Where a plugin comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This binary.
    Bundled(String),
    /// A file.
    File(PathBuf),
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
    /// Reads `bundled:NAME` or the name of a file.
    fn from(text: &str) -> Self {
        match text.strip_prefix("bundled:") {
            Some(name) => Self::Bundled(name.to_owned()),
            None => Self::File(PathBuf::from(text)),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled(name) => write!(f, "bundled:{name}"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Source {
    /// The same, with a file that is named without its folder in this one.
    #[must_use]
    pub fn within(self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            bundled @ Self::Bundled(_) => bundled,
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
            Self::File(path) => cache::load(engine, path, cache)
                .map(|cache::FromFile { manifest, code }| Opened { manifest, code }),
        }
    }

    /// What it says of itself, without compiling it.
    ///
    /// # Errors
    /// Words on what is wrong with it.
    pub fn manifest(&self) -> Result<Manifest, String> {
        match self {
            Self::Bundled(name) => bundled::find(name).map(bundled::Bundled::manifest),
            Self::File(path) => {
                let mut file = File::open(path).map_err(|error| error.to_string())?;
                Ok(Manifest::read(&mut file)?.unwrap_or_else(|| cache::named_after(path)))
            }
        }
    }
}
