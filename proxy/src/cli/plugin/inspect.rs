//! `dockgate plugin inspect`: what a plugin is, without running it.

use std::{fmt::Write as _, path::Path};

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::{say, size};
use crate::{
    error::Error,
    plugin::Source,
    plugin::{Grant, Interest, Manifest, Outline, ResponsePart, Standing, bundled, cache},
    policy::runtime,
};

/// Show what a plugin says of itself and what it wants, without running it.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Inspect {
    /// The plugin: bundled:NAME, or a component's file
    source: String,
    /// Show it as JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  dockgate plugin inspect my-policy.wasm
  dockgate plugin inspect bundled:tecnativa --json";

/// What there is to say of a plugin.
#[derive(Debug, Serialize)]
struct Report {
    manifest: Manifest,
    /// Of the plugin interface; none where the component is for another.
    interface: Option<String>,
    imports: Vec<Import>,
    exports: Vec<String>,
    /// Bytes of the component; of a bundled plugin, of what was compiled from it.
    size: usize,
    /// SHA-256 of the component; this binary has bundled ones compiled only.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

/// Something that it imports.
#[derive(Debug, Serialize)]
struct Import {
    name: String,
    /// What it must be granted for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<Grant>,
    /// Whether this dockgate has it at all.
    known: bool,
}

impl Inspect {
    pub(super) fn run(&self) -> Result<(), Error> {
        let wrong = |problem| Error::Plugin { plugin: self.source.clone(), problem };
        let report = match Source::from(self.source.as_str()) {
            Source::Bundled(name) => {
                let bundled = bundled::find(&name).map_err(wrong)?;
                let outline = Outline::of_bundled(&runtime()?, bundled).map_err(wrong)?;
                Report::new(bundled.manifest(), outline, bundled.code().size(), None)
            }
            elsewhere => {
                let path = elsewhere.file(cache::default_folder().as_deref()).map_err(wrong)?;
                of_file(&path).map_err(wrong)?
            }
        };
        if self.json {
            say(&format!("{}\n", serde_json::to_string_pretty(&report).unwrap_or_default()));
        } else {
            say(&report.text());
        }
        Ok(())
    }
}

fn of_file(path: &Path) -> Result<Report, String> {
    let component = cache::component(path)?;
    let manifest = Manifest::read(&mut std::io::Cursor::new(&component))?
        .unwrap_or_else(|| cache::named_after(path));
    let outline = Outline::read(&component)?;
    Ok(Report::new(manifest, outline, component.len(), Some(cache::digest(&component))))
}

impl Report {
    fn new(manifest: Manifest, outline: Outline, size: usize, digest: Option<String>) -> Self {
        let Outline { imports, exports } = outline;
        let ours = imports.iter().chain(&exports).find_map(|name| {
            Some(name.strip_prefix("dockgate:filter/")?.split_once('@')?.1.to_owned())
        });
        let import = |name: String| {
            let standing = Standing::of(&name);
            let grant = if let Standing::Granted(grant) = standing { Some(grant) } else { None };
            Import { name, grant, known: standing != Standing::Foreign }
        };
        let imports = imports.into_iter().map(import).collect();
        Self { manifest, interface: ours, imports, exports, size, digest }
    }

    fn text(&self) -> String {
        let Self { manifest, interface, size: bytes, .. } = self;
        let mut text = String::new();
        let mut section = |name: &str, lines: Vec<String>| {
            for (at, line) in lines.iter().enumerate() {
                // Writing to a String can't fail.
                let _ = writeln!(text, "{:<12} {line}", if at == 0 { name } else { "" });
            }
        };
        let one = |value: &str| if value.is_empty() { vec![] } else { vec![value.to_owned()] };
        section("name", one(format!("{} {}", manifest.name, manifest.version).trim_end()));
        section("", one(&manifest.description));
        let interface = interface.as_ref().map(|version| format!("dockgate:filter@{version}"));
        section("interface", vec![interface.unwrap_or("none of dockgate's".to_owned())]);
        let kind = if self.digest.is_some() { "" } else { " compiled, part of this binary" };
        section("size", vec![format!("{}{kind}", size(*bytes))]);
        section("sha256", self.digest.iter().cloned().collect());
        section("sees", manifest.interests.iter().map(interest).collect());
        section("grants", manifest.grants.iter().map(|grant| grant.word().to_owned()).collect());
        section("memory", manifest.memory_mib.iter().map(|mib| format!("{mib} MiB")).collect());
        section("environment", wrapped(&manifest.environment));
        section("settings", manifest.settings.as_ref().map(settings).unwrap_or_default());
        section("imports", imports(&self.imports));
        section("exports", self.exports.clone());
        text
    }
}

/// What it imports, without the names of what does nothing.
fn imports(imports: &[Import]) -> Vec<String> {
    let inert = |import: &&Import| Standing::of(&import.name) == Standing::Inert;
    let mut lines: Vec<_> =
        imports.iter().filter(|import| !inert(import)).map(Import::words).collect();
    match imports.iter().filter(inert).count() {
        0 => {}
        n => lines.push(format!("{n} interfaces of wasi:cli and wasi:io, which do nothing here")),
    }
    lines
}

impl Import {
    fn words(&self) -> String {
        let Self { name, grant, known } = self;
        match grant {
            Some(grant) => format!("{name} (with the grant {})", grant.word()),
            None if *known => name.clone(),
            None => format!("{name} (this dockgate does not have it)"),
        }
    }
}

/// What it wants to see of some operations.
fn interest(interest: &Interest) -> String {
    let mut parts = Vec::new();
    if interest.request_body {
        parts.push("the bodies of requests");
    }
    match interest.response {
        Some(ResponsePart::Head) => parts.push("the heads of answers"),
        Some(ResponsePart::Json) => parts.push("answers"),
        None => {}
    }
    if interest.items {
        parts.push("the values of streams");
    }
    format!("{}: {}", interest.operations.join(", "), parts.join(", "))
}

/// The settings that a JSON Schema describes: name, type, and the first line of what is said.
fn settings(schema: &Value) -> Vec<String> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    properties
        .iter()
        .map(|(name, property)| {
            let property = resolved(schema, property);
            let about = property["description"].as_str().unwrap_or_default();
            let about = about.lines().next().unwrap_or_default();
            format!("{name}: {}  {about}", kind(schema, property)).trim_end().to_owned()
        })
        .collect()
}

/// The schema that another refers to in the same document.
fn resolved<'s>(schema: &'s Value, property: &'s Value) -> &'s Value {
    let place = property["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
    place.and_then(|place| schema.pointer(place)).unwrap_or(property)
}

fn kind(schema: &Value, property: &Value) -> String {
    let property = resolved(schema, property);
    match &property["type"] {
        Value::String(kind) if kind == "array" => {
            format!("list of {}", kind_of(schema, &property["items"]))
        }
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        _ => choices(property).unwrap_or_else(|| "any".to_owned()),
    }
}

/// For what may hold itself: one level is enough to read.
fn kind_of(schema: &Value, items: &Value) -> String {
    let items = resolved(schema, items);
    items["type"].as_str().unwrap_or("any").to_owned()
}

/// The values of an enumeration.
fn choices(property: &Value) -> Option<String> {
    let constants = property["oneOf"].as_array()?.iter().map(|one| one["const"].as_str());
    constants.collect::<Option<Vec<_>>>().map(|words| words.join(" | "))
}

fn wrapped(names: &[String]) -> Vec<String> {
    names.chunks(6).map(|line| line.join(" ")).collect()
}
