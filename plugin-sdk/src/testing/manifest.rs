//! `manifest.json`, beside `Cargo.toml`.

use std::{env, fs, path::Path};

use serde::Deserialize;

use crate::{Content, Json, Operation, Policy, Request, host::as_json};

/// What [`manifest_test!`](crate::manifest_test) does, for the crate in this folder.
///
/// # Panics
/// Where the manifest can't be read, or has another schema.
pub fn check_manifest<P: Policy>(folder: impl AsRef<Path>) {
    let path = folder.as_ref().join("manifest.json");
    let mut manifest = read(&path);
    Interests::of(&manifest);
    let schema = as_json(&schemars::schema_for!(P::Settings));
    if manifest.get("settings") == Some(&schema) {
        return;
    }
    let path = path.display();
    assert!(
        env::var_os("DOCKGATE_BLESS").is_some(),
        "{path} has another schema of the settings than their type: run with DOCKGATE_BLESS=1"
    );
    manifest.set("settings", schema);
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
    fs::write(folder.as_ref().join("manifest.json"), text)
        .unwrap_or_else(|error| panic!("{path}: {error}"));
}

pub(super) fn read(path: &Path) -> Json {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Json::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What of a manifest says which bodies a plugin is shown.
#[derive(Deserialize)]
pub(super) struct Interests {
    #[serde(default)]
    grants: Vec<String>,
    #[serde(default)]
    interests: Vec<Interest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Interest {
    operations: Vec<String>,
    #[serde(default)]
    request_body: bool,
    #[serde(default)]
    #[allow(dead_code, reason = "read to see that nothing is misspelt")]
    response: Option<String>,
    #[serde(default)]
    #[allow(dead_code, reason = "read to see that nothing is misspelt")]
    items: bool,
}

impl Interests {
    pub(super) fn of(manifest: &Json) -> Self {
        serde_json::from_value(manifest.clone().into())
            .unwrap_or_else(|error| panic!("the manifest: {error}"))
    }

    /// The request as a plugin with this manifest sees it.
    pub(super) fn show(&self, mut request: Request) -> Request {
        let operation = request.operation();
        if !self.interests.iter().any(|i| i.request_body && i.names(operation)) {
            request.host.content = Content::NotAskedFor;
        }
        if !self.grants.iter().any(|grant| grant == "clock") {
            request.host.time = None;
        }
        if !self.grants.iter().any(|grant| grant == "look-ups") {
            request.host.found.clear();
        }
        request
    }
}

impl Interest {
    fn names(&self, operation: Operation) -> bool {
        self.operations.iter().any(|glob| glob_fits(glob, operation.name()))
    }
}

/// Whether a name is what a pattern means in which `*` stands for anything.
fn glob_fits(glob: &str, name: &str) -> bool {
    match glob.split_once('*') {
        None => glob == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|rest| glob_fits(after, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (glob, name, fits) in [
            ("container-create", "container-create", true),
            ("container-create", "container-created", false),
            ("*-list", "container-list", true),
            ("*-list", "container-lists", false),
            ("container-*", "container-", true),
            ("*", "anything", true),
            ("*-*-put", "container-archive-put", true),
        ] {
            assert_eq!(glob_fits(glob, name), fits, "{glob} {name}");
        }
    }
}
