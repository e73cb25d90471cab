//! Variables of the environment and files in values: `${NAME}`, `${NAME:-default}`,
//! `${NAME:?words}`, `${file:/run/secrets/name}`, and `$$` for a dollar.

use std::{
    env::VarError,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

/// Where variables are looked up: the environment, or what a test has.
pub type Variables<'a> = dyn Fn(&str) -> Result<String, VarError> + 'a;

/// How much of a file a value may be, in bytes: it is a password or a token.
const LARGEST_SECRET: u64 = 64 << 10;

/// A value with something from outside in it. It is not shown: `written` is.
#[derive(Clone)]
pub(super) struct Substituted {
    /// The value.
    pub(super) text: String,
    /// The text in the file.
    pub(super) written: String,
    /// What came from outside, part by part.
    pub(super) parts: Vec<Part>,
}

/// What came from outside for one `${…}`.
#[derive(Clone)]
pub(super) struct Part {
    /// `${NAME}`
    pub(super) written: String,
    /// What is not shown.
    pub(super) value: String,
}

/// Why something can't be had from outside.
pub(super) struct Unavailable {
    pub(super) message: String,
    pub(super) cure: String,
}

/// The files that a text names, whether they can be read or not.
pub fn files_named_in(text: &[u8]) -> Vec<PathBuf> {
    let text = String::from_utf8_lossy(text);
    let behind = text.split("${file:").skip(1);
    behind.filter_map(|behind| behind.split_once('}')).map(|(path, _)| path.into()).collect()
}

/// Puts in what the text names. None where it names nothing.
pub(super) fn substitute(
    written: &str,
    variables: &Variables,
) -> Result<Option<Substituted>, Unavailable> {
    let (mut text, mut parts, mut rest) = (String::new(), Vec::new(), written);
    if !written.contains('$') {
        return Ok(None);
    }
    while let Some((before, behind)) = rest.split_once('$') {
        text += before;
        if let Some(behind) = behind.strip_prefix('$') {
            text.push('$');
            rest = behind;
        } else if let Some(behind) = behind.strip_prefix('{') {
            let (inside, behind) = behind.split_once('}').ok_or_else(|| Unavailable {
                message: "\"${\" is opened and not closed".to_owned(),
                cure: "write ${NAME}, and $$ for a dollar".to_owned(),
            })?;
            let value = value(inside, variables)?;
            text += &value.text;
            if value.is_from_outside {
                parts.push(Part { written: format!("${{{inside}}}"), value: value.text });
            }
            rest = behind;
        } else if behind.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            let name: String = behind.chars().take_while(|c| is_of_name(*c)).collect();
            return Err(Unavailable {
                message: format!("\"${name}\" is neither a variable nor a dollar"),
                cure: format!("write ${{{name}}} for the variable, or $${name} for the text"),
            });
        } else {
            text.push('$');
            rest = behind;
        }
    }
    text += rest;
    Ok(Some(Substituted { text, written: written.to_owned(), parts }))
}

struct Value {
    text: String,
    /// Defaults stand in the file and are no secrets.
    is_from_outside: bool,
}

/// What stands between the braces.
fn value(inside: &str, variables: &Variables) -> Result<Value, Unavailable> {
    if let Some(path) = inside.strip_prefix("file:") {
        return Ok(Value { text: content(Path::new(path))?, is_from_outside: true });
    }
    let (name, more) = inside.split_at(inside.find(|c| !is_of_name(c)).unwrap_or(inside.len()));
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || inside.contains("${") {
        return Err(unreadable(inside));
    }
    let set = match variables(name) {
        Ok(value) => Some(value),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(_)) => {
            return Err(Unavailable {
                message: format!("the variable {name} is no text (UTF-8)"),
                cure: "set it to text".to_owned(),
            });
        }
    };
    let filled = set.clone().filter(|value| !value.is_empty());
    match (more, more.strip_prefix(":-"), more.strip_prefix(":?")) {
        ("", ..) => set.map_or_else(|| Err(unset(name, "")), |value| Ok(from_outside(value))),
        (_, Some(default), _) => Ok(filled.map_or_else(
            || Value { text: default.to_owned(), is_from_outside: false },
            from_outside,
        )),
        (_, _, Some(words)) => {
            filled.map_or_else(|| Err(unset(name, words)), |value| Ok(from_outside(value)))
        }
        _ => Err(unreadable(inside)),
    }
}

fn from_outside(text: String) -> Value {
    Value { text, is_from_outside: true }
}

