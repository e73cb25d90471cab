//! The JSON body of a request, in the one form in which it is sent.
//!
//! The daemon reads JSON with Go's `encoding/json`: names of fields match without regard to case, of
//! two that match the last wins, or both are merged, and what follows the document is ignored. So a
//! body is parsed once, what has two readings is refused, names are brought to the spelling that the
//! daemon's own documentation has, and what is sent is written from what was read.

mod names;
mod pointer;

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
    ser::{SerializeMap as _, SerializeSeq as _},
};
use serde_json::Number;

pub use pointer::BadPointer;

/// How deep objects and lists may lie in one another: `serde_json`'s own limit.
pub const DEEPEST: usize = 128;

/// A JSON value that has one reading, for the daemon as for anybody.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// A list.
    List(Vec<Json>),
    /// An object, in the order in which it was sent.
    Object(Vec<(String, Json)>),
}

/// Whose the keys of an object are, which decides how they are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// Names of the daemon's fields: compared without regard to case.
    Fields,
    /// The user's own: labels and the like, compared as they are.
    Users,
}

impl Keys {
    /// A key as it is sent.
    fn spelt(self, key: String) -> String {
        match self {
            Self::Users => key,
            Self::Fields => names::usual(key),
        }
    }

    /// What two keys have in common that the daemon takes for one.
    fn compared(self, key: &str) -> String {
        match self {
            Self::Users => key.to_owned(),
            Self::Fields => names::folded(key),
        }
    }

    /// Whose the keys are of an object that stands at a key.
    fn below(self, key: &str) -> Self {
        match self {
            Self::Fields if names::has_users_keys(key) => Self::Users,
            Self::Fields | Self::Users => Self::Fields,
        }
    }
}

impl Json {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// What keeps it from having one reading, with the place: line and column.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let mut reader = serde_json::Deserializer::from_slice(text);
        Value(Keys::Fields)
            .deserialize(&mut reader)
            .and_then(|value| reader.end().map(|()| value))
            .map_err(|error| error.to_string())
    }

    /// About how long it is as it is sent, in bytes.
    pub fn length(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => 8,
            Self::String(text) => text.len() + 2,
            Self::List(items) => items.iter().map(|item| item.length() + 1).sum::<usize>() + 2,
            Self::Object(entries) => {
                entries.iter().map(|(key, value)| key.len() + value.length() + 4).sum::<usize>() + 2
            }
        }
    }

    /// As it is sent.
    pub fn to_text(&self) -> String {
        // Keys are strings and numbers are finite: nothing of it can fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Reads a value at a place where objects have keys of this kind.
struct Value(Keys);

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value(Keys::Fields).deserialize(deserializer)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Json, E> {
        Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("a number without end"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        // What is in a list is never the user's map: the daemon has no list of those.
        while let Some(item) = items.next_element_seed(Value(Keys::Fields))? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            let key = self.0.spelt(key);
            let compared = self.0.compared(&key);
            if !seen.insert(compared) {
                // The words go to the client and to the log.
                let name: String = key.chars().take(100).collect();
                return Err(de::Error::custom(format!(
                    "the name {name:?} stands twice in an object, so that it has two readings"
                )));
            }
            let below = Value(self.0.below(&key));
            object.push((key, entries.next_value_seed(below)?));
        }
        Ok(Json::Object(object))
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::String(value) => serializer.serialize_str(value),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Object(entries) => {
                let mut object = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| object.serialize_entry(key, value))?;
                object.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        Json::parse(text.as_bytes()).map(|json| json.to_text())
    }

    #[test]
    fn names_get_their_usual_spelling() {
        for (sent, meant) in [
            (r#"{"hostconfig":{"PRIVILEGED":true}}"#, r#"{"HostConfig":{"Privileged":true}}"#),
            (r#"{"Ho\u017ftConfig":{}}"#, r#"{"HostConfig":{}}"#),
            (r#"{"HostConfig":{"\u0050rivileged":true}}"#, r#"{"HostConfig":{"Privileged":true}}"#),
            (r#"{"lin\u212As":[]}"#, r#"{"Links":[]}"#),
            (r#"{"unheardOf":1}"#, r#"{"unheardOf":1}"#),
            (r#"{"labels":{"image":"1"}}"#, r#"{"Labels":{"image":"1"}}"#),
            (" [1, 2.5,\n null] ", "[1,2.5,null]"),
        ] {
            assert_eq!(read(sent).as_deref(), Ok(meant), "{sent}");
        }
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        for text in [
            r#"{"HostConfig":{},"HostConfig":{}}"#,
            r#"{"HostConfig":{},"hostconfig":null}"#,
            r#"{"HostConfig":{"Links":[],"LIN\u212AS":[]}}"#,
            r#"{"unheardOf":1,"UNHEARDOF":2}"#,
            r#"{"Labels":{"a":"1","a":"2"}}"#,
            r#"{"Mounts":[{"Type":"bind","type":"volume"}]}"#,
            r#"{"A":1} {"B":2}"#,
            "\u{feff}{}",
            "{\"a\":1,}",
            "",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let deep = "[".repeat(DEEPEST + 1) + &"]".repeat(DEEPEST + 1);
        assert!(read(&deep).is_err());
        assert!(Json::parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn keys_of_the_user_are_kept() {
        for text in [
            r#"{"Labels":{"a":"1","A":"2","hostconfig":"3"}}"#,
            r#"{"HostConfig":{"Sysctls":{"net.x":"1"},"PortBindings":{"80/tcp":[{"HostPort":"1"}]}}}"#,
            r#"{"NetworkingConfig":{"EndpointsConfig":{"name":{"Aliases":["a"]},"Name":{}}}}"#,
        ] {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
        // Below the user's keys are fields again.
        let below = r#"{"NetworkingConfig":{"EndpointsConfig":{"n":{"Aliases":[],"aliases":[]}}}}"#;
        assert!(read(below).is_err());
    }
}
