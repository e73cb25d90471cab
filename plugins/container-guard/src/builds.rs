//! Builds by the daemon's own builder. What runs in one is as confined as any container.

use dockgate_plugin::Json;

use crate::{
    case::{Case, Field, NEVER},
    namespaces, networks,
};

pub(crate) fn build(case: &mut Case) {
    with(case, "networkmode", |case, field, mode| {
        if !namespaces::joins(case, field, mode) {
            networks::check_name(case, field, mode);
        }
    });
    with(case, "cgroupparent", |case, field, parent| {
        if !case.settings.cgroup_parents.iter().any(|known| known == parent) {
            case.refuse(field, "it is none of those that are listed", "cgroup-parents");
        }
    });
    with(case, "securityopt", |case, field, _| {
        case.refuse(field, "it loosens what confines the build", NEVER);
    });
    with(case, "remote", |case, field, _| {
        if !case.settings.remote_builds {
            // An address may have a password in it.
            case.refuse_unshown(&field.place, "the daemon would fetch it", "remote-builds");
        }
    });
    for parameter in ["version", "session", "outputs"] {
        with(case, parameter, |case, field, value| {
            let is_own = parameter == "version" && value == "1";
            if !is_own && !case.settings.buildkit {
                case.refuse(field, "a build by BuildKit can't be seen", "buildkit");
            }
        });
    }
}

/// Judges a parameter of the query that says something.
fn with(case: &mut Case, parameter: &str, judge: impl FnOnce(&mut Case, &Field, &str)) {
    let value = case.request.query(parameter).filter(|value| !value.is_empty());
    if let Some(value) = value {
        let json = Json::from(value.as_str());
        judge(case, &Field { place: parameter.to_owned(), json: &json }, &value);
    }
}
