//! Other things that a body names: they are in scope, and their ids take the place of their names.
//!
//! The daemon finds most of them only when the container starts, so what is not there yet is
//! refused as well: by then the name may belong to anyone.

use dockgate_plugin::{Json, Kind};

use crate::{
    case::{Case, fields, id, list, text},
    images,
    stop::Stop,
};

/// What a container joins and mounts.
pub(crate) fn of_container(case: &Case, body: &Json) -> Result<(), Stop> {
    nothing_beside_host_config(body)?;
    let host = body.get("HostConfig").unwrap_or(&Json::Null);
    for field in NAMESPACES {
        namespace(case, field, host.get(field))?;
    }
    let volumes_from = host.get("VolumesFrom");
    each(case, "/HostConfig/VolumesFrom", volumes_from, |from| {
        // `name`, `name:ro`
        let (name, mode) = split_at_colon(from);
        Ok(case.id(Kind::Container, name)? + mode)
    })?;
    each(case, "/HostConfig/Links", host.get("Links"), |link| with_id(case, link))?;
    for bind in list(host.get("Binds"), "Binds")? {
        bound(case, text(Some(bind), "a bind")?)?;
    }
    mounts(case, "/HostConfig/Mounts", host.get("Mounts"))?;
    endpoints(case, body.at("/NetworkingConfig/EndpointsConfig"))
}

/// The fields of HostConfig that may name a container.
const NAMESPACES: [&str; 6] =
    ["NetworkMode", "PidMode", "IpcMode", "UTSMode", "UsernsMode", "Cgroup"];

/// The fields of HostConfig that may name anything.
const NAMING: [&str; 4] = ["Binds", "Links", "Mounts", "VolumesFrom"];

/// Daemons up to version 26 take the fields of HostConfig at the top of the body as well.
fn nothing_beside_host_config(body: &Json) -> Result<(), Stop> {
    let mut fields = NAMESPACES.iter().chain(&NAMING);
    match fields.find(|field| body.get(field).is_some_and(Json::says_something)) {
        Some(field) => Err(Stop::malformed(format!("{field} belongs into HostConfig"))),
        None => Ok(()),
    }
}

/// `container:web`; or a network. All else that stands here names nothing.
fn namespace(case: &Case, field: &str, value: Option<&Json>) -> Result<(), Stop> {
    let mode = text(value, field)?;
    let pinned =
        if field == "NetworkMode" { network_mode(case, mode) } else { joined(case, mode) }?;
    if pinned != mode {
        case.request.set_json(&format!("/HostConfig/{field}"), &pinned);
    }
    Ok(())
}

/// `container:web`, or a network.
pub(crate) fn network_mode(case: &Case, mode: &str) -> Result<String, Stop> {
    if mode.starts_with(CONTAINER) { joined(case, mode) } else { network(case, mode) }
}

fn joined(case: &Case, mode: &str) -> Result<String, Stop> {
    match mode.strip_prefix(CONTAINER) {
        Some(name) => Ok(CONTAINER.to_owned() + &case.id(Kind::Container, name)?),
        None => Ok(mode.to_owned()),
    }
}

const CONTAINER: &str = "container:";

/// The id of a network in scope. Those that every engine has stay: they are nobody's, their names
/// can't be taken, and a container has to be on one.
fn network(case: &Case, name: &str) -> Result<String, Stop> {
    if name.is_empty() || BUILT_IN.contains(&name) {
        return Ok(name.to_owned());
    }
    let Some(found) = case.request.look_up(Kind::Network, name) else {
        return Err(Stop::missing(Kind::Network, name));
    };
    let is_built_in =
        found.get("Name").and_then(Json::as_str).is_some_and(|n| BUILT_IN.contains(&n));
    if is_built_in || case.is_inside(Kind::Network, &found) {
        id(Kind::Network, name, &found)
    } else {
        Err(case.foreign(Kind::Network, name))
    }
}

