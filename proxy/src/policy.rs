//! A configuration that is loaded: all that a request is decided by. It is built whole or not at
//! all, and never changed; a reload builds another.

use std::{path::Path, sync::Arc};

use wasmtime::Engine;

use crate::{
    client::directory::Directory,
    config::{Pointer, Problem, Problems},
    error::Error,
    listener::Address,
    nearest::nearest,
    plugin::{self, Grant, Limits, Loaded, Manifest, Misfit, Opened, Setup},
    selection::{Entrance, Finding, Part, Selection},
    settings::{ListenerEntry, PluginEntry, Settings},
    worker,
};

/// What requests are decided by. Shared by all threads.
pub struct Policy {
    /// How requests are treated.
    pub requests: worker::Settings,
    /// The plugins.
    pub plugins: Arc<[Loaded]>,
    /// Which of them decide about what.
    pub selection: Selection,
    /// Where clients come in.
    pub listeners: Vec<ListenerEntry>,
    /// Where the running proxy is asked about itself.
    pub admin: Option<Address>,
    /// Where it can be asked in which container a client runs. None where nobody wants to know.
    pub directory: Option<Directory>,
    /// Where the plugins stand in the configuration.
    places: Vec<Pointer>,
    /// Variables that plugins are given in vain.
    unread: Problems,
}

/// A plugin of the configuration that can't be loaded.
#[derive(Debug)]
pub struct Unfit {
    /// The value in the configuration that it is about.
    pub place: Pointer,
    /// Where the plugin should come from.
    pub source: Box<str>,
    /// What it is called.
    pub plugin: String,
    /// What is wrong.
    pub problem: String,
    /// The same for who sees the place.
    pub problem_there: Box<str>,
    /// What would help.
    pub cure: Option<Cure>,
}

/// What would help a plugin that can't be loaded.
#[derive(Clone, Copy, Debug)]
pub enum Cure {
    /// A grant.
    Grant(Grant),
    /// As many MiB of memory.
    Memory(u32),
    /// The file.
    File,
}

impl Policy {
    /// Loads the plugins of a configuration. Compiled code is kept in `cache`.
    ///
    /// # Errors
    /// Each that can't be loaded.
    pub fn load(
        settings: Settings,
        engine: &Engine,
        cache: Option<&Path>,
    ) -> Result<Self, Vec<Unfit>> {
        let (mut plugins, mut unfit, mut unread) = (Vec::new(), Vec::new(), Problems::default());
        for entry in &settings.plugins {
            match load(entry, engine, cache, &mut unread) {
                Ok(plugin) => plugins.push(plugin),
                Err(one) => unfit.push(one),
            }
        }
        if !unfit.is_empty() {
            return Err(unfit);
        }
        let needs = |plugin: usize, operation| plugins[plugin].needs(operation);
        Ok(Self {
            selection: Selection::new(settings.chains, needs),
            requests: settings.requests,
            plugins: plugins.into(),
            listeners: settings.listeners,
            admin: settings.admin,
            directory: None,
            unread,
            places: settings.plugins.into_iter().map(|entry| entry.place).collect(),
        })
    }

    /// The same for a configuration in a file: what can't be loaded is added to `problems`, and what is
    /// odd where all can.
    pub fn load_in_file(
        settings: Settings,
        engine: &Engine,
        cache: Option<&Path>,
        problems: &mut Problems,
    ) -> Option<Self> {
        match Self::load(settings, engine, cache) {
            Ok(policy) => {
                problems.extend(policy.oddities());
                Some(policy)
            }
            Err(unfit) => {
                problems.extend(unfit.into_iter().map(Unfit::in_file));
                None
            }
        }
    }

    /// What the listener at an address is called. None where there is none any more.
    pub fn listener_name(&self, address: &str) -> Option<&Arc<str>> {
        let mut listeners = self.listeners.iter();
        listeners.find(|entry| entry.address.to_string() == address).map(|entry| &entry.name)
    }

    /// Whether it has to be known in which container a client runs.
    pub fn reads_containers(&self) -> bool {
        self.selection.reads_containers() || self.plugins.iter().any(Loaded::reads_container)
    }

