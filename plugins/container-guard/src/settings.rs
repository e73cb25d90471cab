//! What a person may configure. Each setting opens something; `force`, `ports` and `no-default-network`
//! close more.

use std::{borrow::Cow, collections::BTreeMap};

use dockgate_plugin::{
    Permission,
    schemars::{self, JsonSchema},
};
use serde::Deserialize;

use crate::{Capability, DeviceRule, HostPath};

/// What clients may do. Without settings, nothing that reaches the host.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[allow(clippy::struct_excessive_bools, reason = "they are switches of their own")]
pub struct Settings {
    /// Whether containers and execs may be privileged: root on the host.
    pub privileged: bool,
    /// The namespaces of the host that containers may be in.
    pub host_namespaces: Vec<Namespace>,
    /// Whether containers may join namespaces of other containers (`container:web`).
    pub container_namespaces: bool,
    /// Whether containers may take the mounts of others (`VolumesFrom`), whatever these are.
    pub volumes_from: bool,
    /// Capabilities that may be added beyond those that containers have by themselves: `NET_ADMIN`.
    pub capabilities: Vec<Capability>,
    /// Devices that containers may be given, or folders of them: `/dev/dri`.
    pub devices: Vec<HostPath>,
    /// Whether containers may ask a driver for devices: GPUs, CDI.
    pub device_requests: bool,
    /// Rules for devices that containers may have: `c 226:* rwm`.
    pub device_cgroup_rules: Vec<DeviceRule>,
    /// Folders of the host that may be mounted, and all below them.
    pub bind_mounts: Vec<HostPath>,
    /// The same, read-only.
    pub read_only_bind_mounts: Vec<HostPath>,
    /// Whether sockets of container engines, and what has them in it, may be mounted where the
    /// folders above allow it. Whoever has one is root on the host.
    pub engine_sockets: bool,
    /// Whether mounts may reach from the container to the host, or the other way (`rshared`,
    /// `rslave`).
    pub mount_propagation: bool,
    /// Options that a tmpfs may have.
    pub tmpfs_options: Vec<TmpfsOption>,
    /// Drivers of volumes, beside `local`.
    pub volume_drivers: Vec<String>,
    /// What `local` volumes may be made of, beside a folder of the daemon's: `nfs`.
    pub volume_types: Vec<VolumeType>,
    /// Whether volumes of a cluster may be made and mounted.
    pub cluster_volumes: bool,
    /// Options of security, in full (`apparmor=my-profile`) or by their name, with any value
    /// (`seccomp`).
    pub security_options: Vec<String>,
    /// Whether containers may unmask what is hidden of `/proc` and `/sys`.
    pub system_paths: bool,
    /// Runtimes, beside `runc`: `runsc`.
    pub runtimes: Vec<String>,
    /// Control groups that containers may be put below.
    pub cgroup_parents: Vec<String>,
    /// Kernel parameters that may be set. `*` at the end stands for anything: `net.ipv4.*`.
    pub sysctls: Vec<String>,
    /// The most that a container may set of a limit: `{"nofile": 65536}`. Others may be anything.
    pub ulimits: BTreeMap<String, u32>,
    /// Whether containers may be kept from the kernel's choice when memory is short.
    pub oom_protection: bool,
    /// Groups that may be added, by name or number as clients write them.
    pub groups: Vec<String>,
    /// Options of the storage, beside `size`.
    pub storage_options: Vec<String>,
    /// Drivers of logs, beside `json-file`, `local`, `journald` and `none`.
    pub log_drivers: Vec<String>,
    /// Annotations for the runtime that may be made. `*` at the end stands for anything.
    pub annotations: Vec<String>,
    /// Which ports of the host may be published; all without this.
    pub ports: Option<Ports>,
    /// Whether containers are kept off the default network, `bridge`, on which all see each other.
    pub no_default_network: bool,
    /// What becomes of fields in `HostConfig` that this plugin does not know.
    pub unknown_fields: UnknownFields,
    /// Users that a command may be run as in a container, beside the container's own: `1000:1000`;
    /// `*` is any.
    pub exec_users: Vec<String>,
    /// Whether clients may run commands in, attach to and write into containers that don't keep
    /// these rules: those that somebody else made.
    pub unconfined_containers: bool,
    /// Whether clients may make, join, change and leave a swarm, see the tokens that join it, and
    /// change its nodes.
    pub swarm: bool,
    /// Whether clients may install, change and remove plugins of Docker's, which run as root.
    pub plugins: bool,
    /// Drivers of networks and of their addresses, beside `bridge` and `overlay`: `macvlan`.
    pub network_drivers: Vec<String>,
    /// Options of networks, beside harmless ones.
    pub network_options: Vec<String>,
    /// Whether networks may take their configuration from another one.
    pub network_config_from: bool,
    /// Whether the daemon may fetch what is built (`remote`).
    pub remote_builds: bool,
    /// Whether clients may open a session of BuildKit's, in which nothing can be seen.
    pub buildkit: bool,
    /// Whether clients may write, list, use and delete checkpoints, in any folder of the host.
    pub checkpoints: bool,
    /// Whether clients may call what this plugin does not know: Podman's own API above all.
    pub unknown_operations: bool,
    /// What is put into all that is made.
    pub force: Force,
}

