//! The API's JSON shapes, as of version 1.41.

use std::hash::{BuildHasher, RandomState};

use serde_json::{Map, Value, json};
use time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::containers::Container;
use crate::execs::Exec;
use crate::images::Image;
use crate::process::{Life, Phase};
use crate::reply::{Refusal, Result};
use crate::system;

pub(crate) fn container_summary(container: &Container) -> Value {
    json!({
        "Id": container.id,
        "Names": [format!("/{}", container.name())],
        "Image": container.config["Image"],
        "ImageID": container.image.id(),
        "Command": container.process.argv.join(" "),
        "Created": container.created.unix_timestamp(),
        "Ports": [],
        "Labels": container.config["Labels"],
        "State": state(container),
        "Status": status(container.process.life()),
        "HostConfig": { "NetworkMode": container.host_config["NetworkMode"] },
        "NetworkSettings": { "Networks": networks() },
        "Mounts": [],
    })
}

pub(crate) fn container_inspect(container: &Container) -> Value {
    let life = container.process.life();
    let [path, arguments @ ..] = container.process.argv.as_slice() else { return Value::Null };
    json!({
        "Id": container.id,
        "Created": timestamp(container.created),
        "Path": path,
        "Args": arguments,
        "State": {
            "Status": state(container),
            "Running": life.phase == Phase::Running,
            "Paused": false,
            "Restarting": false,
            "OOMKilled": false,
            "Dead": false,
            "Pid": life.pid,
            "ExitCode": if life.phase == Phase::Running { 0 } else { life.exit_code },
            "Error": "",
            "StartedAt": timestamp_or_zero(life.started),
            "FinishedAt": timestamp_or_zero(life.finished),
        },
        "Image": container.image.id(),
        "ResolvConfPath": "",
        "HostnamePath": "",
        "HostsPath": "",
        "LogPath": "",
        "Name": format!("/{}", container.name()),
        "RestartCount": 0,
        "Driver": "none",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": null,
        "HostConfig": container.host_config,
        "GraphDriver": { "Data": null, "Name": "none" },
        "Mounts": [],
        "Config": container.config,
        "NetworkSettings": {
            "Bridge": "",
            "SandboxID": "",
            "HairpinMode": false,
            "LinkLocalIPv6Address": "",
            "LinkLocalIPv6PrefixLen": 0,
            "Ports": {},
            "SandboxKey": "",
            "SecondaryIPAddresses": null,
            "SecondaryIPv6Addresses": null,
            "EndpointID": "",
            "Gateway": "",
            "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0,
            "IPAddress": "",
            "IPPrefixLen": 0,
            "IPv6Gateway": "",
            "MacAddress": "",
            "Networks": networks(),
        },
    })
}

pub(crate) fn exec_inspect(exec: &Exec) -> Value {
    let life = exec.process.life();
    let [entrypoint, arguments @ ..] = exec.process.argv.as_slice() else { return Value::Null };
    json!({
        "ID": exec.id,
        "Running": life.phase == Phase::Running,
        "ExitCode": (life.phase == Phase::Exited).then_some(life.exit_code),
        "ProcessConfig": {
            "tty": exec.process.tty,
            "entrypoint": entrypoint,
            "arguments": arguments,
            "privileged": false,
        },
        "OpenStdin": exec.stdin,
        "OpenStderr": exec.wanted.stderr,
        "OpenStdout": exec.wanted.stdout,
        "CanRemove": false,
        "ContainerID": exec.container.id,
        "DetachKeys": "",
        "Pid": life.pid,
    })
}

pub(crate) fn image_inspect(image: &Image) -> Value {
    let mut config = container_config(&json!({ "Cmd": image.command }), "");
    config["Image"] = "".into();
    json!({
        "Id": image.id(),
        "RepoTags": [image.reference],
        "RepoDigests": [image.repo_digest()],
        "Parent": "",
        "Comment": "",
        "Created": OffsetDateTime::from_unix_timestamp(image.created).map_or_else(|_| String::new(), timestamp),
        "Container": "",
        "ContainerConfig": config,
        "DockerVersion": "",
        "Author": "",
        "Config": config,
        "Architecture": system::arch(),
        "Os": "linux",
        "Size": image.size,
        "VirtualSize": image.size,
        "GraphDriver": { "Data": null, "Name": "none" },
        "RootFS": { "Type": "layers", "Layers": [image.id()] },
        "Metadata": { "LastTagTime": "0001-01-01T00:00:00Z" },
    })
}

/// The configuration that a create body asks for: what it says over the defaults.
pub(crate) fn container_config(body: &Value, id: &str) -> Value {
    let mut config = json!({
        "Hostname": id.get(..12).unwrap_or_default(),
        "Domainname": "",
        "User": "",
        "AttachStdin": false,
        "AttachStdout": false,
        "AttachStderr": false,
        "Tty": false,
        "OpenStdin": false,
        "StdinOnce": false,
        "Env": [],
        "Cmd": null,
        "Image": "",
        "Volumes": null,
        "WorkingDir": "",
        "Entrypoint": null,
        "OnBuild": null,
        "Labels": {},
    });
    overlay(&mut config, body);
    for optional in ["ExposedPorts", "Healthcheck", "StopSignal", "StopTimeout", "Shell"] {
        let value = field(body, optional);
        if !value.is_null() {
            config[optional] = value.clone();
        }
    }
    config
}

