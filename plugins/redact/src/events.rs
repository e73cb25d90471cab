//! Events, whose attributes hold labels among other names.

use dockgate_plugin::{Json, Sifted};

use crate::{Redaction, settings::How};

/// Attributes that are the daemon's own (moby, `daemon/events.go` and its like), and stay although a
/// pattern for labels fits them.
const OF_THE_DAEMON: [&str; 17] = [
    "container",
    "destination",
    "driver",
    "execDuration",
    "execID",
    "exitCode",
    "height",
    "image",
    "imageID",
    "name",
    "node.id",
    "oldName",
    "propagation",
    "read/write",
    "signal",
    "type",
    "width",
];

impl Redaction {
    /// An event as a client may see it. What can't be read is dropped.
    pub(crate) fn event(&self, item: &str) -> Sifted {
        let Ok(mut event) = Json::parse(item) else { return Sifted::Drop };
        let is = |event: &Json, kind| event.get("Type").and_then(Json::as_str) == Some(kind);
        let (is_daemon, is_node) = (is(&event, "daemon"), is(&event, "node"));
        if self.hides_commands {
            for field in ["status", "Action"] {
                event.get_mut(field).into_iter().for_each(|action| self.action(action));
            }
        }
        let mut actor = event.get_mut("Actor");
        if self.hides_host
            && is_daemon
            && let Some(id) = actor.as_deref_mut().and_then(|actor| actor.get_mut("ID"))
        {
            self.texts(id);
        }
        if let Some(Json::Object(attributes)) = actor.and_then(|actor| actor.get_mut("Attributes"))
        {
            attributes.retain_mut(|(name, value)| {
                if self.hides_host && (is_daemon || (is_node && name == "name")) {
                    self.texts(value);
                }
                if OF_THE_DAEMON.contains(&&**name) {
                    return true;
                }
                let Some(how) = self.label(name) else { return true };
                self.texts(value);
                how == How::Mask
            });
        }
        Sifted::Replace(event.to_string())
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
}
