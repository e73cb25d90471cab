//! A configuration as it is meant: nothing is left open, and nothing is opened before all of it is
//! known to be right.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    path::Path,
    sync::Arc,
    time::Duration,
};

use globset::{GlobBuilder, GlobSetBuilder};
use http::Method;
use ipnet::IpNet;

use crate::{
    config::{self, Config, Isolation, Pointer, Problems, Span},
    http::{
        gather::Room,
        upstream::{self, Patience},
        wire::HeadLimits,
    },
    listener::{self, Access, Address},
    log::{Format, Severity},
    plugin::{Grant, Limits, Source},
    request::Operation,
    selection::{
        CertificateCondition, Chain, ClientCondition, Conditions, ContainerCondition, Paths,
        Pattern,
    },
    tls, worker,
};

/// The room for bodies that plugins read, in bytes.
const ROOM: usize = 256 << 20;
/// The daemon, where nothing else is said.
const SOCKET: &str = "unix:///var/run/docker.sock";
/// How much fuel a plugin has for a millisecond.
const FUEL_A_MILLISECOND: u64 = 20_000_000;
/// The mode of a unix socket that says nothing else.
const MODE: u32 = 0o660;

/// What the proxy does.
#[derive(Debug)]
pub struct Settings {
    /// Where it listens.
    pub listeners: Vec<ListenerEntry>,
    /// How requests are treated.
    pub requests: worker::Settings,
    /// The plugins.
    pub plugins: Vec<PluginEntry>,
    /// Which of them decide about what, by their places.
    pub chains: Vec<Chain>,
    /// Where the running proxy is asked about itself.
    pub admin: Option<Address>,
    /// How the process runs.
    pub process: Process,
}

/// How the process runs, whatever it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// How the log looks.
    pub log_format: Format,
    /// How much is logged.
    pub log_level: Severity,
    /// How many connections may be open.
    pub connections: u32,
    /// How long requests may go on when the proxy is told to end.
    pub grace: Duration,
    /// How many threads serve.
    pub workers: usize,
}

/// Where clients come in.
#[derive(Clone, Debug)]
pub struct ListenerEntry {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Where.
    pub address: Address,
    /// Who may use it, if it is a unix socket.
    pub access: Access,
    /// What it answers TLS with, if that is spoken there.
    pub tls: Option<tls::Server>,
}

impl ListenerEntry {
    /// What makes it the same listener in another configuration: its address, and its name where
    /// the system chooses the port.
    pub fn identity(&self) -> (Address, Option<Arc<str>>) {
        let is_free = matches!(self.address, Address::Tcp(address) if address.port() == 0);
        (self.address.clone(), is_free.then(|| Arc::clone(&self.name)))
    }

    /// Gives its socket, which is open, the permissions that it should have.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn apply_access(&self) -> std::io::Result<()> {
        match &self.address {
            Address::Unix(path) => self.access.apply(path),
            Address::Tcp(_) => Ok(()),
        }
    }
}

/// A plugin, and what it may do.
#[derive(Clone, Debug)]
pub struct PluginEntry {
    /// Its name in the configuration.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// Its settings, as JSON.
    pub settings: String,
    /// The variables that it may see, with their values.
    pub environment: BTreeMap<String, String>,
    /// Names of variables beside these, for a plugin that finds misspelt ones.
    pub other_names: Vec<String>,
    /// What else it may do.
    pub grants: Vec<Grant>,
    /// Its memory in bytes, where it is not the usual.
    pub memory: Option<usize>,
    /// What else it may take.
    pub limits: Limits,
    /// Where it stands in the configuration.
    pub place: Pointer,
}

