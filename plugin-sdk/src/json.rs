//! JSON, read as the daemon reads it.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Number, Value};

use crate::fold::same_name;

/// A JSON value, whose fields are found as Go's decoder finds them: without regard to case.
///
/// ```
/// use dockgate_plugin::{Json, json};
///
/// let body = Json::from(json!({ "Image": "nginx", "Labels": { "team": "web" } }));
/// assert_eq!(body.get("image").and_then(Json::as_str), Some("nginx"));
/// assert_eq!(body.at("/Labels/team").and_then(Json::as_str), Some("web"));
/// ```
///
/// A body with two names that differ in case alone never gets to a plugin; in a map whose keys are
/// the user's, such as labels, both may stand and are different. Use [`exact`](Self::exact) there.
#[derive(Clone, Debug, Default, Eq)]
pub enum Json {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// A list.
    List(Vec<Json>),
    /// An object, in the order in which it is written. It makes no difference when comparing.
    Object(Vec<(String, Json)>),
}

/// What there is of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// The manifest does not ask for it. Whether there is a body is not said.
    NotAskedFor,
    /// There is none.
    #[default]
    None,
    /// This document.
    Json(Json),
}

impl Content {
    /// The document, where there is one.
    pub fn json(self) -> Option<Json> {
        match self {
            Self::Json(json) => Some(json),
            Self::NotAskedFor | Self::None => None,
        }
    }
}

impl Json {
    /// A field of an object by its name, without regard to case.
    pub fn get(&self, name: &str) -> Option<&Json> {
        let fields = self.fields();
        position(fields, name).map(|at| &fields[at].1)
    }

