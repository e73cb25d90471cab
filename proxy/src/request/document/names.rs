//! How Go's `encoding/json` compares the names of fields: without regard to case.

use std::borrow::Cow;

/// A name with the long s and the sign for Kelvin as the letters whose cases they are for Go. No
/// other letter beyond ASCII folds to one of a field's name.
pub(super) fn in_ascii(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return Cow::Borrowed(name);
    }
    let letter = |letter| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other,
    };
    Cow::Owned(name.chars().map(letter).collect())
}

/// What names that Go takes for one have in common.
pub(super) fn folded(name: &str) -> String {
    in_ascii(name).to_ascii_lowercase()
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
