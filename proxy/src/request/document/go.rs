//! What Go's `encoding/json` makes of a document, as far as the schema goes: a model to compare with.

use proptest::prelude::*;
use serde_json::{Map, Number, Value};

use super::{
    Document, Json, UnknownFields, names,
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
                map.insert(key.clone(), value);
            }
        }
        (Kind::Object(of), Json::Object(entries)) => {
            let fields = object(into);
            for (key, json) in entries {
                let Some(Field { name, kind, .. }) = of.field(key) else { continue };
                let value = fields.entry(*name).or_insert_with(|| zero(kind));
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

fn read_by_go(json: &Json, kind: &'static Kind) -> Option<Value> {
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
                (value != zero(field.kind)).then(|| (key.clone(), value))
            });
            Value::Object(known.collect())
        }
        (Kind::Map(of), Json::Object(entries)) => {
            let read = |(key, value): &(String, Json)| (key.clone(), read_plainly(value, of));
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

#[test]
fn the_model_does_what_a_daemon_did() {
    let kind = schema::of_body(of_body("container-create")).expect("a body");
    for (body, made) in [
        (
            r#"{"HostConfig":{"Privileged":true},"HostConfig":{}}"#,
            r#"{"HostConfig":{"Privileged":true}}"#,
        ),
        (r#"{"HostConfig":{"Privileged":true},"HostConfig":null}"#, "{}"),
        (
            r#"{"HostConfig":{"Privileged":true,"Privileged":null}}"#,
            r#"{"HostConfig":{"Privileged":true}}"#,
        ),
        (r#"{"HoſtConfig":{"networKmode":"host"}}"#, r#"{"HostConfig":{"NetworkMode":"host"}}"#),
        (
            r#"{"HostConfig":{"Mounts":[{"Type":"bind","Source":"/"}],"Mounts":[{"Target":"/h2"}]}}"#,
            r#"{"HostConfig":{"Mounts":[{"Type":"bind","Source":"/","Target":"/h2"}]}}"#,
        ),
        (
            r#"{"HostConfig":{"Sysctls":{"a":"1"},"Sysctls":{}}}"#,
            r#"{"HostConfig":{"Sysctls":{"a":"1"}}}"#,
        ),
    ] {
        let json = Json::parse(body.as_bytes()).expect(body);
        let made: Value = serde_json::from_str(made).expect(made);
        assert_eq!(read_by_go(&json, kind), Some(made), "{body}");
    }
    let number = Json::parse(br#"{"HostConfig":{"Privileged":1}}"#).expect("JSON");
    assert_eq!(read_by_go(&number, kind), None);
}

fn of_body(name: &str) -> Operation {
    Operation::all().find(|operation| operation.name() == name).expect(name)
}

/// Documents that are near to what an operation takes, and often are not.
pub(super) fn documents(kind: &'static Kind, depth: usize) -> BoxedStrategy<Json> {
    let fitting = match kind {
        Kind::Nullable(kind) => documents(kind, depth),
        Kind::Bool => any::<bool>().prop_map(Json::Bool).boxed(),
        Kind::Integer(_) => prop_oneof![
            (0..70_000u32).prop_map(|n| Json::Number(n.into())),
            any::<i64>().prop_map(|n| Json::Number(n.into())),
        ]
        .boxed(),
        Kind::Float => numbers().boxed(),
        Kind::Words => prop_oneof![strings(), lists(strings())].boxed(),
        Kind::List(of) => lists(documents(of, depth)).boxed(),
        Kind::Pair => lists((0..9u8).prop_map(|n| Json::Number(n.into()))).boxed(),
        Kind::Map(of) if depth > 0 => {
            let entry = ("[a-cA-CſK]{1,2}", documents(of, depth - 1));
            prop::collection::vec(entry, 0..3).prop_map(Json::Object).boxed()
        }
        Kind::Object(of) if depth > 0 => {
            let fields: Vec<_> = of.all().collect();
            if fields.is_empty() {
                return Just(Json::Object(Vec::new())).boxed();
            }
            let entry = prop::sample::select(fields).prop_flat_map(move |field| {
                (spellings(field.name), documents(field.kind, depth - 1))
            });
            let unknown = ("[xX]{1,2}", anything());
            prop::collection::vec(prop_oneof![9 => entry, 1 => unknown], 0..6)
                .prop_map(Json::Object)
                .boxed()
        }
        _ => strings().boxed(),
    };
    prop_oneof![30 => fitting, 1 => anything(), 1 => Just(Json::Null)].boxed()
}

fn lists(of: impl Strategy<Value = Json> + 'static) -> impl Strategy<Value = Json> {
    prop::collection::vec(of, 0..3).prop_map(Json::List)
}

fn strings() -> impl Strategy<Value = Json> {
    "[a-c\"\\\\ſ\u{0}]{0,3}".prop_map(Json::String)
}

fn numbers() -> impl Strategy<Value = Json> {
    any::<f64>().prop_filter_map("finite", |n| Number::from_f64(n).map(Json::Number))
}

fn anything() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        strings(),
        numbers(),
        any::<u64>().prop_map(|n| Json::Number(n.into())),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let entry = ("[a-bA-B]{1}", inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Json::List),
            prop::collection::vec(entry, 0..3).prop_map(Json::Object),
        ]
    })
}

