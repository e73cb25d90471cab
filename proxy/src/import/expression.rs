//! Regular expressions of proxies that are written in Go, and put `^` before and `$` behind them and no
//! brackets around.

use regex_syntax::ast::{
    self, Assertion, AssertionKind, Ast, ClassPerlKind, ClassSet, ClassSetBinaryOp, ClassSetItem,
    ErrorKind, Flag, FlagsItemKind, GroupKind, HexLiteralKind, Literal, LiteralKind,
    RepetitionKind, RepetitionRange, Visitor,
};

/// The most often that Go's expressions may repeat something.
const MOST_OFTEN: u32 = 1000;

/// The expression for all of a path that matches what `^EXPRESSION$` matches somewhere in it.
///
/// They differ where there are alternatives: `^/_ping|/version$` is whatever begins with `/_ping`, and
/// whatever ends with `/version`. And where an end is part of the expression: `^*a$` is whatever ends
/// with `a`.
///
/// # Errors
/// Words on what is no expression to Go, or another one than here.
pub(super) fn of_whole_path(expression: &str) -> Result<String, String> {
    let bad = |words: String| format!("{expression:?} is no regular expression here: {words}");
    // As those proxies read it: `a)|(b` is none.
    let parse =
        |text: &str| ast::parse::Parser::new().parse(text).map_err(|error| with_cure(error.kind()));
    let tree = parse(&format!("^{expression}$")).map_err(bad)?;
    ast::visit(&tree, OfGo::default()).map_err(bad)?;
    let is_whole = !matches!(tree, Ast::Alternation(_)) && parse(expression).is_ok();
    Ok(if is_whole { expression.to_owned() } else { format!("(?s:.*)(?:^{expression}$)(?s:.*)") })
}

/// What is wrong, and what to write for what Go knows all the same.
fn with_cure(kind: &ErrorKind) -> String {
    let cure = match kind {
        ErrorKind::EscapeUnrecognized => ": write \\ before each character, for \\Q and \\E too",
        ErrorKind::UnsupportedBackreference => ": write \\x{…} for a character by its number",
        ErrorKind::RepetitionCountUnclosed
        | ErrorKind::RepetitionCountDecimalEmpty
        | ErrorKind::DecimalEmpty
        | ErrorKind::DecimalInvalid => ": write \\{ for a { that is one",
        _ => "",
    };
    format!("{kind}{cure}")
}

/// Looks for what Go does not know, or reads in another way than the plugin `rules`.
#[derive(Default)]
struct OfGo {
    /// Whether anything is matched in upper and lower case.
    folds: bool,
    /// Whether a class leaves k or s out.
    leaves_out: bool,
}

impl Visitor for OfGo {
    type Output = ();
    type Err = String;

    /// To Go the sign for Kelvin is a k, and the long s an s. So `(?i)[^k]` matches neither k there. The
    /// plugin folds what is of ASCII alone.
    fn finish(self) -> Result<(), String> {
        if self.folds && self.leaves_out {
            return Err("a class that leaves k or s out can't be had with the flag i".to_owned());
        }
        Ok(())
    }

