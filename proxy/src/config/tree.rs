//! YAML as a tree that knows where everything is written.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::{
    Pointer, Problems,
    substitute::{Substituted, Variables, substitute},
};

/// How deep maps and lists may lie in one another, aliases followed.
const DEEPEST_VALUE: usize = 64;
/// What all values together may take, aliases followed, in bytes.
const LARGEST_TREE: usize = 8 << 20;
/// What a value takes besides its text.
const NODE_COST: usize = 32;

/// A value, and where it is written.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) at: Span,
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Clone)]
pub(super) enum Kind {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// One that needs something that can't be had, which has been reported.
    Unavailable,
}

/// A value without parts.
#[derive(Clone)]
pub(super) struct Scalar {
    /// With variables put in.
    pub(super) text: String,
    /// Whether it was written without quotes, and may be a number.
    pub(super) plain: bool,
    /// Where something came from outside, what.
    pub(super) substituted: Option<Substituted>,
}

/// A key, and what stands at it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Span,
    /// Whether the key stands there a second time. The first is what counts until that is mended.
    pub(super) again: bool,
    pub(super) value: Node,
}

/// Why the rest of the text can't be read.
pub(super) struct Stop {
    pub(super) at: Marker,
    pub(super) message: String,
    pub(super) cure: &'static str,
}

/// Reads the text. None where there is nothing in it.
pub(super) fn read(
    text: &str,
    variables: &Variables,
    problems: &mut Problems,
) -> Result<Option<Node>, Stop> {
    let events = Parser::new_from_str(text);
    let anchors = HashMap::new();
    Builder { events, variables, anchors, room: LARGEST_TREE, problems }.document()
}

