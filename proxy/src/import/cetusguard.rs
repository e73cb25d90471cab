//! The options and the rules of `CetusGuard`, version 1.1.

use std::{
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use super::{
    Imported, LISTENER, METHODS, Rules, expression,
    options::{self, Given, Known, Variable, switch, value},
};
use crate::{
    config::{ClientCertificates, Listener, ListenerTls, Upstream, UpstreamTls, cure_of_name},
    listener::Address,
};

const KNOWN: [Known; 13] = [
    value("backend-addr"),
    value("backend-tls-cacert"),
    value("backend-tls-cert"),
    value("backend-tls-key"),
    value("frontend-addr"),
    value("frontend-tls-cacert"),
    value("frontend-tls-cert"),
    value("frontend-tls-key"),
    value("rules"),
    value("rules-file"),
    switch("no-builtin-rules"),
    value("log-level"),
    switch("version"),
];

/// What the names of its variables begin with.
const PREFIX: &str = "CETUSGUARD_";

/// What it allows unless it is told not to.
const BUILTIN: &str = "\
GET,HEAD %API_PREFIX_PING%
GET,HEAD %API_PREFIX_LIBPOD_PING%
GET %API_PREFIX_VERSION%
GET %API_PREFIX_LIBPOD_VERSION%
GET %API_PREFIX_INFO%
GET %API_PREFIX_LIBPOD_INFO%
";

const ID: &str = "(?:[0-9A-Fa-f]+)";
const NAME: &str = "(?:[0-9A-Za-z][-.0-9A-Z_a-z]+)";

/// A label of a host's name: 63 letters, digits and hyphens, none of these at either end.
macro_rules! label {
    () => {
        "(?:[0-9A-Za-z](?:[-0-9A-Za-z]{0,61}[0-9A-Za-z])?)"
    };
}

macro_rules! version {
    () => {
        r"(?:/v[0-9]+(?:\.[0-9]+)*)"
    };
}

/// What stands for an expression in a rule, between `%` and `%`. Others may stand in it.
const MACROS: [(&str, &str); 23] = [
    ("DOMAIN", concat!("(?:", label!(), r"(?:\.", label!(), ")*)")),
    ("IPV4", r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3})"),
    ("IPV6", r"(?:\[[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:%[0-9A-Z_a-z]+)?\])"),
    ("IP", "(?:%IPV4%|%IPV6%)"),
    ("DOMAIN_OR_IP", "(?:%DOMAIN%|%IP%)"),
    ("HOST", "(?:%DOMAIN_OR_IP%(?::[0-9]+)?)"),
    ("IMAGE_ID", ID),
    ("IMAGE_COMPONENT", r"(?:[0-9A-Za-z]+(?:(?:\.|_{1,2}|-+)[0-9A-Za-z]+)*)"),
    ("IMAGE_TAG", "(?:[0-9A-Z_a-z][-.0-9A-Z_a-z]{0,127})"),
    ("IMAGE_DIGEST", "(?:[A-Za-z][0-9A-Za-z]*(?:[-+._][A-Za-z][0-9A-Za-z]*)*:[0-9A-Fa-f]{32,})"),
    ("IMAGE_NAME", "(?:(?:%HOST%/)?%IMAGE_COMPONENT%(?:/%IMAGE_COMPONENT%)*)"),
    ("IMAGE_REFERENCE", "(?:%IMAGE_NAME%(?::%IMAGE_TAG%)?(?:@%IMAGE_DIGEST%)?)"),
    ("IMAGE_ID_OR_REFERENCE", "(?:%IMAGE_ID%|%IMAGE_REFERENCE%)"),
    ("CONTAINER_ID", ID),
    ("CONTAINER_NAME", NAME),
    ("VOLUME_ID", ID),
    ("VOLUME_NAME", NAME),
    ("NETWORK_ID", ID),
    ("NETWORK_NAME", "(?:[^/]+)"),
    ("PLUGIN_ID", ID),
    ("PLUGIN_NAME", "%IMAGE_NAME%"),
    ("API_PREFIX", concat!(version!(), "?")),
    ("API_PREFIX_LIBPOD", concat!(version!(), "/libpod")),
];

/// Things that can be named by id or by name: `%CONTAINER_ID_OR_NAME%`.
const NAMED: [&str; 4] = ["CONTAINER", "VOLUME", "NETWORK", "PLUGIN"];

/// Sections of the API: `%API_PREFIX_IMAGES%` is `%API_PREFIX%/images`.
const SECTIONS: [&str; 23] = [
    "auth",
    "build",
    "commit",
    "configs",
    "containers",
    "distribution",
    "events",
    "exec",
    "grpc",
    "images",
    "info",
    "networks",
    "nodes",
    "_ping",
    "plugins",
    "secrets",
    "services",
    "session",
    "swarm",
    "system",
    "tasks",
    "version",
    "volumes",
];

