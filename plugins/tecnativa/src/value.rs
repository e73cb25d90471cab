//! What the value of a variable counts for.

/// Whether HAProxy takes a variable with this value for true.
///
/// `env(NAME) -m bool` reads a whole number from the front of the value, after at most one sign, and
/// is true unless that is 0 (`c_str2int` in HAProxy's sample.c, `read_int64` in its tools.c; numbers
/// that are too large are cut to the largest). So `01`, `-1`, `1abc` and `1.0` are true, while
/// `true`, `yes`, ` 1`, `0x1`, `0.5` and the empty value are false.
pub(crate) fn counts(value: &str) -> bool {
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    digits.bytes().take_while(u8::is_ascii_digit).any(|digit| digit != b'0')
}

/// Whether a person who writes this value means to switch something off.
pub(crate) fn means_off(value: &str) -> bool {
    let value = value.trim();
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    digits.bytes().all(|digit| digit == b'0')
        || OFF.iter().any(|word| word.eq_ignore_ascii_case(value))
}

/// The value as it may be shown to people. What somebody put into the wrong variable may be a
/// secret, and those are longer than any flag.
pub(crate) fn shown(value: &str) -> Option<&str> {
    (value.chars().nth(LONGEST_SHOWN).is_none()).then_some(value)
}

const LONGEST_SHOWN: usize = 16;

/// Words for off that HAProxy reads as they are meant, since it reads every word as off.
const OFF: &[&str] = &["false", "f", "no", "n", "off", "disabled", "disable", "none", "never"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_number_that_is_not_0_counts() {
        for value in ["1", "2", "10", "01", "+1", "-1", "1abc", "1 ", "1.0", "99999999999999999999"]
        {
            assert!(counts(value), "{value:?}");
        }
    }

    #[test]
    fn nothing_else_counts() {
        let values = [
            "", "0", "00", "-0", "0.5", "0x1", " 1", "true", "TRUE", "yes", "on", "enabled", "-",
            "+-1", "--1", "٠1", "\"1\"",
        ];
        for value in values {
            assert!(!counts(value), "{value:?}");
        }
    }

    #[test]
    fn off_is_told_from_a_slip() {
        for value in ["", "0", "00", "-0", "0 ", "false", "False", "no", "OFF", "n"] {
            assert!(means_off(value), "{value:?}");
        }
        for value in ["true", "yes", "on", " 1", "0x1", "0.5", "\"1\"", "enabled"] {
            assert!(!means_off(value), "{value:?}");
        }
    }

    #[test]
    fn long_values_are_not_shown() {
        assert_eq!(shown("sixteen letters!"), Some("sixteen letters!"));
        assert_eq!(shown("seventeen letters"), None);
    }
}
