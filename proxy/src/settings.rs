//! The command line and the environment, as they are meant: nothing is left open, and nothing is
//! opened before all of it is known to be right.

use std::{
    collections::BTreeMap,
    env, fs,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    cli::{LogFormat, Place, Serve},
    error::Error,
    http::{
        gather::Room,
        upstream::{self, Patience},
        wire::HeadLimits,
    },
    listener::{Access, Address},
    log::{Format, Severity},
    plugin::{Grant, Manifest, Setup},
    tls, worker,
};

const PORT: u16 = 2375;
/// The room for bodies that plugins read, in bytes.
const ROOM: usize = 256 << 20;
const SOCKET: &str = "/var/run/docker.sock";

/// What the proxy does.
#[derive(Debug)]
pub struct Settings {
    /// Where it listens.
    pub addresses: Vec<Address>,
    /// Who may use its unix sockets.
    pub access: Access,
    /// How requests are treated.
    pub requests: worker::Settings,
    /// The chain, in order.
    pub plugins: Vec<PluginEntry>,
    /// What plugins from files may read.
    pub granted_environment: Vec<String>,
    /// What else plugins from files may do, by name.
    pub grants: Vec<(String, Grant)>,
    /// How much memory plugins may have, by name, in MiB.
    pub memory: Vec<(String, u32)>,
    /// Where compiled plugins are kept.
    pub cache: Option<PathBuf>,
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

/// A plugin of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginEntry {
    /// Where it comes from.
    pub source: PluginSource,
    /// Its settings, as JSON.
    pub settings: String,
}

/// Where a plugin comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginSource {
    /// This binary.
    Bundled(String),
    /// A file.
    File(PathBuf),
}

impl Settings {
    /// What the command line means in this environment.
    ///
    /// # Errors
    /// What is wrong with a value, and what to write instead.
    pub fn new(serve: &Serve) -> Result<Self, Error> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        Ok(Self {
            addresses: addresses(&serve.place)?,
            access: Access { mode: mode(&serve.socket_mode)?, owner: owner(serve)? },
            requests: worker::Settings {
                oldest_api: serve.min_api_version,
                head: HeadLimits {
                    size: serve.max_head as usize,
                    time: serve.head_timeout,
                    idle: serve.idle_timeout,
                },
                // The engine inside has its own, which is not known before it runs.
                upstream: if serve.demo {
                    upstream::Address::Unix(PathBuf::new())
                } else {
                    upstream(&serve.place)?
                },
                patience: Patience { connect: serve.connect_timeout, answer: serve.answer_timeout },
                max_body: (serve.max_body as usize) << 20,
                max_answer: (serve.max_answer as usize) << 20,
                room: Room::of(ROOM.max((serve.max_answer as usize) << 20)),
            },
            plugins: serve.plugins.iter().map(|p| plugin(p)).collect::<Result<_, _>>()?,
            granted_environment: serve.granted_environment.clone(),
            grants: serve.grants.clone(),
            memory: serve.memory.clone(),
            cache: serve.cache.clone().or_else(crate::plugin::cache::default_folder),
            log_format: match serve.log_format {
                LogFormat::Auto => Format::for_stdout(),
                LogFormat::Text => Format::text(),
                LogFormat::Json => Format::Json,
            },
            log_level: serve.log_level,
            connections: serve.max_connections,
            grace: serve.grace,
            workers: serve.workers.map_or(cores, usize::from),
        })
    }
}

/// Where the proxy listens.
///
/// # Errors
/// Where an address is none.
pub fn addresses(place: &Place) -> Result<Vec<Address>, Error> {
    if !place.listen.is_empty() {
        return place.listen.iter().map(|text| address("--listen", text)).collect();
    }
    if let Some(config) = variable("BIND_CONFIG") {
        return Ok(vec![bind_config(&config)?]);
    }
    let ip = match (in_container(), ipv6_is_disabled()) {
        (false, _) => Ipv4Addr::LOCALHOST.into(),
        (true, true) => Ipv4Addr::UNSPECIFIED.into(),
        (true, false) => Ipv6Addr::UNSPECIFIED.into(),
    };
    Ok(vec![Address::Tcp(SocketAddr::new(ip, PORT))])
}

/// Where the daemon is.
///
/// # Errors
/// Where it is no address, or one with TLS whose files can't be used.
pub fn upstream(place: &Place) -> Result<upstream::Address, Error> {
    let named = [
        ("--upstream", place.upstream.clone()),
        ("SOCKET_PATH", variable("SOCKET_PATH")),
        ("DOCKER_HOST", variable("DOCKER_HOST")),
    ];
    let Some((name, value)) = named.into_iter().find_map(|(name, value)| Some((name, value?)))
    else {
        return Ok(upstream::Address::Unix(SOCKET.into()));
    };
    let tls = if value.starts_with("tcp://") { tls::client_of_docker(variable)? } else { None };
    upstream::Address::new(&value, tls).map_err(|problem| Error::Value { name, value, problem })
}

