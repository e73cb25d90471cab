//! What Go's `encoding/json` makes of a document, as far as the schema goes: a model to compare with,
//! in tests and when fuzzing.
#![allow(clippy::expect_used, reason = "a panic is how a test fails")]

use serde_json::{Map, Number, Value};

use super::{
    Document, Json, UnknownFields,
    schema::{self, Field, Kind, Width},
};
use crate::request::Operation;

/// Decodes `json` into `into`, which may hold what an earlier name has left, as Go does. `None`
/// where Go refuses.
fn decode(into: &mut Value, json: &Json, kind: &'static Kind) -> Option<()> {
    match (kind, json) {
        (Kind::Any, json) => *into = serde_json::from_str(&json.to_text()).ok()?,
        (Kind::Bool | Kind::String | Kind::Integer(_) | Kind::Float | Kind::Pair, Json::Null) => {}
        (_, Json::Null) => *into = Value::Null,
        (Kind::Nullable(kind), json) => {
            if into.is_null() {
                *into = zero(kind);
            }
            decode(into, json, kind)?;
        }
        (Kind::Bool, Json::Bool(value)) => *into = (*value).into(),
        (Kind::String, Json::String(text)) => *into = text.as_str().into(),
        (Kind::Integer(width), Json::Number(number)) => {
            *into = integer(&number.to_string(), *width)?.into();
        }
        (Kind::Float, Json::Number(number)) => {
            let number = number.to_string().parse::<f32>().ok().filter(|n| n.is_finite())?;
            *into = Number::from_f64(number.into()).map(Value::from)?;
        }
        (Kind::Words, Json::String(word)) => *into = vec![word.as_str()].into(),
        (Kind::Words, Json::List(items)) => {
            *into = Value::Array(Vec::new());
            list(into, items, &Kind::String)?;
        }
        (Kind::List(of), Json::List(items)) => list(into, items, of)?,
        (Kind::Pair, Json::List(items)) => {
            let mut pair = vec![Value::from(0), Value::from(0)];
            for (value, item) in pair.iter_mut().zip(items) {
                decode(value, item, &Kind::Integer(Width::Bits64))?;
            }
            *into = pair.into();
        }
        (Kind::Map(of), Json::Object(entries)) => {
            let map = object(into);
            for (key, json) in entries {
                let mut value = zero(of);
                decode(&mut value, json, of)?;
                map.insert(key.to_string(), value);
            }
        }
        (Kind::Object(of), Json::Object(entries)) => {
            let fields = object(into);
            for (key, json) in entries {
                let field = of.all().find(|field| is_folded(field.name, key));
                let Some(Field { name, kind, .. }) = field else { continue };
                let value = fields.entry(name).or_insert_with(|| zero(kind));
                decode(value, json, kind)?;
            }
            // Old daemons take these where the field that they belong into is missing.
            fields.retain(|name, value| {
                let field = of.field(name);
                let is_empty =
                    *value == Value::Array(vec![]) || *value == Value::Object(Map::new());
                let nullable = field.is_some_and(|field| matches!(field.kind, Kind::Nullable(_)));
                !is_empty || nullable || field.is_some_and(|field| field.belongs_in.is_none())
            });
            // What is as if it had not been there.
            fields.retain(|name, value| {
                of.field(name).is_some_and(|field| *value != zero(field.kind))
            });
        }
        _ => return None,
    }
    Some(())
}

/// Whether Go takes a key for a name: with each letter as its simple folding, of which two that are
/// not ASCII end there (`encoding/json`, `fold.go`). Not by `names.rs`, which this is to find wrong.
fn is_folded(name: &str, key: &str) -> bool {
    let folded = |letter: char| match letter {
        '\u{17f}' => 'S',
        '\u{212a}' => 'K',
        letter => letter.to_ascii_uppercase(),
    };
    name.chars().map(folded).eq(key.chars().map(folded))
}