    /// A field of an object by its very name. For maps whose keys are the user's.
    pub fn exact(&self, name: &str) -> Option<&Json> {
        self.fields().iter().rev().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// The value at a JSON pointer (RFC 6901): `/HostConfig/Binds/0`. Names are compared as by
    /// [`get`](Self::get).
    pub fn at(&self, pointer: &str) -> Option<&Json> {
        steps(pointer)?.try_fold(self, |json, step| match json {
            Self::List(items) => items.get(index(&step)?),
            object => object.get(&step),
        })
    }

    /// The same as [`get`](Self::get), to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        match self {
            Self::Object(fields) => position(fields, name).map(|at| &mut fields[at].1),
            _ => None,
        }
    }

    /// Sets a field of an object, in its place if it is there. Nothing happens to other values.
    pub fn set(&mut self, name: &str, value: impl Into<Json>) {
        match (self.get_mut(name), value.into()) {
            (Some(field), value) => *field = value,
            (None, value) => {
                if let Self::Object(fields) = self {
                    fields.push((name.to_owned(), value));
                }
            }
        }
    }

    /// Takes a field out of an object.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        match self {
            Self::Object(fields) => position(fields, name).map(|at| fields.remove(at).1),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The value of a `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// A number, if it is an integer of this range.
    pub fn as_i64(&self) -> Option<i64> {
        self.number().and_then(Number::as_i64)
    }

    /// A number, if it is an integer of this range.
    pub fn as_u64(&self) -> Option<u64> {
        self.number().and_then(Number::as_u64)
    }

    /// A number.
    pub fn as_f64(&self) -> Option<f64> {
        self.number().and_then(Number::as_f64)
    }

    /// What is in a list; nothing where it is none. Some lists of strings may be a single string
    /// for the daemon: see [`strings`](Self::strings).
    pub fn items(&self) -> &[Json] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The list, to change it.
    pub fn items_mut(&mut self) -> Option<&mut Vec<Json>> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The strings of a list, or the string that stands in place of one: the daemon takes `Cmd`,
    /// `Entrypoint`, `CapAdd` and `CapDrop` in both forms.
    pub fn strings(&self) -> Vec<&str> {
        match self {
            Self::String(text) => vec![text],
            list => list.items().iter().filter_map(Self::as_str).collect(),
        }
    }

    /// The fields of an object, in order; nothing where it is none.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.fields().iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Reads a document.
    ///
    /// # Errors
    /// Where it is no JSON, and what is wrong.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// What the proxy sent, which is JSON.
    pub(crate) fn from_proxy(text: &str) -> Self {
        // A panic refuses the request. It has no words of the error, which are a lot of code.
        Self::parse(text).unwrap_or_else(|_| panic!("the proxy sends JSON"))
    }

    fn number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    fn fields(&self) -> &[(String, Json)] {
        match self {
            Self::Object(fields) => fields,
            _ => &[],
        }
    }
}

/// Where a field is, by its very name if it is there. Of two that are the same the daemon takes the
/// last.
pub(crate) fn position(fields: &[(String, Json)], name: &str) -> Option<usize> {
    let by = |same: &dyn Fn(&str) -> bool| fields.iter().rposition(|(field, _)| same(field));
    by(&|field| field == name).or_else(|| by(&|field| same_name(field, name)))
}

/// The steps of a JSON pointer. None where it is none.
pub(crate) fn steps(pointer: &str) -> Option<impl Iterator<Item = String>> {
    let is_pointer = pointer.is_empty() || pointer.starts_with('/');
    let unescaped = |step: &str| step.replace("~1", "/").replace("~0", "~");
    is_pointer.then(|| pointer.split('/').skip(1).map(unescaped))
}

/// The index that a step of a JSON pointer means: `0`, `17`, never `07`.
pub(crate) fn index(step: &str) -> Option<usize> {
    let is_index = step == "0" || !step.starts_with(['0', '+']);
    step.parse().ok().filter(|_| is_index)
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => {
                let in_other = |(name, value): &(String, Self)| other.exact(name) == Some(value);
                a.len() == b.len() && a.iter().all(in_other)
            }
            _ => false,
        }
    }
}

/// As one line.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(fields) => serializer.collect_map(fields.iter().map(|(n, v)| (n, v))),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_none<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        Json::deserialize(deserializer)
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

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Json::Object(fields))
    }
}

impl Json {
    /// Whether it says anything, as the value of a field: clients send `null`, `""`, `[]`, `{}`, `0`
    /// and `false` for what they don't use.
    pub fn says_something(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => number.as_f64() != Some(0.0),
            Self::String(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Object(fields) => !fields.is_empty(),
        }
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::String(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(fields) => {
                Self::Object(fields.into_iter().map(|(n, v)| (n, v.into())).collect())
            }
        }
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => Self::Number(number),
            Json::String(text) => Self::String(text),
            Json::List(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Json::Object(fields) => {
                Self::Object(fields.into_iter().map(|(n, v)| (n, v.into())).collect())
            }
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

/// `body == "nginx"`, for what is a string.
impl PartialEq<&str> for Json {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == Some(text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use serde_json::json;

    use super::*;

    fn create() -> Json {
        Json::parse(
            r#"{"image":"nginx","HoſtConfig":{"Binds":["/a:/a","/b:/b"],"CapAdd":"ALL"},
                "Labels":{"Team":"a","team":"b"},"N":[1,-2,1.5,null,true]}"#,
        )
        .unwrap()
    }

    #[test]
    fn names_are_found_in_any_case() {
        let body = create();
        assert_eq!(body.get("Image").unwrap(), &"nginx");
        assert_eq!(body.at("/hostconfig/binds/1").unwrap(), &"/b:/b");
        assert_eq!(body.get("Imag"), None);
    }

    #[test]
    fn keys_of_the_user_keep_their_case() {
        let labels = create();
        let labels = labels.get("labels").unwrap();
        assert_eq!(labels.exact("Team").unwrap(), &"a");
        assert_eq!(labels.get("team").unwrap(), &"b");
        assert_eq!(labels.exact("TEAM"), None);
    }

    #[test]
    fn of_two_equal_names_the_last_counts() {
        let body = Json::parse(r#"{"Image":"a","Image":"b"}"#).unwrap();
        assert_eq!(body.get("Image").unwrap(), &"b");
        assert_eq!(body.exact("Image").unwrap(), &"b");
    }

    #[test]
    fn pointers_are_those_of_rfc_6901() {
        let body = Json::from(json!({ "a/b": { "m~n": [0, 1] }, "": 2 }));
        let at = |pointer| body.at(pointer).and_then(Json::as_i64);
        assert_eq!(body.at(""), Some(&body));
        assert_eq!(at("/a~1b/m~0n/1"), Some(1));
        assert_eq!(at("/"), Some(2));
        for nothing in ["a", "/a~1b/m~0n/01", "/a~1b/m~0n/+1", "/a~1b/m~0n/-", "/a~1b/m~0n/2"] {
            assert_eq!(body.at(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_single_string_may_stand_for_a_list() {
        let body = create();
        assert_eq!(body.at("/HostConfig/CapAdd").unwrap().strings(), ["ALL"]);
        assert_eq!(body.at("/HostConfig/Binds").unwrap().strings(), ["/a:/a", "/b:/b"]);
        assert!(body.strings().is_empty());
    }

    #[test]
    fn fields_are_changed_in_their_place() {
        let mut body = create();
        body.set("Image", "httpd");
        body.set("User", "nobody");
        body.remove("labels");
        body.get_mut("n").unwrap().items_mut().unwrap().truncate(1);
        assert_eq!(
            body.to_string(),
            r#"{"image":"httpd","HoſtConfig":{"Binds":["/a:/a","/b:/b"],"CapAdd":"ALL"},"N":[1],"User":"nobody"}"#
        );
    }

    #[test]
    fn the_order_of_fields_makes_no_difference() {
        let read = |text| Json::parse(text).unwrap();
        assert_eq!(read(r#"{"a":1,"b":[{}]}"#), read(r#"{"b":[{}],"a":1}"#));
        assert_ne!(read(r#"{"a":1,"b":2}"#), read(r#"{"a":1,"b":3}"#));
        assert_ne!(read(r#"{"a":1}"#), read(r#"{"a":1,"b":null}"#));
        assert_ne!(read(r#"{"a":1}"#), read(r#"{"A":1}"#));
        assert_ne!(read("[1,2]"), read("[2,1]"));
    }

    #[test]
    fn it_is_written_as_it_was_read() {
        let text = r#"{"b":[1,-2,1.5,18446744073709551615,null,true],"a":{"é":"\n"}}"#;
        assert_eq!(Json::parse(text).unwrap().to_string(), text);
        let value = json!({ "a": [1, "b", null, { "c": false }] });
        assert_eq!(Value::from(Json::from(value.clone())), value);
    }
}
