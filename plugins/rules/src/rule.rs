//! One rule, ready to judge.

use std::{collections::BTreeSet, fmt::Write as _};

use dockgate_plugin::{Denial, Operation, Permission, Request};
use regex_lite::{Regex, RegexBuilder};

use crate::{
    condition::{Condition, Language, Outcome},
    facts::Facts,
    operations,
    settings::WrittenRule,
};

/// The methods that a request may have.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A regular expression of a megabyte when compiled is a slip, or meant to harm.
const LARGEST_EXPRESSION: usize = 1 << 20;

/// A rule: what it is for, and what it does.
pub(crate) struct Rule {
    /// Its place in the settings, from one.
    number: usize,
    action: Action,
    /// The operations as they are written.
    patterns: String,
    operations: BTreeSet<Operation>,
    methods: Option<Vec<&'static str>>,
    paths: Option<Vec<Regex>>,
    paths_with_version: Option<Vec<Regex>>,
    when: Option<Condition>,
}

/// What a rule does with what it is for.
enum Action {
    Allow,
    Deny { reason: Option<String>, hint: Option<String> },
}

/// What a rule says of a request.
pub(crate) enum Judgement {
    /// It is for others.
    Passes,
    /// It allows it.
    Allows,
    /// It denies it.
    Denies(Denial),
    /// It might have allowed it, had its condition made sense. In words.
    Unclear(String),
}

impl Rule {
    /// Makes one of what is written, with its place from one.
    ///
    /// # Errors
    /// All that is wrong with it, each with a JSON pointer from the rule on.
    pub(crate) fn new(
        number: usize,
        written: &WrittenRule,
        language: &Language,
    ) -> Result<Self, Vec<(String, String)>> {
        let mut faults = Faults::default();
        let allowed = faults.each("allow", written.allow.as_deref(), operations::named);
        let denied = faults.each("deny", written.deny.as_deref(), operations::named);
        let methods = faults.each("methods", written.methods.as_deref(), method);
        let paths = faults.each("paths", written.paths.as_deref(), whole);
        let with_version = written.paths_with_version.as_deref();
        let paths_with_version = faults.each("paths-with-version", with_version, whole);
        let when = written.when.as_ref().and_then(|source| {
            language.compile(source).map_err(|words| faults.add("/when", words)).ok()
        });
        let (action, operations) = match (allowed, denied) {
            (Some(operations), None) => (Action::Allow, operations),
            (None, Some(operations)) => {
                let (reason, hint) = (written.reason.clone(), written.hint.clone());
                (Action::Deny { reason, hint }, operations)
            }
            (None, None) => {
                faults.add("", "it says neither allow nor deny".to_owned());
                return Err(faults.0);
            }
            (Some(_), Some(_)) => {
                faults.add("", "it says allow and deny: write two rules".to_owned());
                return Err(faults.0);
            }
        };
        if matches!(action, Action::Allow) && (written.reason.is_some() || written.hint.is_some()) {
            faults.add("", "reason and hint are for rules that deny".to_owned());
        }
        if !faults.0.is_empty() {
            return Err(faults.0);
        }
        let patterns = written.allow.iter().chain(&written.deny).flatten();
        let patterns = patterns.map(String::as_str).collect::<Vec<_>>().join(", ");
        let operations = operations.into_iter().flatten().collect();
        Ok(Self { number, action, patterns, operations, methods, paths, paths_with_version, when })
    }

    /// The operations that it is for.
    pub(crate) fn operations(&self) -> &BTreeSet<Operation> {
        &self.operations
    }

    /// Whether it is for each request of its operations.
    pub(crate) fn is_unconditional(&self) -> bool {
        self.methods.is_none()
            && self.paths.is_none()
            && self.paths_with_version.is_none()
            && self.when.is_none()
    }

    /// The rule in the table of what is open.
    pub(crate) fn overview(&self) -> Permission {
        let open = matches!(self.action, Action::Allow);
        let exposes = match (open, self.is_unconditional()) {
            (true, true) => "each request of these operations",
            (true, false) => "what meets its conditions",
            (false, true) => "nothing of these operations",
            (false, false) => "nothing that meets its conditions",
        };
        Permission {
            name: format!("rule {}", self.number),
            value: format!("{} {}", if open { "allow" } else { "deny" }, self.patterns),
            open,
            exposes: exposes.to_owned(),
        }
    }

    /// What it says of a request.
    ///
    /// A condition that can't be evaluated closes: a rule that allows then doesn't, and one that
    /// denies does.
    pub(crate) fn judge(&self, facts: &Facts<'_>) -> Judgement {
        let request = facts.request();
        if !self.is_for(request) {
            return Judgement::Passes;
        }
        let outcome = self.when.as_ref().map_or(Outcome::Holds, |when| when.judge(facts));
        match (&self.action, outcome) {
            (_, Outcome::Fails) => Judgement::Passes,
            (Action::Allow, Outcome::Holds) => Judgement::Allows,
            (Action::Allow, Outcome::Unclear(why)) => Judgement::Unclear(format!(
                "the condition of rule {} is unclear: {why}",
                self.number
            )),
            (Action::Deny { reason, hint }, outcome) => {
                let mut message = format!(
                    "{} is not allowed: rule {} denies it",
                    request.operation_name(),
                    self.number
                );
                if let Outcome::Unclear(why) = outcome {
                    let _ = write!(message, ", since its condition is unclear: {why}");
                }
                if let Some(reason) = reason {
                    let _ = write!(message, ": {reason}");
                }
                let denial = Denial::new(message).with_code("rule");
                Judgement::Denies(Denial { hint: hint.clone(), ..denial })
            }
        }
    }

