//! Networks.

use dockgate_plugin::{Json, Kind};

use crate::{
    case::{Case, Field, NEVER},
    namespaces,
    settings::Namespace,
};

pub(crate) fn create(case: &mut Case) {
    let body = case.body();
    let body = Field::root(&body);
    check_driver(case, &body.get("Driver"), &["", "default", "bridge", "overlay"]);
    check_driver(case, &body.get("IPAM").get("Driver"), &["", "default"]);
    check_options(case, &body.get("Options"));
    let from = body.get("ConfigFrom").get("Network");
    if from.is_said() && !case.settings.network_config_from {
        case.refuse(&from, "it takes the configuration of another network", "network-config-from");
    }
    let ingress = body.get("Ingress");
    if case.flag(&ingress) && !case.settings.swarm {
        case.refuse(&ingress, "it is the network of the whole swarm", "swarm");
    }
}

/// Options that reach nothing of the host. One that names a bridge takes one that is there, and
/// `parent` a link.
const HARMLESS: [&str; 6] = [
    "com.docker.network.bridge.enable_icc",
    "com.docker.network.bridge.enable_ip_masquerade",
    "com.docker.network.container_iface_prefix",
    "com.docker.network.driver.mtu",
    "com.docker.network.driver.overlay.vxlanid_list",
    "encrypted",
];

/// Options of a network, or of how a container is on it: `com.docker.network.endpoint.sysctls` are
/// sysctls.
pub(crate) fn check_options(case: &mut Case, map: &Field) {
    for (key, field) in case.map(map) {
        let known = &case.settings.network_options;
        if !HARMLESS.contains(&key) && !known.iter().any(|known| known == key) {
            case.refuse(&field, "it is none of those that are listed", "network-options");
        }
    }
}

fn check_driver(case: &mut Case, field: &Field, harmless: &[&str]) {
    let name = case.text(field);
    let known = &case.settings.network_drivers;
    if !harmless.contains(&name) && !known.iter().any(|known| known == name) {
        case.refuse(field, "networks don't have this driver", "network-drivers");
    }
}

pub(crate) fn connect(case: &mut Case) {
    let body = case.body();
    check_options(case, &Field::root(&body).get("EndpointConfig").get("DriverOpts"));
    let name = case.request.target().unwrap_or_default();
    let json = Json::from(name);
    let field = Field { place: "the network".to_owned(), json: &json };
    check_name(case, &field, name);
    check_not_default(case, &field, name);
}

/// `EndpointsConfig`: by the name of a network, how the container is on it. A `NetworkID` counts for
/// more than that name (moby, `getNetworkID`).
pub(crate) fn check_endpoints(case: &mut Case, map: &Field) {
    for (name, endpoint) in case.map(map) {
        let json = Json::from(name);
        let named = Field { json: &json, ..endpoint.clone() };
        check_name(case, &named, name);
        check_not_default(case, &named, name);
        check_options(case, &endpoint.get("DriverOpts"));
        let id = endpoint.get("NetworkID");
        let text = case.text(&id);
        check_name(case, &id, text);
        if !text.is_empty() {
            check_not_default(case, &id, text);
        }
    }
}

/// The default network, if containers are kept off it: by its names, its id, or where none is said. On
/// Windows it is `nat`.
pub(crate) fn check_not_default(case: &mut Case, field: &Field, name: &str) {
    if !case.settings.no_default_network || matches!(name, "none" | "host") {
        return;
    }
    let is_default = |name: &str| matches!(name, "" | "default" | "bridge" | "nat");
    let by_id = || {
        let found = case.request.look_up(Kind::Network, name)?;
        found.get("Name").and_then(Json::as_str).map(is_default)
    };
    if is_default(name) || by_id().unwrap_or(false) {
        case.refuse(field, "containers are not on the default network", "no-default-network");
    }
}

/// A network that something joins, by its name or id: `NetworkMode`.
pub(crate) fn check_name(case: &mut Case, field: &Field, name: &str) {
    if matches!(name, "" | "default" | "bridge" | "none" | "nat") {
        return;
    }
    if name.eq_ignore_ascii_case("host") {
        namespaces::check_host(case, field, name, Namespace::Network);
    } else if name.contains(':') {
        // `ns:/proc/1/ns/net`, and others of Podman's.
        case.refuse(field, "it is no network", NEVER);
    } else if let Some(found) = case.request.look_up(Kind::Network, name) {
        let driver = found.get("Driver").and_then(Json::as_str);
        if driver == Some("host") {
            namespaces::check_host(case, field, "host", Namespace::Network);
        }
    }
}
