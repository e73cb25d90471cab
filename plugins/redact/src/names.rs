//! Names whose values are hidden.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::settings::{self, How, Usual};

/// Names by patterns.
#[derive(Debug)]
pub(crate) struct Names {
    hide: PatternSet,
    show: PatternSet,
    how: How,
}

impl Names {
    /// The names that some patterns fit and others don't, and what becomes of them.
    pub(crate) fn new(settings: &settings::Patterns, usual: &Usual) -> Self {
        let or_usual = |given: &Option<Vec<String>>, usual: &[&str]| match given {
            Some(given) => PatternSet::new(given.clone()),
            None => PatternSet::new(usual.iter().map(ToString::to_string).collect()),
        };
        Self {
            hide: or_usual(&settings.hide, usual.hide),
            show: or_usual(&settings.show, usual.show),
            how: settings.how,
        }
    }

    /// What becomes of the value of a name; `None` where it is shown.
    pub(crate) fn hides(&self, name: &str) -> Option<How> {
        (self.hide.fit(name) && !self.show.fit(name)).then_some(self.how)
    }

    /// Whether nothing is hidden.
    pub(crate) fn are_all_shown(&self) -> bool {
        self.hide.written.is_empty()
    }

    /// Whether what is hidden is left out.
    pub(crate) fn are_removed(&self) -> bool {
        self.how == How::Remove && !self.are_all_shown()
    }

    /// The patterns, in words.
    pub(crate) fn words(&self) -> String {
        let (hide, show) = (self.hide.written.join(", "), self.show.written.join(", "));
        match (hide.as_str(), show.as_str()) {
            ("", _) => "all".to_owned(),
            (hide, "") => format!("not {hide}"),
            (hide, show) => format!("not {hide}, but {show}"),
        }
    }
}

/// Patterns, `*` for any text. They are many and names are more, so those that are a text within a
/// name are found all at once.
#[derive(Debug)]
struct PatternSet {
    written: Vec<String>,
    /// Those that are `*text*`; `*` is one of them, with no text.
    within: Option<AhoCorasick>,
    /// The others.
    globs: Vec<String>,
}

impl PatternSet {
    fn new(written: Vec<String>) -> Self {
        let texts = written.iter().filter_map(|pattern| text_within(pattern));
        // Names are short: the fastest way through them is one without preparation. Without it, where
        // the patterns are too many, all are globs.
        let within = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .prefilter(false)
            .build(texts)
            .ok();
        let is_glob = |pattern: &&String| within.is_none() || text_within(pattern).is_none();
        let globs = written.iter().filter(is_glob).map(|pattern| glob(pattern)).collect();
        Self { written, within, globs }
    }

    /// Whether one of them fits a name.
    fn fit(&self, name: &str) -> bool {
        if self.within.as_ref().is_some_and(|within| within.is_match(name)) {
            return true;
        }
        if self.globs.is_empty() {
            return false;
        }
        let name = flat(name);
        self.globs.iter().any(|glob| fast_glob::glob_match(glob, &name))
    }
}

/// The text of a pattern that is `*text*`.
fn text_within(pattern: &str) -> Option<&str> {
    let text = match pattern {
        "*" => "",
        _ => pattern.strip_prefix('*')?.strip_suffix('*')?,
    };
    (!text.contains('*')).then_some(text)
}

/// A pattern as a glob. Two stars mean the same as one here, and to a glob something else.
fn glob(pattern: &str) -> String {
    let mut letters: Vec<_> = flat(pattern).chars().collect();
    letters.dedup_by(|a, b| *a == '*' && a == b);
    letters.into_iter().collect()
}

/// In lower case, and so that `*` goes over a slash: a label is no path.
fn flat(text: &str) -> String {
    text.to_ascii_lowercase().replace('/', "\u{1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(hide: &[&str], show: &[&str]) -> Names {
        let all = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let (hide, show) = (Some(all(hide)), Some(all(show)));
        Names::new(&settings::Patterns { hide, show, how: How::Mask }, &settings::VARIABLES)
    }

    #[test]
    fn a_name_is_hidden_by_patterns_and_shown_by_others() {
        let secrets = names(&["*password*", "API_*", "a/*", "exact"], &["*_FILE"]);
        for name in ["PASSWORD", "db.Password.old", "api_key", "a/b/c", "Exact", "API_file"] {
            assert_eq!(secrets.hides(name).is_some(), name != "API_file", "{name}");
        }
        let stars = names(&["**_key**", "***end"], &[]);
        for name in ["a/b_key", "_KEY.", ".x/end", "the.end"] {
            assert!(stars.hides(name).is_some(), "{name}");
        }
        assert_eq!(stars.hides("ends"), None);
        for name in ["", "PASS", "my_api_key", "a", "DB_PASSWORD_FILE", "exactly"] {
            assert_eq!(secrets.hides(name), None, "{name}");
        }
    }

    #[test]
    fn a_star_is_any_name() {
        let (all, none) = (names(&["*"], &[]), names(&[], &[]));
        for name in ["", "a", "a/b", "a.b", ".hidden", "ſ", "a\nb", &"x".repeat(1000)] {
            assert!(all.hides(name).is_some(), "{name:?}");
            assert!(none.hides(name).is_none(), "{name:?}");
        }
        assert!(none.are_all_shown() && !all.are_all_shown());
    }
}
