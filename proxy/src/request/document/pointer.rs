//! Places in a document, by JSON pointer (RFC 6901).

use super::{Json, Keys, names};

/// Why something can't be put at, or taken from, a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPointer {
    /// It does not begin with `/`.
    #[error("{0:?} is no JSON pointer")]
    Form(String),
    /// On the way there is a value that has nothing in it, or a list has no such item.
    #[error("there is no place {0:?} in the body")]
    NoPlace(String),
}

impl Json {
    /// What is at a place. None where there is nothing.
    pub fn at(&self, pointer: &str) -> Option<&Self> {
        let mut at = (self, Keys::Fields);
        for step in steps(pointer).ok()? {
            at = match at {
                (Self::Object(entries), keys) => {
                    let place = find(entries, keys, &step)?;
                    let (key, value) = &entries[place];
                    (value, keys.below(key))
                }
                (Self::List(items), _) => (items.get(index(&step)?)?, Keys::Fields),
                _ => return None,
            };
        }
        Some(at.0)
    }

    /// Puts a value at a place, making the objects on the way; `-` appends to a list. Says whether
    /// anything is different now.
    ///
    /// # Errors
    /// Where there is no such place.
    pub fn set(&mut self, pointer: &str, value: Self) -> Result<bool, BadPointer> {
        let place = self.place(pointer)?;
        let differs = *place != value;
        *place = value;
        Ok(differs)
    }

    /// Removes what is at a place, if there is something, and says whether there was.
    ///
    /// # Errors
    /// Where the pointer is none.
    pub fn remove(&mut self, pointer: &str) -> Result<bool, BadPointer> {
        let Some((parent, last)) = pointer.rsplit_once('/') else {
            return Err(BadPointer::Form(short(pointer)));
        };
        let last = unescaped(last);
        let keys = keys_at(parent)?;
        if self.at(parent).is_none() {
            return Ok(false);
        }
        Ok(match self.place(parent)? {
            Self::Object(entries) => match find(entries, keys, &last) {
                Some(place) => {
                    entries.remove(place);
                    true
                }
                None => false,
            },
            Self::List(items) => match index(&last).filter(|index| *index < items.len()) {
                Some(index) => {
                    items.remove(index);
                    true
                }
                None => false,
            },
            _ => false,
        })
    }

    /// The place, made where it is not there yet.
    fn place(&mut self, pointer: &str) -> Result<&mut Self, BadPointer> {
        let no_place = || BadPointer::NoPlace(short(pointer));
        let mut at = (self, Keys::Fields);
        for step in steps(pointer)? {
            at = match at {
                (value @ Self::Null, _) if step == "-" => {
                    *value = Self::List(vec![Self::Null]);
                    let Self::List(items) = value else { return Err(no_place()) };
                    (items.last_mut().ok_or_else(no_place)?, Keys::Fields)
                }
                (value @ Self::Null, keys) => {
                    *value = Self::Object(Vec::new());
                    made(value, keys, step).ok_or_else(no_place)?
                }
                (value @ Self::Object(_), keys) => made(value, keys, step).ok_or_else(no_place)?,
                (Self::List(items), _) => {
                    if step == "-" {
                        items.push(Self::Null);
                    }
                    let last = items.len().checked_sub(1);
                    let index = if step == "-" { last } else { index(&step) };
                    let item = index.and_then(|index| items.get_mut(index));
                    (item.ok_or_else(no_place)?, Keys::Fields)
                }
                _ => return Err(no_place()),
            };
        }
        Ok(at.0)
    }
}

/// The value of a key in an object, made where it is not there yet.
fn made(object: &mut Json, keys: Keys, key: String) -> Option<(&mut Json, Keys)> {
    let Json::Object(entries) = object else { return None };
    let place = find(entries, keys, &key).unwrap_or_else(|| {
        entries.push((keys.spelt(key), Json::Null));
        entries.len() - 1
    });
    let (key, value) = &mut entries[place];
    Some((value, keys.below(key)))
}

fn find(entries: &[(String, Json)], keys: Keys, wanted: &str) -> Option<usize> {
    let wanted = keys.compared(wanted);
    entries.iter().position(|(key, _)| keys.compared(key) == wanted)
}

/// Whose the keys are of an object at this place.
fn keys_at(pointer: &str) -> Result<Keys, BadPointer> {
    Ok(steps(pointer)?.fold(Keys::Fields, |keys, step| keys.below(&names::usual(step))))
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

/// The words go to the client and to the log.
fn short(pointer: &str) -> String {
    pointer.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_place_is_found_as_the_daemon_would_find_it() {
        let body = json(
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
        assert_eq!(body.at(""), Some(&body));
    }

    #[test]
    fn a_value_is_put_where_the_daemon_will_read_it() {
        let mut body = json(r#"{"hostconfig":{"memory":1},"Labels":null}"#);
        for (pointer, value, differs) in [
            ("/HostConfig/Memory", "2", true),
            ("/HostConfig/Memory", "2", false),
            ("/HostConfig/capdrop", r#"["ALL"]"#, true),
            ("/HostConfig/CapDrop/-", r#""X""#, true),
            ("/Labels/team", r#""web""#, true),
            ("/Labels/Team", r#""x""#, true),
            ("/HostConfig/Binds/-", r#""a:b""#, true),
        ] {
            assert_eq!(body.set(pointer, json(value)), Ok(differs), "{pointer}");
        }
        let after = r#"{"HostConfig":{"Memory":2,"CapDrop":["ALL","X"],"Binds":["a:b"]},"Labels":{"team":"web","Team":"x"}}"#;
        assert_eq!(body.to_text(), after);
        for pointer in ["x", "/HostConfig/CapDrop/2", "/HostConfig/Memory/x"] {
            assert!(body.set(pointer, Json::Null).is_err(), "{pointer}");
        }
    }

    #[test]
    fn a_value_is_removed() {
        let mut body = json(r#"{"HostConfig":{"Binds":["a","b"]},"Labels":{"a":"1","A":"2"}}"#);
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
