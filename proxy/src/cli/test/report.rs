//! What is said of a table, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::super::{
    explain,
    plugin::{Difference, shown},
};
use crate::explain::Explanation;

/// A row, and what came of it.
pub(super) struct Tested {
    pub file: String,
    pub line: usize,
    pub name: String,
    pub request: String,
    pub outcome: Outcome,
}

/// What came of a row.
pub(super) enum Outcome {
    Passed,
    Failed {
        differences: Vec<Difference>,
        /// How it came to that, where somebody wants to know.
        explanation: Option<Box<Explanation>>,
    },
}

impl Tested {
    pub(super) fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Passed)
    }
}

/// For people: what is not as expected, and how much is.
pub(super) fn text(tested: &[Tested], colours: bool) -> String {
    let paint = Paint(colours);
    let mut text = String::new();
    for row in tested {
        let Outcome::Failed { differences, explanation } = &row.outcome else { continue };
        let place = paint.bold(&format!("{}:{}", row.file, row.line));
        let request = if row.name == row.request { "" } else { &*row.request };
        let request = if request.is_empty() { String::new() } else { format!(" ({request})") };
        let _ = writeln!(text, "{place}: {}{request}", shown_plain(&row.name));
        for difference in differences {
            text += &in_words(difference, paint);
        }
        if let Some(told) = explanation {
            for line in explain::text(told, colours).lines() {
                let _ = writeln!(text, "  | {line}");
            }
        }
        text.push('\n');
    }
    let (passed, failed) = counts(tested);
    let passed = format!("{passed} passed");
    let failed = format!("{failed} failed");
    if tested.iter().all(Tested::passed) {
        text + &paint.green(&passed) + "\n"
    } else {
        text + &format!("{passed}, {}\n", paint.red(&failed))
    }
}

/// For programs.
pub(super) fn json(tested: &[Tested]) -> String {
    let (passed, failed) = counts(tested);
    let rows: Vec<_> = tested.iter().map(object).collect();
    let told = json!({ "passed": passed, "failed": failed, "rows": rows });
    format!("{told:#}\n")
}

fn object(row: &Tested) -> Value {
    let mut object = json!({
        "file": row.file,
        "line": row.line,
        "name": row.name,
        "request": row.request,
        "passed": row.passed(),
    });
    if let Outcome::Failed { differences, explanation } = &row.outcome {
        object["differences"] = value(differences);
        if let Some(told) = explanation {
            object["explanation"] = value(told);
        }
    }
    object
}

fn value(shown: &impl Serialize) -> Value {
    // Keys are strings and numbers are finite: nothing of it can fail.
    serde_json::to_value(shown).unwrap_or_default()
}

fn counts(tested: &[Tested]) -> (usize, usize) {
    let passed = tested.iter().filter(|row| row.passed()).count();
    (passed, tested.len() - passed)
}

/// One line where what differs is short, and the lines that differ where it is not.
fn in_words(difference: &Difference, paint: Paint) -> String {
    let Difference { what, expected, seen } = difference;
    if let (Some(expected), Some(seen)) = (expected, seen)
        && (expected.is_object() || expected.is_array())
    {
        let lines = lines_that_differ(&format!("{expected:#}\n"), &format!("{seen:#}\n"), paint);
        return format!("  {what}: expected (-) and seen (+)\n{lines}");
    }
    let plain = |value: &Option<Value>| match value {
        Some(Value::String(text)) if is_a_word_of_ours(what) => shown_plain(text),
        other => shown(other.as_ref()),
    };
    let (expected, seen) = (paint.green(&plain(expected)), paint.red(&plain(seen)));
    format!("  {what}: expected {expected}, seen {seen}\n")
}

/// These are no values of the request's, and stand without quotation marks.
fn is_a_word_of_ours(what: &str) -> bool {
    ["the decision", "the chain", "the plugin", "the words"].contains(&what)
}

fn lines_that_differ(expected: &str, seen: &str, paint: Paint) -> String {
    let diff = TextDiff::from_lines(expected, seen);
    let mut text = String::new();
    for (n, group) in diff.grouped_ops(2).iter().enumerate() {
        if n > 0 {
            text += "      …\n";
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let line = change.value().trim_end_matches('\n');
            let line = match change.tag() {
                ChangeTag::Equal => format!("  {line}"),
                ChangeTag::Delete => paint.green(&format!("- {line}")),
                ChangeTag::Insert => paint.red(&format!("+ {line}")),
            };
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

/// Without what would move the cursor.
fn shown_plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Colours, where they are wanted.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