/// Sections of Podman's own: `%API_PREFIX_LIBPOD_PODS%` is `%API_PREFIX_LIBPOD%/pods`.
const LIBPOD_SECTIONS: [&str; 17] = [
    "build",
    "commit",
    "containers",
    "events",
    "exec",
    "generate",
    "images",
    "info",
    "manifests",
    "networks",
    "_ping",
    "play",
    "pods",
    "secrets",
    "system",
    "version",
    "volumes",
];

/// Makes a configuration of its options, and of its variables, which options take the place of.
/// `read` gives the text of a file with rules.
///
/// # Errors
/// What that proxy would not start with either.
pub fn import(
    words: &[String],
    variables: &[Variable],
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Imported, String> {
    let given = Given::new(words, variables, &KNOWN, of_variable)?;
    if given.is_on("version")? {
        return Err("with -version that proxy says what it is, and ends: leave it out".to_owned());
    }
    let mut imported = Imported::default();
    imported.config.upstream = upstream(&given, variables, &mut imported)?;
    imported.config.log.level = given.filled("log-level").map(level).transpose()?;
    listen(&given, &mut imported)?;
    let mut rules = Rules::default();
    let texts = texts(&given, read)?;
    if texts.iter().any(|(_, text)| text != BUILTIN && text.contains("%API_PREFIX_LIBPOD")) {
        let words =
            "Podman's own paths, /v4.0.0/libpod/…, are refused: a version has two numbers here.";
        imported.notes.push(words.to_owned());
    }
    for (origin, text) in texts {
        for (at, line) in text.lines().enumerate() {
            let origin = format!("{origin}, line {}", at + 1);
            of_a_line(line, &origin, &mut rules, &mut imported.notes)
                .map_err(|words| format!("{origin}: {words}"))?;
        }
    }
    let chain = imported.chain(&rules);
    imported.config.chains.push(chain);
    Ok(imported)
}

/// The option that a variable stands for.
fn of_variable(variable: &Variable) -> Result<Option<&'static str>, String> {
    if !variable.name.starts_with(PREFIX) {
        return Ok(None);
    }
    let has_variable = KNOWN.iter().filter(|known| known.name != "version");
    let known: Vec<_> = has_variable.map(|known| (known.name, variable_of(known.name))).collect();
    let found = known.iter().find(|(_, of_option)| *of_option == variable.name);
    found.map(|(name, _)| Some(*name)).ok_or_else(|| {
        let names: Vec<_> = known.into_iter().map(|(_, name)| name).collect();
        variable.unknown(&names)
    })
}

/// The variable of an option: `CETUSGUARD_RULES_FILE`.
fn variable_of(option: &str) -> String {
    format!("{PREFIX}{}", option.to_uppercase().replace('-', "_"))
}

