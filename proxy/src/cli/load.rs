//! The configuration, from where it is written to where requests are decided by it.

use std::path::PathBuf;

use wasmtime::Engine;

use super::Serve;
use crate::{
    config::{Config, Problems, flags},
    error::Error,
    plugin::cache,
    policy::{Policy, Unfit, runtime},
    settings::{self, Process, Settings},
};

/// Loads the configuration, again and again if need be.
pub(super) struct Loader {
    origin: Origin,
    engine: Engine,
    /// Where compiled plugins are kept.
    cache: Option<PathBuf>,
    /// The daemon, where it is not the configuration's.
    upstream: Option<PathBuf>,
}

/// Where the configuration is written.
enum Origin {
    /// On the command line and in the environment.
    Flags(Box<Serve>),
}

/// A configuration that can be used.
pub(super) struct Usable {
    pub policy: Policy,
    pub process: Process,
}

impl Loader {
    /// Of what the command line says, for the daemon at `upstream` where one is given.
    ///
    /// # Errors
    /// Where this machine can't run plugins.
    pub(super) fn new(serve: &Serve, upstream: Option<PathBuf>) -> Result<Self, Error> {
        Ok(Self {
            origin: Origin::Flags(Box::new(serve.clone())),
            engine: runtime()?,
            cache: serve.cache.clone().or_else(cache::default_folder),
            upstream,
        })
    }

    /// Reads and loads all of it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn load(&self) -> Result<Usable, Error> {
        self.settings().and_then(|settings| self.policy(settings))
    }

    /// The files that it rests on.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        match &self.origin {
            // What was on the command line is not read again by itself.
            Origin::Flags(_) => Vec::new(),
        }
    }

    /// How the process is to run, as far as that is known before plugins are loaded.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub(super) fn settings(&self) -> Result<Settings, Error> {
        let mut settings = match &self.origin {
            Origin::Flags(serve) => from_flags(serve)?,
        };
        if let Some(upstream) = &self.upstream {
            settings.requests.socket.clone_from(upstream);
        }
        Ok(settings)
    }

    /// Loads what settings name.
    ///
    /// # Errors
    /// What can't be loaded, and why.
    pub(super) fn policy(&self, settings: Settings) -> Result<Usable, Error> {
        let process = settings.process;
        let loaded = Policy::load(settings, &self.engine, self.cache.as_deref());
        let policy = loaded.map_err(|unfit| match &self.origin {
            Origin::Flags(_) => first(unfit),
        })?;
        Ok(Usable { policy, process })
    }
}

fn from_flags(serve: &Serve) -> Result<Settings, Error> {
    let config = Config::from_flags(serve)?;
    let mut problems = Problems::default();
    let settings = settings::mean(&config, &mut problems);
    let mut settings = settings.ok_or_else(|| Error::Flags(problems.first()))?;
    // Bundled plugins find what is misspelt among the names that no plugin reads.
    for entry in settings.plugins.iter_mut().filter(|entry| entry.source.is_bundled()) {
        let manifest = entry.source.manifest().unwrap_or_default();
        (_, entry.other_names) = flags::environment(&manifest, |_| true);
    }
    Ok(settings)
}

/// The command line has one word for what is wrong.
fn first(unfit: Vec<Unfit>) -> Error {
    let first = unfit.into_iter().next().map(Unfit::on_command_line);
    // There is one, or it would have been loaded.
    first.unwrap_or_else(|| Error::Flags("a plugin can't be loaded".to_owned()))
}
