//! The JSON Schema of a file, and what it says of a place.

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value, json};

use super::{
    Config, Pointer,
    measure::TEXT_OR_GONE,
    tree::{Kind, Node, Scalar},
};

/// What a YAML file of ours holds.
pub trait Format: DeserializeOwned + JsonSchema {
    /// What such a file is usually called.
    const NAME: &str;

    /// The JSON Schema of such files: draft 2020-12.
    fn schema() -> Value {
        let settings = SchemaSettings::draft2020_12();
        let settings = settings.with_transform(RecursiveTransform(as_it_is_read));
        let mut schema = settings.into_generator().into_root_schema_for::<Self>();
        schema.insert("title".to_owned(), json!(Self::NAME));
        // A place for anchors.
        schema.insert("patternProperties".to_owned(), json!({ "^x-": true }));
        schema.to_value()
    }
}

impl Format for Config {
    const NAME: &str = "dockgate.yaml";
}

/// The JSON Schema of the configuration.
pub fn schema() -> Value {
    Config::schema()
}

/// What nobody wrote is left out, and is not `null`: an empty `clients:` would hold for all. And a
/// number is not larger than what it is read into.
fn as_it_is_read(schema: &mut Schema) {
    let may_be_gone = schema.get("format") == Some(&json!(TEXT_OR_GONE));
    if let Some(Value::Array(types)) = schema.get_mut("type").filter(|_| !may_be_gone) {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(any)) = schema.get_mut("anyOf") {
        any.retain(|schema| schema.get("type") != Some(&json!("null")));
        if let [Value::Object(one)] = any.as_slice() {
            let one = one.clone();
            schema.remove("anyOf");
            schema.ensure_object().extend(one);
        }
    }
    let largest = match schema.get("format").and_then(Value::as_str) {
        Some("uint16") => Some(json!(u16::MAX)),
        Some("uint32") => Some(json!(u32::MAX)),
        _ => None,
    };
    if let Some(largest) = largest {
        schema.insert("maximum".to_owned(), largest);
    }
    if schema
        .get("default")
        .is_some_and(|value| [json!(null), json!({}), json!([])].contains(value))
    {
        schema.remove("default");
    }
}

/// The schema, to be asked about places.
pub(super) struct Shapes(pub(super) Value);

impl Shapes {
    /// What is said of a place. None where nothing is, as in settings of plugins.
    pub(super) fn at(&self, place: &Pointer) -> Option<&Value> {
        place.steps().try_fold(&self.0, |schema, step| self.step(schema, &step))
    }

    /// What is said of what stands at a key or a number.
    pub(super) fn step<'a>(&'a self, schema: &'a Value, step: &str) -> Option<&'a Value> {
        let schema = schema.get("properties").and_then(|known| known.get(step)).or_else(|| {
            let others = ["additionalProperties", "items"].into_iter();
            others.filter_map(|word| schema.get(word)).find(|schema| schema.is_object())
        })?;
        Some(self.resolved(schema))
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let name = schema.get("$ref").and_then(Value::as_str);
        let found = name.and_then(|name| self.0.pointer(name.strip_prefix('#')?));
        found.unwrap_or(schema)
    }

    /// The value of a tree.
    pub(super) fn value(&self, node: &Node) -> Value {
        let mut value = self.value_at(node, Some(&self.0));
        if let Value::Object(entries) = &mut value {
            entries.retain(|key, _| !key.starts_with("x-"));
        }
        value
    }

    fn value_at(&self, node: &Node, schema: Option<&Value>) -> Value {
        let inner = |step: &str| schema.and_then(|schema| self.step(schema, step));
        match &node.kind {
            Kind::Scalar(scalar) => scalar.value(schema.is_some_and(takes_text)),
            Kind::List(items) => items.iter().map(|item| self.value_at(item, inner("0"))).collect(),
            Kind::Map(entries) => {
                let value = |entry: &super::tree::Entry| {
                    (entry.key.clone(), self.value_at(&entry.value, inner(&entry.key)))
                };
                Value::Object(entries.iter().map(value).collect::<Map<_, _>>())
            }
            Kind::Unavailable => Value::Null,
        }
    }

    /// Where else a key is possible: `listeners.NAME.tls`.
    pub(super) fn homes(&self, key: &str) -> Vec<String> {
        let mut homes = Vec::new();
        self.look_for(key, &self.0, "", &mut homes);
        homes
    }

    fn look_for(&self, key: &str, schema: &Value, place: &str, homes: &mut Vec<String>) {
        let schema = self.resolved(schema);
        let known = schema.get("properties").and_then(Value::as_object);
        if known.is_some_and(|known| known.contains_key(key)) {
            homes.push(place.to_owned());
        }
        let dot = if place.is_empty() { "" } else { "." };
        for (name, schema) in known.into_iter().flatten() {
            self.look_for(key, schema, &format!("{place}{dot}{name}"), homes);
        }
        for (word, step) in [("additionalProperties", ".NAME"), ("items", "[]")] {
            if let Some(schema) = schema.get(word).filter(|schema| schema.is_object()) {
                self.look_for(key, schema, &format!("{place}{step}"), homes);
            }
        }
    }
}

impl Scalar {
    /// Where text is possible, what is written without quotes is text as well: `1.40` is not `1.4`.
    /// Elsewhere it is what YAML's core schema takes it for.
    fn value(&self, takes_text: bool) -> Value {
        let text = || Value::String(self.text.clone());
        if !self.plain || takes_text && self.text.is_empty() && self.substituted.is_some() {
            return text();
        }
        match saphyr::Scalar::parse_from_cow(self.text.as_str().into()) {
            _ if self.text.is_empty() => Value::Null,
            saphyr::Scalar::Null => Value::Null,
            _ if takes_text => text(),
            saphyr::Scalar::Boolean(value) => value.into(),
            saphyr::Scalar::Integer(value) => value.into(),
            saphyr::Scalar::FloatingPoint(value) => number(&self.text, *value).unwrap_or_else(text),
            saphyr::Scalar::String(_) => text(),
        }
    }
}

/// A number that is written with a point, or is large. JSON has no infinite ones.
fn number(text: &str, value: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and f64 has it exactly")]
    if value.fract() == 0.0 && value.abs() < EXACT {
        return Some((value as i64).into());
    }
    Number::from_f64(value).map(Value::Number)
}

/// The kinds of values that are possible: `["string", "integer"]`.
pub(super) fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The only words that are possible, where there are such.
pub(super) fn words(schema: &Value) -> Vec<&str> {
    let list = |word| schema.get(word).and_then(Value::as_array).into_iter().flatten();
    let alone = list("enum").filter_map(Value::as_str);
    let explained = list("oneOf").filter_map(|one| one.get("const")?.as_str());
    alone.chain(explained).collect()
}

/// The keys that are possible in a map, where not all are.
pub(super) fn keys(schema: &Value) -> Vec<&str> {
    let known = schema.get("properties").and_then(Value::as_object);
    known.into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// Whether a key must be there.
pub(super) fn requires(schema: &Value, key: &str) -> bool {
    let keys = schema.get("required").and_then(Value::as_array);
    keys.is_some_and(|keys| keys.iter().any(|required| required == key))
}

fn takes_text(schema: &Value) -> bool {
    types(schema).contains(&"string") || !words(schema).is_empty()
}
