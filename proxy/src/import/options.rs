//! What a program in Go is given: options as the package `flag` takes them, `-name=value`, `-name value`,
//! `--name=value` and `-switch`, and variables, which options take the place of.

use std::path::Path;

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

/// A variable of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, as it stands there.
    pub value: String,
    /// Where it stands: `proxy.env, line 3`.
    pub place: String,
}

impl Variable {
    /// In words: `proxy.env, line 3: SP_ALLOWFROM`.
    pub(super) fn origin(&self) -> String {
        format!("{}: {}", self.place, self.name)
    }

    /// What is wrong where it is none of these, though it is named like them.
    pub(super) fn unknown(&self, all: &[String]) -> String {
        let all: Vec<_> = all.iter().map(String::as_str).collect();
        let cure = cure_of_name(&self.name.to_uppercase(), &all);
        format!("{}: that proxy reads no such variable: {cure}", self.origin())
    }
}

/// What an option, or its variable, was given.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    /// The option.
    name: &'static str,
    /// The value itself.
    pub text: String,
    /// What gave it, in words for a person: `-allowfrom`, or `proxy.env, line 3: SP_ALLOWFROM`.
    pub origin: String,
    /// Whether that is an option, and no variable.
    pub is_option: bool,
}

impl Value {
    /// What is wrong with it.
    pub(super) fn wrong(&self, words: &str) -> String {
        format!("{}: {:?} {words}", self.origin, self.text)
    }

    /// A yes or no as Go's `strconv.ParseBool` reads it.
    ///
    /// # Errors
    /// Words on another text.
    pub(super) fn is_true(&self) -> Result<bool, String> {
        match self.text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err(self.wrong("is neither true nor false")),
        }
    }
}

/// All that a program was given, in order.
pub(super) struct Given(Vec<Value>);

impl Given {
    /// Of the words of a command line, and of variables, for which `of_variable` says whose they are:
    /// none of these options', where that is nothing.
    ///
    /// # Errors
    /// A word that is no option, an option that there is not, one without its value; and what
    /// `of_variable` says.
    pub(super) fn new(
        words: &[String],
        variables: &[Variable],
        known: &[Known],
        of_variable: impl Fn(&Variable) -> Result<Option<&'static str>, String>,
    ) -> Result<Self, String> {
        let options = read(words, known)?;
        let mut values = Vec::new();
        for variable in variables {
            let Some(name) = of_variable(variable)? else { continue };
            // An option takes the place of all its variables.
            if options.iter().all(|option| option.name != name) {
                values.push(Value {
                    name,
                    text: variable.value.clone(),
                    origin: variable.origin(),
                    is_option: false,
                });
            }
        }
        values.extend(options);
        Ok(Self(values))
    }

    /// The values of an option.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |value| value.name == name)
    }

    /// The last one, which counts where there can be no more.
    pub(super) fn last(&self, name: &str) -> Option<&Value> {
        self.all(name).last()
    }

    /// The last one, unless it is empty.
    pub(super) fn filled(&self, name: &str) -> Option<&Value> {
        self.last(name).filter(|value| !value.text.is_empty())
    }

    /// Whether a switch is on. A variable that is empty is none.
    ///
    /// # Errors
    /// Words on what is neither yes nor no.
    pub(super) fn is_on(&self, name: &str) -> Result<bool, String> {
        let given = self.last(name).filter(|value| value.is_option || !value.text.is_empty());
        given.map_or(Ok(false), Value::is_true)
    }

    /// What gave the last value of an option, or the option, which would.
    pub(super) fn origin(&self, name: &str) -> String {
        self.last(name).map_or_else(|| format!("-{name}"), |value| value.origin.clone())
    }
}

/// Options and their values, in order.
fn read(words: &[String], known: &[Known]) -> Result<Vec<Value>, String> {
    let mut options = Vec::<Value>::new();
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
            return Err(unknown(name, known));
        };
        let text = match given {
            Some(value) => value,
            None if *is_switch => "true".to_owned(),
            None => words.next().ok_or_else(|| format!("-{name} wants a value"))?.clone(),
        };
        let origin = match options.iter().filter(|option| option.name == *name).count() {
            0 => format!("-{name}"),
            before => format!("-{name} (number {})", before + 1),
        };
        options.push(Value { name, text, origin, is_option: true });
    }
    Ok(options)
}

