//! Things of the daemon, and whether they are in scope.

use std::{cell::RefCell, collections::BTreeMap};

use dockgate_plugin::{Json, Kind, Request};

use crate::scope::Scope;

/// The labels in what an inspect says. Not those of an exec, which has none.
pub(crate) fn labels(kind: Kind, found: &Json) -> Option<&Json> {
    match kind {
        Kind::Container | Kind::Image => found.at("/Config/Labels"),
        Kind::Volume | Kind::Network => found.get("Labels"),
        Kind::Service | Kind::Node | Kind::Secret | Kind::Config => found.at("/Spec/Labels"),
        // Those of its container: `docker service create --container-label`.
        Kind::Task => found.at("/Spec/ContainerSpec/Labels"),
        Kind::Exec => None,
    }
}

/// Whether something that was inspected is in scope. An exec is where its container is; a task as
/// well where its service is.
pub(crate) fn is_inside(scope: &Scope, request: &Request, kind: Kind, found: &Json) -> bool {
    let owner = match kind {
        Kind::Exec => Some((Kind::Container, "ContainerID")),
        Kind::Task => Some((Kind::Service, "ServiceID")),
        _ => None,
    };
    scope.includes(labels(kind, found))
        || owner.is_some_and(|(kind, field)| {
            let name = found.get(field).and_then(Json::as_str).filter(|name| !name.is_empty());
            name.and_then(|name| request.look_up(kind, name))
                .is_some_and(|owner| scope.includes(labels(kind, &owner)))
        })
}

/// How many things are looked up for one answer. A request has 64 look-ups in all, and one more
/// would refuse it.
const MOST_LOOK_UPS: usize = 32;

/// Looks up what an answer names. What can't be looked up is not in scope.
pub(crate) struct Census<'a> {
    scope: &'a Scope,
    request: &'a Request,
    /// By kind and id. No `HashMap`, whose seed would be one more import.
    known: RefCell<BTreeMap<(&'static str, String), bool>>,
}

impl<'a> Census<'a> {
    pub(crate) fn new(scope: &'a Scope, request: &'a Request) -> Self {
        Self { scope, request, known: RefCell::default() }
    }

    /// Whether the thing with this id is in scope.
    pub(crate) fn is_inside(&self, kind: Kind, id: &str) -> bool {
        let key = (kind.name(), id.to_owned());
        let mut known = self.known.borrow_mut();
        if let Some(inside) = known.get(&key) {
            return *inside;
        }
        let inside = !id.is_empty()
            && known.len() < MOST_LOOK_UPS
            && self
                .request
                .look_up(kind, id)
                .is_some_and(|found| self.scope.includes(labels(kind, &found)));
        known.insert(key, inside);
        inside
    }
}
