//! Properties of documents, and of the model of Go that they are compared with.

use proptest::prelude::*;
use serde_json::{Number, Value};

use super::{
    Document, Json, UnknownFields,
    go::{assert_one_reading, read_by_go},
    names,
    schema::{self, Kind},
};
use crate::request::Operation;

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
            prop::collection::vec(entry, 0..3).prop_map(object).boxed()
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
                .prop_map(object)
                .boxed()
        }
        _ => strings().boxed(),
    };
    prop_oneof![30 => fitting, 1 => anything(), 1 => Just(Json::Null)].boxed()
}

fn lists(of: impl Strategy<Value = Json> + 'static) -> impl Strategy<Value = Json> {
    prop::collection::vec(of, 0..3).prop_map(Json::List)
}

fn object(entries: Vec<(String, Json)>) -> Json {
    Json::Object(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn strings() -> impl Strategy<Value = Json> {
    "[a-c\"\\\\ſ\u{0}]{0,3}".prop_map(|text: String| Json::String(text.into()))
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
            prop::collection::vec(entry, 0..3).prop_map(object),
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
        assert_one_reading(sent.to_text().as_bytes(), operation);
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
