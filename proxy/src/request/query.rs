//! The query of a request, in the one form that the daemon reads it in.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Document, Operation, Violation};

/// What is percent-encoded in names and values: all but what RFC 3986 calls unreserved, and a few
/// that no reader takes for more than themselves.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b',')
    .remove(b'@');

/// Names and values in order, in the canonical encoding: `name=value` joined with `&`, each
/// percent-encoded, no `+` for a space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(String);

impl Query {
    /// Reads a raw query: `application/x-www-form-urlencoded`, as Go's `url.ParseQuery` does, but
    /// refusing what that drops.
    pub(super) fn parse(raw: &str) -> Result<Self, Violation> {
        let mut query = Self(String::with_capacity(raw.len()));
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            // Go before 1.17 split at `;` as well: daemons of two ages read it in two ways.
            if pair.contains(';') {
                return Err(Violation::Semicolon);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.push(&decode(name)?, &decode(value)?);
        }
        Ok(query)
    }

    /// The same with each parameter that holds JSON for an operation in its one form.
    pub(super) fn with_json(self, operation: Operation) -> Result<Self, Violation> {
        let holds_json = |name: &str| Document::is_in_parameter(operation, name);
        if !self.raw_pairs().any(|(name, value)| !value.is_empty() && holds_json(name)) {
            return Ok(self);
        }
        let mut query = Self(String::with_capacity(self.0.len()));
        for (name, value) in self.pairs() {
            if value.is_empty() || !holds_json(&name) {
                query.push(&name, &value);
                continue;
            }
            let document = Document::of_parameter(&value, operation, &name);
            let document =
                document.map_err(|misread| Violation::JsonInQuery(name.clone(), misread))?;
            // An escape in JSON may have hidden what a parameter can't hold.
            check(&document)?;
            query.push(&name, &document);
        }
        Ok(query)
    }

    /// As it is sent, without the `?`; empty where there is none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first value of a name, the one that counts for the daemon.
    pub fn get(&self, name: &str) -> Option<String> {
        self.pairs().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// Names and values, decoded.
    pub fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        self.raw_pairs().map(|(name, value)| (plain(name), plain(value)))
    }

    /// Names and values, as they are sent.
    fn raw_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.split('&').filter_map(|pair| pair.split_once('='))
    }

    /// Sets a value in the place of the first that the name has, or at the end; the name's others go.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), Violation> {
        check(name)?;
        check(value)?;
        let mut changed = Self::default();
        let mut placed = false;
        for (n, v) in self.pairs() {
            if n != name {
                changed.push(&n, &v);
            } else if !placed {
                changed.push(name, value);
                placed = true;
            }
        }
        if !placed {
            changed.push(name, value);
        }
        *self = changed;
        Ok(())
    }

    /// Removes all values of a name.
    pub(super) fn remove(&mut self, name: &str) {
        let mut changed = Self::default();
        for (n, v) in self.pairs().filter(|(n, _)| n != name) {
            changed.push(&n, &v);
        }
        *self = changed;
    }

    fn push(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.extend(utf8_percent_encode(name, ENCODED));
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, ENCODED));
    }
}

/// Decodes a part of a canonical query, which is valid by construction.
fn plain(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

fn decode(raw: &str) -> Result<String, Violation> {
    if !well_formed(raw) {
        return Err(Violation::PercentEncoding);
    }
    let spaced = raw.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| Violation::NotUtf8)?;
    check(&decoded)?;
    Ok(decoded.into_owned())
}

/// Every `%` is followed by two hexadecimal digits.
fn well_formed(raw: &str) -> bool {
    raw.split('%')
        .skip(1)
        .all(|after| after.len() >= 2 && after.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit))
}

