//! Places in a document, by JSON pointer (RFC 6901).

use compact_str::CompactString;

use super::{
    ANY, DEEPEST, Document, Json, Misread, UnknownFields, names,
    schema::{Field, Kind, Struct},
    shape::{self, Fault, short},
};

/// Why something can't be put at, or taken from, a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPointer {
    /// It does not begin with `/`.
    #[error("{0:?} is no JSON pointer")]
    Form(String),
    /// On the way there is a value that has nothing in it, or a list has no such item.
    #[error("there is no place {0:?} in the body")]
    NoPlace(String),
    /// The daemon does not take the value there, or in more than one way.
    #[error("it puts something at {0:?} that the daemon can't read in one way: {1}")]
    Misread(String, Misread),
}

/// What keys lead to.
#[derive(Clone, Copy)]
enum Keys {
    /// Fields of a struct.
    Fields(&'static Struct),
    /// Values of one kind, by keys of the user's.
    Users(&'static Kind),
    /// Nobody knows; names are compared as those of fields.
    Unknown,
}

static STRING: Kind = Kind::String;
static NUMBER: Kind = Kind::Integer(super::schema::Width::Bits64);

impl Document {
    /// What is at a place. None where there is nothing.
    pub fn at(&self, pointer: &str) -> Option<&Json> {
        let mut at = (&self.json, self.kind);
        for step in steps(pointer).ok()? {
            at = match at.0 {
                Json::Object(entries) => {
                    let keys = at.1.keys();
                    let place = keys.find(entries, &step)?;
                    (&entries[place].1, keys.below(&step))
                }
                Json::List(items) => (items.get(index(&step)?)?, at.1.items()),
                _ => return None,
            };
        }
        Some(at.0)
    }

    /// Puts a value at a place, making the objects on the way; `-` appends to a list. Says whether
    /// anything is different now. In a field `null` is nothing, so that it is removed.
    ///
    /// # Errors
    /// Where there is no such place, or the value has not one form there.
    pub fn set(&mut self, pointer: &str, mut value: Json) -> Result<bool, BadPointer> {
        let steps: Vec<_> = steps(pointer)?.collect();
        let misread = |misread| BadPointer::Misread(short(pointer), misread);
        if steps.len() + value.depth() >= DEEPEST {
            return Err(misread(Fault::Deep.into()));
        }
        if !self.shape(&steps, &mut value).map_err(misread)? {
            return self.remove(pointer);
        }
        let is_new = self.at(pointer).is_none();
        let place = place(&mut self.json, self.kind, &steps)
            .ok_or_else(|| BadPointer::NoPlace(short(pointer)))?;
        let differs = is_new || *place != value;
        *place = value;
        Ok(differs)
    }

    /// Removes what is at a place, if there is something, and says whether there was.
    ///
    /// # Errors
    /// Where the pointer is none.
    pub fn remove(&mut self, pointer: &str) -> Result<bool, BadPointer> {
        let steps: Vec<_> = steps(pointer)?.collect();
        let (Some((last, way)), Some((parent, _))) = (steps.split_last(), pointer.rsplit_once('/'))
        else {
            return Err(BadPointer::Form(short(pointer)));
        };
        if self.at(parent).is_none() {
            return Ok(false);
        }
        let keys = kind_at(self.kind, way).keys();
        Ok(match place(&mut self.json, self.kind, way) {
            Some(Json::Object(entries)) => {
                let place = keys.find(entries, last);
                place.map(|place| entries.remove(place)).is_some()
            }
            Some(Json::List(items)) => {
                let place = index(last).filter(|index| *index < items.len());
                place.map(|place| items.remove(place)).is_some()
            }
            _ => false,
        })
    }

    /// Brings a value to the form that it has at a place, and says whether it is anything there.
    fn shape(&self, steps: &[String], value: &mut Json) -> Result<bool, Misread> {
        let Some((last, way)) = steps.split_last() else {
            return shape::shape(value, self.kind, self.unknown).map(|()| true);
        };
        let mut kind = self.kind;
        for step in way {
            kind = kind.step(step, self.unknown)?;
        }
        if let Some(field) = kind.keys().field(last, self.unknown)? {
            return shape::shape_field(value, field, self.unknown);
        }
        let below = kind.step(last, self.unknown)?;
        let inside = if kind.is_list() { shape::shape_listed } else { shape::shape_item };
        inside(value, below, self.unknown).map(|()| true)
    }
}

impl Kind {
    /// Whose the keys are of an object that stands here.
    fn keys(&'static self) -> Keys {
        match self {
            Self::Object(of) => Keys::Fields(of),
            Self::Map(of) => Keys::Users(of),
            Self::Nullable(kind) => kind.keys(),
            _ => Keys::Unknown,
        }
    }

    fn is_list(&self) -> bool {
        match self {
            Self::List(_) | Self::Words | Self::Pair => true,
            Self::Nullable(kind) => kind.is_list(),
            _ => false,
        }
    }

    /// What stands in a list here.
    fn items(&'static self) -> &'static Kind {
        match self {
            Self::List(of) => of,
            Self::Words => &STRING,
            Self::Pair => &NUMBER,
            Self::Nullable(kind) => kind.items(),
            _ => &ANY,
        }
    }

    /// What stands at a step below, in an object or a list.
    fn below(&'static self, step: &str) -> &'static Kind {
        if self.is_list() { self.items() } else { self.keys().below(step) }
    }

    /// The same, refusing what must not stand there.
    fn step(&'static self, step: &str, unknown: UnknownFields) -> Result<&'static Kind, Misread> {
        match self.keys().field(step, unknown)? {
            Some(Field { name, belongs_in: Some(belongs_in), .. }) => {
                Err(Fault::Beside { name, belongs_in }.into())
            }
            Some(field) => Ok(field.kind),
            None => Ok(self.below(step)),
        }
    }
}

impl Keys {
    fn field(self, key: &str, unknown: UnknownFields) -> Result<Option<&'static Field>, Misread> {
        let Self::Fields(of) = self else { return Ok(None) };
        match of.field(key) {
            None if unknown == UnknownFields::Refuse => Err(Fault::Unknown(short(key)).into()),
            field => Ok(field),
        }
    }

    fn below(self, key: &str) -> &'static Kind {
        match self {
            Self::Fields(of) => of.field(key).map_or(&ANY, |field| field.kind),
            Self::Users(of) => of,
            Self::Unknown => &ANY,
        }
    }

    /// Where in an object a key stands.
    fn find(self, entries: &[(CompactString, Json)], wanted: &str) -> Option<usize> {
        if let Self::Users(_) = self {
            return entries.iter().position(|(key, _)| key == wanted);
        }
        let wanted = names::folded(wanted);
        entries.iter().position(|(key, _)| names::folded(key) == wanted)
    }

    /// A key as it is sent.
    fn spelt(self, key: &str) -> CompactString {
        match self {
            Self::Fields(of) => of.field(key).map_or(key, |field| field.name).into(),
            Self::Users(_) | Self::Unknown => key.into(),
        }
    }
}

fn kind_at(kind: &'static Kind, steps: &[String]) -> &'static Kind {
    steps.iter().fold(kind, |kind, step| kind.below(step))
}

/// The place, made where it is not there yet.
fn place<'a>(json: &'a mut Json, kind: &'static Kind, steps: &[String]) -> Option<&'a mut Json> {
    let (mut at, mut kind) = (json, kind);
    for step in steps {
        if *at == Json::Null {
            *at = kind.made(step)?;
        }
        at = match at {
            Json::Object(entries) => made(entries, kind.keys(), step),
            Json::List(items) => {
                if step == "-" && matches!(kind, Kind::Pair) && items.len() >= 2 {
                    return None;
                }
                if step == "-" {
                    items.push(Json::Null);
                }
                let last = items.len().checked_sub(1);
                items.get_mut(if step == "-" { last? } else { index(step)? })?
            }
            _ => return None,
        };
        kind = kind.below(step);
    }
    Some(at)
}

impl Kind {
    /// What is made where nothing is, for a step below it.
    fn made(&self, step: &str) -> Option<Json> {
        match self {
            Self::Nullable(kind) => kind.made(step),
            Self::Any | Self::List(_) | Self::Words | Self::Pair if step == "-" => {
                Some(Json::List(Vec::new()))
            }
            Self::Any | Self::Map(_) | Self::Object(_) => Some(Json::Object(Vec::new())),
            _ => None,
        }
    }
}

/// The value of a key in an object, made where it is not there yet.
fn made<'a>(entries: &'a mut Vec<(CompactString, Json)>, keys: Keys, key: &str) -> &'a mut Json {
    let place = keys.find(entries, key).unwrap_or_else(|| {
        entries.push((keys.spelt(key), Json::Null));
        entries.len() - 1
    });
    &mut entries[place].1
}

fn steps(pointer: &str) -> Result<impl Iterator<Item = String>, BadPointer> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Err(BadPointer::Form(short(pointer)));
    }
    Ok(pointer.split('/').skip(1).map(unescaped))
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with(['0', '+']);
    step.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Operation;

