//! What the daemon takes in the JSON of each operation: the names of fields as it spells them, and
//! the kind of each.
//!
//! A union over the versions of the API from 1.24 to 1.56: a field that a version does not have is
//! unknown to it, and one field never is of two kinds in two versions. It was taken from the structs
//! that moby decodes into (`api/types/{container,mount,network,swarm,volume,registry}` and the
//! handlers in `api/server/router`, `daemon/server/router`, of 17.03 to 29), with their changes from
//! `api/docs/CHANGELOG.md`, and compared field by field with what a daemon 20.10 says of its own
//! types when a value does not fit: `daemon.rs` asks one, and names what that daemon does not know.
//! `definition.rs` compares it with the published definition of API 1.53, of which a script makes the
//! places and their kinds: it has no fields that only older daemons take, and some in wrong places.
//! For a new version of the API: its entry in the change log, the structs, and both comparisons again.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::OnceLock,
};

use Kind::{Any, Bool, Filters, Float, Integer, List, Map, Nullable, Object, Pair, String, Words};

use super::names;
use crate::request::Operation;

/// What kind of value a field takes, as Go's decoder sees it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Not known, or anything.
    Any,
    /// `bool`
    Bool,
    /// A string, or what Go makes of one: addresses, and bytes in base64.
    String,
    /// A whole number of this width.
    Integer(Width),
    /// `float32`
    Float,
    /// `strslice.StrSlice`: a list of strings, or one string that stands for a list of one. Newer
    /// daemons take some of them as lists only, and all take the list.
    Words,
    /// A list.
    List(&'static Kind),
    /// `[2]uint`: the daemon ignores what is more.
    Pair,
    /// A map with keys of the user's.
    Map(&'static Kind),
    /// Filters of a list, in one of two forms.
    Filters,
    /// A struct.
    Object(&'static Struct),
    /// A value whose zero the daemon tells from its absence: a pointer, or a list that replaces a
    /// default even when it is empty.
    Nullable(&'static Kind),
}

/// How large a whole number may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Width {
    /// `int`, `int64` and `time.Duration`
    Signed,
    /// `uint16`
    Bits16,
    /// `uint32`, and `os.FileMode`
    Bits32,
    /// `uint`, `uint64`
    Bits64,
}

/// The fields of an object.
#[derive(Debug)]
pub(super) struct Struct {
    /// All that a name may mean, by the name as it folds.
    index: OnceLock<HashMap<Box<[u8]>, Field, BuildHasherDefault<Fnv>>>,
    fields: &'static [(&'static str, Kind)],
    /// Structs whose fields stand here as well.
    embedded: &'static [&'static Struct],
    /// A field whose own fields some daemons take here as well, beside it.
    beside: Option<(&'static str, &'static Struct)>,
}

/// FNV-1a, which is fast for names. What is in a table is fixed, so that no client can fill it with
/// names of one hash.
#[derive(Debug)]
pub(super) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Of the length, which the bytes say as well.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A field that a name means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// As the daemon spells it.
    pub(super) name: &'static str,
    /// What it takes.
    pub(super) kind: &'static Kind,
    /// The field that it belongs into, where it stands beside that.
    pub(super) belongs_in: Option<&'static str>,
    /// Which of its struct's it is.
    pub(super) place: usize,
}

