//! Regular expressions of proxies that put `^` before and `$` behind them, and no brackets around.

/// The expression for all of a path that matches what `^EXPRESSION$` matches somewhere in it.
///
/// They differ where there are alternatives: `^/_ping|/version$` is whatever begins with `/_ping`, and
/// whatever ends with `/version`.
pub(super) fn of_whole_path(expression: &str) -> String {
    if has_alternatives(expression) {
        format!("(?s:.*)(?:^{expression}$)(?s:.*)")
    } else {
        expression.to_owned()
    }
}

/// Whether a `|` stands outside of all brackets. Where that is not certain, yes: both forms are right
/// then.
fn has_alternatives(expression: &str) -> bool {
    let (mut depth, mut in_class) = (0_u32, false);
    let mut rest = expression.chars();
    while let Some(c) = rest.next() {
        // An escaped character is no bracket, and what follows \Q is meant by its letters, up to \E.
        if c == '\\' && rest.next() == Some('Q') {
            return true;
        }
        match c {
            '[' if !in_class => {
                in_class = true;
                // First in a class it is one of its characters.
                let mut ahead = rest.clone();
                let first = ahead.next();
                let first = if first == Some('^') { ahead.next() } else { first };
                if first == Some(']') {
                    rest = ahead;
                }
            }
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => depth = depth.saturating_sub(1),
            '|' if !in_class && depth == 0 => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_those_outside_of_brackets() {
        for (expression, expected) in [
            ("/version", false),
            ("/v1\\..{1,2}/(version|containers/.*|events.*)", false),
            ("/_ping|/version", true),
            ("(a)|(b)", true),
            ("[|]", false),
            ("[]|]x", false),
            ("[^]|]x", false),
            ("[a]|b", true),
            (r"a\|b", false),
            (r"\(a|b", true),
            (r"\Qa|b\E", true),
            ("(?i)a|b", true),
        ] {
            assert_eq!(has_alternatives(expression), expected, "{expression}");
        }
        assert_eq!(of_whole_path("/version"), "/version");
        assert_eq!(of_whole_path("/a|/b"), "(?s:.*)(?:^/a|/b$)(?s:.*)");
    }
}
