//! The schema beside the API's published definition: `definition/1.53.tsv`, which `definition/make.py`
//! made.

use std::collections::BTreeMap;

use super::{
    names,
    places::{self, Place},
    schema::{self, Kind},
};
use crate::request::Operation;

const PUBLISHED: &str = include_str!("definition/1.53.tsv");

/// What is published and no daemon reads so, by the beginnings of places, and what moby's structs have.
const MISTAKEN: [(&str, &str, &str); 3] = [
    ("container-update", "Init", "a field of HostConfig, not of Resources"),
    ("volume-create", "ClusterVolumeSpec/AccessMode/", "some stand beside AccessMode, not in it"),
    ("service-create", "TaskTemplate/PluginSpec/PluginPrivilege", "it is called privileges"),
];

#[test]
fn every_published_place_is_known_with_its_kind() {
    let mut known = BTreeMap::new();
    for operation in Operation::all() {
        let Some(kind) = schema::of_body(operation) else { continue };
        for Place { steps, kind, .. } in places::of(operation, kind) {
            known.insert((operation.name(), folded(&steps.join("/"))), kind);
        }
    }
    let mut count = 0;
    let mut differing = Vec::new();
    for line in PUBLISHED.lines() {
        let [operation, place, published] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let kind = |place: &str| known.get(&(operation, folded(place))).copied();
        let is_known = match (kind(place), place.strip_suffix("/[]")) {
            (Some(kind), _) => fits(kind, published),
            (None, Some(list)) => matches!(kind(list), Some(Kind::Words | Kind::Pair)),
            (None, None) => false,
        };
        let is_mistaken =
            || MISTAKEN.iter().any(|(of, begin, _)| *of == operation && place.starts_with(begin));
        if is_known {
            count += 1;
        } else if !is_mistaken() {
            differing.push(format!("{line}: {:?}", kind(place)));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(count > 700, "{count}");
}

fn folded(place: &str) -> String {
    names::folded(place).into_owned()
}

/// Whether the definition's word is for a kind.
fn fits(kind: &Kind, published: &str) -> bool {
    match kind {
        Kind::Any | Kind::Filters => published == "any",
        Kind::Bool => published == "bool",
        Kind::String => published == "string",
        Kind::Integer(_) => published == "integer",
        Kind::Float => published == "number",
        Kind::Words | Kind::List(_) | Kind::Pair => published == "list",
        Kind::Map(_) => published == "map",
        Kind::Object(_) => published == "struct",
        Kind::Nullable(kind) => fits(kind, published),
    }
}
