//! Streams: events, whose attributes hold labels among other names, and the end of a container.

use dockgate_plugin::{Json, Request, Sifted};

use crate::{
    settings::{How, Mounts},
    walk::Masking,
};

/// Filters by which a client does not find out what is hidden in an event that they let through. The
/// daemon compares all others with the beginning of its own name and those of nodes, or with what it
/// was set to. A `node` is its id, or the request is refused.
const NOT_OF_THE_HOST: [&str; 4] = ["event", "node", "scope", "type"];

/// Types of events that have no labels in their attributes.
const WITHOUT_LABELS: [&str; 9] =
    ["builder", "config", "daemon", "network", "node", "plugin", "secret", "service", "volume"];

impl Masking<'_> {
    /// An event as a client may see it. What can't be read is dropped.
    pub(crate) fn event(&self, request: &Request, item: &str) -> Sifted {
        let Ok(mut event) = Json::parse(item) else { return Sifted::Drop };
        let text = |field| event.get(field).and_then(Json::as_str).unwrap_or_default().to_owned();
        let (kind, action) = (text("Type"), text("Action"));
        let is_of_host = self.policy.hides_host && matches!(&*kind, "daemon" | "node");
        if is_of_host && asks_for_some(request) {
            return Sifted::Drop;
        }
        if self.policy.hides_commands {
            for field in ["status", "Action"] {
                event.get_mut(field).into_iter().for_each(|action| self.action(action));
            }
        }
        let Some(actor) = event.get_mut("Actor") else { return Sifted::Replace(event.to_string()) };
        if is_of_host && kind == "daemon" {
            actor.get_mut("ID").into_iter().for_each(|id| self.pseudonym(id));
        }
        if let Some(Json::Object(attributes)) = actor.get_mut("Attributes") {
            attributes
                .retain_mut(|(name, value)| self.keeps_attribute(&kind, &action, name, value));
        }
        Sifted::Replace(event.to_string())
    }

    /// Hides what is to be hidden in an attribute, and says whether it stays.
    fn keeps_attribute(&self, kind: &str, action: &str, name: &str, value: &mut Json) -> bool {
        let policy = self.policy;
        let is_hidden = match (kind, name) {
            ("daemon", "labels") if !policy.labels.are_all_shown() => true,
            ("daemon", "runtimes") if policy.mounts != Mounts::Show => true,
            ("daemon", _) | ("node", "name") => policy.hides_host,
            _ => false,
        };
        if is_hidden {
            self.texts(value);
        }
        if is_of_the_daemon(kind, action, name) {
            return true;
        }
        let Some(how) = policy.label(name) else { return true };
        self.texts(value);
        how == How::Mask
    }

    /// `exec_create: sh -c …`
    fn action(&self, action: &mut Json) {
        if let Json::String(text) = action
            && text.starts_with("exec_")
            && let Some((what, _)) = text.split_once(": ")
        {
            *text = format!("{what}: {}", self.mask);
        }
    }

    /// `{"StatusCode": 127, "Error": {"Message": "exec: …: no such file"}}`, how a container ended.
    pub(crate) fn wait(&self, item: &str) -> Sifted {
        let Ok(mut end) = Json::parse(item) else { return Sifted::Drop };
        let message = end.get_mut("Error").and_then(|error| error.get_mut("Message"));
        let Some(message) = message else { return Sifted::Keep };
        self.error(message);
        Sifted::Replace(end.to_string())
    }
}

/// Whether a request for events is for some of them by what the daemon and its nodes are called.
fn asks_for_some(request: &Request) -> bool {
    let is_harmless = |name: &str| NOT_OF_THE_HOST.contains(&name);
    !request.filters().is_ok_and(|filters| filters.entries().all(|(name, _)| is_harmless(name)))
}

/// Whether an attribute is the daemon's own, and stays although a pattern for labels fits it (moby,
/// `daemon/events.go` and its like). Only containers and images have labels there, and those that the
/// daemon does not overwrite are called as people like: `signal` is a label where nothing was killed.
fn is_of_the_daemon(kind: &str, action: &str, name: &str) -> bool {
    let is_exec = action.starts_with("exec_");
    match (kind, name) {
        ("container", "image") | (_, "name") => true,
        ("container", "signal") => action == "kill",
        ("container", "exitCode") => action == "die" || is_exec,
        ("container", "execDuration") => action == "die",
        ("container", "execID") => is_exec,
        ("container", "height" | "width") => action == "resize",
        ("container", "oldName") => action == "rename",
        ("container", "comment" | "imageID" | "imageRef") => action == "commit",
        ("container" | "image", "reclaimed") => action == "prune",
        (kind, _) => WITHOUT_LABELS.contains(&kind),
    }
}
