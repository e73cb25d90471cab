//! The plugins that are part of this binary: built from `plugins/`, compiled and embedded by the
//! build script.

use super::Manifest;

/// A plugin that is part of this binary.
#[derive(Debug)]
pub struct Bundled {
    /// What it is called, behind `bundled:`.
    pub name: &'static str,
    manifest: &'static str,
    code: &'static [u8],
}

/// All of them.
pub static ALL: &[Bundled] = &[Bundled {
    name: "tecnativa",
    manifest: include_str!(concat!(env!("OUT_DIR"), "/tecnativa.json")),
    code: include_bytes!(concat!(env!("OUT_DIR"), "/tecnativa.cwasm")),
}];

/// The one of that name.
pub fn find(name: &str) -> Option<&'static Bundled> {
    ALL.iter().find(|bundled| bundled.name == name)
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

    /// Its code, compiled ahead of time.
    pub fn code(&self) -> &'static [u8] {
        self.code
    }
}
