//! Labels, and choosing by them.

use std::{borrow::Cow, convert::Infallible, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Json;

/// `key` or `key=value`, as the filter `label` of the Docker API has it: a label with this key, or
/// with this key and value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    key: String,
    value: Option<String>,
}

impl Selector {
    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value, where one is asked for.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Whether labels have what it asks for. They are an object, as an inspect shows them, or a list
    /// of `key=value`. Keys are the user's: case counts.
    pub fn matches(&self, labels: &Json) -> bool {
        match labels {
            Json::List(items) => items.iter().filter_map(Json::as_str).any(|item| {
                let (key, value) = item.split_once('=').unwrap_or((item, ""));
                self.fits(key, value)
            }),
            object => object
                .exact(&self.key)
                .is_some_and(|value| self.fits(&self.key, value.as_str().unwrap_or_default())),
        }
    }

    fn fits(&self, key: &str, value: &str) -> bool {
        key == self.key && self.value.as_deref().is_none_or(|asked| asked == value)
    }
}

impl FromStr for Selector {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.split_once('=') {
            Some((key, value)) => Self { key: key.to_owned(), value: Some(value.to_owned()) },
            None => Self { key: text.to_owned(), value: None },
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}={value}", self.key),
            None => f.write_str(&self.key),
        }
    }
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ok(selector) = String::deserialize(deserializer)?.parse();
        Ok(selector)
    }
}

impl JsonSchema for Selector {
    fn schema_name() -> Cow<'static, str> {
        "Selector".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A label: `key` or `key=value`." })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selector(text: &str) -> Selector {
        let Ok(selector) = text.parse();
        selector
    }

    #[test]
    fn a_key_alone_takes_any_value() {
        let labels = json!({ "team": "web", "empty": "" }).into();
        assert!(selector("team").matches(&labels));
        assert!(selector("team=web").matches(&labels));
        assert!(selector("empty").matches(&labels));
        assert!(selector("empty=").matches(&labels));
        assert!(!selector("team=").matches(&labels));
        assert!(!selector("team=db").matches(&labels));
        assert!(!selector("Team").matches(&labels));
    }

    #[test]
    fn labels_may_be_a_list() {
        let labels = json!(["team=web", "a=b=c", "empty"]).into();
        assert!(selector("team=web").matches(&labels));
        assert!(selector("a=b=c").matches(&labels));
        assert!(selector("empty=").matches(&labels));
        assert!(!selector("tea").matches(&labels));
    }

    #[test]
    fn no_labels_match_nothing() {
        assert!(!selector("team").matches(&Json::Null));
        assert!(!selector("team").matches(&json!({}).into()));
    }

    #[test]
    fn it_is_written_as_it_was_read() {
        for text in ["team", "team=web", "a=b=c", "team="] {
            assert_eq!(selector(text).to_string(), text);
        }
    }
}
