//! What a person may configure.

use dockgate_plugin::schemars::{self, JsonSchema};
use serde::Deserialize;

/// What clients don't see. Without settings that is each variable's value, labels that are named like
/// secrets, options of drivers, where on the host a mount comes from, and what the host is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// What stands in the place of a value that is hidden: letters, digits and `-_.*<>[]`.
    #[schemars(length(min = 1, max = 64))]
    pub mask: String,
    /// Variables of the environment, of containers, services, images and plugins. Usually all but
    /// `PATH` are hidden.
    pub environment: Patterns,
    /// Labels of everything that has some, and the attributes of events in which they stand. Usually
    /// those that sound like secrets are hidden.
    pub labels: Patterns,
    /// Options of the drivers of volumes, networks and logs: a share's password is one. Usually all
    /// are hidden but `type`, `max-size`, `max-file` and those of Docker's own networks.
    pub options: Patterns,
    /// Where on the host mounts, devices, logs and layers are.
    pub mounts: Mounts,
    /// The host: its name, kernel, addresses, proxies and registries.
    pub host: Shown,
    /// Command lines, health checks and what they print.
    pub commands: Shown,
    /// Tokens to join a swarm, the key that unlocks it, and the data of configs.
    pub swarm: Shown,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mask: "redacted".to_owned(),
            environment: Patterns::default(),
            labels: Patterns::default(),
            options: Patterns::default(),
            mounts: Mounts::default(),
            host: Shown::Hide,
            commands: Shown::Show,
            swarm: Shown::Hide,
        }
    }
}

/// What becomes of a value that is hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Its name stays, and the mask takes its place.
    #[default]
    Mask,
    /// Its name goes too.
    Remove,
}

/// Whether something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// The mask takes its place; what is no text is left out.
    Hide,
    /// It is as the daemon has it.
    Show,
}

/// What becomes of the host's side of a mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mounts {
    /// The mask takes the place of the path. Names of volumes stay.
    #[default]
    Mask,
    /// A mount of a path goes whole, and so do the other paths.
    Remove,
    /// It is as the daemon has it.
    Show,
}

/// Names whose values are hidden.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Patterns {
    /// Names that are hidden, `*` for any text, without regard to case. Without it, the usual ones.
    pub hide: Option<Vec<String>>,
    /// Names that are shown although they are among them. Without it, the usual ones.
    pub show: Option<Vec<String>>,
    /// What becomes of them.
    pub how: How,
}

/// The places of patterns that nothing would fit, or something else than meant.
pub(crate) fn no_patterns(settings: &Settings) -> Vec<String> {
    let groups = [
        ("environment", &settings.environment),
        ("labels", &settings.labels),
        ("options", &settings.options),
    ];
    let lists = groups.into_iter().flat_map(|(group, patterns)| {
        [(group, "hide", &patterns.hide), (group, "show", &patterns.show)]
    });
    let mut places = Vec::new();
    for (group, list, patterns) in lists {
        for (at, pattern) in patterns.iter().flatten().enumerate() {
            if pattern.is_empty() || pattern.contains(['?', '[', ']', '{', '}', '!', '\\']) {
                places.push(format!("/{group}/{list}/{at}"));
            }
        }
    }
    places
}

/// The names that are hidden and those that are shown, where nobody says.
pub(crate) struct Usual {
    pub(crate) hide: &'static [&'static str],
    pub(crate) show: &'static [&'static str],
}

pub(crate) const VARIABLES: Usual = Usual { hide: &["*"], show: &["PATH"] };

/// What sounds like a secret.
pub(crate) const LABELS: Usual = Usual {
    hide: &[
        "*password*",
        "*passwd*",
        "*secret*",
        "*token*",
        "*credential*",
        "*basicauth*",
        "*digestauth*",
        "*apikey*",
        "*api-key*",
        "*api_key*",
        "*privatekey*",
        "*private-key*",
        "*private_key*",
    ],
    show: &[],
};

pub(crate) const OPTIONS: Usual =
    Usual { hide: &["*"], show: &["type", "max-size", "max-file", "com.docker.network.*"] };
