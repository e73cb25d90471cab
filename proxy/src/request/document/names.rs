//! How Go's `encoding/json` compares the names of fields: without regard to case.

use std::borrow::Cow;

/// What names that Go takes for one have in common: lower case, and the long s and the sign for
/// Kelvin as the letters whose cases they are. No other letter beyond ASCII folds to one of a field's
/// name.
pub(super) fn folded(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(name);
    }
    // No letter folds to a longer one.
    let mut folded = String::with_capacity(name.len());
    folded.extend(name.chars().map(letter));
    Cow::Owned(folded)
}

/// The same of one letter.
pub(super) fn letter(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_as_in_go() {
        for (name, like) in [
            ("HoſtConfig", "hostconfig"),
            ("Lin\u{212a}s", "links"),
            ("É", "É"),
            ("ß", "ß"),
            ("İ", "İ"),
        ] {
            assert_eq!(folded(name), like, "{name}");
        }
    }
}
