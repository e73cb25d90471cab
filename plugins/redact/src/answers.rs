//! Answers of the daemon, by their operations.

use dockgate_plugin::{Content, Denial, Json, Operation as Op, Request, Response, Ruling};

use crate::{Redaction, settings::Mounts};

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
    let operation = request.operation();
    let starts = matches!(operation, Op::ContainerStart | Op::ContainerRestart);
    // What the daemon refuses it says in words, to which the client gave what is in them. But a start
    // names the source of a mount, which another client may have given.
    if starts != (response.status() >= 400) {
        return Ruling::Pass;
    }
    let Content::Json(mut body) = response.body() else {
        let message = format!("{} gave no answer that can be read", request.operation_name());
        return Ruling::Refuse(Denial::new(message).with_status(502).with_code("unread"));
    };
    match operation {
        Op::SystemInfo => policy.info(&mut body),
        Op::ContainerTop => policy.processes(&mut body),
        Op::ContainerInspect => policy.container(&mut body),
        Op::ImageInspect => policy.image(&mut body),
        _ if starts => body.get_mut("message").into_iter().for_each(|words| policy.error(words)),
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
        if self.mounts != Mounts::Show {
            fields.iter_mut().filter(|(name, _)| name == "SecurityOptions").for_each(
                |(_, list)| {
                    list.items_mut().into_iter().flatten().for_each(|item| self.profile(item));
                },
            );
        }
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

    /// `name=seccomp,profile=/etc/docker/seccomp.json`
    fn profile(&self, option: &mut Json) {
        if let Json::String(text) = option
            && let Some((begin, path)) = text.split_once("profile=")
            && path.contains(['/', '\\'])
        {
            *text = format!("{begin}profile={}", self.mask);
        }
    }

    /// `GET /containers/{name}/json`.
    fn container(&self, container: &mut Json) {
        self.walk(container);
        if !self.hides_host {
            return;
        }
        let host_config = container.get("HostConfig");
        let mode = |field| host_config.and_then(|config| config.get(field)).and_then(Json::as_str);
        // One that shares the network of another has its name, which may be the host's.
        let has_name_of_host = mode("UTSMode") == Some("host")
            || mode("NetworkMode").is_some_and(|mode| mode == "host" || mode.contains(':'));
        if has_name_of_host {
            container.get_mut("Config").into_iter().for_each(|config| self.name_of_host(config));
        }
    }

    /// `GET /images/{name}/json`. What was made of a container has its name.
    fn image(&self, image: &mut Json) {
        self.walk(image);
        if self.hides_host {
            for field in ["Config", "ContainerConfig"] {
                image.get_mut(field).into_iter().for_each(|config| self.name_of_host(config));
            }
        }
    }

    fn name_of_host(&self, config: &mut Json) {
        for field in ["Hostname", "Domainname"] {
            config.get_mut(field).into_iter().for_each(|name| self.texts(name));
        }
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
