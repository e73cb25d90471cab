//! Options that loosen what the kernel guards a container with.

use dockgate_plugin::Json;

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

/// A list of what of `/proc` and `/sys` is hidden or read-only in a container.
pub(crate) struct SystemPaths {
    pub(crate) field: &'static str,
    /// What stands in the lists of all daemons since 20.10 (moby, `oci/defaults.go`).
    always: &'static [&'static str],
    /// What stands in those of some.
    sometimes: &'static [&'static str],
}

pub(crate) const SYSTEM_PATHS: [SystemPaths; 2] = [
    SystemPaths {
        field: "MaskedPaths",
        always: &[
            "/proc/acpi",
            "/proc/asound",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/sched_debug",
            "/proc/scsi",
            "/proc/timer_list",
            "/sys/firmware",
        ],
        sometimes: &["/proc/interrupts", "/proc/timer_stats", "/sys/devices/virtual/powercap"],
    },
    SystemPaths {
        field: "ReadonlyPaths",
        always: &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        sometimes: &[],
    },
];

/// `MaskedPaths`, `ReadonlyPaths`: an empty list unmasks everything, and null is the default.
pub(crate) fn check_system_paths(
    case: &mut Case,
    host: &Field,
    paths: &SystemPaths,
    origin: Origin,
) {
    let field = host.get(paths.field);
    // The daemon shows its own list.
    let is_own = origin == Origin::Daemon && field.is_said();
    if field.json.is_null() || is_own || case.settings.system_paths {
        return;
    }
    if origin == Origin::Client && paths.are_of_a_daemon(field.json) {
        // Who makes a container again, as Watchtower does, sends what the daemon showed. Without it
        // the daemon takes its list of today, which may be longer.
        case.request.remove_json(&format!("/{}", field.place.replace('.', "/")));
        return;
    }
    case.refuse(&field, "it takes the place of what the daemon hides", "system-paths");
}

impl SystemPaths {
    fn are_of_a_daemon(&self, list: &Json) -> bool {
        let is_there = |path: &&str| list.items().iter().any(|item| item.as_str() == Some(*path));
        let is_known = |item: &Json| {
            let path = item.as_str().unwrap_or_default();
            // One for each processor.
            let is_throttle = path.starts_with("/sys/devices/system/cpu/cpu")
                && path.ends_with("/thermal_throttle");
            is_throttle || self.always.contains(&path) || self.sometimes.contains(&path)
        };
        self.always.iter().all(is_there) && list.items().iter().all(is_known)
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
