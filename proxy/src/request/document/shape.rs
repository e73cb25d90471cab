//! The one form of a value: names in the spelling of the daemon's own structs, no `null` where it
//! says nothing, lists where a string may stand for one. What Go's decoder could read in more than
//! one way, or does not take, is refused.

use std::{collections::HashSet, fmt, hash::Hash};

use super::{
    Json, UnknownFields, filters, names,
    schema::{Field, Kind, Struct, Width},
};

/// Why a document has no one form. Its words go to the client and to the log, and show no values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}{}", Place(.steps))]
pub struct Misread {
    /// What is wrong.
    pub fault: Fault,
    /// The keys and indexes on the way to it, the innermost first.
    steps: Vec<String>,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is no JSON, in the words of the parser.
    #[error("{0}")]
    Syntax(String),
    /// Two names are one for the daemon.
    #[error("the name {0:?} stands twice in an object, so that it has two readings")]
    Twice(String),
    /// The daemon has no such field here.
    #[error("the daemon has no field {0:?}")]
    Unknown(String),
    /// Some daemons read the field where it stands, others do not.
    #[error(
        "the field {name:?} stands beside {belongs_in}, where only daemons up to version 26 read \
         it: put it into {belongs_in}"
    )]
    Beside {
        /// The field.
        name: &'static str,
        /// The one that it belongs into.
        belongs_in: &'static str,
    },
    /// A value of another kind than the daemon takes.
    #[error("{expected} is expected, not {found}")]
    Kind {
        /// What the daemon takes.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// Filters in both forms at once.
    #[error("lists and objects stand beside one another, of which the daemon takes one kind only")]
    TwoForms,
    /// A list has more items than the daemon reads.
    #[error("a list of two numbers is expected, and this is longer")]
    Long,
    /// Objects and lists lie too deep in one another.
    #[error("objects and lists lie deeper than {} in one another", super::DEEPEST)]
    Deep,
}

/// The words for a place: a JSON pointer of bounded length.
struct Place<'a>(&'a [String]);

impl Misread {
    pub(super) fn syntax(words: String) -> Self {
        Fault::Syntax(words).into()
    }

    pub(super) fn below(mut self, step: &str) -> Self {
        self.steps.push(short(step));
        self
    }
}

impl From<Fault> for Misread {
    fn from(fault: Fault) -> Self {
        Self { fault, steps: Vec::new() }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut pointer = String::new();
        for step in self.0.iter().rev() {
            pointer.push('/');
            pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        }
        write!(f, " (at {})", short(&pointer).escape_debug())
    }
}

