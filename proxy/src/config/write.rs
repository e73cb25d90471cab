//! Writing a configuration as YAML.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};

use super::{Config, Document, Pointer, Size, Span};
use crate::plugin::Source;

const HEADER: &str = "\
# The configuration of dockgate. `dockgate check FILE` says what is wrong with it, and
# `dockgate config schema` prints the schema for editors.
";

/// The YAML of a configuration. It reads back to an equal one.
pub fn write(config: &Config) -> String {
    Writer { from_outside: &|_| None, text: HEADER.to_owned() }.write(config)
}

/// The same, with what came from outside as the file names it: `${NAME}`.
pub fn write_as_written(config: &Config, document: &Document) -> String {
    let from_outside = |place: &Pointer| {
        let written = document.written(place)?;
        let is_one_line = !written.text.contains(char::is_control);
        let stays_plain = written.plain && is_one_line;
        Some(if stays_plain { written.text.to_owned() } else { quoted(written.text) })
    };
    Writer { from_outside: &from_outside, text: HEADER.to_owned() }.write(config)
}

/// The same for one that was not in a file, with variables of the environment that plugins see in
/// the place of their values. Those of the plugins in this binary are no secrets.
pub fn write_without_values(config: &Config) -> String {
    let from_outside = |place: &Pointer| {
        let steps: Vec<_> = place.steps().collect();
        let [plugins, plugin, environment, name] = steps.as_slice() else { return None };
        let is_variable = plugins == "plugins" && environment == "environment";
        let plugin = config.plugins.get(plugin).filter(|_| is_variable)?;
        let is_bundled = Source::from(plugin.source.as_str()).is_bundled();
        (!is_bundled).then(|| quoted(&format!("${{{name}}}")))
    };
    Writer { from_outside: &from_outside, text: HEADER.to_owned() }.write(config)
}

/// A value whose maps are in the order in which they were made: that of the fields.
enum Ordered {
    Scalar(serde_json::Value),
    List(Vec<Ordered>),
    Map(Vec<(String, Ordered)>),
}

struct Writer<'a> {
    /// What stands where a value came from outside.
    from_outside: &'a dyn Fn(&Pointer) -> Option<String>,
    text: String,
}

impl Writer<'_> {
    fn write(mut self, config: &Config) -> String {
        // Keys are strings and numbers are finite: nothing of it can fail.
        let json = serde_json::to_string(config).unwrap_or_default();
        let Ok(Ordered::Map(entries)) = serde_json::from_str(&json) else { return self.text };
        for (key, value) in entries.into_iter().filter(|(_, value)| !value.is_empty()) {
            self.text.push('\n');
            self.entry(&key, &value, &Pointer::root(), 0);
        }
        self.text
    }

    fn entry(&mut self, key: &str, value: &Ordered, within: &Pointer, depth: usize) {
        self.text += &scalar(key);
        self.text.push(':');
        let place = within.then(key);
        if value.is_empty() || matches!(value, Ordered::Scalar(_)) {
            self.text.push(' ');
            self.value(value, &place, depth);
        } else {
            self.text.push('\n');
            self.indent(depth + 1);
            self.value(value, &place, depth + 1);
        }
    }

    /// Writes a value at this depth, where the cursor is already.
    fn value(&mut self, value: &Ordered, place: &Pointer, depth: usize) {
        match value {
            Ordered::List(items) if items.is_empty() => self.text += "[]\n",
            Ordered::Map(entries) if entries.is_empty() => self.text += "{}\n",
            Ordered::List(items) => {
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        self.indent(depth);
                    }
                    self.text += "- ";
                    self.value(item, &place.then(number), depth + 1);
                }
            }
            Ordered::Map(entries) => {
                for (number, (key, value)) in entries.iter().enumerate() {
                    if number > 0 {
                        self.indent(depth);
                    }
                    self.entry(key, value, place, depth);
                }
            }
            Ordered::Scalar(value) => {
                self.text += &self.scalar_at(value, place);
                self.text.push('\n');
            }
        }
    }

    fn scalar_at(&self, value: &serde_json::Value, place: &Pointer) -> String {
        if let Some(written) = (self.from_outside)(place) {
            return written;
        }
        match value {
            // A dollar would begin a variable.
            serde_json::Value::String(text) => scalar(&text.replace('$', "$$")),
            other => other.to_string(),
        }
    }

    fn indent(&mut self, depth: usize) {
        self.text.extend(std::iter::repeat_n("  ", depth));
    }
}

impl Ordered {
    fn is_empty(&self) -> bool {
        match self {
            Self::Scalar(_) => false,
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
        }
    }
}

/// A text, in quotes unless everybody takes it for this text without them.
fn scalar(text: &str) -> String {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_-.:@+".contains(c);
    // YAML 1.1 takes more words for true and false than 1.2 does.
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_word = words.iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_measure = text.parse::<Span>().is_ok() || text.parse::<Size>().is_ok();
    let is_measure = is_measure && text.ends_with(|c: char| c.is_ascii_alphabetic());
    if is_measure || begins && text.chars().all(is_plain) && !text.ends_with(':') && !is_word {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A text in double quotes, whose escapes are those of JSON and more.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            c if is_shown(c) => quoted.push(c),
            c => quoted.extend(format!("\\U{:08x}", u32::from(c)).chars()),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether YAML takes a character as it is, and people see it.
fn is_shown(c: char) -> bool {
    let is_odd = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    !c.is_control() && !is_odd
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(OrderedVisitor)
    }
}

struct OrderedVisitor;

impl<'de> Visitor<'de> for OrderedVisitor {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(serde_json::Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Ordered, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Ordered::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Ordered, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Ordered::Map(map))
    }
}
