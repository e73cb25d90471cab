//! Events, of which a client gets those of what is in scope.

use dockgate_plugin::{Json, Kind, Request};

use crate::{LabelScope, settings::Images, things::Census};

/// Whether an event is of something in scope. What can't be looked up any more is not.
pub(crate) fn is_in_scope(policy: &LabelScope, request: &Request, item: &str) -> bool {
    let Ok(event) = Json::parse(item) else { return false };
    let text = |pointer| event.at(pointer).and_then(Json::as_str).unwrap_or_default();
    let id = text("/Actor/ID");
    let attributes = event.at("/Actor/Attributes");
    let census = Census::new(&policy.scope, request);
    match text("/Type") {
        // The attributes of these hold the labels.
        "container" => policy.scope.includes(attributes),
        "image" => policy.images == Images::Read || policy.scope.includes(attributes),
        // That a container is connected or mounts something is of the container.
        kind @ ("network" | "volume") => match text("/Actor/Attributes/container") {
            "" if kind == "network" => census.is_inside(Kind::Network, id),
            "" => census.is_inside(Kind::Volume, id),
            container => census.is_inside(Kind::Container, container),
        },
        "service" => census.is_inside(Kind::Service, id),
        "secret" => census.is_inside(Kind::Secret, id),
        "config" => census.is_inside(Kind::Config, id),
        "node" => census.is_inside(Kind::Node, id),
        // The daemon's own, those of plugins and builders, and what is not known.
        _ => false,
    }
}