/// All texts with rules, and where they are from.
fn texts(
    given: &Given,
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Vec<(String, String)>, String> {
    let mut texts = Vec::new();
    if !given.is_on("no-builtin-rules")? {
        texts.push(("the built-in rules".to_owned(), BUILTIN.to_owned()));
    }
    texts.extend(given.all("rules").map(|rules| (rules.origin.clone(), rules.text.clone())));
    for file in given.all("rules-file") {
        let mut text =
            read(Path::new(&file.text)).map_err(|error| format!("{}: {error}", file.text))?;
        // A return at the end of a file is none of its last line, other than one of an option.
        if text.ends_with('\r') {
            text.pop();
        }
        texts.push((file.text.clone(), text));
    }
    Ok(texts)
}

fn upstream(
    given: &Given,
    variables: &[Variable],
    imported: &mut Imported,
) -> Result<Upstream, String> {
    let (address, origin) = daemon(given, variables).unzip();
    let origin = origin.unwrap_or_else(|| "-backend-addr".to_owned());
    if address.as_deref() == Some("") {
        return Err(format!(
            "{origin}: the address of the daemon is empty: write unix:///var/run/docker.sock"
        ));
    }
    imported.came_of(["upstream"], &origin);
    let (certificate, key) = pair(given, "backend-tls-cert", "backend-tls-key")?.unzip();
    let ca = given.filled("backend-tls-cacert");
    // Those of the system, of which a file has to be named here.
    if let (None, Some(_)) = (ca, &certificate) {
        return Err("-backend-tls-cert without -backend-tls-cacert trusts all that the system \
                    trusts: give -backend-tls-cacert too, of the daemon's authority"
            .to_owned());
    }
    let is_socket = address.as_deref().is_none_or(|address| address.starts_with("unix:"));
    if let Some(ca) = ca.filter(|_| is_socket) {
        return Err(format!(
            "{}: a daemon at a unix socket is asked without TLS: leave it out",
            ca.origin
        ));
    }
    let tls = ca.map(|ca| UpstreamTls { ca: (&ca.text).into(), certificate, key });
    Ok(Upstream { address, tls, ..Upstream::default() })
}

/// The address of the daemon, and what gave it.
fn daemon(given: &Given, variables: &[Variable]) -> Option<(String, String)> {
    let option = given.last("backend-addr");
    option.map(|value| (value.text.clone(), value.origin.clone())).or_else(|| {
        let of_name = |name| variables.iter().find(|variable| variable.name == name);
        let variable = ["CONTAINER_HOST", "DOCKER_HOST"].into_iter().find_map(of_name)?;
        Some((variable.value.clone(), variable.origin()))
    })
}

/// A certificate and its key.
fn pair(given: &Given, certificate: &str, key: &str) -> Result<Option<(PathBuf, PathBuf)>, String> {
    match (given.filled(certificate), given.filled(key)) {
        (Some(certificate), Some(key)) => {
            Ok(Some((PathBuf::from(&certificate.text), PathBuf::from(&key.text))))
        }
        (None, None) => Ok(None),
        _ => Err(format!("-{certificate} and -{key} want one another")),
    }
}

fn listen(given: &Given, imported: &mut Imported) -> Result<(), String> {
    let client_ca = given.filled("frontend-tls-cacert").map(|file| PathBuf::from(&file.text));
    let tls = match pair(given, "frontend-tls-cert", "frontend-tls-key")? {
        Some((certificate, key)) => {
            Some(ListenerTls { certificate, key, client_ca, clients: ClientCertificates::Required })
        }
        None if client_ca.is_some() => {
            return Err(
                "-frontend-tls-cacert wants -frontend-tls-cert and -frontend-tls-key".to_owned()
            );
        }
        None => None,
    };
    let mut addresses = Vec::new();
    for given in given.all("frontend-addr") {
        addresses
            .push((given.text.parse().map_err(|bad: String| given.wrong(&bad))?, &*given.origin));
    }
    if addresses.is_empty() {
        addresses.push((Address::Tcp((Ipv4Addr::LOCALHOST, 2375).into()), "-frontend-addr"));
    }
    for (at, (address, origin)) in addresses.into_iter().enumerate() {
        let name = if at == 0 { LISTENER.to_owned() } else { format!("{LISTENER}-{}", at + 1) };
        let is_socket = matches!(address, Address::Unix(_));
        if is_socket && tls.is_some() {
            imported.notes.push(format!(
                "{address} is without TLS here, and asks for no certificates: its owner alone may \
                 use it."
            ));
        }
        let tls = tls.clone().filter(|_| !is_socket);
        // There it is whoever started it that may connect.
        let mode = is_socket.then(|| "0600".to_owned());
        imported.came_of(["listeners", &name], origin);
        let listener = Listener { address: address.to_string(), tls, mode, ..Listener::default() };
        imported.config.listeners.insert(name, listener);
    }
    Ok(())
}

/// Adds the rule of a line `METHOD[,METHOD…] PATTERN`; none of a line that is empty or begins with `!`.
fn of_a_line(
    line: &str,
    origin: &str,
    rules: &mut Rules,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    let line = line.trim_matches([' ', '\t']);
    if line.is_empty() || line.starts_with('!') {
        return Ok(());
    }
    let is_method =
        |method: &str| !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase());
    let (methods, pattern) = line
        .split_once([' ', '\t'])
        .filter(|(methods, _)| methods.split(',').all(is_method))
        .ok_or_else(|| format!("{line:?} is no rule: write METHOD[,METHOD…] PATTERN"))?;
    let named: Vec<_> = methods.split(',').collect();
    for other in named.iter().filter(|method| !METHODS.contains(method)) {
        notes.push(format!("{other} is never passed on: no daemon answers it."));
    }
    let pattern = expanded(pattern.trim_start_matches([' ', '\t']))?;
    let expression = expression::of_whole_path(&pattern)?;
    let known = METHODS.into_iter().filter(|method| named.contains(method)).collect();
    rules.allow(known, expression, origin);
    Ok(())
}

/// A pattern with the expressions of its macros, and of those in them.
fn expanded(pattern: &str) -> Result<String, String> {
    let mut expanded = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('%') {
        expanded += before;
        let name = behind.split('%').next().unwrap_or_default();
        if name.len() == behind.len() || !is_macro(name) {
            // A percent sign that is one.
            expanded.push('%');
            rest = behind;
            continue;
        }
        // No macro names itself, neither by way of others.
        expanded += &self::expanded(&meaning(name)?)?;
        rest = &behind[name.len() + 1..];
    }
    Ok(expanded + rest)
}

