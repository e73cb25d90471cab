//! What the proxy refuses beyond `HAProxy`.

use dockgate::request::{ApiVersion, OLDEST_SAFE_API, Violation};

/// The targets that `HAProxy` lets through where a flag opens what they begin with, and that the
/// proxy refuses with 400 under any flags, by rule: the daemon reads most of them as something else.
const BEYOND: &[(Violation, &[&str])] = &[
    (
        Violation::DotSegment,
        &[
            "/_ping/../containers/json",
            "/_ping/../secrets",
            "/auth/../exec",
            "/containers/%2e%2e/images/json",
            "/containers/../../images/json",
            "/containers/../images/json",
            "/containers/../start",
            "/containers/./json",
            "/containers/./start",
            "/containers/abc/./logs",
            "/containers/create/../json",
            "/containers/x/stop/../../../build",
            "/events/../containers/json",
            "/events/../exec/abc/start",
            "/images/../containers/json",
            "/images/json/../../containers/create",
            "/info/../../containers/json",
            "/v1.41/containers/../images/json",
            "/version/../containers/create",
            "/version/../containers/json",
            "/version/../images/json",
        ],
    ),
    (
        Violation::EncodedSlash,
        &[
            "/_ping%2F..%2Fcontainers%2Fjson",
            "/_ping%2f..%2fcontainers/json",
            "/_ping/..%2fcontainers/json",
            "/containers%2Fjson",
            "/containers%2fjson",
            "/containers/%2e%2e%2fimages/json",
            "/containers/..%2fimages/json",
            "/containers/a%2Fb/logs",
            "/containers/a%2Fstop",
            "/containers/a/stop%2f..%2fexec",
            "/v1.41%2Fcontainers/json",
            "/v1.41/containers/a%2fstop",
            "/version%2f..%2fcontainers%2fcreate",
        ],
    ),
    (
        Violation::EmptySegment,
        &["/containers//json", "/containers//stop", "/containers/abc//logs", "/containers/json//"],
    ),
    (
        Violation::Control,
        &[
            "/containers/abc%00/json",
            "/containers/json%00",
            "/containers/json%0a",
            "/containers/json%0d%0aX:y",
            "/containers/json?%00",
            "/events%00/../containers/json",
        ],
    ),
    (Violation::NotUtf8, &["/containers/%c0%ae%c0%ae/images/json"]),
    (
        Violation::OriginForm,
        &["http://docker/_ping/../containers/json", "http://docker/containers/json"],
    ),
    (
        // Versions of three numbers are those of Podman's own API.
        Violation::Version,
        &[
            "/V1.41/containers/json",
            "/v.../containers/json",
            "/v01.41/containers/json",
            "/v1..41/containers/json",
            "/v1.041/containers/json",
            "/v1.41../containers/create",
            "/v1.41./containers/json",
            "/v1.41.1/containers/json",
            "/v1.41.5/containers/json",
            "/v1/containers/json",
            "/v4.0.0/libpod/_ping",
            "/v4.0.0/libpod/containers/json",
            "/v4.0.0/libpod/containers/web/restart",
            "/v4.0.0/libpod/pods/web/stop",
            "/v5.0.0/libpod/_ping",
            "/v5.0.0/libpod/containers/json",
            "/v5.0.0/libpod/events",
            "/v5.0.0/libpod/exec/abc/json",
            "/v5.0.0/libpod/generate/kube?names=x",
            "/v5.0.0/libpod/images/json",
            "/v5.0.0/libpod/info",
            "/v5.0.0/libpod/manifests/x/json",
            "/v5.0.0/libpod/networks/json",
            "/v5.0.0/libpod/play/kube",
            "/v5.0.0/libpod/pods/json",
            "/v5.0.0/libpod/secrets/json",
            "/v5.0.0/libpod/system/df",
            "/v5.0.0/libpod/version",
            "/v5.0.0/libpod/volumes/json",
        ],
    ),
    (older_than_safe(12), &["/v1.12/containers/json"]),
    (older_than_safe(23), &["/v1.23/containers/abc/start", "/v1.23/containers/leg/start"]),
];

const fn older_than_safe(minor: u16) -> Violation {
    Violation::OldVersion { version: ApiVersion { major: 1, minor }, oldest: OLDEST_SAFE_API }
}

/// The rule by which a request is refused beyond `HAProxy`, if it is.
pub fn rule(method: &str, target: &str) -> Option<&'static Violation> {
    // Echoing a request back is no operation of the API.
    if method == "TRACE" {
        return Some(&Violation::Method);
    }
    let of = |(_, targets): &&(Violation, &[&str])| targets.contains(&target);
    BEYOND.iter().find(of).map(|(rule, _)| rule)
}

/// All targets of the table.
pub fn targets() -> impl Iterator<Item = &'static str> {
    BEYOND.iter().flat_map(|(_, targets)| targets.iter().copied())
}
