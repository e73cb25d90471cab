//! The JSON body of a request, in the one form in which it is sent.
//!
//! The daemon reads JSON with Go's `encoding/json`: names of fields match without regard to case, of
//! two that match the last wins, or both are merged, and what follows the document is ignored. So a
//! body is parsed once, what has two readings is refused, and what is sent is written from what was
//! read. What the one form is:
//!
//! - Names are compared, spelt and typed by the struct that the daemon decodes them into
//!   (`schema.rs`). Two that are one for Go are refused, in a map with the user's keys only two that
//!   are equal.
//! - `null` in a field is the same as no field, and is left out. In lists and maps it is the zero of
//!   a string, number or boolean; that of lists and of objects in maps stays, that of objects in lists
//!   is refused.
//! - Where one string may stand for a list of strings, the list stands.
//! - What the daemon would not take for a field's type is refused here already, with the place.
//! - A field that is unknown is passed on, or refused if [`UnknownFields`] says so. One that some
//!   daemon reads at another place than others is refused where it says anything.

mod filters;
mod json;
mod names;
mod pointer;
mod schema;
mod shape;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Operation;
use schema::Kind;

pub use json::Json;
pub use pointer::BadPointer;
pub use shape::{Fault, Misread};

/// How deep objects and lists may lie in one another: `serde_json`'s own limit.
pub const DEEPEST: usize = 128;

/// What becomes of a field that the daemon's own structs do not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownFields {
    /// It is passed on, and plugins see it: it may be newer than this program.
    #[default]
    Pass,
    /// The request is refused.
    Refuse,
}

/// Of what no schema describes.
static ANY: Kind = Kind::Any;

/// A document that has one reading, for the daemon as for anybody.
#[derive(Clone, Debug)]
pub struct Document {
    json: Json,
    kind: &'static Kind,
    unknown: UnknownFields,
}

/// What is sent is all that two have in common.
impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

impl Document {
    /// Whether an operation has a body that the daemon reads as JSON.
    pub fn is_read_by(operation: Operation) -> bool {
        schema::of_body(operation).is_some()
    }

    /// Reads the body of an operation.
    ///
    /// # Errors
    /// What keeps it from having one form, with the place: line and column, or a JSON pointer.
    pub fn parse(
        text: &[u8],
        operation: Operation,
        unknown: UnknownFields,
    ) -> Result<Self, Misread> {
        Self::of_kind(text, schema::of_body(operation).unwrap_or(&ANY), unknown)
    }

    /// Whether a parameter of the query holds JSON.
    pub(super) fn is_in_parameter(operation: Operation, name: &str) -> bool {
        schema::of_parameter(operation, name).is_some()
    }

    /// The one form of a parameter of the query that holds JSON.
    ///
    /// # Errors
    /// What keeps it from having one form.
    pub(super) fn of_parameter(
        text: &str,
        operation: Operation,
        name: &str,
    ) -> Result<String, Misread> {
        let kind = schema::of_parameter(operation, name).unwrap_or(&ANY);
        let document = Self::of_kind(text.as_bytes(), kind, UnknownFields::Pass)?;
        Ok(document.to_text())
    }

    /// Checks that what the header `X-Registry-Config` holds has one reading.
    ///
    /// # Errors
    /// What keeps it from that, in words without what it holds.
    pub(super) fn check_registry_config(text: &[u8]) -> Result<(), Misread> {
        Self::of_kind(text, &schema::REGISTRY_CONFIG, UnknownFields::Pass).map(|_| ())
    }

    fn of_kind(text: &[u8], kind: &'static Kind, unknown: UnknownFields) -> Result<Self, Misread> {
        let mut json = Json::parse(text).map_err(Misread::syntax)?;
        shape::shape(&mut json, kind, unknown)?;
        Ok(Self { json, kind, unknown })
    }

    /// What is in it.
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// About how long it is as it is sent, in bytes.
    pub fn length(&self) -> usize {
        self.json.length()
    }

    /// As it is sent.
    pub fn to_text(&self) -> String {
        self.json.to_text()
    }
}

