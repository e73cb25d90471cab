//! The engine about itself.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, PRAGMA};
use http::{HeaderValue, Method};
use percent_encoding::{AsciiSet, CONTROLS};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::reply::{self, Answer, ReplyBody};
use crate::{Engine, shapes};

pub(crate) const API_VERSION: &str = "1.41";
pub(crate) const MIN_API_VERSION: &str = "1.12";
/// On every response.
pub(crate) const HEADERS: [(&str, &str); 4] = [
    ("api-version", API_VERSION),
    ("docker-experimental", "false"),
    ("ostype", "linux"),
    ("server", "Docker/20.10.24-demo (linux)"),
];
/// What Go's `URL.EscapedPath` escapes and the daemon would send in a `Location`.
pub(crate) const PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`');
const VERSION: &str = "20.10.24-demo";

pub(crate) fn ping(method: &Method) -> Answer {
    let mut response = reply::text("OK");
    if method == Method::HEAD {
        *response.body_mut() = ReplyBody::Whole(Bytes::new());
    }
    let headers = response.headers_mut();
    // The classic builder: there is no BuildKit here.
    headers.insert("builder-version", HeaderValue::from_static("1"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    Answer::Reply(response)
}

pub(crate) fn version() -> Value {
    let details = json!({
        "ApiVersion": API_VERSION,
        "Arch": arch(),
        "BuildTime": "2026-01-01T00:00:00.000000000+00:00",
        "Experimental": "false",
        "GitCommit": "demo",
        "GoVersion": "none",
        "KernelVersion": "demo",
        "MinAPIVersion": MIN_API_VERSION,
        "Os": "linux",
    });
    json!({
        "Platform": { "Name": "dockgate demo engine" },
        "Components": [{ "Name": "Engine", "Version": VERSION, "Details": details }],
        "Version": VERSION,
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MIN_API_VERSION,
        "GitCommit": "demo",
        "GoVersion": "none",
        "Os": "linux",
        "Arch": arch(),
        "KernelVersion": "demo",
        "BuildTime": "2026-01-01T00:00:00.000000000+00:00",
    })
}

pub(crate) fn info(engine: &Engine) -> Value {
    let containers = engine.state().containers.clone();
    let running = containers.iter().filter(|container| container.process.is_running()).count();
    json!({
        "ID": "DEMO:DEMO:DEMO:DEMO:DEMO:DEMO:DEMO:DEMO:DEMO:DEMO:DEMO:DEMO",
        "Containers": containers.len(),
        "ContainersRunning": running,
        "ContainersPaused": 0,
        "ContainersStopped": containers.len() - running,
        "Images": 3,
        "Driver": "none",
        "DriverStatus": [],
        "Plugins": { "Volume": ["local"], "Network": ["bridge", "host", "null"], "Authorization": null, "Log": ["json-file"] },
        "MemoryLimit": true,
        "SwapLimit": true,
        "KernelMemory": true,
        "CpuCfsPeriod": true,
        "CpuCfsQuota": true,
        "CPUShares": true,
        "CPUSet": true,
        "PidsLimit": true,
        "IPv4Forwarding": true,
        "BridgeNfIptables": true,
        "BridgeNfIp6tables": true,
        "Debug": false,
        "NFd": 0,
        "OomKillDisable": true,
        "NGoroutines": 0,
        "SystemTime": shapes::timestamp(OffsetDateTime::now_utc()),
        "LoggingDriver": "json-file",
        "CgroupDriver": "none",
        "CgroupVersion": "2",
        "NEventsListener": 0,
        "KernelVersion": "demo",
        "OperatingSystem": "dockgate demo engine (no code is run)",
        "OSVersion": "",
        "OSType": "linux",
        "Architecture": arch(),
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": {
            "AllowNondistributableArtifactsCIDRs": [],
            "AllowNondistributableArtifactsHostnames": [],
            "InsecureRegistryCIDRs": ["127.0.0.0/8"],
            "IndexConfigs": {},
            "Mirrors": [],
        },
        "NCPU": std::thread::available_parallelism().map_or(1, usize::from),
        "MemTotal": 0,
        "GenericResources": null,
        "DockerRootDir": "/var/lib/docker",
        "HttpProxy": "",
        "HttpsProxy": "",
        "NoProxy": "",
        "Name": "demo",
        "Labels": [],
        "ExperimentalBuild": false,
        "ServerVersion": VERSION,
        "Runtimes": { "runc": { "path": "runc" } },
        "DefaultRuntime": "runc",
        "Swarm": {
            "NodeID": "",
            "NodeAddr": "",
            "LocalNodeState": "inactive",
            "ControlAvailable": false,
            "Error": "",
            "RemoteManagers": null,
        },
        "LiveRestoreEnabled": false,
        "Isolation": "",
        "InitBinary": "docker-init",
        "ContainerdCommit": { "ID": "", "Expected": "" },
        "RuncCommit": { "ID": "", "Expected": "" },
        "InitCommit": { "ID": "", "Expected": "" },
        "SecurityOptions": [],
        "Warnings": null,
    })
}

/// Go's names.
pub(crate) fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
