//! Requests by which a client would find out what is hidden, or overwrite it.

use dockgate_plugin::{Denial, Json, Operation as Op, Request};

use crate::{
    Redaction,
    settings::{How, Mounts},
    walk::{self, NO_HOST},
};

/// Arguments of `ps` that show no more than processes and their commands. `e` shows variables, and `o`
/// gives any column any title.
const PS: [&str; 3] = ["", "-ef", "aux"];

/// Refuses a request that answers what is hidden, or sends a mask as if it were the value.
pub(crate) fn judge(policy: &Redaction, request: &Request) -> Result<(), Denial> {
    match request.operation() {
        Op::ContainerTop => check_ps(policy, request)?,
        Op::ServiceUpdate
        | Op::NodeUpdate
        | Op::SwarmUpdate
        | Op::SecretUpdate
        | Op::ConfigUpdate
            if policy.removes() =>
        {
            let operation = request.operation_name();
            return Err(Denial::new(format!(
                "{operation} is not allowed: it replaces a whole definition, of which parts are \
                 left out for this client"
            ))
            .with_code("redacted")
            .with_hint("set how to mask, or let another client do it"));
        }
        Op::NodeInspect | Op::NodeUpdate | Op::NodeDelete if policy.hides_host => {
            check_node(request.target().unwrap_or_default())?;
        }
        _ => {}
    }
    if request.query("filters").is_some() {
        check_filters(policy, request)?;
    }
    match request.body().json() {
        Some(body) => check_body(policy, request, &body),
        None => Ok(()),
    }
}

fn check_ps(policy: &Redaction, request: &Request) -> Result<(), Denial> {
    let arguments = request.query("ps_args").unwrap_or_default();
    let shows_all = policy.environment.are_all_shown() && !policy.hides_commands;
    if shows_all || PS.contains(&&*arguments) {
        return Ok(());
    }
    Err(Denial::new("these arguments of ps may show what is redacted")
        .with_code("redacted")
        .with_hint("give none, or one of -ef and aux"))
}

/// A node by its name says what the name is. Ids are what swarmkit gives: 25 digits of base 36.
fn check_node(node: &str) -> Result<(), Denial> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    if node.len() == 25 && node.bytes().all(is_digit) {
        return Ok(());
    }
    Err(Denial::new("nodes are not found by their names, which are redacted")
        .with_code("redacted")
        .with_hint("give the whole id"))
}

/// Which things a list has says what was asked for.
fn check_filters(policy: &Redaction, request: &Request) -> Result<(), Denial> {
    let filters = request.filters().map_err(|bad| Denial::new(bad.to_string()).with_status(400))?;
    for (filter, value) in
        filters.entries().flat_map(|(name, all)| all.iter().map(move |v| (name, v)))
    {
        if filter.contains("label") {
            check_label(policy, filter, value)?;
        }
        let hint = match (request.operation(), filter) {
            (Op::SystemEvents | Op::TaskList, "node") if policy.hides_host => {
                check_node(value)?;
                continue;
            }
            (Op::SystemEvents, "daemon") | (Op::NodeList, "name") if policy.hides_host => {
                "filter by something else"
            }
            // Of names of volumes, paths of the host and paths in the container, any of which fits.
            (Op::ContainerList | Op::ContainerPrune, "volume")
                if policy.mounts != Mounts::Show && !walk::is_name(value) =>
            {
                "filter by the name of a volume"
            }
            // `exec_create: sh -c a`, of which the daemon takes the beginning as well.
            (Op::SystemEvents, "event")
                if policy.hides_commands && value.starts_with("exec_") && value.contains(':') =>
            {
                "filter by the event alone"
            }
            (Op::BuildPrune, "description") if policy.hides_steps() => "filter by something else",
            // The daemon makes one text of them, in which a comma begins the next filter.
            (Op::BuildPrune, filter) if policy.hides_steps() && filter != "until" => {
                if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
                {
                    continue;
                }
                "give letters, digits and -._ alone"
            }
            _ => continue,
        };
        return Err(Denial::new(format!("the filter {filter} would tell of what is redacted"))
            .with_code("redacted")
            .with_hint(hint));
    }
    Ok(())
}

/// A list by the value of a label says what the value is, and by its name that it is there.
fn check_label(policy: &Redaction, filter: &str, label: &str) -> Result<(), Denial> {
    let (name, value) = label.split_once('=').map_or((label, None), |(n, v)| (n, Some(v)));
    let tells = match policy.label(name) {
        Some(How::Remove) => true,
        Some(How::Mask) => value.is_some(),
        None => false,
    };
    if !tells {
        return Ok(());
    }
    let message = format!("the filter {filter} would tell of the label {name}, which is redacted");
    Err(Denial::new(message)
        .with_code("redacted")
        .with_hint("filter by another label, or show this one"))
}

/// What a client was shown, sent back, would put the mask into the place of what it hides.
fn check_body(policy: &Redaction, request: &Request, body: &Json) -> Result<(), Denial> {
    let is = |mask: &str, text: &str| {
        let is_value = text.strip_suffix(mask).is_some_and(|name| name.ends_with('='));
        let is_source = text.strip_prefix(mask).is_some_and(|rest| rest.starts_with(':'));
        text == mask || is_value || is_source
    };
    let is_mask = |_: &str, text: &str| is(&policy.mask, text) || is(&policy.image_mask, text);
    let is_address =
        |name: &str, text: &str| policy.hides_host && name == "HostIp" && NO_HOST.contains(&text);
    let of_mask = place_of(body, "", &is_mask).map(|place| (place, format!("{:?}", policy.mask)));
    let of_address =
        || place_of(body, "", &is_address).map(|place| (place, "an address of no host".to_owned()));
    let Some((place, what)) = of_mask.or_else(of_address) else { return Ok(()) };
    Err(Denial::new(format!(
        "{} is not allowed: {place} holds {what}, which would overwrite what is redacted",
        request.operation_name(),
    ))
    .with_code("redacted")
    .with_hint("send the value itself"))
}

/// Where a text stands that fits, with the name of the field that it is in.
fn place_of(json: &Json, field: &str, fits: &dyn Fn(&str, &str) -> bool) -> Option<String> {
    match json {
        Json::String(text) => fits(field, text).then(String::new),
        Json::List(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| Some(format!("/{at}{}", place_of(item, field, fits)?))),
        object => object.entries().find_map(|(name, value)| {
            let place = place_of(value, name, fits)?;
            Some(format!("/{}{place}", name.replace('~', "~0").replace('/', "~1")))
        }),
    }
}
