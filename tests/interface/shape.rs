//! The shape of an interface: all that a component depends on, and nothing else.

use std::collections::BTreeMap;

/// Interfaces and worlds by name, and in each its items without comments.
#[derive(Debug)]
pub struct Shape {
    package: String,
    blocks: BTreeMap<String, Vec<String>>,
}

impl Shape {
    /// Reads WIT.
    pub fn read(wit: &str) -> Self {
        let lines = wit.lines().map(|line| line.split("//").next().unwrap_or_default());
        let text = lines.collect::<Vec<_>>().join(" ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (package, mut rest) = text.split_once(';').expect("a package");
        let mut blocks = BTreeMap::new();
        while let Some((name, after)) = rest.split_once('{') {
            let end = closing(after);
            blocks.insert(name.trim().to_owned(), items(&after[..end]));
            rest = &after[end + 1..];
        }
        Self { package: package.to_owned(), blocks }
    }

    /// What of this a later shape does not have any more, or otherwise.
    pub fn broken_by(&self, later: &Self) -> Vec<String> {
        let mut broken = Vec::new();
        if self.package != later.package {
            broken.push(format!("{} became {}", self.package, later.package));
        }
        for (name, items) in &self.blocks {
            let Some(laters) = later.blocks.get(name) else {
                broken.push(format!("{name} is gone"));
                continue;
            };
            let gone = items.iter().filter(|item| !laters.contains(item));
            broken.extend(gone.map(|item| format!("{name} has no longer: {item}")));
            // What a world asks of a plugin can't grow: those that are there don't have it.
            let asked = |item: &&String| name.starts_with("world") && item.starts_with("export");
            let new = laters.iter().filter(asked).filter(|item| !items.contains(item));
            broken.extend(new.map(|item| format!("{name} asks for more: {item}")));
        }
        broken
    }
}

/// The items of a block, each in one line.
fn items(block: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut rest = block.trim();
    while !rest.is_empty() {
        let semicolon = rest.find(';').unwrap_or(rest.len());
        let brace = rest.find('{').unwrap_or(rest.len());
        // `use types.{pair};` has braces within.
        let end = if brace < semicolon && !rest.starts_with("use ") {
            brace + 1 + closing(&rest[brace + 1..]) + 1
        } else {
            semicolon + 1
        };
        let (item, after) = rest.split_at(end.min(rest.len()));
        items.push(item.trim().to_owned());
        rest = after.trim();
    }
    items
}

/// Where the brace is that closes a block.
fn closing(text: &str) -> usize {
    let mut depth = 1;
    for (place, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place;
        }
    }
    panic!("a brace is not closed")
}
