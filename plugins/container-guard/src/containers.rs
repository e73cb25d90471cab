//! Containers: made, changed, started and entered.

use dockgate_plugin::{Json, Kind};

use crate::{
    case::{Case, Field},
    force,
    host_config::{self, Origin},
    networks,
};

pub(crate) fn create(case: &mut Case) {
    let body = case.body();
    let body = Field::root(&body);
    let host = body.get("HostConfig");
    host_config::check(case, &host, Origin::Client);
    // Daemons up to version 26 take the fields of HostConfig at the top of the body as well.
    host_config::check(case, &body, Origin::Client);
    host_config::check_unknown(case, &host);
    let network = host.get("NetworkMode");
    let name = case.text(&network);
    networks::check_not_default(case, &network, name);
    networks::check_endpoints(case, &body.get("NetworkingConfig").get("EndpointsConfig"));
    force::on_container(case, &body);
}

/// The body has the resources of a HostConfig, and nothing else of it.
pub(crate) fn update(case: &mut Case) {
    let body = case.body();
    let body = Field::root(&body);
    host_config::check(case, &body, Origin::Client);
    force::on_update(case, &body);
}

pub(crate) fn exec(case: &mut Case) {
    let body = case.body();
    let body = Field::root(&body);
    check_privileged(case, &body.get("Privileged"));
    check_user(case, &body.get("User"), entered(case));
    enter(case);
}

/// A command that somebody else may have made, and that whoever starts it talks to.
pub(crate) fn exec_start(case: &mut Case) {
    let name = case.request.target().unwrap_or_default();
    let Some(found) = case.request.look_up(Kind::Exec, name) else { return };
    let exec = Field::root(&found);
    let process = exec.get("ProcessConfig");
    let container = case.text(&exec.get("ContainerID"));
    check_privileged(case, &process.get("privileged"));
    check_user(case, &process.get("user"), container);
    enter_container(case, container);
}

fn check_privileged(case: &mut Case, privileged: &Field) {
    if case.flag(privileged) && !case.settings.privileged {
        case.refuse(privileged, "a privileged command is root on the host", "privileged");
    }
}

/// The daemon shows a command that was made without a user with that of its container.
fn check_user(case: &mut Case, user: &Field, container: &str) {
    let name = case.text(user);
    let allowed = &case.settings.exec_users;
    if name.is_empty() || allowed.iter().any(|user| user == "*" || user == name) {
        return;
    }
    let found = case.request.look_up(Kind::Container, container);
    let own = found.as_ref().and_then(|found| found.at("/Config/User")).and_then(Json::as_str);
    if own != Some(name) {
        case.refuse(user, "commands run as the container's own user", "exec-users");
    }
}

/// Into a container that somebody else may have made, with more rights than these rules give.
pub(crate) fn enter(case: &mut Case) {
    enter_container(case, entered(case));
}

/// The container that the path names.
fn entered<'c>(case: &Case<'c>) -> &'c str {
    let name = case.request.target().unwrap_or_default();
    name.strip_prefix('/').unwrap_or(name)
}

fn enter_container(case: &mut Case, name: &str) {
    if case.settings.unconfined_containers || name.is_empty() {
        return;
    }
    let Some(found) = case.request.look_up(Kind::Container, name) else { return };
    let mut inside = Case::new(case.settings, case.request);
    host_config::check(&mut inside, &Field::root(&found).get("HostConfig"), Origin::Daemon);
    if inside.into_denial().is_some() {
        let place = format!("container {}", Json::from(name));
        let rule = "it has rights on the host that these rules don't give";
        case.refuse_unshown(&place, rule, "unconfined-containers");
    }
}

pub(crate) fn start(case: &mut Case) {
    if case.request.api_version().is_some_and(is_before_1_24) {
        let rule = "before API 1.24 a start may replace the container's HostConfig";
        case.refuse_unshown("the API version", rule, "");
    }
    for parameter in ["checkpoint", "checkpoint-dir"] {
        let is_said = case.request.query(parameter).is_some_and(|value| !value.is_empty());
        if is_said && !case.settings.checkpoints {
            case.refuse_unshown(parameter, CHECKPOINTS, "checkpoints");
        }
    }
}

pub(crate) const CHECKPOINTS: &str =
    "the daemon reads, writes and deletes them wherever it is told";

fn is_before_1_24(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < (1, 24)
}
