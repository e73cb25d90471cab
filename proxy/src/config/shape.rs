//! Whether the values of a file have the shape that a schema says, in words for who wrote it.

use std::collections::BTreeSet;

use jsonschema::{
    ValidationError,
    error::ValidationErrorKind::{AdditionalProperties, Maximum, Minimum, Required},
};
use serde_json::{Map, Value, json};

use super::{
    Document, Pointer, Problems, Size, Span,
    schema::{Shapes, keys, requires, types, words},
    tree::{Kind, Node},
};

/// What is left of a file without what is wrong with it.
pub(super) struct Remains {
    /// It has the shape.
    pub(super) value: Value,
    /// What was taken out, or stands there only to complete it.
    pub(super) blanks: Vec<Pointer>,
}

/// Reports all that is wrong with the shape, and gives the rest.
pub(super) fn check(
    schema: Value,
    root: &Node,
    document: &mut Document,
    problems: &mut Problems,
) -> Remains {
    let checker = Checker { shapes: Shapes(schema), root };
    let mut value = checker.shapes.value(root);
    let mut blanks = Vec::new();
    unavailable(root, &Pointer::root(), &mut blanks);
    let mut seen: BTreeSet<_> = blanks.iter().cloned().collect();
    for mistake in checker.mistakes(&value) {
        if seen.insert(mistake.of.clone()) {
            problems.wrong(&mistake.shown, mistake.message, &mistake.cure);
            if mistake.is_of_key {
                document.show_key(&mistake.shown);
            }
            blanks.push(mistake.of);
        }
    }
    // What is in a map is mended before the map itself is taken out.
    blanks.sort_by_key(|place| std::cmp::Reverse(place.steps().count()));
    for place in &blanks {
        checker.blank_out(place, &mut value);
    }
    Remains { value, blanks }
}

/// The places that need something from outside that can't be had.
fn unavailable(node: &Node, place: &Pointer, places: &mut Vec<Pointer>) {
    match &node.kind {
        Kind::Unavailable => places.push(place.clone()),
        Kind::Scalar(_) => {}
        Kind::List(items) => {
            for (number, item) in items.iter().enumerate() {
                unavailable(item, &place.then(number), places);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                unavailable(&entry.value, &place.then(&entry.key), places);
            }
        }
    }
}

struct Checker<'a> {
    shapes: Shapes,
    root: &'a Node,
}

/// Something that has the wrong shape.
struct Mistake {
    /// What is wrong, or is missing.
    of: Pointer,
    /// Where it is shown: something that is there.
    shown: Pointer,
    is_of_key: bool,
    message: String,
    cure: String,
}