    /// What is odd about the configuration: what its plugins say of their settings, and chains to
    /// which nothing comes.
    fn oddities(&self) -> Problems {
        let mut problems = Problems::default();
        problems.extend(self.unread.all().iter().cloned());
        for (plugin, place) in self.plugins.iter().zip(&self.places) {
            for problem in plugin.problems() {
                let words = format!("the plugin {} says: {}", plugin.name(), problem.message);
                problems.odd(&about(place, &problem.subject), words, "");
            }
        }
        let entrance = |listener: &ListenerEntry| Entrance {
            name: Arc::clone(&listener.name),
            is_unix: matches!(listener.address, Address::Unix(_)),
            asks_for_certificates: listener.tls.as_ref().is_some_and(|tls| tls.clients().is_some()),
        };
        let entrances: Vec<_> = self.listeners.iter().map(entrance).collect();
        for finding in self.selection.findings(&entrances) {
            self.tell(&finding, &mut problems);
        }
        problems
    }

    fn tell(&self, finding: &Finding, problems: &mut Problems) {
        let root = Pointer::root().then("chains");
        let name = |place: usize| format!("{:?}", self.selection.chains()[place].name);
        match finding {
            Finding::Unreachable { chain, behind } => {
                let takers: Vec<_> = behind.iter().map(|place| name(*place)).collect();
                let takers = takers.join(", ");
                let words = format!(
                    "the chain {} never decides: {takers} before it take all",
                    name(*chain)
                );
                problems.odd(&root.then(chain), words, "put it before them, or take it out");
            }
            Finding::Shadowed { chain, behind, operations } => {
                let (all, earlier) = (operations.join(", "), name(*behind));
                let words = format!("the chain {earlier} before it takes {all}");
                let cure = "put this chain before it, or leave the operations out here";
                problems.odd(&root.then(chain).then("operations"), words, cure);
            }
            Finding::HoldsOfNobody { chain, client, part } => {
                let at = root.then(chain).then("clients").then(client).then(part.key());
                let (why, cure) = match part {
                    Part::Address => (
                        "a client of a unix socket has no address",
                        "name a listener with a TCP address, or say user or group",
                    ),
                    Part::User | Part::Group | Part::Process => (
                        "nobody knows the process at the other end of a TCP connection",
                        "name a listener with a unix socket, or say address or container",
                    ),
                    Part::Certificate => (
                        "no listener of the chain asks for certificates",
                        "write tls with a client-ca at one",
                    ),
                };
                problems.odd(&at, format!("this can never hold: {why}"), cure);
            }
            Finding::NeverAllowed(operations) => {
                let (count, some) =
                    (operations.len(), operations[..operations.len().min(8)].join(", "));
                let more = if count > 8 { ", …" } else { "" };
                let words =
                    format!("no chain with a plugin is for {count} operations: {some}{more}");
                problems.odd(&root, words, "they are refused to everybody, which may be meant");
            }
        }
    }
}

impl Unfit {
    /// In the words of the command line.
    pub fn on_command_line(self) -> Error {
        let Self { source, plugin, problem, cure, .. } = self;
        let problem = match cure {
            None | Some(Cure::File) => problem,
            Some(Cure::Grant(grant)) => {
                format!("{problem}: grant it with --grant {plugin}={}", grant.word())
            }
            Some(Cure::Memory(mib)) => format!(
                "{problem} (it asks for {mib} MiB of memory: give it with --plugin-memory \
                 {plugin}={mib})"
            ),
        };
        Error::Plugin { plugin: source.into(), problem }
    }

    /// In the words of the configuration file.
    fn in_file(self) -> Problem {
        let cure = self.cure.map(|cure| match cure {
            Cure::Grant(grant) => format!("write grants: [{}] if it may", grant.word()),
            Cure::Memory(mib) => format!("write limits: {{memory: {mib}MiB}} if it may"),
            Cure::File => "put the file there, or name another".to_owned(),
        });
        let message = format!("the plugin {}: {}", self.source, self.problem_there);
        Problem { place: self.place, message, cure, fatal: true }
    }
}

/// What runs plugins on this machine.
///
/// # Errors
/// Where it can't.
pub fn runtime() -> Result<Engine, Error> {
    plugin::runtime().map_err(|error| Error::Plugin {
        plugin: "of any kind".to_owned(),
        problem: format!("this machine can't run WebAssembly: {error:#}"),
    })
}

