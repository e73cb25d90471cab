//! The names of fields in bodies that the daemon reads.

use std::{collections::HashMap, sync::LazyLock};

/// A name as Go's `encoding/json` compares it: without regard to case, where the long s and the sign
/// for Kelvin are cases of s and k. No other letter beyond ASCII folds to one of a field's name.
pub(super) fn folded(name: &str) -> String {
    name.chars()
        .map(|letter| match letter {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

/// The name in its usual spelling, if the daemon has a field that is called so.
pub(super) fn usual(name: String) -> String {
    USUAL.get(&folded(&name)).map_or(name, |usual| (*usual).to_owned())
}

/// Whether the keys of the object that this field holds are the user's.
pub(super) fn has_users_keys(name: &str) -> bool {
    MAPS.contains(&name)
}

static USUAL: LazyLock<HashMap<String, &'static str>> =
    LazyLock::new(|| FIELDS.split_whitespace().map(|name| (folded(name), name)).collect());

/// Fields that hold a map with keys of the user's.
const MAPS: &[&str] = &[
    "Annotations",
    "AuxiliaryAddresses",
    // Of a log driver. The `Config` of IPAM is a list.
    "Config",
    "DriverOpts",
    "EndpointsConfig",
    "ExposedPorts",
    "Labels",
    "Options",
    "Parameters",
    "PortBindings",
    "Secrets",
    "Segments",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

/// The fields of all bodies that clients send, as the daemon's documentation spells them: API 1.24
/// to 1.55.
const FIELDS: &str = "
AcceptableDowngradeMS AccessMode AccessibleTopology Active AdvertiseAddr Aliases Annotations Append
AppArmor Args Attachable AttachStderr AttachStdin AttachStdout auth AutoLockManagers AutoRemove
Availability AuxiliaryAddresses
BindOptions Binds BlkioDeviceReadBps BlkioDeviceReadIOps BlkioDeviceWriteBps BlkioDeviceWriteIOps
BlkioWeight BlkioWeightDevice
CACert CACertificate CAConfig CapabilityAdd CapabilityDrop Capabilities CapacityRange CapAdd CapDrop
Cgroup CgroupnsMode CgroupParent CgroupPermissions ClusterVolumeSpec Cmd Command Condition Config
ConfigFrom ConfigID ConfigName ConfigOnly Configs ConfigReference ConsoleSize Constraints Container
ContainerIDFile ContainerSpec Context CopyMode CpuCount CpuPercent CpuPeriod CpuQuota
CpuRealtimePeriod CpuRealtimeRuntime CpuShares CpusetCpus CpusetMems CreateMountpoint
CredentialSpec CheckDuplicate CheckpointDir CheckpointID
Data DataPathAddr DataPathPort Debug DefaultAddrPool Delay Detach DetachKeys DeviceCgroupRules
DeviceIDs DeviceRequests Devices Disable DiscreteResourceSpec Dispatcher Dns DNSConfig DnsOptions
DnsSearch Domainname Driver DriverConfig DriverOpts
email EnableIPv4 EnableIPv6 EncryptionConfig EndpointID EndpointsConfig EndpointSpec Entrypoint Env
Exit ExitAfter ExposedPorts ExternalCA ExternalCAs ExtraHosts
FailureAction File FollowOnly Force ForceNewCluster ForceRotate ForceUpdate
GID Global GlobalJob GPUs Group GroupAdd Groups GwPriority
Hard Healthcheck HeartbeatPeriod HeartbeatTick Hostname HostConfig HostIp HostPort Hosts
ID identitytoken Image Init Ingress IOMaximumBandwidth IOMaximumIOps IpcMode IPAM IPAMConfig
IPAMOptions IPAddress IPPrefixLen IPRange IPv4Address IPv6Address IPv6Gateway Interface
Internal Interval Isolation
JobIteration JoinTokens
KeepOldSnapshots KernelMemory KernelMemoryTCP
Labels LinkLocalIPs Links ListenAddr LogConfig LogDriver LogDriverConfig LogEntriesForSlowFollowers
MacAddress ManagerStatus MaskedPaths MaxAttempts MaxConcurrent MaxFailureRatio MaxReplicas
MaximumRetryCount Memory MemoryBytes MemoryReservation MemorySwap MemorySwappiness Mode Monitor
Mounts
Name NamedResourceSpec Nameservers NanoCpus NetworkDisabled NetworkID NetworkingConfig
NetworkMode Networks NodeCertExpiry NodeID NoCopy NonRecursive
OnBuild OomKillDisable OomScoreAdj OpenStdin Options Orchestration Order
Parallelism Parameters password Path PathInContainer PathOnHost PidMode PidsLimit Pids Placement
Platform Platforms PluginSpec PortBindings Ports Preferences Privileged Privileges Propagation
Protocol PublishAllPorts PublishedPort PublishMode
Rate RaftConfig ReadOnly ReadOnlyForceRecursive ReadOnlyNonRecursive ReadonlyPaths ReadonlyRootfs
Reference Registry registrytoken RemoteAddrs Replicas Replicated ReplicatedJob RequiredBytes
Reservations Resources Restart RestartPolicy Retries Role RollbackConfig RootRotationInProgress
Runtime
Scope SecretID SecretName Secrets SecurityOpt SELinuxContext Seccomp serveraddress Service
Sharing Shell ShmSize SigningCACert SigningCAKey SizeBytes SnapshotInterval Soft Source Spec Spread
SpreadDescriptor StartInterval StartPeriod StdinOnce StopGracePeriod StopSignal StopTimeout
StorageOpt Subnet SubnetSize Subpath Sysctls Secret SwarmSpec SwapBytes
Target TargetPort TaskDefaults TaskHistoryRetentionLimit TaskTemplate Templating Test Timeout Tmpfs
TmpfsOptions TotalCompletions Tty Type
UID Ulimits UnlockKey UpdateConfig URL User username UsernsMode UTSMode
Value Version VolumeDriver VolumeOptions Volumes VolumesFrom
WeightDevice Weight Window WorkingDir
Gateway GlobalIPv6Address GlobalIPv6PrefixLen DNSNames Description Settings Topology
NoNewPrivileges Size
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_map_is_a_known_field() {
        for map in MAPS {
            assert_eq!(usual((*map).to_owned()), *map);
        }
    }

    #[test]
    fn names_fold_as_in_go() {
        for (name, like) in [
            ("HoſtConfig", "hostconfig"),
            ("Lin\u{212a}s", "links"),
            ("É", "É"),
            ("ß", "ß"),
            ("İ", "İ"),
        ] {
            assert_eq!(folded(name), like, "{name}");
        }
    }
}
