//! What is wrong with a configuration file, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Document, Position, Problem, Problems};

/// For people: each problem with the line that it is in, and how many there are.
pub fn text(problems: &Problems, document: &Document, colours: bool) -> String {
    let paint = |code: &str, text: &str| {
        if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    };
    let mut text = String::new();
    for (at, problem) in located(problems, document) {
        let (severity, colour) = if problem.fatal { ("error", "31") } else { ("warning", "33") };
        let (line, caret) = excerpt(document.line(at.line), at);
        let number = at.line.to_string();
        let margin = " ".repeat(number.len());
        let place = format!("{}:{}:{}", document.name(), at.line, at.column);
        let severity = paint(colour, &format!("{severity}:"));
        let _ = writeln!(text, "{}: {severity} {}", paint("1", &place), problem.message);
        if !line.trim().is_empty() {
            let _ = writeln!(text, "  {number} | {line}");
            let _ = writeln!(text, "  {margin} | {}", paint(colour, &caret));
        }
        if let Some(cure) = &problem.cure {
            let _ = writeln!(text, "  {} {cure}", paint("32", "help:"));
        }
        text.push('\n');
    }
    text + &count(problems)
}

/// For the log: a line for each problem.
pub fn lines(problems: &Problems, document: &Document) -> Vec<String> {
    let line = |(at, problem): (Position, &Problem)| {
        format!("{}:{}:{}: {}", document.name(), at.line, at.column, problem.words())
    };
    located(problems, document).into_iter().map(line).collect()
}

/// For programs: a list of objects.
pub fn json(problems: &Problems, document: &Document) -> Value {
    let object = |(at, problem): (Position, &Problem)| {
        json!({
            "file": document.name(),
            "line": at.line,
            "column": at.column,
            "severity": if problem.fatal { "error" } else { "warning" },
            "message": problem.message,
            "cure": problem.cure,
        })
    };
    located(problems, document).into_iter().map(object).collect()
}

/// In the order of the file.
fn located<'a>(problems: &'a Problems, document: &Document) -> Vec<(Position, &'a Problem)> {
    let place = |problem: &'a Problem| (document.position(&problem.place), problem);
    let mut located: Vec<_> = problems.all().iter().map(place).collect();
    located.sort_by_key(|(at, _)| *at);
    located
}

/// How long a line may be that is shown whole, and how much of a longer one is, in characters.
const WHOLE_LINE: usize = 100;

/// A line, or what is around the place in it, and what points at the place.
fn excerpt(line: &str, at: Position) -> (String, String) {
    let length = line.chars().count();
    let start = if length > WHOLE_LINE { at.column.saturating_sub(WHOLE_LINE / 2) } else { 0 };
    // Tabs would move the caret, and other control characters the terminal.
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let part: String = line.chars().skip(start).take(WHOLE_LINE).map(shown).collect();
    let before = (at.column - 1).saturating_sub(start);
    let room = part.chars().count().saturating_sub(before).max(1);
    (part, " ".repeat(before) + &"^".repeat(at.width.min(room)))
}

fn count(problems: &Problems) -> String {
    let fatal = problems.all().iter().filter(|problem| problem.fatal).count();
    let counted = |number: usize, word: &str| {
        let plural = if number == 1 { "" } else { "s" };
        (number > 0).then(|| format!("{number} {word}{plural}"))
    };
    let counts = [counted(fatal, "error"), counted(problems.all().len() - fatal, "warning")];
    let counts: Vec<_> = counts.into_iter().flatten().collect();
    if counts.is_empty() { String::new() } else { counts.join(", ") + "\n" }
}