/// What is put into all containers and services that are made.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Force {
    /// Capabilities that they lose: `ALL`, or some. Those in `capabilities` may be added again.
    pub drop_capabilities: Vec<Capability>,
    /// Whether no program in them may get more rights than it was started with.
    pub no_new_privileges: bool,
    /// Whether their own file system is read-only.
    pub read_only_root: bool,
    /// Whether an init process is in each.
    pub init: bool,
    /// The user that they run as: `1000:1000`.
    pub user: Option<String>,
    /// Labels that they get.
    pub labels: BTreeMap<String, String>,
    /// The most memory of each: `512m`.
    pub memory: Option<Size>,
    /// The most CPUs of each: `1.5`.
    pub cpus: Option<f64>,
    /// The most processes of each.
    pub pids: Option<u32>,
    /// The most shared memory of each: `64m`.
    pub shm_size: Option<Size>,
}

/// Which ports of the host may be published.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ports {
    /// The addresses of the host, as clients write them; all without this.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The lowest port. Ports that the daemon chooses are allowed.
    #[serde(default)]
    pub from: u16,
    /// The highest port.
    #[serde(default = "highest")]
    pub to: u16,
}

fn highest() -> u16 {
    u16::MAX
}

/// A namespace of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Namespace {
    /// Its network: every port and abstract socket.
    Network,
    /// Its processes.
    Pid,
    /// Its shared memory and message queues.
    Ipc,
    /// Its name.
    Uts,
    /// Its users, where the daemon gives containers others.
    User,
    /// Its control groups.
    Cgroup,
}

/// What a `local` volume may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeType {
    /// A share of an NFS server.
    Nfs,
    /// The same, by the name of its version 4.
    Nfs4,
    /// A share of Windows or Samba.
    Cifs,
    /// Memory.
    Tmpfs,
}

impl VolumeType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nfs => "nfs",
            Self::Nfs4 => "nfs4",
            Self::Cifs => "cifs",
            Self::Tmpfs => "tmpfs",
        }
    }
}

/// An option of a tmpfs that is off without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TmpfsOption {
    /// Programs in it can be run.
    Exec,
    /// Programs in it can have other users' rights.
    Suid,
    /// Devices in it can be used.
    Dev,
}

impl TmpfsOption {
    pub(crate) const ALL: [Self; 3] = [Self::Exec, Self::Suid, Self::Dev];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Suid => "suid",
            Self::Dev => "dev",
        }
    }
}

/// What becomes of fields that are not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownFields {
    /// They go on to the daemon.
    #[default]
    Pass,
    /// They are refused, if they say anything.
    Refuse,
}

/// An amount of memory: `512m`, `2g`, `1073741824`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Cow<'_, str>")]
#[schemars(with = "String", inline, example = &"512m")]
pub struct Size(pub(crate) i64);

impl TryFrom<Cow<'_, str>> for Size {
    type Error = String;

    fn try_from(text: Cow<'_, str>) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let shift = match &lower[digits.len()..] {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            _ => return Err(no_size(&text)),
        };
        let bytes = digits.parse().ok().and_then(|n: i64| n.checked_mul(1 << shift));
        bytes.filter(|bytes| *bytes > 0).map(Self).ok_or_else(|| no_size(&text))
    }
}

fn no_size(text: &str) -> String {
    format!("`{text}` is no amount of memory: write 512m or 2g")
}

/// The least memory that the daemon takes (moby, `linuxMinMemory`).
const LEAST_MEMORY: i64 = 6 << 20;

