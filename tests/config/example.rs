//! The example in `examples/dockgate.yaml`.

use std::{fs, path::Path};

use dockgate::{
    config::{self, Problems, report},
    settings,
};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/dockgate.yaml");

/// Its text.
pub fn text() -> String {
    fs::read_to_string(EXAMPLE).unwrap()
}

#[test]
fn nothing_is_wrong_with_the_example() {
    let read = config::read_text("dockgate.yaml", text().as_bytes(), &|name| match name {
        "SLACK_TOKEN" => Ok("xoxb".to_owned()),
        _ => Err(std::env::VarError::NotPresent),
    });
    let said = report::text(&read.problems, &read.document, false);
    assert!(read.problems.all().is_empty(), "{said}");
    let config = read.config.unwrap();
    // Only the certificates are not there.
    let mut problems = Problems::default();
    let meant = settings::mean(&config, Path::new(""), &mut problems);
    let wrong: Vec<_> = problems.all().iter().map(|problem| &*problem.message).collect();
    let missing = |words: &&str| words.starts_with("/etc/dockgate/") && words.contains("No such");
    assert!(meant.is_none() && wrong.iter().all(missing), "{wrong:?}");
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