/// What a configuration means whose files are in the folder `base` unless it says where. None where
/// a problem is fatal.
pub fn mean(config: &Config, base: &Path, problems: &mut Problems) -> Option<Settings> {
    let root = Pointer::root();
    let listeners = listeners(config, base, problems);
    let plugins = plugins(config, base, problems);
    let chains = Chains { config, problems, root: root.then("chains") }.read();
    let requests = requests(config, base, problems);
    let process = process(config, problems);
    let admin = config.admin.as_ref().and_then(|admin| admin_address(&admin.address, problems));
    if problems.are_fatal() {
        return None;
    }
    Some(Settings { listeners, requests: requests?, plugins, chains, admin, process })
}

fn admin_address(text: &str, problems: &mut Problems) -> Option<Address> {
    let at = Pointer::root().then("admin").then("address");
    let address = text.parse().map_err(|words| named(text, words));
    let address = problems.take::<Address>(&at, "", address)?;
    if let Address::Tcp(_) = address {
        let words = "whoever reaches a TCP address could ask there";
        problems.wrong(&at, words, "write unix:///run/dockgate/admin.sock");
    }
    Some(address)
}

fn process(config: &Config, problems: &mut Problems) -> Process {
    let root = Pointer::root();
    let (log_format, log_level) = log(config, problems);
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let limits = &config.limits;
    let at = |name: &str| root.then("limits").then(name);
    let connections = limits.connections.unwrap_or(4000);
    if !(1..=1_000_000).contains(&connections) {
        problems.wrong(&at("connections"), "as many can't be open", "write 1 to 1000000");
    }
    let workers = limits.workers.map_or(cores, usize::from);
    if !(1..=256).contains(&workers) {
        problems.wrong(&at("workers"), "as many can't be started", "write 1 to 256");
    }
    Process { log_format, log_level, connections, grace: time(limits.grace, 8), workers }
}

fn listeners(config: &Config, base: &Path, problems: &mut Problems) -> Vec<ListenerEntry> {
    let root = Pointer::root().then("listeners");
    if config.listeners.is_empty() {
        problems.wrong(
            &root,
            "there is no listener, so nobody can come in",
            "write listeners: {main: {address: \"127.0.0.1:2375\"}}",
        );
    }
    let mut taken = HashMap::new();
    let mut entries = Vec::new();
    for (name, listener) in &config.listeners {
        let at = root.then(name);
        let address = listener.address.parse().map_err(|words| named(&listener.address, words));
        let Some(address) = problems.take::<Address>(&at.then("address"), "", address) else {
            continue;
        };
        let access = access(listener, &at, &address, problems);
        if listener.tls.is_some() && matches!(address, Address::Unix(_)) {
            let words = "a unix socket has no TLS: the system says who is at the other end";
            problems.wrong(&at.then("tls"), words, "leave tls out, and set mode and owner");
        }
        let tls = listener.tls.as_ref();
        let tls = tls.and_then(|files| listener_tls(files, base, &at.then("tls"), problems));
        let entry = ListenerEntry { name: name.as_str().into(), address, access, tls };
        if let Some(other) = taken.insert(entry.identity(), name) {
            let words = format!("the listener {other:?} has the address {} already", entry.address);
            problems.wrong(&at.then("address"), words, "give each an address of its own");
        }
        entries.push(entry);
    }
    entries
}

fn listener_tls(
    files: &config::ListenerTls,
    base: &Path,
    at: &Pointer,
    problems: &mut Problems,
) -> Option<tls::Server> {
    if files.client_ca.is_none() && files.clients == config::ClientCertificates::Optional {
        let words = "there is no client-ca, so no client can show a certificate";
        problems.odd(&at.then("clients"), words, "name the authorities for clients: client-ca");
    }
    match tls::Server::load(&files.within(base)) {
        Ok(server) => {
            for odd in server.odd() {
                problems.odd(&at.then(odd.field), odd.to_string(), odd.cure);
            }
            Some(server)
        }
        Err(wrong) => {
            problems.wrong(&at.then(wrong.field), wrong.to_string(), wrong.cure);
            None
        }
    }
}

