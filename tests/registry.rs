//! Plugins in a registry: Debian's `docker-registry`, on this machine alone, and the real binary.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "plugin_cli/command.rs"]
#[allow(dead_code, reason = "tests/plugin_cli.rs uses the rest")]
mod command;
#[path = "phases/component.rs"]
#[allow(dead_code, reason = "tests/plugin_cli.rs uses it")]
mod component;
#[path = "registry/credentials.rs"]
mod credentials;
#[path = "registry/daemon.rs"]
mod daemon;
#[path = "registry/exchange.rs"]
mod exchange;
#[path = "registry/secure.rs"]
mod secure;
#[path = "registry/tampered.rs"]
mod tampered;
#[path = "plugins/wat.rs"]
#[allow(dead_code, reason = "tests/plugins.rs uses the rest")]
mod wat;

use std::{path::Path, path::PathBuf};

use command::{Bench, Said};
use wat::Plugin;

/// A folder with a plugin in it, and nobody's credentials.
fn bench() -> Bench {
    let bench = Bench::new().plugin("policy", &policy("first"));
    let docker = bench.path().join("docker").display().to_string();
    // Whatever proxy there is elsewhere, this is here.
    bench.variable("DOCKER_CONFIG", &docker).variable("NO_PROXY", "127.0.0.1,127.0.0.2")
}

/// A plugin that can be told from others.
fn policy(description: &str) -> Plugin {
    Plugin::denying("no").with_manifest(&format!(
        r#"{{"name":"policy","version":"1.2.3","description":"{description}"}}"#
    ))
}

/// Pushes the plugin, and gives the reference with the digest.
#[track_caller]
fn push(bench: &Bench, reference: &str) -> String {
    let said = bench.does(&format!("push policy.wasm {reference}"));
    let pinned = said.out.trim().to_owned();
    assert!(pinned.starts_with(&format!("{reference}@sha256:")), "{said:?}");
    pinned
}

/// The same reference without its tag.
fn by_digest(pinned: &str) -> String {
    let (tagged, digest) = pinned.split_once('@').unwrap();
    format!("{}@{digest}", tagged.rsplit_once(':').unwrap().0)
}

/// What the proxy does at its start.
fn fetch(bench: &Bench, source: &str) -> Result<PathBuf, String> {
    dockgate::oci::fetch_by(Path::new(env!("CARGO_BIN_EXE_dockgate")), source, &bench.cache())
}

/// Pulls what can't be had, and gives what is said of that.
#[track_caller]
fn refused(bench: &Bench, reference: &str) -> String {
    let said = bench.run(&["pull", reference]);
    said.is(1);
    assert_eq!(said.out, "");
    let Said { words, .. } = said;
    assert!(words.starts_with(&format!("dockgate: {reference}: ")), "{words}");
    assert_eq!(kept(bench), Vec::<PathBuf>::new(), "nothing of it is kept");
    words
}

/// The components in the cache.
fn kept(bench: &Bench) -> Vec<PathBuf> {
    let Ok(files) = std::fs::read_dir(bench.cache().join("oci")) else { return Vec::new() };
    let files = files.map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_none_or(|end| end != "json" && end != "txt")).collect()
}
