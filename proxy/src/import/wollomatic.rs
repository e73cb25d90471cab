//! The options of wollomatic/socket-proxy, version 1.13.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::{
    Imported, LISTENER, METHODS, chain, expression,
    options::{self, Known, is_true, switch, value},
    rule,
};
use crate::{
    config::{
        ClientCondition, Config, ContainerCondition, Listener, Plugin, Span, Upstream, cure_of_name,
    },
    listener::Address,
};

const KNOWN: [Known; 24] = [
    value("allowfrom"),
    value("allowbindmountfrom"),
    switch("allowhealthcheck"),
    value("listenip"),
    value("proxyport"),
    value("socketpath"),
    value("proxysocketendpoint"),
    value("proxysocketendpointfilemode"),
    value("loglevel"),
    switch("logjson"),
    value("shutdowngracetime"),
    value("watchdoginterval"),
    switch("stoponwatchdog"),
    value("proxycontainername"),
    value("allowGET"),
    value("allowHEAD"),
    value("allowPOST"),
    value("allowPUT"),
    value("allowPATCH"),
    value("allowDELETE"),
    value("allowOPTIONS"),
    value("allowCONNECT"),
    value("allowTRACE"),
    // It means something only with labels, which are left out.
    value("dockerlabelprefix"),
];

/// Makes a configuration of its options, and of its variables, which options take the place of.
///
/// # Errors
/// What that proxy would not start with either.
pub fn import(words: &[String], variables: &[(String, String)]) -> Result<Imported, String> {
    let given = Given::new(words, variables)?;
    let mut notes = Vec::new();
    let mut config = Config {
        upstream: Upstream {
            address: given.one("socketpath").map(|path| format!("unix://{path}")),
            ..Upstream::default()
        },
        ..Config::default()
    };
    config.log.level = given.one("loglevel").map(level).transpose()?;
    if given.is_on("logjson")? {
        config.log.format = Some("json".to_owned());
    }
    if let Some(seconds) = given.number("shutdowngracetime", 10)? {
        config.limits.grace = Some(Span(Duration::from_secs(seconds.into())));
    }
    let rules = rules(&given, &mut notes)?;
    let mut chain = chain(&mut config, rules, &mut notes);
    chain.clients = listen(&given, &mut config, &mut notes)?;
    if chain.clients.as_ref().is_some_and(Vec::is_empty) {
        notes.push("Nobody may ask by -allowfrom, and nobody by this file.".to_owned());
        chain.clients = None;
        chain.plugins.clear();
    }
    if let Some(folders) = given.one("allowbindmountfrom").filter(|folders| !folders.is_empty()) {
        config.plugins.insert("guard".to_owned(), guard(folders, &mut notes)?);
        if !chain.plugins.is_empty() {
            chain.plugins.push("guard".to_owned());
        }
    }
    config.chains.push(chain);
    notes.extend(given.left_out()?);
    Ok(Imported { config, notes })
}

/// What is given of each option.
struct Given {
    values: BTreeMap<&'static str, Vec<String>>,
    /// Those that are of no variable.
    options: BTreeSet<&'static str>,
}

impl Given {
    fn new(words: &[String], variables: &[(String, String)]) -> Result<Self, String> {
        let mut values = BTreeMap::<_, Vec<_>>::new();
        for (variable, value) in variables {
            let Some(suffix) = variable.strip_prefix("SP_") else { continue };
            let name = named(suffix).ok_or_else(|| {
                let names: Vec<_> = KNOWN.iter().map(|known| variable_of(known.name)).collect();
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                let cure = cure_of_name(&variable.to_uppercase(), &names);
                format!("{variable}: that proxy reads no such variable: {cure}")
            })?;
            if !value.is_empty() {
                values.entry(name).or_default().push(value.clone());
            }
        }
        let mut options = BTreeMap::<_, Vec<_>>::new();
        for (name, value) in options::read(words, &KNOWN)? {
            options.entry(name).or_default().push(value);
        }
        let names = options.keys().copied().collect();
        // A list of options takes the place of all variables for that method.
        values.extend(options);
        Ok(Self { values, options: names })
    }

    fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// The last value, which is the one that counts.
    fn one(&self, name: &str) -> Option<&str> {
        self.all(name).last().map(String::as_str)
    }

    /// A number: of an option as Go reads it, of a variable with these digits.
    fn number(&self, name: &str, radix: u32) -> Result<Option<u32>, String> {
        let Some(text) = self.one(name) else { return Ok(None) };
        let number = if self.options.contains(name) {
            options::number(text)
        } else {
            u32::from_str_radix(text, radix).ok()
        };
        number.map(Some).ok_or_else(|| no_number(name, text))
    }

