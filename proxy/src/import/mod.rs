//! The options of other proxies, as a configuration that means the same, as near as it comes.

pub mod cetusguard;
mod expression;
mod options;
pub mod wollomatic;

use serde_json::{Map, Value, json};

use crate::config::{Chain, Config, Plugin};

pub use options::variables;

/// What came of another proxy's options.
#[derive(Debug, PartialEq)]
pub struct Imported {
    /// The configuration.
    pub config: Config,
    /// What it does in another way, or not at all. A sentence each.
    pub notes: Vec<String>,
}

/// Methods by which a rule can tell requests apart.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The one listener, where there is no more than one.
const LISTENER: &str = "proxy";

/// A rule that allows what has one of these methods, and a path that one of these expressions matches.
fn rule(methods: &[&str], expressions: &[String]) -> Value {
    json!({ "allow": ["*"], "methods": methods, "paths-with-version": expressions })
}

/// The one chain that comes of an import, with rules. Where there are none, it allows nothing.
fn chain(config: &mut Config, rules: Vec<Value>, notes: &mut Vec<String>) -> Chain {
    let mut chain = Chain { name: "all".to_owned(), ..Chain::default() };
    if rules.is_empty() {
        notes.push("No request is allowed by these options, and none is by this file.".to_owned());
    } else {
        let settings = Map::from_iter([("rules".to_owned(), Value::Array(rules))]);
        config.plugins.insert("rules".to_owned(), Plugin::bundled("rules", settings));
        chain.plugins.push("rules".to_owned());
    }
    chain
}