pub(crate) fn host_config(asked: &Value) -> Value {
    let mut config = json!({
        "LogConfig": { "Type": "json-file", "Config": {} },
        "NetworkMode": "default",
        "PortBindings": {},
        "RestartPolicy": { "Name": "no", "MaximumRetryCount": 0 },
        "CgroupnsMode": "private",
        "IpcMode": "private",
        "ShmSize": 67_108_864,
        "Runtime": "runc",
        "ConsoleSize": [0, 0],
    });
    for (value, names) in [
        (Value::Null, HOST_NULL),
        (json!(0), HOST_ZERO),
        (json!(""), HOST_EMPTY),
        (json!(false), HOST_FALSE),
        (json!([]), HOST_NONE),
    ] {
        for name in names.split_whitespace() {
            config[name] = value.clone();
        }
    }
    overlay(&mut config, asked);
    config
}

/// The member of this name; null when there is none. Go matches names without regard to case.
pub(crate) fn field<'a>(object: &'a Value, name: &str) -> &'a Value {
    let members = object.as_object().into_iter().flatten();
    members.rev().find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or(&Value::Null, |(_, v)| v)
}

pub(crate) fn is_true(object: &Value, name: &str) -> bool {
    *field(object, name) == true
}

/// A command: a list of strings, or one.
pub(crate) fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(word) => vec![word.clone()],
        Value::Array(words) => words.iter().filter_map(Value::as_str).map(String::from).collect(),
        _ => Vec::new(),
    }
}

pub(crate) fn state(container: &Container) -> &'static str {
    match container.process.life().phase {
        Phase::Created => "created",
        Phase::Running => "running",
        Phase::Exited => "exited",
        Phase::Removed => "removing",
    }
}

pub(crate) fn timestamp(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

/// Seconds of the Unix epoch, with an optional fraction; none when empty or 0.
pub(crate) fn unix_time(text: &str) -> Result<Option<OffsetDateTime>> {
    if matches!(text, "" | "0") {
        return Ok(None);
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanoseconds = format!("{fraction:0<9.9}").parse().ok();
    seconds
        .parse()
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .zip(nanoseconds)
        .and_then(|(time, nanoseconds)| time.replace_nanosecond(nanoseconds).ok())
        .map(Some)
        .ok_or_else(|| Refusal::bad_request(format!("invalid timestamp: {text}")))
}

/// 64 hexadecimal digits, from the seeds that the standard library draws for its hash maps.
pub(crate) fn random_id() -> String {
    let [a, b, c, d] = [(); 4].map(|()| RandomState::new().hash_one(()));
    format!("{a:016x}{b:016x}{c:016x}{d:016x}")
}

/// Takes over what has a place in `config`, and ignores the rest.
fn overlay(config: &mut Value, asked: &Value) {
    for (name, value) in config.as_object_mut().into_iter().flat_map(Map::iter_mut) {
        let asked = field(asked, name);
        if !asked.is_null() {
            *value = asked.clone();
        }
    }
}

fn networks() -> Value {
    json!({
        "bridge": {
            "IPAMConfig": null,
            "Links": null,
            "Aliases": null,
            "NetworkID": "",
            "EndpointID": "",
            "Gateway": "",
            "IPAddress": "",
            "IPPrefixLen": 0,
            "IPv6Gateway": "",
            "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0,
            "MacAddress": "",
            "DriverOpts": null,
        },
    })
}

fn timestamp_or_zero(time: Option<OffsetDateTime>) -> String {
    time.map_or_else(|| "0001-01-01T00:00:00Z".into(), timestamp)
}

fn status(life: Life) -> String {
    let since = |time: Option<OffsetDateTime>| {
        ago(time.map_or(Duration::ZERO, |time| OffsetDateTime::now_utc() - time))
    };
    match life.phase {
        Phase::Created => "Created".into(),
        Phase::Running => format!("Up {}", since(life.started)),
        Phase::Exited => format!("Exited ({}) {} ago", life.exit_code, since(life.finished)),
        Phase::Removed => "Removal In Progress".into(),
    }
}

/// The words of go-units' `HumanDuration`.
fn ago(time: Duration) -> String {
    match (time.whole_seconds(), time.whole_minutes(), time.whole_hours()) {
        (..1, ..) => "Less than a second".into(),
        (1, ..) => "1 second".into(),
        (seconds @ ..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".into(),
        (_, minutes @ ..60, _) => format!("{minutes} minutes"),
        (.., 1) => "About an hour".into(),
        (.., hours @ ..48) => format!("{hours} hours"),
        (.., hours) => format!("{} days", hours / 24),
    }
}

/// The members of `HostConfig` by their default value.
const HOST_NULL: &str = "\
    Binds VolumesFrom CapAdd CapDrop ExtraHosts GroupAdd Links Mounts SecurityOpt Sysctls Tmpfs \
    BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps \
    DeviceCgroupRules DeviceRequests MemorySwappiness PidsLimit Ulimits MaskedPaths \
    ReadonlyPaths";
const HOST_ZERO: &str = "\
    OomScoreAdj CpuShares Memory NanoCpus BlkioWeight CpuPeriod CpuQuota CpuRealtimePeriod \
    CpuRealtimeRuntime KernelMemory KernelMemoryTCP MemoryReservation MemorySwap CpuCount \
    CpuPercent IOMaximumIOps IOMaximumBandwidth";
const HOST_EMPTY: &str = "\
    ContainerIDFile VolumeDriver Cgroup PidMode UTSMode UsernsMode Isolation CgroupParent \
    CpusetCpus CpusetMems";
const HOST_FALSE: &str = "AutoRemove Privileged PublishAllPorts ReadonlyRootfs OomKillDisable";
const HOST_NONE: &str = "Dns DnsOptions DnsSearch BlkioWeightDevice Devices";
