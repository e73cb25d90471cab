//! One request under decision, and what is found against it.

use std::{collections::BTreeSet, fmt::Write as _};

use dockgate_plugin::{Content, Denial, Json, Request};

use crate::settings::Settings;

/// A request, the settings, and what is found against it so far.
pub(crate) struct Case<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) request: &'a Request,
    /// The first ones, each once.
    findings: Vec<Finding>,
    /// How many there are besides.
    more: usize,
}

/// One thing that is wrong with the request.
struct Finding {
    words: String,
    setting: &'static str,
}

/// A value of the body, and where it stands there: `HostConfig.Binds[0]`.
#[derive(Clone, Debug)]
pub(crate) struct Field<'j> {
    pub(crate) place: String,
    pub(crate) json: &'j Json,
}

/// What no setting opens.
pub(crate) const NEVER: &str = "";

impl<'a> Case<'a> {
    pub(crate) fn new(settings: &'a Settings, request: &'a Request) -> Self {
        Self { settings, request, findings: Vec::new(), more: 0 }
    }

    /// The JSON body, which must be an object.
    pub(crate) fn body(&mut self) -> Json {
        if let Content::Json(body @ Json::Object(_)) = self.request.body() {
            return body;
        }
        self.find("the body", "it takes a JSON object", NEVER);
        Json::Null
    }

    /// Refuses the request for this value of a field, as long as `setting` does not open it.
    pub(crate) fn refuse(&mut self, field: &Field, rule: &str, setting: &'static str) {
        // Words take time, and a body of megabytes may be wrong in any number of places.
        if self.findings.len() == MOST_TOLD {
            self.more += 1;
            return;
        }
        let what = format!("{} is {}", field.place, shown(field.json));
        self.find(&what, rule, setting);
    }

    /// The same where the value may be secret, or says nothing.
    pub(crate) fn refuse_unshown(&mut self, place: &str, rule: &str, setting: &'static str) {
        self.find(place, rule, setting);
    }

    fn find(&mut self, what: &str, rule: &str, setting: &'static str) {
        let words = match setting {
            NEVER => format!("{}: {rule}", cut(what, LONGEST_PLACE)),
            setting => format!("{}: {rule} (setting {setting})", cut(what, LONGEST_PLACE)),
        };
        if self.findings.iter().any(|found| found.words == words) {
            return;
        }
        if self.findings.len() < MOST_TOLD {
            self.findings.push(Finding { words, setting });
        } else {
            self.more += 1;
        }
    }

    /// One refusal with what was found.
    pub(crate) fn into_denial(self) -> Option<Denial> {
        let settings: BTreeSet<_> = self.findings.iter().map(|found| found.setting).collect();
        let code = match settings.first()? {
            _ if settings.len() > 1 => "several",
            &NEVER => "not-confined",
            setting => setting,
        };
        let words: Vec<&str> = self.findings.iter().map(|found| found.words.as_str()).collect();
        let operation = self.request.operation_name();
        let mut message = format!("{operation} is refused: {}", words.join("; "));
        if self.more > 0 {
            // Writing to a string can't fail.
            let _ = write!(message, "; and {} more", self.more);
        }
        Some(Denial::new(message).with_code(code))
    }

    /// Whether a boolean is true. Of another type it is found against the request.
    pub(crate) fn flag(&mut self, field: &Field) -> bool {
        match field.json {
            Json::Bool(value) => *value,
            _ => self.nothing(field, "it is true or false"),
        }
    }

    /// A string; empty where there is none.
    pub(crate) fn text<'j>(&mut self, field: &Field<'j>) -> &'j str {
        match field.json {
            Json::String(text) => text,
            _ => self.nothing(field, "it is a string"),
        }
    }

    /// An integer; 0 where there is none.
    pub(crate) fn integer(&mut self, field: &Field) -> i64 {
        match field.json.as_i64() {
            Some(number) => number,
            None => self.nothing(field, "it is an integer"),
        }
    }

    /// What is in a list.
    pub(crate) fn list<'j>(&mut self, field: &Field<'j>) -> Vec<Field<'j>> {
        match field.json {
            Json::List(items) => items
                .iter()
                .enumerate()
                .map(|(at, json)| Field { place: format!("{}[{at}]", field.place), json })
                .collect(),
            _ => self.nothing(field, "it is a list"),
        }
    }

    /// The strings of a list, or the one that stands in its place.
    pub(crate) fn strings<'j>(&mut self, field: &Field<'j>) -> Vec<Field<'j>> {
        match field.json {
            Json::String(text) if !text.is_empty() => vec![field.clone()],
            _ => self.list(field),
        }
    }

    /// The entries of a map with keys of the user's.
    pub(crate) fn map<'j>(&mut self, field: &Field<'j>) -> Vec<(&'j str, Field<'j>)> {
        match field.json {
            Json::Object(_) => field
                .json
                .entries()
                .map(|(key, json)| {
                    let key_shown = shown(&key.into());
                    (key, Field { place: format!("{}[{key_shown}]", field.place), json })
                })
                .collect(),
            _ => self.nothing(field, "it is an object"),
        }
    }

    /// What clients send for a field that they don't use, or what can't be read.
    fn nothing<T: Default>(&mut self, field: &Field, rule: &str) -> T {
        if field.is_said() {
            self.refuse(field, rule, NEVER);
        }
        T::default()
    }
}