struct Builder<'a> {
    events: Parser<'a, StrInput<'a>>,
    variables: &'a Variables<'a>,
    anchors: HashMap<usize, Node>,
    room: usize,
    problems: &'a mut Problems,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<Option<Node>, Stop> {
        let mut root = None;
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) if root.is_some() => {
                    let cure = "keep one, and take the line --- out";
                    return Err(stop(at.start, "a second document begins here", cure));
                }
                Event::DocumentStart(_) => {
                    let (event, at) = self.next()?;
                    root = Some(self.node(event, at, &Pointer::root(), 0)?);
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Stop> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(syntax(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(
        &mut self,
        event: Event,
        at: Span,
        place: &Pointer,
        depth: usize,
    ) -> Result<Node, Stop> {
        if depth > DEEPEST_VALUE {
            return Err(too_deep(at));
        }
        self.take(NODE_COST, at)?;
        let (anchor, kind) = match event {
            Event::Alias(anchor) => return self.alias(anchor, at, depth),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !is_text(tag.as_deref(), at)?;
                (anchor, self.scalar(&text, plain, at, place)?)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), at)?;
                (anchor, self.list(place, depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), at)?;
                (anchor, self.map(place, depth)?)
            }
            // The parser begins a value with no other.
            _ => return Err(stop(at.start, "a value is wanted here", "")),
        };
        let node = Node { at, kind };
        if anchor != 0 {
            self.take(node.cost(), at)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, at: Span, depth: usize) -> Result<Node, Stop> {
        let Some(node) = self.anchors.get(&anchor) else {
            let cure = "name an anchor whose value ends before this line";
            return Err(stop(at.start, "this alias stands within its own anchor", cure));
        };
        if depth + node.height() > DEEPEST_VALUE {
            return Err(too_deep(at));
        }
        let (cost, node) = (node.cost(), node.clone());
        self.take(cost, at)?;
        Ok(node)
    }

    fn scalar(&mut self, text: &str, plain: bool, at: Span, place: &Pointer) -> Result<Kind, Stop> {
        match substitute(text, self.variables) {
            Ok(substituted) => {
                let text = substituted.as_ref().map_or(text, |found| &found.text).to_owned();
                let parts = substituted.as_ref().map_or(0, |found| found.text.len());
                self.take(text.len() + parts, at)?;
                Ok(Kind::Scalar(Scalar { text, plain, substituted }))
            }
            Err(error) => {
                self.problems.wrong(place, error.message, &error.cure);
                Ok(Kind::Unavailable)
            }
        }
    }

    fn list(&mut self, place: &Pointer, depth: usize) -> Result<Kind, Stop> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Kind::List(items)),
                (event, at) => {
                    let item = self.node(event, at, &place.then(items.len()), depth + 1)?;
                    items.push(item);
                }
            }
        }
    }

    fn map(&mut self, place: &Pointer, depth: usize) -> Result<Kind, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let takes_over =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key = self.key(event, at)?;
            let inner = place.then(&key);
            let (event, value_at) = self.next()?;
            let value = self.node(event, value_at, &inner, depth + 1)?;
            if takes_over {
                merged.extend(maps_of(value, at)?);
            } else if let Some(first) = places.get(&key).copied() {
                entries[first].again = true;
                let message =
                    format!("{key:?} stands here twice: again in line {}", at.start.line());
                self.problems.wrong(&inner, message, "keep one of them");
            } else {
                places.insert(key.clone(), entries.len());
                entries.push(Entry { key, at, again: false, value });
            }
        }
        // What is written in the map itself counts, and then what was named first.
        for entry in merged {
            if !places.contains_key(&entry.key) {
                places.insert(entry.key.clone(), entries.len());
                entries.push(entry);
            }
        }
        Ok(Kind::Map(entries))
    }

    fn key(&mut self, event: Event, at: Span) -> Result<String, Stop> {
        let text = match event {
            Event::Scalar(text, style, anchor, tag) => {
                is_text(tag.as_deref(), at)?;
                if style == ScalarStyle::Plain && text.contains("${") {
                    let cure = "write the key itself: variables are for values";
                    return Err(stop(at.start, "a key can't have a variable in it", cure));
                }
                let text = text.into_owned();
                if anchor != 0 {
                    let scalar = Scalar { text: text.clone(), plain: false, substituted: None };
                    self.take(NODE_COST + text.len(), at)?;
                    self.anchors.insert(anchor, Node { at, kind: Kind::Scalar(scalar) });
                }
                text
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).map(|node| &node.kind) {
                Some(Kind::Scalar(scalar)) if scalar.substituted.is_none() => scalar.text.clone(),
                _ => return Err(no_key(at)),
            },
            _ => return Err(no_key(at)),
        };
        self.take(NODE_COST + text.len(), at)?;
        Ok(text)
    }

    /// Takes some of the room that the values may take.
    fn take(&mut self, cost: usize, at: Span) -> Result<(), Stop> {
        self.room = self.room.checked_sub(cost).ok_or_else(|| {
            let message = "with its aliases followed, the file is too large";
            stop(at.start, message, "use fewer aliases of aliases")
        })?;
        Ok(())
    }
}

impl Node {
    /// What stands at a key or a number.
    pub(super) fn step(&self, step: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(entries) => {
                entries.iter().find(|entry| entry.key == step).map(|entry| &entry.value)
            }
            Kind::List(items) => items.get(step.parse::<usize>().ok()?),
            Kind::Scalar(_) | Kind::Unavailable => None,
        }
    }

    /// What stands at a place.
    pub(super) fn at(&self, place: &Pointer) -> Option<&Node> {
        place.steps().try_fold(self, |node, step| node.step(&step))
    }

    fn cost(&self) -> usize {
        NODE_COST
            + match &self.kind {
                Kind::Scalar(scalar) => {
                    let parts = scalar.substituted.as_ref().map_or(0, |found| found.text.len());
                    scalar.text.len() + parts
                }
                Kind::List(items) => items.iter().map(Self::cost).sum(),
                Kind::Map(entries) => {
                    entries.iter().map(|entry| entry.key.len() + entry.value.cost()).sum()
                }
                Kind::Unavailable => 0,
            }
    }

    fn height(&self) -> usize {
        let below = match &self.kind {
            Kind::Scalar(_) | Kind::Unavailable => return 0,
            Kind::List(items) => items.iter().map(Self::height).max(),
            Kind::Map(entries) => entries.iter().map(|entry| entry.value.height()).max(),
        };
        below.unwrap_or(0) + 1
    }
}

