//! The example in `examples/dockgate.yaml`.

use std::fs;

use dockgate::config::{self, report};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/dockgate.yaml");

/// Its text.
pub fn text() -> String {
    fs::read_to_string(EXAMPLE).unwrap()
}

#[test]
fn nothing_is_wrong_with_the_shape_of_the_example() {
    let read: config::Read =
        config::read_text("dockgate.yaml", text().as_bytes(), &|name| match name {
            "SLACK_TOKEN" => Ok("xoxb".to_owned()),
            _ => Err(std::env::VarError::NotPresent),
        });
    let said = report::text(&read.problems, &read.document, false);
    assert!(read.problems.all().is_empty(), "{said}");
    let config = read.content.unwrap();
    assert_eq!(config.chains.last().unwrap().plugins, [""; 0], "the last one refuses the rest");
}

#[test]
fn the_schema_is_one_and_takes_the_example_of_an_editor() {
    let schema = config::schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema.get("$id"), None);
    // An editor has no null to offer: what nobody wrote is left out.
    let text = schema.to_string();
    assert!(!text.contains("\"null\""), "{text}");
    assert!(
        schema["properties"]["chains"]["description"].as_str().unwrap().contains("first chain")
    );
}
