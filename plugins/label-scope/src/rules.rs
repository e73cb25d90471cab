//! What becomes of each operation.

use dockgate_plugin::{Kind, Operation as Op};

use crate::{
    case::{Case, text},
    creation, images, lists, references,
    settings::OutOfScope,
    stop::Stop,
};

/// Judges a request: whether it may go on, as far as labels say.
pub(crate) fn judge(case: &Case) -> Result<(), Stop> {
    match case.request.operation() {
        // About the engine, or about registries: nobody's things.
        Op::SystemPing
        | Op::SystemVersion
        | Op::SystemInfo
        | Op::SystemAuth
        | Op::Options
        | Op::ImageSearch
        | Op::DistributionInspect
        // What comes back is gone through: see `answers` and `events`.
        | Op::ServiceList
        | Op::SecretList
        | Op::ConfigList
        | Op::NodeList
        | Op::SystemDataUsage
        | Op::SystemEvents => Ok(()),

        Op::ContainerList => lists::narrow(case, Kind::Container),
        Op::VolumeList => lists::narrow(case, Kind::Volume),
        Op::NetworkList => lists::narrow(case, Kind::Network),
        Op::ImageList => lists::images(case),
        Op::TaskList => lists::tasks(case),
        Op::ContainerPrune | Op::VolumePrune | Op::NetworkPrune | Op::ImagePrune => {
            lists::prune(case)
        }

        Op::ContainerStart => container_start(case),
        Op::ContainerArchive
        | Op::ContainerArchiveInfo
        | Op::ContainerArchivePut
        | Op::ContainerAttach
        | Op::ContainerAttachWebsocket
        | Op::ContainerChanges
        | Op::ContainerCheckpointCreate
        | Op::ContainerCheckpointDelete
        | Op::ContainerCheckpointList
        | Op::ContainerDelete
        | Op::ContainerExec
        | Op::ContainerExport
        | Op::ContainerInspect
        | Op::ContainerKill
        | Op::ContainerLogs
        | Op::ContainerPause
        | Op::ContainerRename
        | Op::ContainerResize
        | Op::ContainerRestart
        | Op::ContainerStats
        | Op::ContainerStop
        | Op::ContainerTop
        | Op::ContainerUnpause
        | Op::ContainerUpdate
        | Op::ContainerWait => on(case, Kind::Container),
        Op::ExecInspect | Op::ExecStart | Op::ExecResize => on(case, Kind::Exec),
        Op::VolumeInspect | Op::VolumeDelete => on(case, Kind::Volume),
        Op::NetworkInspect | Op::NetworkDelete => on(case, Kind::Network),
        Op::ServiceInspect | Op::ServiceDelete | Op::ServiceLogs => on(case, Kind::Service),
        Op::TaskInspect | Op::TaskLogs => on(case, Kind::Task),
        Op::NodeInspect => on(case, Kind::Node),
        Op::SecretInspect | Op::SecretDelete => on(case, Kind::Secret),
        Op::ConfigInspect | Op::ConfigDelete => on(case, Kind::Config),

        Op::ContainerCreate => creation::container(case),
        Op::VolumeCreate => creation::volume(case),
        Op::NetworkCreate => creation::network(case),
        Op::SecretCreate | Op::ConfigCreate => creation::stamp_body(case),
        Op::ServiceCreate => creation::service(case),
        Op::ServiceUpdate => service_update(case),
        Op::SecretUpdate => update(case, Kind::Secret),
        Op::ConfigUpdate => update(case, Kind::Config),
        Op::NetworkConnect | Op::NetworkDisconnect => references::of_connection(case),

        Op::PluginInspect => Err(plugin(case)),

        Op::ImageInspect | Op::ImageHistory | Op::ImageAttestations => images::look_at(case),
        Op::ImageGet | Op::ImageGetAll => images::save(case),
        Op::ImageCreate => images::pull(case),
        Op::ImageDelete => on(case, Kind::Image),
        Op::ImageTag => images::tag(case),
        Op::ImagePush => images::push(case),
        Op::ImageBuild => images::build(case),
        Op::ContainerCommit => images::commit(case),

        // All that is left is the whole engine's, or can't be told apart by labels: image-load,
        // build-prune, build-cancel, session, grpc, the changes to swarm and nodes, volume-update
        // (of volumes of a cluster), plugins. So is what this plugin does not know.
        _ => Err(not_scoped(case)),
    }
}

fn not_scoped(case: &Case) -> Stop {
    Stop::refuse(
        "not-scoped",
        format!("{} can't be confined to labels", case.request.operation_name()),
        "let this client through a chain without label-scope for it",
    )
}

/// Plugins have no labels, so none is in scope. `docker inspect` asks for one last, and says what it
/// is told.
fn plugin(case: &Case) -> Stop {
    match (case.policy.out_of_scope, case.request.target()) {
        (OutOfScope::Hide, Some(name)) => Stop::Answer(404, format!("plugin \"{name}\" not found")),
        _ => not_scoped(case),
    }
}

/// An operation on a thing that is in scope.
fn on(case: &Case, kind: Kind) -> Result<(), Stop> {
    case.target(kind).map(|_| ())
}

/// Before API 1.24 the body of a start was a HostConfig, with all the references that one can have.
fn container_start(case: &Case) -> Result<(), Stop> {
    if case.request.api_version().is_some_and(is_before_1_24) {
        let message = "container-start before API 1.24 may change the container's configuration";
        return Err(Stop::refuse("old-api", message, "use API 1.24 or newer"));
    }
    on(case, Kind::Container)
}

fn is_before_1_24(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < (1, 24)
}

/// An update may change labels, so it keeps those of the scope.
fn update(case: &Case, kind: Kind) -> Result<(), Stop> {
    on(case, kind)?;
    creation::stamp_body(case)
}

fn service_update(case: &Case) -> Result<(), Stop> {
    let service = case.target(Kind::Service)?;
    // The daemon then takes the specification that the service had before, and not the body's.
    let rolls_back = case.query("rollback").is_some();
    if rolls_back && !case.policy.scope.includes(service.at("/PreviousSpec/Labels")) {
        let name = text(service.at("/Spec/Name"), "Name")?;
        return Err(Stop::refuse(
            "other-label",
            format!("the service {name} was out of this client's scope before its last update"),
            "update it without rollback",
        ));
    }
    creation::service(case)
}

#[cfg(test)]
mod tests {
    use dockgate_plugin::{Kind, Policy, Request, Setup, json};

    use super::*;
    use crate::{LabelScope, Match, Settings, settings::Images};

    #[test]
    fn a_start_with_a_configuration_is_refused() {
        let Ok(label) = "team=blue".parse();
        let policy = LabelScope::set_up(&mut Setup::new(Settings {
            labels: vec![label],
            match_: Match::All,
            out_of_scope: OutOfScope::Hide,
            images: Images::Read,
            allow: false,
        }));
        let web = json!({ "Id": "web", "Config": { "Labels": { "team": "blue" } } });
        let start = Request::to(Op::ContainerStart, "web").with_found(Kind::Container, "web", web);
        policy.decide(&start.clone().with_api_version("1.23")).assert_denied_with("use API 1.24");
        policy.decide(&start.clone().with_api_version("1.24")).assert_abstained();
        policy.decide(&start).assert_abstained();
    }

    #[test]
    fn versions_are_numbers() {
        for (version, is_before) in [
            ("1.9", true),
            ("1.23", true),
            ("1.24", false),
            ("1.100", false),
            ("2.0", false),
            ("", true),
        ] {
            assert_eq!(is_before_1_24(version), is_before, "{version}");
        }
    }
}
