//! Every operation that names a thing in its path, with what it takes to be done to one.
//!
//! The order is that of a life: each row finds things as the rows before have left them.

use dockgate::request::routes::{self, Route};

use crate::engine::Engine;
use crate::http::Request;
use crate::team::{Kind, Things};

use Kind::{Config, Container, Exec, Image, Network, Node, Plugin, Secret, Service, Task, Volume};
use Theirs::{Hidden, Nobodys, ReadByAll, Unscoped};

/// An operation on what its path names.
pub struct Row {
    pub operation: &'static str,
    pub thing: Kind,
    /// In these two `{own …}` stands for what the team has, and `{version}` for the thing's.
    query: &'static str,
    body: &'static str,
    pub theirs: Theirs,
}

/// What a team is told that tries it on another's thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theirs {
    /// That it is not there.
    Hidden,
    /// The same, but with `images` set to `read` it is done.
    ReadByAll,
    /// That the operation can't be confined to labels, whoever's the thing is.
    Unscoped,
    /// What the daemon says: it is of a registry.
    Nobodys,
}

/// The table, without what needs a swarm where there is none.
pub fn rows(engine: &Engine) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| engine.is_swarm || !row.thing.is_of_swarm())
}

/// All routes with a target, the one that matches everything aside.
pub fn routes_with_target() -> impl Iterator<Item = &'static Route> {
    let with_target =
        |route: &&Route| route.pattern.contains('{') && !route.pattern.starts_with("/{");
    routes::all().iter().filter(with_target)
}

pub fn has(operation: &str) -> bool {
    ROWS.iter().any(|row| row.operation == operation)
}

impl Row {
    /// The request of `own`, with `name` for what it is done to.
    pub fn request(&self, name: &str, own: &Things, version: &str) -> Request {
        let route = routes_with_target()
            .find(|route| route.operation.name() == self.operation)
            .unwrap_or_else(|| panic!("{} is no operation with a target", self.operation));
        // A checkpoint is a second parameter.
        let (pattern, after) = match route.pattern.strip_suffix("/{checkpoint}") {
            Some(pattern) => (pattern, "/point"),
            None => (route.pattern, ""),
        };
        let (before, rest) = pattern.split_once('{').expect("a parameter");
        let rest = rest.split_once('}').expect("its end").1;
        let line = format!("{} {before}{name}{rest}{after}{}", route.method, self.query);
        let line = with_own(&line, own).replace("{version}", version);
        Request::new(line).with_body(with_own(self.body, own))
    }
}

/// A text with the names of what the team has in it.
pub fn with_own(text: &str, own: &Things) -> String {
    let kinds = [
        ("{own container}", Container),
        ("{own network}", Network),
        ("{own volume}", Volume),
        ("{own image}", Image),
    ];
    let text = text.replace("{own}", &own.prefix);
    kinds.into_iter().fold(text, |text, (place, kind)| {
        if text.contains(place) { text.replace(place, own.name(kind)) } else { text }
    })
}

const fn row(
    operation: &'static str,
    thing: Kind,
    query: &'static str,
    body: &'static str,
    theirs: Theirs,
) -> Row {
    Row { operation, thing, query, body, theirs }
}