const BUILT_IN: [&str; 4] = ["default", "bridge", "host", "none"];

/// `web:db`, `web`, or as an inspect shows it `/web:/shop/db`, with the id of the container.
fn with_id(case: &Case, link: &str) -> Result<String, Stop> {
    let (name, alias) = match link.split_once(':') {
        Some((_, alias)) if alias.contains(':') => {
            return Err(Stop::malformed("a link is name:alias"));
        }
        Some((name, alias)) => (name, alias.rsplit('/').next().unwrap_or(alias)),
        None => (link, link),
    };
    Ok(format!("{}:{alias}", case.id(Kind::Container, name)?))
}

/// `shelf:/data:ro`. A path of the host is for other plugins to judge; a path alone gets a volume
/// without a name, which is the container's.
fn bound(case: &Case, bind: &str) -> Result<(), Stop> {
    let (source, target) = split_at_colon(bind);
    if target.is_empty() || source.starts_with('/') {
        return Ok(());
    }
    match case.request.look_up(Kind::Volume, source) {
        Some(found) if case.is_inside(Kind::Volume, &found) => Ok(()),
        // One that is not there would be made without the labels.
        _ => Err(no_such_volume(source)),
    }
}

fn no_such_volume(name: &str) -> Stop {
    Stop::refuse(
        "volume-out-of-scope",
        format!("there is no volume {name} in this client's scope"),
        format!("create it first: docker volume create {name}"),
    )
}

/// Mounts name volumes and images. A volume that is not there is made with the labels that stand
/// here.
fn mounts(case: &Case, pointer: &str, mounts: Option<&Json>) -> Result<(), Stop> {
    for (at, mount) in list(mounts, "Mounts")?.iter().enumerate() {
        let source = text(mount.get("Source"), "the source of a mount")?;
        match text(mount.get("Type"), "the type of a mount")? {
            "bind" | "tmpfs" | "npipe" => {}
            "image" => images::run(case, source)?,
            "volume" => {
                let there = case.request.look_up(Kind::Volume, source);
                match there.filter(|_| !source.is_empty()) {
                    Some(found) if case.is_inside(Kind::Volume, &found) => {}
                    Some(_) => return Err(no_such_volume(source)),
                    None => {
                        let labels = mount.at("/VolumeOptions/Labels");
                        if let Some(labels) = case.policy.scope.stamp(labels)? {
                            let place = format!("{pointer}/{at}/VolumeOptions/Labels");
                            case.request.set_json(&place, &labels);
                        }
                    }
                }
            }
            other => {
                return Err(Stop::refuse(
                    "not-scoped",
                    format!("mounts of the type {other:?} can't be confined to labels"),
                    "mount a volume, a path, an image or a tmpfs",
                ));
            }
        }
    }
    Ok(())
}

/// `EndpointsConfig`: by the name of a network, how the container is on it.
fn endpoints(case: &Case, config: Option<&Json>) -> Result<(), Stop> {
    let mut pinned: Vec<(String, Json)> = Vec::new();
    for (name, endpoint) in fields(config, "EndpointsConfig")? {
        let network = network(case, name)?;
        if pinned.iter().any(|(known, _)| *known == network) {
            return Err(Stop::malformed(format!("EndpointsConfig names the network {name} twice")));
        }
        pinned.push((network, endpoint_with_ids(case, endpoint)?));
    }
    if let Some(config) = config.filter(|_| !pinned.is_empty()) {
        case.put("/NetworkingConfig/EndpointsConfig", Some(config), &Json::Object(pinned));
    }
    Ok(())
}

