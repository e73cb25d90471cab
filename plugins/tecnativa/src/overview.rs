//! What the flags permit, for the person who starts the proxy.

use dockgate_plugin::Permission;

use crate::{
    flags::Rule,
    switches::{Effect, Switch, Switches},
    value::shown,
};

pub(crate) fn permissions(switches: &Switches) -> Vec<Permission> {
    switches.iter().map(|switch| permission(switches, switch)).collect()
}

fn permission(switches: &Switches, switch: &Switch) -> Permission {
    let value = match &switch.value {
        Some(value) => shown(value).unwrap_or("(too long to show)"),
        None if switch.flag.default => "1",
        None => "0",
    };
    let effect = switches.effect(switch);
    Permission {
        name: switch.flag.name.to_owned(),
        value: value.to_owned(),
        open: matches!(effect, Effect::Open),
        exposes: match effect {
            Effect::Inert { needs } => format!("nothing without {needs}"),
            Effect::Off | Effect::Open => exposes(switches, switch),
        },
    }
}

/// What the flag exposes among the others, or would if it were on.
fn exposes(switches: &Switches, switch: &Switch) -> String {
    let flag = switch.flag;
    let by_itself = matches!(flag.rule, Rule::Methods | Rule::Verbs { .. });
    let writes = flag.writes.filter(|_| by_itself || switches.on("POST"));
    let words = [flag.reads, writes].into_iter().flatten().collect::<Vec<_>>().join("; ");
    match flag.root.filter(|_| writes.is_some()) {
        _ if words.is_empty() => "nothing without POST=1".to_owned(),
        Some(how) => format!("{words}; can lead to root on the host ({how})"),
        None => words,
    }
}
