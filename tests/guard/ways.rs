//! The ways to the host: refused in every spelling, and open at the daemon itself.

use serde_json::{Value, json};

use crate::scene::Scene;
use crate::spellings;

/// What a container must not have, as fields of its `HostConfig`. All of these the daemon of the tests
/// gives to whoever asks.
fn in_a_host_config() -> Vec<Value> {
    vec![
        json!({ "Privileged": true }),
        json!({ "NetworkMode": "host" }),
        json!({ "PidMode": "host" }),
        json!({ "IpcMode": "host" }),
        json!({ "UTSMode": "host" }),
        json!({ "UsernsMode": "host" }),
        json!({ "CgroupnsMode": "host" }),
        json!({ "NetworkMode": "container:web" }),
        json!({ "PidMode": "container:web" }),
        json!({ "CapAdd": ["SYS_ADMIN"] }),
        json!({ "CapAdd": ["ALL"] }),
        json!({ "Devices": [{ "PathOnHost": "/dev/mem", "PathInContainer": "/dev/mem",
            "CgroupPermissions": "rwm" }] }),
        json!({ "DeviceCgroupRules": ["b 8:* rwm"] }),
        json!({ "Binds": ["/:/h"] }),
        json!({ "Binds": ["/var/run/docker.sock:/var/run/docker.sock:ro"] }),
        json!({ "Binds": ["/etc:/h:rshared"] }),
        json!({ "Mounts": [{ "Type": "bind", "Source": "/", "Target": "/h" }] }),
        json!({ "Mounts": [{ "Type": "volume", "Source": "disguised", "Target": "/h",
            "VolumeOptions": { "DriverConfig": { "Name": "local",
                "Options": { "type": "none", "o": "bind", "device": "/" } } } }] }),
        json!({ "VolumesFrom": ["web"] }),
        json!({ "SecurityOpt": ["seccomp=unconfined"] }),
        json!({ "SecurityOpt": ["apparmor=unconfined", "label=disable"] }),
        json!({ "MaskedPaths": [], "ReadonlyPaths": [] }),
        json!({ "CgroupParent": "/system.slice" }),
        json!({ "Sysctls": { "kernel.shm_rmid_forced": "1" } }),
        json!({ "GroupAdd": ["disk"] }),
        json!({ "OomScoreAdj": -1000 }),
        json!({ "LogConfig": { "Type": "syslog", "Config": {} } }),
        json!({ "Tmpfs": { "/t": "exec,dev,suid" } }),
    ]
}

/// Other requests that lead to the host. The last says whether the daemon of the tests, asked the
/// same, does it (2xx); elsewhere something is missing here, or it would end the tests.
fn others() -> Vec<(&'static str, Value, bool)> {
    let container =
        |spec: Value| json!({ "Name": "way", "TaskTemplate": { "ContainerSpec": spec } });
    let root = json!([{ "Type": "bind", "Source": "/", "Target": "/h" }]);
    let bind = json!({ "type": "none", "o": "bind", "device": "/" });
    let disguised = json!([{ "Type": "volume", "Source": "x", "Target": "/h",
        "VolumeOptions": { "DriverConfig": { "Name": "local", "Options": bind } } }]);
    vec![
        ("POST /containers/web/exec", json!({ "Cmd": ["true"], "Privileged": true }), true),
        ("POST /containers/web/exec", json!({ "Cmd": ["true"], "User": "root" }), true),
        ("POST /containers/web/update", json!({ "Devices": [{ "PathOnHost": "/dev/mem" }] }), true),
        ("POST /containers/web/update", json!({ "Privileged": true }), true),
        ("POST /containers/web/update", json!({ "CgroupParent": "/system.slice" }), true),
        (
            "POST /volumes/create",
            json!({ "Name": "way", "Driver": "local", "DriverOpts": bind }),
            true,
        ),
        (
            "POST /volumes/create",
            json!({ "Name": "way", "DriverOpts": { "type": "ext4", "device": "/dev/sda1" } }),
            true,
        ),
        ("POST /networks/create", json!({ "Name": "way", "Driver": "macvlan" }), false),
        ("POST /networks/host/connect", json!({ "Container": "web" }), false),
        ("POST /services/create", container(json!({ "Image": "busy:1", "Mounts": root })), true),
        (
            "POST /services/create",
            container(json!({ "Image": "busy:1", "Mounts": disguised })),
            true,
        ),
        (
            "POST /services/create",
            container(json!({ "Image": "busy:1", "CapabilityAdd": ["CAP_SYS_ADMIN"] })),
            true,
        ),
        (
            "POST /services/create",
            json!({ "Name": "way", "TaskTemplate": { "ContainerSpec": { "Image": "busy:1" },
                "Networks": [{ "Target": "host" }] } }),
            true,
        ),
        (
            "POST /services/calm/update?version=VERSION",
            json!({ "Name": "calm", "TaskTemplate": { "ContainerSpec":
                { "Image": "busy:1", "Mounts": root } } }),
            true,
        ),
        ("POST /swarm/init", json!({ "ListenAddr": "0.0.0.0", "ForceNewCluster": true }), false),
        ("POST /swarm/join", json!({ "RemoteAddrs": ["192.0.2.1"], "JoinToken": "SWMTKN" }), false),
        ("POST /plugins/pull?remote=example.com/root", json!([]), false),
    ]
}

/// Requests without a JSON body that lead to the host.
const WITHOUT_BODY: [&str; 12] = [
    "POST /build?networkmode=host",
    "POST /build?remote=http://192.0.2.1/",
    "POST /build?cgroupparent=/system.slice",
    "POST /build?version=2",
    "POST /swarm/leave?force=1",
    "GET /swarm/unlockkey",
    "DELETE /nodes/self",
    "POST /plugins/x/enable",
    "DELETE /plugins/x",
    "POST /grpc",
    "POST /session",
    "POST /services/calm/update?version=1&rollback=previous",
];