impl Checker<'_> {
    fn mistakes(&self, value: &Value) -> Vec<Mistake> {
        let validator = jsonschema::options()
            .with_format("span", |text| text.parse::<Span>().is_ok())
            .with_format("size", |text| text.parse::<Size>().is_ok())
            .should_validate_formats(true)
            .build(&self.shapes.0);
        let Ok(validator) = validator else {
            // A test reads with it.
            return vec![mistake(Pointer::root(), "it can't be compared with the schema", "")];
        };
        let mut mistakes: Vec<_> =
            validator.iter_errors(value).flat_map(|error| self.explained(&error)).collect();
        // Who misspelt a key has not forgotten it.
        let meant: Vec<_> = mistakes.iter().filter_map(|mistake| self.key_meant(mistake)).collect();
        mistakes.retain(|mistake| !meant.contains(&mistake.of));
        mistakes
    }

    fn explained(&self, error: &ValidationError) -> Vec<Mistake> {
        let place = Pointer::from(error.instance_path().as_str().to_owned());
        match error.kind() {
            AdditionalProperties { unexpected } => {
                unexpected.iter().map(|key| self.unknown_key(&place, key)).collect()
            }
            Required { property } => {
                vec![self.missing_key(place, property.as_str().unwrap_or_default())]
            }
            Minimum { limit } => vec![self.out_of_range(place, &format!("{limit} or more"))],
            Maximum { limit } => vec![self.out_of_range(place, &format!("{limit} at most"))],
            _ => vec![self.unfit(place)],
        }
    }

    fn unknown_key(&self, place: &Pointer, key: &str) -> Mistake {
        let of = place.then(key);
        let schema = self.shapes.at(place).unwrap_or(&Value::Null);
        let known = keys(schema);
        let (mut message, mut cure) = (format!("unknown key {}", shortened(key)), String::new());
        let homes = self.shapes.homes(key);
        if let Some(meant) = key_like(key, &known).filter(|_| homes.is_empty()) {
            message = format!("{message}: did you mean {meant:?}?");
        } else if let Some(first) = homes.first() {
            let rest = homes.get(1).map(|home| format!(" or {}", home_named(home)));
            cure = format!("it belongs {}{}", home_named(first), rest.unwrap_or_default());
        } else {
            cure = format!("there is {}", listed(&known, "and"));
        }
        Mistake { is_of_key: true, ..mistake(of, message, cure) }
    }

    /// The place of the key that a misspelt one is meant to be.
    fn key_meant(&self, mistake: &Mistake) -> Option<Pointer> {
        let (parent, key) = (mistake.of.parent()?, mistake.of.steps().last()?);
        if !mistake.is_of_key || !self.shapes.homes(&key).is_empty() {
            return None;
        }
        Some(parent.then(key_like(&key, &keys(self.shapes.at(&parent)?))?))
    }

    fn missing_key(&self, place: Pointer, key: &str) -> Mistake {
        let of = place.then(key);
        let whole = self.shapes.at(&place).and_then(|schema| schema.get("properties")?.get(key));
        let described = whole.and_then(|schema| schema.get("description")?.as_str());
        let described = described.unwrap_or_default().replace('\n', " ");
        let message = format!("{} has no {key:?}", self.named(&place));
        let cure = format!("add {key}. {described}");
        Mistake { shown: place, ..mistake(of, message, cure.trim_end()) }
    }

    fn out_of_range(&self, place: Pointer, range: &str) -> Mistake {
        let (name, written) = (self.named(&place), self.written(&place));
        mistake(place, format!("{name} wants {range}, and is {written}"), "")
    }

    /// A value of another kind than is wanted, or not one of those that are possible.
    fn unfit(&self, place: Pointer) -> Mistake {
        let schema = self.shapes.at(&place).unwrap_or(&Value::Null);
        let (name, written) = (self.named(&place), self.written(&place));
        if written == NOTHING {
            let is_needed = place
                .parent()
                .and_then(|parent| self.shapes.at(&parent))
                .is_some_and(|schema| requires(schema, &place.steps().last().unwrap_or_default()));
            let or = if is_needed { "" } else { ", or leave it out" };
            let message = format!("{name} has no value");
            return mistake(place, message, format!("write {}{or}", wanted(schema)));
        }
        let message = format!("{name} wants {}, and is {written}", wanted(schema));
        let cure = self.cure(&place, schema);
        mistake(place, message, cure)
    }

    fn cure(&self, place: &Pointer, schema: &Value) -> String {
        let Some(node) = self.root.at(place) else { return String::new() };
        let text = match &node.kind {
            Kind::Scalar(scalar) => scalar.substituted.is_none().then_some(scalar.text.as_str()),
            _ => None,
        };
        let possible = words(schema);
        if let Some(meant) = text.and_then(|text| word_like(text, &possible)) {
            return format!("did you mean {meant:?}?");
        }
        match schema.get("format").and_then(Value::as_str) {
            Some("span") => {
                let digits = text.filter(|text| text.chars().all(|c| c.is_ascii_digit()));
                return digits.map_or(Span::EXAMPLES.to_owned(), |text| format!("write {text}s"));
            }
            Some("size") => return Size::EXAMPLES.to_owned(),
            _ => {}
        }
        match (types(schema).as_slice(), &node.kind) {
            (["array"], Kind::Scalar(_)) => {
                text.map(|text| format!("write [{}]", shortened_plain(text))).unwrap_or_default()
            }
            (["array"], _) => "begin each item with -".to_owned(),
            (["object"], Kind::List(_)) if keys(schema).is_empty() => {
                "give each a name of its own, and write it with a : in the place of the -"
                    .to_owned()
            }
            (["object"], _) if keys(schema).is_empty() => {
                "write names with a :, and what belongs to each below it, indented".to_owned()
            }
            (["object"], Kind::Scalar(_)) if only_required(schema).is_some() => {
                let key = only_required(schema).unwrap_or_default();
                let text = shortened_plain(text.unwrap_or("…"));
                format!("write {key}: {text} in the next line, indented")
            }
            (["object"], _) => format!("it has the keys {}", listed(&keys(schema), "and")),
            (["string", ..], _) => "write one text".to_owned(),
            (["integer"], _) => "write digits alone, such as 100".to_owned(),
            _ => String::new(),
        }
    }

    /// A place in words: `"address"`, `item 2 of "plugins"`.
    fn named(&self, place: &Pointer) -> String {
        let Some(last) = place.steps().last() else { return "the file".to_owned() };
        let parent = place.parent().unwrap_or_default();
        match self.root.at(&parent).map(|node| &node.kind) {
            Some(Kind::List(_)) => {
                let number = last.parse::<usize>().unwrap_or_default() + 1;
                format!("item {number} of {}", self.named(&parent))
            }
            _ => shortened(&last),
        }
    }

    /// What is written at a place, without what came from outside.
    fn written(&self, place: &Pointer) -> String {
        match self.root.at(place).map(|node| &node.kind) {
            Some(Kind::List(_)) => "a list".to_owned(),
            Some(Kind::Map(_)) => "a map".to_owned(),
            Some(Kind::Scalar(scalar)) => match &scalar.substituted {
                Some(found) => shortened(&found.written),
                None if scalar.plain
                    && ["", "~", "null", "Null", "NULL"].contains(&&*scalar.text) =>
                {
                    NOTHING.to_owned()
                }
                None => shortened(&scalar.text),
            },
            Some(Kind::Unavailable) | None => NOTHING.to_owned(),
        }
    }

    /// Takes out what is wrong. Where something must stand, it is replaced by what says nothing.
    fn blank_out(&self, place: &Pointer, value: &mut Value) {
        let (Some(parent), Some(last)) = (place.parent(), place.steps().last()) else {
            *value = json!({});
            return;
        };
        let inner = self.shapes.at(&parent);
        let blank = || self.shapes.at(place).map_or(Value::Null, |schema| self.blank(schema));
        match value.pointer_mut(parent.as_str()) {
            Some(Value::Object(entries)) => {
                let is_known = inner.is_some_and(|schema| keys(schema).contains(&&*last));
                let has_names = inner.is_some_and(|schema| {
                    schema.get("additionalProperties").is_some_and(Value::is_object)
                });
                if has_names || is_known && inner.is_some_and(|schema| requires(schema, &last)) {
                    entries.insert(last, blank());
                } else {
                    entries.remove(&last);
                }
            }
            Some(Value::Array(items)) => {
                let item = last.parse().ok().and_then(|number: usize| items.get_mut(number));
                if let Some(item) = item {
                    *item = blank();
                }
            }
            _ => {}
        }
    }

    fn blank(&self, schema: &Value) -> Value {
        if let Some(word) = words(schema).first() {
            return json!(word);
        }
        match types(schema).first() {
            Some(&"string") => json!(""),
            Some(&("integer" | "number")) => json!(0),
            Some(&"boolean") => json!(false),
            Some(&"array") => json!([]),
            Some(&"object") => {
                let required = keys(schema).into_iter().filter(|key| requires(schema, key));
                let entry = |key: &str| {
                    let inner = self.shapes.step(schema, key);
                    (key.to_owned(), inner.map_or(Value::Null, |schema| self.blank(schema)))
                };
                Value::Object(required.map(entry).collect::<Map<_, _>>())
            }
            _ => Value::Null,
        }
    }
}

