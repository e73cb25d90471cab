//! Readers of JSON that do not do all of what Go's decoder does. What they read is in the schema's
//! spelling, since who compares knows no other.

use dockgate::request::Json;
use serde_json::{Map, Value};

use crate::bodies;

/// A way to read a body, wrong in one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Names in another case are other names.
    Unfolded,
    /// Of two names that are one, the last counts, and nothing is kept of the first.
    Unmerged,
    /// Of two names that are one, the first counts.
    FirstWins,
}

impl Reader {
    pub const WRONG: [Self; 3] = [Self::Unfolded, Self::Unmerged, Self::FirstWins];

    /// What it reads; nothing where it is no JSON.
    pub fn read(self, text: &str) -> Option<Value> {
        let json = Json::parse(text.as_bytes()).ok()?;
        Some(self.value(&json))
    }

    fn value(self, json: &Json) -> Value {
        match json {
            Json::Object(entries) => {
                let mut fields = Map::new();
                for (name, value) in entries {
                    let name = self.name(name);
                    let value = self.value(value);
                    if self == Self::FirstWins && fields.contains_key(&name) {
                        continue;
                    }
                    fields.insert(name, value);
                }
                Value::Object(fields)
            }
            Json::List(items) => items.iter().map(|item| self.value(item)).collect(),
            other => serde_json::from_str(&other.to_text()).expect("JSON"),
        }
    }

    fn name(self, name: &str) -> String {
        let folded = name.replace('\u{17f}', "s").replace('\u{212a}', "k");
        let known = bodies::names().find(|known| known.eq_ignore_ascii_case(&folded));
        match known {
            Some(known) if self != Self::Unfolded => (*known).to_owned(),
            _ => name.to_owned(),
        }
    }
}