impl Struct {
    /// The field that the daemon takes a name for.
    pub(super) fn field(&'static self, name: &str) -> Option<&'static Field> {
        let mut buffer = [0; LONGEST_NAME];
        let mut length = name.len();
        if name.is_ascii() {
            let buffer = buffer.get_mut(..length)?;
            buffer.copy_from_slice(name.as_bytes());
            buffer.make_ascii_lowercase();
        } else {
            length = 0;
            for letter in name.chars().map(names::letter) {
                // No field has another letter.
                let letter = u8::try_from(letter).ok().filter(u8::is_ascii)?;
                *buffer.get_mut(length)? = letter;
                length += 1;
            }
        }
        let folded_name = |field: Field| (names::folded(field.name).as_bytes().into(), field);
        self.index.get_or_init(|| self.all().map(folded_name).collect()).get(&buffer[..length])
    }

    /// All fields, those of other structs last.
    pub(super) fn all(&'static self) -> impl Iterator<Item = Field> {
        let here = self.own().map(|field| (None, field));
        let beside = self
            .beside
            .into_iter()
            .flat_map(|(field, of)| of.own().map(move |own| (Some(field), own)));
        here.chain(beside).enumerate().map(|(place, (belongs_in, (name, kind)))| Field {
            name,
            kind,
            belongs_in,
            place,
        })
    }

    fn own(&'static self) -> impl Iterator<Item = (&'static str, &'static Kind)> {
        let embedded = self.embedded.iter().flat_map(|of| of.fields);
        self.fields.iter().chain(embedded).map(|(name, kind)| (*name, kind))
    }
}

/// How long the name of a field may be, in bytes.
pub(super) const LONGEST_NAME: usize = 32;

/// What the body of an operation is read as; nothing where the daemon reads none.
pub(super) fn of_body(operation: Operation) -> Option<&'static Kind> {
    BODIES.iter().find(|(name, _)| *name == operation.name()).map(|(_, kind)| kind)
}

/// What a parameter of the query is read as, where it holds JSON.
pub(super) fn of_parameter(operation: Operation, name: &str) -> Option<&'static Kind> {
    let found = PARAMETERS.iter().find(|(of, parameter, _)| {
        *parameter == name && (*of == operation.name() || of.is_empty())
    });
    found.map(|(_, _, kind)| kind)
}

const STRINGS: Kind = List(&String);
const STRING_MAP: Kind = Map(&String);
const INT: Kind = Integer(Width::Signed);
const UINT16: Kind = Integer(Width::Bits16);
const UINT32: Kind = Integer(Width::Bits32);
const UINT64: Kind = Integer(Width::Bits64);

/// The bodies that the daemon reads, whatever else it is told by.
static BODIES: &[(&str, Kind)] = &[
    ("container-create", Object(&CREATE)),
    ("container-update", Object(&UPDATE)),
    ("container-commit", Object(&CONFIG)),
    ("container-exec", Object(&EXEC)),
    ("exec-start", Object(&EXEC_START)),
    ("container-checkpoint-create", Object(&CHECKPOINT)),
    // As old clients send credentials; without a body the daemon looks for the header.
    ("image-push", Object(&AUTH)),
    ("system-auth", Object(&AUTH)),
    ("network-create", Object(&NETWORK)),
    ("network-connect", Object(&CONNECT)),
    ("network-disconnect", Object(&DISCONNECT)),
    ("volume-create", Object(&VOLUME)),
    ("volume-update", Object(&VOLUME_UPDATE)),
    ("plugin-pull", List(&Object(&PRIVILEGE))),
    ("plugin-upgrade", List(&Object(&PRIVILEGE))),
    ("plugin-set", STRINGS),
    ("swarm-init", Object(&SWARM_INIT)),
    ("swarm-join", Object(&SWARM_JOIN)),
    ("swarm-update", Object(&SWARM)),
    ("swarm-unlock", Object(&SWARM_UNLOCK)),
    ("service-create", Object(&SERVICE)),
    ("service-update", Object(&SERVICE)),
    ("node-update", Object(&NODE)),
    ("secret-create", Object(&SECRET)),
    ("secret-update", Object(&SECRET)),
    ("config-create", Object(&SWARM_CONFIG)),
    ("config-update", Object(&SWARM_CONFIG)),
];

/// Parameters of queries that hold JSON. No operation: any.
static PARAMETERS: &[(&str, &str, Kind)] = &[
    ("", "filters", Filters),
    ("image-build", "buildargs", Map(&Nullable(&String))),
    ("image-build", "labels", STRING_MAP),
    ("image-build", "cachefrom", STRINGS),
    ("image-build", "ulimits", List(&Object(&ULIMIT))),
    ("image-build", "outputs", List(&Object(&OUTPUT))),
    ("image-push", "platform", Object(&PLATFORM_OF_IMAGE)),
    ("image-inspect", "platform", Object(&PLATFORM_OF_IMAGE)),
    ("image-history", "platform", Object(&PLATFORM_OF_IMAGE)),
    ("image-attestations", "platform", Object(&PLATFORM_OF_IMAGE)),
    ("image-get", "platform", Object(&PLATFORM_OF_IMAGE)),
    ("image-get-all", "platform", Object(&PLATFORM_OF_IMAGE)),
    ("image-load", "platform", Object(&PLATFORM_OF_IMAGE)),
    ("image-delete", "platforms", Object(&PLATFORM_OF_IMAGE)),
];

