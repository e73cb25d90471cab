//! Requests by which a client would find out what is hidden, or overwrite it.

use dockgate_plugin::{Denial, Json, Operation as Op, Request};

use crate::{Redaction, settings::How};

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

/// A list by the value of a label says what the value is, and by its name that it is there.
fn check_filters(policy: &Redaction, request: &Request) -> Result<(), Denial> {
    let filters = request.filters().map_err(|bad| Denial::new(bad.to_string()).with_status(400))?;
    let by_label = filters.entries().filter(|(filter, _)| filter.contains("label"));
    for (filter, value) in by_label.flat_map(|(name, all)| all.iter().map(move |v| (name, v))) {
        let (name, value) = value.split_once('=').map_or((&**value, None), |(n, v)| (n, Some(v)));
        let tells = match policy.labels.hides(name) {
            Some(How::Remove) => true,
            Some(How::Mask) => value.is_some(),
            None => false,
        };
        if tells {
            let message =
                format!("the filter {filter} would tell of the label {name}, which is redacted");
            let hint = "filter by another label, or show this one";
            return Err(Denial::new(message).with_code("redacted").with_hint(hint));
        }
    }
    Ok(())
}

/// What a client was shown, sent back, would put the mask into the place of what it hides.
fn check_body(policy: &Redaction, request: &Request, body: &Json) -> Result<(), Denial> {
    let Some(place) = place_of_mask(&policy.mask, body) else { return Ok(()) };
    Err(Denial::new(format!(
        "{} is not allowed: {place} holds {:?}, which would overwrite what is redacted",
        request.operation_name(),
        policy.mask
    ))
    .with_code("redacted")
    .with_hint("send the value itself"))
}

/// Where a mask stands as a value.
fn place_of_mask(mask: &str, json: &Json) -> Option<String> {
    match json {
        Json::String(text) => {
            let is_value = text.strip_suffix(mask).is_some_and(|name| name.ends_with('='));
            let is_source = text.strip_prefix(mask).is_some_and(|rest| rest.starts_with(':'));
            (text == mask || is_value || is_source).then(String::new)
        }
        Json::List(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| place_of_mask(mask, item).map(|place| format!("/{at}{place}"))),
        object => object.entries().find_map(|(name, value)| {
            place_of_mask(mask, value).map(|place| format!("/{name}{place}"))
        }),
    }
}
