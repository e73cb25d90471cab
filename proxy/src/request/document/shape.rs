//! The one form of a value: names in the spelling of the daemon's own structs, no `null` where it
//! says nothing, lists where a string may stand for one. What Go's decoder could read in more than
//! one way, or does not take, is refused.

use std::{collections::HashSet, fmt, hash::Hash, mem};

use compact_str::CompactString;

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

/// Brings a value to its one form, in its place. What is `null` stays so, which is nothing to the
/// daemon.
///
/// The depth of values is bounded by the parser and by whoever puts one into another.
pub(super) fn shape(value: &mut Json, kind: &Kind, unknown: UnknownFields) -> Result<(), Misread> {
    match (kind, &mut *value) {
        (Kind::Any, value) => check_anything(value),
        (_, Json::Null) => Ok(()),
        (Kind::Nullable(kind), value) => shape(value, kind, unknown),
        (Kind::Words, Json::String(word)) => {
            *value = Json::List(vec![Json::String(mem::take(word))]);
            Ok(())
        }
        (Kind::Words, Json::List(items)) => list(items, &Kind::String, unknown),
        (Kind::List(of), Json::List(items)) => list(items, of, unknown),
        (Kind::Pair, Json::List(items)) if items.len() > 2 => Err(Fault::Long.into()),
        (Kind::Pair, Json::List(items)) => list(items, &Kind::Integer(Width::Bits64), unknown),
        (Kind::Map(of), Json::Object(entries)) => map(entries, of, unknown),
        (Kind::Filters, Json::Object(entries)) => filters::shape(entries),
        (Kind::Object(of), Json::Object(entries)) => object(entries, of, unknown),
        (kind, value) if is_scalar(kind, value) => Ok(()),
        (kind, value) => Err(kind.refuses(value).into()),
    }
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
    entries: &mut Vec<(CompactString, Json)>,
    of: &'static Struct,
    policy: UnknownFields,
) -> Result<(), Misread> {
    let mut seen = 0_u128;
    let (mut count, mut unknown) = (0, Vec::new());
    let mut keeps = |key: &mut CompactString, value: &mut Json| {
        let Some(field) = of.field(key) else {
            if policy == UnknownFields::Refuse {
                return Err(Fault::Unknown(short(key)).into());
            }
            check_anything(value).map_err(|misread| misread.below(key))?;
            unknown.push(count);
            count += 1;
            return Ok(true);
        };
        if seen & field.bit() != 0 {
            return Err(Fault::Twice(field.name.to_owned()).into());
        }
        seen |= field.bit();
        let is_there = shape_field(value, field, policy)?;
        field.spell(key);
        count += usize::from(is_there);
        Ok(is_there)
    };
    let mut outcome = Ok(());
    entries.retain_mut(|(key, value)| {
        outcome.is_err()
            || keeps(key, value).unwrap_or_else(|misread: Misread| {
                outcome = Err(misread);
                true
            })
    });
    outcome?;
    check_twice(unknown.into_iter().map(|at: usize| names::folded(&entries[at].0)))
}

/// Brings the value of a field to its one form, and says whether anything is there. Where it stands
/// beside the one that it belongs into, it may say nothing: `docker-py` sends `"Runtime": null`,
/// `dockerode` `"VolumesFrom": []`.
pub(super) fn shape_field(
    value: &mut Json,
    field: &Field,
    policy: UnknownFields,
) -> Result<bool, Misread> {
    shape(value, field.kind, policy).map_err(|misread| misread.below(field.name))?;
    let is_there = *value != Json::Null || matches!(field.kind, Kind::Any);
    match field.belongs_in {
        Some(_) if !is_there || is_nothing(value, field.kind) => Ok(false),
        Some(belongs_in) => Err(Fault::Beside { name: field.name, belongs_in }.into()),
        None => Ok(is_there),
    }
}

/// A map with keys of the user's, which are equal or two.
fn map(
    entries: &mut [(CompactString, Json)],
    of: &Kind,
    policy: UnknownFields,
) -> Result<(), Misread> {
    check_twice(entries.iter().map(|(key, _)| key))?;
    entries.iter_mut().try_for_each(|(key, value)| {
        shape_item(value, of, policy).map_err(|misread| misread.below(key))
    })
}

fn list(items: &mut [Json], of: &Kind, policy: UnknownFields) -> Result<(), Misread> {
    items.iter_mut().enumerate().try_for_each(|(place, value)| {
        shape_listed(value, of, policy).map_err(|misread| misread.below(&place.to_string()))
    })
}

/// A value in a list: as in a map, but no `null` for an object. That is a pointer to nothing, which
/// daemons follow: `{"Ulimits":[null]}` leaves one of 20.10 without an answer for this request and
/// for all lists of containers from then on.
pub(super) fn shape_listed(
    value: &mut Json,
    of: &Kind,
    policy: UnknownFields,
) -> Result<(), Misread> {
    match (of, &value) {
        (Kind::Object(_), Json::Null) => Err(of.refuses(value).into()),
        _ => shape_item(value, of, policy),
    }
}

/// A value in a map, where `null` is the zero of Go's type; that of what is no scalar stays `null`.
pub(super) fn shape_item(
    value: &mut Json,
    of: &Kind,
    policy: UnknownFields,
) -> Result<(), Misread> {
    shape(value, of, policy)?;
    if *value == Json::Null {
        *value = match of {
            Kind::Bool => Json::Bool(false),
            Kind::String => Json::String(CompactString::default()),
            Kind::Integer(_) | Kind::Float => Json::Number(0.into()),
            _ => Json::Null,
        };
    }
    Ok(())
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

    /// Gives the key of an entry the daemon's spelling.
    fn spell(&self, key: &mut CompactString) {
        if key != self.name {
            *key = self.name.into();
        }
    }
}