fn unknown(name: &str, known: &[Known]) -> String {
    if name == "env-file" {
        return "--env-file is no option of that proxy's: write it before those that are"
            .to_owned();
    }
    let names: Vec<_> = known.iter().map(|known| known.name).collect();
    format!("-{name}: that proxy has no such option: {}", cure_of_name(name, &names))
}

/// The variables of a file as `docker run --env-file` takes it: `NAME=value`, a line each, the last of
/// which counts. `file` is what it is called in words.
///
/// # Errors
/// A line that sets no variable, with its number. One that is read over would leave out what it
/// restricts: `- SP_ALLOWFROM=…` of a compose file, `export SP_ALLOWFROM=…` of a script.
pub fn variables(file: &Path, text: &str) -> Result<Vec<Variable>, String> {
    let mut variables = Vec::<Variable>::new();
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
        variables.retain(|known| known.name != name);
        let place = format!("{}, line {}", file.display(), at + 1);
        variables.push(Variable { name: name.to_owned(), value: value.to_owned(), place });
    }
    Ok(variables)
}

fn is_variable(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(fits)
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

    fn given(words: &[&str], variables: &[Variable]) -> Result<Vec<Value>, String> {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        let of_variable = |variable: &Variable| match variable.name.as_str() {
            "LEVEL" | "LEVEL_2" => Ok(Some("level")),
            "LEVLE" => Err("no such variable".to_owned()),
            _ => Ok(None),
        };
        Given::new(&words, variables, &KNOWN, of_variable).map(|given| given.0)
    }

    #[test]
    fn options_are_read_as_go_reads_them() {
        let words =
            ["-level", "a", "--level=b=c", "-json", "-json=false", "-level=", "--", "-level=d"];
        let read = given(&words, &[]).unwrap();
        let read: Vec<_> = read
            .iter()
            .map(|value| (value.name, value.text.as_str(), value.origin.as_str()))
            .collect();
        let expected = [
            ("level", "a", "-level"),
            ("level", "b=c", "-level (number 2)"),
            ("json", "true", "-json"),
            ("json", "false", "-json (number 2)"),
            ("level", "", "-level (number 3)"),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_no_option_is_told_with_what_there_is() {
        for (words, said) in [
            (["x"].as_slice(), "\"x\" is no option of that proxy's: they begin with -"),
            (&["-levle=1"], "-levle: that proxy has no such option: did you mean level?"),
            (&["-level"], "-level wants a value"),
            (
                &["-json", "--env-file=a"],
                "--env-file is no option of that proxy's: write it before those that are",
            ),
        ] {
            assert_eq!(given(words, &[]).unwrap_err(), said);
        }
    }

    #[test]
    fn an_option_takes_the_place_of_its_variables() {
        let read = |text| variables(Path::new("a.env"), text).unwrap();
        let both = read("LEVEL=1\n\nOTHER=2\nLEVEL_2=3\n");
        let origins = |values: Vec<Value>| values.into_iter().map(|value| value.origin);
        let of_file: Vec<_> = origins(given(&["-json"], &both).unwrap()).collect();
        assert_eq!(of_file, ["a.env, line 1: LEVEL", "a.env, line 4: LEVEL_2", "-json"]);
        let of_option: Vec<_> = origins(given(&["-level=4"], &both).unwrap()).collect();
        assert_eq!(of_option, ["-level"]);
        assert_eq!(given(&[], &read("LEVLE=1")).unwrap_err(), "no such variable");
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
        let read = |text| variables(Path::new("a.env"), text);
        let found = read("# a comment\n\nA=0\nA=1\n  B=x=y # z\n").unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|known| (known.name.as_str(), known.value.as_str(), known.place.as_str()))
            .collect();
        assert_eq!(found, [("A", "1", "a.env, line 4"), ("B", "x=y # z", "a.env, line 5")]);
        let words = "line 2: \"B\" sets no variable: write NAME=value";
        assert_eq!(read("A=1\nB").unwrap_err(), words);
        assert_eq!(read("\u{feff}A=1").unwrap()[0].name, "A");
        for line in ["- A=1", "export A=1", "=1", "1A=1", "A =1"] {
            assert!(read(line).unwrap_err().starts_with("line 1: "), "{line}");
        }
    }
}