/// A container and a service that are confined, for what needs one that is there.
fn set_up(scene: &Scene) {
    let shell = scene.engine.daemon.shell();
    shell.must_run(
        "docker inspect web >/dev/null 2>&1 || docker run --detach --name web busy:1 sleep 100000",
    );
    if scene.engine.is_swarm {
        shell.must_run(
            "docker service inspect calm >/dev/null 2>&1 ||
                docker service create --detach --name calm --replicas 0 busy:1",
        );
    }
}

#[track_caller]
fn must_be_refused(scene: &Scene, line: &str, body: &str, what: &str) {
    let answer = scene.guarded(line, body);
    let words = answer.words();
    assert!(
        matches!(answer.status, 400 | 403) && words.starts_with("dockgate: "),
        "{line} {what}: {} {words}\n{body}",
        answer.status
    );
}

/// Whether an inspected `HostConfig` has what a body asked for.
fn has(inspected: &Value, asked: &Value) -> bool {
    let fields = asked.as_object().expect("fields");
    fields.iter().all(|(name, value)| match value {
        // The daemon gives a LogConfig its options, and mounts their defaults.
        Value::Object(_) | Value::Array(_) if name == "LogConfig" || name == "Mounts" => {
            !inspected[name].is_null()
        }
        // It puts the id for the name.
        Value::String(mode) if mode.starts_with("container:") => {
            inspected[name].as_str().is_some_and(|made| made.starts_with("container:"))
        }
        value => inspected[name] == *value,
    })
}

#[test]
fn no_container_is_made_that_has_the_host() {
    let Some(scene) = Scene::new() else { return };
    set_up(&scene);
    let before = scene.state();
    for host in in_a_host_config() {
        let mut beside = host.clone();
        beside["Image"] = "busy:1".into();
        for body in [json!({ "Image": "busy:1", "HostConfig": host }), beside] {
            let lines = ["POST /containers/create", "POST /v1.41/containers/create?name=way"];
            for ((what, text), line) in spellings::of(&body).into_iter().zip(lines.iter().cycle()) {
                must_be_refused(&scene, line, &text, &what);
            }
        }
    }
    assert_eq!(scene.state(), before);
}

/// What the test above refuses is worth refusing: the daemon does it, in each spelling that it takes.
#[test]
fn the_daemon_itself_makes_such_containers() {
    let Some(scene) = Scene::new() else { return };
    set_up(&scene);
    for host in in_a_host_config() {
        let body = json!({ "Image": "busy:1", "HostConfig": host });
        let mut dangerous = Vec::new();
        for (what, text) in spellings::of(&body) {
            let answer = scene.bare("POST /containers/create", &text);
            if answer.status != 201 {
                continue;
            }
            let id = answer.json()["Id"].as_str().expect("an id").to_owned();
            let made = scene.bare(&format!("GET /containers/{id}/json"), "").json();
            if has(&made["HostConfig"], &host) {
                dangerous.push(what);
            }
            scene.bare(&format!("DELETE /containers/{id}?v=1"), "");
        }
        for what in [
            "as it is",
            "in lower case",
            "in upper case",
            "with letters that fold to ASCII",
            "with names escaped",
            "with something behind it",
            "with HostConfig after an empty one",
            "with HostConfig before an empty one of another case",
        ] {
            let done = dangerous.iter().any(|known| known == what);
            assert!(done, "{host} {what} is not what the daemon makes, but {dangerous:?}");
        }
    }
}

#[test]
fn no_other_request_leads_to_the_host() {
    let Some(scene) = Scene::new() else { return };
    set_up(&scene);
    let before = scene.state();
    for (line, body, _) in others() {
        if body.is_array() {
            must_be_refused(&scene, line, &body.to_string(), "as it is");
            continue;
        }
        let line = line.replace("VERSION", "1");
        let lines = [line.replacen(" /", " /v1.41/", 1), line];
        for ((what, text), line) in spellings::of(&body).into_iter().zip(lines.iter().cycle()) {
            must_be_refused(&scene, line, &text, &what);
        }
    }
    for line in WITHOUT_BODY {
        must_be_refused(&scene, line, "", "without a body");
    }
    // A start that replaces the HostConfig, as daemons up to 24 have it.
    let start = json!({ "Privileged": true }).to_string();
    must_be_refused(&scene, "POST /v1.23/containers/web/start", &start, "of old");
    must_be_refused(&scene, "POST /containers/web/start", &start, "with a body");
    assert_eq!(scene.state(), before);
}

#[test]
fn the_daemon_itself_does_what_they_ask() {
    let Some(scene) = Scene::new() else { return };
    set_up(&scene);
    let shell = scene.engine.daemon.shell();
    for (line, body, done) in others() {
        if !done || (line.contains("/services") && !scene.engine.is_swarm) {
            continue;
        }
        let calm = scene.bare("GET /services/calm", "").json();
        let line = line.replace("VERSION", &calm["Version"]["Index"].to_string());
        let answer = scene.bare(&line, &body.to_string());
        let words = answer.words();
        assert!(matches!(answer.status, 200 | 201), "{line} {body}: {} {words}", answer.status);
        shell.must_run(
            "docker volume ls --quiet --filter name=way | xargs -r docker volume rm
            docker network ls --quiet --filter name=way | xargs -r docker network rm",
        );
        if scene.engine.is_swarm {
            shell.must_run(
                "docker service ls --quiet --filter name=way | xargs -r docker service rm",
            );
        }
    }
    shell.must_run("docker rm --force web");
    if scene.engine.is_swarm {
        shell.must_run("docker service rm calm");
    }
}