/// The elements of an earlier list are decoded into again.
fn list(into: &mut Value, items: &[Json], of: &'static Kind) -> Option<()> {
    let mut before = match into.take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    before.resize_with(items.len().max(before.len()), || zero(of));
    for (value, item) in before.iter_mut().zip(items) {
        decode(value, item, of)?;
    }
    before.truncate(items.len());
    *into = before.into();
    Some(())
}

fn object(into: &mut Value) -> &mut Map<String, Value> {
    if !into.is_object() {
        *into = Map::new().into();
    }
    into.as_object_mut().expect("made one")
}

fn zero(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => false.into(),
        Kind::String => "".into(),
        Kind::Integer(_) => 0.into(),
        Kind::Float => 0.0.into(),
        Kind::Pair => vec![0, 0].into(),
        _ => Value::Null,
    }
}

fn integer(text: &str, width: Width) -> Option<Number> {
    match width {
        Width::Signed => text.parse::<i64>().ok().map(Number::from),
        Width::Bits16 => text.parse::<u16>().ok().map(Number::from),
        Width::Bits32 => text.parse::<u32>().ok().map(Number::from),
        Width::Bits64 => text.parse::<u64>().ok().map(Number::from),
    }
}

pub(super) fn read_by_go(json: &Json, kind: &'static Kind) -> Option<Value> {
    let mut value = zero(kind);
    decode(&mut value, json, kind)?;
    Some(value)
}

/// What somebody reads who knows the names and nothing of Go.
fn read_plainly(json: &Json, kind: &'static Kind) -> Value {
    match (kind, json) {
        (Kind::Nullable(kind), json) => read_plainly(json, kind),
        (Kind::Object(of), Json::Object(entries)) => {
            let known = entries.iter().filter_map(|(key, value)| {
                let field = of.all().find(|field| field.name == key)?;
                let value = read_plainly(value, field.kind);
                (value != zero(field.kind)).then(|| (key.to_string(), value))
            });
            Value::Object(known.collect())
        }
        (Kind::Map(of), Json::Object(entries)) => {
            let read = |(key, value): &(_, _)| (ToString::to_string(key), read_plainly(value, of));
            Value::Object(entries.iter().map(read).collect())
        }
        (Kind::List(of), Json::List(items)) => {
            items.iter().map(|item| read_plainly(item, of)).collect()
        }
        (Kind::Pair, Json::List(items)) => {
            let mut pair: Vec<_> = items
                .iter()
                .map(|item| serde_json::from_str(&item.to_text()).expect("a number"))
                .collect();
            pair.resize(2, Value::from(0));
            pair.into()
        }
        (Kind::Float, Json::Number(number)) => {
            let number = number.to_string().parse::<f32>().expect("a number");
            f64::from(number).into()
        }
        _ => serde_json::from_str(&json.to_text()).expect("JSON"),
    }
}

/// Checks that a body which is accepted has one reading: what Go makes of the client's bytes is what
/// it makes of those that are sent and what a plugin reads, and the form has come to rest.
///
/// # Panics
/// Where it has not.
pub fn assert_one_reading(body: &[u8], operation: Operation) {
    let Some(kind) = schema::of_body(operation) else { return };
    let parse = |body: &[u8]| Document::parse(body, operation, UnknownFields::Pass);
    let Ok(document) = parse(body) else { return };
    let sent = Json::parse(body).expect("it was parsed just now");
    let by_go = read_by_go(&sent, kind);
    assert!(by_go.is_some(), "Go would refuse {}", sent.to_text());
    assert_eq!(by_go, read_by_go(document.json(), kind), "{}", sent.to_text());
    assert_eq!(by_go, Some(read_plainly(document.json(), kind)), "{}", sent.to_text());
    let again = parse(document.to_text().as_bytes()).map(|again| again.to_text());
    assert_eq!(again, Ok(document.to_text()));
}
