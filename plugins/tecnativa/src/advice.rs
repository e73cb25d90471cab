//! What is worth a warning about the flags as they are set.

use crate::{
    dialect::Dialect,
    flags::Rule,
    switches::{Effect, Switch, Switches},
    value::{means_off, shown},
};

/// A warning: the variable that it is about, and the words.
pub(crate) type Advice = (String, String);

pub(crate) fn on_switches(switches: &Switches) -> Vec<Advice> {
    let on_each = |switch| on_value(switch).or_else(|| on_effect(switches, switch));
    switches.iter().filter_map(on_each).chain(on_root(switches)).collect()
}

/// A value that counts as 0 though its author meant 1.
fn on_value(switch: &Switch) -> Option<Advice> {
    let value = switch.value.as_deref()?;
    if switch.on || means_off(value) {
        return None;
    }
    let name = switch.flag.name;
    let found = match shown(value) {
        Some(value) => format!("{name}='{value}' counts as 0"),
        None => format!("the value of {name} counts as 0"),
    };
    let instead = if switch.flag.default {
        format!("and closes what is open by default: write {name}=1, or leave it out")
    } else {
        format!("as only numbers count: write {name}=1, or {name}=0 if that is meant")
    };
    Some((name.to_owned(), format!("{found}, {instead}")))
}

/// A flag that is on and comes to nothing.
fn on_effect(switches: &Switches, switch: &Switch) -> Option<Advice> {
    let Effect::Inert { needs } = switches.effect(switch) else { return None };
    let name = switch.flag.name;
    let mut words = format!("{name} opens nothing without {needs}");
    if let (Rule::Verbs { .. }, Dialect::Tecnativa) = (&switch.flag.rule, switches.dialect) {
        words += "; for LinuxServer's image, where it works alone, choose the dialect linuxserver";
    }
    Some((name.to_owned(), words))
}

/// Flags with which a client can become root on the host.
fn on_root(switches: &Switches) -> Option<Advice> {
    let acts = |switch: &&Switch| match switch.flag.rule {
        Rule::Verbs { .. } => matches!(switches.effect(switch), Effect::Open),
        _ => switch.on && switches.on("POST"),
    };
    let way = |switch: &Switch| Some((switch.flag.name, switch.flag.root?));
    let ways: Vec<_> = switches.iter().filter(acts).filter_map(way).collect();
    let (first, _) = ways.first()?;
    let (subject, with) = if switches.on("POST") { ("POST", " with POST=1") } else { (*first, "") };
    let ways: Vec<String> = ways.iter().map(|(name, how)| format!("{name} ({how})")).collect();
    let words = format!("clients can become root on the host{with} by {}", ways.join(", "));
    Some((subject.to_owned(), words))
}
