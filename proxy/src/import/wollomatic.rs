//! The options of wollomatic/socket-proxy, version 1.13.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use ipnet::IpNet;
use serde_json::{Map, json};

use super::{
    Imported, LISTENER, METHODS, Rules, expression,
    options::{self, Given, Known, Variable, switch, value},
};
use crate::{
    config::{ClientCondition, ContainerCondition, Listener, Plugin, Span},
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
pub fn import(words: &[String], variables: &[Variable]) -> Result<Imported, String> {
    let given = Given::new(words, variables, &KNOWN, of_variable)?;
    let mut imported = Imported::default();
    if let Some(path) = given.last("socketpath") {
        imported.config.upstream.address = Some(format!("unix://{}", path.text));
        imported.came_of(["upstream"], &path.origin);
    }
    let log = &mut imported.config.log;
    log.level = given.last("loglevel").map(level).transpose()?;
    if given.is_on("logjson")? {
        log.format = Some("json".to_owned());
    }
    if let Some(seconds) = number(&given, "shutdowngracetime", 10)? {
        imported.config.limits.grace = Some(Span(Duration::from_secs(seconds.into())));
        imported.came_of(["limits", "grace"], &given.origin("shutdowngracetime"));
    }
    let rules = rules(&given, &mut imported.notes)?;
    let mut chain = imported.chain(&rules);
    chain.clients = listen(&given, &mut imported)?;
    if chain.clients.as_ref().is_some_and(Vec::is_empty) {
        let words = "Nobody may ask by -allowfrom, and nobody by this file.";
        imported.notes.push(words.to_owned());
        chain.clients = None;
        chain.plugins.clear();
    }
    if let Some(folders) = given.filled("allowbindmountfrom") {
        let guard = guard(folders, &mut imported.notes)?;
        imported.config.plugins.insert("guard".to_owned(), guard);
        imported.came_of(["plugins", "guard"], &folders.origin);
        if !chain.plugins.is_empty() {
            chain.plugins.push("guard".to_owned());
        }
    }
    imported.config.chains.push(chain);
    imported.notes.extend(left_out(&given)?);
    Ok(imported)
}

/// The option that a variable stands for. One that is empty is none there.
fn of_variable(variable: &Variable) -> Result<Option<&'static str>, String> {
    let Some(suffix) = variable.name.strip_prefix("SP_") else { return Ok(None) };
    let name = named(suffix).ok_or_else(|| {
        let names: Vec<_> = KNOWN.iter().map(|known| variable_of(known.name)).collect();
        variable.unknown(&names)
    })?;
    Ok((!variable.value.is_empty()).then_some(name))
}

/// A number: of an option as Go reads it, of a variable with these digits.
fn number(given: &Given, name: &str, radix: u32) -> Result<Option<u32>, String> {
    let Some(value) = given.last(name) else { return Ok(None) };
    let number = if value.is_option {
        options::number(&value.text)
    } else {
        u32::from_str_radix(&value.text, radix).ok()
    };
    number.map(Some).ok_or_else(|| value.wrong("is no number that it can have"))
}

/// What has no place in a configuration.
fn left_out(given: &Given) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    if given.is_on("allowhealthcheck")? {
        notes.push(
            "`dockgate healthcheck` asks the proxy itself: there is no port for it.".to_owned(),
        );
    }
    let watches = number(given, "watchdoginterval", 10)?.is_some_and(|seconds| seconds != 0);
    if watches || given.is_on("stoponwatchdog")? {
        notes.push(
            "Nothing watches the daemon's socket. `dockgate healthcheck` fails while it can't be \
             reached, and it is connected to again for each request."
                .to_owned(),
        );
    }
    if given.filled("proxycontainername").is_some() {
        notes.push(
            "Labels of the clients' containers open nothing here, since whoever may set labels \
             could open all. Write a chain for each client: see docs/clients.md."
                .to_owned(),
        );
    }
    Ok(notes)
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
fn rules(given: &Given, notes: &mut Vec<String>) -> Result<Rules, String> {
    for method in ["CONNECT", "TRACE"] {
        if given.last(&format!("allow{method}")).is_some() {
            notes.push(format!("{method} is never passed on: no daemon answers it."));
        }
    }
    let mut rules = Rules::default();
    for method in METHODS {
        for written in given.all(&format!("allow{method}")) {
            let expression = expression::of_whole_path(&written.text)
                .map_err(|words| format!("{}: {words}", written.origin))?;
            rules.allow(vec![method], expression, &written.origin);
        }
    }
    Ok(rules)
}

