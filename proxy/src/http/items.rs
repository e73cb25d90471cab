//! A stream of JSON values, taken apart as it comes.
//!
//! The daemon writes values one behind the other, each followed by a line break, or, where a client
//! asks for `application/json-seq`, with a record separator before it (RFC 7464).

use std::ops::Range;

use bytes::{Buf as _, Bytes, BytesMut};

/// How large a value may be, in bytes.
const LARGEST_VALUE: usize = 1 << 20;
/// RFC 7464.
const RECORD_SEPARATOR: u8 = 0x1e;

/// What has come of a stream, and how far it was taken apart.
#[derive(Debug, Default)]
pub(super) struct Items {
    buffer: BytesMut,
    /// How much of the buffer has been looked at.
    seen: usize,
    at: At,
    /// Where the value begins; before it there is only what separates values.
    begins: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Between,
    /// In so many objects and lists.
    Nested(usize),
    /// In a string, with so many around it.
    String(usize),
    /// Behind a backslash in a string.
    Escape(usize),
    /// In a number, or a word.
    Bare,
}

/// A part of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A value, and what separates it from others.
    Value(Value),
    /// What separates values, behind the last one.
    Gap(Bytes),
}

/// A value, and what separates it from others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Value {
    bytes: Bytes,
    json: Range<usize>,
}

/// A value is longer than any that the daemon sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

impl Value {
    /// All of it.
    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The value alone. None where it is no text.
    pub(super) fn json(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes[self.json.clone()]).ok()
    }

    /// Another value in its place.
    pub(super) fn with(&self, json: &str) -> Self {
        let (before, after) = (&self.bytes[..self.json.start], &self.bytes[self.json.end..]);
        let bytes = Bytes::from([before, json.as_bytes(), after].concat());
        let json = before.len()..before.len() + json.len();
        Self { bytes, json }
    }
}

impl Items {
    /// Takes what came next.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a value has begun that has not ended.
    pub(super) fn is_in_value(&self) -> bool {
        self.at != At::Between
    }

    /// The next part that is there as a whole.
    pub(super) fn next(&mut self) -> Result<Option<Part>, TooLarge> {
        while let Some(&byte) = self.buffer.get(self.seen) {
            let before = self.at;
            self.at = before.after(byte);
            if before == At::Between && self.at != At::Between {
                self.begins = self.seen;
            }
            // A bare value ends before the byte that ends it, all others with it.
            let ended = before != At::Between && self.at == At::Between;
            self.seen += usize::from(!(ended && before == At::Bare));
            if ended {
                return Ok(Some(self.value()));
            }
            if self.at == At::Between && before == At::Between && self.is_gap(byte) {
                return Ok(Some(self.gap()));
            }
            if self.seen > LARGEST_VALUE {
                return Err(TooLarge);
            }
        }
        Ok(None)
    }

    /// At the end of the stream: a bare value has nothing else that ends it.
    pub(super) fn last(&mut self) -> Option<Part> {
        (self.at == At::Bare).then(|| {
            self.at = At::Between;
            self.value()
        })
    }

    fn value(&mut self) -> Part {
        let json = self.begins..self.seen;
        let behind = self.buffer[self.seen..].iter().take_while(|byte| is_space(**byte)).count();
        let bytes = self.buffer.split_to(self.seen + behind).freeze();
        (self.seen, self.begins) = (0, 0);
        Part::Value(Value { bytes, json })
    }

    /// Spaces that came later than the value before them go on at once; a record separator waits
    /// for its value.
    fn is_gap(&self, byte: u8) -> bool {
        is_space(byte) && self.buffer[..self.seen].iter().all(|byte| is_space(*byte))
    }

    fn gap(&mut self) -> Part {
        let bytes = self.buffer.copy_to_bytes(self.seen);
        self.seen = 0;
        Part::Gap(bytes)
    }
}

