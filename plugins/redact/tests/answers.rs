//! What clients get of the daemon's answers and events.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use dockgate_plugin::{Json, Operation, Policy, Request, Response, Ruling, Setup, Sifted, json};
use dockgate_plugin_redact::{Redaction, Settings};
use serde_json::Value;

fn redaction(settings: Value) -> Redaction {
    let settings: Settings = serde_json::from_value(settings).unwrap();
    let mut setup = Setup::new(settings);
    let redaction = Redaction::set_up(&mut setup);
    assert_eq!(setup.problems(), []);
    redaction
}

/// A request for one thing, or for a list or what there is one of.
fn request(operation: Operation) -> Request {
    let name = operation.name();
    let has_no_target =
        name.ends_with("-list") || name.starts_with("system-") || name.starts_with("swarm-");
    if has_no_target { Request::of(operation) } else { Request::to(operation, "web") }
}

/// What the client gets of a body.
fn passed(settings: Value, operation: Operation, body: &Value) -> Value {
    let response = Response::new(200).with_body(body);
    let ruling = redaction(settings).review(&request(operation), &response);
    assert_eq!(ruling, Ruling::Pass, "{body}");
    response.edited_body().map(Value::from).unwrap()
}

fn sifted(settings: Value, event: &Value) -> Value {
    let sifted = redaction(settings).sift(&request(Operation::SystemEvents), &event.to_string());
    let Sifted::Replace(text) = sifted else { panic!("{sifted:?}") };
    serde_json::from_str(&text).unwrap()
}

#[test]
fn without_settings_values_go_and_names_stay() {
    let body = json!({
        "Id": "4f66", "Created": "2026-01-01T00:00:00Z", "Path": "sh", "Args": ["-c", "true"],
        "HostConfig": {
            "Binds": ["/srv/db:/data:ro", "named:/more", "C:\\db:D:"],
            "LogConfig": { "Type": "splunk", "Config": { "splunk-token": "s", "max-size": "1m" } },
            "Devices": [{ "PathOnHost": "/dev/sda", "PathInContainer": "/dev/x" }],
            "BlkioDeviceReadBps": [{ "Path": "/dev/sda", "Rate": 1 }],
            "Memory": 4_194_304, "Annotations": { "a.token": "s", "b": "c" },
        },
        "GraphDriver": { "Name": "overlay2", "Data": { "UpperDir": "/var/lib/docker/x" } },
        "Mounts": [
            { "Type": "bind", "Source": "/srv/db", "Destination": "/data", "RW": false },
            { "Type": "volume", "Name": "named", "Source": "/var/lib/docker/volumes/named/_data" },
            { "Type": "volume", "Source": "named", "VolumeOptions": {
                "Labels": { "token": "s" }, "DriverConfig": { "Options": { "o": "password=s" } } } },
        ],
        "Config": {
            "Env": ["PATH=/bin", "TOKEN=s=t", "EMPTY=", "BARE", "=x"],
            "Labels": { "api-token": "s", "note": "it is a secret" },
            "Hostname": "4f66", "Image": "registry.example.com/a",
        },
        "LogPath": "/var/lib/docker/x.log", "HostsPath": "", "State": { "Error": "no such /srv/db" },
    });
    let expected = json!({
        "Id": "4f66", "Created": "2026-01-01T00:00:00Z", "Path": "sh", "Args": ["-c", "true"],
        "HostConfig": {
            "Binds": ["redacted:/data:ro", "named:/more", "redacted:D:"],
            "LogConfig": {
                "Type": "splunk", "Config": { "splunk-token": "redacted", "max-size": "1m" } },
            "Devices": [{ "PathOnHost": "redacted", "PathInContainer": "/dev/x" }],
            "BlkioDeviceReadBps": [{ "Path": "redacted", "Rate": 1 }],
            "Memory": 4_194_304, "Annotations": { "a.token": "redacted", "b": "c" },
        },
        "GraphDriver": { "Name": "overlay2", "Data": { "UpperDir": "redacted" } },
        "Mounts": [
            { "Type": "bind", "Source": "redacted", "Destination": "/data", "RW": false },
            { "Type": "volume", "Name": "named", "Source": "redacted" },
            { "Type": "volume", "Source": "named", "VolumeOptions": {
                "Labels": { "token": "redacted" },
                "DriverConfig": { "Options": { "o": "redacted" } } } },
        ],
        "Config": {
            "Env": ["PATH=/bin", "TOKEN=redacted", "EMPTY=redacted", "BARE", "=redacted"],
            "Labels": { "api-token": "redacted", "note": "it is a secret" },
            "Hostname": "4f66", "Image": "registry.example.com/a",
        },
        "LogPath": "redacted", "HostsPath": "", "State": { "Error": "redacted" },
    });
    assert_eq!(passed(json!({}), Operation::ContainerInspect, &body), expected);
}

