//! What it costs to have the policy loaded.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    policy::{Language, PYTHON, in_each_language},
    proxy::Proxy,
};

/// How much of the proxy's memory is its own with the policy in the larger language, in bytes.
const BOUND: u64 = 16_000_000;

fn start(language: &Language) -> Proxy {
    let settings = json!({ "registries": ["ghcr.io/acme"] });
    language.behind_open_flags(&settings).arguments(&["--workers", "2"]).start()
}

#[test]
fn the_proxy_stays_small() {
    in_each_language(|language| {
        let proxy = start(language);
        is_small(&proxy, language);
        for _ in 0..20 {
            let mut client = proxy.connect();
            for _ in 0..10 {
                let answer = client.post("/containers/create", r#"{"Image":"ghcr.io/acme/web:1"}"#);
                assert_eq!(answer.status, 200, "{answer:?}");
            }
        }
        is_small(&proxy, language);
    });
}

/// More answers than an instance gives before it is renewed, all from one.
#[test]
fn an_instance_of_the_larger_language_does_not_grow() {
    if PYTHON.plugin().is_none() {
        return;
    }
    let settings = json!({ "registries": ["ghcr.io/acme"] });
    let scene = PYTHON.behind_open_flags(&settings).arguments(&["--workers", "1"]);
    let proxy = scene.arguments(&["--plugin-memory", "our-images=16"]).start();
    let mut client = proxy.connect();
    for asked in 0..2_000 {
        let answer = client.post("/containers/create", r#"{"Image":"nginx"}"#);
        assert!(answer.message().contains("is not from a registry of ours"), "{asked}: {answer:?}");
    }
}

/// The plugin's code is mapped from the cache, as the program's own is from its file: what is in memory
/// of it belongs to the file, and the system takes it back when it likes. What was changed of it
/// belongs to the proxy. How much of its file a program for tests has in memory says nothing of others.
fn is_small(proxy: &Proxy, language: &Language) {
    let mappings = proxy.mappings();
    let of_the_cache = |name: &str| Path::new(name).extension() == Some("cwasm".as_ref());
    assert!(mappings.iter().any(|mapping| of_the_cache(&mapping.name)), "{}", language.name);
    let is_program = |name: &str| name == env!("CARGO_BIN_EXE_dockgate");
    let own = |mapping: &Mapping| {
        let of_a_file = of_the_cache(&mapping.name) || is_program(&mapping.name);
        if of_a_file { mapping.changed } else { mapping.resident }
    };
    let own: u64 = mappings.iter().map(own).sum();
    assert!(own < BOUND, "{}: {own} bytes", language.name);
}

/// A part of a process's memory.
struct Mapping {
    /// The file that it is of, or nothing.
    name: String,
    /// How much of it is in memory, in bytes.
    resident: u64,
    /// How much of that is not as the file has it.
    changed: u64,
}

impl Proxy {
    /// Its memory (`proc_pid_smaps(5)`).
    fn mappings(&self) -> Vec<Mapping> {
        let smaps = fs::read_to_string(format!("/proc/{}/smaps", self.id())).unwrap();
        let mut mappings: Vec<Mapping> = Vec::new();
        for line in smaps.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let bytes = || words[1].parse::<u64>().unwrap() * 1024;
            match (words[0], mappings.last_mut()) {
                ("Rss:", Some(mapping)) => mapping.resident = bytes(),
                ("Anonymous:", Some(mapping)) => mapping.changed = bytes(),
                (field, _) if field.ends_with(':') => {}
                _ => {
                    let name = words.get(5).copied().unwrap_or_default().to_owned();
                    mappings.push(Mapping { name, resident: 0, changed: 0 });
                }
            }
        }
        mappings
    }
}
