//! Namespaces: what of the kernel's things a container sees as its own.

use crate::{
    case::{Case, Field, NEVER},
    host_config::Origin,
    networks,
    settings::Namespace,
};

/// A field of HostConfig, the namespace that it names, and what it may say.
const FIELDS: [(&str, Namespace, &[&str]); 5] = [
    ("PidMode", Namespace::Pid, &["private"]),
    ("IpcMode", Namespace::Ipc, &["none", "private", "shareable"]),
    ("UTSMode", Namespace::Uts, &["private"]),
    ("UsernsMode", Namespace::User, &["private"]),
    ("CgroupnsMode", Namespace::Cgroup, &["private"]),
];

pub(crate) fn check(case: &mut Case, host: &Field, origin: Origin) {
    for (name, namespace, own) in FIELDS {
        // The daemon fills this in with the host's, where control groups are of version 1.
        if name == "CgroupnsMode" && origin == Origin::Daemon {
            continue;
        }
        let field = host.get(name);
        let mode = case.text(&field);
        if !mode.is_empty() && !own.contains(&mode) && !joins(case, &field, mode) {
            check_host(case, &field, mode, namespace);
        }
    }
    let cgroup = host.get("Cgroup");
    let mode = case.text(&cgroup);
    if !mode.is_empty() && !joins(case, &cgroup, mode) {
        case.refuse(&cgroup, "it is no namespace of a container's", NEVER);
    }
    let network = host.get("NetworkMode");
    let mode = case.text(&network);
    if !joins(case, &network, mode) {
        networks::check_name(case, &network, mode);
    }
}

/// Whether it is the namespace of another container.
pub(crate) fn joins(case: &mut Case, field: &Field, mode: &str) -> bool {
    let joins = mode.get(..CONTAINER.len()).is_some_and(|s| s.eq_ignore_ascii_case(CONTAINER));
    if joins && !case.settings.container_namespaces {
        case.refuse(field, "it is inside of another container", "container-namespaces");
    }
    joins
}

const CONTAINER: &str = "container:";

/// `host`, or what no daemon of Docker's has.
pub(crate) fn check_host(case: &mut Case, field: &Field, mode: &str, namespace: Namespace) {
    if !mode.eq_ignore_ascii_case("host") {
        case.refuse(field, "it is no namespace of a container's", NEVER);
    } else if !case.settings.host_namespaces.contains(&namespace) {
        case.refuse(field, "containers are not in this namespace of the host's", "host-namespaces");
    }
}
