//! The plugins of a chain, from their sources to where they can be asked.

use std::sync::Arc;

use wasmtime::Engine;

use crate::{
    error::Error,
    plugin::{self, Grant, Limits, Loaded, Manifest, bundled, cache},
    settings::{self, PluginEntry, PluginSource, Settings},
};

/// Loads the plugins of the chain, in order.
///
/// # Errors
/// The first that can't be loaded, and why; or a grant for one that there is not.
pub(super) fn load_all(settings: &Settings) -> Result<Arc<[Loaded]>, Error> {
    let engine = runtime()?;
    let load = |entry| load(&engine, entry, settings);
    let plugins: Arc<[Loaded]> = settings.plugins.iter().map(load).collect::<Result<_, _>>()?;
    let named = settings.grants.iter().map(|(name, _)| ("--grant", name));
    let named = named.chain(settings.memory.iter().map(|(name, _)| ("--plugin-memory", name)));
    for (option, name) in named {
        if !plugins.iter().any(|plugin| plugin.name() == name) {
            let chain: Vec<_> = plugins.iter().map(Loaded::name).collect();
            let problem = format!("is no plugin of the chain, which has {}", chain.join(", "));
            return Err(Error::Value { name: option, value: name.clone(), problem });
        }
    }
    Ok(plugins)
}

/// What runs plugins on this machine.
///
/// # Errors
/// Where it can't.
pub(super) fn runtime() -> Result<Engine, Error> {
    plugin::runtime().map_err(|error| Error::Plugin {
        plugin: "of any kind".to_owned(),
        problem: format!("this machine can't run WebAssembly: {error:#}"),
    })
}

fn load(engine: &Engine, entry: &PluginEntry, settings: &Settings) -> Result<Loaded, Error> {
    match &entry.source {
        PluginSource::Bundled(name) => {
            let source = format!("bundled:{name}");
            let wrong = |problem| Error::Plugin { plugin: source.clone(), problem };
            let bundled = bundled::find(name).map_err(wrong)?;
            let manifest = bundled.manifest();
            let setup = settings::setup(entry, &manifest, |_| true);
            let limits = limits(&manifest, settings);
            Loaded::new(engine, &manifest, &bundled.code(), setup, &manifest.grants, limits)
                .map_err(wrong)
        }
        PluginSource::File(path) => {
            let source = path.display().to_string();
            let wrong = |problem| Error::Plugin { plugin: source.clone(), problem };
            let file = cache::load(engine, path, settings.cache.as_deref()).map_err(wrong)?;
            let manifest = &file.manifest;
            let granted = |name: &str| settings.granted_environment.iter().any(|g| g == name);
            let setup = settings::setup(entry, manifest, granted);
            let grants = granted_to(manifest, settings);
            // What it needs by its own account it is not simply given.
            let limits = limits(&Manifest { memory_mib: None, ..manifest.clone() }, settings);
            Loaded::new(engine, manifest, &file.code, setup, &grants, limits).map_err(|problem| {
                let more = manifest.memory_mib.filter(|mib| (*mib as usize) << 20 > limits.memory);
                wrong(match more {
                    Some(mib) => format!(
                        "{problem} (it asks for {mib} MiB of memory: give it with --plugin-memory \
                         {}={mib})",
                        manifest.name
                    ),
                    None => problem,
                })
            })
        }
    }
}

/// What the person granted to a plugin from a file.
fn granted_to(manifest: &Manifest, settings: &Settings) -> Vec<Grant> {
    let grants = settings.grants.iter();
    grants.filter(|(name, _)| *name == manifest.name).map(|(_, grant)| *grant).collect()
}

fn limits(manifest: &Manifest, settings: &Settings) -> Limits {
    let set = settings.memory.iter().rev().find(|(name, _)| *name == manifest.name);
    let mib = set.map(|(_, mib)| *mib).or(manifest.memory_mib);
    let usual = Limits::default();
    Limits { memory: mib.map_or(usual.memory, |mib| (mib as usize) << 20), ..usual }
}
