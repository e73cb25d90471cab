//! The options and the rules of `CetusGuard`, version 1.1.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    Imported, LISTENER, METHODS, chain, expression,
    options::{self, Known, is_true, switch, value},
    rule,
};
use crate::{
    config::{
        ClientCertificates, Config, Listener, ListenerTls, Upstream, UpstreamTls, cure_of_name,
    },
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
    variables: &[(String, String)],
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Imported, String> {
    let given = Given { options: options::read(words, &KNOWN)?, variables };
    if given.one("version").map_or(Ok(false), |value| is_true("-version", value))? {
        return Err("with -version that proxy says what it is, and ends: leave it out".to_owned());
    }
    let mut notes = Vec::new();
    let mut config = Config { upstream: upstream(&given)?, ..Config::default() };
    config.log.level = given.one("log-level").map(level).transpose()?;
    listen(&given, &mut config, &mut notes)?;

    let mut texts = Vec::new();
    let has_none = given.one("no-builtin-rules").unwrap_or("false");
    if !is_true("-no-builtin-rules", has_none)? {
        texts.push(("the built-in rules".to_owned(), BUILTIN.to_owned()));
    }
    texts.extend(given.all("rules").map(|text| ("-rules".to_owned(), text.to_owned())));
    for file in given.all("rules-file") {
        let text = read(Path::new(file)).map_err(|error| format!("{file}: {error}"))?;
        texts.push((file.to_owned(), text));
    }
    let are_of_podman = |text: &str| text != BUILTIN && text.contains("%API_PREFIX_LIBPOD");
    if texts.iter().any(|(_, text)| are_of_podman(text)) {
        notes.push(
            "Podman's own paths, /v4.0.0/libpod/…, are refused: a version has two numbers here."
                .to_owned(),
        );
    }
    let mut rules = Vec::new();
    for (origin, text) in &texts {
        for (at, line) in text.lines().enumerate() {
            let of_line = |words| format!("{origin}, line {}: {words}", at + 1);
            rules.extend(of_a_line(line, &mut notes).map_err(of_line)?);
        }
    }
    let chain = chain(&mut config, rules, &mut notes);
    config.chains.push(chain);
    Ok(Imported { config, notes })
}

/// What is given of each option.
struct Given<'a> {
    options: Vec<(&'static str, String)>,
    variables: &'a [(String, String)],
}

impl Given<'_> {
    /// The values of an option, or else those of its variable.
    fn all<'g>(&'g self, name: &'g str) -> impl Iterator<Item = &'g str> {
        let options = self.options.iter().filter(move |(known, _)| *known == name);
        let options: Vec<_> = options.map(|(_, value)| value.as_str()).collect();
        let variable = format!("CETUSGUARD_{}", name.to_uppercase().replace('-', "_"));
        let of_variable = if options.is_empty() { self.variable(&variable) } else { None };
        options.into_iter().chain(of_variable)
    }

    fn one<'g>(&'g self, name: &'g str) -> Option<&'g str> {
        self.all(name).last().filter(|value| !value.is_empty())
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn upstream(given: &Given) -> Result<Upstream, String> {
    let of_variables =
        || ["CONTAINER_HOST", "DOCKER_HOST"].iter().find_map(|name| given.variable(name));
    let address = given.all("backend-addr").last().or_else(of_variables);
    if address == Some("") {
        return Err("the address of the daemon is empty: see -backend-addr, and the variables \
                    CETUSGUARD_BACKEND_ADDR, CONTAINER_HOST and DOCKER_HOST"
            .to_owned());
    }
    let (certificate, key) = pair(given, "backend-tls-cert", "backend-tls-key")?.unzip();
    let tls = match given.one("backend-tls-cacert") {
        Some(ca) => Some(UpstreamTls { ca: ca.into(), certificate, key }),
        // Those of the system, of which a file has to be named here.
        None if certificate.is_some() => {
            return Err("-backend-tls-cert without -backend-tls-cacert trusts all that the \
                        system trusts: give -backend-tls-cacert too, of the daemon's authority"
                .to_owned());
        }
        None => None,
    };
    Ok(Upstream { address: address.map(str::to_owned), tls, ..Upstream::default() })
}

/// A certificate and its key.
fn pair(given: &Given, certificate: &str, key: &str) -> Result<Option<(PathBuf, PathBuf)>, String> {
    match (given.one(certificate), given.one(key)) {
        (Some(certificate), Some(key)) => Ok(Some((certificate.into(), key.into()))),
        (None, None) => Ok(None),
        _ => Err(format!("-{certificate} and -{key} want one another")),
    }
}

fn listen(given: &Given, config: &mut Config, notes: &mut Vec<String>) -> Result<(), String> {
    let client_ca = given.one("frontend-tls-cacert").map(PathBuf::from);
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
    let mut addresses: Vec<_> = given.all("frontend-addr").collect();
    if addresses.is_empty() {
        addresses.push("tcp://127.0.0.1:2375");
    }
    for (at, address) in addresses.iter().enumerate() {
        let parsed: Address =
            address.parse().map_err(|bad| format!("-frontend-addr: {address:?} {bad}"))?;
        let name = if at == 0 { LISTENER.to_owned() } else { format!("{LISTENER}-{}", at + 1) };
        let is_socket = matches!(parsed, Address::Unix(_));
        if is_socket && tls.is_some() {
            notes.push(format!(
                "{address} is without TLS here, and asks for no certificates: its owner alone may \
                 use it."
            ));
        }
        let tls = tls.clone().filter(|_| !is_socket);
        // There it is whoever started it that may connect.
        let mode = is_socket.then(|| "0600".to_owned());
        let listener = Listener { address: parsed.to_string(), tls, mode, ..Listener::default() };
        config.listeners.insert(name, listener);
    }
    Ok(())
}

/// The rule of a line `METHOD[,METHOD…] PATTERN`; none of a line that is empty or begins with `!`.
fn of_a_line(line: &str, notes: &mut Vec<String>) -> Result<Option<Value>, String> {
    let line = line.trim_matches([' ', '\t', '\r']);
    if line.is_empty() || line.starts_with('!') {
        return Ok(None);
    }
    let is_method =
        |method: &str| !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase());
    let (methods, pattern) = line
        .split_once([' ', '\t'])
        .filter(|(methods, _)| methods.split(',').all(is_method))
        .ok_or_else(|| format!("{line:?} is no rule: write METHOD[,METHOD…] PATTERN"))?;
    let (known, others): (Vec<_>, Vec<_>) =
        methods.split(',').partition(|method| METHODS.contains(method));
    for other in others {
        notes.push(format!("{other} is never passed on: no daemon answers it."));
    }
    let pattern = expanded(pattern.trim_start_matches([' ', '\t']))?;
    let has_methods = !known.is_empty();
    let expression = expression::of_whole_path(&pattern)?;
    Ok(has_methods.then(|| rule(&known, &[expression])))
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
    let known = MACROS.map(|(known, _)| known);
    Err(format!("there is no %{name}%: {}", cure_of_name(name, &known)))
}

/// A level of the log, from 0, which is nothing, to 7.
fn level(written: &str) -> Result<String, String> {
    let level = match written {
        "0" | "1" | "2" | "3" => "err",
        "4" => "warning",
        "5" => "notice",
        "6" => "info",
        "7" => "debug",
        _ => return Err(format!("-log-level: {written:?} is no number from 0 to 7")),
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
        // That proxy has names of its own like this one, which change with its versions.
        assert!(expanded("%_ID%").unwrap_err().starts_with("there is no %_ID%: "));
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
        let mut notes = Vec::new();
        let mut rule = |line| of_a_line(line, &mut notes);
        assert_eq!(rule("  ! a comment"), Ok(None));
        assert_eq!(rule("\t"), Ok(None));
        assert_eq!(rule("TRACE /x"), Ok(None));
        let read = rule("  GET,HEAD \t /x|/y  ").unwrap().unwrap();
        assert_eq!(read["methods"], serde_json::json!(["GET", "HEAD"]));
        assert_eq!(read["paths-with-version"][0], "(?s:.*)(?:^/x|/y$)(?s:.*)");
        for bad in ["GET", "get /x", "GET,/x", "GET, HEAD /x", "/x"] {
            assert!(rule(bad).unwrap_err().ends_with("write METHOD[,METHOD…] PATTERN"), "{bad}");
        }
        assert_eq!(notes, ["TRACE is never passed on: no daemon answers it."]);
    }
}