/// What the header `X-Registry-Config` holds.
pub(super) static REGISTRY_CONFIG: Kind = Map(&Object(&AUTH));

const fn fields(fields: &'static [(&'static str, Kind)]) -> Struct {
    with(&[], fields)
}

const fn with(
    embedded: &'static [&'static Struct],
    fields: &'static [(&'static str, Kind)],
) -> Struct {
    Struct { index: OnceLock::new(), fields, embedded, beside: None }
}

// Containers.

/// Daemons up to 26 take the fields of a `HostConfig` beside it too.
static CREATE: Struct = Struct {
    index: OnceLock::new(),
    fields: &[("HostConfig", Object(&HOST_CONFIG)), ("NetworkingConfig", Object(&NETWORKING))],
    embedded: &[&CONFIG],
    beside: Some(("HostConfig", &HOST_CONFIG_BESIDE)),
};

/// `Cpuset` has its name from times before `CpusetCpus`, and no `HostConfig` has it.
static HOST_CONFIG_BESIDE: Struct = with(&[&HOST_CONFIG, &RESOURCES], &[("Cpuset", String)]);

static CONFIG: Struct = fields(&[
    ("Hostname", String),
    ("Domainname", String),
    ("User", String),
    ("AttachStdin", Bool),
    ("AttachStdout", Bool),
    ("AttachStderr", Bool),
    ("ExposedPorts", Map(&Object(&EMPTY))),
    ("PublishService", String),
    ("Tty", Bool),
    ("OpenStdin", Bool),
    ("StdinOnce", Bool),
    ("Env", STRINGS),
    ("Cmd", Words),
    ("Healthcheck", Object(&HEALTHCHECK)),
    ("ArgsEscaped", Bool),
    ("Image", String),
    ("Volumes", Map(&Object(&EMPTY))),
    ("WorkingDir", String),
    ("Entrypoint", Words),
    ("NetworkDisabled", Bool),
    ("MacAddress", String),
    ("OnBuild", STRINGS),
    ("Labels", STRING_MAP),
    ("StopSignal", String),
    ("StopTimeout", INT),
    ("Shell", Words),
]);

static HEALTHCHECK: Struct = fields(&[
    ("Test", STRINGS),
    ("Interval", INT),
    ("Timeout", INT),
    ("StartPeriod", INT),
    ("StartInterval", INT),
    ("Retries", INT),
]);

static HOST_CONFIG: Struct = with(
    &[&RESOURCES],
    &[
        ("Binds", STRINGS),
        ("ContainerIDFile", String),
        ("LogConfig", Object(&LOG_CONFIG)),
        ("NetworkMode", String),
        ("PortBindings", Map(&List(&Object(&PORT_BINDING)))),
        ("RestartPolicy", Object(&RESTART_POLICY)),
        ("AutoRemove", Bool),
        ("VolumeDriver", String),
        ("VolumesFrom", STRINGS),
        ("ConsoleSize", Pair),
        ("Annotations", STRING_MAP),
        ("CapAdd", Words),
        ("CapDrop", Words),
        ("Capabilities", Words),
        ("CgroupnsMode", String),
        ("Dns", STRINGS),
        ("DnsOptions", STRINGS),
        ("DnsSearch", STRINGS),
        ("ExtraHosts", STRINGS),
        ("GroupAdd", STRINGS),
        ("IpcMode", String),
        ("Cgroup", String),
        ("Links", STRINGS),
        ("OomScoreAdj", INT),
        ("PidMode", String),
        ("Privileged", Bool),
        ("PublishAllPorts", Bool),
        ("ReadonlyRootfs", Bool),
        ("SecurityOpt", STRINGS),
        ("StorageOpt", STRING_MAP),
        ("Tmpfs", STRING_MAP),
        ("UTSMode", String),
        // New in 1.56; what it takes is not settled.
        ("Umask", Any),
        ("UsernsMode", String),
        ("ShmSize", INT),
        ("Sysctls", STRING_MAP),
        ("Runtime", String),
        ("Isolation", String),
        ("Mounts", List(&Object(&MOUNT))),
        ("MaskedPaths", Nullable(&STRINGS)),
        ("ReadonlyPaths", Nullable(&STRINGS)),
        ("Init", Nullable(&Bool)),
    ],
);