/// Line ends and tabs are the user's own, in commit messages say; no other control character is.
fn check(text: &str) -> Result<(), Violation> {
    let foreign = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if text.contains(foreign) { Err(Violation::Control) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_sent_in_one_form() {
        for (raw, sent) in [
            ("", ""),
            ("all=1", "all=1"),
            ("all", "all="),
            ("&&all=1&", "all=1"),
            ("a+b=c+d", "a%20b=c%20d"),
            ("%61ll=%31", "all=1"),
            ("a=b%2Bc", "a=b%2Bc"),
            ("a=1=2", "a=1%3D2"),
            ("=x", "=x"),
            ("filters={\"label\":[\"a=b\"]}", "filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D"),
            ("comment=one%0Atwo", "comment=one%0Atwo"),
            ("x=%c3%a4&x=2", "x=%C3%A4&x=2"),
            ("a=%26&b=%3B", "a=%26&b=%3B"),
        ] {
            // `:` stands for itself in the canonical form.
            let sent = sent.replace("%3A", ":");
            let query = Query::parse(raw).expect(raw);
            assert_eq!(query.as_str(), sent, "{raw}");
            assert_eq!(Query::parse(&sent).as_ref(), Ok(&query), "the same again: {raw}");
        }
    }

    #[test]
    fn a_query_with_two_readings_breaks_a_rule() {
        for (raw, rule) in [
            ("a=1;b=2", Violation::Semicolon),
            ("a=%00", Violation::Control),
            ("%1b=x", Violation::Control),
            ("a=%", Violation::PercentEncoding),
            ("a=%4", Violation::PercentEncoding),
            ("a=%zz", Violation::PercentEncoding),
            ("a=%ff", Violation::NotUtf8),
        ] {
            assert_eq!(Query::parse(raw), Err(rule), "{raw}");
        }
    }

    #[test]
    fn parameters_are_read_and_edited() {
        let mut query = Query::parse("signal=TERM&t=5&signal=KILL").expect("valid");
        assert_eq!(query.get("signal").as_deref(), Some("TERM"), "the first counts");
        assert_eq!(query.get("Signal"), None, "names have case");
        query.set("signal", "a&b").expect("valid");
        assert_eq!(query.as_str(), "signal=a%26b&t=5");
        query.set("new", "").expect("valid");
        query.remove("t");
        assert_eq!(query.as_str(), "signal=a%26b&new=");
        assert_eq!(query.set("x", "\u{0}"), Err(Violation::Control));
    }

    #[test]
    fn json_in_a_query_has_one_form() {
        let of = |name: &str| Operation::all().find(|one| one.name() == name).expect(name);
        for (operation, sent, meant) in [
            (
                "container-list",
                r#"all=1&filters={"label":{"a":true}}"#,
                r#"all=1&filters={"label":["a"]}"#,
            ),
            ("container-list", "filters=&x={", "filters=&x={"),
            ("unknown", r#"filters={"label":{"a":true}}"#, r#"filters={"label":["a"]}"#),
            ("image-build", r#"buildargs={"A":"1","a":null}"#, r#"buildargs={"A":"1","a":null}"#),
            ("image-build", r#"labels={"A":"1","b":null}"#, r#"labels={"A":"1","b":""}"#),
            ("image-build", r#"cachefrom=["a", "b"]"#, r#"cachefrom=["a","b"]"#),
            ("image-build", r#"outputs=[{"type":"local"}]"#, r#"outputs=[{"Type":"local"}]"#),
            ("image-push", r#"platform={"OS":"linux"}"#, r#"platform={"os":"linux"}"#),
            ("image-create", "platform=linux/arm64", "platform=linux/arm64"),
            ("container-create", "platform=linux/arm64&labels=x", "platform=linux/arm64&labels=x"),
        ] {
            let query = Query::parse(sent).and_then(|query| query.with_json(of(operation)));
            assert_eq!(query, Query::parse(meant), "{operation} {sent}");
        }
        for (operation, sent) in [
            ("container-prune", r#"filters={"label":["a"],"label":["b"]}"#),
            ("system-events", "filters=x"),
            ("image-build", r#"buildargs={"A":"1","A":"2"}"#),
            ("image-build", r#"buildargs={"A":1}"#),
            ("image-build", r#"cachefrom="a""#),
            ("image-build", r#"outputs=[{"Type":"local","type":"tar"}]"#),
            ("image-delete", r#"platforms={"os":"linux"}&platforms={"os":1}"#),
        ] {
            let query = Query::parse(sent).and_then(|query| query.with_json(of(operation)));
            assert!(matches!(query, Err(Violation::JsonInQuery(..))), "{sent}: {query:?}");
        }
    }

    /// What is sent would be refused from a client.
    #[test]
    fn an_escape_in_json_hides_no_control_character() {
        let list = Operation::all().find(|one| one.name() == "container-list").expect("known");
        for escape in ["\\u0080", "\\u007f"] {
            let raw = format!("filters=%7B%22label%22%3A%5B%22a{escape}%22%5D%7D");
            let query = Query::parse(&raw).and_then(|query| query.with_json(list));
            assert_eq!(query, Err(Violation::Control), "{escape}");
        }
    }
}
