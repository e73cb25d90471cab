//! A page of Markdown, as far as the tests read it.

use std::fs;
use std::path::{Path, PathBuf};

/// The checkout.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

pub struct Page {
    /// Its path in the checkout.
    pub name: String,
    pub text: String,
}

/// A fenced block.
pub struct Block {
    /// The first word behind the fence.
    pub language: String,
    /// The second: the file that the block is, or with a `+` the file that it is the end of.
    pub file: Option<String>,
    /// With a line end behind every line.
    pub text: String,
    /// The line of its fence.
    pub line: usize,
}

impl Page {
    pub fn read(name: &str) -> Self {
        Self { name: name.to_owned(), text: file(name) }
    }

    /// All pages of the checkout that are ours.
    pub fn all() -> Vec<Self> {
        let mut folders = vec![PathBuf::from(ROOT)];
        let mut pages = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
                if path.is_dir() && !name.starts_with('.') && !ELSEWHERE.contains(&name.as_str()) {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "md") {
                    pages.push(Self::read(path.strip_prefix(ROOT).unwrap().to_str().unwrap()));
                }
            }
        }
        pages
    }

    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let Some(info) = line.strip_prefix("```") else { continue };
            let mut words = info.split_whitespace().map(str::to_owned);
            let language = words.next().unwrap_or_default();
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let text = inside.flat_map(|line| [line, "\n"]).collect();
            blocks.push(Block { language, file: words.next(), text, line: at + 1 });
        }
        blocks
    }

    /// The rows of the table under a heading, or behind a comment, without its head.
    pub fn table(&self, mark: &str) -> Vec<Vec<String>> {
        let rows = self.text.lines().skip_while(|line| *line != mark).skip(1);
        let rows = rows.skip_while(|line| !line.starts_with('|'));
        let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
        let cells = |row: &str| row.trim_matches('|').split('|').map(|c| c.trim().into()).collect();
        let rows: Vec<_> = rows.map(cells).collect();
        assert!(!rows.is_empty(), "{} has no table behind {mark}", self.name);
        rows
    }

    /// That this stands between two comments; where it is to be blessed, it is written there.
    pub fn must_have(&self, begin: &str, end: &str, text: &str) {
        let whole = format!("{begin}\n{text}\n{end}");
        if self.text.contains(&whole) {
            return;
        }
        let name = &self.name;
        assert!(std::env::var_os("DOCKGATE_BLESS").is_some(), "{name} should have\n{whole}");
        let split = self.text.split_once(begin);
        let (before, rest) = split.unwrap_or_else(|| panic!("{name} has no {begin}"));
        let (_, after) = rest.split_once(end).unwrap();
        fs::write(Path::new(ROOT).join(name), format!("{before}{whole}{after}")).unwrap();
    }

    /// What stands between back ticks outside of fenced blocks.
    pub fn code(&self) -> Vec<&str> {
        let mut fenced = false;
        let prose = self.text.lines().filter(|line| {
            fenced ^= line.starts_with("```");
            !fenced
        });
        prose.flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
    }

    /// The targets of its links.
    pub fn links(&self) -> Vec<&str> {
        let targets = self.text.split("](").skip(1);
        targets.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
    }

    /// The names by which links reach its headings.
    pub fn anchors(&self) -> Vec<String> {
        let titles = self.text.lines().filter_map(|line| line.strip_prefix('#'));
        let letters = |c: char| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || "-_".contains(c) => Some(c.to_ascii_lowercase()),
            _ => None,
        };
        titles
            .map(|t| t.trim_start_matches('#').trim().chars().filter_map(letters).collect())
            .collect()
    }
}

/// Folders with pages of others in them.
const ELSEWHERE: &[&str] = &["target", "node_modules"];

/// A file of the checkout.
pub fn file(name: &str) -> String {
    let path = Path::new(ROOT).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
