//! Options that loosen what the kernel guards a container with.

use crate::{
    case::{Case, Field},
    host_config::Origin,
};

/// `SecurityOpt`: `apparmor=unconfined`, `seccomp:{…}`, `no-new-privileges`.
pub(crate) fn check_options(case: &mut Case, options: &Field) {
    for option in case.strings(options) {
        let text = case.text(&option);
        let (name, value) = halves(text);
        let forced = case.settings.force.no_new_privileges && name == NO_NEW_PRIVILEGES;
        if tightens(name, value) || (is_listed(case, name, value) && !forced) {
            continue;
        }
        case.refuse(&option, LOOSENS, "security-options");
    }
}

/// Both forms that the daemon takes: `=` counts before `:`, as seccomp profiles have colons.
fn halves(text: &str) -> (&str, Option<&str>) {
    let halves = text.split_once('=').or_else(|| text.split_once(':'));
    halves.map_or((text, None), |(name, value)| (name, Some(value)))
}

/// Whether it is `no-new-privileges`, on.
pub(crate) fn tightens(name: &str, value: Option<&str>) -> bool {
    let is_on = |value: &str| matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True");
    name == NO_NEW_PRIVILEGES && value.is_none_or(is_on)
}

/// The same of a whole option.
pub(crate) fn is_no_new_privileges(text: &str) -> bool {
    let (name, value) = halves(text);
    tightens(name, value)
}

pub(crate) const NO_NEW_PRIVILEGES: &str = "no-new-privileges";

fn is_listed(case: &Case, name: &str, value: Option<&str>) -> bool {
    case.settings.security_options.iter().any(|listed| match halves(listed) {
        (known, None) => known == name,
        (known, of_known) => known == name && of_known == value,
    })
}

/// `MaskedPaths`, `ReadonlyPaths`: an empty list unmasks everything, and null is the default.
pub(crate) fn check_system_paths(case: &mut Case, field: &Field, origin: Origin) {
    // The daemon shows its own list.
    let is_own = origin == Origin::Daemon && field.is_said();
    if !field.json.is_null() && !is_own && !case.settings.system_paths {
        case.refuse(field, "it takes the place of what the daemon hides", "system-paths");
    }
}

/// What a service says of the same: `Privileges`.
pub(crate) fn check_privileges(case: &mut Case, privileges: &Field) {
    let context = privileges.get("SELinuxContext");
    for name in ["Disable", "User", "Role", "Type", "Level"] {
        let field = context.get(name);
        if field.is_said() && !is_listed(case, "label", None) {
            case.refuse(&field, LOOSENS, "security-options");
        }
    }
    for (name, option) in [("Seccomp", "seccomp"), ("AppArmor", "apparmor")] {
        let mode = privileges.get(name).get("Mode");
        let text = case.text(&mode);
        if !matches!(text, "" | "default") && !is_listed(case, option, None) {
            case.refuse(&mode, LOOSENS, "security-options");
        }
        let profile = privileges.get(name).get("Profile");
        if profile.is_said() && !is_listed(case, option, None) {
            case.refuse_unshown(&profile.place, LOOSENS, "security-options");
        }
    }
}

const LOOSENS: &str = "it loosens what confines the container";
