//! Any text is read or refused, and a value from outside stays one value.

use std::{collections::BTreeMap, env::VarError};

use dockgate::config::{
    CertificateCondition, Chain, ClientCertificates, ClientCondition, Config, ContainerCondition,
    Isolation, Listener, ListenerTls, Plugin, Read, Span, Text, read_text, report, write,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{example, mistakes::read};

/// Reads a text with which nothing is wrong.
fn config(text: &str) -> Config {
    let read = read(text);
    assert!(
        read.problems.all().is_empty(),
        "{text}\n{}",
        report::text(&read.problems, &read.document, false)
    );
    read.content.unwrap()
}

#[test]
fn nothing_is_an_empty_configuration() {
    for text in ["", "\n", "# nothing\n", "---\n", "{}", "\u{feff}", "x-only: 1\n"] {
        assert_eq!(config(text), Config::default(), "{text:?}");
    }
}

#[test]
fn text_is_taken_as_it_is_written() {
    let config = config(
        "limits: { oldest-api: 1.40, body: 65536, connections: 4e3 }\n\
         listeners: { web: { address: a, mode: 0660 } }\n\
         plugins: { p: { source: s, environment: { A: 1, B: true, C: 1.0, D: 'x', E: no, F: \"\" },\n\
         \x20 settings: { a: 1, b: 1.5, c: true, d: null, e: '1', f: [], g: 18446744073709551615 } } }\n",
    );
    assert_eq!(config.limits.oldest_api, Some(Text("1.40".to_owned())));
    assert_eq!(config.limits.body.unwrap().to_string(), "64KiB");
    assert_eq!(config.limits.connections, Some(4000));
    assert_eq!(config.listeners["web"].mode.as_deref(), Some("0660"));
    let environment: Vec<_> = config.plugins["p"].environment.values().map(|v| &*v.0).collect();
    assert_eq!(environment, ["1", "true", "1.0", "x", "no", ""]);
    assert_eq!(
        Value::Object(config.plugins["p"].settings.clone()),
        json!({ "a": 1, "b": 1.5, "c": true, "d": null, "e": "1", "f": [], "g": u64::MAX })
    );
}

#[test]
fn a_value_from_outside_stays_one_value() {
    let hostile = "a\nlog: { level: debug }\n#";
    let text = "upstream: { address: \"${X}\" }\nlimits:\n  connections: ${N}\n  workers: ${W:-2}\n\
                plugins:\n  p:\n    source: ${X}\n    settings: { number: \"${N}\" }\n";
    let read: Read = read_text("dockgate.yaml", text.as_bytes(), &|name| match name {
        "X" => Ok(hostile.to_owned()),
        "N" => Ok("7".to_owned()),
        _ => Err(VarError::NotPresent),
    });
    assert!(read.problems.all().is_empty());
    let config = read.content.unwrap();
    assert_eq!(config.upstream.address.as_deref(), Some(hostile));
    assert_eq!(config.plugins["p"].source, hostile);
    assert_eq!(config.plugins["p"].settings["number"], "7", "what is in quotes is text");
    assert_eq!((config.limits.connections, config.limits.workers), (Some(7), Some(2)));
    assert_eq!(config.log.level, None);
}

#[test]
fn anchors_and_merges_are_followed() {
    let config = config(
        "x-usual: &usual { source: a.wasm, isolation: request }\n\
         plugins:\n  one: *usual\n  two:\n    <<: *usual\n    source: b.wasm\n  three:\n    \
         <<: [{ source: c.wasm }, *usual]\n",
    );
    let of = |name: &str| (config.plugins[name].source.as_str(), config.plugins[name].isolation);
    assert_eq!(of("one"), ("a.wasm", Isolation::Request));
    assert_eq!(of("two"), ("b.wasm", Isolation::Request));
    assert_eq!(of("three"), ("c.wasm", Isolation::Request));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        any::<String>(),
        prop::sample::select(vec![
            "",
            "true",
            "no",
            "~",
            "null",
            "1.40",
            "0660",
            "${A}",
            "$$",
            "$A",
            "a: b",
            "a #b",
            "- a",
            " a ",
            "a\n\nb\n",
            "\t",
            "<<",
            "x-a",
            "0x1f",
            ".inf",
            "'",
            "\"",
            "\\",
            "\u{feff}\u{85}",
            "\u{7f}\u{2028}",
            "&a",
            "*a",
            "!a",
            "%a",
            "@a",
            "`a",
            "{",
            "[",
            "?",
            ":",
            "a:",
            "|",
        ])
        .prop_map(str::to_owned),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1_000_000i32..1_000_000).prop_map(|n| json!(f64::from(n) / 64.0 + 0.001)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

prop_compose! {
    fn any_config()(
        names in prop::collection::vec(text(), 6),
        environment in prop::collection::btree_map(text(), text().prop_map(Text), 0..4),
        labels in prop::collection::btree_map(text(), text().prop_map(Text), 0..4),
        settings in prop::collection::btree_map(text(), json_value(), 0..4),
        paths in prop::option::of(prop::collection::vec(text(), 0..3)),
        user in prop::option::of(any::<u32>()),
        millis in prop::option::of(0u64..1_000_000_000),
    ) -> Config {
        let name = |at: usize| names[at].clone();
        let tls = ListenerTls {
            certificate: name(0).into(),
            key: name(1).into(),
            client_ca: None,
            clients: ClientCertificates::Optional,
        };
        let listener = Listener { address: name(2), tls: Some(tls), ..Listener::default() };
        let plugin = Plugin {
            source: name(3),
            settings: settings.into_iter().collect(),
            environment,
            isolation: Isolation::Request,
            ..Plugin::default()
        };
        let container = ContainerCondition { labels, ..ContainerCondition::default() };
        let client = ClientCondition {
            user,
            certificate: Some(CertificateCondition::default()),
            container: Some(container),
            ..ClientCondition::default()
        };
        let chain = Chain {
            name: name(4),
            clients: Some(vec![client, ClientCondition::default()]),
            paths,
            plugins: Vec::new(),
            ..Chain::default()
        };
        let mut config = Config {
            listeners: BTreeMap::from([(name(5), listener)]),
            plugins: BTreeMap::from([(name(0), plugin)]),
            chains: vec![chain],
            ..Config::default()
        };
        config.limits.grace = millis.map(|millis| Span(std::time::Duration::from_millis(millis)));
        config
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back(written in any_config()) {
        let yaml = write(&written);
        let read = read(&yaml);
        let said = report::text(&read.problems, &read.document, false);
        prop_assert!(read.problems.all().is_empty(), "{yaml}\n{said}");
        let (config, again) = (read.content.unwrap(), write(&written));
        prop_assert!(config == written, "{yaml}\n{config:#?}");
        prop_assert_eq!(yaml, again);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        for text in [text.as_bytes(), &bytes] {
            let read = read(text);
            prop_assert!(read.content.is_some() || read.problems.are_fatal());
            report::text(&read.problems, &read.document, true);
        }
    }

    #[test]
    fn a_broken_example_is_read_or_refused(
        start in 0usize..4000,
        length in 0usize..40,
        put in "[ \n\t:\\-\\[\\]{}\"'#&*!|>%@$a-c0-2,?<]{0,8}",
    ) {
        let mut text: Vec<char> = example::text().chars().collect();
        let start = start % text.len();
        let end = (start + length).min(text.len());
        text.splice(start..end, put.chars());
        let read = read(text.into_iter().collect::<String>());
        prop_assert!(read.content.is_some() || read.problems.are_fatal());
        let said = report::text(&read.problems, &read.document, false);
        // Whatever has gone wrong has words of ours.
        prop_assert!(!said.contains("still can't be read"), "{said}");
    }
}
