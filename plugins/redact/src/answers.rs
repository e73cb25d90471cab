//! Answers of the daemon, by their operations.

use dockgate_plugin::{Content, Denial, Json, Operation as Op, Request, Response, Ruling};

use crate::Redaction;

/// Fields of `GET /info` that say what a client has to know of a daemon, and nothing of the host. All
/// other texts are hidden, those that come with new daemons too.
const OF_THE_DAEMON: [&str; 16] = [
    "Architecture",
    "CgroupDriver",
    "CgroupVersion",
    "DefaultRuntime",
    "Driver",
    "Images",
    "IndexServerAddress",
    "Isolation",
    "Labels",
    "LoggingDriver",
    "OSType",
    "Plugins",
    "SecurityOptions",
    "ServerVersion",
    "Swarm",
    "SystemTime",
];

/// Likewise of its field `Swarm`. Docker's client looks for itself by the id.
const OF_THE_SWARM: [&str; 2] = ["LocalNodeState", "NodeID"];

/// Reviews an answer.
pub(crate) fn review(policy: &Redaction, request: &Request, response: &Response) -> Ruling {
    // What the daemon refuses it says in words, to which the client gave what is in them.
    if response.status() >= 400 {
        return Ruling::Pass;
    }
    let Content::Json(mut body) = response.body() else {
        let message = format!("{} gave no answer that can be read", request.operation_name());
        return Ruling::Refuse(Denial::new(message).with_status(502).with_code("unread"));
    };
    match request.operation() {
        Op::SystemInfo => policy.info(&mut body),
        Op::ContainerTop => policy.processes(&mut body),
        _ => policy.walk(&mut body),
    }
    response.set_body(&body);
    Ruling::Pass
}

impl Redaction {
    /// `GET /info`.
    fn info(&self, info: &mut Json) {
        self.walk(info);
        let Json::Object(fields) = info else { return };
        if !self.hides_host {
            return;
        }
        fields.retain_mut(|(name, value)| match value {
            Json::Object(swarm) if name == "Swarm" => {
                swarm.retain(|(name, value)| is_plain(value) || OF_THE_SWARM.contains(&&**name));
                true
            }
            _ if OF_THE_DAEMON.contains(&&**name) => true,
            Json::String(_) => {
                self.texts(value);
                true
            }
            value => is_plain(value),
        });
    }

    /// The processes of a container: a table, in which the command is a column.
    fn processes(&self, top: &mut Json) {
        if !self.hides_commands {
            return;
        }
        let titles = top.get("Titles").map(Json::items).unwrap_or_default();
        let is_command = |title: &Json| matches!(title.as_str(), Some("CMD" | "COMMAND") | None);
        let hidden: Vec<bool> = titles.iter().map(is_command).collect();
        let rows = top.get_mut("Processes").and_then(Json::items_mut);
        for cells in rows.into_iter().flatten().filter_map(Json::items_mut) {
            for (at, cell) in cells.iter_mut().enumerate() {
                // What has no title is part of the last, which is the command.
                if hidden.get(at).is_none_or(|hidden| *hidden) {
                    self.texts(cell);
                }
            }
        }
    }
}

/// Whether a value is a number or a yes, which say nothing of who the host is.
fn is_plain(value: &Json) -> bool {
    matches!(value, Json::Null | Json::Bool(_) | Json::Number(_))
}
