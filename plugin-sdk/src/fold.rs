//! Names of fields, compared as the daemon compares them.

/// Whether the daemon takes one name for the other.
///
/// Go's `encoding/json` compares names under Unicode's simple case folding. All names that the
/// daemon knows are ASCII, and besides the other case two characters alone fold to a letter of
/// ASCII: `ſ` (U+017F) to `s`, and the Kelvin sign (U+212A) to `k`. What is not ASCII after that is
/// no name of the daemon's, so it need only equal itself.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    a.chars().map(folded).eq(b.chars().map(folded))
}

fn folded(c: char) -> char {
    match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::same_name;

    #[test]
    fn case_does_not_count_and_the_two_odd_characters_fold() {
        assert!(same_name("HostConfig", "hOSTcONFIG"));
        assert!(same_name("Ho\u{17f}tConfig", "hostconfig"));
        assert!(same_name("Networ\u{212a}Mode", "networkmode"));
    }

    #[test]
    fn everything_else_counts() {
        assert!(!same_name("HostConfig", "HostConfi"));
        assert!(!same_name("HostConfig", "HostConfigs"));
        assert!(!same_name("Host-Config", "HostConfig"));
        // Full folding would make `ss` of it; simple folding, which Go uses, does not.
        assert!(!same_name("\u{df}", "ss"));
        // U+0130 has no simple folding, and U+0131 is no `i` for Go.
        assert!(!same_name("\u{130}", "i"));
        assert!(!same_name("\u{131}", "i"));
    }

    #[test]
    fn no_other_character_folds_to_ascii() {
        let to_ascii: Vec<char> = ('\u{80}'..=char::MAX)
            .filter(|c| {
                let lower = c.to_lowercase().to_string();
                let upper = c.to_uppercase().to_string();
                (lower.len() == 1 && lower.is_ascii()) || (upper.len() == 1 && upper.is_ascii())
            })
            .collect();
        // The dotless `ı` has the upper case `I`, but no folding to it (CaseFolding.txt, status T).
        assert_eq!(to_ascii, ['\u{131}', '\u{17f}', '\u{212a}']);
    }
}