static RESOURCES: Struct = fields(&[
    ("CpuShares", INT),
    ("Memory", INT),
    ("NanoCpus", INT),
    ("CgroupParent", String),
    ("BlkioWeight", UINT16),
    ("BlkioWeightDevice", List(&Object(&WEIGHT_DEVICE))),
    ("BlkioDeviceReadBps", List(&Object(&THROTTLE_DEVICE))),
    ("BlkioDeviceWriteBps", List(&Object(&THROTTLE_DEVICE))),
    ("BlkioDeviceReadIOps", List(&Object(&THROTTLE_DEVICE))),
    ("BlkioDeviceWriteIOps", List(&Object(&THROTTLE_DEVICE))),
    ("CpuPeriod", INT),
    ("CpuQuota", INT),
    ("CpuRealtimePeriod", INT),
    ("CpuRealtimeRuntime", INT),
    ("CpusetCpus", String),
    ("CpusetMems", String),
    ("Devices", List(&Object(&DEVICE))),
    ("DeviceCgroupRules", STRINGS),
    ("DeviceRequests", List(&Object(&DEVICE_REQUEST))),
    ("DiskQuota", INT),
    ("KernelMemory", INT),
    ("KernelMemoryTCP", INT),
    ("MemoryReservation", INT),
    ("MemorySwap", INT),
    ("MemorySwappiness", Nullable(&INT)),
    ("OomKillDisable", Nullable(&Bool)),
    ("PidsLimit", Nullable(&INT)),
    ("Ulimits", List(&Object(&ULIMIT))),
    ("CpuCount", INT),
    ("CpuPercent", INT),
    ("IOMaximumIOps", UINT64),
    ("IOMaximumBandwidth", UINT64),
    ("NetworkMaximumBandwidth", UINT64),
]);

static UPDATE: Struct = with(&[&RESOURCES], &[("RestartPolicy", Object(&RESTART_POLICY))]);

static LOG_CONFIG: Struct = fields(&[("Type", String), ("Config", STRING_MAP)]);
static PORT_BINDING: Struct = fields(&[("HostIp", String), ("HostPort", String)]);
static RESTART_POLICY: Struct = fields(&[("Name", String), ("MaximumRetryCount", INT)]);
static WEIGHT_DEVICE: Struct = fields(&[("Path", String), ("Weight", UINT16)]);
static THROTTLE_DEVICE: Struct = fields(&[("Path", String), ("Rate", UINT64)]);
static ULIMIT: Struct = fields(&[("Name", String), ("Hard", INT), ("Soft", INT)]);

static DEVICE: Struct =
    fields(&[("PathOnHost", String), ("PathInContainer", String), ("CgroupPermissions", String)]);

static DEVICE_REQUEST: Struct = fields(&[
    ("Driver", String),
    ("Count", INT),
    ("DeviceIDs", STRINGS),
    ("Capabilities", List(&STRINGS)),
    ("Options", STRING_MAP),
]);

static MOUNT: Struct = fields(&[
    ("Type", String),
    ("Source", String),
    ("Target", String),
    ("ReadOnly", Bool),
    ("Consistency", String),
    ("BindOptions", Object(&BIND_OPTIONS)),
    ("VolumeOptions", Object(&VOLUME_OPTIONS)),
    ("ImageOptions", Object(&IMAGE_OPTIONS)),
    ("TmpfsOptions", Object(&TMPFS_OPTIONS)),
    ("ClusterOptions", Object(&EMPTY)),
]);

static BIND_OPTIONS: Struct = fields(&[
    ("Propagation", String),
    ("NonRecursive", Bool),
    ("CreateMountpoint", Bool),
    ("ReadOnlyNonRecursive", Bool),
    ("ReadOnlyForceRecursive", Bool),
]);