/// Words that are no longer than a line.
pub(super) fn short(text: &str) -> String {
    const LONGEST: usize = 100;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Brings a value to its one form. `None` where it is `null`, which is nothing to the daemon.
///
/// The depth of values is bounded by the parser and by whoever puts one into another.
pub(super) fn shaped(
    value: Json,
    kind: &Kind,
    unknown: UnknownFields,
) -> Result<Option<Json>, Misread> {
    let value = match (kind, value) {
        (Kind::Any, value) => return check_anything(&value).map(|()| Some(value)),
        (_, Json::Null) => return Ok(None),
        (Kind::Nullable(kind), value) => return shaped(value, kind, unknown),
        (Kind::Words, Json::String(word)) => Json::List(vec![Json::String(word)]),
        (Kind::Words, Json::List(items)) => list(items, &Kind::String, unknown)?,
        (Kind::List(of), Json::List(items)) => list(items, of, unknown)?,
        (Kind::Pair, Json::List(items)) if items.len() > 2 => return Err(Fault::Long.into()),
        (Kind::Pair, Json::List(items)) => list(items, &Kind::Integer(Width::Bits64), unknown)?,
        (Kind::Map(of), Json::Object(entries)) => map(entries, of, unknown)?,
        (Kind::Filters, Json::Object(entries)) => filters::shaped(entries)?,
        (Kind::Object(of), Json::Object(entries)) => object(entries, of, unknown)?,
        (kind, value) if is_scalar(kind, &value) => value,
        (kind, value) => return Err(kind.refuses(&value).into()),
    };
    Ok(Some(value))
}

/// Whether a value has nothing in it that the daemon could tell from its absence.
fn is_nothing(value: &Json, kind: &Kind) -> bool {
    let is_zero = match value {
        Json::Null => true,
        Json::Bool(value) => !value,
        Json::Number(number) => number.as_u64() == Some(0),
        Json::String(text) => text.is_empty(),
        Json::List(items) => items.is_empty(),
        Json::Object(entries) => entries.is_empty(),
    };
    is_zero && !matches!(kind, Kind::Nullable(_) | Kind::Any)
}

/// The fields that the names of an object mean, of which none stands twice.
fn object(
    entries: Vec<(String, Json)>,
    of: &'static Struct,
    policy: UnknownFields,
) -> Result<Json, Misread> {
    let mut seen = 0_u128;
    let (mut count, mut unknown) = (0, Vec::new());
    let kept = entries.into_iter().filter_map(|(key, value)| match of.field(&key) {
        Some(field) if seen & field.bit() != 0 => {
            Some(Err(Fault::Twice(field.name.to_owned()).into()))
        }
        Some(field) => {
            seen |= field.bit();
            let value = of_field(value, field, policy).transpose()?;
            count += 1;
            Some(value.map(|value| (field.spelt(key), value)))
        }
        None if policy == UnknownFields::Refuse => Some(Err(Fault::Unknown(short(&key)).into())),
        None => {
            unknown.push(count);
            count += 1;
            Some(
                check_anything(&value)
                    .map_err(|misread| misread.below(&key))
                    .map(|()| (key, value)),
            )
        }
    });
    let kept: Vec<_> = kept.collect::<Result<_, Misread>>()?;
    check_twice(unknown.into_iter().map(|at: usize| names::folded(&kept[at].0)))?;
    Ok(Json::Object(kept))
}

/// The value of a field. Where it stands beside the one that it belongs into, it may say nothing:
/// `docker-py` sends `"Runtime": null`, `dockerode` `"VolumesFrom": []`.
pub(super) fn of_field(
    value: Json,
    field: &Field,
    policy: UnknownFields,
) -> Result<Option<Json>, Misread> {
    let shaped = shaped(value, field.kind, policy).map_err(|misread| misread.below(field.name))?;
    match (field.belongs_in, &shaped) {
        (None, _) | (_, None) => Ok(shaped),
        (_, Some(value)) if is_nothing(value, field.kind) => Ok(None),
        (Some(belongs_in), _) => Err(Fault::Beside { name: field.name, belongs_in }.into()),
    }
}

/// A map with keys of the user's, which are equal or two.
fn map(entries: Vec<(String, Json)>, of: &Kind, policy: UnknownFields) -> Result<Json, Misread> {
    check_twice(entries.iter().map(|(key, _)| key))?;
    let entries = entries.into_iter().map(|(key, value)| {
        let value = item(value, of, policy).map_err(|misread| misread.below(&key))?;
        Ok((key, value))
    });
    entries.collect::<Result<_, _>>().map(Json::Object)
}

fn list(items: Vec<Json>, of: &Kind, policy: UnknownFields) -> Result<Json, Misread> {
    let items = items.into_iter().enumerate().map(|(place, value)| {
        listed(value, of, policy).map_err(|misread| misread.below(&place.to_string()))
    });
    items.collect::<Result<_, _>>().map(Json::List)
}

/// A value in a list: as in a map, but no `null` for an object. That is a pointer to nothing, which
/// daemons follow: `{"Ulimits":[null]}` leaves one of 20.10 without an answer for this request and
/// for all lists of containers from then on.
pub(super) fn listed(value: Json, of: &Kind, policy: UnknownFields) -> Result<Json, Misread> {
    match (of, value) {
        (Kind::Object(_), value @ Json::Null) => Err(of.refuses(&value).into()),
        (of, value) => item(value, of, policy),
    }
}

/// A value in a map, where `null` is the zero of Go's type; that of what is no scalar stays `null`.
pub(super) fn item(value: Json, of: &Kind, policy: UnknownFields) -> Result<Json, Misread> {
    let zero = || match of {
        Kind::Bool => Json::Bool(false),
        Kind::String => Json::String(String::new()),
        Kind::Integer(_) | Kind::Float => Json::Number(0.into()),
        _ => Json::Null,
    };
    Ok(shaped(value, of, policy)?.unwrap_or_else(zero))
}

/// A value that the daemon ignores, or one that is newer than the schema: its names are compared as
/// those of fields, in case they are.
fn check_anything(value: &Json) -> Result<(), Misread> {
    match value {
        Json::List(items) => items.iter().enumerate().try_for_each(|(place, value)| {
            check_anything(value).map_err(|misread| misread.below(&place.to_string()))
        }),
        Json::Object(entries) => {
            check_twice(entries.iter().map(|(key, _)| names::folded(key)))?;
            entries.iter().try_for_each(|(key, value)| {
                check_anything(value).map_err(|misread| misread.below(key))
            })
        }
        _ => Ok(()),
    }
}

/// Refuses a key that stands twice.
pub(super) fn check_twice<K: Eq + Hash + AsRef<str>>(
    keys: impl ExactSizeIterator<Item = K>,
) -> Result<(), Misread> {
    if keys.len() < 2 {
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(keys.len());
    for key in keys {
        if let Some(key) = seen.replace(key) {
            return Err(Fault::Twice(short(key.as_ref())).into());
        }
    }
    Ok(())
}

fn is_scalar(kind: &Kind, value: &Json) -> bool {
    match (kind, value) {
        (Kind::Bool, Json::Bool(_)) | (Kind::String, Json::String(_)) => true,
        (Kind::Integer(width), Json::Number(number)) => width.holds(number),
        (Kind::Float, Json::Number(number)) => {
            number.as_f64().is_some_and(|number| number.abs() <= f64::from(f32::MAX))
        }
        _ => false,
    }
}

impl Width {
    /// Whether Go's decoder takes a number: one with a point or an exponent is none for it.
    fn holds(self, number: &serde_json::Number) -> bool {
        let largest = match self {
            Self::Signed => return number.is_i64(),
            Self::Bits16 => u64::from(u16::MAX),
            Self::Bits32 => u64::from(u32::MAX),
            Self::Bits64 => u64::MAX,
        };
        number.as_u64().is_some_and(|number| number <= largest)
    }

    fn called(self) -> &'static str {
        match self {
            Self::Signed => "a whole number of 64 bits",
            Self::Bits16 => "a whole number from 0 to 65535",
            Self::Bits32 => "a whole number from 0 to 4294967295",
            Self::Bits64 => "a whole number that is not negative",
        }
    }
}

impl Kind {
    fn refuses(&self, value: &Json) -> Fault {
        let found = match (self, value) {
            (Self::Integer(_) | Self::Float, Json::Number(_)) => "this number",
            _ => value.called(),
        };
        Fault::Kind { expected: self.called(), found }
    }

    fn called(&self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Bool => "true or false",
            Self::String => "a string",
            Self::Integer(width) => width.called(),
            Self::Float => "a number of 32 bits",
            Self::Words => "a list of strings, or a string",
            Self::List(_) => "a list",
            Self::Pair => "a list of two numbers",
            Self::Map(_) | Self::Object(_) | Self::Filters => "an object",
            Self::Nullable(kind) => kind.called(),
        }
    }
}

impl Field {
    /// One bit for each field of a struct, of which none has more than 128.
    fn bit(&self) -> u128 {
        1 << self.place
    }

    /// The key of an entry, in the daemon's spelling.
    fn spelt(&self, key: String) -> String {
        if key == self.name { key } else { self.name.to_owned() }
    }
}
