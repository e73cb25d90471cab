//! Capabilities of the kernel.

use std::{borrow::Cow, fmt};

use dockgate_plugin::schemars::{self, JsonSchema};
use serde::Deserialize;

use crate::case::{Case, Field};

/// A capability, or `ALL` of them: `NET_ADMIN`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Cow<'_, str>")]
#[schemars(inline, example = &"NET_ADMIN")]
pub struct Capability(String);

impl Capability {
    /// As the daemon reads it: in any case, with `CAP_` before it or not.
    pub(crate) fn read(text: &str) -> Self {
        let upper = text.to_ascii_uppercase();
        Self(upper.strip_prefix("CAP_").map_or(upper.clone(), str::to_owned))
    }

    pub(crate) fn is_all(&self) -> bool {
        self.0 == "ALL"
    }

    /// Whether containers have it by themselves.
    fn is_default(&self) -> bool {
        DEFAULT.contains(&self.0.as_str())
    }

    /// Whether it is a way to the host, by itself or with little else.
    pub(crate) fn leads_to_the_host(&self) -> bool {
        self.is_all() || HOST.contains(&self.0.as_str())
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<Cow<'_, str>> for Capability {
    type Error = String;

    fn try_from(text: Cow<'_, str>) -> Result<Self, String> {
        let capability = Self::read(&text);
        if capability.is_all() || KNOWN.contains(&capability.0.as_str()) {
            return Ok(capability);
        }
        Err(format!("`{text}` is no capability: write one such as NET_ADMIN, or ALL"))
    }
}

/// Judges capabilities that are added: `CapAdd`, `CapabilityAdd`.
pub(crate) fn check_added(case: &mut Case, field: &Field) {
    for field in case.strings(field) {
        let text = case.text(&field);
        let capability = Capability::read(text);
        let settings = case.settings;
        let is_listed = |listed: &Capability| listed.is_all() || *listed == capability;
        if settings.capabilities.iter().any(is_listed) {
            continue;
        }
        let dropped = &settings.force.drop_capabilities;
        if dropped.iter().any(is_listed) {
            case.refuse(&field, "this capability is taken from every container", "capabilities");
        } else if !capability.is_default() {
            case.refuse(&field, "containers don't get this capability", "capabilities");
        }
    }
}

/// Those of a container that asks for none (moby, `oci/caps/defaults.go`).
const DEFAULT: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Those that reach the host.
const HOST: [&str; 13] = [
    "BPF",
    "CHECKPOINT_RESTORE",
    "DAC_READ_SEARCH",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "PERFMON",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
];

/// All others that the kernel has (capabilities(7), Linux 6.12).
const KNOWN: [&str; 41] = [
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_is_read_as_the_daemon_reads_it() {
        for text in ["SYS_ADMIN", "sys_admin", "CAP_SYS_ADMIN", "cap_sys_admin", "Cap_Sys_Admin"] {
            assert_eq!(Capability::read(text).to_string(), "SYS_ADMIN", "{text}");
        }
        assert!(Capability::read("all").is_all());
        assert!(!Capability::read(" ALL").is_all(), "the daemon takes no space");
    }

    #[test]
    fn settings_name_what_the_kernel_has() {
        let read = |text: &str| Capability::try_from(Cow::from(text.to_owned()));
        assert!(read("cap_net_admin").is_ok());
        assert!(read("ALL").is_ok());
        assert!(read("NET_ADMINS").is_err_and(|words| words.contains("NET_ADMIN, or ALL")));
        assert!(DEFAULT.iter().chain(&HOST).all(|name| KNOWN.contains(name)));
    }
}
