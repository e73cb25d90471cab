//! HostConfig: how a container is on its host.

use crate::{
    capabilities,
    case::{Case, Field},
    device_rule::DeviceRule,
    mounts, namespaces,
    paths::HostPath,
    ports, security,
    settings::{UnknownFields, lists},
    volumes,
};

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The client, in a body.
    Client,
    /// The daemon, of a container that is there. It fills in what the client left out.
    Daemon,
}

/// Judges all that a HostConfig may say.
pub(crate) fn check(case: &mut Case, host: &Field, origin: Origin) {
    let privileged = host.get("Privileged");
    if case.flag(&privileged) && !case.settings.privileged {
        case.refuse(&privileged, "a privileged container is root on the host", "privileged");
    }
    namespaces::check(case, host, origin);
    capabilities::check_added(case, &host.get("CapAdd"));
    // The name that it had for a while, before any release.
    capabilities::check_added(case, &host.get("Capabilities"));
    devices(case, host);
    mounts::check_binds(case, &host.get("Binds"));
    mounts::check(case, &host.get("Mounts"));
    mounts::check_tmpfs(case, &host.get("Tmpfs"));
    volumes::check_driver(case, &host.get("VolumeDriver"));
    let volumes_from = host.get("VolumesFrom");
    if volumes_from.is_said() && !case.settings.volumes_from {
        case.refuse(&volumes_from, "it takes the mounts of another container", "volumes-from");
    }
    security::check_options(case, &host.get("SecurityOpt"));
    for paths in &security::SYSTEM_PATHS {
        security::check_system_paths(case, host, paths, origin);
    }
    named(case, &host.get("Runtime"), &case.settings.runtimes, "runtimes", &["runc"]);
    named(case, &host.get("CgroupParent"), &case.settings.cgroup_parents, "cgroup-parents", &[]);
    groups(case, &host.get("GroupAdd"));
    sysctls(case, &host.get("Sysctls"));
    ulimits(case, &host.get("Ulimits"));
    out_of_memory(case, host);
    keys(
        case,
        &host.get("StorageOpt"),
        &case.settings.storage_options,
        "storage-options",
        &["size"],
    );
    keys(case, &host.get("Annotations"), &case.settings.annotations, "annotations", &[]);
    if origin == Origin::Client {
        log_driver(case, &host.get("LogConfig").get("Type"));
        ports::check(case, host);
    }
}

/// A name that is in a list of settings, or one of those that are harmless.
fn named(
    case: &mut Case,
    field: &Field,
    allowed: &[String],
    setting: &'static str,
    harmless: &[&str],
) {
    let name = case.text(field);
    if !name.is_empty() && !harmless.contains(&name) && !allowed.iter().any(|known| known == name) {
        case.refuse(field, "it is none of those that are listed", setting);
    }
}

/// The keys of a map. Their values may be anything.
fn keys(
    case: &mut Case,
    map: &Field,
    allowed: &[String],
    setting: &'static str,
    harmless: &[&str],
) {
    for (key, field) in case.map(map) {
        if !harmless.contains(&key) && !lists(allowed, key) {
            case.refuse_unshown(&field.place, "it is none of those that are listed", setting);
        }
    }
}

/// Parameters of the kernel: `Sysctls`.
pub(crate) fn sysctls(case: &mut Case, map: &Field) {
    keys(case, map, &case.settings.sysctls, "sysctls", &[]);
}

/// The groups of a process.
pub(crate) fn groups(case: &mut Case, list: &Field) {
    for group in case.list(list) {
        named(case, &group, &case.settings.groups, "groups", &[]);
    }
}

/// The driver of the logs, which may write to any socket of the host.
pub(crate) fn log_driver(case: &mut Case, field: &Field) {
    let harmless = ["json-file", "local", "journald", "none"];
    named(case, field, &case.settings.log_drivers, "log-drivers", &harmless);
}

