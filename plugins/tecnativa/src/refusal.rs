//! What a client is told that may not do something.

use dockgate_plugin::{Request, Verdict};

use crate::{
    dialect::Dialect,
    flags::{FLAGS, Flag},
    path::SubPath,
    rules::is_read,
    switches::Switches,
};

/// The refusal of a request that [`Rules`](crate::rules::Rules) do not permit.
pub(crate) fn refusal(switches: &Switches, request: &Request) -> Verdict {
    let verdict = match request.operation_name() {
        "unknown" => {
            let path: String = request.path().chars().take(LONGEST_PATH).collect();
            Verdict::deny(format!("{} {path} is not allowed", request.method()))
        }
        operation => Verdict::deny(format!("{operation} is not allowed")),
    };
    if let Some(missing) = missing(switches, request.method(), request.path()) {
        return verdict.with_code("flag-not-set").with_hint(format!("set {}", as_text(&missing)));
    }
    let elsewhere = FLAGS.iter().find(|flag| flag.opens_section(request.path()));
    let hint = match elsewhere {
        Some(flag) => format!("only the dialect linuxserver has a flag for it, {}", flag.name),
        None => "no flag opens this path".to_owned(),
    };
    verdict.with_code("no-such-section").with_hint(hint)
}

/// The flags that are off and together would let a request through, by the way that opens least.
/// None where no flag does.
fn missing(switches: &Switches, method: &str, path: &str) -> Option<Vec<&'static str>> {
    let flags = || switches.dialect.flags();
    let is_on = |flag: &Flag| switches.on(flag.name);
    let sub_path = SubPath::of(path);
    let section = flags().find(|flag| flag.opens_section(path));
    let verb = sub_path.and_then(|sub_path| {
        let opening = |flag| Some((Flag::opens_verb(flag, sub_path)?, flag));
        let least =
            flags().filter_map(opening).min_by_key(|(besides, flag)| (!is_on(flag), *besides));
        least.map(|(_, flag)| flag)
    });
    if let (Some(verb), Dialect::LinuxServer) = (verb, switches.dialect) {
        return Some(vec![verb.name]);
    }
    let opener = match section {
        Some(section) if is_on(section) => section,
        section => verb.or(section)?,
    };
    let gate = if is_read(method) { None } else { Some("POST") };
    let lifting = sub_path.and_then(|sub_path| flags().find(|flag| flag.lifts(sub_path)));
    let needed = [gate, Some(opener.name), lifting.map(|flag| flag.name)];
    Some(needed.into_iter().flatten().filter(|name| !switches.on(name)).collect())
}

/// `POST=1, CONTAINERS=1 and ALLOW_ARCHIVE=1`.
fn as_text(names: &[&str]) -> String {
    let mut text = String::new();
    for (i, name) in names.iter().enumerate() {
        text += match i {
            0 => "",
            _ if i + 1 == names.len() => " and ",
            _ => ", ",
        };
        text += name;
        text += "=1";
    }
    text
}

/// Clients print messages on a line.
const LONGEST_PATH: usize = 200;
