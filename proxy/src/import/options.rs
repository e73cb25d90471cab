//! Options as programs in Go take them, with the package `flag`: `-name=value`, `-name value`,
//! `--name=value`, and `-switch`.

use crate::config::cure_of_name;

/// An option of a program.
pub(super) struct Known {
    /// Its name, without the dash.
    pub name: &'static str,
    /// Whether it is a switch, which takes its value behind `=` alone.
    pub is_switch: bool,
}

/// An option that takes a value.
pub(super) const fn value(name: &'static str) -> Known {
    Known { name, is_switch: false }
}

/// One that is `true` without a value.
pub(super) const fn switch(name: &'static str) -> Known {
    Known { name, is_switch: true }
}

/// Options and their values, in order.
///
/// # Errors
/// A word that is no option, an option that there is not, one without its value.
pub(super) fn read(
    words: &[String],
    known: &[Known],
) -> Result<Vec<(&'static str, String)>, String> {
    let mut options = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        // What follows are no options to Go, nor anything to those programs.
        if word == "--" {
            break;
        }
        let Some(option) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            return Err(format!("{word:?} is no option of that proxy's: they begin with -"));
        };
        let (name, given) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (option, None),
        };
        let Some(Known { name, is_switch }) = known.iter().find(|known| known.name == name) else {
            let names: Vec<_> = known.iter().map(|known| known.name).collect();
            return Err(format!("-{name}: {}", unknown(name, &names)));
        };
        let value = match given {
            Some(value) => value,
            None if *is_switch => "true".to_owned(),
            None => words.next().ok_or_else(|| format!("-{name} wants a value"))?.clone(),
        };
        options.push((*name, value));
    }
    Ok(options)
}

fn unknown(name: &str, names: &[&str]) -> String {
    format!("that proxy has no such option: {}", cure_of_name(name, names))
}

/// The variables of a file as `docker run --env-file` takes it: `NAME=value`, a line each, the last of
/// which counts.
///
/// # Errors
/// A line that sets no variable, with its number. One that is read over would leave out what it
/// restricts: `- SP_ALLOWFROM=…` of a compose file, `export SP_ALLOWFROM=…` of a script.
pub fn variables(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut variables = Vec::<(String, String)>::new();
    // Docker's client leaves a byte order mark out too.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) =
            line.split_once('=').filter(|(name, _)| is_variable(name)).ok_or_else(|| {
                format!("line {}: {line:?} sets no variable: write NAME=value", at + 1)
            })?;
        variables.retain(|(known, _)| known != name);
        variables.push((name.to_owned(), value.to_owned()));
    }
    Ok(variables)
}

fn is_variable(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(fits)
}

/// A yes or no as Go's `strconv.ParseBool` reads it.
///
/// # Errors
/// Words on another text.
pub(super) fn is_true(name: &str, text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("{name}: {text:?} is neither true nor false")),
    }
}

/// A number as Go's package `flag` reads it: `384`, `0600`, `0o600`, `0x180`, `0b110`, with `_` between
/// digits.
pub(super) fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', b'o' | b'O', ..] => (&text[2..], 8),
        [b'0', b'b' | b'B', ..] => (&text[2..], 2),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    let is_sign = |c: char| c == '+' || c == '-';
    let digits = digits.replace('_', "");
    if digits.starts_with(is_sign) {
        return None;
    }
    u32::from_str_radix(&digits, radix).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const KNOWN: [Known; 2] = [value("level"), switch("json")];

    fn read_all(words: &[&str]) -> Result<Vec<(&'static str, String)>, String> {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        read(&words, &KNOWN)
    }

    #[test]
    fn options_are_read_as_go_reads_them() {
        let words =
            ["-level", "a", "--level=b=c", "-json", "-json=false", "-level=", "--", "-level=d"];
        let read = read_all(&words);
        let expected = [("level", "a"), ("level", "b=c"), ("json", "true"), ("json", "false")];
        let expected = expected.into_iter().chain([("level", "")]);
        let expected: Vec<_> = expected.map(|(name, value)| (name, value.to_owned())).collect();
        assert_eq!(read.unwrap(), expected);
    }

    #[test]
    fn what_is_no_option_is_told_with_what_there_is() {
        for (words, said) in [
            (["x"].as_slice(), "\"x\" is no option of that proxy's: they begin with -"),
            (&["-levle=1"], "-levle: that proxy has no such option: did you mean level?"),
            (&["-level"], "-level wants a value"),
        ] {
            assert_eq!(read_all(words).unwrap_err(), said);
        }
    }

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("384", Some(0o600)),
            ("0600", Some(0o600)),
            ("0o6_00", Some(0o600)),
            ("0x180", Some(0o600)),
            ("0", Some(0)),
            ("08", None),
            ("-1", None),
            ("0x-1", None),
            ("+1", None),
            ("", None),
            ("6é", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn a_file_of_variables_has_one_a_line() {
        let read = variables("# a comment\n\nA=0\nA=1\n  B=x=y # z\n").unwrap();
        let expected = [("A", "1"), ("B", "x=y # z")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(
            variables("A=1\nB").unwrap_err(),
            "line 2: \"B\" sets no variable: write NAME=value"
        );
        assert_eq!(variables("\u{feff}A=1").unwrap()[0].0, "A");
        for line in ["- A=1", "export A=1", "=1", "1A=1", "A =1"] {
            assert!(variables(line).unwrap_err().starts_with("line 1: "), "{line}");
        }
    }
}
