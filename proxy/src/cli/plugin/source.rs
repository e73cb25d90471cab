//! A plugin, from where it is to where it can be loaded with one setup or another.

use clap::Args;
use wasmtime::Engine;

use super::Cache;
use crate::{
    config::flags,
    error::Error,
    plugin::{self, Clock, Code, Grant, Limits, Loaded, Manifest, Misfit, Setup, Source},
    policy::runtime,
};

/// Which plugin, and how it is set up.
#[derive(Clone, Debug, Args)]
pub(super) struct Configured {
    /// The plugin: bundled:NAME, or a component's file
    pub source: String,
    /// Its settings: JSON, or a file with it [default: {}]
    #[arg(long, value_name = "JSON|FILE")]
    pub settings: Option<String>,
    /// A variable of the environment that it may read, if it asks for it; may be repeated
    #[arg(long = "grant-env", value_name = "NAME", value_delimiter = ',')]
    granted_environment: Vec<String>,
    /// How much memory it may have, in MiB [default: what its manifest says, or 32]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=2048))]
    memory: Option<u32>,
    #[command(flatten)]
    cache: Cache,
}

/// A plugin that can be loaded.
pub(super) struct Opened<'c> {
    configured: &'c Configured,
    /// As the person wrote it.
    pub source: Source,
    pub manifest: Manifest,
    pub code: Code,
    engine: Engine,
}

/// What a plugin is granted when it is tried out.
#[derive(Clone, Copy)]
pub(super) enum Granted<'g> {
    /// All that its manifest asks for.
    AsItAsks,
    /// This, by the person: `clock`, or `PLUGIN=clock` as the proxy takes it.
    These(&'g [String]),
}

impl Configured {
    /// Finds the plugin, and compiles it where that was not done before.
    pub(super) fn open(&self) -> Result<Opened<'_>, Error> {
        let engine = runtime()?;
        let wrong = |problem| Error::Plugin { plugin: self.source.clone(), problem };
        let source = Source::from(self.source.as_str());
        let opened = source.open(&engine, self.cache.folder().as_deref()).map_err(wrong)?;
        let plugin::Opened { manifest, code } = opened;
        Ok(Opened { configured: self, source, manifest, code, engine })
    }

    pub(super) fn settings(&self) -> Result<String, Error> {
        let read = |text: &String| super::document::read("--settings", text);
        self.settings.as_ref().map_or(Ok("{}".to_owned()), read)
    }
}

impl Opened<'_> {
    /// Loads it as the proxy would.
    pub(super) fn load(
        &self,
        settings: &str,
        granted: Granted,
        clock: Clock,
    ) -> Result<Loaded, Error> {
        let wrong = |problem| Error::Plugin { plugin: self.configured.source.clone(), problem };
        let bundled = self.source.is_bundled();
        let may_read = |name: &str| {
            bundled || self.configured.granted_environment.iter().any(|granted| granted == name)
        };
        let (environment, other_names) = flags::environment(&self.manifest, may_read);
        let sees_names = bundled && self.manifest.environment_names;
        let setup = Setup {
            name: None,
            settings: settings.to_owned(),
            environment,
            other_names: if sees_names { other_names } else { Vec::new() },
            clock,
        };
        let grants = match granted {
            Granted::These(names) if !bundled => self.named(names)?,
            _ => self.manifest.grants.clone(),
        };
        let usual = Limits::default();
        let mib = self.configured.memory.or(self.manifest.memory_mib);
        let memory = mib.map_or(usual.memory, |mib| (mib as usize) << 20);
        let limits = Limits { memory, ..usual };
        Loaded::new(&self.engine, &self.manifest, &self.code, setup, &grants, limits)
            .map_err(|why| wrong(self.with_help(&why)))
    }

    /// What is wrong, and what would help.
    fn with_help(&self, why: &Misfit) -> String {
        match why {
            Misfit::NotGranted { grant, .. } => {
                let (plugin, word) = (&self.manifest.name, grant.word());
                format!("{why}: grant it with --grant {plugin}={word}")
            }
            Misfit::Settings { .. } | Misfit::Words(_) => why.to_string(),
        }
    }

    /// The grants by these names.
    fn named(&self, names: &[String]) -> Result<Vec<Grant>, Error> {
        let grant = |text: &String| {
            let (of, word) = text.rsplit_once('=').unwrap_or((&self.manifest.name, text));
            let wrong = |problem| Error::Value { name: "--grant", value: text.clone(), problem };
            if of != self.manifest.name {
                return Err(wrong(format!("is for another plugin than {}", self.manifest.name)));
            }
            crate::cli::grant_named(word).map_err(wrong)
        };
        names.iter().map(grant).collect()
    }
}
