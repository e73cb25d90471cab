//! The verdicts of a real HAProxy, as data, and those of this plugin.
//!
//! `tests/conformance/README.md` says where they come from.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::Path};

use dockgate_plugin::{Denial, Policy, Request, Setup, Verdict};
use dockgate_plugin_tecnativa::{DialectSetting, Settings, Tecnativa};
use serde::Deserialize;

type Environment = BTreeMap<String, String>;

#[test]
fn tecnativas_verdicts_are_those_of_haproxy() {
    Recording::read("tecnativa.jsonl").compare(DialectSetting::Tecnativa);
}

#[test]
fn linuxservers_verdicts_are_those_of_haproxy() {
    Recording::read("linuxserver.jsonl").compare(DialectSetting::LinuxServer);
}

#[test]
fn single_verdicts_are_those_of_haproxy() {
    let mut compared = 0;
    for vector in lines("peer_vectors.jsonl").iter().map(|line| parse::<Vector>(line)) {
        if !is_canonical(&vector.path) {
            continue;
        }
        // Null is a variable that is taken out of the image, defaults and all.
        let environment = vector
            .config
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().unwrap_or_default()))
            .collect();
        let dialect = match vector.peer.as_str() {
            "tecnativa" => DialectSetting::Tecnativa,
            "linuxserver" => DialectSetting::LinuxServer,
            peer => panic!("nobody knows {peer}"),
        };
        let expected = vector.expect == "allow";
        let allowed = allows(&policy(dialect, &environment), &vector.method, &vector.path);
        assert_eq!(allowed, expected, "{} {} {environment:?}", vector.method, vector.path);
        compared += 1;
    }
    assert!(compared > 650, "only {compared} verdicts were compared");
}

/// With the flags that a refusal names the request is let through, and with any of them left out it
/// is not: hints are neither wrong nor do they ask for too much.
#[test]
fn hints_name_what_is_missing_and_no_more() {
    let recordings = [
        (DialectSetting::Tecnativa, Recording::read("tecnativa.jsonl")),
        (DialectSetting::LinuxServer, Recording::read("linuxserver.jsonl")),
    ];
    let environments = ["", "POST", "CONTAINERS", "POST CONTAINERS", "ALLOW_RESTARTS ALLOW_LOGS"];
    for (dialect, recording) in recordings {
        let everything = recording.every_flag();
        for environment in environments {
            let environment = switched_on(environment.split_whitespace());
            for (method, path) in &recording.head.requests {
                let Verdict::Deny(denial) = decide(&policy(dialect, &environment), method, path)
                else {
                    continue;
                };
                let context = format!("{method} {path} {environment:?}: {denial:?}");
                let allowed_with =
                    |environment| allows(&policy(dialect, &environment), method, path);
                if denial.code == "no-such-section" {
                    assert!(!allowed_with(everything.clone()), "{context}");
                    continue;
                }
                let missing = named_flags(&denial);
                assert!(!missing.is_empty(), "{context}");
                let with = |flags: &[&str]| {
                    let mut with = environment.clone();
                    with.extend(switched_on(flags.iter().copied()));
                    with
                };
                assert!(allowed_with(with(&missing)), "{context}");
                for left_out in &missing {
                    let rest: Vec<&str> =
                        missing.iter().copied().filter(|flag| flag != left_out).collect();
                    assert!(!allowed_with(with(&rest)), "{left_out} is too much for {context}");
                }
            }
        }
    }
}

/// The requests of one dialect, and for each of many environments the verdicts on all of them.
struct Recording {
    head: Head,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Head {
    requests: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Row {
    env: Environment,
    /// A letter for each request: `a` for allowed, `d` for denied.
    verdicts: String,
}

/// One verdict.
#[derive(Deserialize)]
struct Vector {
    peer: String,
    config: BTreeMap<String, Option<String>>,
    method: String,
    path: String,
    expect: String,
}

impl Recording {
    fn read(file: &str) -> Self {
        let lines = lines(file);
        let (head, rows) = lines.split_first().unwrap();
        Self { head: parse(head), rows: rows.iter().map(|row| parse(row)).collect() }
    }

    fn compare(&self, dialect: DialectSetting) {
        let mut differences = Vec::new();
        let mut compared = 0;
        for row in &self.rows {
            let policy = policy(dialect, &row.env);
            assert_eq!(row.verdicts.len(), self.head.requests.len());
            for ((method, path), verdict) in self.head.requests.iter().zip(row.verdicts.chars()) {
                let expected = match verdict {
                    'a' => true,
                    'd' => false,
                    other => panic!("HAProxy gave no verdict but {other} on {method} {path}"),
                };
                if allows(&policy, method, path) != expected {
                    differences.push(format!("{verdict} {method} {path} {:?}", row.env));
                }
                compared += 1;
            }
        }
        assert!(compared > 190_000, "only {compared} verdicts were compared");
        let count = differences.len();
        differences.truncate(20);
        assert!(count == 0, "{count} differences, such as\n{}", differences.join("\n"));
    }

    fn every_flag(&self) -> Environment {
        let names = self.rows.iter().flat_map(|row| row.env.keys());
        switched_on(names.map(String::as_str).chain(["GRPC"]))
    }
}

fn policy(dialect: DialectSetting, environment: &Environment) -> Tecnativa {
    let setup = Setup::new(Settings { dialect });
    Tecnativa::set_up(&mut setup.with_environment(environment.clone()))
}

fn allows(policy: &Tecnativa, method: &str, path: &str) -> bool {
    decide(policy, method, path) == Verdict::Allow
}

fn decide(policy: &Tecnativa, method: &str, path: &str) -> Verdict {
    policy.decide(&Request::new(method, without_version(without_query(path))))
}

fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

/// What the proxy does to a path before it asks a plugin: the daemon's prefix `/v[0-9.]+` goes.
fn without_version(path: &str) -> &str {
    let stripped = || {
        let rest = path.strip_prefix("/v")?;
        let end = rest.find('/')?;
        let version = &rest[..end];
        let is_version =
            !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        is_version.then(|| &rest[end..])
    };
    stripped().unwrap_or(path)
}

/// Whether a path is in the form in which plugins are asked about it. The proxy decodes, cleans or
/// refuses all others; `/V1.41` is a version for HAProxy, and nothing for the daemon.
fn is_canonical(path: &str) -> bool {
    let path = without_query(path);
    path.starts_with('/')
        && !path.starts_with("/V")
        && !path.contains(['%', '#', ' '])
        && !path.contains("//")
        && !path.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn named_flags(denial: &Denial) -> Vec<&str> {
    let hint = denial.hint.as_deref().unwrap();
    let flags = hint.strip_prefix("set ").unwrap();
    flags.split([' ', ',']).filter_map(|word| word.strip_suffix("=1")).collect()
}

fn switched_on<'a>(names: impl IntoIterator<Item = &'a str>) -> Environment {
    names.into_iter().map(|name| (name.to_owned(), "1".to_owned())).collect()
}

fn lines(file: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    fs::read_to_string(folder.join(file)).unwrap().lines().map(str::to_owned).collect()
}

fn parse<'a, T: Deserialize<'a>>(line: &'a str) -> T {
    serde_json::from_str(line).unwrap()
}