fn mistake(of: Pointer, message: impl Into<String>, cure: impl Into<String>) -> Mistake {
    let (message, cure) = (message.into(), cure.into());
    Mistake { shown: of.clone(), of, is_of_key: false, message, cure }
}

const NOTHING: &str = "nothing";

/// The kind of value that a place wants.
fn wanted(schema: &Value) -> String {
    let possible = words(schema);
    if !possible.is_empty() {
        return listed(&possible, "or");
    }
    match schema.get("format").and_then(Value::as_str) {
        Some("span") => return "a length of time".to_owned(),
        Some("size") => return "a number of bytes".to_owned(),
        _ => {}
    }
    match types(schema).first() {
        Some(&"string") => "text",
        Some(&"integer") => "a whole number",
        Some(&"number") => "a number",
        Some(&"boolean") => "true or false",
        Some(&"array") => "a list",
        Some(&"object") => "a map",
        _ => "something else",
    }
    .to_owned()
}

/// The key that must be there, where it is one.
fn only_required(schema: &Value) -> Option<&str> {
    let required: Vec<_> = keys(schema).into_iter().filter(|key| requires(schema, key)).collect();
    if let [one] = required.as_slice() { Some(one) } else { None }
}

/// How alike a misspelt word must be to what is meant, of 1.
const ALIKE: f64 = 0.6;

/// The key that is probably meant. Other programs write it with `_`, or in capitals.
fn key_like<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let letters = |key: &str| key.replace(['-', '_'], "").to_lowercase();
    let same = known.iter().find(|other| letters(other) == letters(key));
    let longer = known.iter().find(|other| key.len() > 2 && other.starts_with(key));
    same.copied().or_else(|| word_like(key, known)).or_else(|| longer.copied())
}

fn word_like<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word: String = word.to_lowercase().chars().take(100).collect();
    let likeness = |other: &&str| strsim::normalized_damerau_levenshtein(&word, other);
    let ranked = known.iter().map(|other| (likeness(other), *other));
    ranked
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, other)| other)
}

fn home_named(home: &str) -> String {
    if home.is_empty() { "at the top of the file".to_owned() } else { format!("in {home}") }
}

/// `a, b or c`
fn listed(words: &[&str], last: &str) -> String {
    match words {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}

/// How much of a text is shown.
const SHOWN: usize = 60;

fn shortened(text: &str) -> String {
    format!("{:?}", shortened_plain(text))
}

fn shortened_plain(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
