//! Properties: no spelling of what is dangerous gets through, and what is forced comes to rest.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

use dockgate_plugin::{Json, Operation as Op, Policy, Request, Setup, Verdict, json};
use dockgate_plugin_container_guard::{ContainerGuard, Settings};
use proptest::prelude::*;
use serde_json::Value;

fn guard(settings: Value) -> ContainerGuard {
    let settings: Settings = Json::from(settings).read().expect("settings");
    ContainerGuard::set_up(&mut Setup::new(settings))
}

fn create(host: &Value) -> Request {
    Request::of(Op::ContainerCreate).with_body(json!({ "Image": "e", "HostConfig": host }))
}

fn is_refused(policy: &ContainerGuard, request: &Request) -> bool {
    matches!(policy.decide(request), Verdict::Deny(_))
}

/// The same letters in other cases.
fn in_any_case(text: &'static str) -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<bool>(), text.len()).prop_map(move |upper| {
        let letters = text.chars().zip(upper);
        letters
            .map(|(c, up)| if up { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect()
    })
}

/// The same path with slashes, dots and detours in it.
fn spelt(path: &'static str) -> impl Strategy<Value = String> {
    let steps = path.split('/').skip(1).count();
    let first = prop_oneof![Just("/"), Just("//"), Just("/./"), Just("/x/../"), Just("/../../")];
    let inner =
        prop_oneof![Just("/"), Just("//"), Just("/./"), Just("/x/../"), Just("/a/b/../../")];
    let end = prop_oneof![Just(""), Just("/"), Just("/."), Just("//"), Just("/x/..")];
    (first, proptest::collection::vec(inner, steps), end).prop_map(move |(first, inner, end)| {
        let mut text = String::new();
        for (at, step) in path.split('/').skip(1).enumerate() {
            text += if at == 0 { first } else { inner[at] };
            text += step;
        }
        text + end
    })
}

/// Values of HostConfig that are dangerous, in any spelling.
fn dangerous() -> impl Strategy<Value = Value> {
    let bind = |source: String| json!({ "Binds": [format!("{source}:/h")] });
    let mount = |source: String| json!({ "Mounts": [{ "Type": "bind", "Source": source, "Target": "/h" }] });
    prop_oneof![
        in_any_case("host").prop_map(|host| json!({ "NetworkMode": host })),
        in_any_case("host").prop_map(|host| json!({ "PidMode": host })),
        in_any_case("container:web").prop_map(|mode| json!({ "IpcMode": mode })),
        in_any_case("cap_sys_admin").prop_map(|cap| json!({ "CapAdd": [cap] })),
        in_any_case("sys_module").prop_map(|cap| json!({ "CapAdd": cap })),
        in_any_case("all").prop_map(|cap| json!({ "CapAdd": ["chown", cap] })),
        in_any_case("seccomp=unconfined").prop_map(|option| json!({ "SecurityOpt": [option] })),
        in_any_case("label:disable").prop_map(|option| json!({ "SecurityOpt": [option] })),
        in_any_case("rslave").prop_map(|mode| json!({ "Binds": [format!("/srv/a:/h:{mode}")] })),
        spelt("/etc").prop_map(bind),
        spelt("/etc/shadow").prop_map(mount),
        spelt("/run/docker.sock").prop_map(bind),
        spelt("/srv/../etc").prop_map(mount),
        spelt("/var/run").prop_map(mount),
        spelt("/dev/sda").prop_map(|path| json!({ "Devices": [{ "PathOnHost": path }] })),
        in_any_case("bind").prop_map(|o| json!({ "Mounts": [{ "Type": "volume", "VolumeOptions":
            { "DriverConfig": { "Options": { "type": "none", "o": o, "device": "/" } } } }] })),
        in_any_case("exec").prop_map(|option| json!({ "Tmpfs": { "/t": option } })),
    ]
}

