//! The command line and the environment, as the configuration that they amount to.

use std::{
    collections::BTreeMap,
    env, fs,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Map, Value};

use super::{
    Chain, Config, Limits, Listener, Log, Plugin, PluginLimits, Size, Span, Text, Upstream,
};
use crate::{
    cli::{LogFormat, Place, Serve},
    error::Error,
    http::upstream,
    listener::{self, Address},
    plugin::{Manifest, Source},
    tls,
};

const PORT: u16 = 2375;

/// The one chain that the flags make.
const CHAIN: &str = "all";

impl Config {
    /// What the command line amounts to in this environment.
    ///
    /// # Errors
    /// What is wrong with a value, and what to write instead.
    pub fn from_flags(serve: &Serve) -> Result<Self, Error> {
        let mut config = Self {
            upstream: Upstream {
                connect_timeout: span(serve.connect_timeout),
                answer_timeout: span(serve.answer_timeout),
                ..upstream(&serve.place)?
            },
            listeners: listeners(serve)?,
            log: Log {
                level: Some(serve.log_level.name().to_owned()),
                format: Some(match serve.log_format {
                    LogFormat::Auto => "auto".to_owned(),
                    LogFormat::Text => "text".to_owned(),
                    LogFormat::Json => "json".to_owned(),
                }),
            },
            limits: limits(serve),
            ..Self::default()
        };
        let mut chain = Chain { name: CHAIN.to_owned(), ..Chain::default() };
        for text in &serve.plugins {
            let (name, plugin) = plugin(text, serve)?;
            let name = free(&name, |name| config.plugins.contains_key(name));
            chain.plugins.push(name.clone());
            config.plugins.insert(name, plugin);
        }
        config.chains.push(chain);
        check_names(serve, &config)?;
        Ok(config)
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

/// The daemon.
///
/// # Errors
/// Where what is said of it is no address, or its TLS can't be used.
pub fn upstream(place: &Place) -> Result<Upstream, Error> {
    let named = [
        ("--upstream", place.upstream.clone()),
        ("SOCKET_PATH", variable("SOCKET_PATH")),
        ("DOCKER_HOST", variable("DOCKER_HOST")),
    ];
    let Some((name, value)) = named.into_iter().find_map(|(name, value)| Some((name, value?)))
    else {
        return Ok(Upstream::default());
    };
    let tls = if value.starts_with("tcp://") { tls::files_of_docker(variable)? } else { None };
    upstream::Address::new(&value, None).map_err(wrong(name, &value))?;
    Ok(Upstream { address: Some(value), tls, ..Upstream::default() })
}

/// The variables that a plugin asks for, as far as it is granted them, and the names of all others.
pub fn environment(
    manifest: &Manifest,
    granted: impl Fn(&str) -> bool,
) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut environment, mut other_names) = (BTreeMap::new(), Vec::new());
    // A value that is not text has no meaning for any plugin.
    for (name, value) in env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v))) {
        match value.into_string() {
            Ok(value) if manifest.environment.contains(&name) && granted(&name) => {
                environment.insert(name, value);
            }
            _ => other_names.push(name),
        }
    }
    other_names.sort();
    (environment, other_names)
}

fn listeners(serve: &Serve) -> Result<BTreeMap<String, Listener>, Error> {
    listener::mode(&serve.socket_mode).map_err(wrong("--socket-mode", &serve.socket_mode))?;
    let owner = serve.socket_owner.as_deref();
    owner.map_or(Ok(Default::default()), |owner| {
        listener::owner(owner).map_err(wrong("--socket-owner", owner))
    })?;
    let mut listeners = BTreeMap::new();
    for address in addresses(&serve.place)? {
        let (kind, is_unix) = match address {
            Address::Tcp(_) => ("tcp", false),
            Address::Unix(_) => ("unix", true),
        };
        let listener = Listener {
            address: address.to_string(),
            tls: None,
            mode: is_unix.then(|| serve.socket_mode.clone()),
            owner: serve.socket_owner.clone().filter(|_| is_unix),
        };
        listeners.insert(free(kind, |name| listeners.contains_key(name)), listener);
    }
    Ok(listeners)
}