static VOLUME_OPTIONS: Struct = fields(&[
    ("NoCopy", Bool),
    ("Labels", STRING_MAP),
    ("Subpath", String),
    ("DriverConfig", Object(&DRIVER)),
]);

static IMAGE_OPTIONS: Struct = fields(&[("Subpath", String)]);

static TMPFS_OPTIONS: Struct =
    fields(&[("SizeBytes", INT), ("Mode", UINT32), ("Options", List(&STRINGS))]);

static EXEC: Struct = fields(&[
    ("User", String),
    ("Privileged", Bool),
    ("Tty", Bool),
    ("ConsoleSize", Pair),
    ("AttachStdin", Bool),
    ("AttachStderr", Bool),
    ("AttachStdout", Bool),
    ("Detach", Bool),
    ("DetachKeys", String),
    ("Env", STRINGS),
    ("WorkingDir", String),
    ("Cmd", STRINGS),
]);

static EXEC_START: Struct = fields(&[("Detach", Bool), ("Tty", Bool), ("ConsoleSize", Pair)]);

static CHECKPOINT: Struct =
    fields(&[("CheckpointID", String), ("CheckpointDir", String), ("Exit", Bool)]);

// Images.

static AUTH: Struct = fields(&[
    ("username", String),
    ("password", String),
    ("auth", String),
    ("email", String),
    ("serveraddress", String),
    ("identitytoken", String),
    ("registrytoken", String),
]);

static OUTPUT: Struct = fields(&[("Type", String), ("Attrs", STRING_MAP)]);

static PLATFORM_OF_IMAGE: Struct = fields(&[
    ("architecture", String),
    ("os", String),
    ("os.version", String),
    ("os.features", STRINGS),
    ("variant", String),
]);

// Networks.

static NETWORKING: Struct = fields(&[("EndpointsConfig", Map(&Object(&ENDPOINT)))]);

static ENDPOINT: Struct = fields(&[
    ("IPAMConfig", Object(&ENDPOINT_IPAM)),
    ("Links", STRINGS),
    ("Aliases", STRINGS),
    ("MacAddress", String),
    ("DriverOpts", STRING_MAP),
    ("GwPriority", INT),
    ("NetworkID", String),
    ("EndpointID", String),
    ("Gateway", String),
    ("IPAddress", String),
    ("IPPrefixLen", INT),
    ("IPv6Gateway", String),
    ("GlobalIPv6Address", String),
    ("GlobalIPv6PrefixLen", INT),
    ("DNSNames", STRINGS),
]);

static ENDPOINT_IPAM: Struct =
    fields(&[("IPv4Address", String), ("IPv6Address", String), ("LinkLocalIPs", STRINGS)]);

static NETWORK: Struct = fields(&[
    ("Name", String),
    ("CheckDuplicate", Bool),
    ("Driver", String),
    ("Scope", String),
    ("EnableIPv4", Nullable(&Bool)),
    ("EnableIPv6", Nullable(&Bool)),
    ("IPAM", Object(&IPAM)),
    ("Internal", Bool),
    ("Attachable", Bool),
    ("Ingress", Bool),
    ("ConfigOnly", Bool),
    ("ConfigFrom", Object(&CONFIG_FROM)),
    ("Options", STRING_MAP),
    ("Labels", STRING_MAP),
]);

static CONFIG_FROM: Struct = fields(&[("Network", String)]);

static IPAM: Struct =
    fields(&[("Driver", String), ("Options", STRING_MAP), ("Config", List(&Object(&IPAM_POOL)))]);

static IPAM_POOL: Struct = fields(&[
    ("Subnet", String),
    ("IPRange", String),
    ("Gateway", String),
    ("AuxiliaryAddresses", STRING_MAP),
]);

static CONNECT: Struct = fields(&[("Container", String), ("EndpointConfig", Object(&ENDPOINT))]);
static DISCONNECT: Struct = fields(&[("Container", String), ("Force", Bool)]);

// Volumes and plugins.

static VOLUME: Struct = fields(&[
    ("Name", String),
    ("Driver", String),
    ("DriverOpts", STRING_MAP),
    ("Labels", STRING_MAP),
    ("ClusterVolumeSpec", Object(&CLUSTER_VOLUME)),
]);