impl At {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Between, b'{' | b'[') => Self::Nested(1),
            (Self::Between, b'"') => Self::String(0),
            (Self::Between | Self::Bare, RECORD_SEPARATOR)
            | (Self::Bare, b'{' | b'[' | b'"')
            | (Self::Nested(1), b'}' | b']')
            | (Self::String(0), b'"') => Self::Between,
            (Self::Between | Self::Bare, byte) if is_space(byte) => Self::Between,
            (Self::Between, _) => Self::Bare,
            (Self::Nested(depth), b'}' | b']') => Self::Nested(depth - 1),
            (Self::Nested(depth), b'{' | b'[') => Self::Nested(depth + 1),
            (Self::String(depth), b'"') => Self::Nested(depth),
            (Self::String(depth), b'\\') => Self::Escape(depth),
            (Self::Nested(depth), b'"') | (Self::Escape(depth), _) => Self::String(depth),
            (Self::Bare | Self::Nested(_) | Self::String(_), _) => self,
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All parts of a stream that comes in pieces of this many bytes; gaps in parentheses.
    fn parts(stream: &str, piece: usize) -> Vec<String> {
        let mut items = Items::default();
        let mut found = Vec::new();
        let mut take = |part: Part| match part {
            Part::Value(value) => found.push(value.json().unwrap().to_owned()),
            Part::Gap(_) => {}
        };
        for piece in stream.as_bytes().chunks(piece) {
            items.push(piece);
            while let Some(part) = items.next().unwrap() {
                take(part);
            }
        }
        if let Some(part) = items.last() {
            take(part);
        }
        assert!(!items.is_in_value(), "{stream}");
        found
    }

    #[test]
    fn values_are_found_however_they_come() {
        for (stream, values) in [
            ("{\"a\":1}\n{\"b\":[2]}\r\n", vec!["{\"a\":1}", "{\"b\":[2]}"]),
            (r#"{"a":"}{\"]"}{"b":"\\"}"#, vec![r#"{"a":"}{\"]"}"#, r#"{"b":"\\"}"#]),
            ("\u{1e}{}\n\u{1e}[1,2]\n", vec!["{}", "[1,2]"]),
            ("1 2\n\"x\"true\n", vec!["1", "2", "\"x\"", "true"]),
            ("{\"é\":\"ü\"}", vec!["{\"é\":\"ü\"}"]),
            (" \n ", vec![]),
        ] {
            for piece in 1..=stream.len() {
                assert_eq!(parts(stream, piece), values, "{stream:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn nothing_of_the_stream_is_lost() {
        let stream = "\n{\"a\":1}\n\u{1e}{\"b\":2} \r\n\n3\n";
        for piece in 1..=stream.len() {
            let mut items = Items::default();
            let mut all = Vec::new();
            for piece in stream.as_bytes().chunks(piece) {
                items.push(piece);
                while let Some(part) = items.next().unwrap() {
                    match part {
                        Part::Value(value) => all.extend_from_slice(value.bytes()),
                        Part::Gap(bytes) => all.extend_from_slice(&bytes),
                    }
                }
            }
            assert_eq!(String::from_utf8(all).unwrap(), stream, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_value_goes_on_with_the_line_break_that_ends_it() {
        let mut items = Items::default();
        items.push(b"{\"a\":1}\r\n{\"b");
        let Some(Part::Value(value)) = items.next().unwrap() else { panic!("a value") };
        assert_eq!(&value.bytes()[..], b"{\"a\":1}\r\n");
        assert_eq!(&value.with("[]").bytes()[..], b"[]\r\n");
        assert_eq!(items.next(), Ok(None));
        assert!(items.is_in_value());
    }

    #[test]
    fn a_value_without_end_is_not_waited_for() {
        let mut items = Items::default();
        items.push(b"[");
        items.push(&vec![b' '; LARGEST_VALUE]);
        assert_eq!(items.next(), Err(TooLarge));
    }
}