fn access(
    written: &config::Listener,
    at: &Pointer,
    address: &Address,
    problems: &mut Problems,
) -> Access {
    let mut access = Access { mode: MODE, owner: (None, None) };
    if let Some(text) = &written.mode {
        let mode = listener::mode(text).map_err(|words| named(text, words));
        access.mode = problems.take(&at.then("mode"), "", mode).unwrap_or(MODE);
    }
    if let Some(text) = &written.owner {
        let owner = listener::owner(text).map_err(|words| named(text, words));
        access.owner = problems.take(&at.then("owner"), "", owner).unwrap_or_default();
    }
    let given = [("mode", written.mode.is_some()), ("owner", written.owner.is_some())];
    for (key, _) in given.iter().filter(|(_, given)| *given) {
        if matches!(address, Address::Tcp(_)) {
            problems.wrong(&at.then(key), format!("a TCP address has no {key}"), "leave it out");
        }
    }
    access
}

fn plugins(config: &Config, base: &Path, problems: &mut Problems) -> Vec<PluginEntry> {
    let root = Pointer::root().then("plugins");
    let named = |(name, plugin): (&String, &config::Plugin)| {
        plugin_entry(name, plugin, base, root.then(name), problems)
    };
    config.plugins.iter().map(named).collect()
}

fn plugin_entry(
    name: &str,
    plugin: &config::Plugin,
    base: &Path,
    place: Pointer,
    problems: &mut Problems,
) -> PluginEntry {
    let usual = Limits::default();
    let memory = plugin.limits.memory.map(|size| size.0);
    if memory.is_some_and(|memory| !(1 << 20..=2 << 30).contains(&memory)) {
        let at = place.then("limits").then("memory");
        problems.wrong(&at, "a plugin can't have as much", "write 1MiB to 2GiB");
    }
    let time = plugin.limits.time.map(|time| time.0);
    if time.is_some_and(|time| !(100..=60_000_000).contains(&time.as_micros())) {
        let at = place.then("limits").then("time");
        problems.wrong(&at, "a plugin can't have as long", "write 0.1ms to 1m");
    }
    let fuel = |time: Duration| {
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX) * (FUEL_A_MILLISECOND / 1000)
    };
    PluginEntry {
        name: name.to_owned(),
        source: Source::from(plugin.source.as_str()).within(base),
        settings: serde_json::Value::Object(plugin.settings.clone()).to_string(),
        environment: plugin.environment.iter().map(|(n, v)| (n.clone(), v.0.clone())).collect(),
        other_names: Vec::new(),
        grants: plugin.grants.clone(),
        memory: memory.and_then(|memory| usize::try_from(memory).ok()),
        limits: Limits {
            decide_fuel: time.map_or(usual.decide_fuel, fuel),
            fresh: plugin.isolation == Isolation::Request,
            ..usual
        },
        place,
    }
}

fn requests(config: &Config, base: &Path, problems: &mut Problems) -> Option<worker::Settings> {
    let (limits, upstream) = (&config.limits, &config.upstream);
    let root = Pointer::root();
    let at = |key: &str| root.then("limits").then(key);
    let mut size = |key: &str, value: Option<config::Size>, usual: usize, most: usize| {
        let bytes = value.map_or(Ok(usual), |size| usize::try_from(size.0)).unwrap_or(usize::MAX);
        if !(1024..=most).contains(&bytes) {
            let most = config::Size(most as u64);
            problems.wrong(&at(key), "as much is not possible", &format!("write 1KiB to {most}"));
        }
        bytes
    };
    let head = size("head", limits.head, 64 << 10, 64 << 10);
    let max_body = size("body", limits.body, 4 << 20, 1 << 30);
    let max_answer = size("answer", limits.answer, 32 << 20, 1 << 30);
    let oldest = limits.oldest_api.as_ref().map_or("1.24", |text| &text.0);
    let oldest_api = oldest.parse().map_err(|_| format!("{oldest:?} is no version of the API"));
    let oldest_api = problems.take(&at("oldest-api"), "write it with quotes: \"1.24\"", oldest_api);
    let daemon = daemon(upstream, base, problems);
    Some(worker::Settings {
        oldest_api: oldest_api?,
        head: HeadLimits {
            size: head,
            time: time(limits.head_timeout, 10),
            idle: time(limits.idle_timeout, 300),
        },
        upstream: daemon?,
        patience: Patience {
            connect: time(upstream.connect_timeout, 10),
            answer: time(upstream.answer_timeout, 600),
        },
        max_body,
        unknown_fields: limits.unknown_fields.unwrap_or_default(),
        max_answer,
        room: Room::of(ROOM.max(max_answer)),
    })
}