    fn is_on(&self, name: &str) -> Result<bool, String> {
        self.one(name).map_or(Ok(false), |value| is_true(&format!("-{name}"), value))
    }

    /// What has no place in a configuration.
    fn left_out(&self) -> Result<Vec<String>, String> {
        let mut notes = Vec::new();
        if self.is_on("allowhealthcheck")? {
            notes.push(
                "`dockgate healthcheck` asks the proxy itself: there is no port for it.".to_owned(),
            );
        }
        let watches = self.number("watchdoginterval", 10)?.is_some_and(|seconds| seconds != 0);
        if watches || self.is_on("stoponwatchdog")? {
            notes.push(
                "Nothing watches the daemon's socket. `dockgate healthcheck` fails while it can't \
                 be reached, and it is connected to again for each request."
                    .to_owned(),
            );
        }
        if self.one("proxycontainername").is_some_and(|name| !name.is_empty()) {
            notes.push(
                "Labels of the clients' containers open nothing here, since whoever may set labels \
                 could open all. Write a chain for each client: see docs/clients.md."
                    .to_owned(),
            );
        }
        Ok(notes)
    }
}

/// The option of a variable: `ALLOWFROM`, `ALLOW_GET`, `ALLOW_GET_2`.
fn named(suffix: &str) -> Option<&'static str> {
    let method = suffix.strip_prefix("ALLOW_").and_then(|rest| rest.split('_').next());
    // In capitals alone: others are variables that it does not read.
    if suffix != suffix.to_uppercase() {
        return None;
    }
    let name = method.map_or_else(|| suffix.to_lowercase(), |method| format!("allow{method}"));
    KNOWN.iter().map(|known| known.name).find(|known| **known == name)
}

/// The variable of an option: `SP_ALLOWFROM`, `SP_ALLOW_GET`.
fn variable_of(option: &str) -> String {
    let method = option.strip_prefix("allow").filter(|rest| rest.starts_with(char::is_uppercase));
    method.map_or_else(
        || format!("SP_{}", option.to_uppercase()),
        |method| format!("SP_ALLOW_{method}"),
    )
}

/// A rule for each method that has expressions.
fn rules(given: &Given, notes: &mut Vec<String>) -> Result<Vec<Value>, String> {
    for method in ["CONNECT", "TRACE"] {
        if !given.all(&format!("allow{method}")).is_empty() {
            notes.push(format!("{method} is never passed on: no daemon answers it."));
        }
    }
    let mut rules = Vec::new();
    for method in METHODS {
        let expressions = given.all(&format!("allow{method}")).iter();
        let expressions: Vec<_> = expressions
            .map(|written| expression::of_whole_path(written))
            .collect::<Result<_, _>>()
            .map_err(|bad| format!("-allow{method}: {bad}"))?;
        if !expressions.is_empty() {
            rules.push(rule(&[method], &expressions));
        }
    }
    Ok(rules)
}

/// Sets where clients come in, and gives who may: `None` is anybody.
fn listen(
    given: &Given,
    config: &mut Config,
    notes: &mut Vec<String>,
) -> Result<Option<Vec<ClientCondition>>, String> {
    let ip = given.one("listenip").unwrap_or("127.0.0.1");
    let ip: IpAddr = ip.parse().map_err(|_| format!("-listenip: {ip:?} is no IP address"))?;
    let port = given.number("proxyport", 10)?.unwrap_or(2375);
    let port = u16::try_from(port).ok().filter(|port| *port != 0);
    let port = port.ok_or_else(|| "-proxyport: a port is a number from 1 to 65535".to_owned())?;
    if let Some(path) = given.one("proxysocketendpoint").filter(|path| !path.is_empty()) {
        let mode = given.number("proxysocketendpointfilemode", 8)?.unwrap_or(0o600);
        if mode > 0o777 {
            return Err(format!(
                "-proxysocketendpointfilemode: {mode:o} is no mode, in octal: write 0600"
            ));
        }
        let address = format!("unix://{path}");
        let _: Address = address.parse().map_err(|bad| format!("-proxysocketendpoint {bad}"))?;
        let mode = Some(format!("0{mode:o}"));
        let listener = Listener { address, mode, ..Listener::default() };
        config.listeners.insert(LISTENER.to_owned(), listener);
        // That proxy looks at no addresses then.
        return Ok(None);
    }
    let address = Address::Tcp((ip, port).into()).to_string();
    config.listeners.insert(LISTENER.to_owned(), Listener { address, ..Listener::default() });
    clients(given.one("allowfrom").unwrap_or("127.0.0.1/32"), notes).map(Some)
}