    fn visit_pre(&mut self, tree: &Ast) -> Result<(), String> {
        match tree {
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Group(group) => match &group.kind {
                GroupKind::NonCapturing(of_group) => self.flags(of_group),
                GroupKind::CaptureIndex(_) | GroupKind::CaptureName { .. } => Ok(()),
            },
            Ast::Literal(literal) => self::literal(literal),
            Ast::Assertion(assertion) => self::assertion(assertion),
            Ast::ClassBracketed(class) => {
                self.leaves_out |= class.negated && has_k_or_s(&class.kind);
                first_of_class(&class.kind)
            }
            Ast::ClassPerl(class) => {
                self.leaves_out |= class.negated && class.kind == ClassPerlKind::Word;
                Ok(())
            }
            Ast::ClassUnicode(_) => Err("classes like \\pL are not supported".to_owned()),
            Ast::Repetition(repetition) => {
                if matches!(*repetition.ast, Ast::Repetition(_)) {
                    return Err("a repetition of a repetition needs brackets".to_owned());
                }
                match &repetition.op.kind {
                    RepetitionKind::Range(range) => self::range(range),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), String> {
        match item {
            ClassSetItem::Bracketed(_) => Err("write \\[ for a [ between [ and ]".to_owned()),
            ClassSetItem::Unicode(_) => Err("classes like \\pL are not supported".to_owned()),
            ClassSetItem::Literal(literal) => self::literal(literal),
            ClassSetItem::Range(range) => {
                self::literal(&range.start)?;
                self::literal(&range.end)
            }
            ClassSetItem::Ascii(class) => {
                self.leaves_out |= class.negated;
                Ok(())
            }
            ClassSetItem::Perl(class) => {
                self.leaves_out |= class.negated && class.kind == ClassPerlKind::Word;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), String> {
        Err("write &&, -- and ~~ between [ and ] with a \\ before each character".to_owned())
    }
}

/// `[--9]` and `[]-a]` are ranges to Go. Here the first characters stand for themselves.
fn first_of_class(set: &ClassSet) -> Result<(), String> {
    let ClassSet::Item(ClassSetItem::Union(union)) = set else { return Ok(()) };
    let is = |at: usize, letter: char| {
        let item = union.items.get(at);
        matches!(item, Some(ClassSetItem::Literal(literal))
            if literal.kind == LiteralKind::Verbatim && literal.c == letter)
    };
    if (is(0, '-') || is(0, ']')) && is(1, '-') && union.items.len() > 2 {
        return Err("write \\- and \\] for the first characters between [ and ]".to_owned());
    }
    Ok(())
}

impl OfGo {
    fn flags(&mut self, flags: &ast::Flags) -> Result<(), String> {
        flags.items.iter().try_for_each(|item| match item.kind {
            FlagsItemKind::Flag(Flag::CaseInsensitive) => {
                self.folds = true;
                Ok(())
            }
            FlagsItemKind::Negation
            | FlagsItemKind::Flag(Flag::MultiLine | Flag::DotMatchesNewLine | Flag::SwapGreed) => {
                Ok(())
            }
            FlagsItemKind::Flag(_) => Err("there are the flags i, m, s and U".to_owned()),
        })
    }
}

/// Whether a class has one of these letters in it. Operations between classes are refused.
fn has_k_or_s(set: &ClassSet) -> bool {
    let ClassSet::Item(item) = set else { return true };
    let items = match item {
        ClassSetItem::Union(union) => union.items.as_slice(),
        item => std::slice::from_ref(item),
    };
    let is_in = |from: char, to: char| "kKsS".chars().any(|letter| (from..=to).contains(&letter));
    items.iter().any(|item| match item {
        ClassSetItem::Empty(_) => false,
        ClassSetItem::Literal(literal) => is_in(literal.c, literal.c),
        ClassSetItem::Range(range) => is_in(range.start.c, range.end.c),
        ClassSetItem::Perl(class) => class.negated || class.kind == ClassPerlKind::Word,
        _ => true,
    })
}

fn literal(literal: &Literal) -> Result<(), String> {
    match literal.kind {
        LiteralKind::HexFixed(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong)
        | LiteralKind::HexBrace(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong) => {
            Err("write \\x{…} for a character by its number".to_owned())
        }
        _ => Ok(()),
    }
}

fn assertion(assertion: &Assertion) -> Result<(), String> {
    match assertion.kind {
        AssertionKind::StartLine
        | AssertionKind::EndLine
        | AssertionKind::StartText
        | AssertionKind::EndText
        | AssertionKind::WordBoundary
        | AssertionKind::NotWordBoundary => Ok(()),
        _ => Err("at the ends of words there are \\b and \\B".to_owned()),
    }
}

fn range(range: &RepetitionRange) -> Result<(), String> {
    let most = match *range {
        RepetitionRange::Exactly(n) | RepetitionRange::AtLeast(n) => n,
        RepetitionRange::Bounded(_, most) => most,
    };
    if most > MOST_OFTEN {
        return Err(format!("nothing can be repeated more than {MOST_OFTEN} times"));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_those_outside_of_brackets() {
        for (expression, has_alternatives) in [
            ("/version", false),
            ("/v1\\..{1,2}/(version|containers/.*|events.*)", false),
            ("/_ping|/version", true),
            ("(a)|(b)", true),
            ("[|]", false),
            ("[]|]x", false),
            ("[-a-z]", false),
            ("[a-z-]", false),
            ("(?i)/x/[^/]+", false),
            (r"[^k\W]", false),
            ("[^]|]x", false),
            ("[a]|b", true),
            (r"a\|b", false),
            (r"\(a|b", true),
            ("(?i)a|b", true),
            ("[[:alpha:]]+", false),
            ("(?:a*)*", false),
            ("*a", true),
            ("a\\", true),
        ] {
            let whole = of_whole_path(expression).unwrap();
            assert_eq!(whole != expression, has_alternatives, "{expression}");
        }
        assert_eq!(of_whole_path("/a|/b").unwrap(), "(?s:.*)(?:^/a|/b$)(?s:.*)");
    }

    #[test]
    fn what_is_none_to_go_is_none_here() {
        for (expression, words) in [
            ("(", "unclosed group"),
            ("a)|(b", "unopened group"),
            ("[a", "unclosed character class"),
            ("(?x)a b", "there are the flags i, m, s and U"),
            ("(?u:a)", "there are the flags i, m, s and U"),
            ("a**", "a repetition of a repetition needs brackets"),
            ("a{1001}", "nothing can be repeated more than 1000 times"),
            (r"\u{61}", "write \\x{…} for a character by its number"),
            (r"\<a", "at the ends of words there are \\b and \\B"),
            // They have another meaning there.
            ("[[a]]", "write \\[ for a [ between [ and ]"),
            ("[^--9]", "write \\- and \\] for the first characters between [ and ]"),
            ("[]-a]", "write \\- and \\] for the first characters between [ and ]"),
            ("[a&&b]", "write &&, -- and ~~ between [ and ] with a \\ before each character"),
            // The plugin has no tables of Unicode, and no \Q.
            (r"\pL", "classes like \\pL are not supported"),
            (
                r"\Qa|b\E",
                r"unrecognized escape sequence: write \ before each character, for \Q and \E too",
            ),
            (
                r"\151",
                r"backreferences are not supported: write \x{…} for a character by its number",
            ),
            (
                "/x/{id}",
                r"repetition quantifier expects a valid decimal: write \{ for a { that is one",
            ),
            // A third k, and a third s, are in them here.
            ("(?i)[^k]", "a class that leaves k or s out can't be had with the flag i"),
            ("[^/A-Z](?i:x)", "a class that leaves k or s out can't be had with the flag i"),
            (r"(?i)\W", "a class that leaves k or s out can't be had with the flag i"),
        ] {
            let said = of_whole_path(expression).expect_err(expression);
            let expected = format!("{expression:?} is no regular expression here: {words}");
            assert_eq!(said, expected);
        }
    }
}
