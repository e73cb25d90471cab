//! The flags, as the proxy itself tells them.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::page;
use crate::session::{Server, environment};

/// Whose flags are meant.
#[derive(Clone, Copy)]
pub enum Dialect {
    Tecnativa,
    LinuxServer,
}

/// A flag, in the words of the page: its name, its default, what it opens to GET and HEAD, and what
/// besides with `POST=1`.
pub type Row = [String; 4];

/// All flags of a dialect, the important ones first.
///
/// The proxy is started with no flag, with all but POST, and with all: it then says what is open.
pub fn rows(dialect: Dialect) -> Vec<Row> {
    let names = names();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let all_but_post: Vec<&str> = all.iter().copied().filter(|name| *name != "POST").collect();
    let default: BTreeMap<_, _> = opened(dialect, &[]).into_iter().collect();
    let read: BTreeMap<_, _> = opened(dialect, &all_but_post).into_iter().collect();
    let row = |(name, opens): (String, String)| {
        let on = if default.contains_key(&name) { "1" } else { "0" };
        let reads = read.get(&name).map_or("", String::as_str);
        let writes = opens.strip_prefix(reads).unwrap().trim_start_matches("; ");
        let shown =
            |words: &str| if words.is_empty() { "–".to_owned() } else { words.to_owned() };
        [format!("`{name}`"), on.to_owned(), shown(reads), shown(writes)]
    };
    opened(dialect, &all).into_iter().map(row).collect()
}

/// What is open with these flags on, by their names.
fn opened(dialect: Dialect, on: &[&str]) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("dialect.json");
    let dialect = match dialect {
        Dialect::Tecnativa => "tecnativa",
        Dialect::LinuxServer => "linuxserver",
    };
    std::fs::write(&settings, format!("{{\"dialect\": \"{dialect}\"}}")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dockgate"));
    command.env_clear().envs(environment(folder.path())).envs(on.iter().map(|name| (name, "1")));
    command.args(["--demo", "--log-format", "json", "--plugin"]);
    command.arg(format!("bundled:tecnativa={}", settings.display()));
    let log = Server::start(command).log();
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let opened = events.filter_map(|event| {
        let name = event.get("permission")?.as_str()?.to_owned();
        let opens = event["message"].as_str()?.strip_prefix("open: ")?.to_owned();
        Some((name, opens))
    });
    opened.collect()
}

/// The variables that the plugin asks for.
fn names() -> Vec<String> {
    let manifest = page::file("plugins/tecnativa/manifest.json");
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    serde_json::from_value(manifest["environment"].clone()).unwrap()
}
