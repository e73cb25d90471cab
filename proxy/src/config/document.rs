//! The text of a configuration file, and where in it everything stands.

use std::collections::BTreeMap;

use saphyr_parser::{Marker, Span};

use super::{
    Pointer, Problem, Problems,
    substitute::{Substituted, Variables},
    tree::{self, Kind, Node},
};

/// How large a configuration file may be, in bytes.
pub(super) const LARGEST_FILE: usize = 1 << 20;

/// A place in the text: lines and columns are counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column of its first character.
    pub column: usize,
    /// How many characters of the line it is.
    pub width: usize,
}

/// The text of a configuration file, and where in it everything stands.
pub struct Document {
    name: String,
    text: String,
    places: BTreeMap<Pointer, Place>,
    /// Values with something from outside, which is not shown.
    substituted: Vec<(Pointer, Substituted)>,
}

/// Where something stands.
#[derive(Clone, Copy)]
struct Place {
    key: Option<Position>,
    value: Position,
    /// Whether the key is what is shown of it.
    shows_key: bool,
    plain: bool,
}

/// A value as it is written, with `${…}`.
pub(super) struct Written<'a> {
    pub(super) text: &'a str,
    pub(super) plain: bool,
}

impl Document {
    /// Reads a text, and gives what is in it, none where nothing of it can be read.
    pub(super) fn read(
        name: &str,
        text: &[u8],
        variables: &Variables,
        problems: &mut Problems,
    ) -> (Self, Option<Node>) {
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        let mut document = Self {
            name: name.to_owned(),
            text: String::from_utf8_lossy(text).into_owned(),
            places: BTreeMap::new(),
            substituted: Vec::new(),
        };
        if let Err(error) = std::str::from_utf8(text) {
            let before = String::from_utf8_lossy(&text[..error.valid_up_to()]);
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let message = "this byte is no text (UTF-8)";
            document.stops(
                Position { line, column, width: 1 },
                message,
                "save it as UTF-8",
                problems,
            );
            return (document, None);
        }
        if text.len() > LARGEST_FILE {
            let start = Position { line: 1, column: 1, width: 1 };
            document.stops(start, "the file is larger than 1 MiB", "is it another file?", problems);
            return (document, None);
        }
        match tree::read(&document.text, variables, problems) {
            Ok(root) => {
                let nothing = Node { at: Span::default(), kind: Kind::Map(Vec::new()) };
                let root = root.filter(|root| !root.is_nothing()).unwrap_or(nothing);
                document.locate(&root, &Pointer::root(), None, false);
                (document, Some(root))
            }
            Err(stop) => {
                // What was wrong before it has no place, as there is no tree.
                *problems = Problems::default();
                let at = position(Span::empty(stop.at));
                document.stops(at, &stop.message, stop.cure, problems);
                (document, None)
            }
        }
    }

    /// The file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a value comes from this variable of the environment.
    pub fn names(&self, variable: &str) -> bool {
        let mut parts = self.substituted.iter().flat_map(|(_, value)| &value.parts);
        parts.any(|part| {
            let inside = part.written.strip_prefix("${").unwrap_or_default();
            let rest = inside.strip_prefix(variable);
            rest.is_some_and(|rest| rest.starts_with([':', '}']))
        })
    }

