//! Which repositories are meant.

use std::{borrow::Cow, fmt, str::FromStr};

use dockgate_plugin::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A repository with its registry, in which `*` stands for any part of one segment, and `**` for any
/// number of segments: `ghcr.io/acme/*`, `registry.example.com:5000/**`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Cow<'_, str>")]
pub struct Pattern(String);

impl Pattern {
    /// Whether a repository is meant, by its full name: `docker.io/library/nginx`.
    pub(crate) fn fits(&self, repository: &str) -> bool {
        fits(&self.0, repository)
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    let (after, within) = match after.strip_prefix('*') {
        Some(after) => (after, rest),
        None => (after, rest.split('/').next().unwrap_or_default()),
    };
    // Names of repositories are ASCII: see `Reference`.
    (0..=within.len()).any(|length| rest.get(length..).is_some_and(|rest| fits(after, rest)))
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (registry, repository) = text.split_once('/').unwrap_or((text, ""));
        let is_registry = registry == "localhost" || registry.contains(['.', ':', '*']);
        let has_repository = !repository.is_empty() || registry == "**";
        if !is_registry || !has_repository {
            let hint = "docker.io/library/nginx, ghcr.io/acme/*, registry.example.com/**";
            return Err(format!("`{text}` is no registry with a repository: write it as {hint}"));
        }
        if repository.contains([':', '@']) {
            return Err(format!("`{text}` must be a repository alone, without a tag or digest"));
        }
        if registry == "index.docker.io" || (registry == "docker.io" && is_one(repository)) {
            return Err(format!("`{text}` fits no image: Docker's own are docker.io/library/…"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// `nginx` or `*`, which take more than one segment to be on `docker.io`.
fn is_one(repository: &str) -> bool {
    !repository.contains('/') && !repository.contains("**")
}

impl TryFrom<Cow<'_, str>> for Pattern {
    type Error = String;

    fn try_from(text: Cow<'_, str>) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["ghcr.io/acme/*", "docker.io/library/*"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap_or_else(|words| panic!("{words}"))
    }

    #[test]
    fn one_star_is_one_segment_and_two_are_many() {
        for (text, name, expected) in [
            ("ghcr.io/acme/app", "ghcr.io/acme/app", true),
            ("ghcr.io/acme/app", "ghcr.io/acme/app2", false),
            ("ghcr.io/acme/*", "ghcr.io/acme/app", true),
            ("ghcr.io/acme/*", "ghcr.io/acme/a/b", false),
            ("ghcr.io/acme/**", "ghcr.io/acme/a/b", true),
            ("ghcr.io/**/app", "ghcr.io/a/b/app", true),
            ("ghcr.io/**/app", "ghcr.io/app", false),
            ("ghcr.io/acme/app-*", "ghcr.io/acme/app-web", true),
            ("*.example.com/**", "a.example.com/b", true),
            ("*.example.com/**", "evil.com/.example.com/b", false),
            ("**", "any.example/at/all", true),
        ] {
            assert_eq!(pattern(text).fits(name), expected, "{text} {name}");
        }
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        for (text, words) in [
            ("nginx", "no registry with a repository"),
            ("library/nginx", "no registry with a repository"),
            ("ghcr.io", "no registry with a repository"),
            ("", "no registry with a repository"),
            ("ghcr.io/acme/app:1.*", "without a tag or digest"),
            ("docker.io/nginx", "docker.io/library/"),
            ("docker.io/*", "docker.io/library/"),
            ("index.docker.io/library/*", "docker.io/library/"),
        ] {
            let refused = text.parse::<Pattern>().err();
            assert!(refused.as_ref().is_some_and(|w| w.contains(words)), "{text}: {refused:?}");
        }
    }
}
