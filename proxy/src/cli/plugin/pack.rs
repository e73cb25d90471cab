//! `dockgate plugin pack`: a component becomes a plugin.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use wasmtime::Engine;

use super::{Cache, document, say, size};
use crate::{
    error::Error,
    plugin::{self, Manifest, Outline, Standing, cache},
    policy::runtime,
};

/// Put a manifest into a component of any language, which makes a plugin of it.
///
/// The component must fit: import and export what its manifest and its world say.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Pack {
    /// The component
    file: PathBuf,
    /// Its manifest
    #[arg(long, value_name = "FILE", default_value = "manifest.json")]
    manifest: PathBuf,
    /// Where the plugin is written [default: its name and .wasm, beside the manifest]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    cache: Cache,
}

const AFTER_HELP: &str = "\
Examples:
  dockgate plugin pack component.wasm --manifest manifest.json
  componentize-py -w filter componentize app -o app.wasm && dockgate plugin pack app.wasm -o team-policy.wasm";

impl Pack {
    pub(super) fn run(&self) -> Result<(), Error> {
        let manifest = read_manifest(&self.manifest)?;
        pack(&self.file, &manifest, &self.manifest, self.output.as_deref(), &self.cache)
    }
}

/// Reads `manifest.json`.
pub(super) fn read_manifest(path: &Path) -> Result<Manifest, Error> {
    Manifest::parse(document::file(path)?.as_bytes())
        .map_err(|problem| Error::Content { path: path.to_owned(), problem })
}

/// Packs a component, sees that the proxy can load it, and says what came of it.
pub(super) fn pack(
    file: &Path,
    manifest: &Manifest,
    manifest_path: &Path,
    output: Option<&Path>,
    cache: &Cache,
) -> Result<(), Error> {
    let wrong = |problem| Error::Plugin { plugin: file.display().to_string(), problem };
    let engine = runtime()?;
    let component = cache::component(file).map_err(wrong)?;
    check_grants(&component, manifest).map_err(wrong)?;
    let packed = manifest.pack(&component).map_err(wrong)?;
    let beside = manifest_path.with_file_name(format!("{}.wasm", manifest.name));
    let output = output.unwrap_or(&beside);
    let unfinished = output.with_extension(format!("{}.tmp", std::process::id()));
    let system = |error| Error::File { path: output.to_owned(), error };
    fs::write(&unfinished, &packed).map_err(system)?;
    match check_fits(&engine, &unfinished, manifest, cache) {
        Ok(()) => fs::rename(&unfinished, output).map_err(system)?,
        Err(problem) => {
            // It is in the way of nobody where it can't be removed.
            let _ = fs::remove_file(&unfinished);
            return Err(wrong(problem));
        }
    }
    let (output, digest) = (output.display(), cache::digest(&packed));
    say(&format!("{output}: {}, sha256 {digest}\n", size(packed.len())));
    Ok(())
}

/// That the manifest asks for the grants of what the component imports: who runs it is shown the
/// manifest.
pub(super) fn check_grants(component: &[u8], manifest: &Manifest) -> Result<(), String> {
    for import in Outline::read(component)?.imports {
        if let Standing::Granted(grant) = Standing::of(&import)
            && !manifest.grants.contains(&grant)
        {
            let word = grant.word();
            return Err(format!(
                "it imports {import}, and its manifest does not ask for that: add \
                 \"grants\": [\"{word}\"]"
            ));
        }
    }
    Ok(())
}

/// That the proxy can load it, with all that it asks for.
pub(super) fn check_fits(
    engine: &Engine,
    file: &Path,
    manifest: &Manifest,
    cache: &Cache,
) -> Result<(), String> {
    let loaded = cache::load(engine, file, cache.folder().as_deref())?;
    plugin::check(engine, &loaded.manifest, &loaded.code, &manifest.grants)
        .map_err(|misfit| misfit.to_string())
}