/// Whether a text is like the name of a macro, and not two hexadecimal digits of an encoded character,
/// `%7B`, and what follows.
fn is_macro(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_encoded = name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.chars().all(fits)
        && !is_encoded
}

/// What stands between `%` and `%`.
fn meaning(name: &str) -> Result<String, String> {
    if let Some((_, expression)) = MACROS.iter().find(|(known, _)| *known == name) {
        return Ok((*expression).to_owned());
    }
    if let Some(thing) = name.strip_suffix("_ID_OR_NAME").filter(|thing| NAMED.contains(thing)) {
        return Ok(format!("(?:%{thing}_ID%|%{thing}_NAME%)"));
    }
    let of_section = |section: &str, known: &[&'static str]| {
        let named = |known: &&&str| known.trim_start_matches('_').eq_ignore_ascii_case(section);
        known.iter().find(named).copied()
    };
    if let Some(section) = name.strip_prefix("API_PREFIX_LIBPOD_")
        && let Some(section) = of_section(section, &LIBPOD_SECTIONS)
    {
        return Ok(format!("%API_PREFIX_LIBPOD%/{section}"));
    }
    if let Some(section) = name.strip_prefix("API_PREFIX_")
        && let Some(section) = of_section(section, &SECTIONS)
    {
        return Ok(format!("%API_PREFIX%/{section}"));
    }
    if name.starts_with('_') {
        // They change with its versions.
        return Err(format!(
            "%{name}% is of that proxy's own use: write one that it documents, %CONTAINER_ID%"
        ));
    }
    let known = MACROS.map(|(known, _)| known);
    Err(format!("there is no %{name}%: {}", cure_of_name(name, &known)))
}

/// A level of the log, from 0, which is nothing, to 7.
fn level(written: &options::Value) -> Result<String, String> {
    let level = match written.text.as_str() {
        "0" | "1" | "2" | "3" => "err",
        "4" => "warning",
        "5" => "notice",
        "6" => "info",
        "7" => "debug",
        _ => return Err(written.wrong("is no number from 0 to 7")),
    };
    Ok(level.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn macros_stand_for_expressions() {
        for (pattern, expected) in [
            ("/a%2Fb", "/a%2Fb"),
            ("/a%7B%7D%AB%CD", "/a%7B%7D%AB%CD"),
            ("100%", "100%"),
            ("%API_PREFIX_PING%", r"(?:/v[0-9]+(?:\.[0-9]+)*)?/_ping"),
            ("%API_PREFIX_LIBPOD_PODS%/x", r"(?:/v[0-9]+(?:\.[0-9]+)*)/libpod/pods/x"),
            ("%CONTAINER_ID_OR_NAME%", "(?:(?:[0-9A-Fa-f]+)|(?:[0-9A-Za-z][-.0-9A-Z_a-z]+))"),
        ] {
            assert_eq!(expanded(pattern).unwrap(), expected, "{pattern}");
        }
        let words = expanded("%CONTAINER_NAMES%").unwrap_err();
        assert_eq!(words, "there is no %CONTAINER_NAMES%: did you mean CONTAINER_NAME?");
        assert!(expanded("%_ID%").unwrap_err().starts_with("%_ID% is of that proxy's own use: "));
    }

    #[test]
    fn every_macro_comes_to_an_expression() {
        for (name, _) in MACROS {
            let expression = expanded(&format!("%{name}%")).unwrap();
            assert!(!expression.contains("%I"), "{expression}");
        }
    }

    #[test]
    fn a_line_is_a_rule_a_comment_or_a_mistake() {
        let (mut rules, mut notes) = (Rules::default(), Vec::new());
        let mut read = |line| of_a_line(line, "here", &mut rules, &mut notes);
        for line in ["  ! a comment", "\t", "TRACE /x", "  HEAD,GET \t /x|/y  ", "GET,HEAD /x|/y"] {
            assert_eq!(read(line), Ok(()), "{line}");
        }
        for bad in ["GET", "get /x", "GET,/x", "GET, HEAD /x", "/x"] {
            assert!(read(bad).unwrap_err().ends_with("write METHOD[,METHOD…] PATTERN"), "{bad}");
        }
        assert_eq!(notes, ["TRACE is never passed on: no daemon answers it."]);
        let [rule] = rules.by_methods.as_slice() else { panic!("there is one rule") };
        assert_eq!(rule.methods, ["GET", "HEAD"]);
        let expression = "(?s:.*)(?:^/x|/y$)(?s:.*)".to_owned();
        assert_eq!(rule.expressions, [(expression, "here".to_owned())]);
    }
}