impl<'j> Field<'j> {
    /// The whole of a document.
    pub(crate) fn root(json: &'j Json) -> Self {
        Self { place: String::new(), json }
    }

    /// A field of an object. What is not there is null, for the daemon as well.
    pub(crate) fn get(&self, name: &str) -> Self {
        let dot = if self.place.is_empty() { "" } else { "." };
        let json = self.json.get(name).unwrap_or(&Json::Null);
        Self { place: format!("{}{dot}{name}", self.place), json }
    }

    /// Whether it says anything: clients send `null`, `""`, `[]`, `{}`, `0` and `false` for what they
    /// don't use.
    pub(crate) fn is_said(&self) -> bool {
        self.json.says_something()
    }
}

/// A value as a message has it.
fn shown(json: &Json) -> String {
    match json {
        // What may be in it is not for a message: options have passwords.
        Json::Object(_) => "an object".to_owned(),
        Json::List(items) if items.is_empty() => "[]".to_owned(),
        Json::List(_) => "a list".to_owned(),
        scalar => cut(&scalar.to_string(), LONGEST_VALUE),
    }
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// How many findings a message has. A body of megabytes may have any number.
const MOST_TOLD: usize = 8;
/// How many characters of a value.
const LONGEST_VALUE: usize = 60;
/// How many characters of a value and its place.
const LONGEST_PLACE: usize = 160;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use dockgate_plugin::{Operation, json};

    use super::*;

    fn denial(of: impl FnOnce(&mut Case)) -> Option<Denial> {
        let settings = Settings::default();
        let request = Request::of(Operation::ContainerCreate);
        let mut case = Case::new(&settings, &request);
        of(&mut case);
        case.into_denial()
    }

    #[test]
    fn all_that_is_found_is_told_at_once_and_with_a_bound() {
        let denial = denial(|case| {
            for at in 0..100 {
                let json = Json::from("x".repeat(10_000));
                let field = Field { place: format!("Field{at}"), json: &json };
                case.refuse(&field, "it is wrong", "privileged");
            }
        });
        let denial = denial.unwrap();
        assert_eq!(denial.code, "privileged");
        assert!(denial.message.ends_with("; and 92 more"), "{}", denial.message);
        assert!(denial.message.contains("Field7 is \"xxx"), "{}", denial.message);
        assert!(denial.message.len() < 2000, "{}", denial.message.len());
    }

    #[test]
    fn what_is_found_against_nothing_is_no_denial() {
        assert_eq!(denial(|_| {}), None);
    }

    #[test]
    fn values_of_another_type_are_found_and_falsy_ones_pass() {
        for falsy in [json!(null), json!(false), json!(0), json!(""), json!([]), json!({})] {
            let json = Json::from(falsy);
            let field = Field { place: "X".to_owned(), json: &json };
            let denial = denial(|case| {
                case.flag(&field);
                case.text(&field);
                case.integer(&field);
                case.list(&field);
                case.map(&field);
            });
            assert_eq!(denial, None, "{json}");
        }
        for odd in [json!("true"), json!(1), json!([true]), json!({ "a": 1 })] {
            let json = Json::from(odd);
            let field = Field { place: "X".to_owned(), json: &json };
            assert!(denial(|case| assert!(!case.flag(&field))).is_some(), "{json}");
        }
    }

    #[test]
    fn what_is_in_an_object_is_not_shown() {
        let json = Json::from(json!({ "o": "password=hunter2" }));
        assert_eq!(shown(&json), "an object");
        assert_eq!(shown(&"a\u{1b}[31m".into()), r#""a\u001b[31m""#);
    }
}