#[test]
fn what_is_removed_is_gone_with_its_name() {
    let settings = json!({
        "environment": { "hide": ["*secret*"], "how": "remove" },
        "labels": { "hide": ["internal.*"], "show": ["internal.team"], "how": "remove" },
        "options": { "how": "remove" }, "mounts": "remove",
    });
    let body = json!([{
        "Env": ["A=b", "MY_SECRET=c"],
        "Labels": { "internal.cost/center": "4", "internal.team": "web" },
        "Options": { "o": "password=s", "type": "nfs" },
        "Binds": ["/a:/b", "v:/c"], "Mountpoint": "/m",
        "Mounts": [{ "Type": "bind", "Source": "/a" }, { "Type": "tmpfs", "Source": "" }],
    }]);
    let expected = json!([{
        "Env": ["A=b"], "Labels": { "internal.team": "web" }, "Options": { "type": "nfs" },
        "Binds": ["v:/c"], "Mounts": [{ "Type": "tmpfs", "Source": "" }],
    }]);
    assert_eq!(passed(settings, Operation::ServiceList, &body), expected);
}

#[test]
fn with_everything_shown_nothing_changes() {
    let settings = json!({
        "environment": { "hide": [] }, "labels": { "hide": [] }, "options": { "hide": [] },
        "mounts": "show", "host": "show", "swarm": "show",
    });
    let body = json!({
        "Env": ["A=b"], "Labels": { "token": "s" }, "Options": { "o": "s" }, "Mountpoint": "/m",
        "CreatedBy": "ENV A=b", "Binds": ["/a:/b"], "Mounts": [{ "Type": "bind", "Source": "/a" }],
        "Devices": [{ "Path": "/dev/sda" }], "GraphDriver": { "Data": { "a": "b" } },
        "Cmd": ["a"], "JoinTokens": { "Worker": "w" }, "Spec": { "Data": "YQ==" }, "TLSInfo": {},
        "Addr": "192.0.2.1", "Error": "/a", "Name": "host", "RegistryConfig": { "Mirrors": ["m"] },
    });
    assert_eq!(passed(settings, Operation::SystemInfo, &body), body);
}

#[test]
fn of_the_daemon_what_clients_need_stays() {
    let body = json!({
        "ID": "7TRN", "Name": "host-7", "NCPU": 4, "ServerVersion": "28.0.0", "HttpProxy": "http://u:p@proxy",
        "OSType": "linux", "Plugins": { "Volume": ["local"] }, "Labels": ["token=s", "zone=a"],
        "RegistryConfig": { "Mirrors": ["https://mirror"] }, "Runtimes": { "runc": { "path": "r" } },
        "DriverStatus": [["Backing Filesystem", "extfs"]], "SecurityOptions": ["name=seccomp"],
        "SomethingNew": "host-7", "SomethingElse": ["host-7"],
        "Swarm": { "NodeID": "n", "LocalNodeState": "active", "NodeAddr": "192.0.2.1", "Managers": 1,
            "ControlAvailable": true, "RemoteManagers": [{ "Addr": "192.0.2.1:2377" }],
            "Cluster": { "ID": "cluster", "TLSInfo": {}, "Spec": { "Name": "default" } } },
    });
    let expected = json!({
        "ID": "redacted-8ef45e177319e5a4", "Name": "redacted", "NCPU": 4, "ServerVersion": "28.0.0", "HttpProxy": "redacted",
        "OSType": "linux", "Plugins": { "Volume": ["local"] },
        "Labels": ["token=redacted", "zone=a"], "SecurityOptions": ["name=seccomp"],
        "SomethingNew": "redacted",
        "Swarm": { "NodeID": "n", "LocalNodeState": "active", "Managers": 1,
            "ControlAvailable": true, "Cluster": { "ID": "redacted-164cf1ca8391532e" } },
    });
    let answer = passed(json!({}), Operation::SystemInfo, &body);
    assert_eq!(answer, expected);
    // Who looks at several daemons knows by the ids which is which.
    let id =
        |id: &str| passed(json!({}), Operation::SystemInfo, &json!({ "ID": id }))["ID"].clone();
    assert_eq!(id("7TRN"), answer["ID"]);
    assert_ne!(id("7TRO"), answer["ID"]);
}

