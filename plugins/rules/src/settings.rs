//! What a person may configure.

use dockgate_plugin::schemars::{self, JsonSchema};
use serde::Deserialize;

/// Rules, of which the first that is for a request decides.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The rules, in order.
    #[schemars(length(min = 1))]
    pub rules: Vec<WrittenRule>,
    /// What becomes of a request that no rule is for.
    #[serde(default)]
    pub otherwise: Otherwise,
}

/// What becomes of a request that no rule is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// It is left to the other plugins of the chain. Where none allows it, it is refused.
    #[default]
    Abstain,
    /// It is refused, whatever other plugins say.
    Deny,
}

/// One rule, as it is written: `allow` or `deny`, one of the two, and what else must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct WrittenRule {
    /// The operations that it allows, by their names: `container-list`, `container-*`,
    /// `{image,volume}-list`. `*` is all, with `unknown`, which no route of the API matches.
    #[schemars(length(min = 1))]
    pub allow: Option<Vec<String>>,
    /// The operations that it denies, in the same way.
    #[schemars(length(min = 1))]
    pub deny: Option<Vec<String>>,
    /// The methods that it is for, in upper case; all if not said.
    #[schemars(length(min = 1))]
    pub methods: Option<Vec<String>>,
    /// Regular expressions, one of which must match all of the path, which has no version:
    /// `/containers/web-.*/start`.
    #[schemars(length(min = 1))]
    pub paths: Option<Vec<String>>,
    /// The same for the path with the version that the client wrote, if it wrote one:
    /// `(/v1\..{1,2})?/containers/json`.
    #[schemars(length(min = 1))]
    pub paths_with_version: Option<Vec<String>>,
    /// A condition in CEL, which must hold: `query.name.startsWith("ci-")`.
    pub when: Option<String>,
    /// Why it denies, for the person at the client.
    pub reason: Option<String>,
    /// What that person can do about it.
    pub hint: Option<String>,
}