/// Bodies with all that `force` touches, in all shapes.
fn body() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        Just(json!(null)),
        Just(json!(0)),
        Just(json!(-1)),
        (1i64..1 << 40).prop_map(|n| json!(n))
    ];
    let caps = prop_oneof![
        Just(json!(null)),
        Just(json!([])),
        Just(json!("NET_RAW")),
        Just(json!(["all"])),
        Just(json!(["cap_net_raw", "KILL"])),
        Just(json!(["ALL"]))
    ];
    let options = prop_oneof![
        Just(json!(null)),
        Just(json!([])),
        Just(json!(["no-new-privileges:true"])),
        Just(json!("no-new-privileges"))
    ];
    let labels = prop_oneof![
        Just(json!(null)),
        Just(json!({})),
        Just(json!({ "team": "red", "Team": "x" })),
        Just(json!({ "team": "blue" }))
    ];
    let user = prop_oneof![Just(json!(null)), Just(json!("root")), Just(json!("1000:1000"))];
    (proptest::collection::vec(number, 7), caps, options, labels, user, any::<Option<bool>>())
        .prop_map(|(numbers, caps, options, labels, user, flag)| {
            json!({ "Image": "e", "User": user, "Labels": labels, "HostConfig": {
                "Memory": numbers[0], "MemorySwap": numbers[1], "MemoryReservation": numbers[2],
                "NanoCpus": numbers[3], "CpuQuota": numbers[4], "PidsLimit": numbers[5],
                "ShmSize": numbers[6], "CapDrop": caps, "SecurityOpt": options,
                "ReadonlyRootfs": flag, "Init": flag,
            } })
        })
}

fn all_forced() -> ContainerGuard {
    guard(json!({ "force": {
        "drop-capabilities": ["ALL"], "no-new-privileges": true, "read-only-root": true,
        "init": true, "user": "1000:1000", "labels": { "team": "blue", "a/b~c": "1" },
        "memory": "512m", "cpus": 1.5, "pids": 256, "shm-size": "32m",
    } }))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn no_spelling_of_what_is_dangerous_gets_through(host in dangerous()) {
        for settings in [json!({}), json!({ "bind-mounts": ["/srv", "/run"] })] {
            prop_assert!(is_refused(&guard(settings), &create(&host)), "{}", host);
        }
        // At the top of the body as well.
        let beside = Request::of(Op::ContainerCreate).with_body(&host);
        prop_assert!(is_refused(&guard(json!({})), &beside), "{}", host);
    }

    #[test]
    fn what_is_forced_comes_to_rest_and_is_there(body in body()) {
        let policy = all_forced();
        let request = Request::of(Op::ContainerCreate).with_body(&body);
        policy.decide(&request).assert_abstained();
        let edited = request.edited();
        policy.decide(&edited).assert_abstained();
        prop_assert!(edited.edits().is_empty(), "{:?}", edited.edits());

        let at = |pointer: &str| edited.body_at(pointer).unwrap_or_default();
        let number = |pointer: &str| at(pointer).as_i64().unwrap_or_default();
        prop_assert_eq!(at("/User"), Json::from("1000:1000"));
        prop_assert_eq!(at("/Labels/team"), Json::from("blue"));
        prop_assert_eq!(at("/Labels").exact("a/b~c").cloned(), Some(Json::from("1")));
        prop_assert_eq!(at("/HostConfig/ReadonlyRootfs"), Json::from(true));
        prop_assert_eq!(at("/HostConfig/Init"), Json::from(true));
        let drops = at("/HostConfig/CapDrop");
        prop_assert!(drops.strings().iter().any(|cap| cap.eq_ignore_ascii_case("all")), "{}", drops);
        let options = at("/HostConfig/SecurityOpt");
        prop_assert!(options.strings().iter().any(|o| o.starts_with("no-new-privileges")));
        prop_assert!((1..=512 << 20).contains(&number("/HostConfig/Memory")));
        prop_assert!((0..=1 << 30).contains(&number("/HostConfig/MemorySwap")));
        prop_assert!((1..=256).contains(&number("/HostConfig/PidsLimit")));
        prop_assert!((1..=32 << 20).contains(&number("/HostConfig/ShmSize")));
        let (nanos, quota) = (number("/HostConfig/NanoCpus"), number("/HostConfig/CpuQuota"));
        let by_quota = nanos == 0 && (1..=150_000).contains(&quota);
        prop_assert!(by_quota || (quota == 0 && (1..=1_500_000_000).contains(&nanos)), "{nanos} {quota}");
    }

    #[test]
    fn nothing_that_a_client_sends_ends_the_plugin(text in "\\PC{0,40}", number in any::<i64>()) {
        let policy = guard(json!({ "bind-mounts": ["/srv"], "ports": {}, "force": { "cpus": 1.0 } }));
        for value in [json!(text), json!(number), json!([text]), json!({ (&text): text }), json!([{ "Type": text }])] {
            for name in "Binds Mounts CapAdd SecurityOpt Devices Tmpfs Sysctls PortBindings Ulimits \
                NetworkMode CpuQuota CpuPeriod Memory DeviceCgroupRules".split_whitespace() {
                policy.decide(&create(&json!({ name: value })));
            }
        }
    }
}