fn unset(name: &str, words: &str) -> Unavailable {
    let words = if words.is_empty() { String::new() } else { format!(": {words}") };
    Unavailable {
        message: format!("the variable {name} is not set{words}"),
        cure: format!("set it, or give a default: ${{{name}:-default}}"),
    }
}

fn unreadable(inside: &str) -> Unavailable {
    Unavailable {
        message: format!("\"${{{inside}}}\" names neither a variable nor a file"),
        cure:
            "write ${NAME}, ${NAME:-default}, ${NAME:?words} or ${file:/path}, and $$ for a dollar"
                .to_owned(),
    }
}

/// The content of a file without the end of its last line, which editors and `echo` put there.
fn content(path: &Path) -> Result<String, Unavailable> {
    let wrong = |message: String, cure: &str| Unavailable {
        message: format!("{}: {message}", path.display()),
        cure: cure.to_owned(),
    };
    if !path.is_absolute() {
        return Err(wrong("this is no whole path".to_owned(), "begin it with a slash"));
    }
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_SECRET + 1).read_to_end(&mut content))
        .map_err(|error| wrong(error.to_string(), "put the file there, or name another"))?;
    if content.len() as u64 > LARGEST_SECRET {
        return Err(wrong("it is larger than 64 KiB".to_owned(), "name a file with a value in it"));
    }
    let mut text = String::from_utf8(content)
        .map_err(|_| wrong("it is no text (UTF-8)".to_owned(), "write text into it"))?;
    if text.ends_with('\n') {
        text.pop();
        text.truncate(text.strip_suffix('\r').map_or(text.len(), str::len));
    }
    Ok(text)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(name: &str) -> Result<String, VarError> {
        match name {
            "SET" => Ok("yes: \"no\"".to_owned()),
            "EMPTY" => Ok(String::new()),
            _ => Err(VarError::NotPresent),
        }
    }

    fn text(written: &str) -> Result<String, String> {
        match substitute(written, &variables) {
            Ok(found) => Ok(found.map_or_else(|| written.to_owned(), |found| found.text)),
            Err(error) => Err(format!("{} ({})", error.message, error.cure)),
        }
    }

    #[test]
    fn what_is_named_is_put_in() {
        for (written, meant) in [
            ("plain", "plain"),
            ("a ${SET} b", "a yes: \"no\" b"),
            ("${SET:-other}${SET:?must}", "yes: \"no\"yes: \"no\""),
            ("${UNSET:-other}", "other"),
            ("${EMPTY:-other}", "other"),
            ("${EMPTY}", ""),
            ("${UNSET:-}", ""),
            ("$$", "$"),
            ("$${SET}", "${SET}"),
            ("^a$", "^a$"),
            ("costs 5$ each", "costs 5$ each"),
        ] {
            assert_eq!(text(written).as_deref(), Ok(meant), "{written}");
        }
    }

    #[test]
    fn what_can_not_be_had_is_named_with_its_cure() {
        for (written, words) in [
            (
                "${UNSET}",
                "the variable UNSET is not set (set it, or give a default: ${UNSET:-default})",
            ),
            ("${UNSET:?ask Ann}", "the variable UNSET is not set: ask Ann (set it"),
            ("${EMPTY:?ask Ann}", "the variable EMPTY is not set: ask Ann (set it"),
            ("${SET", "\"${\" is opened and not closed"),
            ("${}", "names neither a variable nor a file"),
            ("${1}", "names neither a variable nor a file"),
            ("${SET-x}", "names neither a variable nor a file"),
            ("${UNSET:-${SET}}", "names neither a variable nor a file"),
            ("$SET", "(write ${SET} for the variable, or $$SET for the text)"),
            ("${file:secret}", "secret: this is no whole path"),
            ("${file:/nowhere/secret}", "/nowhere/secret: No such file or directory"),
            ("${file:/dev/zero}", "it is larger than 64 KiB"),
        ] {
            let error = text(written).unwrap_err();
            assert!(error.contains(words), "{written}: {error}");
        }
    }

    #[test]
    fn of_a_file_all_but_the_last_line_end_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        for (content, meant) in [
            ("a", "a"),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a\nb\n", "a\nb"),
            ("", ""),
        ] {
            std::fs::write(&file, content).unwrap();
            let written = format!("${{file:{}}}", file.display());
            assert_eq!(text(&written).as_deref(), Ok(meant));
        }
        std::fs::write(&file, b"\xff").unwrap();
        assert!(text(&format!("${{file:{}}}", file.display())).unwrap_err().contains("no text"));
    }
}
