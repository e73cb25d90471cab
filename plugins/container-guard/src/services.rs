//! Services of a swarm, which are containers on any of its hosts.

use dockgate_plugin::{Json, Kind};

use crate::{
    capabilities,
    case::{Case, Field},
    force, host_config, mounts, networks, ports, security,
};

pub(crate) fn create(case: &mut Case) {
    let body = case.body();
    let spec = Field::root(&body);
    check(case, &spec);
    force::on_service(case, &spec);
}

/// An update with `rollback` takes the specification that the service had before.
pub(crate) fn update(case: &mut Case) {
    let rolls_back = case.request.query("rollback").is_some_and(|value| !value.is_empty());
    if rolls_back {
        let name = case.request.target().unwrap_or_default();
        let found = case.request.look_up(Kind::Service, name).unwrap_or_default();
        let json = found.get("PreviousSpec").unwrap_or(&Json::Null);
        check(case, &Field { place: "PreviousSpec".to_owned(), json });
    }
    create(case);
}

fn check(case: &mut Case, spec: &Field) {
    let task = spec.get("TaskTemplate");
    let container = task.get("ContainerSpec");
    check_runtime(case, &task);
    mounts::check(case, &container.get("Mounts"));
    capabilities::check_added(case, &container.get("CapabilityAdd"));
    security::check_privileges(case, &container.get("Privileges"));
    host_config::sysctls(case, &container.get("Sysctls"));
    host_config::ulimits(case, &container.get("Ulimits"));
    host_config::groups(case, &container.get("Groups"));
    host_config::check_oom_score(case, &container.get("OomScoreAdj"));
    host_config::log_driver(case, &task.get("LogDriver").get("Name"));
    for of in [&task, spec] {
        for network in case.list(&of.get("Networks")) {
            let target = network.get("Target");
            let name = case.text(&target);
            networks::check_name(case, &target, name);
            networks::check_not_default(case, &target, name);
            networks::check_options(case, &network.get("DriverOpts"));
        }
    }
    let generic = task.get("Resources").get("Reservations").get("GenericResources");
    if generic.is_said() && !case.settings.device_requests {
        case.refuse(&generic, "containers don't get devices from drivers", "device-requests");
    }
    ports::check_service(case, &spec.get("EndpointSpec").get("Ports"));
}

/// A service runs containers, or one of Docker's plugins.
fn check_runtime(case: &mut Case, task: &Field) {
    let runtime = task.get("Runtime");
    let rule = "a service runs containers";
    if !matches!(case.text(&runtime), "" | "container") && !case.settings.plugins {
        case.refuse(&runtime, rule, "plugins");
    }
    for name in ["PluginSpec", "NetworkAttachmentSpec"] {
        let field = task.get(name);
        if field.is_said() && !case.settings.plugins {
            case.refuse(&field, rule, "plugins");
        }
    }
}
