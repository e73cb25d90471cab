//! `dockgate plugin compile`: filling the cache.

use std::path::PathBuf;

use clap::Args;

use super::{Cache, say};
use crate::{error::Error, plugin::cache, policy::runtime};

/// Compile plugins for a proxy that starts where nothing can be written.
///
/// The proxy compiles a plugin when it first loads it, and keeps what came of it. A container that
/// is read-only, or has little memory, starts with what is compiled here: give the proxy the same
/// folder as its cache. The folder must belong to the user that the proxy runs as, and nobody else
/// may be allowed to write it.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Compile {
    /// The plugins: files of components
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    cache: Cache,
}

const AFTER_HELP: &str = "\
Examples:
  dockgate plugin compile team-policy.wasm --cache /cache
  DOCKGATE_CACHE=/cache dockgate --plugin team-policy.wasm";

impl Compile {
    pub(super) fn run(&self) -> Result<(), Error> {
        let folder = self.cache.needed()?;
        let engine = runtime()?;
        for path in &self.files {
            let plugin = path.display().to_string();
            let file = cache::fill(&engine, path, &folder)
                .map_err(|problem| Error::Plugin { plugin: plugin.clone(), problem })?;
            say(&format!("{plugin}: {}\n", file.display()));
        }
        Ok(())
    }
}