impl Settings {
    /// What is wrong with the settings, each with a JSON pointer to it.
    pub(crate) fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut fault = |subject: &str, words: &str| {
            faults.push((subject.to_owned(), words.to_owned()));
        };
        if let Some(cpus) = self.force.cpus
            && !(cpus > 0.0 && cpus <= 10_000.0)
        {
            fault("/force/cpus", "a number of CPUs is more than 0: write 0.5 or 2");
        }
        if self.force.memory.is_some_and(|size| size.0 < LEAST_MEMORY) {
            fault("/force/memory", "the daemon takes no less than 6m");
        }
        if self.force.pids == Some(0) {
            fault("/force/pids", "0 is no limit for the daemon: write 1 or more");
        }
        if self.force.user.as_deref() == Some("") {
            fault("/force/user", "it names no user: write 1000:1000, or leave it out");
        }
        if self.ports.as_ref().is_some_and(|ports| ports.from > ports.to) {
            fault("/ports/from", "it is above `to`, so no port could be published");
        }
        for (name, list) in self.names() {
            if let Some(at) = list.iter().position(String::is_empty) {
                fault(&format!("/{name}/{at}"), "it is empty, and names nothing");
            }
        }
        faults
    }

    /// What the person should know: settings that give the host away.
    pub(crate) fn hazards(&self) -> Vec<(String, String)> {
        let mut hazards = Vec::new();
        for (at, capability) in self.capabilities.iter().enumerate() {
            if capability.leads_to_the_host() {
                let words =
                    format!("whoever makes a container with {capability} can get to the host");
                hazards.push((format!("/capabilities/{at}"), words));
            }
        }
        for (name, list) in [
            ("bind-mounts", &self.bind_mounts),
            ("read-only-bind-mounts", &self.read_only_bind_mounts),
        ] {
            for (at, path) in list.iter().enumerate() {
                if HOST_FOLDERS.contains(&path.as_str()) {
                    let words =
                        format!("with {} clients have the host, or its secrets", path.as_str());
                    hazards.push((format!("/{name}/{at}"), words));
                }
            }
        }
        hazards
    }

    /// Lists of names.
    fn names(&self) -> [(&'static str, &[String]); 12] {
        [
            ("annotations", &self.annotations),
            ("cgroup-parents", &self.cgroup_parents),
            ("exec-users", &self.exec_users),
            ("groups", &self.groups),
            ("log-drivers", &self.log_drivers),
            ("network-drivers", &self.network_drivers),
            ("network-options", &self.network_options),
            ("runtimes", &self.runtimes),
            ("security-options", &self.security_options),
            ("storage-options", &self.storage_options),
            ("sysctls", &self.sysctls),
            ("volume-drivers", &self.volume_drivers),
        ]
    }

    /// What is open, for the person who starts the proxy.
    pub(crate) fn permissions(&self) -> Vec<Permission> {
        let switches = [
            ("privileged", self.privileged, "root on the host"),
            ("engine-sockets", self.engine_sockets, "root on the host, with a folder that has one"),
            ("plugins", self.plugins, "root on the host, by a plugin of Docker's"),
            ("swarm", self.swarm, "the whole swarm"),
            ("unconfined-containers", self.unconfined_containers, "what other containers may do"),
            ("volumes-from", self.volumes_from, "what other containers mount"),
            ("container-namespaces", self.container_namespaces, "the insides of other containers"),
            ("buildkit", self.buildkit, "builds that can't be seen"),
            ("checkpoints", self.checkpoints, "folders of the host"),
            ("system-paths", self.system_paths, "what is hidden of /proc and /sys"),
            ("unknown-operations", self.unknown_operations, "whatever the daemon has"),
            ("mount-propagation", self.mount_propagation, "mounts of the host"),
            ("device-requests", self.device_requests, "GPUs and other devices"),
            ("cluster-volumes", self.cluster_volumes, "volumes of the cluster"),
            ("remote-builds", self.remote_builds, "what the daemon can fetch"),
            ("network-config-from", self.network_config_from, "configurations of other networks"),
            ("oom-protection", self.oom_protection, "the host's memory"),
        ];
        let switches = switches.into_iter().filter(|(_, on, _)| *on);
        let switches = switches.map(|(name, _, exposes)| (name, "true".to_owned(), exposes));
        let lists = [
            ("bind-mounts", paths(&self.bind_mounts), "the host's files, to write"),
            (
                "read-only-bind-mounts",
                paths(&self.read_only_bind_mounts),
                "the host's files, to read",
            ),
            ("devices", paths(&self.devices), "the host's devices"),
            ("capabilities", texts(&self.capabilities), "more of the kernel"),
            ("security-options", self.security_options.join(", "), "the kernel's guards"),
            ("runtimes", self.runtimes.join(", "), "other runtimes"),
            ("volume-drivers", self.volume_drivers.join(", "), "other volumes"),
            ("network-drivers", self.network_drivers.join(", "), "other networks"),
        ];
        let lists = lists.into_iter().filter(|(_, value, _)| !value.is_empty());
        let permission = |(name, value, exposes): (&str, String, &str)| Permission {
            name: name.to_owned(),
            value,
            open: true,
            exposes: exposes.to_owned(),
        };
        switches.chain(lists).map(permission).collect()
    }
}

/// Folders with which one has the host, or what it keeps from others.
const HOST_FOLDERS: [&str; 14] = [
    "/",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/proc",
    "/root",
    "/run",
    "/sys",
    "/usr",
    "/var",
    "/var/lib",
    "/var/lib/docker",
];