#[test]
fn a_swarm_gives_no_tokens_and_its_nodes_no_names() {
    for (operation, body, expected) in [
        (
            Operation::SwarmInspect,
            json!({
                "JoinTokens": { "Worker": "SWMTKN-1-a", "Manager": "SWMTKN-1-b" },
                "TLSInfo": { "TrustRoot": "…" }, "DefaultAddrPool": ["10.0.0.0/8"],
                "Spec": { "CAConfig": { "NodeCertExpiry": 1,
                    "ExternalCAs": [{ "URL": "https://ca", "Options": { "a": "b" } }] } },
            }),
            json!({
                "JoinTokens": { "Worker": "redacted", "Manager": "redacted" },
                "DefaultAddrPool": ["10.0.0.0/8"],
                "Spec": { "CAConfig": { "NodeCertExpiry": 1,
                    "ExternalCAs": [{ "URL": "redacted", "Options": { "a": "redacted" } }] } },
            }),
        ),
        (
            Operation::SwarmUnlockkey,
            json!({ "UnlockKey": "SWMKEY-1-a" }),
            json!({ "UnlockKey": "redacted" }),
        ),
        (
            Operation::NodeInspect,
            json!({ "Description": { "Hostname": "host-7", "TLSInfo": {}, "Platform": {} },
                "Status": { "State": "ready", "Addr": "192.0.2.1" },
                "ManagerStatus": { "Leader": true, "Addr": "192.0.2.1:2377" } }),
            json!({ "Description": { "Hostname": "redacted", "Platform": {} },
                "Status": { "State": "ready", "Addr": "redacted" },
                "ManagerStatus": { "Leader": true, "Addr": "redacted" } }),
        ),
        (
            Operation::ConfigInspect,
            json!({ "Spec": { "Name": "c", "Data": "czNjcmV0", "Labels": { "a": "b" } } }),
            json!({ "Spec": { "Name": "c", "Labels": { "a": "b" } } }),
        ),
        (
            Operation::PluginInspect,
            json!({ "Settings": { "Env": ["A=s"], "Devices": [{ "Name": "d", "Path": "/dev/d" }],
                    "Mounts": [{ "Name": "m", "Source": "/srv", "Type": "bind" }] },
                "Config": { "Env": [{ "Name": "A", "Value": "s", "Settable": ["value"] }] } }),
            json!({ "Settings": { "Env": ["A=redacted"],
                    "Devices": [{ "Name": "d", "Path": "redacted" }],
                    "Mounts": [{ "Name": "m", "Source": "redacted", "Type": "bind" }] },
                "Config": { "Env": [{ "Name": "A", "Value": "redacted", "Settable": ["value"] }] } }),
        ),
    ] {
        assert_eq!(passed(json!({}), operation, &body), expected, "{operation}");
    }
}

#[test]
fn steps_of_builds_show_no_variables() {
    let steps = |created: &[&str]| -> Value {
        created.iter().map(|step| json!({ "CreatedBy": step })).collect()
    };
    let body = steps(&["ENV A=b", "RUN |1 A=b /bin/sh -c make", "RUN make", "label a b"]);
    let expected = steps(&["redacted", "redacted", "RUN make", "redacted"]);
    assert_eq!(passed(json!({}), Operation::ImageHistory, &body), expected);
    let commands = json!({ "commands": "hide" });
    let expected = steps(&["redacted"; 4]);
    assert_eq!(passed(commands, Operation::ImageHistory, &body), expected);

    let image = json!({ "ContainerConfig": { "Cmd": ["/bin/sh", "-c", "#(nop) ENV A=b"] },
        "Config": { "OnBuild": ["ENV A b", "RUN make"] } });
    let expected = json!({ "ContainerConfig": { "Cmd": ["/bin/sh", "-c", "redacted-in-image"] },
        "Config": { "OnBuild": ["redacted-in-image", "RUN make"] } });
    assert_eq!(passed(json!({}), Operation::ImageInspect, &image), expected);

    let usage = |step: &str| {
        json!({ "BuildCache": [{ "ID": "a", "Description": step, "Size": 1 }],
            "BuildCacheUsage": { "Items": [{ "Description": step }, { "Description": "RUN make" }] } })
    };
    let (plain, expected) = (usage("mount / from exec /bin/sh -c A=b make"), usage("redacted"));
    assert_eq!(passed(json!({}), Operation::SystemDataUsage, &plain), expected);
    let plugin = json!({ "Config": { "Description": "it has a label, and a=b" } });
    assert_eq!(passed(json!({}), Operation::PluginInspect, &plugin), plugin);
}

/// Who makes a container again from what it was shown leaves out what the image has too.
#[test]
fn what_is_hidden_in_an_image_does_not_look_like_what_is_in_a_container() {
    let body = json!({ "Config": { "Env": ["A=1"], "Labels": { "token": "s" } } });
    let shown = |operation| passed(json!({}), operation, &body)["Config"].clone();
    let expected = json!({ "Env": ["A=redacted"], "Labels": { "token": "redacted" } });
    assert_eq!(shown(Operation::ContainerInspect), expected);
    let expected =
        json!({ "Env": ["A=redacted-in-image"], "Labels": { "token": "redacted-in-image" } });
    assert_eq!(shown(Operation::ImageInspect), expected);
    assert_eq!(shown(Operation::ImageList), expected);
}

