//! What is made, with the labels of the scope put on.

use dockgate_plugin::{Json, Kind};

use crate::{
    case::{Case, text},
    images, references,
    stop::Stop,
};

pub(crate) fn container(case: &Case) -> Result<(), Stop> {
    let body = case.body()?;
    stamp(case, "/Labels", &body)?;
    images::run_in(case, body.get("Image"))?;
    references::of_container(case, &body).map_err(Stop::not_of_the_image)
}

/// A volume. To create one that is there already gives that one.
pub(crate) fn volume(case: &Case) -> Result<(), Stop> {
    let body = case.body()?;
    if body.get("ClusterVolumeSpec").is_some_and(Json::says_something) {
        return Err(Stop::refuse(
            "not-scoped",
            "volumes of a cluster can't be confined to labels",
            "leave ClusterVolumeSpec out",
        ));
    }
    stamp(case, "/Labels", &body)?;
    let name = text(body.get("Name"), "Name")?;
    match case.request.look_up(Kind::Volume, name) {
        Some(found) if !case.is_inside(Kind::Volume, &found) => Err(volume_conflict(name)),
        _ => Ok(()),
    }
}

/// What the daemon says of a volume's name that it can't give away.
pub(crate) fn volume_conflict(name: &str) -> Stop {
    Stop::Answer(409, format!("create {name}: conflict: volume name must be unique"))
}

/// A network. The daemon would make a second one of the same name, and others who give the name
/// might then get the wrong one.
pub(crate) fn network(case: &Case) -> Result<(), Stop> {
    let body = case.body()?;
    stamp(case, "/Labels", &body)?;
    let from = text(body.at("/ConfigFrom/Network"), "ConfigFrom.Network")?;
    if !from.is_empty() {
        case.find(Kind::Network, from)?;
    }
    let name = text(body.get("Name"), "Name")?;
    let there = case.request.look_up(Kind::Network, name);
    // A look-up takes the beginning of an id as well, which is no conflict.
    let there = there.filter(|found| found.get("Name").and_then(Json::as_str) == Some(name));
    match there {
        Some(found) if !case.is_inside(Kind::Network, &found) => {
            Err(Stop::Answer(409, format!("network with name {name} already exists")))
        }
        _ => Ok(()),
    }
}

/// A service: its own labels, and those of the containers of its tasks.
pub(crate) fn service(case: &Case) -> Result<(), Stop> {
    let body = case.body()?;
    stamp(case, "/Labels", &body)?;
    references::of_service(case, &body)?;
    stamp(case, "/TaskTemplate/ContainerSpec/Labels", &body)?;
    images::run_in(case, body.at("/TaskTemplate/ContainerSpec/Image"))
}

/// What has its labels at the top of its body, and nothing else to look at.
pub(crate) fn stamp_body(case: &Case) -> Result<(), Stop> {
    stamp(case, "/Labels", &case.body()?)
}

/// Puts the labels of the scope at a place in the body.
pub(crate) fn stamp(case: &Case, pointer: &str, body: &Json) -> Result<(), Stop> {
    if let Some(labels) = case.policy.scope.stamp(body.at(pointer))? {
        case.request.set_json(pointer, &labels);
    }
    Ok(())
}