/// Loads a plugin.
fn load(
    entry: &PluginEntry,
    engine: &Engine,
    cache: Option<&Path>,
    unread: &mut Problems,
) -> Result<Loaded, Unfit> {
    let unfit = |place, problem: String, problem_there: Option<String>, cure| Unfit {
        place,
        source: entry.source.to_string().into(),
        plugin: entry.name.clone(),
        problem_there: problem_there.unwrap_or_else(|| problem.clone()).into(),
        problem,
        cure,
    };
    let source = || entry.place.then("source");
    let opened = entry.source.open(engine, cache);
    let is_missing = matches!(&entry.source, plugin::Source::File(path) if !path.exists());
    let cure = is_missing.then_some(Cure::File);
    let Opened { manifest, code } = opened.map_err(|words| unfit(source(), words, None, cure))?;
    let limits = limits(entry, &manifest);
    report_unread(entry, &manifest, unread);
    let bundled = entry.source.is_bundled();
    let grants = if bundled { &manifest.grants } else { &entry.grants };
    Loaded::new(engine, &manifest, &code, setup(entry, &manifest), grants, limits).map_err(|why| {
        let words = why.to_string();
        match why {
            Misfit::Settings { subject, message } => {
                let unknown = unknown_key(&entry.settings, &subject, &message);
                let at = about(&entry.place, &format!("{subject}{unknown}"));
                let message = message.strip_prefix("the settings don't fit: ").unwrap_or(&message);
                unfit(at, words, Some(format!("it refuses its settings: {message}")), None)
            }
            Misfit::NotGranted { grant, .. } => {
                unfit(source(), words, None, Some(Cure::Grant(grant)))
            }
            Misfit::Words(_) => {
                let more = manifest.memory_mib.filter(|mib| (*mib as usize) << 20 > limits.memory);
                unfit(source(), words, None, more.map(Cure::Memory))
            }
        }
    })
}

/// What a plugin is set up from: of the variables those that it reads. Names are shown to what is
/// bundled, and to nobody else.
fn setup(entry: &PluginEntry, manifest: &Manifest) -> Setup {
    let reads = |name: &String| manifest.environment.contains(name);
    let (read, unread): (Vec<_>, Vec<_>) =
        entry.environment.iter().partition(|(name, _)| reads(name));
    let mut other_names = Vec::new();
    if manifest.environment_names && entry.source.is_bundled() {
        other_names.clone_from(&entry.other_names);
        other_names.extend(unread.into_iter().map(|(name, _)| name.clone()));
    }
    Setup {
        name: Some(entry.name.clone()),
        settings: entry.settings.clone(),
        environment: read.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        other_names,
        ..Setup::default()
    }
}

/// The variables that a plugin is given and does not read, unless it looks for such itself.
fn report_unread(entry: &PluginEntry, manifest: &Manifest, unread: &mut Problems) {
    let reads = &manifest.environment;
    let looks_itself = manifest.environment_names && entry.source.is_bundled();
    for name in entry.environment.keys().filter(|name| !looks_itself && !reads.contains(name)) {
        let words = format!("the plugin {} does not read the variable {name}", entry.name);
        let cure = match nearest(name, reads.iter().map(String::as_str)) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None if reads.is_empty() => "leave it out: it reads none".to_owned(),
            None => format!("leave it out: it reads {}", reads.join(", ")),
        };
        unread.odd(&entry.place.then("environment").then(name), words, &cure);
    }
}

/// What a plugin may take. What one from elsewhere needs by its own account it is not simply given.
fn limits(entry: &PluginEntry, manifest: &Manifest) -> Limits {
    let asked = manifest.memory_mib.filter(|_| entry.source.is_bundled());
    let asked = asked.map(|mib| (mib as usize) << 20);
    let memory = entry.memory.or(asked).unwrap_or(entry.limits.memory);
    Limits { memory, ..entry.limits }
}

/// The step to a key that a plugin does not know, where its words name one: the SDK's plugins then
/// point at what it is in.
fn unknown_key(settings: &str, subject: &str, message: &str) -> String {
    let settings: serde_json::Value = serde_json::from_str(settings).unwrap_or_default();
    let key = message.split_once("unknown field `").and_then(|(_, rest)| rest.split_once('`'));
    let key = key.map(|(key, _)| Pointer::root().then(key)).unwrap_or_default();
    let is_there = settings.pointer(&format!("{subject}{}", key.as_str())).is_some();
    if is_there { key.as_str().to_owned() } else { String::new() }
}

/// Where in the configuration a plugin's word on its settings belongs: it names a place in its
/// settings, or a variable.
fn about(plugin: &Pointer, subject: &str) -> Pointer {
    match subject {
        "" => plugin.clone(),
        pointer if pointer.starts_with('/') => plugin.then("settings").join(pointer),
        variable => plugin.then("environment").then(variable),
    }
}