/// How a container is on a network. The `NetworkID` in it counts for more than the name that the
/// request gives (moby, `getNetworkID`).
fn endpoint_with_ids(case: &Case, endpoint: &Json) -> Result<Json, Stop> {
    let mut pinned = endpoint.clone();
    let network_id = text(endpoint.get("NetworkID"), "NetworkID")?;
    if !network_id.is_empty() {
        pinned.set("NetworkID", network(case, network_id)?);
    }
    let links = list(endpoint.get("Links"), "Links")?;
    if !links.is_empty() {
        let links = links.iter().map(|link| with_id(case, text(Some(link), "a link")?));
        let links: Result<_, _> = links.map(|link| link.map(Json::from)).collect();
        pinned.set("Links", Json::List(links?));
    }
    Ok(pinned)
}

/// Connecting a container to a network and taking it off: both are in scope.
pub(crate) fn of_connection(case: &Case) -> Result<(), Stop> {
    let body = case.body()?;
    let container = case.id(Kind::Container, text(body.get("Container"), "Container")?)?;
    network(case, case.request.target().unwrap_or_default())?;
    if let Some(endpoint) = body.get("EndpointConfig").filter(|config| !config.is_null()) {
        case.put("/EndpointConfig", Some(endpoint), &endpoint_with_ids(case, endpoint)?);
    }
    case.put("/Container", body.get("Container"), &container.into());
    Ok(())
}

/// What a service joins and mounts.
pub(crate) fn of_service(case: &Case, body: &Json) -> Result<(), Stop> {
    let template = body.get("TaskTemplate").unwrap_or(&Json::Null);
    let runs_containers = matches!(text(template.get("Runtime"), "Runtime")?, "" | "container")
        && template.get("ContainerSpec").is_some_and(|spec| !spec.is_null())
        && ["PluginSpec", "NetworkAttachmentSpec"]
            .iter()
            .all(|field| template.get(field).is_none_or(Json::is_null));
    if !runs_containers {
        return Err(Stop::refuse(
            "not-scoped",
            "a service that does not run containers can't be confined to labels",
            "give it a ContainerSpec, and no other",
        ));
    }
    let spec = "/TaskTemplate/ContainerSpec";
    pin_each(case, "/Networks", "Target", body, |name| network(case, name))?;
    pin_each(case, "/TaskTemplate/Networks", "Target", body, |name| network(case, name))?;
    pin_each(case, &format!("{spec}/Secrets"), "SecretID", body, |name| {
        case.id(Kind::Secret, name)
    })?;
    pin_each(case, &format!("{spec}/Configs"), "ConfigID", body, |name| {
        case.id(Kind::Config, name)
    })?;
    let pointer = format!("{spec}/Privileges/CredentialSpec/Config");
    let config = text(body.at(&pointer), "CredentialSpec.Config")?;
    if !config.is_empty() {
        case.put(&pointer, body.at(&pointer), &case.id(Kind::Config, config)?.into());
    }
    let pointer = format!("{spec}/Mounts");
    mounts(case, &pointer, body.at(&pointer))
}

/// Puts the id into a field of each object of a list.
fn pin_each(
    case: &Case,
    pointer: &str,
    field: &str,
    body: &Json,
    id: impl Fn(&str) -> Result<String, Stop>,
) -> Result<(), Stop> {
    for (at, item) in list(body.at(pointer), pointer)?.iter().enumerate() {
        let name = text(item.get(field), field)?;
        let place = format!("{pointer}/{at}/{field}");
        case.put(&place, item.get(field), &id(name)?.into());
    }
    Ok(())
}

/// Puts something else in the place of each string of a list.
fn each(
    case: &Case,
    pointer: &str,
    strings: Option<&Json>,
    pinned: impl Fn(&str) -> Result<String, Stop>,
) -> Result<(), Stop> {
    for (at, item) in list(strings, pointer)?.iter().enumerate() {
        let new = pinned(text(Some(item), pointer)?)?;
        case.put(&format!("{pointer}/{at}"), Some(item), &new.into());
    }
    Ok(())
}

/// What is before the first colon, and the rest with the colon.
fn split_at_colon(text: &str) -> (&str, &str) {
    text.split_at(text.find(':').unwrap_or(text.len()))
}