/// The daemon, with what is wrong about it added to `problems`.
pub fn daemon(
    upstream: &config::Upstream,
    base: &Path,
    problems: &mut Problems,
) -> Option<upstream::Address> {
    let at = Pointer::root().then("upstream");
    let tls = match &upstream.tls {
        None => None,
        Some(files) => match tls::Client::load(&files.within(base)) {
            Ok(client) => Some(client),
            Err(wrong) => {
                let at = at.then("tls").then(wrong.field);
                problems.wrong(&at, wrong.to_string(), wrong.cure);
                return None;
            }
        },
    };
    let text = upstream.address.as_deref().unwrap_or(SOCKET);
    let address = upstream::Address::new(text, tls).map_err(|words| named(text, words));
    problems.take(&at.then("address"), "", address)
}

fn log(config: &Config, problems: &mut Problems) -> (Format, Severity) {
    let at = |key: &str| Pointer::root().then("log").then(key);
    let level = config.log.level.as_deref().unwrap_or("info");
    let level = level.parse().map_err(|cure: String| {
        problems.wrong(&at("level"), named(level, "is no level of the log"), &cure);
    });
    let format = match config.log.format.as_deref().unwrap_or("auto") {
        "auto" => Format::for_stdout(),
        "text" => Format::text(),
        "json" => Format::Json,
        other => {
            let words = format!("{other:?} is no format of the log");
            problems.wrong(&at("format"), words, "write text, json or auto");
            Format::Json
        }
    };
    (format, level.unwrap_or(Severity::Info))
}

fn time(given: Option<Span>, usual_seconds: u64) -> Duration {
    given.map_or(Duration::from_secs(usual_seconds), |span| span.0)
}

fn named(value: &str, words: impl std::fmt::Display) -> String {
    format!("{value:?} {words}")
}

/// The chains, on their way to what they mean.
struct Chains<'c> {
    config: &'c Config,
    problems: &'c mut Problems,
    root: Pointer,
}