    /// A line of the text, counted from 1.
    pub fn line(&self, line: usize) -> &str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default()
    }

    /// Where something stands, or what it would stand in.
    pub fn position(&self, place: &Pointer) -> Position {
        let mut around = Some(place.clone());
        while let Some(place) = around {
            if let Some(found) = self.places.get(&place) {
                return found.shown();
            }
            around = place.parent();
        }
        Position { line: 1, column: 1, width: 1 }
    }

    /// Takes what came from outside out of the words on a problem.
    #[must_use]
    pub fn without_secrets(&self, mut problem: Problem) -> Problem {
        for (place, substituted) in &self.substituted {
            let concerned = place.is_in(&problem.place) || problem.place.is_in(place);
            problem.message = hidden(&problem.message, substituted, concerned);
            problem.cure = problem.cure.map(|cure| hidden(&cure, substituted, concerned));
        }
        problem
    }

    /// Shows the key of what stands there rather than its value.
    pub(super) fn show_key(&mut self, place: &Pointer) {
        if let Some(place) = self.places.get_mut(place) {
            place.shows_key = true;
        }
    }

    /// How a value is written that has something from outside in it.
    pub(super) fn written(&self, place: &Pointer) -> Option<Written<'_>> {
        let (_, found) = self.substituted.iter().find(|(other, _)| other == place)?;
        let plain = self.places.get(place).is_some_and(|place| place.plain);
        Some(Written { text: &found.written, plain })
    }

    /// Adds the problem that keeps the rest from being read.
    fn stops(&mut self, at: Position, message: &str, cure: &str, problems: &mut Problems) {
        let place = Place { key: None, value: at, shows_key: false, plain: false };
        self.places.insert(Pointer::root(), place);
        problems.wrong(&Pointer::root(), message, cure);
    }

    fn locate(&mut self, node: &Node, at: &Pointer, key: Option<Span>, shows_key: bool) {
        let mut place =
            Place { key: key.map(position), value: position(node.at), shows_key, plain: false };
        match &node.kind {
            Kind::Scalar(scalar) => {
                place.plain = scalar.plain;
                let found = scalar.substituted.clone();
                self.substituted.extend(found.map(|found| (at.clone(), found)));
            }
            Kind::List(items) => {
                for (number, item) in items.iter().enumerate() {
                    self.locate(item, &at.then(number), None, false);
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    let place = at.then(&entry.key);
                    self.locate(&entry.value, &place, Some(entry.at), entry.again);
                }
            }
            Kind::Unavailable => {}
        }
        // Of a map or a list the key says more than where it begins.
        place.shows_key |= matches!(node.kind, Kind::List(_) | Kind::Map(_)) || node.is_nothing();
        self.places.insert(at.clone(), place);
    }
}

impl Place {
    fn shown(&self) -> Position {
        self.key.filter(|_| self.shows_key).unwrap_or(self.value)
    }
}

impl Node {
    /// Whether nothing is written here: `key:`.
    fn is_nothing(&self) -> bool {
        let Kind::Scalar(scalar) = &self.kind else { return false };
        scalar.plain && scalar.text.is_empty() && scalar.substituted.is_none()
    }
}

/// The shortest value that is looked for where nothing says that it is there: shorter ones are in
/// any text.
const SHORTEST_SECRET: usize = 4;

/// The words without a value from outside. Where they are on that value, or on what it is in, no
/// part of it is shown in quotes either.
fn hidden(words: &str, substituted: &Substituted, concerned: bool) -> String {
    let mut words = words.to_owned();
    let whole = [(&substituted.text, &substituted.written)];
    let parts = substituted.parts.iter().map(|part| (&part.value, &part.written));
    for (value, written) in whole.into_iter().filter(|_| !substituted.parts.is_empty()).chain(parts)
    {
        for value in [value.as_str(), &quoted(value)] {
            if value.len() >= SHORTEST_SECRET {
                words = words.replace(value, written);
            }
        }
    }
    if !concerned || substituted.parts.is_empty() {
        return words;
    }
    let shown = |(number, piece): (usize, &str)| {
        let secret =
            number % 2 == 1
                && !piece.is_empty()
                && substituted.parts.iter().map(|part| quoted(&part.value)).any(|value| {
                    value.contains(piece) || !value.is_empty() && piece.contains(&value)
                });
        if secret { substituted.written.clone() } else { piece.to_owned() }
    };
    words.split('"').enumerate().map(shown).collect::<Vec<_>>().join("\"")
}

/// As `{:?}` writes it between quotes.
fn quoted(value: &str) -> String {
    let quoted = format!("{value:?}");
    quoted[1..quoted.len() - 1].to_owned()
}

fn position(span: Span) -> Position {
    let (start, end): (Marker, Marker) = (span.start, span.end);
    let width = if start.line() == end.line() { end.col().saturating_sub(start.col()) } else { 1 };
    Position { line: start.line().max(1), column: start.col() + 1, width: width.max(1) }
}
