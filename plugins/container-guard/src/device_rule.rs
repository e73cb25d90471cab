//! Rules of the kernel's device cgroup: `c 226:* rwm`.

use std::borrow::Cow;

use dockgate_plugin::schemars::{self, JsonSchema};
use serde::Deserialize;

/// Which devices may be used, and how: `c 226:* rwm`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Cow<'_, str>")]
#[schemars(with = "String", inline, example = &"c 226:* rwm")]
pub struct DeviceRule {
    kind: String,
    major: String,
    minor: String,
    access: String,
}

impl DeviceRule {
    /// Reads a rule. None where it is none, or says `a`, which is every device.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [kind @ ("b" | "c"), numbers, access] = words[..] else { return None };
        let (major, minor) = numbers.split_once(':')?;
        let is_number = |text: &str| {
            text == "*" || !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
        };
        let is_access = !access.is_empty() && access.chars().all(|c| "rwm".contains(c));
        (is_number(major) && is_number(minor) && is_access).then(|| Self {
            kind: kind.to_owned(),
            major: major.to_owned(),
            minor: minor.to_owned(),
            access: access.to_owned(),
        })
    }

    /// Whether it gives all that another one does.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let number = |own: &str, of_other: &str| own == "*" || own == of_other;
        self.kind == other.kind
            && number(&self.major, &other.major)
            && number(&self.minor, &other.minor)
            && other.access.chars().all(|c| self.access.contains(c))
    }
}

impl TryFrom<Cow<'_, str>> for DeviceRule {
    type Error = String;

    fn try_from(text: Cow<'_, str>) -> Result<Self, String> {
        Self::read(&text).ok_or_else(|| format!("`{text}` is no rule: write it as c 226:* rwm"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_covers_what_gives_no_more() {
        for (rule, other, covered) in [
            ("c 226:* rwm", "c 226:128 rwm", true),
            ("c 226:* rwm", "c  226:*   r", true),
            ("c 226:* rwm", "b 226:128 rwm", false),
            ("c 226:* rw", "c 226:1 rwm", false),
            ("c 226:1 rwm", "c 226:* rwm", false),
            ("c 1:3 rwm", "c 10:200 rwm", false),
        ] {
            let read = |text| DeviceRule::read(text);
            let is = read(rule).zip(read(other)).is_some_and(|(rule, other)| rule.covers(&other));
            assert_eq!(is, covered, "{rule} {other}");
        }
    }

    #[test]
    fn what_is_no_rule_is_covered_by_none() {
        for text in
            ["", "a", "a *:* rwm", "c 1 rwm", "c 1:3", "c 1:3 rwx", "c 1:3 rwm x", "c -1:3 r"]
        {
            assert_eq!(DeviceRule::read(text), None, "{text}");
        }
    }
}