    /// Whether it is for a request, the condition aside.
    fn is_for(&self, request: &Request) -> bool {
        self.operations.contains(&request.operation())
            && self.methods.as_ref().is_none_or(|methods| methods.contains(&request.method()))
            && self.paths.as_ref().is_none_or(|regexes| any(regexes, request.path()))
            && self.paths_with_version.as_ref().is_none_or(|regexes| match request.api_version() {
                Some(version) => any(regexes, &format!("/v{version}{}", request.path())),
                None => any(regexes, request.path()),
            })
    }
}

fn any(regexes: &[Regex], path: &str) -> bool {
    regexes.iter().any(|regex| regex.is_match(path))
}

/// What is wrong with a rule.
#[derive(Default)]
struct Faults(Vec<(String, String)>);

impl Faults {
    fn add(&mut self, place: impl Into<String>, words: String) {
        self.0.push((place.into(), words));
    }

    /// Reads the items of a list, where there is one.
    fn each<T>(
        &mut self,
        key: &str,
        written: Option<&[String]>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let items = written?;
        if items.is_empty() {
            self.add(format!("/{key}"), "an empty list is for no request".to_owned());
        }
        let mut found = Vec::new();
        for (at, text) in items.iter().enumerate() {
            match read(text) {
                Ok(item) => found.push(item),
                Err(words) => self.add(format!("/{key}/{at}"), words),
            }
        }
        Some(found)
    }
}

fn method(written: &str) -> Result<&'static str, String> {
    METHODS.into_iter().find(|known| *known == written).ok_or_else(|| {
        format!("{written:?} is no method of the API: write one of {}", METHODS.join(", "))
    })
}

/// A regular expression for all of a path.
fn whole(written: &str) -> Result<Regex, String> {
    let compile =
        |expression: &str| RegexBuilder::new(expression).size_limit(LARGEST_EXPRESSION).build();
    // By itself first: `a)(b` is none, and becomes one between brackets.
    compile(written)
        .and_then(|_| compile(&format!("^(?:{written})$")))
        .map_err(|error| format!("{written:?} is no regular expression: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rule(written: &WrittenRule) -> Result<Rule, Vec<(String, String)>> {
        Rule::new(3, written, &Language::new().unwrap())
    }

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(ToString::to_string).collect()
    }

    fn words(written: &WrittenRule) -> Vec<String> {
        let faults = rule(written).err().unwrap_or_default();
        faults.into_iter().map(|(place, words)| format!("{place}: {words}")).collect()
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let faults = words(&WrittenRule {
            allow: Some(list(&["container-list", "contaner-list"])),
            methods: Some(list(&["get"])),
            paths: Some(list(&["/ok", "("])),
            paths_with_version: Some(list(&["a)(b"])),
            when: Some("1 +".to_owned()),
            ..WrittenRule::default()
        });
        for (fault, start) in faults.iter().zip([
            "/allow/1: no operation is called \"contaner-list\": did you mean container-list?",
            "/methods/0: \"get\" is no method of the API: write one of GET, ",
            "/paths/1: \"(\" is no regular expression: ",
            "/paths-with-version/0: \"a)(b\" is no regular expression: ",
            "/when: line 1, column ",
        ]) {
            assert!(fault.starts_with(start), "{fault}");
        }
        assert_eq!(faults.len(), 5, "{faults:?}");
    }

    #[test]
    fn a_rule_allows_or_denies() {
        let neither = WrittenRule::default();
        assert_eq!(words(&neither), [": it says neither allow nor deny"]);
        let both = WrittenRule {
            allow: Some(list(&["*"])),
            deny: Some(list(&["*"])),
            ..WrittenRule::default()
        };
        assert_eq!(words(&both), [": it says allow and deny: write two rules"]);
        let empty = WrittenRule { allow: Some(list(&[])), ..WrittenRule::default() };
        assert_eq!(words(&empty), ["/allow: an empty list is for no request"]);
        let reason = Some("no".to_owned());
        let reasoned = WrittenRule { allow: Some(list(&["*"])), reason, ..WrittenRule::default() };
        assert_eq!(words(&reasoned), [": reason and hint are for rules that deny"]);
    }

    #[test]
    fn paths_are_matched_as_a_whole() {
        let written = WrittenRule {
            allow: Some(list(&["*"])),
            paths: Some(list(&["/containers/web|/version"])),
            ..WrittenRule::default()
        };
        let rule = rule(&written).ok().unwrap();
        let is_for = |path| rule.is_for(&Request::new("GET", path));
        assert!(is_for("/version"));
        assert!(!is_for("/versions") && !is_for("/a/version") && !is_for("/containers/web/json"));
    }

    #[test]
    fn the_version_is_as_the_client_wrote_it() {
        let written = WrittenRule {
            allow: Some(list(&["*"])),
            paths_with_version: Some(list(&[r"/v1\..{1,2}/version"])),
            ..WrittenRule::default()
        };
        let rule = rule(&written).ok().unwrap();
        let version = Request::new("GET", "/version");
        assert!(!rule.is_for(&version));
        assert!(rule.is_for(&version.clone().with_api_version("1.41")));
        assert!(!rule.is_for(&version.with_api_version("1.100")));
    }
}