fn limits(serve: &Serve) -> Limits {
    let mib = |mib: u32| Some(Size(u64::from(mib) << 20));
    Limits {
        oldest_api: Some(Text(serve.min_api_version.to_string())),
        connections: Some(serve.max_connections),
        head: Some(Size(serve.max_head.into())),
        body: mib(serve.max_body),
        answer: mib(serve.max_answer),
        unknown_fields: None,
        head_timeout: span(serve.head_timeout),
        idle_timeout: span(serve.idle_timeout),
        grace: span(serve.grace),
        workers: serve.workers,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the type of the fields")]
fn span(time: Duration) -> Option<Span> {
    Some(Span(time))
}

/// Reads `SOURCE[=SETTINGS]`, and gives the plugin with what it calls itself.
fn plugin(text: &str, serve: &Serve) -> Result<(String, Plugin), Error> {
    let (written, file) = match text.split_once('=') {
        Some((source, file)) => (source, Some(Path::new(file))),
        None => (text, None),
    };
    let source = Source::from(written);
    let wrong = |problem| Error::Plugin { plugin: written.to_owned(), problem };
    let settings = file.map_or(Ok(Map::new()), |file| settings(text, written, file))?;
    let manifest = source.manifest(serve.cache_folder().as_deref()).map_err(wrong)?;
    let granted = |name: &str| {
        source.is_bundled() || serve.granted_environment.iter().any(|granted| granted == name)
    };
    let (environment, _) = environment(&manifest, granted);
    let of_this = |name: &String| *name == manifest.name;
    let grants = serve.grants.iter().filter(|(name, _)| of_this(name)).map(|(_, grant)| *grant);
    let memory = serve.memory.iter().rev().find(|(name, _)| of_this(name));
    let plugin = Plugin {
        source: written.to_owned(),
        settings,
        environment: environment.into_iter().map(|(name, value)| (name, Text(value))).collect(),
        grants: grants.collect(),
        limits: PluginLimits {
            time: None,
            memory: memory.map(|(_, mib)| Size(u64::from(*mib) << 20)),
        },
        ..Plugin::default()
    };
    Ok((manifest.name, plugin))
}

fn settings(text: &str, source: &str, file: &Path) -> Result<Map<String, Value>, Error> {
    let read = fs::read_to_string(file)
        .map_err(|error| Error::File { path: PathBuf::from(file), error })?;
    let wrong = |problem| Error::Plugin { plugin: source.to_owned(), problem };
    match serde_json::from_str(&read) {
        Ok(Value::Object(settings)) => Ok(settings),
        Ok(_) => Err(wrong(format!("the settings in {text} are no JSON object: write {{}}"))),
        Err(error) => Err(wrong(format!("the settings in {text} are not JSON: {error}"))),
    }
}

/// That what is granted by name is granted to somebody.
fn check_names(serve: &Serve, config: &Config) -> Result<(), Error> {
    let granted = serve.grants.iter().map(|(name, _)| ("--grant", name));
    let given = serve.memory.iter().map(|(name, _)| ("--plugin-memory", name));
    for (option, name) in granted.chain(given) {
        if !config.plugins.contains_key(name) {
            let all: Vec<_> = config.plugins.keys().map(String::as_str).collect();
            let problem = format!("is no plugin of the chain, which has {}", all.join(", "));
            return Err(Error::Value { name: option, value: name.clone(), problem });
        }
    }
    Ok(())
}

/// The name, or with a number behind it where it is taken.
fn free(name: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(name) {
        return name.to_owned();
    }
    let numbered = (2..=u32::MAX).map(|n| format!("{name}-{n}")).find(|name| !taken(name));
    // There are more numbers than names.
    numbered.unwrap_or_default()
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn wrong(name: &'static str, value: &str) -> impl Fn(String) -> Error {
    move |problem| Error::Value { name, value: value.to_owned(), problem }
}

fn address(name: &'static str, text: &str) -> Result<Address, Error> {
    text.parse().map_err(wrong(name, text))
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