/// Sets where clients come in, and gives who may: `None` is anybody.
fn listen(given: &Given, imported: &mut Imported) -> Result<Option<Vec<ClientCondition>>, String> {
    let ip = given
        .last("listenip")
        .map(|ip| ip.text.parse::<IpAddr>().map_err(|_| ip.wrong("is no IP address")));
    let ip = ip.transpose()?.unwrap_or(Ipv4Addr::LOCALHOST.into());
    let port = number(given, "proxyport", 10)?.unwrap_or(2375);
    let port = u16::try_from(port).ok().filter(|port| *port != 0);
    let port = port.ok_or_else(|| {
        format!("{}: a port is a number from 1 to 65535", given.origin("proxyport"))
    })?;
    let socket = given.filled("proxysocketendpoint");
    let (listener, clients) = if let Some(path) = socket {
        // That proxy looks at no addresses then.
        (socket_listener(given, path)?, None)
    } else {
        let address = Address::Tcp((ip, port).into()).to_string();
        let listener = Listener { address, ..Listener::default() };
        (listener, Some(clients(given.last("allowfrom"), imported)?))
    };
    let origin = socket.map_or_else(|| given.origin("listenip"), |path| path.origin.clone());
    imported.came_of(["listeners", LISTENER], &origin);
    imported.config.listeners.insert(LISTENER.to_owned(), listener);
    Ok(clients)
}

fn socket_listener(given: &Given, path: &options::Value) -> Result<Listener, String> {
    let name = "proxysocketendpointfilemode";
    let mode = number(given, name, 8)?.unwrap_or(0o600);
    if mode > 0o777 {
        return Err(format!("{}: {mode:o} is no mode, in octal: write 0600", given.origin(name)));
    }
    let address = format!("unix://{}", path.text);
    let _: Address = address.parse().map_err(|bad: String| path.wrong(&bad))?;
    Ok(Listener { address, mode: Some(format!("0{mode:o}")), ..Listener::default() })
}

/// Who may ask: addresses, and names, which Docker gives containers. The first range is the last that
/// is looked at: that proxy takes its answer, whatever it is.
fn clients(
    allowed: Option<&options::Value>,
    imported: &mut Imported,
) -> Result<Vec<ClientCondition>, String> {
    let (allowed, origin) =
        allowed.map_or(("127.0.0.1/32", "-allowfrom"), |given| (&given.text, &given.origin));
    imported.came_of(["chains", "0", "clients"], origin);
    let notes = &mut imported.notes;
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
            return Err(format!("{origin}: {from:?} is no range of addresses: write 10.0.0.0/8"));
        }
        if let Ok(address) = from.parse::<IpAddr>() {
            // To Go, `::ffff:10.0.0.1` is 10.0.0.1.
            clients.push(at(&address.to_canonical().to_string()));
        } else if from == "localhost" {
            clients.extend([at("127.0.0.1"), at("::1")]);
        } else if is_name(from) {
            clients.extend(by_name(from));
            notes.push(format!(
                "{from:?} in -allowfrom is looked up as a name there. Here it is the container of \
                 that name, and those whose label says that they are of the compose service of \
                 that name, in any project. Delete the service where others may set labels."
            ));
        } else if from.starts_with(['"', '\'']) {
            notes.push(format!(
                "{from:?} in -allowfrom is nobody: the quotes are part of the value. Take them out \
                 of the file of variables."
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
fn guard(given: &options::Value, notes: &mut Vec<String>) -> Result<Plugin, String> {
    let folders: Vec<_> = given
        .text
        .split(',')
        .map(|folder| {
            clean(folder).ok_or_else(|| format!("{}: {folder:?} is no absolute path", given.origin))
        })
        .collect::<Result<_, _>>()?;
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
         host (type=ext4), devices outside of /dev, a create without a body, and whatever has to \
         be listed by its name: runtimes, cgroup parents, groups, storage options, and drivers of \
         logs, volumes and networks."
            .to_owned(),
    );
    Ok(Plugin::bundled("container-guard", settings))
}

/// A path as Go's `filepath.Clean` has it: `/srv/../home/` is `/home`. None of one that is not absolute.
fn clean(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.strip_prefix('/')?.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

/// A level of the log.
fn level(written: &options::Value) -> Result<String, String> {
    let level = match written.text.to_ascii_uppercase().as_str() {
        "DEBUG" => "debug",
        "INFO" => "info",
        "WARN" => "warning",
        "ERROR" => "err",
        _ => return Err(written.wrong("is none of DEBUG, INFO, WARN, ERROR")),
    };
    Ok(level.to_owned())
}
