//! The configuration, from where it is written to where requests are decided by it.

use std::{
    env,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use wasmtime::Engine;

use super::{Serve, Unread, watch::Watched};
use crate::{
    config::{self, Config, ListenerTls, Problems, Read, UpstreamTls, flags, report},
    error::Error,
    http::upstream::Address,
    plugin::Source,
    policy::{Policy, Unfit, runtime},
    settings::{self, Process, Settings},
};

/// Loads the configuration, again and again if need be.
pub(super) struct Loader {
    origin: Origin,
    engine: Engine,
    /// Where compiled plugins are kept.
    cache: Option<PathBuf>,
    /// Variables that are set in vain.
    unread: Vec<Unread>,
    /// The daemon, where it is not the configuration's.
    upstream: Option<PathBuf>,
    /// The files that the configuration rests on, as it was read last.
    watched: Mutex<Watched>,
}

/// Where the configuration is written.
enum Origin {
    /// On the command line and in the environment.
    Flags(Box<Serve>),
    /// In a file.
    File(PathBuf),
}

/// A configuration that can be used.
pub(super) struct Usable {
    pub policy: Policy,
    pub process: Process,
    /// What is odd about it, a line each.
    pub oddities: Vec<String>,
}

impl Loader {
    /// Of what the command line says, or of the file that it names; for the daemon at `upstream`
    /// where one is given.
    ///
    /// # Errors
    /// Where this machine can't run plugins.
    pub(super) fn new(serve: &Serve, upstream: Option<PathBuf>) -> Result<Self, Error> {
        let origin = match &serve.config {
            Some(file) => Origin::File(file.clone()),
            None => Origin::Flags(Box::new(serve.clone())),
        };
        Ok(Self {
            origin,
            engine: runtime()?,
            cache: serve.cache_folder(),
            unread: serve.unread.clone(),
            upstream,
            watched: Mutex::default(),
        })
    }

    /// Reads and loads all of it. `begin` is told how the process is to run before plugins are
    /// loaded, which may take time and say something.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn load(&self, begin: impl FnOnce(Process)) -> Result<Usable, Error> {
        match &self.origin {
            Origin::Flags(serve) => {
                let settings = self.for_upstream(from_flags(serve)?);
                let process = settings.process;
                begin(process);
                let loaded = Policy::load(settings, &self.engine, self.cache.as_deref());
                let policy = loaded.map_err(first)?;
                Ok(Usable { policy, process, oddities: Vec::new() })
            }
            Origin::File(file) => {
                let (read, meant) = self.read(file, begin)?;
                let Some((policy, process)) = meant else {
                    return Err(read.refused());
                };
                let in_vain = |unread: &&Unread| !read.document.names(&unread.variable);
                let unread = self.unread.iter().filter(in_vain).map(Unread::to_string);
                let mut oddities = report::lines(&read.problems, &read.document);
                oddities.extend(unread);
                Ok(Usable { policy, process, oddities })
            }
        }
    }

    /// Reads a configuration file, and finds all that is wrong with it.
    ///
    /// # Errors
    /// Where it can't be read.
    pub(super) fn read(
        &self,
        file: &Path,
        begin: impl FnOnce(Process),
    ) -> Result<(Read, Option<(Policy, Process)>), Error> {
        *self.watched() = Watched::default();
        self.watch([file.to_owned()]);
        let text = config::text(file)?;
        self.watch(config::files_named_in(&text));
        let name = file.display().to_string();
        let mut read = config::read_text::<Config>(&name, &text, &|name| env::var(name));
        let base = file.parent().unwrap_or(Path::new(""));
        let meant = read.mean(|config, problems| {
            self.watch(files_of(config).into_iter().map(|file| base.join(file)));
            let settings = self.for_upstream(settings::mean(config, base, problems)?);
            let process = settings.process;
            begin(process);
            let cache = self.cache.as_deref();
            let policy = Policy::load_in_file(settings, &self.engine, cache, problems)?;
            Some((policy, process))
        });
        Ok((read, meant))
    }

    /// The files that the configuration rests on, as they looked before they were read last. What was
    /// on the command line is not read again by itself.
    pub(super) fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called before a file is read, whether it can be or not: it may be mended.
    fn watch(&self, files: impl IntoIterator<Item = PathBuf>) {
        self.watched().add(files);
    }

    fn for_upstream(&self, mut settings: Settings) -> Settings {
        if let Some(upstream) = &self.upstream {
            settings.requests.upstream = Address::Unix(upstream.clone());
        }
        settings
    }
}

fn from_flags(serve: &Serve) -> Result<Settings, Error> {
    let config = Config::from_flags(serve)?;
    let mut problems = Problems::default();
    let settings = settings::mean(&config, Path::new(""), &mut problems);
    let mut settings = settings.ok_or_else(|| Error::Flags(problems.first()))?;
    // Bundled plugins find what is misspelt among the names that no plugin reads.
    for entry in settings.plugins.iter_mut().filter(|entry| entry.source.is_bundled()) {
        let manifest = entry.source.manifest(None).unwrap_or_default();
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

/// The files that a configuration names.
fn files_of(config: &Config) -> Vec<PathBuf> {
    let plugins =
        config.plugins.values().filter_map(|plugin| match Source::from(plugin.source.as_str()) {
            Source::File(path) => Some(path),
            Source::Bundled(_) | Source::Registry(_) => None,
        });
    let servers = config.listeners.values().filter_map(|listener| listener.tls.as_ref());
    let servers = servers.flat_map(ListenerTls::files);
    let upstream = config.upstream.tls.iter().flat_map(UpstreamTls::files);
    plugins.chain(servers.cloned()).chain(upstream.cloned()).collect()
}