#[test]
fn commands_are_hidden_if_that_is_wanted() {
    let hide = || json!({ "commands": "hide", "environment": { "hide": [] } });
    let body = json!({
        "Path": "sh", "Args": ["-c", "a"], "Command": "sh -c a", "OnBuild": null,
        "Config": { "Cmd": ["a"], "Entrypoint": "a", "Healthcheck": { "Test": ["CMD", "a", "b"] } },
        "ProcessConfig": { "entrypoint": "sh", "arguments": ["a"], "tty": false },
        "State": { "Health": { "Log": [{ "ExitCode": 0, "Output": "a" }] }, "Error": "a" },
    });
    let expected = json!({
        "Path": "redacted", "Args": ["redacted", "redacted"], "Command": "redacted", "OnBuild": null,
        "Config": { "Cmd": ["redacted"], "Entrypoint": "redacted",
            "Healthcheck": { "Test": ["CMD", "redacted", "redacted"] } },
        "ProcessConfig": { "entrypoint": "redacted", "arguments": ["redacted"], "tty": false },
        "State": { "Health": { "Log": [{ "ExitCode": 0, "Output": "redacted" }] },
            "Error": "redacted" },
    });
    assert_eq!(passed(hide(), Operation::ContainerInspect, &body), expected);

    let top = json!({ "Titles": ["PID", "CMD"], "Processes": [["7", "sh -c a", "more"]] });
    let expected =
        json!({ "Titles": ["PID", "CMD"], "Processes": [["7", "redacted", "redacted"]] });
    assert_eq!(passed(hide(), Operation::ContainerTop, &top), expected);
    assert_eq!(passed(json!({}), Operation::ContainerTop, &top), top);
}

#[test]
fn events_are_without_what_labels_say() {
    let event = json!({
        "Type": "container", "Action": "exec_create: sh -c a", "status": "exec_create: sh -c a",
        "Actor": { "ID": "4f66", "Attributes": { "image": "a", "name": "web", "note": "s" } },
    });
    let all = json!({ "labels": { "hide": ["*"] }, "commands": "hide" });
    let expected = json!({
        "Type": "container", "Action": "exec_create: redacted", "status": "exec_create: redacted",
        "Actor": { "ID": "4f66", "Attributes": { "image": "a", "name": "web", "note": "redacted" } },
    });
    assert_eq!(sifted(all, &event), expected);
    assert_eq!(sifted(json!({}), &event), event);
    let node = json!({ "Type": "node", "Actor": { "Attributes": { "name": "host-7" } } });
    assert_eq!(sifted(json!({}), &node)["Actor"]["Attributes"]["name"], "redacted");
    assert_eq!(sifted(json!({ "host": "show" }), &node), node);
    let daemon =
        json!({ "Type": "daemon", "Actor": { "ID": "i", "Attributes": { "labels": "l" } } });
    let id = passed(json!({}), Operation::SystemInfo, &json!({ "ID": "i" }))["ID"].clone();
    let expected = json!({ "Type": "daemon",
        "Actor": { "ID": id, "Attributes": { "labels": "redacted" } } });
    assert_eq!(sifted(json!({}), &daemon), expected);
    let daemon = json!({ "Type": "daemon", "Actor": { "ID": "i", "Attributes": {
        "labels": "[\"token=s\"]", "runtimes": "{\"runc\":{\"path\":\"/opt/r\"}}", "debug": "1" } } });
    let expected = json!({ "Type": "daemon", "Actor": { "ID": "i", "Attributes": {
        "labels": "redacted", "runtimes": "redacted", "debug": "1" } } });
    assert_eq!(sifted(json!({ "host": "show" }), &daemon), expected);
    let label = "com.docker.compose.project.working_dir";
    let event = json!({ "Type": "container", "Actor": { "Attributes": { label: "/srv" } } });
    assert_eq!(sifted(json!({}), &event)["Actor"]["Attributes"][label], "redacted");
    let sift = |item| redaction(json!({})).sift(&request(Operation::SystemEvents), item);
    assert_eq!(sift("{"), Sifted::Drop);
}

