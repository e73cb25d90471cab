//! Names whose values are hidden.

use crate::settings::How;

/// Names by patterns.
#[derive(Debug)]
pub(crate) struct Names {
    hide: Vec<String>,
    show: Vec<String>,
    how: How,
}

impl Names {
    pub(crate) fn new(hide: &[String], show: &[String], how: How) -> Self {
        let patterns = |all: &[String]| all.iter().map(|pattern| flat(pattern)).collect();
        Self { hide: patterns(hide), show: patterns(show), how }
    }

    /// What becomes of the value of a name; `None` where it is shown.
    pub(crate) fn hides(&self, name: &str) -> Option<How> {
        let name = flat(name);
        let among = |patterns: &[String]| {
            patterns.iter().any(|pattern| fast_glob::glob_match(pattern, &name))
        };
        (among(&self.hide) && !among(&self.show)).then_some(self.how)
    }

    /// Whether nothing is hidden.
    pub(crate) fn are_all_shown(&self) -> bool {
        self.hide.is_empty()
    }

    /// Whether what is hidden is left out.
    pub(crate) fn are_removed(&self) -> bool {
        self.how == How::Remove && !self.are_all_shown()
    }

    /// The patterns, in words.
    pub(crate) fn words(&self) -> String {
        let all = |patterns: &[String]| patterns.join(", ").replace('\u{1}', "/");
        match (self.hide.is_empty(), self.show.is_empty()) {
            (true, _) => "all".to_owned(),
            (false, true) => format!("not {}", all(&self.hide)),
            (false, false) => format!("not {}, but {}", all(&self.hide), all(&self.show)),
        }
    }
}

/// In lower case, and so that `*` goes over a slash: a label is no path.
fn flat(text: &str) -> String {
    text.to_lowercase().replace('/', "\u{1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(hide: &[&str], show: &[&str]) -> Names {
        let all = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        Names::new(&all(hide), &all(show), How::Mask)
    }

    #[test]
    fn a_name_is_hidden_by_patterns_and_shown_by_others() {
        let secrets = names(&["*password*", "API_*", "a/*"], &["*_FILE"]);
        for name in ["PASSWORD", "db.Password.old", "api_key", "a/b/c", "API_file"] {
            assert_eq!(secrets.hides(name).is_some(), name != "API_file", "{name}");
        }
        for name in ["", "PASS", "my_api_key", "a", "DB_PASSWORD_FILE"] {
            assert_eq!(secrets.hides(name), None, "{name}");
        }
    }

    #[test]
    fn a_star_is_any_name() {
        let all = names(&["*"], &[]);
        for name in ["", "a", "a/b", "a.b", ".hidden", "ſ", "a\nb"] {
            assert!(all.hides(name).is_some(), "{name:?}");
        }
    }
}