/// The end of a tar archive with nothing in it.
pub const EMPTY_TAR: &str = match std::str::from_utf8(&[0; 1024]) {
    Ok(zeros) => zeros,
    Err(_) => "",
};

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("exec-inspect", Exec, "", "", Hidden),
    row("exec-start", Exec, "", r#"{"Detach":true,"Tty":true}"#, Hidden),
    row("exec-resize", Exec, "?h=9&w=9", "", Hidden),

    row("network-inspect", Network, "", "", Hidden),
    row("network-disconnect", Network, "", r#"{"Container":"{own container}"}"#, Hidden),
    row("network-connect", Network, "", r#"{"Container":"{own container}"}"#, Hidden),

    row("container-inspect", Container, "", "", Hidden),
    row("container-top", Container, "", "", Hidden),
    row("container-logs", Container, "?stdout=1", "", Hidden),
    row("container-stats", Container, "?stream=0&one-shot=1", "", Hidden),
    row("container-changes", Container, "", "", Hidden),
    row("container-export", Container, "", "", Hidden),
    row("container-archive-info", Container, "?path=/bin", "", Hidden),
    row("container-archive", Container, "?path=/bin/sh", "", Hidden),
    row("container-archive-put", Container, "?path=/tmp", EMPTY_TAR, Hidden),
    row("container-attach", Container, "?logs=1&stdout=1", "", Hidden),
    row("container-attach-websocket", Container, "?logs=1&stdout=1", "", Hidden),
    row("container-exec", Container, "", r#"{"Cmd":["true"]}"#, Hidden),
    row("container-resize", Container, "?h=9&w=9", "", Hidden),
    row("container-update", Container, "", r#"{"CpuShares":512}"#, Hidden),
    row("container-checkpoint-list", Container, "", "", Hidden),
    row("container-checkpoint-create", Container, "", r#"{"CheckpointID":"point"}"#, Hidden),
    row("container-checkpoint-delete", Container, "", "", Hidden),
    row("container-pause", Container, "", "", Hidden),
    row("container-unpause", Container, "", "", Hidden),
    row("container-restart", Container, "?t=0", "", Hidden),
    row("container-stop", Container, "?t=0", "", Hidden),
    row("container-wait", Container, "", "", Hidden),
    row("container-start", Container, "", "", Hidden),
    row("container-kill", Container, "", "", Hidden),
    row("container-rename", Container, "?name={own}-renamed", "", Hidden),
    row("container-delete", Container, "?force=1", "", Hidden),

    row("network-delete", Network, "", "", Hidden),

    row("volume-inspect", Volume, "", "", Hidden),
    row("volume-update", Volume, "?version=1", r#"{"Spec":{}}"#, Unscoped),
    row("volume-delete", Volume, "", "", Hidden),

    row("task-inspect", Task, "", "", Hidden),
    row("task-logs", Task, "?stdout=1", "", Hidden),
    row("service-inspect", Service, "", "", Hidden),
    row("service-logs", Service, "?stdout=1", "", Hidden),
    row("service-update", Service, "?version={version}", r#"{"Name":"{own}-svc","TaskTemplate":{"ContainerSpec":{"Image":"{own image}","Args":["sleep","1000"],"StopSignal":"KILL"}}}"#, Hidden),
    row("service-delete", Service, "", "", Hidden),
    row("secret-inspect", Secret, "", "", Hidden),
    row("secret-update", Secret, "?version={version}", r#"{"Name":"{own}-secret","Labels":{"more":"1"}}"#, Hidden),
    row("secret-delete", Secret, "", "", Hidden),
    row("config-inspect", Config, "", "", Hidden),
    row("config-update", Config, "?version={version}", r#"{"Name":"{own}-config","Labels":{"more":"1"}}"#, Hidden),
    row("config-delete", Config, "", "", Hidden),
    row("distribution-inspect", Image, "", "", Nobodys),
    row("image-inspect", Image, "", "", ReadByAll),
    row("image-history", Image, "", "", ReadByAll),
    row("image-attestations", Image, "", "", ReadByAll),
    row("image-get", Image, "", "", ReadByAll),
    row("image-tag", Image, "?repo=localhost:1/{own}-copy&tag=2", "", Hidden),
    row("image-push", Image, "?tag=1", "", Hidden),
    row("image-delete", Image, "", "", Hidden),

    row("node-inspect", Node, "", "", Hidden),
    row("node-update", Node, "?version={version}", r#"{"Availability":"drain","Role":"manager"}"#, Unscoped),
    row("node-delete", Node, "?force=1", "", Unscoped),

    row("plugin-inspect", Plugin, "", "", Hidden),
    row("plugin-delete", Plugin, "", "", Unscoped),
    row("plugin-enable", Plugin, "", "", Unscoped),
    row("plugin-disable", Plugin, "", "", Unscoped),
    row("plugin-push", Plugin, "", "", Unscoped),
    row("plugin-upgrade", Plugin, "?remote=localhost:1/other", "[]", Unscoped),
    row("plugin-set", Plugin, "", r#"["A=1"]"#, Unscoped),
];
