//! The parameters of a request and the filters among them.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::reply::{Refusal, Result};

/// The parameters in their order. Of two with one name the first counts.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Of a form body and a query string the form comes first: Go's `Request.Form`.
    pub(crate) fn parse(form: &str, query: &str) -> Self {
        let pairs = form.split('&').chain(query.split('&')).filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decoded(name), decoded(value)))
                .collect(),
        )
    }

    /// The value, or the empty string.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// As the daemon reads a boolean: everything is true but a few words.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        let value = self.get(name).trim().to_ascii_lowercase();
        !matches!(value.as_str(), "" | "0" | "no" | "false" | "none")
    }

    /// The filters, which may only be of these names.
    pub(crate) fn filters(&self, known: &[&str]) -> Result<Filters> {
        let text = self.get("filters");
        if text.is_empty() {
            return Ok(Filters(Vec::new()));
        }
        let invalid = || Refusal::bad_request(format!("invalid filters: {text}"));
        let Ok(Value::Object(filters)) = serde_json::from_str(text) else { return Err(invalid()) };
        let mut wanted = Vec::new();
        for (name, values) in filters {
            if !known.contains(&name.as_str()) {
                return Err(Refusal::bad_request(format!("Invalid filter '{name}'")));
            }
            // Both forms that the daemon accepts: {"label":["a=b"]} and {"label":{"a=b":true}}.
            let values: Vec<String> = match values {
                Value::Array(values) => {
                    values.iter().filter_map(Value::as_str).map(String::from).collect()
                }
                Value::Object(values) => values.into_iter().map(|(value, _)| value).collect(),
                _ => return Err(invalid()),
            };
            wanted.push((name, values));
        }
        Ok(Filters(wanted))
    }
}

pub(crate) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    pub(crate) fn is_empty(&self, name: &str) -> bool {
        self.values(name).is_empty()
    }

    /// Whether one of the filter's values matches, or there are none.
    pub(crate) fn any(&self, name: &str, matches: impl Fn(&str) -> bool) -> bool {
        self.is_empty(name) || self.values(name).iter().any(|value| matches(value))
    }

    /// Whether every label that is asked for, `name` or `name=value`, is among `labels`.
    pub(crate) fn labels_match(&self, labels: &Value) -> bool {
        self.values("label").iter().all(|wanted| match wanted.split_once('=') {
            Some((name, value)) => labels[name] == value,
            None => labels.get(wanted).is_some(),
        })
    }

    fn values(&self, name: &str) -> &[String] {
        self.0.iter().find(|(key, _)| key == name).map_or(&[], |(_, values)| values)
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}
