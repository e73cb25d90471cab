//! Lists and prunes, narrowed by the daemon's own filters.
//!
//! The daemon wants all values of the filter `label` of containers, volumes, networks and images
//! (moby, `MatchKVList`), so one more value only narrows. Those of a swarm are a map to it: of two
//! values with one key a random one counts, and an empty value takes any. There, for tasks and
//! where one label is enough, [`answers`](crate::answers) alone takes out what is not in scope.

use dockgate_plugin::{Filters, Kind};

use crate::{case::Case, settings::Images, stop::Stop};

/// A list that the daemon filters by the labels of the scope.
pub(crate) fn narrow(case: &Case, kind: Kind) -> Result<(), Stop> {
    let filters = case.filters()?;
    // The daemon looks these up, and says when there is no such thing.
    let mut narrowed = with_ids(case, &filters, &[("before", kind), ("since", kind)])?;
    if let Some(labels) = case.policy.scope.filter() {
        add_labels(&mut narrowed, labels);
    }
    set(case, &filters, &narrowed);
    Ok(())
}

pub(crate) fn images(case: &Case) -> Result<(), Stop> {
    without_manifests(case);
    match case.policy.images {
        Images::Read => Ok(()),
        Images::Labelled => narrow(case, Kind::Image),
    }
}

/// Manifests of images name the containers that use them.
pub(crate) fn without_manifests(case: &Case) {
    if case.request.query("manifests").is_some() {
        case.request.remove_query("manifests");
    }
}

pub(crate) fn tasks(case: &Case) -> Result<(), Stop> {
    let filters = case.filters()?;
    let named = [("service", Kind::Service), ("node", Kind::Node)];
    set(case, &filters, &with_ids(case, &filters, &named)?);
    Ok(())
}

/// A prune of what is in scope, for which the daemon has to know it.
pub(crate) fn prune(case: &Case) -> Result<(), Stop> {
    let Some(labels) = case.policy.scope.filter() else {
        return Err(Stop::refuse(
            "not-scoped",
            format!("{} can't be confined to one of several labels", case.request.operation_name()),
            format!("delete what carries {} one by one", case.policy.scope),
        ));
    };
    let filters = case.filters()?;
    let mut narrowed = filters.clone();
    add_labels(&mut narrowed, labels);
    set(case, &filters, &narrowed);
    Ok(())
}

/// The filters with the ids of what some of them name, all of it in scope.
fn with_ids(case: &Case, filters: &Filters, named: &[(&str, Kind)]) -> Result<Filters, Stop> {
    let mut found = filters.clone();
    for (filter, kind) in named {
        found.remove(filter);
        for name in filters.get(filter) {
            found.add(filter, case.id(*kind, name)?);
        }
    }
    Ok(found)
}

fn add_labels(filters: &mut Filters, labels: impl Iterator<Item = String>) {
    for label in labels {
        filters.add("label", label);
    }
}

fn set(case: &Case, old: &Filters, new: &Filters) {
    if old != new {
        case.request.set_filters(new);
    }
}
