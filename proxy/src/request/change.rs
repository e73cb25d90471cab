//! What is different between two requests, or two documents.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CanonicalRequest, Content, is_secret};

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Of what: `target`, `query`, `header`, `body`, `status`.
    pub part: Cow<'static, str>,
    /// Where there: a name, or a JSON pointer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// What was there; nothing where it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is there now; nothing where it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, place, before, after } = self;
        f.write_str(part)?;
        if !place.is_empty() {
            write!(f, " {place}")?;
        }
        match (before, after) {
            (Some(before), Some(after)) => write!(f, ": {before} → {after}"),
            (None, Some(after)) => write!(f, ": {after} is new"),
            (Some(before), None) => write!(f, ": {before} is gone"),
            (None, None) => Ok(()),
        }
    }
}

/// What a plugin changed about a request.
pub fn changes(before: &CanonicalRequest, after: &CanonicalRequest) -> Vec<Change> {
    let target = |request: &CanonicalRequest| request.target().map(Value::from);
    let mut found = Vec::new();
    push(&mut found, "target", "", target(before), target(after));
    let pairs = before.query().pairs().chain(after.query().pairs());
    let names: BTreeSet<_> = pairs.map(|(name, _)| name).collect();
    for name in names {
        push(&mut found, "query", &name, parameter(before, &name), parameter(after, &name));
    }
    push_headers(&mut found, before.headers(), after.headers());
    push_json(&mut found, "body", "", body_of(before).as_ref(), body_of(after).as_ref());
    found
}

/// What is different between two documents, each change at the deepest place that holds all of it.
pub fn changes_of_json(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let mut found = Vec::new();
    push_json(&mut found, "body", "", before, after);
    found
}

fn parameter(request: &CanonicalRequest, name: &str) -> Option<Value> {
    let of_name = request.query().pairs().filter(|(n, _)| n == name);
    one_or_many(of_name.map(|(_, value)| value).collect())
}

/// The body of a request, where it was read and there is one.
pub fn body_of(request: &CanonicalRequest) -> Option<Value> {
    match request.content() {
        Content::Json(json) => serde_json::from_str(&json.to_text()).ok(),
        Content::Unread | Content::Empty => None,
    }
}

fn push_headers(changes: &mut Vec<Change>, before: &HeaderMap, after: &HeaderMap) {
    let names: BTreeSet<_> = before.keys().chain(after.keys()).map(HeaderName::as_str).collect();
    for name in names {
        let value = |headers: &HeaderMap| {
            let values = headers.get_all(name).iter();
            one_or_many(
                values.map(|value| String::from_utf8_lossy(value.as_bytes()).into()).collect(),
            )
        };
        // No plugin can change one that is secret.
        if !HeaderName::try_from(name).is_ok_and(|name| is_secret(&name)) {
            push(changes, "header", name, value(before), value(after));
        }
    }
}

fn one_or_many(mut values: Vec<String>) -> Option<Value> {
    match values.len() {
        0 => None,
        1 => values.pop().map(Value::from),
        _ => Some(values.into()),
    }
}

fn push_json(
    changes: &mut Vec<Change>,
    part: &'static str,
    place: &str,
    before: Option<&Value>,
    after: Option<&Value>,
) {
    match (before, after) {
        (Some(Value::Object(b)), Some(Value::Object(a))) => {
            let keys: BTreeSet<_> = b.keys().chain(a.keys()).collect();
            for key in keys {
                let step = key.replace('~', "~0").replace('/', "~1");
                push_json(changes, part, &format!("{place}/{step}"), b.get(key), a.get(key));
            }
        }
        (Some(Value::Array(b)), Some(Value::Array(a))) => {
            for at in 0..b.len().max(a.len()) {
                push_json(changes, part, &format!("{place}/{at}"), b.get(at), a.get(at));
            }
        }
        _ => push(changes, part, place, before.cloned(), after.cloned()),
    }
}

fn push(
    changes: &mut Vec<Change>,
    part: &'static str,
    place: &str,
    before: Option<Value>,
    after: Option<Value>,
) {
    if before != after {
        changes.push(Change { part: part.into(), place: place.to_owned(), before, after });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_are_named_by_their_place() {
        let before = json!({ "a/b": { "kept": 1, "gone": true }, "list": [1, 2] });
        let after = json!({ "a/b": { "kept": 1, "new": null }, "list": [1, 3, 4] });
        let words: Vec<_> =
            changes_of_json(Some(&before), Some(&after)).iter().map(Change::to_string).collect();
        assert_eq!(
            words,
            [
                "body /a~1b/gone: true is gone",
                "body /a~1b/new: null is new",
                "body /list/1: 2 → 3",
                "body /list/2: 4 is new",
            ]
        );
        assert_eq!(changes_of_json(Some(&before), Some(&before)), []);
    }
}