#[cfg(test)]
mod daemon;
#[cfg(test)]
mod definition;
#[cfg(any(test, fuzzing))]
pub mod go;
#[cfg(test)]
mod places;
#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(name: &str) -> Operation {
        Operation::all().find(|operation| operation.name() == name).expect(name)
    }

    fn read(text: &[u8], of: &str) -> Result<String, String> {
        Document::parse(text, operation(of), UnknownFields::Pass)
            .map(|document| document.to_text())
            .map_err(|misread| misread.to_string())
    }

    fn create(text: &str) -> Result<String, String> {
        read(text.as_bytes(), "container-create")
    }

    #[test]
    fn names_get_the_spelling_of_their_struct() {
        for (sent, meant) in [
            (r#"{"hostconfig":{"PRIVILEGED":true}}"#, r#"{"HostConfig":{"Privileged":true}}"#),
            (r#"{"Ho\u017ftConfig":{}}"#, r#"{"HostConfig":{}}"#),
            (r#"{"HostConfig":{"\u0050rivileged":true}}"#, r#"{"HostConfig":{"Privileged":true}}"#),
            (r#"{"HostConfig":{"lin\u212As":[]}}"#, r#"{"HostConfig":{"Links":[]}}"#),
            (r#"{"HostConfig":{"Bindſ":["/:/h"]}}"#, r#"{"HostConfig":{"Binds":["/:/h"]}}"#),
            (r#"{"unheardOf":1,"TTY":true}"#, r#"{"unheardOf":1,"Tty":true}"#),
            (r#"{"labels":{"image":"1"}}"#, r#"{"Labels":{"image":"1"}}"#),
            (
                "\r\n{\t\"HostConfig\"\t:\r\n{\"Privileged\"\t:\ttrue}} ",
                r#"{"HostConfig":{"Privileged":true}}"#,
            ),
        ] {
            assert_eq!(create(sent).as_deref(), Ok(meant), "{sent}");
        }
        let service = r#"{"tasktemplate":{"containerspec":{"tty":true},"resources":{"limits":{"NanoCpus":1}}}}"#;
        let meant = r#"{"TaskTemplate":{"ContainerSpec":{"TTY":true},"Resources":{"Limits":{"NanoCPUs":1}}}}"#;
        assert_eq!(read(service.as_bytes(), "service-create").as_deref(), Ok(meant));
        let auth = br#"{"Username":"a","ServerAddress":"b"}"#;
        assert_eq!(
            read(auth, "system-auth").as_deref(),
            Ok(r#"{"username":"a","serveraddress":"b"}"#)
        );
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        let twice = |name: &str, place: &str| {
            format!(
                "the name {name:?} stands twice in an object, so that it has two readings{place}"
            )
        };
        for (text, words) in [
            // The last wins, or both are merged, or a null resets.
            (
                r#"{"HostConfig":{"Privileged":false},"HOSTCONFIG":{"PRIVILEGED":true}}"#,
                twice("HostConfig", ""),
            ),
            (
                r#"{"HostConfig":{"Binds":["/:/h"]},"HostConfig":{"Privileged":true}}"#,
                twice("HostConfig", ""),
            ),
            (
                r#"{"HostConfig":{"CapAdd":["SYS_ADMIN"]},"hostconfig":null}"#,
                twice("HostConfig", ""),
            ),
            (
                r#"{"HostConfig":{"Privileged":true,"Privileged":null}}"#,
                twice("Privileged", " (at /HostConfig)"),
            ),
            (
                r#"{"HostConfig":{"CapAdd":null,"capadd":null}}"#,
                twice("CapAdd", " (at /HostConfig)"),
            ),
            (r#"{"HostConfig":{"Links":[],"LIN\u212AS":[]}}"#, twice("Links", " (at /HostConfig)")),
            (
                r#"{"HostConfig":{"Mounts":[{"Type":"volume","type":"bind"}]}}"#,
                twice("Type", " (at /HostConfig/Mounts/0)"),
            ),
            (
                r#"{"HostConfig":{"Mounts":[{}],"Mounts":[{"Target":"/h2"}]}}"#,
                twice("Mounts", " (at /HostConfig)"),
            ),
            (
                r#"{"HostConfig":{"Sysctls":{"a":"1"},"Sysctls":{}}}"#,
                twice("Sysctls", " (at /HostConfig)"),
            ),
            (r#"{"unheardOf":1,"UNHEARDOF":2}"#, twice("UNHEARDOF", "")),
            (r#"{"unheardOf":[{"a":1,"A":2}]}"#, twice("a", " (at /unheardOf/0)")),
            (r#"{"Labels":{"a":"1","a":"2"}}"#, twice("a", " (at /Labels)")),
            (
                r#"{"NetworkingConfig":{"EndpointsConfig":{"n":{"Aliases":[],"aliases":[]}}}}"#,
                twice("Aliases", " (at /NetworkingConfig/EndpointsConfig/n)"),
            ),
            (
                r#"{"HostConfig":{"Privileged":true}} {"trailing":1}"#,
                "trailing characters at line 1 column 36".into(),
            ),
            ("{} garbage", "trailing characters at line 1 column 4".into()),
            ("{}\u{0}", "trailing characters at line 1 column 3".into()),
            ("\u{feff}{}", "expected value at line 1 column 1".into()),
            ("{\"a\":1,}", "trailing comma at line 1 column 8".into()),
            ("{/**/}", "key must be a string at line 1 column 2".into()),
            (r#"{"a":NaN}"#, "expected value at line 1 column 6".into()),
            (r#"{"Image":"\ud800"}"#, "unexpected end of hex escape at line 1 column 17".into()),
            ("", "EOF while parsing a value at line 1 column 0".into()),
        ] {
            let found = create(text).expect_err(text);
            assert!(found.eq_ignore_ascii_case(&words), "{text}: {found}");
        }
        assert!(read(b"{\"Image\":\"\xff\"}", "container-create").is_err());
        assert!(read(b"{\"Privileged\xff\":true}", "container-create").is_err());
        let nested = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(create(&nested(DEEPEST - 2)).is_ok());
        assert!(create(&nested(DEEPEST - 1)).is_err());
        assert!(create(&nested(100_000)).is_err());
    }

    /// Two bytes of a body are many in memory.
    #[test]
    fn no_more_values_are_read_than_there_may_be() {
        let lists = |count: usize| format!("{{\"a\":[{}]}}", vec!["[]"; count].join(","));
        // The object and its list are values as well.
        assert!(create(&lists(json::MOST_VALUES - 2)).is_ok());
        let fault = create(&lists(json::MOST_VALUES - 1)).expect_err("one is too many");
        assert!(fault.contains("there are more than 131072 values at line 1 column "), "{fault}");
    }

    #[test]
    fn what_the_daemon_does_not_take_is_refused_with_its_place() {
        for (text, words) in [
            (r#"[{"Image":"e"}]"#, "an object is expected, not a list"),
            (
                r#"{"HostConfig":{"Ulimits":[null]}}"#,
                "an object is expected, not null (at /HostConfig/Ulimits/0)",
            ),
            (
                r#"{"HostConfig":{"Privileged":"true"}}"#,
                "true or false is expected, not a string (at /HostConfig/Privileged)",
            ),
            (
                r#"{"HostConfig":{"Privileged":1}}"#,
                "true or false is expected, not a number (at /HostConfig/Privileged)",
            ),
            (
                r#"{"HostConfig":{"Memory":1.0}}"#,
                "a whole number of 64 bits is expected, not this number (at /HostConfig/Memory)",
            ),
            (
                r#"{"HostConfig":{"Memory":1e3}}"#,
                "a whole number of 64 bits is expected, not this number (at /HostConfig/Memory)",
            ),
            (
                r#"{"HostConfig":{"Memory":9223372036854775808}}"#,
                "a whole number of 64 bits is expected, not this number (at /HostConfig/Memory)",
            ),
            (
                r#"{"HostConfig":{"Memory":"1g"}}"#,
                "a whole number of 64 bits is expected, not a string (at /HostConfig/Memory)",
            ),
            (
                r#"{"HostConfig":{"BlkioWeight":65536}}"#,
                "a whole number from 0 to 65535 is expected, not this number (at /HostConfig/BlkioWeight)",
            ),
            (
                r#"{"HostConfig":{"IOMaximumIOps":-1}}"#,
                "a whole number that is not negative is expected, not this number (at /HostConfig/IOMaximumIOps)",
            ),
            (
                r#"{"HostConfig":{"Binds":"/:/h"}}"#,
                "a list is expected, not a string (at /HostConfig/Binds)",
            ),
            (
                r#"{"HostConfig":{"Binds":["a:b",1]}}"#,
                "a string is expected, not a number (at /HostConfig/Binds/1)",
            ),
            (
                r#"{"HostConfig":{"CapAdd":{"a":1}}}"#,
                "a list of strings, or a string is expected, not an object (at /HostConfig/CapAdd)",
            ),
            (
                r#"{"HostConfig":{"ConsoleSize":[1,2,3]}}"#,
                "a list of two numbers is expected, and this is longer (at /HostConfig/ConsoleSize)",
            ),
            (r#"{"Labels":{"a/b~":1}}"#, "a string is expected, not a number (at /Labels/a~1b~0)"),
            (r#"{"Labels":["a=b"]}"#, "an object is expected, not a list (at /Labels)"),
        ] {
            assert_eq!(create(text).expect_err(text), words, "{text}");
        }
        for (of, text) in [
            ("service-create", r#"{"UpdateConfig":{"MaxFailureRatio":1e39}}"#),
            ("container-exec", r#"{"Cmd":"id"}"#),
            ("plugin-set", r#"{"a":"b"}"#),
            ("plugin-pull", r#"[{"Name":1}]"#),
        ] {
            assert!(read(text.as_bytes(), of).is_err(), "{text}");
        }
    }

    #[test]
    fn fields_of_host_config_beside_it_are_refused_where_they_say_anything() {
        for (text, name) in [
            (r#"{"Image":"e","Privileged":true}"#, "Privileged"),
            (r#"{"Image":"e","binds":["/:/h"],"HostConfig":{}}"#, "Binds"),
            (r#"{"networkmode":"host"}"#, "NetworkMode"),
            (r#"{"Memory":1}"#, "Memory"),
            (r#"{"Cpuset":"0"}"#, "Cpuset"),
            // An empty list and a zero that mean something else than nothing.
            (r#"{"MaskedPaths":[]}"#, "MaskedPaths"),
            (r#"{"MemorySwappiness":0}"#, "MemorySwappiness"),
        ] {
            let words = format!(
                "the field {name:?} stands beside HostConfig, where only daemons up to version 26 \
                 read it: put it into HostConfig"
            );
            assert_eq!(create(text), Err(words), "{text}");
        }
        // What docker-py and dockerode send.
        let empty = r#"{"Image":"e","Runtime":null,"VolumesFrom":[],"Memory":0,"Privileged":false,"MaskedPaths":null}"#;
        assert_eq!(create(empty).as_deref(), Ok(r#"{"Image":"e"}"#));
    }

    #[test]
    fn there_is_one_form_for_what_the_daemon_takes_in_two() {
        for (sent, meant) in [
            (
                r#"{"Cmd":"a b","Entrypoint":"","HostConfig":{"CapAdd":"SYS_ADMIN","CapDrop":["ALL"]}}"#,
                r#"{"Cmd":["a b"],"Entrypoint":[""],"HostConfig":{"CapAdd":["SYS_ADMIN"],"CapDrop":["ALL"]}}"#,
            ),
            (
                r#"{"HostConfig":{"Privileged":false,"CapAdd":null,"Binds":null,"Init":null,"Binds2":null}}"#,
                r#"{"HostConfig":{"Privileged":false,"Binds2":null}}"#,
            ),
            (
                r#"{"Env":["A=1",null],"Labels":{"a":null},"ExposedPorts":{"80/tcp":null}}"#,
                r#"{"Env":["A=1",""],"Labels":{"a":""},"ExposedPorts":{"80/tcp":null}}"#,
            ),
            (
                r#"{"HostConfig":{"PortBindings":{"80/tcp":null,"81/tcp":[{"hostport":"1"}]}}}"#,
                r#"{"HostConfig":{"PortBindings":{"80/tcp":null,"81/tcp":[{"HostPort":"1"}]}}}"#,
            ),
            ("null", "null"),
        ] {
            assert_eq!(create(sent).as_deref(), Ok(meant), "{sent}");
        }
    }

    #[test]
    fn a_number_is_sent_as_the_number_that_it_is() {
        for text in [r#"{"x":1e89}"#, r#"{"x":1e+89}"#, r#"{"x":0.1}"#, r#"{"x":9007199254740993}"#]
        {
            let once = create(text).expect(text);
            let number = |text: &str| text["{\"x\":".len()..text.len() - 1].parse::<f64>();
            assert_eq!(number(&once), number(text), "{text}");
            assert_eq!(create(&once), Ok(once), "{text}");
        }
    }

    #[test]
    fn keys_of_the_user_are_kept() {
        for text in [
            r#"{"Labels":{"a":"1","A":"2","hostconfig":"3"}}"#,
            r#"{"HostConfig":{"Sysctls":{"net.x":"1"},"PortBindings":{"80/tcp":[{"HostPort":"1"}]}}}"#,
            r#"{"NetworkingConfig":{"EndpointsConfig":{"name":{"Aliases":["a"]},"Name":{}}}}"#,
        ] {
            assert_eq!(create(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_field_that_is_unknown_is_refused_if_that_is_wanted() {
        let strict = |text: &str| {
            Document::parse(text.as_bytes(), operation("container-create"), UnknownFields::Refuse)
                .map(|document| document.to_text())
                .map_err(|misread| misread.to_string())
        };
        let known = r#"{"Image":"e","HostConfig":{"Binds":[]},"Labels":{"unheardOf":"1"}}"#;
        assert_eq!(strict(known).as_deref(), Ok(known));
        let words = "the daemon has no field \"unheardOf\"";
        assert_eq!(strict(r#"{"unheardOf":null}"#).expect_err("unknown"), words);
        let below = r#"{"HostConfig":{"Mounts":[{"unheardOf":1}]}}"#;
        let words = format!("{words} (at /HostConfig/Mounts/0)");
        assert_eq!(strict(below), Err(words));
    }

    #[test]
    fn words_show_no_values_and_are_not_long() {
        let secret = r#"{"HostConfig":{"Memory":"s3cret"},"Env":"s3cret"}"#;
        assert!(!create(secret).expect_err("types").contains("s3cret"));
        let long = "x".repeat(10_000);
        let text = format!(r#"{{"Labels":{{"{long}":1}}}}"#);
        assert!(create(&text).expect_err("a number").len() < 300);
        let text = format!(r#"{{"{long}":1,"{long}":1}}"#);
        assert!(create(&text).expect_err("twice").len() < 300);
    }

    #[test]
    fn filters_have_one_form() {
        let filters =
            |text: &str| Document::of_parameter(text, operation("container-list"), "filters");
        for (sent, meant) in [
            (r#"{"label":["a=b","c","c"],"Label":[]}"#, r#"{"label":["a=b","c"],"Label":[]}"#),
            (
                r#"{"label":{"a=b":true,"c":true},"name":null}"#,
                r#"{"label":["a=b","c"],"name":[]}"#,
            ),
            ("{}", "{}"),
            ("null", "null"),
        ] {
            assert_eq!(filters(sent).as_deref(), Ok(meant), "{sent}");
            assert_eq!(filters(meant).as_deref(), Ok(meant), "the same again: {sent}");
        }
        for text in [
            r#"{"label":["a"],"label":["b"]}"#,
            r#"{"label":{"a":true,"a":true}}"#,
            r#"{"label":{"a":false}}"#,
            r#"{"label":{"a":null}}"#,
            r#"{"label":[null]}"#,
            r#"{"label":[1]}"#,
            r#"{"label":"a"}"#,
            r#"{"label":["a"],"name":{"b":true}}"#,
            r#"{"label":["a"]} {}"#,
            "label=a",
            "[]",
        ] {
            assert!(filters(text).is_err(), "{text}");
        }
    }

    /// Says how long a megabyte takes, in an optimised build:
    /// `cargo test --release -p dockgate --lib a_megabyte -- --nocapture`.
    #[test]
    fn a_megabyte_is_read_in_one_pass() {
        let bind = r#"{"Type":"bind","Source":"/srv/data","Target":"/data","ReadOnly":true}"#;
        let many = |item: &dyn Fn(usize) -> String, length: usize| {
            (0..(1 << 20) / length).map(item).collect::<Vec<_>>().join(",")
        };
        let binds = many(&|_| bind.to_owned(), bind.len());
        let labels = many(&|n| format!(r#""label.{n:08}":"{n:08}""#), 27);
        let unknown = many(&|n| format!(r#""unknown{n:08}":0"#), 19);
        let lists = vec!["[]"; json::MOST_VALUES - 2].join(",");
        let folded = many(&|n| format!(r#""unknownſ{n:08}":0"#), 21);
        for (name, text) in [
            ("mounts", format!(r#"{{"HostConfig":{{"Mounts":[{binds}]}}}}"#)),
            ("labels", format!(r#"{{"Labels":{{{labels}}}}}"#)),
            ("unknown fields", format!(r#"{{"HostConfig":{{{unknown}}}}}"#)),
            ("unknown fields beyond ASCII", format!("{{{folded}}}")),
            ("as many empty lists as there may be", format!(r#"{{"a":[{lists}]}}"#)),
            ("one string", format!(r#"{{"Image":"{}"}}"#, "x".repeat(1 << 20))),
        ] {
            let begun = std::time::Instant::now();
            let read = create(&text).expect(name);
            println!("{name}: {} kB in {:?}", text.len() >> 10, begun.elapsed());
            assert_eq!(read, text);
        }
    }
}