/// The entries that `<<` takes over: those of a map, or of a list of maps.
fn maps_of(value: Node, at: Span) -> Result<Vec<Entry>, Stop> {
    let no_map =
        || stop(at.start, "<< takes the keys of a map over, and this is none", "write <<: *name");
    match value.kind {
        Kind::Map(entries) => Ok(entries),
        Kind::List(maps) => {
            let mut entries = Vec::new();
            for map in maps {
                let Kind::Map(more) = map.kind else { return Err(no_map()) };
                entries.extend(more);
            }
            Ok(entries)
        }
        Kind::Scalar(_) | Kind::Unavailable => Err(no_map()),
    }
}

/// Whether a tag says that a value is text. There is no other.
fn is_text(tag: Option<&Tag>, at: Span) -> Result<bool, Stop> {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => Ok(true),
        other => refuse_tag(other, at).map(|()| false),
    }
}

fn refuse_tag(tag: Option<&Tag>, at: Span) -> Result<(), Stop> {
    match tag {
        None => Ok(()),
        Some(tag) => {
            let message = format!("the tag {tag} means nothing here");
            Err(stop(at.start, &message, "leave it out, or put text that begins with ! in quotes"))
        }
    }
}

fn stop(at: Marker, message: &str, cure: &'static str) -> Stop {
    Stop { at, message: message.to_owned(), cure }
}

fn too_deep(at: Span) -> Stop {
    stop(at.start, "maps and lists lie too deep in one another here", "64 levels are the most")
}

fn no_key(at: Span) -> Stop {
    stop(at.start, "a key is text, and this is none", "write name: value")
}

/// What the parser's words mean, and what helps.
const SYNTAX: &[(&str, &str, &str)] = &[
    ("tabs disallowed", TAB.0, TAB.1),
    ("tab cannot", TAB.0, TAB.1),
    (" a tab", TAB.0, TAB.1),
    (
        "quoted scalar, found unexpected",
        "a quotation mark is opened here, and not closed",
        "close it, or put the text into quotes of the other kind",
    ),
    (
        "invalid indentation in quoted scalar",
        "a quotation mark is opened, and not closed in its line",
        "close it, or indent the lines that belong to it",
    ),
    (
        "unknown escape",
        "a backslash in double quotes begins an escape, and this is none",
        "double the backslash, or use single quotes",
    ),
    (
        "mapping values are not allowed",
        "a \":\" is not possible here",
        "indent the line as its neighbours, or put text that has \": \" in it in quotes",
    ),
    (
        "simple key expect",
        "a key is wanted here, with a \":\" behind it",
        "write key: value, and indent it as its neighbours",
    ),
    (
        "did not find expected key",
        "this does not fit the lines before it",
        "indent the keys of one map alike",
    ),
    (
        "did not find expected '-'",
        "this does not fit the list before it",
        "begin each item with -, and indent them alike",
    ),
    (
        "block sequence entries are not allowed",
        "a list is not possible here",
        "begin it in the next line",
    ),
    (
        "flow sequence",
        "a [ is opened, and not closed",
        "write [a, b], and put a ${…} in it in quotes",
    ),
    (
        "flow mapping",
        "a { is opened, and not closed",
        "write {a: b}, and put a ${…} in it in quotes",
    ),
    (
        "expected node content",
        "a value is missing here",
        "write it, or close the bracket that is open",
    ),
    ("invalid indentation", "this line is not indented enough", "indent it further than the key"),
    ("unknown anchor", "no anchor of this name is before it", "write &name at the value first"),
    (
        "recursion limit",
        "lists and maps lie too deep in one another here",
        "64 levels are the most",
    ),
    ("cannot start any token", "no value begins with this character", "put the text in quotes"),
];

const TAB: (&str, &str) =
    ("a tab stands where spaces are wanted", "indent with spaces: YAML takes no tabs");

fn syntax(error: &ScanError) -> Stop {
    let known = SYNTAX.iter().find(|(words, ..)| error.info().contains(words));
    match known {
        Some((_, message, cure)) => stop(*error.marker(), message, cure),
        None => stop(*error.marker(), &format!("this is no YAML: {}", error.info()), ""),
    }
}