static VOLUME_UPDATE: Struct = fields(&[("Spec", Object(&CLUSTER_VOLUME))]);

static CLUSTER_VOLUME: Struct = fields(&[
    ("Group", String),
    ("AccessMode", Object(&ACCESS_MODE)),
    ("AccessibilityRequirements", Object(&ACCESSIBILITY)),
    ("CapacityRange", Object(&CAPACITY)),
    ("Secrets", List(&Object(&VOLUME_SECRET))),
    ("Availability", String),
]);

static ACCESS_MODE: Struct = fields(&[
    ("Scope", String),
    ("Sharing", String),
    ("MountVolume", Object(&MOUNT_VOLUME)),
    ("BlockVolume", Object(&EMPTY)),
]);

static MOUNT_VOLUME: Struct = fields(&[("FsType", String), ("MountFlags", STRINGS)]);

static ACCESSIBILITY: Struct =
    fields(&[("Requisite", List(&Object(&TOPOLOGY))), ("Preferred", List(&Object(&TOPOLOGY)))]);

static TOPOLOGY: Struct = fields(&[("Segments", STRING_MAP)]);
static CAPACITY: Struct = fields(&[("RequiredBytes", INT), ("LimitBytes", INT)]);
static VOLUME_SECRET: Struct = fields(&[("Key", String), ("Secret", String)]);

static PRIVILEGE: Struct = fields(&[("Name", String), ("Description", String), ("Value", STRINGS)]);

// Swarm.

static SWARM_INIT: Struct = fields(&[
    ("ListenAddr", String),
    ("AdvertiseAddr", String),
    ("DataPathAddr", String),
    ("DataPathPort", UINT32),
    ("ForceNewCluster", Bool),
    ("Spec", Object(&SWARM)),
    ("AutoLockManagers", Bool),
    ("Availability", String),
    ("DefaultAddrPool", STRINGS),
    ("SubnetSize", UINT32),
]);

static SWARM_JOIN: Struct = fields(&[
    ("ListenAddr", String),
    ("AdvertiseAddr", String),
    ("DataPathAddr", String),
    ("RemoteAddrs", STRINGS),
    ("JoinToken", String),
    ("Availability", String),
]);

static SWARM_UNLOCK: Struct = fields(&[("UnlockKey", String)]);

/// What nodes, services, secrets and configurations have in common.
static ANNOTATIONS: Struct = fields(&[("Name", String), ("Labels", STRING_MAP)]);

static SWARM: Struct = with(
    &[&ANNOTATIONS],
    &[
        ("Orchestration", Object(&ORCHESTRATION)),
        ("Raft", Object(&RAFT)),
        ("Dispatcher", Object(&DISPATCHER)),
        ("CAConfig", Object(&CA)),
        ("TaskDefaults", Object(&TASK_DEFAULTS)),
        ("EncryptionConfig", Object(&ENCRYPTION)),
    ],
);

static ORCHESTRATION: Struct = fields(&[("TaskHistoryRetentionLimit", INT)]);
static DISPATCHER: Struct = fields(&[("HeartbeatPeriod", INT)]);
static TASK_DEFAULTS: Struct = fields(&[("LogDriver", Object(&DRIVER))]);
static ENCRYPTION: Struct = fields(&[("AutoLockManagers", Bool)]);

static RAFT: Struct = fields(&[
    ("SnapshotInterval", UINT64),
    ("KeepOldSnapshots", UINT64),
    ("LogEntriesForSlowFollowers", UINT64),
    ("ElectionTick", INT),
    ("HeartbeatTick", INT),
]);

static CA: Struct = fields(&[
    ("NodeCertExpiry", INT),
    ("ExternalCAs", List(&Object(&EXTERNAL_CA))),
    ("SigningCACert", String),
    ("SigningCAKey", String),
    ("ForceRotate", UINT64),
]);

static EXTERNAL_CA: Struct =
    fields(&[("Protocol", String), ("URL", String), ("Options", STRING_MAP), ("CACert", String)]);

static NODE: Struct = with(&[&ANNOTATIONS], &[("Role", String), ("Availability", String)]);