/// Who may ask: addresses, and names, which Docker gives containers. The first range is the last that
/// is looked at: that proxy takes its answer, whatever it is.
fn clients(allowed: &str, notes: &mut Vec<String>) -> Result<Vec<ClientCondition>, String> {
    let at = |address: &str| ClientCondition {
        address: Some(address.to_owned()),
        ..ClientCondition::default()
    };
    let mut clients = Vec::new();
    let mut entries = allowed.split(',');
    for from in entries.by_ref() {
        if from.parse::<IpNet>().is_ok() {
            clients.push(at(from));
            break;
        }
        if from.contains('/') {
            // Go reads some that are none here, `10.0.0.0/008`, and looks no further.
            return Err(format!("-allowfrom: {from:?} is no range of addresses: write 10.0.0.0/8"));
        }
        if from.parse::<IpAddr>().is_ok() {
            clients.push(at(from));
        } else if from == "localhost" {
            clients.extend([at("127.0.0.1"), at("::1")]);
        } else if is_name(from) {
            clients.extend(by_name(from));
            notes.push(format!(
                "{from:?} in -allowfrom is looked up as a name there. Here it is the container of \
                 that name, and those whose label says that they are of the compose service of \
                 that name, in any project. Delete the service where others may set labels."
            ));
        } else if !from.is_empty() {
            notes.push(format!("{from:?} in -allowfrom is nobody: no host has such a name."));
        }
    }
    let unreached: Vec<_> = entries.collect();
    if !unreached.is_empty() {
        notes.push(format!(
            "{:?} in -allowfrom allows nobody: that proxy looks no further than its first range.",
            unreached.join(",")
        ));
    }
    Ok(clients)
}

/// Whether a text can be a name of a host.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

fn by_name(name: &str) -> [ClientCondition; 2] {
    let container =
        ContainerCondition { name: Some(name.to_owned()), ..ContainerCondition::default() };
    let service =
        ContainerCondition { service: Some(name.to_owned()), ..ContainerCondition::default() };
    [container, service].map(|container| ClientCondition {
        container: Some(container),
        ..ClientCondition::default()
    })
}

/// The guard of bind mounts, which opens whatever else that proxy does not look at.
fn guard(folders: &str, notes: &mut Vec<String>) -> Result<Plugin, String> {
    let folders: Vec<_> = folders.split(',').collect();
    if let Some(relative) = folders.iter().find(|folder| !folder.starts_with('/')) {
        return Err(format!("-allowbindmountfrom: {relative:?} is no absolute path"));
    }
    let mut settings = Map::from_iter([("bind-mounts".to_owned(), json!(folders))]);
    for open in [
        "privileged",
        "container-namespaces",
        "device-requests",
        "engine-sockets",
        "mount-propagation",
        "cluster-volumes",
        "system-paths",
        "oom-protection",
        "unconfined-containers",
        "swarm",
        "plugins",
        "network-config-from",
        "remote-builds",
        "buildkit",
        "checkpoints",
        "unknown-operations",
    ] {
        settings.insert(open.to_owned(), true.into());
    }
    for (list, items) in [
        ("host-namespaces", json!(["network", "pid", "ipc", "uts", "user", "cgroup"])),
        ("capabilities", json!(["ALL"])),
        ("devices", json!(["/dev"])),
        ("device-cgroup-rules", json!(["b *:* rwm", "c *:* rwm"])),
        ("tmpfs-options", json!(["exec", "suid", "dev"])),
        ("volume-types", json!(["nfs", "nfs4", "cifs", "tmpfs"])),
        ("security-options", json!(["seccomp", "apparmor", "label"])),
        ("sysctls", json!(["*"])),
        ("annotations", json!(["*"])),
        ("exec-users", json!(["*"])),
    ] {
        settings.insert(list.to_owned(), items);
    }
    notes.push(
        "-allowbindmountfrom looks at bind mounts alone, so the settings of guard open what else \
         leads to the host: privileged containers, devices, namespaces. Delete a line to close \
         what it opens."
            .to_owned(),
    );
    notes.push(
        "Closed by guard, although that proxy allows them, are volumes of a file system of the \
         host (type=ext4), and whatever has to be listed by its name: runtimes, cgroup parents, \
         groups, storage options, and drivers of logs, volumes and networks."
            .to_owned(),
    );
    Ok(Plugin::bundled("container-guard", settings))
}

/// A level of the log.
fn level(written: &str) -> Result<String, String> {
    let level = match written.to_ascii_uppercase().as_str() {
        "DEBUG" => "debug",
        "INFO" => "info",
        "WARN" => "warning",
        "ERROR" => "err",
        _ => return Err(format!("-loglevel: {written:?} is none of DEBUG, INFO, WARN, ERROR")),
    };
    Ok(level.to_owned())
}

fn no_number(option: &str, value: &str) -> String {
    format!("-{option}: {value:?} is no number that it can have")
}