#[test]
fn a_service_gets_what_is_forced() {
    let policy = all_forced();
    let spec = json!({ "Image": "e", "User": "root", "Labels": { "x": "y" } });
    let body = json!({ "TaskTemplate": { "ContainerSpec": spec, "Resources": { "Limits":
        { "MemoryBytes": 1i64 << 40, "Pids": 10 } } } });
    let request = Request::of(Op::ServiceCreate).with_body(body);
    policy.decide(&request).assert_abstained();
    let edited = request.edited();
    policy.decide(&edited).assert_abstained();
    assert!(edited.edits().is_empty(), "{:?}", edited.edits());
    let expected = json!({ "ContainerSpec": { "Image": "e", "User": "1000:1000",
            "Labels": { "x": "y", "team": "blue", "a/b~c": "1" }, "CapabilityDrop": ["ALL"],
            "Privileges": { "NoNewPrivileges": true }, "ReadOnly": true, "Init": true },
        "Resources": { "Limits": { "MemoryBytes": 512 << 20, "NanoCPUs": 1_500_000_000, "Pids": 10 } } });
    assert_eq!(edited.body_at("/TaskTemplate"), Some(expected.into()));
}

#[test]
fn an_update_does_not_lift_what_is_forced() {
    let policy = all_forced();
    let update = |body: Value| Request::to(Op::ContainerUpdate, "web").with_body(body);
    for (body, expected) in [
        (json!({ "RestartPolicy": { "Name": "always" } }), None),
        (json!({ "Memory": 0, "PidsLimit": null, "NanoCpus": 0 }), None),
        (json!({ "Memory": -1 }), Some(json!({ "Memory": 512 << 20 }))),
        (json!({ "MemorySwap": -1 }), Some(json!({ "MemorySwap": 1 << 30 }))),
        (json!({ "PidsLimit": 0 }), Some(json!({ "PidsLimit": 256 }))),
        (json!({ "NanoCpus": 4_000_000_000i64 }), Some(json!({ "NanoCpus": 1_500_000_000 }))),
    ] {
        let request = update(body.clone());
        policy.decide(&request).assert_abstained();
        let edited = request.edited();
        assert_eq!(edited.body().json(), Some(expected.unwrap_or(body).into()));
        policy.decide(&edited).assert_abstained();
        assert!(edited.edits().is_empty());
    }
    policy.decide(&update(json!({ "CpuPeriod": 1000 }))).assert_denied_with("NanoCpus");
}

#[test]
fn what_is_forced_is_not_undone() {
    let policy = all_forced();
    for host in [
        json!({ "CapAdd": ["NET_RAW"] }),
        json!({ "CapAdd": ["CHOWN"] }),
        json!({ "SecurityOpt": ["no-new-privileges", "no-new-privileges=false"] }),
    ] {
        assert!(is_refused(&policy, &create(&host)), "{host}");
    }
    let beside =
        Request::of(Op::ContainerCreate).with_body(json!({ "Image": "e", "Memory": 1 << 20 }));
    policy.decide(&beside).assert_denied_with("Memory: it belongs into HostConfig");
    let listed =
        json!({ "capabilities": ["NET_BIND_SERVICE"], "force": { "drop-capabilities": ["ALL"] } });
    let request = create(&json!({ "CapAdd": ["NET_BIND_SERVICE"] }));
    guard(listed).decide(&request).assert_abstained();
    let some = guard(json!({ "force": { "drop-capabilities": ["NET_RAW"] } }));
    some.decide(&create(&json!({ "CapAdd": ["NET_RAW"] })))
        .assert_denied_with("is taken from every");
    let request = create(&json!({ "CapAdd": ["CHOWN"], "CapDrop": "KILL" }));
    some.decide(&request).assert_abstained();
    assert_eq!(
        request.edited().body_at("/HostConfig/CapDrop"),
        Some(json!(["KILL", "NET_RAW"]).into())
    );
}
