//! What a person may configure.

use std::collections::BTreeMap;

use dockgate_plugin::{labels::Selector, schemars::JsonSchema};
use serde::Deserialize;

/// Whose things a client may see and touch.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(crate = "dockgate_plugin::schemars")]
pub struct Settings {
    /// The labels that make the scope: `key`, or `key=value`.
    #[schemars(length(min = 1))]
    pub labels: Vec<Selector>,
    /// How many of the labels a thing must carry.
    #[serde(default, rename = "match")]
    pub match_: Match,
    /// What a client is told of a thing that is not in scope.
    #[serde(default)]
    pub out_of_scope: OutOfScope,
    /// How far images are scoped.
    #[serde(default)]
    pub images: Images,
    /// Whether what is in scope is also allowed, so that no other plugin has to. Without it this
    /// plugin only takes away.
    #[serde(default)]
    pub allow: bool,
}

/// How many of the labels a thing must carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(crate = "dockgate_plugin::schemars")]
pub enum Match {
    /// All of them.
    #[default]
    All,
    /// One of them.
    Any,
}

/// What a client is told of a thing that is not in scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(crate = "dockgate_plugin::schemars")]
pub enum OutOfScope {
    /// That there is no such thing: a 404 in Docker's own words.
    #[default]
    Hide,
    /// That it is not in scope: a 403 that names the labels.
    Refuse,
}

/// How far images are scoped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(crate = "dockgate_plugin::schemars")]
pub enum Images {
    /// Every image may be listed, inspected, saved, pulled and run, since images are shared. To
    /// delete, tag or push one takes the labels.
    #[default]
    Read,
    /// Images are scoped as everything else. Building is then refused: what a Dockerfile takes from
    /// other images can't be seen.
    Labelled,
}

/// The names that events of containers and images have beside the labels, without telling them
/// apart (moby, `daemon/events.go` and its callers).
const IN_EVENTS: [&str; 17] = [
    "comment",
    "container",
    "destination",
    "driver",
    "execDuration",
    "execID",
    "exitCode",
    "height",
    "image",
    "name",
    "oldName",
    "propagation",
    "read/write",
    "replacement",
    "signal",
    "type",
    "width",
];

/// What is wrong with settings, each with a JSON pointer to it.
pub(crate) fn faults(settings: &Settings) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    if settings.labels.is_empty() {
        faults.push(("/labels".to_owned(), "name at least one label".to_owned()));
    }
    let mut values = BTreeMap::new();
    for (at, selector) in settings.labels.iter().enumerate() {
        let key = selector.key();
        let subject = format!("/labels/{at}");
        if key.is_empty() {
            faults.push((subject, "a label has a key: write key or key=value".to_owned()));
        } else if IN_EVENTS.contains(&key) {
            let words = format!(
                "events have something else that is called {key:?}: choose a longer key, such as \
                 com.example.{key}"
            );
            faults.push((subject, words));
        } else if let Some(value) = selector.value()
            && let Some(other) = values.insert(key, value)
            && other != value
            && settings.match_ == Match::All
        {
            let words = format!(
                "nothing carries both {key}={other} and {key}={value}: set match to \"any\""
            );
            faults.push((subject, words));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(labels: &[&str], match_: Match) -> Vec<String> {
        let selector = |text: &&str| {
            let Ok(selector) = text.parse();
            selector
        };
        let settings = Settings {
            labels: labels.iter().map(selector).collect(),
            match_,
            out_of_scope: OutOfScope::Hide,
            images: Images::Read,
            allow: false,
        };
        faults(&settings)
            .into_iter()
            .map(|(subject, words)| format!("{subject}: {words}"))
            .collect()
    }

    #[test]
    fn labels_that_make_a_scope_are_taken() {
        assert!(faults_of(&["team=blue"], Match::All).is_empty());
        assert!(faults_of(&["team=blue", "app"], Match::All).is_empty());
        assert!(faults_of(&["team", "team=blue"], Match::All).is_empty());
        assert!(faults_of(&["team=blue", "team=red"], Match::Any).is_empty());
    }

    #[test]
    fn no_label_would_be_no_scope() {
        assert_eq!(faults_of(&[], Match::All), ["/labels: name at least one label"]);
        assert!(faults_of(&["=blue"], Match::Any)[0].starts_with("/labels/0: a label has a key"));
    }

    #[test]
    fn one_key_can_not_have_two_values() {
        let faults = faults_of(&["team=blue", "team=red"], Match::All);
        assert!(faults[0].starts_with("/labels/1: nothing carries both"), "{faults:?}");
    }

    #[test]
    fn what_events_say_of_everything_is_no_label() {
        let faults = faults_of(&["name=web"], Match::All);
        assert!(faults[0].contains("com.example.name"), "{faults:?}");
    }
}