/// What a plugin is set up from: its own settings, and of the environment what it asks for and
/// `granted` lets it have.
pub fn setup(entry: &PluginEntry, manifest: &Manifest, granted: impl Fn(&str) -> bool) -> Setup {
    let mut environment = BTreeMap::new();
    let mut other_names = Vec::new();
    // A value that is not text has no meaning for any plugin.
    for (name, value) in env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v))) {
        match value.into_string() {
            Ok(value) if manifest.environment.contains(&name) && granted(&name) => {
                environment.insert(name, value);
            }
            _ => other_names.push(name),
        }
    }
    // Names are granted to what is bundled, and to nobody else.
    let sees_names = manifest.environment_names && matches!(entry.source, PluginSource::Bundled(_));
    if !sees_names {
        other_names.clear();
    }
    other_names.sort();
    Setup { settings: entry.settings.clone(), environment, other_names, ..Setup::default() }
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn address(name: &'static str, text: &str) -> Result<Address, Error> {
    let value = text.to_owned();
    text.parse().map_err(|problem| Error::Value { name, value, problem })
}

/// Reads `HAProxy`'s `bind` line, of which Tecnativa's image takes one: an address, and options of
/// which those for IPv6 are known.
fn bind_config(config: &str) -> Result<Address, Error> {
    let mut words = config.split_whitespace();
    let text = words.next().unwrap_or_default();
    if let Some(option) = words.find(|word| *word != "v4v6") {
        return Err(Error::Value {
            name: "BIND_CONFIG",
            value: config.to_owned(),
            problem: format!("has the option {option}, which only HAProxy knows: use --listen"),
        });
    }
    if let Some(port) = text.strip_prefix("ipv6@:") {
        return address("BIND_CONFIG", &format!("[::]:{port}"));
    }
    let text = text.strip_prefix("ipv4@").or_else(|| text.strip_prefix("ipv6@")).unwrap_or(text);
    if text.starts_with('/') {
        return address("BIND_CONFIG", &format!("unix://{text}"));
    }
    // For HAProxy an address that is left out is all of IPv4.
    let with_host = if text.starts_with([':', '*']) {
        format!("0.0.0.0:{}", text.rsplit(':').next().unwrap_or_default())
    } else {
        text.to_owned()
    };
    address("BIND_CONFIG", &with_host)
}

/// By the files that Docker and Podman leave in a container, and the variable of others.
fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|file| Path::new(file).exists())
        || ["container", "KUBERNETES_SERVICE_HOST"].iter().any(|name| variable(name).is_some())
}

/// As the start script of Tecnativa's image reads it.
fn ipv6_is_disabled() -> bool {
    let value = variable("DISABLE_IPV6").unwrap_or_default().to_ascii_lowercase();
    ["1", "true", "yes"].contains(&value.as_str())
}

fn mode(text: &str) -> Result<u32, Error> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777).ok_or_else(|| Error::Value {
        name: "--socket-mode",
        value: text.to_owned(),
        problem: "is no mode: write it in octal, such as 0660".to_owned(),
    })
}

fn owner(serve: &Serve) -> Result<(Option<u32>, Option<u32>), Error> {
    let Some(text) = &serve.socket_owner else {
        return Ok((None, None));
    };
    let (uid, gid) = text.split_once(':').unwrap_or((text, ""));
    let number = |part: &str| match part {
        "" => Ok(None),
        digits => digits.parse().map(Some).map_err(|_| Error::Value {
            name: "--socket-owner",
            value: text.clone(),
            problem: "is no owner: write numbers, such as 1000:998".to_owned(),
        }),
    };
    Ok((number(uid)?, number(gid)?))
}

/// Reads `SOURCE[=SETTINGS]`.
fn plugin(text: &str) -> Result<PluginEntry, Error> {
    let (source, file) = match text.split_once('=') {
        Some((source, file)) => (source, Some(Path::new(file))),
        None => (text, None),
    };
    let settings = match file {
        None => "{}".to_owned(),
        Some(path) => fs::read_to_string(path)
            .map_err(|error| Error::File { path: path.to_owned(), error })?,
    };
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&settings) {
        let problem = format!("the settings in {text} are not JSON: {error}");
        return Err(Error::Plugin { plugin: source.to_owned(), problem });
    }
    let source = match source.strip_prefix("bundled:") {
        Some(name) => PluginSource::Bundled(name.to_owned()),
        None => PluginSource::File(source.into()),
    };
    Ok(PluginEntry { source, settings })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bind_line_of_haproxy_means_what_it_meant() {
        for (config, address) in [
            (":2375", "tcp://0.0.0.0:2375"),
            ("*:2375", "tcp://0.0.0.0:2375"),
            ("[::]:2375 v4v6", "tcp://[::]:2375"),
            ("127.0.0.1:2375", "tcp://127.0.0.1:2375"),
            ("ipv4@127.0.0.1:2375", "tcp://127.0.0.1:2375"),
            ("ipv6@:2375", "tcp://[::]:2375"),
            ("/run/dockgate.sock", "unix:///run/dockgate.sock"),
        ] {
            assert_eq!(bind_config(config).unwrap().to_string(), address, "{config}");
        }
        for (config, named) in [
            ("[::]:2375 v6only", "v6only"),
            (":2375 ssl crt /x.pem", "ssl"),
            ("2375", "BIND_CONFIG"),
            ("", "BIND_CONFIG"),
        ] {
            let error = bind_config(config).unwrap_err().to_string();
            assert!(error.contains(named), "{config}: {error}");
        }
    }
}
