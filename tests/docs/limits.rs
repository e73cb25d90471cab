//! Limits as a page says them, and as they are.

use std::fs;
use std::path::Path;

use crate::page::ROOT;

/// A number as the page writes it: `100`, `10 000`, `64 KiB`, `4 MiB`, `10 s`. Times are in
/// milliseconds, as they may be less than a second.
pub fn number(said: &str) -> u64 {
    let (digits, unit) = match said.split_once(|c: char| c.is_alphabetic()) {
        Some((digits, _)) => (digits, &said[digits.len()..]),
        None => (said, ""),
    };
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let times = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "s" => 1000,
        "ms" | "" => 1,
        other => panic!("{said}: what is {other}?"),
    };
    digits.parse::<u64>().unwrap() * times
}

/// The default of an option, by the help.
pub fn default_of(help: &str, option: &str) -> u64 {
    let start = help.find(&format!("{option} <")).unwrap_or_else(|| panic!("no option {option}"));
    let (value_name, rest) = help[start..].split_once('>').unwrap();
    let rest = rest.split("\n      --").next().unwrap();
    let (_, default) = rest.split_once("[default: ").unwrap();
    let unit = match value_name {
        name if name.ends_with("SECONDS") => " s",
        name if name.ends_with("MIB") => " MiB",
        _ => "",
    };
    number(&format!("{}{unit}", default.split(']').next().unwrap()))
}

/// The value of a constant, of a field where it is set, or of a setting, in the sources.
pub fn value_of(sources: &str, name: &str) -> u64 {
    let behind = |start: String| sources.split(&start).skip(1).collect::<Vec<_>>();
    let constants = behind(format!("const {name}: "));
    let constants = constants.iter().filter_map(|rest| Some(rest.split_once(" = ")?.1));
    let fields = behind(format!(" {name}: "));
    let settings = behind(format!(".{name}("));
    let others = fields.into_iter().chain(settings);
    let mut values = constants.chain(others).filter_map(evaluated);
    values.next().unwrap_or_else(|| panic!("nothing is called {name}"))
}

/// The number that code begins with: `10_000`, `4 << 20`, `Duration::from_secs(2)`, or the first of
/// several.
fn evaluated(code: &str) -> Option<u64> {
    let code = code.split([';', ',', '}', ')']).next()?.trim().trim_start_matches('[');
    let plain = |digits: &str| digits.trim().replace('_', "").parse::<u64>().ok();
    for (unit, milliseconds) in [("mins", 60_000), ("secs", 1000), ("millis", 1)] {
        if let Some(number) = code.strip_prefix(&format!("Duration::from_{unit}(")) {
            return Some(plain(number)? * milliseconds);
        }
    }
    match code.split_once("<<") {
        Some((value, bits)) => Some(plain(value)? << plain(bits)?),
        None => plain(code),
    }
}

/// All Rust below these folders of the checkout.
pub fn sources(folders: &[&str]) -> String {
    let mut text = String::new();
    let mut folders: Vec<_> = folders.iter().map(|folder| Path::new(ROOT).join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}
