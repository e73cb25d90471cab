//! Tools, and what they need of the API: files in `tools/`, one for each.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    config::{Chain, Config, Format, Listener, Plugin, Upstream, read_text},
    listener::Address,
};

/// Names of tools, and their files.
const TOOLS: [(&str, &str); 16] = [
    ("act", include_str!("tools/act.yaml")),
    ("autoheal", include_str!("tools/autoheal.yaml")),
    ("beszel", include_str!("tools/beszel.yaml")),
    ("cadvisor", include_str!("tools/cadvisor.yaml")),
    ("cis", include_str!("tools/cis.yaml")),
    ("devcontainers", include_str!("tools/devcontainers.yaml")),
    ("diun", include_str!("tools/diun.yaml")),
    ("dozzle", include_str!("tools/dozzle.yaml")),
    ("gitlab-runner", include_str!("tools/gitlab-runner.yaml")),
    ("homepage", include_str!("tools/homepage.yaml")),
    ("portainer", include_str!("tools/portainer.yaml")),
    ("prometheus", include_str!("tools/prometheus.yaml")),
    ("read-only", include_str!("tools/read-only.yaml")),
    ("testcontainers", include_str!("tools/testcontainers.yaml")),
    ("traefik", include_str!("tools/traefik.yaml")),
    ("watchtower", include_str!("tools/watchtower.yaml")),
];

/// What a tool needs.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What it is called.
    pub title: String,
    /// What it does with Docker, in a few words.
    pub about: String,
    /// Rules of the plugin `rules` that come before what is allowed.
    #[serde(default)]
    rules: Vec<Map<String, Value>>,
    /// The operations that it needs, as the plugin `rules` takes them.
    pub allow: Vec<String>,
    /// Settings of `container-guard`, for a tool that makes things.
    pub guard: Option<Map<String, Value>>,
    /// What a person should know, a sentence or two each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What it asks for, each with where that is written.
    pub calls: Vec<Call>,
    /// What it is not to be given.
    pub refused: Vec<Call>,
}

/// A request.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The request line: `GET /v1.41/containers/json?all=1`.
    pub request: String,
    /// Its JSON body.
    pub body: Option<Value>,
    /// Where it is written that the tool asks this.
    pub source: Option<String>,
}

impl Format for Preset {
    const NAME: &str = "tool.yaml";
}

/// The tools that there are, in order of their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|(name, _)| *name)
}

/// What a tool needs; `None` where there is no such tool.
///
/// # Panics
/// Never: a test reads each of them.
pub fn find(name: &str) -> Option<Preset> {
    let (name, text) = TOOLS.iter().find(|(known, _)| *known == name)?;
    let read = read_text::<Preset>(name, text.as_bytes(), &|_| Err(std::env::VarError::NotPresent));
    debug_assert!(read.problems.all().is_empty(), "{name}: {}", read.problems.first());
    read.content
}

/// A tool that a configuration is for, and where it comes in.
pub struct Client {
    /// Its name.
    pub name: &'static str,
    /// What it needs.
    pub preset: Preset,
    /// Where it is to ask.
    pub address: Address,
}

/// The smallest configuration for some tools. Each has a listener, a chain and plugins of its own; those
/// that make things may mount these folders of the host.
pub fn config(clients: &[Client], upstream: Option<String>, folders: &[String]) -> Config {
    let upstream = Upstream { address: upstream, ..Upstream::default() };
    let mut config = Config { upstream, ..Config::default() };
    for Client { name, preset, address } in clients {
        let name = (*name).to_owned();
        let listener = Listener { address: address.to_string(), ..Listener::default() };
        config.listeners.insert(name.clone(), listener);
        let mut plugins = vec![name.clone()];
        config.plugins.insert(name.clone(), Plugin::bundled("rules", preset.rules()));
        if let Some(guard) = &preset.guard {
            let mut settings = guard.clone();
            if !folders.is_empty() {
                settings.insert("bind-mounts".to_owned(), json!(folders));
            }
            let guard = format!("{name}-guard");
            config.plugins.insert(guard.clone(), Plugin::bundled("container-guard", settings));
            plugins.push(guard);
        }
        let listeners = Some(vec![name.clone()]);
        config.chains.push(Chain { name, listeners, plugins, ..Chain::default() });
    }
    config
}

impl Preset {
    /// Settings of the plugin `rules`.
    fn rules(&self) -> Map<String, Value> {
        let before = self.rules.iter().cloned().map(Value::Object);
        let rules = before.chain([json!({ "allow": self.allow })]).collect();
        // So that a refusal says which operation to add.
        let otherwise = ("otherwise".to_owned(), "deny".into());
        Map::from_iter([("rules".to_owned(), Value::Array(rules)), otherwise])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_can_be_read_and_says_where_its_calls_are_from() {
        for name in names() {
            let preset = find(name).unwrap();
            for call in &preset.calls {
                assert!(call.source.is_some(), "{name}: {}", call.request);
            }
            assert!(!preset.calls.is_empty() && !preset.refused.is_empty(), "{name}");
        }
        assert!(find("nobody").is_none());
    }

    #[test]
    fn names_are_in_order() {
        let names: Vec<_> = names().collect();
        assert!(names.is_sorted());
    }
}