fn devices(case: &mut Case, host: &Field) {
    for device in case.list(&host.get("Devices")) {
        let path = device.get("PathOnHost");
        let text = case.text(&path);
        let is_listed = HostPath::clean(text)
            .is_some_and(|path| case.settings.devices.iter().any(|root| root.covers(&path)));
        if !is_listed {
            case.refuse(&path, "containers don't get this device", "devices");
        }
    }
    let requests = host.get("DeviceRequests");
    if requests.is_said() && !case.settings.device_requests {
        case.refuse(&requests, "containers don't get devices from drivers", "device-requests");
    }
    for rule in case.list(&host.get("DeviceCgroupRules")) {
        let text = case.text(&rule);
        let is_listed = DeviceRule::read(text).is_some_and(|rule| {
            case.settings.device_cgroup_rules.iter().any(|own| own.covers(&rule))
        });
        if !is_listed {
            case.refuse(&rule, "containers don't get these devices", "device-cgroup-rules");
        }
    }
}

/// Limits of processes, which only bounds of ours keep from going up.
pub(crate) fn ulimits(case: &mut Case, list: &Field) {
    for ulimit in case.list(list) {
        let name = ulimit.get("Name");
        let Some(most) = case.settings.ulimits.get(case.text(&name)).copied() else { continue };
        for side in ["Soft", "Hard"] {
            let value = ulimit.get(side);
            // -1 is no limit.
            if !(0..=i64::from(most)).contains(&case.integer(&value)) {
                case.refuse(&value, &format!("the most is {most}"), "ulimits");
            }
        }
    }
}

/// What keeps a container alive when memory is short, and so ends the host's own processes.
fn out_of_memory(case: &mut Case, host: &Field) {
    check_oom_score(case, &host.get("OomScoreAdj"));
    let disable = host.get("OomKillDisable");
    if case.flag(&disable) && !case.settings.oom_protection {
        case.refuse(&disable, OOM, "oom-protection");
    }
}

pub(crate) fn check_oom_score(case: &mut Case, score: &Field) {
    if case.integer(score) < 0 && !case.settings.oom_protection {
        case.refuse(score, OOM, "oom-protection");
    }
}

const OOM: &str = "the kernel would end other processes first";

/// Fields that a daemon may know and this plugin does not.
pub(crate) fn check_unknown(case: &mut Case, host: &Field) {
    if case.settings.unknown_fields == UnknownFields::Pass {
        return;
    }
    for (name, _) in host.json.entries() {
        let field = host.get(name);
        if field.is_said() && !is_known(name) {
            case.refuse_unshown(&field.place, "it is not known", "unknown-fields");
        }
    }
}

/// The daemon knows its fields in any case; the proxy has brought those that it knows to theirs.
fn is_known(name: &str) -> bool {
    FIELDS.split_whitespace().any(|known| known.eq_ignore_ascii_case(name))
}

/// The fields of a HostConfig that are judged, or that reach nothing: API 1.24 to 1.55.
pub(crate) const FIELDS: &str = "
Annotations AutoRemove Binds BlkioDeviceReadBps BlkioDeviceReadIOps BlkioDeviceWriteBps
BlkioDeviceWriteIOps BlkioWeight BlkioWeightDevice CapAdd CapDrop Capabilities Cgroup CgroupParent
CgroupnsMode ConsoleSize ContainerIDFile CpuCount CpuPercent CpuPeriod CpuQuota CpuRealtimePeriod
CpuRealtimeRuntime CpuShares CpusetCpus CpusetMems DeviceCgroupRules DeviceRequests Devices Dns
DnsOptions DnsSearch ExtraHosts GroupAdd IOMaximumBandwidth IOMaximumIOps Init IpcMode Isolation
KernelMemory KernelMemoryTCP Links LogConfig MaskedPaths Memory MemoryReservation MemorySwap
MemorySwappiness Mounts NanoCpus NetworkMode OomKillDisable OomScoreAdj PidMode PidsLimit
PortBindings Privileged PublishAllPorts ReadonlyPaths ReadonlyRootfs RestartPolicy Runtime
SecurityOpt ShmSize StorageOpt Sysctls Tmpfs UTSMode Ulimits UsernsMode VolumeDriver VolumesFrom
";
