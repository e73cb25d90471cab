//! Answers of the daemon, by their operations.

use sha2::{Digest as _, Sha256};

use dockgate_plugin::{Content, Denial, Json, Operation as Op, Request, Response, Ruling};

use crate::{Redaction, settings::Mounts, walk::Masking};

/// Fields of `GET /info` that say what a client has to know of a daemon, and nothing of the host. All
/// other texts are hidden, those that come with new daemons too.
const OF_THE_DAEMON: [&str; 18] = [
    "Architecture",
    "CDISpecDirs",
    "CgroupDriver",
    "CgroupVersion",
    "DefaultRuntime",
    "DockerRootDir",
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

/// A label of containers that swarm makes.
const TASK: &str = "com.docker.swarm.task.id";

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
    let masking = policy.masking();
    match operation {
        Op::SystemInfo => masking.info(&mut body),
        Op::ContainerTop => masking.processes(&mut body),
        Op::ContainerInspect => masking.container(&mut body),
        Op::ImageInspect => policy.masking_images().image(&mut body),
        Op::ImageList => policy.masking_images().walk(&mut body),
        _ if starts => body.get_mut("message").into_iter().for_each(|words| masking.error(words)),
        _ => masking.walk(&mut body),
    }
    response.set_body(&body);
    Ruling::Pass
}

impl Masking<'_> {
    /// `GET /info`.
    fn info(&self, info: &mut Json) {
        self.walk(info);
        if self.policy.mounts != Mounts::Show {
            self.paths(info);
            let options = info.get_mut("SecurityOptions").and_then(Json::items_mut);
            options.into_iter().flatten().for_each(|option| self.profile(option));
        }
        let Json::Object(fields) = info else { return };
        if !self.policy.hides_host {
            return;
        }
        fields.retain_mut(|(name, value)| match value {
            Json::Object(swarm) if name == "Swarm" => {
                swarm.retain_mut(|(name, value)| self.keeps_of_swarm(name, value));
                true
            }
            Json::String(_) if name == "ID" => {
                self.pseudonym(value);
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

    fn keeps_of_swarm(&self, name: &str, value: &mut Json) -> bool {
        if let Json::Object(cluster) = value
            && name == "Cluster"
        {
            // Docker's client prints it where the node is a manager.
            cluster.retain(|(name, _)| name == "ID");
            value.get_mut("ID").into_iter().for_each(|id| self.pseudonym(id));
            return true;
        }
        is_plain(value) || OF_THE_SWARM.contains(&name)
    }

    /// Paths wherever they stand: of runtimes, of sockets, of what a storage driver tells.
    fn paths(&self, json: &mut Json) {
        match json {
            Json::String(text)
                if text.starts_with(['/', '\\']) || text.get(1..3) == Some(":\\") =>
            {
                self.mask.clone_into(text);
            }
            Json::List(items) => items.iter_mut().for_each(|item| self.paths(item)),
            Json::Object(fields) => fields.iter_mut().for_each(|(_, value)| self.paths(value)),
            _ => {}
        }
    }

    /// Who tells daemons apart by their ids still can. They are random, so that nobody finds them by
    /// trying.
    pub(crate) fn pseudonym(&self, id: &mut Json) {
        if let Json::String(text) = id
            && !text.is_empty()
        {
            let digest = Sha256::digest(&*text);
            let number =
                digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
            *text = format!("{}-{number:016x}", self.mask);
        }
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
        let has_name_of_host = self.policy.hides_host && may_be_called_like_the_host(container);
        self.walk(container);
        if !has_name_of_host {
            return;
        }
        let Some(config) = container.get_mut("Config") else { return };
        let text = |field| config.get(field).and_then(Json::as_str).unwrap_or_default();
        let (host, domain) = (text("Hostname"), text("Domainname"));
        let names = [host.to_owned(), format!("{host}.{domain}")];
        self.name_of_host(config);
        let networks = container.get_mut("NetworkSettings").and_then(|all| all.get_mut("Networks"));
        let Some(Json::Object(networks)) = networks else { return };
        for (_, network) in networks {
            for field in ["Aliases", "DNSNames"] {
                let aliases = network.get_mut(field).and_then(Json::items_mut);
                let of_host = |alias: &&mut Json| {
                    alias.as_str().is_some_and(|alias| names.iter().any(|name| name == alias))
                };
                aliases.into_iter().flatten().filter(of_host).for_each(|alias| self.texts(alias));
            }
        }
    }

    /// `GET /images/{name}/json`. What was made of a container has its name.
    fn image(&self, image: &mut Json) {
        self.walk(image);
        if self.policy.hides_host {
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
        if !self.policy.hides_commands {
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

/// Whether a container has the name of the host, or may have it.
fn may_be_called_like_the_host(container: &Json) -> bool {
    let mode = |field| container.at(&format!("/HostConfig/{field}")).and_then(Json::as_str);
    // One that shares the network of another has its name, which may be the host's.
    if mode("UTSMode") == Some("host")
        || mode("NetworkMode").is_some_and(|mode| mode == "host" || mode.contains(':'))
    {
        return true;
    }
    // The name of a service's containers may be made of the node's. Without one it is of the id.
    let is_of_service =
        container.at("/Config/Labels").is_some_and(|labels| labels.exact(TASK).is_some());
    let text = |pointer| container.at(pointer).and_then(Json::as_str).unwrap_or_default();
    is_of_service && !text("/Id").starts_with(text("/Config/Hostname"))
}

/// Whether a value is a number or a yes, which say nothing of who the host is.
fn is_plain(value: &Json) -> bool {
    matches!(value, Json::Null | Json::Bool(_) | Json::Number(_))
}
