//! Variables that look like flags and are read by nothing.

use crate::{
    advice::Advice,
    dialect::Dialect,
    flags::{FLAGS, Flag},
};

/// What is worth a warning about the names of variables: those of flags that the dialect does not
/// read, then the misspelt and the made-up ones among all others.
pub(crate) fn on_names<'a>(
    dialect: Dialect,
    flags: impl Iterator<Item = &'a str>,
    others: impl Iterator<Item = &'a str>,
) -> Vec<Advice> {
    let of_another_dialect = flags
        .filter(|name| !dialect.reads(name))
        .map(|name| advice(name, "it takes the dialect linuxserver"));
    let unread = others.filter_map(|name| {
        let words = instead(dialect, name).map(str::to_owned).or_else(|| meant(name))?;
        Some(advice(name, &words))
    });
    of_another_dialect.chain(unread).collect()
}

fn advice(name: &str, words: &str) -> Advice {
    (name.to_owned(), format!("nothing reads {name}: {words}"))
}

/// What to write instead of names that people carry over from other proxies, or take for granted.
fn instead(dialect: Dialect, name: &str) -> Option<&'static str> {
    let words = match name {
        "DELETE" | "PUT" | "PATCH" | "OPTIONS" | "ALLOW_POST" => "POST=1 opens every method",
        "GET" | "HEAD" => "GET and HEAD pass wherever a section is open",
        "ALLOW_KILL" => match dialect {
            Dialect::Tecnativa => "POST=1 and ALLOW_RESTARTS=1 open stop, restart and kill",
            Dialect::LinuxServer => "ALLOW_RESTARTS=1 opens stop, restart and kill",
        },
        "ALLOW_EXEC" => {
            "POST=1, CONTAINERS=1 and EXEC=1 open it, with everything else on containers"
        }
        "ALLOW_ATTACH" | "ALLOW_CREATE" | "ALLOW_DELETE" | "ALLOW_PRUNE" | "ALLOW_REMOVE"
        | "ALLOW_RENAME" | "ALLOW_UPDATE" => {
            "POST=1 and CONTAINERS=1 open it, with everything else on containers"
        }
        _ => return None,
    };
    Some(words)
}

/// The flag that was probably meant.
fn meant(name: &str) -> Option<String> {
    if ORDINARY.contains(&name) {
        return None;
    }
    if let Some(flag) = FLAGS.iter().find(|flag| flag.name.eq_ignore_ascii_case(name)) {
        return Some(format!("write {}", flag.name));
    }
    let slips = |flag: &'static Flag| slips(name, flag.name).map(|slips| (slips, flag.name));
    let nearest = FLAGS.iter().filter_map(slips).min_by_key(|(slips, _)| *slips);
    match nearest {
        Some((_, flag)) => Some(format!("is {flag} meant?")),
        // Names that nothing but the flags of such proxies have.
        None if name.starts_with("ALLOW_") || name.starts_with("LIBPOD_") => {
            Some("there is no such flag".to_owned())
        }
        None => None,
    }
}

/// How many slips lead from one name to the other, if they are few for its length. Any two words of
/// four or five letters are alike; one slip is all that can be told apart there.
fn slips(name: &str, flag: &str) -> Option<usize> {
    let few = if flag.len() < 6 { 1 } else { 2 };
    // Cheap bounds first: this runs for each variable and each flag whenever an instance is set up.
    // A slip changes the length by at most one, and the set of letters by at most two.
    let may_be = name.len().abs_diff(flag.len()) <= few
        && (letters(name) ^ letters(flag)).count_ones() as usize <= 2 * few;
    if !may_be {
        return None;
    }
    Some(distance(name.as_bytes(), flag.as_bytes())).filter(|slips| *slips <= few)
}

fn letters(name: &str) -> u32 {
    name.bytes().fold(0, |letters, byte| letters | 1 << (byte % 32))
}

/// The number of letters to add, remove, replace or swap with their neighbour (optimal string
/// alignment).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row_before = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next_row = vec![i];
        for j in 1..=b.len() {
            let replaced = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(row[j] + 1).min(next_row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(row_before[j - 2] + 1);
            }
            next_row.push(least);
        }
        row_before = std::mem::replace(&mut row, next_row);
    }
    row[b.len()]
}

/// Names in everyday use that are a slip away from a flag.
const ORDINARY: &[&str] = &["HOST", "PORT"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (name, flag, expected) in [
            ("CONTAINER", "CONTAINERS", Some(1)),
            ("CONTIANERS", "CONTAINERS", Some(1)),
            ("KONTAINER", "CONTAINERS", Some(2)),
            ("CNTINRS", "CONTAINERS", None),
            ("PSOT", "POST", Some(1)),
            ("PAST", "POST", Some(1)),
            ("PATH", "POST", None),
            ("PATH", "AUTH", None),
            ("EVENT", "EVENTS", Some(1)),
            ("", "POST", None),
        ] {
            assert_eq!(slips(name, flag), expected, "{name} {flag}");
        }
    }
}