/// A name as somebody writes it: mostly as it is.
fn spellings(name: &'static str) -> impl Strategy<Value = String> {
    let folds = prop::collection::vec(0..12u8, name.len()).prop_map(move |how| {
        let letters = name.chars().zip(how).map(|(letter, how)| match (how, letter) {
            (0, 's' | 'S') => 'ſ',
            (0, 'k' | 'K') => '\u{212a}',
            (0, letter) => letter.to_ascii_uppercase(),
            (1, letter) => letter.to_ascii_lowercase(),
            (_, letter) => letter,
        });
        letters.collect()
    });
    prop_oneof![3 => Just(name.to_owned()), 1 => folds]
}

/// All bodies, each with the name of its operation.
pub(super) fn bodies() -> impl Strategy<Value = (Operation, Json)> {
    let operations: Vec<_> = Operation::all().filter(|of| Document::is_read_by(*of)).collect();
    let weighted: Vec<_> =
        operations.iter().chain([&of_body("container-create"); 12]).copied().collect();
    prop::sample::select(weighted).prop_flat_map(|operation| {
        let kind = schema::of_body(operation).expect("has one");
        (Just(operation), documents(kind, 5))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn what_is_accepted_is_read_as_the_daemon_reads_it((operation, sent) in bodies()) {
        let kind = schema::of_body(operation).expect("a body");
        let parse = |text: &str| Document::parse(text.as_bytes(), operation, UnknownFields::Pass);
        let text = sent.to_text();
        if let Ok(document) = parse(&text) {
            let by_go = read_by_go(&sent, kind);
            prop_assert!(by_go.is_some(), "Go would refuse {text}");
            // The client's bytes and those that are sent are the same to the daemon …
            prop_assert_eq!(&by_go, &read_by_go(document.json(), kind));
            // … and so is what a plugin reads.
            prop_assert_eq!(by_go, Some(read_plainly(document.json(), kind)));
            // It has come to rest.
            let again = parse(&document.to_text());
            prop_assert_eq!(again.map(|again| again.to_text()), Ok(document.to_text()));
        }
    }

    #[test]
    fn an_edit_leaves_what_parsing_would_leave((operation, sent) in bodies(), edits in edits()) {
        let text = sent.to_text();
        let parse = |text: &str| Document::parse(text.as_bytes(), operation, UnknownFields::Pass);
        if let Ok(mut document) = parse(&text) {
            for (pointer, value) in edits {
                let before = document.clone();
                let changed = match value {
                    Some(value) => document.set(&pointer, value),
                    None => document.remove(&pointer),
                };
                let Ok(changed) = changed else { return Ok(()) };
                prop_assert_eq!(changed, before != document);
                let again = parse(&document.to_text());
                prop_assert_eq!(again.map(|again| again.to_text()), Ok(document.to_text()));
            }
        }
    }
}

fn edits() -> impl Strategy<Value = Vec<(String, Option<Json>)>> {
    let step = prop::sample::select(vec![
        "HostConfig",
        "hoſtconfig",
        "CapAdd",
        "Binds",
        "-",
        "0",
        "Labels",
        "a",
        "A",
        "Memory",
        "x",
        "X",
        "Mounts",
        "TYPE",
        "ConsoleSize",
        "Privileged",
        "NetworkingConfig",
        "EndpointsConfig",
    ]);
    let pointer = prop::collection::vec(step, 0..4)
        .prop_map(|steps| steps.iter().flat_map(|step| ["/", *step]).collect());
    prop::collection::vec((pointer, prop::option::of(anything())), 1..6)
}

#[test]
fn no_struct_has_two_fields_that_fold_together() {
    let mut seen = Vec::new();
    let bodies = Operation::all().filter_map(schema::of_body);
    let mut kinds: Vec<_> = bodies.collect();
    while let Some(kind) = kinds.pop() {
        match kind {
            Kind::List(of) | Kind::Map(of) | Kind::Nullable(of) => kinds.push(of),
            Kind::Object(of) if !seen.iter().any(|known| std::ptr::eq(*known, *of)) => {
                seen.push(*of);
                let mut names: Vec<_> = of.all().map(|field| names::folded(field.name)).collect();
                let all = names.len();
                assert!(all <= 128, "each needs a bit: {of:?}");
                assert!(names.iter().all(|name| name.len() <= schema::LONGEST_NAME), "{of:?}");
                names.sort();
                names.dedup();
                assert_eq!(names.len(), all, "{of:?}");
                kinds.extend(of.all().map(|field| field.kind));
            }
            _ => {}
        }
    }
    assert!(seen.len() > 70, "{}", seen.len());
}
