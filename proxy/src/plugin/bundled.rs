//! The plugins that are part of this binary: built from `plugins/`, compiled and embedded by the
//! build script.

use super::{Code, Manifest};

/// A plugin that is part of this binary.
#[derive(Debug)]
pub struct Bundled {
    /// What it is called, behind `bundled:`.
    pub name: &'static str,
    manifest: &'static str,
    code: &'static [u8],
}

/// All of them, as the build script lists them.
pub static ALL: &[Bundled] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// The one of that name.
///
/// # Errors
/// Words on which there are instead.
pub fn find(name: &str) -> Result<&'static Bundled, String> {
    ALL.iter().find(|bundled| bundled.name == name).ok_or_else(|| {
        let names: Vec<_> = ALL.iter().map(|bundled| bundled.name).collect();
        format!("there is no such plugin in this binary; there is {}", names.join(", "))
    })
}

impl Bundled {
    /// What it says of itself.
    ///
    /// # Panics
    /// Never: the build script has read the same text.
    pub fn manifest(&self) -> Manifest {
        #[expect(clippy::expect_used, reason = "the build script has read the same text before")]
        serde_json::from_str(self.manifest).expect("a bundled manifest is valid")
    }

    /// Its code.
    pub fn code(&self) -> Code {
        Code::Embedded(self.code)
    }
}