fn paths(list: &[HostPath]) -> String {
    list.iter().map(HostPath::as_str).collect::<Vec<_>>().join(", ")
}

fn texts(list: &[Capability]) -> String {
    list.iter().map(Capability::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether a name is in a list in which `*` at the end stands for anything.
pub(crate) fn lists(list: &[String], name: &str) -> bool {
    list.iter().any(|entry| match entry.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => entry == name,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use dockgate_plugin::{Json, Policy, Setup, json};

    use super::*;
    use crate::ContainerGuard;

    fn problems(settings: serde_json::Value) -> Vec<String> {
        let settings: Settings = Json::from(settings).read().unwrap();
        let mut setup = Setup::new(settings);
        ContainerGuard::set_up(&mut setup);
        let words = |p: &dockgate_plugin::Problem| {
            format!("{}{}: {}", if p.fatal { "!" } else { "" }, p.subject, p.message)
        };
        setup.problems().iter().map(words).collect()
    }

    #[test]
    fn settings_that_mean_nothing_are_refused_with_their_place() {
        assert!(problems(json!({})).is_empty());
        for (settings, start) in [
            (json!({ "force": { "cpus": 0 } }), "!/force/cpus: "),
            (json!({ "force": { "cpus": -1.5 } }), "!/force/cpus: "),
            (json!({ "force": { "memory": "1m" } }), "!/force/memory: "),
            (json!({ "force": { "pids": 0 } }), "!/force/pids: "),
            (json!({ "force": { "user": "" } }), "!/force/user: "),
            (json!({ "ports": { "from": 9000, "to": 8000 } }), "!/ports/from: "),
            (json!({ "runtimes": ["runsc", ""] }), "!/runtimes/1: "),
        ] {
            let problems = problems(settings);
            assert!(problems[0].starts_with(start), "{problems:?}");
        }
    }

    #[test]
    fn values_that_can_not_be_read_are_named_by_their_place() {
        for (settings, place) in [
            (json!({ "bind-mounts": ["/srv", "data"] }), "/bind-mounts/1"),
            (json!({ "capabilities": ["NET_ADMINS"] }), "/capabilities/0"),
            (json!({ "device-cgroup-rules": ["a *:* rwm"] }), "/device-cgroup-rules/0"),
            (json!({ "force": { "memory": "lots" } }), "/force/memory"),
            (json!({ "volume-types": ["ext4"] }), "/volume-types/0"),
            (json!({ "priviliged": true }), ""),
        ] {
            let json = Json::from(settings);
            let misfit = json.read::<Settings>().err().unwrap();
            assert_eq!(misfit.pointer, place, "{misfit}");
        }
    }

    #[test]
    fn what_gives_the_host_away_is_said_at_the_start() {
        for (settings, start) in [
            (json!({ "capabilities": ["NET_ADMIN", "sys_admin"] }), "/capabilities/1: "),
            (json!({ "capabilities": ["ALL"] }), "/capabilities/0: "),
            (json!({ "bind-mounts": ["/"] }), "/bind-mounts/0: "),
            (json!({ "read-only-bind-mounts": ["/srv", "/etc/"] }), "/read-only-bind-mounts/1: "),
        ] {
            let problems = problems(settings);
            assert!(problems[0].starts_with(start), "{problems:?}");
            assert_eq!(problems.len(), 1, "{problems:?}");
        }
    }

    #[test]
    fn amounts_of_memory_are_read() {
        let read = |text: &str| Size::try_from(Cow::from(text.to_owned())).map(|size| size.0);
        assert_eq!(read("512m"), Ok(512 << 20));
        assert_eq!(read("2GiB"), Ok(2 << 30));
        assert_eq!(read("1073741824"), Ok(1 << 30));
        for text in ["", "m", "0", "-1", "1.5g", "9999999999g", "5x"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_setting_is_in_readme() {
        let readme = include_str!("../README.md");
        let schema = Json::parse(include_str!("../manifest.json")).unwrap();
        let mut names = Vec::new();
        for place in ["/settings/properties", "/settings/$defs/Force/properties"] {
            names.extend(schema.at(place).unwrap().entries().map(|(name, _)| name.to_owned()));
        }
        assert!(names.len() > 40, "{names:?}");
        for name in names {
            assert!(readme.contains(&format!("`{name}`")), "README.md has no {name}");
        }
    }

    #[test]
    fn what_is_open_is_told() {
        let settings: Settings =
            Json::from(json!({ "privileged": true, "bind-mounts": ["/srv"] })).read().unwrap();
        let told: Vec<_> = settings.permissions().into_iter().map(|p| (p.name, p.value)).collect();
        let told: Vec<_> = told.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(told, [("privileged", "true"), ("bind-mounts", "/srv")]);
        assert!(Settings::default().permissions().is_empty());
    }
}
