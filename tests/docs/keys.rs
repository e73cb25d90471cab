//! The keys of the configuration file, by the schema that the program prints.

use std::process::Command;

use serde_json::Value;

use crate::session::environment;

/// The keys of a map of the file.
pub struct Section {
    /// Where it is: `listeners.NAME.tls`, `chains[]`.
    pub name: String,
    /// The rows of its table: key, kind of value, what it is.
    pub rows: Vec<[String; 3]>,
}

/// The sections, from the outside in.
pub fn sections() -> Vec<Section> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dockgate"));
    command.env_clear().envs(environment(folder.path())).args(["config", "schema"]);
    let printed = command.output().unwrap().stdout;
    let schema: Value = serde_json::from_slice(&printed).unwrap();
    let mut sections = Vec::new();
    collect("", &schema, &schema, &mut sections);
    sections
}

fn collect(place: &str, schema: &Value, root: &Value, sections: &mut Vec<Section>) {
    let schema = resolved(schema, root);
    let dot = if place.is_empty() { "" } else { "." };
    let keys = schema["properties"].as_object();
    if let Some(keys) = keys {
        let needed = |key: &str| {
            let required = schema["required"].as_array();
            required.is_some_and(|required| required.iter().any(|name| name == key))
        };
        let row = |(key, value): (&String, &Value)| {
            let needed = if needed(key) { ", *needed*" } else { "" };
            let described = value["description"].as_str().unwrap().replace('\n', " ");
            [format!("`{key}`"), format!("{}{needed}", kind(value, root)), described]
        };
        let name = if place.is_empty() { "the file" } else { place }.to_owned();
        sections.push(Section { name, rows: keys.iter().map(row).collect() });
    }
    for (key, value) in keys.into_iter().flatten() {
        collect(&format!("{place}{dot}{key}"), value, root, sections);
    }
    if schema["additionalProperties"].is_object() {
        collect(&format!("{place}.NAME"), &schema["additionalProperties"], root, sections);
    }
    if schema["items"].is_object() {
        collect(&format!("{place}[]"), &schema["items"], root, sections);
    }
}

/// The kind of a value, in the words of the page.
fn kind(schema: &Value, root: &Value) -> String {
    let schema = resolved(schema, root);
    let words = schema["oneOf"].as_array().into_iter().flatten();
    let words: Vec<_> = words.map(|one| format!("`{}`", one["const"].as_str().unwrap())).collect();
    if !words.is_empty() {
        return words.join(" or ");
    }
    let types = match &schema["type"] {
        Value::Array(types) => types[0].as_str(),
        one => one.as_str(),
    };
    let word = match (schema["format"].as_str(), types) {
        (Some("span"), _) => "time",
        (Some("size"), _) => "size",
        (_, Some("string")) => "text",
        (_, Some("integer")) => "number",
        (_, Some("array")) => "list",
        (_, Some("object")) => "map",
        other => panic!("what is {other:?}?"),
    };
    word.to_owned()
}

fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => root.pointer(name.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}