    fn document(text: &str) -> Document {
        let create = Operation::all().find(|one| one.name() == "container-create").unwrap();
        Document::parse(text.as_bytes(), create, UnknownFields::Pass).unwrap()
    }

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_place_is_found_as_the_daemon_would_find_it() {
        let body = document(
            r#"{"HostConfig":{"Binds":["/a:/b"],"unheard":1},"Labels":{"team":"web","Team":"x","a/b":"~"}}"#,
        );
        for (pointer, found) in [
            ("/hostconfig/binds/0", Some(r#""/a:/b""#)),
            ("/HostConfig/UNHEARD", Some("1")),
            ("/Labels/team", Some(r#""web""#)),
            ("/labels/Team", Some(r#""x""#)),
            ("/Labels/TEAM", None),
            ("/Labels/a~1b", Some(r#""~""#)),
            ("/HostConfig/Binds/1", None),
            ("/HostConfig/Binds/00", None),
            ("/HostConfig/Binds/-", None),
            ("/HostConfig/Binds/0/x", None),
            ("HostConfig", None),
        ] {
            assert_eq!(body.at(pointer).map(Json::to_text).as_deref(), found, "{pointer}");
        }
        assert_eq!(body.at(""), Some(body.json()));
    }

    #[test]
    fn a_value_is_put_where_the_daemon_will_read_it() {
        let mut body = document(r#"{"hostconfig":{"memory":1},"Labels":null}"#);
        for (pointer, value, differs) in [
            ("/HostConfig/Memory", "2", true),
            ("/HostConfig/Memory", "2", false),
            ("/HostConfig/capdrop", r#""ALL""#, true),
            ("/HostConfig/CapDrop", r#"["ALL"]"#, false),
            ("/HostConfig/CapDrop/-", r#""X""#, true),
            ("/Labels/team", r#""web""#, true),
            ("/Labels/Team", r#""x""#, true),
            ("/HostConfig/Binds/-", r#""a:b""#, true),
            ("/HostConfig/Mounts/-", r#"{"type":"bind","bindoptions":null}"#, true),
            ("/HostConfig/Privileged", "null", false),
            ("/HostConfig/Runtime", r#""runc""#, true),
            ("/HostConfig/runtime", "null", true),
            ("/no/way", "null", true),
            ("/no", "1", true),
            ("/Privileged", "false", false),
        ] {
            assert_eq!(body.set(pointer, json(value)), Ok(differs), "{pointer}");
        }
        let after = r#"{"HostConfig":{"Memory":2,"CapDrop":["ALL","X"],"Binds":["a:b"],"Mounts":[{"Type":"bind"}]},"Labels":{"team":"web","Team":"x"},"no":1}"#;
        assert_eq!(body.to_text(), after);
        for pointer in ["x", "/HostConfig/CapDrop/2", "/HostConfig/Memory/x", "/Image/-"] {
            assert!(body.set(pointer, json(r#""x""#)).is_err(), "{pointer}");
        }
    }

    #[test]
    fn what_the_daemon_would_not_read_in_one_way_can_not_be_put() {
        let body = document(r#"{"HostConfig":{"ConsoleSize":[1,2],"Mounts":[{}]}}"#);
        for (pointer, value) in [
            ("/Privileged", "true"),
            ("/Binds/-", r#""/:/h""#),
            ("/HostConfig/Privileged", r#""true""#),
            ("/HostConfig/Memory", "1.5"),
            ("/HostConfig", r#"{"CapAdd":[],"capadd":["ALL"]}"#),
            ("/HostConfig/Binds/-", "1"),
            ("/HostConfig/ConsoleSize/-", "3"),
            ("/HostConfig/Ulimits/-", "null"),
            ("/HostConfig/Mounts/0", "null"),
            ("/Labels/a", "1"),
            ("/Labels", r#"{"a":"1","a":"2"}"#),
            ("/unheard", r#"{"a":1,"A":2}"#),
            ("", "[]"),
            ("", r#"{"Privileged":true}"#),
        ] {
            assert!(body.clone().set(pointer, json(value)).is_err(), "{pointer} {value}");
        }
    }

    #[test]
    fn an_edit_can_not_nest_what_no_document_could() {
        let mut body = document("{}");
        let deep = "/x".repeat(100_000);
        let Err(BadPointer::Misread(_, misread)) = body.set(&deep, json("1")) else {
            panic!("too deep");
        };
        assert_eq!(misread.fault, Fault::Deep);
        let lists = |depth: usize| json(&("[".repeat(depth) + &"]".repeat(depth)));
        assert!(body.set(&"/x".repeat(27), lists(101)).is_err());
        assert_eq!(body.set(&"/x".repeat(27), lists(100)), Ok(true));
        document(&body.to_text());
    }

    #[test]
    fn a_value_is_removed() {
        let mut body = document(r#"{"HostConfig":{"Binds":["a","b"]},"Labels":{"a":"1","A":"2"}}"#);
        for (pointer, was_there) in [
            ("/hostconfig/BINDS/0", true),
            ("/Labels/A", true),
            ("/Labels/x", false),
            ("/no/way", false),
        ] {
            assert_eq!(body.remove(pointer), Ok(was_there), "{pointer}");
        }
        assert_eq!(body.to_text(), r#"{"HostConfig":{"Binds":["b"]},"Labels":{"a":"1"}}"#);
        assert!(body.remove("").is_err());
    }
}