static SECRET: Struct = with(
    &[&ANNOTATIONS],
    &[("Data", String), ("Driver", Object(&DRIVER)), ("Templating", Object(&DRIVER))],
);

static SWARM_CONFIG: Struct =
    with(&[&ANNOTATIONS], &[("Data", String), ("Templating", Object(&DRIVER))]);

static SERVICE: Struct = with(
    &[&ANNOTATIONS],
    &[
        ("TaskTemplate", Object(&TASK)),
        ("Mode", Object(&SERVICE_MODE)),
        ("UpdateConfig", Object(&UPDATE_CONFIG)),
        ("RollbackConfig", Object(&UPDATE_CONFIG)),
        ("Networks", List(&Object(&ATTACHMENT))),
        ("EndpointSpec", Object(&ENDPOINT_SPEC)),
    ],
);

static SERVICE_MODE: Struct = fields(&[
    ("Replicated", Object(&REPLICATED)),
    ("Global", Object(&EMPTY)),
    ("ReplicatedJob", Object(&REPLICATED_JOB)),
    ("GlobalJob", Object(&EMPTY)),
]);

static REPLICATED: Struct = fields(&[("Replicas", UINT64)]);
static REPLICATED_JOB: Struct = fields(&[("MaxConcurrent", UINT64), ("TotalCompletions", UINT64)]);

static UPDATE_CONFIG: Struct = fields(&[
    ("Parallelism", UINT64),
    ("Delay", INT),
    ("FailureAction", String),
    ("Monitor", INT),
    ("MaxFailureRatio", Float),
    ("Order", String),
]);

static ATTACHMENT: Struct =
    fields(&[("Target", String), ("Aliases", STRINGS), ("DriverOpts", STRING_MAP)]);

static ENDPOINT_SPEC: Struct = fields(&[("Mode", String), ("Ports", List(&Object(&PORT)))]);

static PORT: Struct = fields(&[
    ("Name", String),
    ("Protocol", String),
    ("TargetPort", UINT32),
    ("PublishedPort", UINT32),
    ("PublishMode", String),
]);

static TASK: Struct = fields(&[
    ("ContainerSpec", Object(&CONTAINER_SPEC)),
    ("PluginSpec", Object(&PLUGIN_SPEC)),
    ("NetworkAttachmentSpec", Object(&ATTACHED)),
    ("Resources", Object(&REQUIREMENTS)),
    ("RestartPolicy", Object(&TASK_RESTART)),
    ("Placement", Object(&PLACEMENT)),
    ("Networks", List(&Object(&ATTACHMENT))),
    ("LogDriver", Object(&DRIVER)),
    ("ForceUpdate", UINT64),
    ("Runtime", String),
]);

static ATTACHED: Struct = fields(&[("ContainerID", String)]);

static CONTAINER_SPEC: Struct = fields(&[
    ("Image", String),
    ("Labels", STRING_MAP),
    ("Command", STRINGS),
    ("Args", STRINGS),
    ("Hostname", String),
    ("Env", STRINGS),
    ("Dir", String),
    ("User", String),
    ("Groups", STRINGS),
    ("Privileges", Object(&PRIVILEGES)),
    ("Init", Nullable(&Bool)),
    ("StopSignal", String),
    ("TTY", Bool),
    ("OpenStdin", Bool),
    ("ReadOnly", Bool),
    ("Mounts", List(&Object(&MOUNT))),
    ("StopGracePeriod", INT),
    ("Healthcheck", Object(&HEALTHCHECK)),
    ("Hosts", STRINGS),
    ("DNSConfig", Object(&DNS_CONFIG)),
    ("Secrets", List(&Object(&SECRET_REFERENCE))),
    ("Configs", List(&Object(&CONFIG_REFERENCE))),
    ("Isolation", String),
    ("Sysctls", STRING_MAP),
    ("Capabilities", STRINGS),
    ("CapabilityAdd", STRINGS),
    ("CapabilityDrop", STRINGS),
    ("Ulimits", List(&Object(&ULIMIT))),
    ("OomScoreAdj", INT),
]);

