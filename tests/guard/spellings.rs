//! The spellings of a JSON body that a daemon may take for one and the same.

use serde_json::{Map, Value};

/// Maps whose keys are the user's: no other spelling of them means the same.
const MAPS: [&str; 7] =
    ["DriverOpts", "Labels", "LogOpts", "Options", "StorageOpt", "Sysctls", "Tmpfs"];

/// All spellings of a body, each with what it is.
pub fn of(body: &Value) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = [
        ("as it is", (|name| name.to_owned()) as fn(&str) -> String),
        ("in lower case", str::to_lowercase),
        ("in upper case", str::to_uppercase),
        ("with letters that fold to ASCII", folding),
        ("with names escaped", escaped),
    ]
    .into_iter()
    .map(|(what, spell)| (what.to_owned(), written(body, &|name| quoted(&spell(name)))))
    .collect();
    let plain = body.to_string();
    all.push(("with something behind it".to_owned(), format!("{plain} {{\"more\":1}}")));
    all.push(("with a byte order mark".to_owned(), format!("\u{feff}{plain}")));
    all.push(("in a list".to_owned(), format!("[{plain}]")));
    let fields = body.as_object().expect("a body is an object");
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_string()) {
        let rest: Map<_, _> =
            fields.clone().into_iter().filter(|(other, _)| other != name).collect();
        let rest = Value::Object(rest).to_string();
        let rest = rest.trim_start_matches('{').trim_end_matches('}');
        let comma = if rest.is_empty() { "" } else { "," };
        for (what, first, second) in [
            ("after an empty one", (name.as_str(), "{}"), (name.as_str(), "VALUE")),
            ("before an empty one", (name.as_str(), "VALUE"), (name.as_str(), "{}")),
            ("after an empty one of another case", (&name.to_lowercase(), "{}"), (name, "VALUE")),
            ("before an empty one of another case", (name, "VALUE"), (&name.to_uppercase(), "{}")),
            ("after null", (name, "null"), (&name.to_lowercase(), "VALUE")),
            ("before false", (name, "VALUE"), (&name.to_lowercase(), "false")),
            ("after false", (name, "false"), (&name.to_lowercase(), "VALUE")),
        ] {
            let pair = |(name, text): (&str, &str)| {
                format!("{}:{}", quoted(name), text.replace("VALUE", &value.to_string()))
            };
            let text = format!("{{{rest}{comma}{},{}}}", pair(first), pair(second));
            all.push((format!("with {name} {what}"), text));
        }
    }
    all
}

/// JSON with the names of fields written by `name`.
fn written(value: &Value, name: &dyn Fn(&str) -> String) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(field, value)| {
                let value = if MAPS.contains(&field.as_str()) {
                    value.to_string()
                } else {
                    written(value, name)
                };
                format!("{}:{value}", name(field))
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| written(item, name));
            format!("[{}]", items.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// U+017F is an s to Go, and U+212A a k.
pub fn folding(name: &str) -> String {
    name.replace('s', "\u{17f}").replace(['k', 'K'], "\u{212a}")
}

/// The first letter as `\u0050`; the backslash is put back by [`quoted`].
pub fn escaped(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().expect("fields have names");
    format!("\\u{:04x}{}", first as u32, letters.as_str())
}

pub fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}