impl Chains<'_> {
    fn read(mut self) -> Vec<Chain> {
        let config = self.config;
        if config.chains.is_empty() {
            let words = "there is no chain, so every request is refused";
            let cure = "write chains: [{name: all, plugins: [NAME]}]";
            self.problems.wrong(&self.root.clone(), words, cure);
        }
        let mut chains = Vec::new();
        for (place, chain) in config.chains.iter().enumerate() {
            let at = self.root.then(place);
            if config.chains[..place].iter().any(|earlier| earlier.name == chain.name) {
                let words = format!("another chain is called {:?} too", chain.name);
                self.problems.wrong(&at.then("name"), words, "give each a name of its own");
            }
            chains.push(self.chain(chain, &at));
        }
        self.unused();
        chains
    }

    fn chain(&mut self, chain: &config::Chain, at: &Pointer) -> Chain {
        let names: Vec<_> = self.config.plugins.keys().map(String::as_str).collect();
        let plugins = self.places(&names, "plugin", &chain.plugins, &at.then("plugins"));
        let conditions = Conditions {
            listeners: self.listeners(chain.listeners.as_deref(), at),
            clients: chain.clients.as_ref().map(|clients| {
                self.empty(clients.is_empty(), &at.then("clients"));
                let at = at.then("clients");
                let all = clients.iter().enumerate();
                all.filter_map(|(n, client)| self.client(client, &at.then(n))).collect()
            }),
            operations: chain.operations.as_ref().map(|patterns| {
                let at = at.then("operations");
                self.empty(patterns.is_empty(), &at);
                let read = |this: &mut Self, (n, pattern): (usize, &String)| {
                    let found = Operation::matching(pattern);
                    this.problems.take(&at.then(n), "", found).unwrap_or_default()
                };
                patterns.iter().enumerate().flat_map(|pattern| read(self, pattern)).collect()
            }),
            methods: chain.methods.as_ref().map(|methods| {
                self.empty(methods.is_empty(), &at.then("methods"));
                let at = at.then("methods");
                let all = methods.iter().enumerate();
                all.filter_map(|(n, method)| self.method(method, &at.then(n))).collect()
            }),
            paths: chain.paths.as_ref().and_then(|paths| self.paths(paths, &at.then("paths"))),
        };
        Chain { name: chain.name.as_str().into(), plugins: plugins.into(), conditions }
    }

    /// A list of alternatives that has none holds of nothing.
    fn empty(&mut self, is_empty: bool, at: &Pointer) {
        if is_empty {
            let words = "an empty list: the chain never decides";
            self.problems.wrong(at, words, "leave it out for all");
        }
    }

    /// Where names stand among those that there are.
    fn places(&mut self, all: &[&str], what: &str, names: &[String], at: &Pointer) -> Vec<usize> {
        let mut places = Vec::new();
        for (n, name) in names.iter().enumerate() {
            if let Some(place) = all.iter().position(|one| one == name) {
                places.push(place);
            } else {
                let words = format!("there is no {what} {name:?}");
                self.problems.wrong(&at.then(n), words, &config::cure_of_name(name, all));
            }
        }
        places
    }

    fn listeners(&mut self, names: Option<&[String]>, at: &Pointer) -> Option<Vec<Arc<str>>> {
        let at = at.then("listeners");
        let names = names?;
        self.empty(names.is_empty(), &at);
        let all: Vec<_> = self.config.listeners.keys().map(String::as_str).collect();
        let places = self.places(&all, "listener", names, &at);
        Some(places.into_iter().map(|place| all[place].into()).collect())
    }

    fn client(
        &mut self,
        written: &config::ClientCondition,
        at: &Pointer,
    ) -> Option<ClientCondition> {
        if *written == config::ClientCondition::default() {
            let words = "an empty condition holds of everybody";
            self.problems.wrong(at, words, "leave clients out of the chain, or say who");
            return None;
        }
        let address = written.address.as_ref().map(|text| {
            let host = || text.parse::<IpAddr>().map(IpNet::from);
            let net = text.parse().or_else(|_| host()).map(|net: IpNet| net.trunc());
            let net = net.map_err(|_| format!("{text:?} is no address and no network"));
            let cure = "write 172.18.0.3 or 172.18.0.0/16";
            self.problems.take(&at.then("address"), cure, net)
        });
        Some(ClientCondition {
            address: flat(address)?,
            user: written.user,
            group: written.group,
            process: written.process,
            certificate: match &written.certificate {
                Some(written) => Some(self.certificate(written, &at.then("certificate"))?),
                None => None,
            },
            container: match &written.container {
                Some(written) => Some(self.container(written, &at.then("container"))?),
                None => None,
            },
        })
    }

    fn certificate(
        &mut self,
        written: &config::CertificateCondition,
        at: &Pointer,
    ) -> Option<CertificateCondition> {
        let config::CertificateCondition { subject, name, pin } = written;
        let pin = pin.as_ref().map(|pin| {
            let digits = pin.to_ascii_lowercase().replace(':', "");
            let is_one = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let pin = is_one.then_some(digits).ok_or_else(|| format!("{pin:?} is no SHA-256"));
            let cure = "write the 64 hexadecimal digits of the digest of the public key";
            self.problems.take(&at.then("pin"), cure, pin)
        });
        // All of it is read before anything is given up.
        let subject = self.pattern(subject.as_deref(), &at.then("subject"));
        let name = self.pattern(name.as_deref(), &at.then("name"));
        Some(CertificateCondition { subject: subject?, name: name?, pin: flat(pin)? })
    }

    fn container(
        &mut self,
        written: &config::ContainerCondition,
        at: &Pointer,
    ) -> Option<ContainerCondition> {
        let config::ContainerCondition { name, image, labels, project, service } = written;
        let label = |(label, value): (&String, &config::Text)| {
            let pattern = self.pattern(Some(&value.0), &at.then("labels").then(label));
            Some((label.clone(), pattern??))
        };
        // All of it is read before anything is given up.
        let labels: Vec<_> = labels.iter().map(label).collect();
        let name = self.pattern(name.as_deref(), &at.then("name"));
        let image = self.pattern(image.as_deref(), &at.then("image"));
        let project = self.pattern(project.as_deref(), &at.then("project"));
        let service = self.pattern(service.as_deref(), &at.then("service"));
        Some(ContainerCondition {
            name: name?,
            image: image?,
            labels: labels.into_iter().collect::<Option<_>>()?,
            project: project?,
            service: service?,
        })
    }

    /// A pattern, if there is one. None where it is wrong.
    #[expect(clippy::option_option, reason = "whether it is right, and whether there is one")]
    fn pattern(&mut self, text: Option<&str>, at: &Pointer) -> Option<Option<Pattern>> {
        flat(text.map(|text| self.problems.take(at, "", Pattern::new(text))))
    }

    fn method(&mut self, text: &str, at: &Pointer) -> Option<Method> {
        let is_one = !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase());
        let method = Method::from_bytes(text.as_bytes()).ok().filter(|_| is_one);
        let method = method.ok_or_else(|| format!("{text:?} is no method"));
        self.problems.take(at, "write it in capitals: GET, POST", method)
    }

    fn paths(&mut self, patterns: &[String], at: &Pointer) -> Option<Paths> {
        self.empty(patterns.is_empty(), at);
        let mut set = GlobSetBuilder::new();
        for (n, pattern) in patterns.iter().enumerate() {
            let at = at.then(n);
            let cure = "write it as dockgate shows it, without a version: /containers/web/**";
            if !pattern.starts_with('/') || pattern.starts_with("/v1.") {
                self.problems.wrong(&at, format!("{pattern:?} is the pattern of no path"), cure);
            }
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            let glob = glob.map_err(|error| format!("{pattern:?} is none: {}", error.kind()));
            set.add(self.problems.take(&at, cure, glob)?);
        }
        let set = set.build().map_err(|error| error.to_string());
        let set = self.problems.take(at, "", set)?;
        Some(Paths { written: patterns.to_vec(), set })
    }

    /// Plugins and listeners of which nothing comes.
    fn unused(&mut self) {
        let chains = &self.config.chains;
        for name in self.config.plugins.keys() {
            if !chains.iter().any(|chain| chain.plugins.contains(name)) {
                let at = Pointer::root().then("plugins").then(name);
                let words = format!("no chain asks the plugin {name:?}");
                self.problems.odd(&at, words, "name it in the plugins of a chain");
            }
        }
        for name in self.config.listeners.keys() {
            let named = |chain: &config::Chain| {
                chain.listeners.as_ref().is_none_or(|listeners| listeners.contains(name))
            };
            if !chains.is_empty() && !chains.iter().any(named) {
                let at = Pointer::root().then("listeners").then(name);
                let words = format!("no chain is for the listener {name:?}: it refuses everything");
                self.problems.odd(&at, words, "name it in the listeners of a chain");
            }
        }
    }
}

/// What was read, if anything was to be. None where it was wrong.
#[expect(clippy::option_option, reason = "whether it is right, and whether there is one")]
fn flat<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}