static PRIVILEGES: Struct = fields(&[
    ("CredentialSpec", Object(&CREDENTIAL_SPEC)),
    ("SELinuxContext", Object(&SELINUX)),
    ("Seccomp", Object(&SECCOMP)),
    ("AppArmor", Object(&APPARMOR)),
    ("NoNewPrivileges", Bool),
]);

static CREDENTIAL_SPEC: Struct =
    fields(&[("Config", String), ("File", String), ("Registry", String)]);

static SELINUX: Struct = fields(&[
    ("Disable", Bool),
    ("User", String),
    ("Role", String),
    ("Type", String),
    ("Level", String),
]);

static SECCOMP: Struct = fields(&[("Mode", String), ("Profile", String)]);
static APPARMOR: Struct = fields(&[("Mode", String)]);

static DNS_CONFIG: Struct =
    fields(&[("Nameservers", STRINGS), ("Search", STRINGS), ("Options", STRINGS)]);

static SECRET_REFERENCE: Struct =
    fields(&[("File", Object(&FILE)), ("SecretID", String), ("SecretName", String)]);

static CONFIG_REFERENCE: Struct = fields(&[
    ("File", Object(&FILE)),
    ("Runtime", Object(&EMPTY)),
    ("ConfigID", String),
    ("ConfigName", String),
]);

static FILE: Struct =
    fields(&[("Name", String), ("UID", String), ("GID", String), ("Mode", UINT32)]);

static PLUGIN_SPEC: Struct = fields(&[
    ("name", String),
    ("remote", String),
    ("privileges", List(&Object(&TASK_PRIVILEGE))),
    ("disabled", Bool),
    ("env", STRINGS),
]);

static TASK_PRIVILEGE: Struct =
    fields(&[("name", String), ("description", String), ("value", STRINGS)]);

static REQUIREMENTS: Struct = fields(&[
    ("Limits", Object(&LIMITS)),
    ("Reservations", Object(&LIMITS)),
    ("SwapBytes", INT),
    ("MemorySwappiness", INT),
]);

/// Of limits and of reservations; no field is in both with two kinds.
static LIMITS: Struct = fields(&[
    ("NanoCPUs", INT),
    ("MemoryBytes", INT),
    ("Pids", INT),
    ("GenericResources", List(&Object(&GENERIC_RESOURCE))),
]);

static GENERIC_RESOURCE: Struct = fields(&[
    ("NamedResourceSpec", Object(&NAMED_RESOURCE)),
    ("DiscreteResourceSpec", Object(&DISCRETE_RESOURCE)),
]);

static NAMED_RESOURCE: Struct = fields(&[("Kind", String), ("Value", String)]);
static DISCRETE_RESOURCE: Struct = fields(&[("Kind", String), ("Value", INT)]);

static TASK_RESTART: Struct =
    fields(&[("Condition", String), ("Delay", INT), ("MaxAttempts", UINT64), ("Window", INT)]);

static PLACEMENT: Struct = fields(&[
    ("Constraints", STRINGS),
    ("Preferences", List(&Object(&PREFERENCE))),
    ("MaxReplicas", UINT64),
    ("Platforms", List(&Object(&PLATFORM))),
]);

static PREFERENCE: Struct = fields(&[("Spread", Object(&SPREAD))]);
static SPREAD: Struct = fields(&[("SpreadDescriptor", String)]);
static PLATFORM: Struct = fields(&[("Architecture", String), ("OS", String)]);

/// Of a volume, a log, a secret.
static DRIVER: Struct = fields(&[("Name", String), ("Options", STRING_MAP)]);

/// `struct{}`: fields in it mean nothing.
static EMPTY: Struct = fields(&[]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::routes;

    #[test]
    fn every_operation_with_a_document_has_a_schema() {
        for route in routes::all().iter().filter(|route| route.body == routes::Body::Json) {
            assert!(of_body(route.operation).is_some(), "{}", route.operation);
        }
        for (name, _) in BODIES {
            assert!(Operation::all().any(|operation| operation.name() == *name), "{name}");
        }
        for (name, ..) in PARAMETERS.iter().filter(|(name, ..)| !name.is_empty()) {
            assert!(Operation::all().any(|operation| operation.name() == *name), "{name}");
        }
    }
}