/// `container=host` lets through what the daemon itself and nodes tell, where their names begin so.
#[test]
fn which_events_come_back_does_not_tell_the_name_of_the_host() {
    let sift = |filters: &str, kind: &str| {
        let request = request(Operation::SystemEvents).with_query("filters", filters);
        let event = json!({ "Type": kind, "Actor": { "Attributes": { "name": "host-7" } } });
        redaction(json!({})).sift(&request, &event.to_string())
    };
    for filter in ["container", "service", "volume", "network", "plugin", "label", "image", "new"] {
        let filters = json!({ filter: ["host"], "type": ["node"] }).to_string();
        for kind in ["daemon", "node"] {
            assert_eq!(sift(&filters, kind), Sifted::Drop, "{filters} {kind}");
        }
        assert!(matches!(sift(&filters, "container"), Sifted::Replace(_)), "{filters}");
    }
    for filters in [r#"{"type":["node"],"event":["reload"]}"#, r#"{"scope":{"swarm":true}}"#, "{}"]
    {
        for kind in ["daemon", "node"] {
            assert!(matches!(sift(filters, kind), Sifted::Replace(_)), "{filters}");
        }
    }
    let request = request(Operation::SystemEvents).with_query("filters", r#"{"label":["a=b"]}"#);
    let shown = redaction(json!({ "host": "show" })).sift(&request, r#"{"Type":"node"}"#);
    assert!(matches!(shown, Sifted::Replace(_)));
}

/// A label may be called like what the daemon tells with other events.
#[test]
fn what_the_daemon_tells_of_an_event_stays_and_labels_do_not() {
    let all = || json!({ "labels": { "hide": ["*"], "how": "remove" } });
    let event = |kind: &str, action: &str, names: &[&str]| {
        let attributes: Value = names.iter().map(|name| ((*name).to_owned(), json!("s"))).collect();
        json!({ "Type": kind, "Action": action, "Actor": { "Attributes": attributes } })
    };
    for (kind, action, stay, go) in [
        (
            "container",
            "kill",
            &["image", "name", "signal"][..],
            &["exitCode", "driver", "type"][..],
        ),
        ("container", "die", &["execDuration", "exitCode"], &["signal", "node.id"]),
        ("container", "exec_die: sh", &["execID", "exitCode"], &["execDuration"]),
        ("container", "resize", &["height", "width"], &["oldName"]),
        ("container", "start", &["name"], &["signal", "comment", "image.new"]),
        ("image", "tag", &["name"], &["image"]),
        ("volume", "mount", &["driver", "destination", "read/write"], &[]),
        ("network", "connect", &["name", "type", "container"], &[]),
        ("service", "update", &["image.new", "replicas.old", "updatestate.new"], &[]),
        ("something-new", "a", &["name"], &["image", "type"]),
    ] {
        let names = [stay, go].concat();
        assert_eq!(sifted(all(), &event(kind, action, &names)), event(kind, action, stay));
    }
}

#[test]
fn how_a_container_ended_tells_no_path_and_no_command() {
    let sift = |settings, item: &str| {
        redaction(settings).sift(&Request::to(Operation::ContainerWait, "web"), item)
    };
    let failed = r#"{"StatusCode":127,"Error":{"Message":"exec: \"/srv/a\": not found"}}"#;
    let hidden = r#"{"StatusCode":127,"Error":{"Message":"redacted"}}"#;
    assert_eq!(sift(json!({}), failed), Sifted::Replace(hidden.to_owned()));
    for item in [r#"{"StatusCode":0}"#, r#"{"StatusCode":0,"Error":null}"#] {
        assert_eq!(sift(json!({}), item), Sifted::Keep);
    }
    assert_eq!(sift(json!({}), "{"), Sifted::Drop);
}

#[test]
fn an_error_tells_no_address_of_the_host() {
    let error = |settings: Value, words: &str| {
        let body = json!({ "State": { "Error": words } });
        passed(settings, Operation::ContainerInspect, &body)["State"]["Error"] == "redacted"
    };
    let paths_shown = || json!({ "mounts": "show" });
    for words in [
        "Bind for 198.51.100.7:8080 failed: port is already allocated",
        "failed to bind host port for 198.51.100.7:8080:172.18.0.2:80: address in use",
        "listen tcp4 198.51.100.7: bind: cannot assign requested address.",
        "no route to 198.51.100.7.",
        "listen tcp6 [2001:db8::7]:8080: bind",
        "address fe80::1%eth0 is in use",
    ] {
        assert!(error(paths_shown(), words), "{words}");
        assert!(!error(json!({ "mounts": "show", "host": "show" }), words), "{words}");
    }
    for words in [
        "Bind for 0.0.0.0:8080 failed: port is already allocated",
        "listen [::]:80, 127.0.0.1:80, ::ffff:127.0.0.1",
        "OCI runtime create failed: at 12:30:45, code 1.2.3: bad: deadbeef::ok",
    ] {
        assert!(!error(paths_shown(), words), "{words}");
    }
}

#[test]
fn what_can_not_be_read_is_not_passed_on() {
    for response in [Response::new(200), Response::new(200).with_unread_body()] {
        let ruling = redaction(json!({})).review(&request(Operation::ContainerList), &response);
        assert!(matches!(ruling, Ruling::Refuse(denial) if denial.status == 502), "{response:?}");
    }
    let refused = Response::new(404).with_body(json!({ "message": "No such container: web" }));
    let ruling = redaction(json!({})).review(&request(Operation::ContainerInspect), &refused);
    assert_eq!(ruling, Ruling::Pass);
}

/// A network may be called like a field, and so may a label.
#[test]
fn names_of_the_users_own_are_no_fields() {
    for name in [
        "Labels",
        "Options",
        "Env",
        "Mounts",
        "Binds",
        "Data",
        "LogConfig",
        "Error",
        "Cmd",
        "IP",
        "Mountpoint",
        "Addr",
        "TLSInfo",
        "Peers",
        "JoinTokens",
        "HostIp",
        "Networks",
        "OnBuild",
    ] {
        let networks = |option: &str| {
            json!({ "NetworkSettings": { "Networks": {
                name: { "DriverOpts": { "a": option }, "IPPrefixLen": 8 }
            } } })
        };
        let shown = passed(json!({}), Operation::ContainerInspect, &networks("s"));
        assert_eq!(shown, networks("redacted"), "{name}");
    }
    let body = json!({ "Labels": { "Env": "A=b", "Mounts": "x" } });
    assert_eq!(passed(json!({}), Operation::ContainerInspect, &body), body);
}

#[test]
fn a_mask_is_told_apart_from_what_stands_around_it() {
    for mask in ["", "a b", "a=b", "a:b", "a\"b", "ä", &"x".repeat(65)] {
        let settings: Settings = serde_json::from_value(json!({ "mask": mask })).unwrap();
        let mut setup = Setup::new(settings);
        Redaction::set_up(&mut setup);
        assert!(setup.problems().iter().any(|problem| problem.fatal), "{mask:?}");
    }
    let settings = json!({ "mask": "<***>" });
    let body = json!({ "Env": ["A=b"] });
    assert_eq!(passed(settings, Operation::ContainerInspect, &body), json!({ "Env": ["A=<***>"] }));
}

/// Else a slip would show what was to be hidden.
#[test]
fn a_pattern_that_is_none_is_refused() {
    let settings = json!({
        "environment": { "hide": ["SECRET[", "*"], "show": ["{A,B"] },
        "labels": { "hide": ["", "a?"], "show": ["!a"] },
        "options": { "hide": ["a\\*"] },
    });
    let mut setup = Setup::new(serde_json::from_value::<Settings>(settings).unwrap());
    Redaction::set_up(&mut setup);
    let places: Vec<_> = setup.problems().iter().map(|problem| problem.subject.as_str()).collect();
    assert_eq!(
        places,
        [
            "/environment/hide/0",
            "/environment/show/0",
            "/labels/hide/0",
            "/labels/hide/1",
            "/labels/show/0",
            "/options/hide/0",
        ]
    );
}

#[test]
fn the_name_of_the_host_is_hidden_where_a_container_has_it() {
    let container = |mode: &str, uts: &str, name: &str| {
        json!({
            "HostConfig": { "NetworkMode": mode, "UTSMode": uts },
            "Config": { "Hostname": name, "Domainname": "" },
        })
    };
    for (mode, uts, is_shown) in [
        ("host", "", false),
        ("default", "host", false),
        ("container:4f66", "", false),
        ("default", "", true),
    ] {
        let body = container(mode, uts, "host-7");
        let expected = container(mode, uts, if is_shown { "host-7" } else { "redacted" });
        assert_eq!(passed(json!({}), Operation::ContainerInspect, &body), expected);
        assert_eq!(passed(json!({ "host": "show" }), Operation::ContainerInspect, &body), body);
    }
    // Of the container that it was made of.
    let image = json!({ "Config": { "Hostname": "host-7" } });
    let expected = json!({ "Config": { "Hostname": "redacted-in-image" } });
    assert_eq!(passed(json!({}), Operation::ImageInspect, &image), expected);

    // Of a service that gives its containers the name of their node.
    let container = |hostname: &str, label: &str, shown: &str| {
        json!({ "Id": "4f66aa",
            "Config": { "Hostname": hostname, "Domainname": "", "Labels": { label: "t" } },
            "NetworkSettings": { "Networks": {
                "over": { "Aliases": null, "DNSNames": ["svc.1", shown] } } } })
    };
    let (task, all) = ("com.docker.swarm.task.id", json!({ "labels": { "hide": ["*"] } }));
    let mut expected = container("redacted", task, "redacted");
    expected["Config"]["Labels"][task] = json!("redacted");
    let body = container("host-7", task, "host-7");
    assert_eq!(passed(all, Operation::ContainerInspect, &body), expected);
    for body in [container("4f66", task, "4f66"), container("web", "a", "web")] {
        assert_eq!(passed(json!({}), Operation::ContainerInspect, &body), body);
    }

    let node = json!({ "Description": { "CSIInfo": [{ "NodeID": "host-7" }] } });
    assert_eq!(passed(json!({}), Operation::NodeInspect, &node), json!({ "Description": {} }));
}

#[test]
fn paths_of_the_host_are_hidden_wherever_they_stand() {
    let body = json!({
        "Labels": {
            "com.docker.compose.project": "shop",
            "com.docker.compose.project.working_dir": "/srv/shop",
            "devcontainer.metadata": "[{\"mounts\":[\"source=/srv\"]}]",
            "vsch.local.folder": "/srv/shop",
            "desktop.docker.io/binds/0/Source": "/srv",
        },
        "Binds": [r"\\?\C:\db:D:\db:ro", "/srv/c:/d"],
        "Mounts": [
            { "Type": "image", "Source": "registry.example.com/a/b:1" },
            { "Type": "image", "Source": "/var/lib/docker/x" },
            { "Type": "cluster", "Source": "group:fast" },
        ],
    });
    let expected = json!({
        "Labels": {
            "com.docker.compose.project": "shop",
            "com.docker.compose.project.working_dir": "redacted",
            "devcontainer.metadata": "redacted",
            "vsch.local.folder": "redacted",
            "desktop.docker.io/binds/0/Source": "redacted",
        },
        "Binds": [r"redacted:D:\db:ro", "redacted:/d"],
        "Mounts": [
            { "Type": "image", "Source": "registry.example.com/a/b:1" },
            { "Type": "image", "Source": "redacted" },
            { "Type": "cluster", "Source": "group:fast" },
        ],
    });
    assert_eq!(passed(json!({}), Operation::ContainerInspect, &body), expected);
    let shown = json!({ "mounts": "show", "environment": { "hide": [] } });
    assert_eq!(passed(shown, Operation::ContainerInspect, &body), body);
    // It has variables as well.
    let body = json!({ "Labels": { "devcontainer.metadata": "[{\"remoteEnv\":{\"A\":\"s\"}}]" } });
    let shown = passed(json!({ "mounts": "show" }), Operation::ContainerInspect, &body);
    assert_eq!(shown["Labels"]["devcontainer.metadata"], "redacted");

    let info = json!({ "DockerRootDir": "/srv/docker", "CDISpecDirs": ["/etc/cdi"],
        "SecurityOptions": ["name=apparmor", "name=seccomp,profile=/etc/docker/s.json"],
        "Runtimes": { "a": { "path": "/opt/a" }, "runc": { "path": "runc" } },
        "Containerd": { "Address": "/run/c.sock" }, "DriverStatus": [["Root Dir", "/srv"], ["Dirs", "9"]],
        "HttpProxy": "http://proxy" });
    let shown = json!({ "host": "show" });
    let expected = json!({ "DockerRootDir": "redacted", "CDISpecDirs": ["redacted"],
        "SecurityOptions": ["name=apparmor", "name=seccomp,profile=redacted"],
        "Runtimes": { "a": { "path": "redacted" }, "runc": { "path": "runc" } },
        "Containerd": { "Address": "redacted" }, "DriverStatus": [["Root Dir", "redacted"], ["Dirs", "9"]],
        "HttpProxy": "http://proxy" });
    assert_eq!(passed(shown, Operation::SystemInfo, &info), expected);
    let info = json!({ "SecurityOptions": ["name=seccomp,profile=builtin"] });
    assert_eq!(passed(json!({}), Operation::SystemInfo, &info), info);
    let info = json!({ "DockerRootDir": "/srv/docker", "CDISpecDirs": ["/etc/cdi"] });
    assert_eq!(passed(json!({ "mounts": "show" }), Operation::SystemInfo, &info), info);
    let version =
        json!({ "Components": [{ "Details": { "StateDir": "/run/user/1000/dockerd" } }] });
    let answer = passed(json!({}), Operation::SystemVersion, &version);
    assert_eq!(answer["Components"][0]["Details"]["StateDir"], "redacted");
}

/// Docker's client reads them as addresses, so that no mask may stand there.
#[test]
fn addresses_of_the_host_are_hidden() {
    let ports = |ip: &str| json!({ "NetworkSettings": { "Ports": { "80/tcp": [{ "HostIp": ip, "HostPort": "80" }] } } });
    for (ip, hidden) in [
        ("198.51.100.7", "192.0.2.1"),
        ("2001:db8::7", "2001:db8::1"),
        ("fe80::1%eth0", "2001:db8::1"),
    ] {
        let expected = ports(hidden);
        assert_eq!(passed(json!({}), Operation::ContainerInspect, &ports(ip)), expected, "{ip}");
    }
    for ip in ["", "0.0.0.0", "::", "127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(passed(json!({}), Operation::ContainerInspect, &ports(ip)), ports(ip), "{ip}");
    }
    let list = json!([{ "Ports": [
        { "IP": "198.51.100.7", "PrivatePort": 80 }, { "IP": "0.0.0.0", "PrivatePort": 81 } ] }]);
    let expected = json!([{ "Ports": [
        { "IP": "192.0.2.1", "PrivatePort": 80 }, { "IP": "0.0.0.0", "PrivatePort": 81 } ] }]);
    assert_eq!(passed(json!({}), Operation::ContainerList, &list), expected);

    // A service's and a container's own, which Docker's client reads as addresses.
    let body = json!([{ "Endpoint": { "VirtualIPs": [{ "NetworkID": "n", "Addr": "10.0.1.2/24" }] },
        "SecondaryIPAddresses": [{ "Addr": "10.0.1.3", "PrefixLen": 24 }] }]);
    assert_eq!(passed(json!({}), Operation::ServiceList, &body), body);

    let network = json!({ "Options": { "com.docker.network.bridge.name": "br",
        "com.docker.network.host_ipv4": "192.0.2.1",
        "com.docker.network.bridge.host_binding_ipv4": "192.0.2.1" } });
    let expected = json!({ "Options": { "com.docker.network.bridge.name": "br",
        "com.docker.network.host_ipv4": "redacted",
        "com.docker.network.bridge.host_binding_ipv4": "redacted" } });
    assert_eq!(passed(json!({}), Operation::NetworkInspect, &network), expected);
    assert_eq!(passed(json!({ "host": "show" }), Operation::NetworkInspect, &network), network);
}

#[test]
fn what_a_driver_says_of_a_volume_is_treated_like_its_options() {
    let volume = json!({ "Name": "v", "Mountpoint": "", "Status": { "key": { "a": "s" }, "n": 1 },
        "ClusterVolume": { "Info": { "VolumeContext": { "key": "s" } },
            "PublishStatus": [{ "PublishContext": { "key": "s" } }] } });
    let expected = json!({ "Name": "v", "Mountpoint": "",
        "Status": { "key": { "a": "redacted" }, "n": 1 },
        "ClusterVolume": { "Info": { "VolumeContext": { "key": "redacted" } },
            "PublishStatus": [{ "PublishContext": { "key": "redacted" } }] } });
    assert_eq!(passed(json!({}), Operation::VolumeInspect, &volume), expected);
    let all = |volume| json!({ "Volumes": [volume] });
    assert_eq!(passed(json!({}), Operation::VolumeList, &all(volume)), all(expected));
    let image = json!({ "Manifests": [{ "Descriptor": { "annotations": { "a.token": "s" } } }] });
    let expected = json!({ "Manifests": [{ "Descriptor": { "annotations": { "a.token": "redacted-in-image" } } }] });
    assert_eq!(passed(json!({}), Operation::ImageInspect, &image), expected);
}

/// `ndots:2` is no name with a value.
#[test]
fn options_without_names_stay() {
    let body = json!({ "DNSConfig": { "Options": ["ndots:2", "a=b"] } });
    let settings = json!({ "options": { "how": "remove" } });
    let expected = json!({ "DNSConfig": { "Options": ["ndots:2"] } });
    assert_eq!(passed(settings, Operation::ServiceInspect, &body), expected);
}

#[test]
fn a_start_that_fails_tells_no_path() {
    let review = |status, words: &str| {
        let response = Response::new(status).with_body(json!({ "message": words }));
        let ruling = redaction(json!({})).review(&request(Operation::ContainerStart), &response);
        assert_eq!(ruling, Ruling::Pass);
        response.edited_body().map(Value::from)
    };
    let expected = json!({ "message": "redacted" });
    assert_eq!(review(400, "bind source path does not exist: /srv/db"), Some(expected));
    let expected = json!({ "message": "No such container: web" });
    assert_eq!(review(404, "No such container: web"), Some(expected));
    for status in [204, 304] {
        let response = Response::new(status);
        let ruling = redaction(json!({})).review(&request(Operation::ContainerStart), &response);
        assert_eq!(ruling, Ruling::Pass);
    }
}

/// Numbers and what is not known come out as they went in.
#[test]
fn all_else_is_as_it_was() {
    let text = r#"{"A":18446744073709551615,"B":1.5,"C":"\u0000é","D":[null,{}]}"#;
    let body: Value = serde_json::from_str(text).unwrap();
    let answer = passed(json!({}), Operation::ContainerInspect, &body);
    assert_eq!(Json::from(answer).to_string(), Json::parse(text).unwrap().to_string());
}
