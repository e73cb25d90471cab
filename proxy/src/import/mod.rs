//! The options of other proxies, as a configuration that means the same, as near as it comes.

pub mod cetusguard;
mod expression;
mod options;
pub mod wollomatic;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::config::{Chain, Config, Plugin, Pointer};

pub use options::{Variable, variables};

/// What came of another proxy's options.
#[derive(Debug, Default)]
pub struct Imported {
    /// The configuration.
    pub config: Config,
    /// What it does in another way, or not at all. A sentence each.
    pub notes: Vec<String>,
    /// Which option gave what of it, in words for a person.
    origins: Vec<(Pointer, String)>,
}

impl Imported {
    /// What gave a place of the configuration, or what it is in.
    pub fn origin(&self, place: &Pointer) -> Option<&str> {
        let around = self.origins.iter().filter(|(outer, _)| place.is_in(outer));
        let nearest = around.max_by_key(|(outer, _)| outer.as_str().len());
        nearest.map(|(_, origin)| origin.as_str())
    }

    /// Remembers what gave the place at these steps.
    fn came_of<'a>(&mut self, steps: impl IntoIterator<Item = &'a str>, origin: &str) {
        let place = steps.into_iter().fold(Pointer::root(), |place, step| place.then(step));
        self.origins.push((place, origin.to_owned()));
    }

    /// The one chain that comes of an import, with rules. Where there are none, it allows nothing.
    fn chain(&mut self, rules: &Rules) -> Chain {
        let mut chain = Chain { name: "all".to_owned(), ..Chain::default() };
        if rules.by_methods.is_empty() {
            let words = "No request is allowed by these options, and none is by this file.";
            self.notes.push(words.to_owned());
            return chain;
        }
        let place = ["plugins", "rules", "settings", "rules"];
        self.came_of(place[..2].iter().copied(), "the rules");
        for (at, rule) in rules.by_methods.iter().enumerate() {
            for (nth, (_, origin)) in rule.expressions.iter().enumerate() {
                let steps = [at.to_string(), EXPRESSIONS.to_owned(), nth.to_string()];
                self.came_of(place.into_iter().chain(steps.iter().map(String::as_str)), origin);
            }
        }
        let written = rules.by_methods.iter().map(Rule::written).collect();
        let settings = Map::from_iter([("rules".to_owned(), Value::Array(written))]);
        self.config.plugins.insert("rules".to_owned(), Plugin::bundled("rules", settings));
        chain.plugins.push("rules".to_owned());
        chain
    }
}

/// Methods by which a rule can tell requests apart.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The setting with a rule's expressions.
const EXPRESSIONS: &str = "paths-with-version";

/// The one listener, where there is no more than one.
const LISTENER: &str = "proxy";

/// What is allowed: a rule for all expressions that are for the same methods.
#[derive(Default)]
struct Rules {
    by_methods: Vec<Rule>,
    known: HashSet<(Vec<&'static str>, String)>,
}

/// A rule that allows what has one of these methods, and a path that one of these expressions matches.
struct Rule {
    methods: Vec<&'static str>,
    /// Each with what gave it.
    expressions: Vec<(String, String)>,
}

impl Rules {
    fn allow(&mut self, methods: Vec<&'static str>, expression: String, origin: &str) {
        if methods.is_empty() || !self.known.insert((methods.clone(), expression.clone())) {
            return;
        }
        let expression = (expression, origin.to_owned());
        match self.by_methods.iter_mut().find(|rule| rule.methods == methods) {
            Some(rule) => rule.expressions.push(expression),
            None => self.by_methods.push(Rule { methods, expressions: vec![expression] }),
        }
    }
}

impl Rule {
    fn written(&self) -> Value {
        let expressions: Vec<_> = self.expressions.iter().map(|(text, _)| text).collect();
        json!({ "allow": ["*"], "methods": self.methods, EXPRESSIONS: expressions })
    }
}
