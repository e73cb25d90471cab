//! What edits are expected to leave of a request, and what they have left.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    config::TextOrGone,
    request::{CanonicalRequest, Document, UnknownFields, body_of},
};

/// The request as it is after all edits. What is not named may be anything, and what is null is gone.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::cli) struct After {
    /// The thing that the path names.
    target: Option<String>,
    /// Parameters of the query, decoded.
    query: BTreeMap<String, TextOrGone>,
    /// Headers.
    headers: BTreeMap<String, TextOrGone>,
    /// The body: JSON, all of it.
    body: Option<Value>,
}

/// Something that is not as expected.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::cli) struct Difference {
    pub what: String,
    pub expected: Option<Value>,
    pub seen: Option<Value>,
}

impl Difference {
    /// Where there is one.
    pub(in crate::cli) fn between(
        what: impl Into<String>,
        expected: Option<Value>,
        seen: Option<Value>,
    ) -> Option<Self> {
        (expected != seen).then(|| Self { what: what.into(), expected, seen })
    }
}

impl After {
    /// How a request differs.
    ///
    /// # Errors
    /// What is wrong with the body that is expected.
    pub(in crate::cli) fn differences(
        &self,
        request: &CanonicalRequest,
    ) -> Result<Vec<Difference>, String> {
        let text = |text: Option<&str>| text.map(Value::from);
        let target = self.target.as_deref().and_then(|expected| {
            Difference::between("the target", text(Some(expected)), text(request.target()))
        });
        let query = self.query.iter().filter_map(|(name, expected)| {
            let seen = request.query().get(name);
            let what = format!("{name} in the query");
            Difference::between(what, text(expected.0.as_deref()), text(seen.as_deref()))
        });
        let headers = self.headers.iter().filter_map(|(name, expected)| {
            let seen = request.headers().get(name).and_then(|value| value.to_str().ok());
            Difference::between(
                format!("the header {name}"),
                text(expected.0.as_deref()),
                text(seen),
            )
        });
        let mut found: Vec<_> = target.into_iter().chain(query).chain(headers).collect();
        if let Some(expected) = &self.body {
            // Names get their usual spelling, as those of the body have.
            let expected = expected.to_string();
            let (operation, unknown) = (request.operation(), UnknownFields::Pass);
            let expected = Document::parse(expected.as_bytes(), operation, unknown)
                .map_err(|misread| misread.to_string())?;
            let expected = serde_json::from_str(&expected.to_text()).ok();
            found.extend(Difference::between("the body", expected, body_of(request)));
        }
        Ok(found)
    }
}

/// A value in words.
pub(in crate::cli) fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
