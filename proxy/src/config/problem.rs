//! What is wrong with a configuration, and where.

use std::fmt;

use crate::nearest::nearest;

/// A place in the configuration: a JSON pointer (RFC 6901), `/chains/2/operations/0`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(String);

impl Pointer {
    /// The whole.
    pub fn root() -> Self {
        Self::default()
    }

    /// A step further in.
    #[must_use]
    pub fn then(&self, step: impl fmt::Display) -> Self {
        let step = step.to_string().replace('~', "~0").replace('/', "~1");
        Self(format!("{}/{step}", self.0))
    }

    /// As many steps as another pointer has, which begins here.
    #[must_use]
    pub fn join(&self, inner: &str) -> Self {
        Self(format!("{}{inner}", self.0))
    }

    /// Its steps, from the outside in.
    pub fn steps(&self) -> impl Iterator<Item = String> + '_ {
        self.0.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
    }

    /// What it is in. None for the whole.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// Whether it is this place, or one in it.
    pub fn is_in(&self, outer: &Self) -> bool {
        let inner = self.0.strip_prefix(&outer.0);
        inner.is_some_and(|inner| inner.is_empty() || inner.starts_with('/'))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Pointer {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Something that is wrong with a configuration, or odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Pointer,
    /// What is wrong, with the value: `"10.0.0.0/33" is no network`.
    pub message: String,
    /// What to write instead: `write 10.0.0.0/8`. None where nothing general can be said.
    pub cure: Option<String>,
    /// Whether the proxy can't work so.
    pub fatal: bool,
}

impl Problem {
    /// What is wrong and what to write instead, in a line.
    pub fn words(&self) -> String {
        let cure = self.cure.as_ref().map(|cure| format!(": {cure}")).unwrap_or_default();
        format!("{}{cure}", self.message)
    }
}

/// All that is wrong with a configuration.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds something with which the proxy can't work.
    pub fn wrong(&mut self, place: &Pointer, message: impl Into<String>, cure: &str) {
        self.add(place, message.into(), cure, true);
    }

    /// Adds something that is probably not meant.
    pub fn odd(&mut self, place: &Pointer, message: impl Into<String>, cure: &str) {
        self.add(place, message.into(), cure, false);
    }

    /// The value, or a problem and nothing.
    pub fn take<T>(&mut self, place: &Pointer, cure: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|message| self.wrong(place, message, cure)).ok()
    }

    /// Whether there is one with which the proxy can't work.
    pub fn are_fatal(&self) -> bool {
        self.0.iter().any(|problem| problem.fatal)
    }

    /// The first in words, with its place; nothing where there is none.
    pub fn first(&self) -> String {
        let in_words =
            |problem: &Problem| format!("{}: {}", problem.place.as_str(), problem.words());
        self.0.first().map(in_words).unwrap_or_default()
    }

    /// All of them.
    pub fn all(&self) -> &[Problem] {
        &self.0
    }

    fn add(&mut self, place: &Pointer, message: String, cure: &str, fatal: bool) {
        let cure = Some(cure.to_owned()).filter(|cure| !cure.is_empty());
        self.0.push(Problem { place: place.clone(), message, cure, fatal });
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, problems: I) {
        self.0.extend(problems);
    }
}

/// What helps whoever wrote a name that is none of these.
pub fn cure_of_name(name: &str, all: &[&str]) -> String {
    match nearest(name, all.iter().copied()) {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => format!("there is {}", all.join(", ")),
    }
}
