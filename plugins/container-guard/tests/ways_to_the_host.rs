//! Every way from the API to root on the host that is known, closed without any settings. The page
//! `docs/threat-model.md` names these tests.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

use dockgate_plugin::{
    Json, Kind, Operation as Op, Policy, Request, Setup, Verdict, json, testing::routes,
};
use dockgate_plugin_container_guard::{ContainerGuard, Settings};
use serde_json::Value;

fn guard(settings: Value) -> ContainerGuard {
    let settings: Settings = Json::from(settings).read().expect("settings");
    ContainerGuard::set_up(&mut Setup::new(settings))
}

fn decide(request: &Request) -> Verdict {
    guard(json!({})).decide(request)
}

fn create(body: &Value) -> Request {
    Request::of(Op::ContainerCreate).with_body(body)
}

fn service(container: &Value) -> Request {
    let body = json!({ "Name": "web", "TaskTemplate": { "ContainerSpec": container } });
    Request::of(Op::ServiceCreate).with_body(body)
}

/// Closed in HostConfig, at the top of the body (daemons up to 26), and in an update.
#[track_caller]
fn closed(host: &Value, words: &str) {
    let words = words.to_owned();
    decide(&create(&json!({ "Image": "e", "HostConfig": host })))
        .assert_denied_with(&format!("HostConfig.{words}"));
    let mut beside = host.clone();
    beside["Image"] = "e".into();
    decide(&create(&beside)).assert_denied_with(&words);
    let update = Request::to(Op::ContainerUpdate, "web").with_body(host);
    decide(&update).assert_denied_with(&words);
}

#[track_caller]
fn open(settings: Value, host: &Value) {
    let body = json!({ "Image": "e", "HostConfig": host });
    guard(settings).decide(&create(&body)).assert_abstained();
}

#[test]
fn a_container_can_not_be_privileged() {
    closed(&json!({ "Privileged": true }), "Privileged is true: a privileged container is root");
    open(json!({ "privileged": true }), &json!({ "Privileged": true }));
    // Of another type, which a daemon might yet take.
    closed(&json!({ "Privileged": "true" }), "Privileged is \"true\": it is true or false");
    closed(&json!({ "Privileged": 1 }), "Privileged is 1");
}

#[test]
fn a_container_is_in_no_namespace_of_the_hosts() {
    for (field, name) in [
        ("NetworkMode", "network"),
        ("PidMode", "pid"),
        ("IpcMode", "ipc"),
        ("UTSMode", "uts"),
        ("UsernsMode", "user"),
        ("CgroupnsMode", "cgroup"),
    ] {
        for host in ["host", "HOST", "Host"] {
            closed(
                &json!({ field: host }),
                &format!("{field} is \"{host}\": containers are not in"),
            );
        }
        open(json!({ "host-namespaces": [name] }), &json!({ field: "host" }));
        for other in ["ns:/proc/1/ns/net", " host", "host ", "keep-id:uid=0"] {
            if field != "NetworkMode" || other.contains(':') {
                closed(&json!({ field: other }), &format!("{field} is \"{other}\""));
            }
        }
    }
}

#[test]
fn a_container_is_not_inside_of_another() {
    for field in ["NetworkMode", "PidMode", "IpcMode", "UTSMode", "UsernsMode", "Cgroup"] {
        closed(&json!({ field: "container:web" }), &format!("{field} is \"container:web\""));
        open(json!({ "container-namespaces": true }), &json!({ field: "container:web" }));
    }
}

#[test]
fn the_network_of_the_host_is_not_joined_by_its_id_either() {
    let found = json!({ "Name": "host", "Driver": "host", "Id": "4f66" });
    let by_id = create(&json!({ "HostConfig": { "NetworkMode": "4f66" } }));
    decide(&by_id.with_found(Kind::Network, "4f66", &found)).assert_denied_with("host-namespaces");
    for endpoints in [json!({ "host": {} }), json!({ "web": { "NetworkID": "4f66" } })] {
        let body = json!({ "NetworkingConfig": { "EndpointsConfig": endpoints } });
        let request = create(&body).with_found(Kind::Network, "4f66", &found);
        decide(&request).assert_denied_with("NetworkingConfig.EndpointsConfig[");
    }
    let connect = Request::to(Op::NetworkConnect, "host").with_body(json!({ "Container": "web" }));
    decide(&connect).assert_denied_with("the network is \"host\"");
    let connect = Request::to(Op::NetworkConnect, "shop").with_body(json!({ "Container": "web" }));
    let bridge = json!({ "Name": "shop", "Driver": "bridge" });
    decide(&connect.with_found(Kind::Network, "shop", bridge)).assert_abstained();
}

#[test]
fn no_capability_is_added_beyond_those_that_containers_have() {
    for name in ["SYS_ADMIN", "sys_admin", "CAP_SYS_PTRACE", "ALL", "all", "Net_Admin", "NOPE", ""]
    {
        closed(&json!({ "CapAdd": [name] }), &format!("CapAdd[0] is \"{name}\""));
    }
    closed(&json!({ "CapAdd": "SYS_ADMIN" }), "CapAdd is \"SYS_ADMIN\"");
    closed(&json!({ "CapAdd": ["CHOWN", "SYS_MODULE"] }), "CapAdd[1]");
    closed(&json!({ "Capabilities": ["SYS_ADMIN"] }), "Capabilities[0]");
    for own in ["CHOWN", "cap_net_bind_service", "NET_RAW"] {
        open(json!({}), &json!({ "CapAdd": [own] }));
    }
    open(json!({ "capabilities": ["net_admin"] }), &json!({ "CapAdd": ["CAP_NET_ADMIN"] }));
    open(json!({ "capabilities": ["ALL"] }), &json!({ "CapAdd": ["SYS_ADMIN", "ALL"] }));
}

#[test]
fn a_container_gets_no_devices() {
    for path in ["/dev/sda", "/dev/mem", "dev/kvm", "/dev/dri/../sda", "vendor.com/gpu=all"] {
        let device = json!({ "PathOnHost": path, "PathInContainer": "/dev/x" });
        closed(&json!({ "Devices": [device] }), "Devices[0].PathOnHost is ");
    }
    closed(&json!({ "DeviceRequests": [{ "Count": -1 }] }), "DeviceRequests");
    closed(&json!({ "DeviceCgroupRules": ["b *:* rwm"] }), "DeviceCgroupRules[0]");
    closed(&json!({ "DeviceCgroupRules": ["a"] }), "DeviceCgroupRules[0]");
    let render = json!({ "Devices": [{ "PathOnHost": "/dev/dri/renderD128" }] });
    open(json!({ "devices": ["/dev/dri"] }), &render);
    let rule = json!({ "DeviceCgroupRules": ["c 226:128 rw"] });
    open(json!({ "device-cgroup-rules": ["c 226:* rwm"] }), &rule);
    open(json!({ "device-requests": true }), &json!({ "DeviceRequests": [{ "Count": -1 }] }));
}

#[test]
fn no_file_of_the_host_is_mounted_but_from_folders_that_are_listed() {
    for source in ["/", "//", "/etc", "/srv/..", "/srv/data/../../etc", "/srv/data2", "/srv"] {
        let settings = json!({ "bind-mounts": ["/srv/data"] });
        let hosts = [
            json!({ "Binds": [format!("{source}:/h")] }),
            json!({ "Binds": [format!("{source}:/h:ro,z")] }),
            json!({ "Mounts": [{ "Type": "bind", "Source": source, "Target": "/h" }] }),
        ];
        for host in hosts {
            closed(
                &host,
                if host.get("Binds").is_some() { "Binds[0]" } else { "Mounts[0].Source" },
            );
            let request = create(&json!({ "HostConfig": host }));
            guard(settings.clone()).decide(&request).assert_denied_with("bind-mounts");
        }
    }
    for source in ["/srv/data", "/srv/data/", "//srv//data/x/", "/srv/./data/x/../y"] {
        let settings = json!({ "bind-mounts": ["/srv/data"] });
        open(settings.clone(), &json!({ "Binds": [format!("{source}:/h")] }));
        open(
            settings,
            &json!({ "Mounts": [{ "Type": "bind", "Source": source, "Target": "/h" }] }),
        );
    }
}

#[test]
fn a_bind_is_read_as_the_daemon_reads_it() {
    for bind in [
        "C:\\data:/h",
        "./data:/h",
        "../etc:/h",
        "~/.ssh:/h",
        "/etc",
        ":/h",
        "/a:/b:ro:x",
        "v:/b:O,upperdir=/etc",
    ] {
        let verdict = decide(&create(&json!({ "HostConfig": { "Binds": [bind] } })));
        // A path alone is one of the container: a volume without a name.
        if bind == "/etc" {
            verdict.assert_abstained();
        } else {
            verdict.assert_denied_with("HostConfig.Binds[0]");
        }
    }
    for kind in ["npipe", "Bind", "BIND", "", "quantum", "cluster"] {
        closed(&json!({ "Mounts": [{ "Type": kind, "Source": "/" }] }), "Mounts[0].Type");
    }
    open(json!({}), &json!({ "Binds": ["shelf:/data:ro", "/data"] }));
    open(
        json!({}),
        &json!({ "Mounts": [
        { "Type": "volume", "Source": "shelf", "Target": "/a" },
        { "Type": "volume", "Target": "/b", "VolumeOptions": { "Subpath": "x/y" } },
        { "Type": "tmpfs", "Target": "/c", "TmpfsOptions": { "Options": [["mode", "1770"]] } },
        { "Type": "image", "Source": "alpine", "Target": "/d" },
    ] }),
    );
}

#[test]
fn what_is_listed_read_only_is_mounted_read_only() {
    let settings = json!({ "read-only-bind-mounts": ["/etc/ssl"] });
    open(settings.clone(), &json!({ "Binds": ["/etc/ssl:/s:z,ro"] }));
    let mount = |more: Value| {
        let mut mount = json!({ "Type": "bind", "Source": "/etc/ssl", "Target": "/s" });
        mount.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "Mounts": [mount] })
    };
    open(settings.clone(), &mount(json!({ "ReadOnly": true })));
    for host in [
        json!({ "Binds": ["/etc/ssl:/s"] }),
        json!({ "Binds": ["/etc/ssl:/s:RO"] }),
        mount(json!({})),
        mount(json!({ "ReadOnly": true, "BindOptions": { "ReadOnlyNonRecursive": true } })),
    ] {
        let request = create(&json!({ "HostConfig": host }));
        guard(settings.clone()).decide(&request).assert_denied_with("it may be mounted read-only");
    }
    let volume = json!({ "DriverOpts": { "type": "none", "o": "bind,ro", "device": "/etc/ssl" } });
    let volume = Request::of(Op::VolumeCreate).with_body(volume);
    guard(settings).decide(&volume).assert_denied_with("it may be mounted read-only");
}

#[test]
fn the_socket_of_an_engine_is_not_mounted_from_any_folder() {
    for source in [
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/run/../run//docker.sock",
        "/var/run",
        "/run",
        "/",
        "/var",
        "/run/containerd",
        "/run/user/1000/podman/podman.sock",
        "/srv/mine/docker.sock",
    ] {
        let host = json!({ "Binds": [format!("{source}:/s:ro")] });
        let request = create(&json!({ "HostConfig": host }));
        let settings = json!({ "bind-mounts": ["/"] });
        guard(settings).decide(&request).assert_denied_with("engine-sockets");
        open(json!({ "bind-mounts": ["/"], "engine-sockets": true }), &host);
    }
    let without_folder = json!({ "engine-sockets": true });
    let request = create(&json!({ "HostConfig": { "Binds": ["/run/docker.sock:/s"] } }));
    guard(without_folder).decide(&request).assert_denied_with("bind-mounts");
}

#[test]
fn mounts_do_not_reach_across() {
    let settings = || json!({ "bind-mounts": ["/srv"] });
    for mode in ["shared", "rshared", "slave", "rslave", "rw,rSlave"] {
        let request = create(&json!({ "HostConfig": { "Binds": [format!("/srv:/s:{mode}")] } }));
        guard(settings()).decide(&request).assert_denied_with("mount-propagation");
        let mount =
            json!({ "Type": "bind", "Source": "/srv", "BindOptions": { "Propagation": mode } });
        let request = create(&json!({ "HostConfig": { "Mounts": [mount] } }));
        guard(settings()).decide(&request).assert_denied_with("mount-propagation");
    }
    open(settings(), &json!({ "Binds": ["/srv:/s:rprivate"] }));
}

const DISGUISES: [&[(&str, &str)]; 12] = [
    &[("type", "none"), ("o", "bind"), ("device", "/")],
    &[("type", "none"), ("o", "rw, BIND"), ("device", "/")],
    &[("type", "none"), ("o", "rbind"), ("device", "/srv/../etc")],
    &[("type", "nfs"), ("o", "bind"), ("device", "/")],
    &[("type", "bind"), ("device", "/")],
    &[("o", "bind")],
    &[("type", "overlay"), ("o", "lowerdir=/:/etc"), ("device", "overlay")],
    &[("type", "ext4"), ("device", "/dev/sda1")],
    &[("type", "proc"), ("device", "proc")],
    &[("type", "nfs"), ("o", "addr=10.0.0.1"), ("device", ":/export")],
    &[("TYPE", "none"), ("O", "bind"), ("Device", "/")],
    &[("mountpoint", "/")],
];

fn options(of: &[(&str, &str)]) -> Value {
    of.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
}

#[test]
fn a_volume_is_no_bind_in_disguise() {
    for disguise in DISGUISES {
        let options = options(disguise);
        let volume = Request::of(Op::VolumeCreate).with_body(json!({ "DriverOpts": options }));
        decide(&volume).assert_denied_with("DriverOpts");
        let volume = json!({ "Type": "volume", "Target": "/h", "VolumeOptions": { "DriverConfig":
            { "Name": "local", "Options": options } } });
        closed(&json!({ "Mounts": [volume] }), "Mounts[0].VolumeOptions.DriverConfig.Options");
        decide(&service(&json!({ "Mounts": [volume] }))).assert_denied_with("DriverConfig.Options");
    }
    for plain in [json!({}), json!({ "size": "10g" }), json!(null)] {
        let volume = Request::of(Op::VolumeCreate).with_body(json!({ "DriverOpts": plain }));
        decide(&volume).assert_abstained();
    }
}

#[test]
fn a_volume_that_is_there_is_no_bind_in_disguise_either() {
    for disguise in DISGUISES {
        let found = json!({ "Name": "shelf", "Driver": "local", "Options": options(disguise) });
        for host in [
            json!({ "Binds": ["shelf:/h"] }),
            json!({ "Mounts": [{ "Type": "volume", "Source": "shelf", "Target": "/h" }] }),
        ] {
            let request = create(&json!({ "HostConfig": host }));
            let request = request.with_found(Kind::Volume, "shelf", &found);
            decide(&request).assert_denied_with("(Options of the volume)");
        }
    }
    let foreign = json!({ "Name": "shelf", "Driver": "rexray", "Options": null });
    let request = create(&json!({ "HostConfig": { "Binds": ["shelf:/h"] } }));
    let request = request.with_found(Kind::Volume, "shelf", foreign);
    decide(&request).assert_denied_with("volume-drivers");
}

#[test]
fn what_a_volume_may_be_made_of_is_listed() {
    let volume = |of: &[(&str, &str)]| {
        Request::of(Op::VolumeCreate).with_body(json!({ "DriverOpts": options(of) }))
    };
    let bind = volume(&[("type", "none"), ("o", "bind"), ("device", "/srv/data")]);
    guard(json!({ "bind-mounts": ["/srv"] })).decide(&bind).assert_abstained();
    guard(json!({ "bind-mounts": ["/home"] })).decide(&bind).assert_denied_with("bind-mounts");
    let nfs = || guard(json!({ "volume-types": ["nfs"] }));
    nfs()
        .decide(&volume(&[("type", "nfs"), ("o", "addr=10.0.0.1,rw"), ("device", ":/x")]))
        .assert_abstained();
    nfs()
        .decide(&volume(&[("type", "nfs"), ("o", "bind"), ("device", "/")]))
        .assert_denied_with("bind-mounts");
    nfs()
        .decide(&volume(&[("type", "nfs"), ("o", "remount"), ("device", "/")]))
        .assert_denied_with("volume-types");
    nfs().decide(&volume(&[("type", "cifs"), ("device", "//x/y")])).assert_denied_with("\"cifs\"");
}

#[test]
fn a_password_in_options_is_not_told() {
    let options = json!({ "type": "cifs", "o": "username=u,password=hunter2", "x": "hunter2" });
    let volume = Request::of(Op::VolumeCreate).with_body(json!({ "DriverOpts": options }));
    let denial = decide(&volume).assert_denied_with("volume-types").words();
    assert!(!denial.contains("hunter2"), "{denial}");
}

#[test]
fn volumes_have_no_foreign_driver() {
    closed(&json!({ "VolumeDriver": "rexray" }), "VolumeDriver is \"rexray\"");
    let mount =
        json!({ "Type": "volume", "VolumeOptions": { "DriverConfig": { "Name": "rexray" } } });
    closed(&json!({ "Mounts": [mount] }), "Mounts[0].VolumeOptions.DriverConfig.Name");
    let volume = Request::of(Op::VolumeCreate).with_body(json!({ "Driver": "rexray" }));
    decide(&volume).assert_denied_with("Driver is \"rexray\"");
    guard(json!({ "volume-drivers": ["rexray"] })).decide(&volume).assert_abstained();
    let cluster =
        Request::of(Op::VolumeCreate).with_body(json!({ "ClusterVolumeSpec": { "Group": "x" } }));
    decide(&cluster).assert_denied_with("cluster-volumes");
}

#[test]
fn a_folder_in_a_volume_does_not_lead_out_of_it() {
    for path in ["/etc", "..", "a/../../b", "..\\x"] {
        for (kind, of) in [("volume", "VolumeOptions"), ("image", "ImageOptions")] {
            let mount = json!({ "Type": kind, "Source": "x", of: { "Subpath": path } });
            closed(&json!({ "Mounts": [mount] }), &format!("Mounts[0].{of}.Subpath"));
        }
    }
}

#[test]
fn a_container_takes_no_mounts_of_another() {
    closed(&json!({ "VolumesFrom": ["proxy:ro"] }), "VolumesFrom");
    open(json!({ "volumes-from": true }), &json!({ "VolumesFrom": ["proxy"] }));
}

#[test]
fn nothing_that_confines_a_container_is_loosened() {
    for option in [
        "seccomp=unconfined",
        "seccomp:unconfined",
        "seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}",
        "seccomp=builtin",
        "apparmor=unconfined",
        "apparmor:unconfined",
        "apparmor=my-profile",
        "label=disable",
        "label:disable",
        "label=DISABLE",
        "label=type:spc_t",
        "disable",
        "systempaths=unconfined",
        "systempaths:unconfined",
        "no-new-privileges=false",
        "no-new-privileges:false",
        "no-new-privileges=0",
        "writable-cgroups=true",
        "unmask=ALL",
        "credentialspec=file://x",
        "",
    ] {
        closed(&json!({ "SecurityOpt": [option] }), "SecurityOpt[0]");
    }
    for option in ["no-new-privileges", "no-new-privileges=true", "no-new-privileges:true"] {
        open(json!({}), &json!({ "SecurityOpt": [option] }));
    }
    let listed = json!({ "security-options": ["apparmor=mine", "seccomp"] });
    open(listed.clone(), &json!({ "SecurityOpt": ["apparmor:mine", "seccomp={\"a\":1}"] }));
    let other = create(&json!({ "HostConfig": { "SecurityOpt": ["apparmor=other"] } }));
    guard(listed).decide(&other).assert_denied_with("security-options");
}

#[test]
fn what_the_daemon_hides_stays_hidden() {
    for name in ["MaskedPaths", "ReadonlyPaths"] {
        closed(&json!({ name: [] }), &format!("{name} is []"));
        closed(&json!({ name: ["/proc/kcore"] }), &format!("{name} is a list"));
        open(json!({}), &json!({ name: null }));
        open(json!({ "system-paths": true }), &json!({ name: [] }));
    }
}

#[test]
fn a_container_has_no_foreign_runtime() {
    for runtime in ["kata-runtime", "/tmp/evil", "RUNC", "io.containerd.runc.v2"] {
        closed(&json!({ "Runtime": runtime }), &format!("Runtime is \"{runtime}\""));
    }
    open(json!({}), &json!({ "Runtime": "runc" }));
    open(json!({ "runtimes": ["runsc"] }), &json!({ "Runtime": "runsc" }));
}

#[test]
fn the_kernel_is_not_set_up_by_a_container() {
    closed(&json!({ "CgroupParent": "/system.slice" }), "CgroupParent");
    closed(
        &json!({ "Sysctls": { "net.ipv4.ip_forward": "1" } }),
        "Sysctls[\"net.ipv4.ip_forward\"]",
    );
    closed(&json!({ "Sysctls": { "kernel/core_pattern": "|/x" } }), "Sysctls[");
    closed(&json!({ "GroupAdd": ["docker"] }), "GroupAdd[0]");
    closed(&json!({ "OomScoreAdj": -1000 }), "OomScoreAdj is -1000");
    closed(&json!({ "OomKillDisable": true }), "OomKillDisable");
    closed(&json!({ "StorageOpt": { "dm.basesize": "1" } }), "StorageOpt[");
    closed(&json!({ "Annotations": { "run.oci.hooks.stdout": "/etc/x" } }), "Annotations[");
    open(
        json!({ "sysctls": ["net.ipv4.*"] }),
        &json!({ "Sysctls": { "net.ipv4.ip_forward": "1" } }),
    );
    open(json!({}), &json!({ "StorageOpt": { "size": "10G" }, "OomScoreAdj": 500 }));
    open(json!({ "groups": ["44"] }), &json!({ "GroupAdd": ["44"] }));
    open(json!({ "annotations": ["org.x.*"] }), &json!({ "Annotations": { "org.x.y": "1" } }));
}

#[test]
fn logs_go_to_no_socket_of_the_hosts() {
    for driver in ["syslog", "fluentd", "gelf", "my-plugin"] {
        let request = create(&json!({ "HostConfig": { "LogConfig": { "Type": driver, "Config":
            { "fluentd-address": "unix:///run/docker.sock" } } } }));
        decide(&request).assert_denied_with("HostConfig.LogConfig.Type");
        let log = json!({ "TaskTemplate": { "LogDriver": { "Name": driver } } });
        let service = Request::of(Op::ServiceCreate).with_body(log);
        decide(&service).assert_denied_with("TaskTemplate.LogDriver.Name");
    }
    open(
        json!({}),
        &json!({ "LogConfig": { "Type": "json-file", "Config": { "max-size": "1m" } } }),
    );
}

#[test]
fn a_tmpfs_is_memory_and_nothing_more() {
    for option in ["exec", "suid", "dev", "EXEC"] {
        closed(&json!({ "Tmpfs": { "/run": format!("rw,{option},size=1m") } }), "Tmpfs[");
        let mount = json!({ "Type": "tmpfs", "TmpfsOptions": { "Options": [[option]] } });
        closed(&json!({ "Mounts": [mount] }), "Mounts[0].TmpfsOptions.Options[0]");
    }
    for odd in [json!([[]]), json!([["a", "b", "c"]]), json!(["exec"])] {
        let mount = json!({ "Type": "tmpfs", "TmpfsOptions": { "Options": odd } });
        closed(&json!({ "Mounts": [mount] }), "Mounts[0].TmpfsOptions.Options");
    }
    open(json!({}), &json!({ "Tmpfs": { "/run": "rw,noexec,nosuid,size=65536k" } }));
    open(json!({ "tmpfs-options": ["exec"] }), &json!({ "Tmpfs": { "/run": "exec" } }));
}

#[test]
fn limits_of_processes_and_ports_have_bounds_where_they_are_set() {
    let nofile =
        |hard: i64| json!({ "Ulimits": [{ "Name": "nofile", "Soft": 1024, "Hard": hard }] });
    open(json!({}), &nofile(-1));
    let settings = || json!({ "ulimits": { "nofile": 4096 } });
    open(settings(), &nofile(4096));
    for hard in [4097, -1] {
        let request = create(&json!({ "HostConfig": nofile(hard) }));
        guard(settings()).decide(&request).assert_denied_with("Ulimits[0].Hard");
    }
    let port = |ip: &str, port: &str| json!({ "PortBindings": { "80/tcp": [{ "HostIp": ip, "HostPort": port }] } });
    open(json!({}), &port("", "80"));
    let settings = || json!({ "ports": { "addresses": ["127.0.0.1"], "from": 8000, "to": 8999 } });
    open(settings(), &port("127.0.0.1", "8080"));
    open(settings(), &port("127.0.0.1", "8080-8090"));
    open(settings(), &port("127.0.0.1", ""));
    for host in [
        port("", "8080"),
        port("0.0.0.0", "8080"),
        port("127.0.0.1", "80"),
        port("127.0.0.1", "8990-9000"),
        port("127.0.0.1", "http"),
        json!({ "PublishAllPorts": true }),
    ] {
        let request = create(&json!({ "HostConfig": host }));
        let verdict = guard(settings()).decide(&request);
        assert!(matches!(verdict, Verdict::Deny(_)), "{host}");
    }
    open(json!({ "ports": { "addresses": ["0.0.0.0"] } }), &port("", "80"));
}

#[test]
fn a_start_does_not_change_a_container() {
    let start = Request::to(Op::ContainerStart, "web");
    decide(&start).assert_abstained();
    decide(&start.clone().with_api_version("1.24")).assert_abstained();
    decide(&start.with_api_version("1.23")).assert_denied_with("before API 1.24");
}

#[test]
fn a_command_has_no_more_rights_than_its_container() {
    let exec = |body: Value| Request::to(Op::ContainerExec, "web").with_body(body);
    decide(&exec(json!({ "Cmd": ["sh"], "Privileged": false, "User": "" }))).assert_abstained();
    decide(&exec(json!({ "Cmd": ["sh"], "Privileged": true })))
        .assert_denied_with("Privileged is true");
    for user in ["root", "0", "0:0", "00", "app"] {
        decide(&exec(json!({ "User": user }))).assert_denied_with("exec-users");
    }
    // Somebody else may have made it.
    let start = |process: Value| {
        let found = json!({ "ID": "4f66", "ContainerID": "web", "ProcessConfig": process });
        Request::to(Op::ExecStart, "4f66").with_body(json!({})).with_found(
            Kind::Exec,
            "4f66",
            found,
        )
    };
    decide(&start(json!({ "privileged": false, "entrypoint": "sh" }))).assert_abstained();
    decide(&start(json!({ "privileged": true }))).assert_denied_with("ProcessConfig.privileged");
    decide(&start(json!({ "privileged": false, "user": "0" }))).assert_denied_with("exec-users");
    // The daemon shows the container's own user where the command was made without one.
    let own = json!({ "Id": "web", "Config": { "User": "1000:1000" }, "HostConfig": {} });
    let as_user =
        |user: &str| start(json!({ "user": user })).with_found(Kind::Container, "web", &own);
    decide(&as_user("1000:1000")).assert_abstained();
    decide(&as_user("1000")).assert_denied_with("exec-users");
    decide(&as_user("root")).assert_denied_with("exec-users");
    let host = json!({ "Id": "web", "HostConfig": { "Privileged": true } });
    decide(&start(json!({})).with_found(Kind::Container, "web", host))
        .assert_denied_with("unconfined-containers");
    let app = exec(json!({ "User": "app" }));
    guard(json!({ "exec-users": ["app"] })).decide(&app).assert_abstained();
    guard(json!({ "exec-users": ["*"] })).decide(&app).assert_abstained();
}

#[test]
fn nobody_gets_into_a_container_that_has_the_host() {
    let with = |host: &Value| json!({ "Id": "4f66", "HostConfig": host });
    // As the daemon shows one that nobody gave anything.
    let plain = json!({
        "Binds": null, "CapAdd": null, "CgroupnsMode": "host", "IpcMode": "private",
        "LogConfig": { "Type": "syslog", "Config": {} }, "NetworkMode": "bridge",
        "MaskedPaths": ["/proc/kcore"], "ReadonlyPaths": ["/proc/sys"], "Runtime": "runc",
        "PortBindings": { "80/tcp": [{ "HostIp": "", "HostPort": "80" }] }, "Privileged": false,
    });
    let ways = || {
        [
            Request::to(Op::ContainerExec, "web").with_body(json!({ "Cmd": ["sh"] })),
            Request::to(Op::ContainerAttach, "web"),
            Request::to(Op::ContainerAttachWebsocket, "web"),
            Request::to(Op::ContainerArchivePut, "web"),
        ]
    };
    for request in ways() {
        decide(&request.clone().with_found(Kind::Container, "web", with(&plain)))
            .assert_abstained();
        for host in [
            json!({ "Privileged": true }),
            json!({ "Binds": ["/run/docker.sock:/run/docker.sock"] }),
            json!({ "PidMode": "host" }),
            json!({ "CapAdd": ["CAP_SYS_ADMIN"] }),
            json!({ "MaskedPaths": [] }),
        ] {
            let request = request.clone().with_found(Kind::Container, "web", with(&host));
            decide(&request).assert_denied_with("container \"web\": it has rights on the host");
            guard(json!({ "unconfined-containers": true })).decide(&request).assert_abstained();
        }
    }
}

#[test]
fn a_service_is_as_confined_as_a_container() {
    for (spec, words) in [
        (
            json!({ "Mounts": [{ "Type": "bind", "Source": "/", "Target": "/h" }] }),
            "Mounts[0].Source",
        ),
        (json!({ "Mounts": [{ "Type": "cluster", "Source": "x" }] }), "cluster-volumes"),
        (json!({ "CapabilityAdd": ["CAP_SYS_ADMIN"] }), "CapabilityAdd[0]"),
        (
            json!({ "Privileges": { "Seccomp": { "Mode": "unconfined" } } }),
            "Privileges.Seccomp.Mode",
        ),
        (json!({ "Privileges": { "Seccomp": { "Mode": "CUSTOM" } } }), "Privileges.Seccomp.Mode"),
        (
            json!({ "Privileges": { "Seccomp": { "Profile": "e30=" } } }),
            "Privileges.Seccomp.Profile",
        ),
        (
            json!({ "Privileges": { "AppArmor": { "Mode": "disabled" } } }),
            "Privileges.AppArmor.Mode",
        ),
        (
            json!({ "Privileges": { "SELinuxContext": { "Disable": true } } }),
            "SELinuxContext.Disable",
        ),
        (json!({ "Privileges": { "SELinuxContext": { "Type": "spc_t" } } }), "SELinuxContext.Type"),
        (json!({ "Sysctls": { "net.x": "1" } }), "Sysctls["),
        (json!({ "Groups": ["docker"] }), "Groups[0]"),
        (json!({ "OomScoreAdj": -1 }), "OomScoreAdj"),
    ] {
        decide(&service(&spec)).assert_denied_with(words);
        let update = Request::to(Op::ServiceUpdate, "web")
            .with_body(json!({ "TaskTemplate": { "ContainerSpec": spec } }));
        decide(&update).assert_denied_with(words);
    }
    decide(&service(
        &json!({ "Image": "nginx", "Privileges": { "NoNewPrivileges": true, "Seccomp":
        { "Mode": "default" }, "SELinuxContext": null, "CredentialSpec": null } }),
    ))
    .assert_abstained();
    let gpus = json!({ "TaskTemplate": { "Resources": { "Reservations": { "GenericResources":
        [{ "NamedResourceSpec": { "Kind": "GPU", "Value": "0" } }] } } } });
    decide(&Request::of(Op::ServiceCreate).with_body(gpus)).assert_denied_with("device-requests");
}

/// The swarm fills them in when it makes the container.
#[test]
fn a_template_in_a_service_leads_nowhere() {
    let policy = || guard(json!({ "bind-mounts": ["/srv"], "volume-types": ["nfs"] }));
    let template = r#"/srv/{{index .Service.Labels "up"}}"#;
    let options =
        json!({ "type": "nfs", "device": ":/x", "o": r#"{{index .Service.Labels "o"}}"# });
    for mount in [
        json!({ "Type": "bind", "Source": template, "Target": "/h" }),
        json!({ "Type": "volume", "Source": "{{.Service.Name}}", "Target": "/h" }),
        json!({ "Type": "volume", "VolumeOptions": { "DriverConfig": { "Options": options } } }),
        json!({ "Type": "volume", "VolumeOptions": { "Subpath": "{{.Service.Name}}" } }),
    ] {
        policy().decide(&service(&json!({ "Mounts": [mount] }))).assert_denied_with("Mounts[0].");
    }
    let plain = json!({ "Type": "bind", "Source": "/srv/x", "Target": "/h" });
    policy().decide(&service(&json!({ "Mounts": [plain] }))).assert_abstained();
}

#[test]
fn a_service_is_on_no_network_of_the_hosts() {
    for body in [
        json!({ "TaskTemplate": { "Networks": [{ "Target": "host" }] } }),
        json!({ "Networks": [{ "Target": "host" }] }),
    ] {
        let request = Request::of(Op::ServiceCreate).with_body(body);
        decide(&request).assert_denied_with("Networks[0].Target is \"host\"");
    }
}

#[test]
fn a_service_runs_no_plugin() {
    for task in [
        json!({ "PluginSpec": { "Name": "x", "Remote": "evil/plugin" } }),
        json!({ "Runtime": "plugin" }),
        json!({ "Runtime": "attachment" }),
        json!({ "NetworkAttachmentSpec": { "ContainerID": "x" } }),
    ] {
        let request = Request::of(Op::ServiceCreate).with_body(json!({ "TaskTemplate": task }));
        decide(&request).assert_denied_with("(setting plugins)");
    }
}

#[test]
fn a_service_does_not_roll_back_to_the_host() {
    let before = json!({ "TaskTemplate": { "ContainerSpec": { "Mounts":
        [{ "Type": "bind", "Source": "/", "Target": "/h" }] } } });
    let update = Request::to(Op::ServiceUpdate, "web")
        .with_body(json!({ "TaskTemplate": { "ContainerSpec": { "Image": "e" } } }))
        .with_found(Kind::Service, "web", json!({ "ID": "4f66", "PreviousSpec": before }));
    decide(&update).assert_abstained();
    decide(&update.with_query("rollback", "previous"))
        .assert_denied_with("PreviousSpec.TaskTemplate");
}

#[test]
fn the_swarm_and_its_nodes_stay_as_they_are() {
    for operation in [
        Op::SwarmInit,
        Op::SwarmJoin,
        Op::SwarmLeave,
        Op::SwarmUpdate,
        Op::SwarmUnlock,
        Op::SwarmUnlockkey,
        Op::SwarmInspect,
    ] {
        decide(&Request::of(operation)).assert_denied_with("(setting swarm)");
        guard(json!({ "swarm": true })).decide(&Request::of(operation)).assert_abstained();
    }
    decide(&Request::to(Op::NodeUpdate, "n")).assert_denied_with("(setting swarm)");
    decide(&Request::to(Op::NodeDelete, "n")).assert_denied_with("(setting swarm)");
}

#[test]
fn no_plugin_is_installed_or_changed() {
    for request in [
        Request::of(Op::PluginPull),
        Request::of(Op::PluginCreate),
        Request::to(Op::PluginUpgrade, "p"),
        Request::to(Op::PluginSet, "p"),
        Request::to(Op::PluginEnable, "p"),
        Request::to(Op::PluginDisable, "p"),
        Request::to(Op::PluginDelete, "p"),
        Request::to(Op::PluginPush, "p"),
    ] {
        decide(&request).assert_denied_with("(setting plugins)");
        guard(json!({ "plugins": true })).decide(&request).assert_abstained();
    }
}

#[test]
fn a_network_takes_nothing_of_the_hosts() {
    for (body, words) in [
        (json!({ "Driver": "host" }), "Driver is \"host\""),
        (json!({ "Driver": "macvlan", "Options": { "parent": "eth0" } }), "Driver is \"macvlan\""),
        (json!({ "Driver": "ipvlan" }), "Driver is \"ipvlan\""),
        (json!({ "Driver": "weave" }), "Driver is \"weave\""),
        (json!({ "Options": { "com.docker.network.bridge.name": "br0" } }), "network-options"),
        (
            json!({ "Options": { "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0" } }),
            "network-options",
        ),
        (json!({ "Options": { "parent": "eth0" } }), "network-options"),
        (json!({ "ConfigFrom": { "Network": "base" } }), "network-config-from"),
        (json!({ "IPAM": { "Driver": "infoblox" } }), "IPAM.Driver"),
        (json!({ "Ingress": true }), "Ingress"),
    ] {
        decide(&Request::of(Op::NetworkCreate).with_body(body)).assert_denied_with(words);
    }
    for body in [
        json!({ "Name": "a", "Driver": "bridge", "ConfigFrom": null, "Ingress": false }),
        json!({ "Name": "a", "Driver": "overlay", "Attachable": true, "IPAM": { "Driver": "default",
            "Config": [{ "Subnet": "172.30.0.0/16" }] } }),
        json!({ "Name": "a", "Options": { "com.docker.network.driver.mtu": "1400" } }),
    ] {
        decide(&Request::of(Op::NetworkCreate).with_body(body)).assert_abstained();
    }
}

/// Since API 1.48 they may be sysctls.
#[test]
fn a_container_is_on_a_network_without_options_of_its_driver() {
    let options =
        json!({ "com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.forwarding=1" });
    let words = "com.docker.network.endpoint.sysctls";
    let on_networks = json!({ "EndpointsConfig": { "shop": { "DriverOpts": options } } });
    let create = Request::of(Op::ContainerCreate)
        .with_body(json!({ "Image": "a", "NetworkingConfig": on_networks }));
    let connect = Request::to(Op::NetworkConnect, "shop")
        .with_body(json!({ "Container": "web", "EndpointConfig": { "DriverOpts": options } }));
    let service = Request::of(Op::ServiceCreate).with_body(json!({
        "TaskTemplate": { "ContainerSpec": { "Image": "a" },
            "Networks": [{ "Target": "shop", "DriverOpts": options }] } }));
    for request in [&create, &connect, &service] {
        decide(request).assert_denied_with(words);
        decide(request).assert_denied_with("network-options");
    }
    let listed = json!({ "network-options": [words] });
    for request in [&create, &connect, &service] {
        guard(listed.clone()).decide(request).assert_abstained();
    }
}

#[test]
fn containers_are_kept_off_the_default_network_if_that_is_wanted() {
    let own = || json!({ "no-default-network": true });
    let bridge = json!({ "Name": "bridge", "Driver": "bridge" });
    let create = |mode: &str, endpoints: Value| {
        Request::of(Op::ContainerCreate).with_body(json!({ "Image": "a",
            "HostConfig": { "NetworkMode": mode },
            "NetworkingConfig": { "EndpointsConfig": endpoints } }))
    };
    let connect = |network: &str| {
        Request::to(Op::NetworkConnect, network).with_body(json!({ "Container": "web" }))
    };
    let service = |network: &str| {
        Request::of(Op::ServiceCreate).with_body(json!({
            "TaskTemplate": { "ContainerSpec": { "Image": "a" },
                "Networks": [{ "Target": network }] } }))
    };
    for request in [
        create("", json!({})),
        create("default", json!({})),
        create("bridge", json!({})),
        create("4f66", json!({})),
        create("shop", json!({ "bridge": {} })),
        create("shop", json!({ "shop": { "NetworkID": "4f66" } })),
        create("shop", json!({ "4f66": null })),
        Request::of(Op::ContainerCreate).with_body(json!({ "Image": "a" })),
        connect("bridge"),
        connect("4f66"),
        service("4f66"),
    ] {
        let request = request.with_found(Kind::Network, "4f66", bridge.clone());
        let decision = guard(own()).decide(&request);
        decision.assert_denied_with(
            "containers are not on the default network (setting no-default-network)",
        );
        decide(&request).assert_abstained();
    }
    let shop = json!({ "Name": "shop", "Driver": "bridge" });
    for request in [
        create("shop", json!({ "shop": {} })),
        create("none", json!({})),
        connect("shop"),
        service("shop"),
    ] {
        guard(own())
            .decide(&request.with_found(Kind::Network, "shop", shop.clone()))
            .assert_abstained();
    }
}

#[test]
fn a_build_is_as_confined_as_a_container() {
    let build = |name: &str, value: &str| {
        Request::of(Op::ImageBuild).with_query("t", "x").with_query(name, value)
    };
    for (name, value, words) in [
        ("networkmode", "host", "host-namespaces"),
        ("networkmode", "container:web", "container-namespaces"),
        ("networkmode", "ns:/proc/1/ns/net", "it is no network"),
        ("cgroupparent", "/x", "cgroup-parents"),
        ("securityopt", "[\"seccomp=unconfined\"]", "loosens"),
        ("remote", "https://u:hunter2@example.com/x.git", "remote-builds"),
        ("version", "2", "buildkit"),
        ("session", "s", "buildkit"),
    ] {
        let words = decide(&build(name, value)).assert_denied_with(words).words();
        assert!(!words.contains("hunter2"), "{words}");
    }
    for (name, value) in [("networkmode", "default"), ("version", "1"), ("extrahosts", "a:1.2.3.4")]
    {
        decide(&build(name, value)).assert_abstained();
    }
}

#[test]
fn what_can_not_be_seen_is_refused() {
    decide(&Request::of(Op::Session)).assert_denied_with("(setting buildkit)");
    decide(&Request::of(Op::Grpc)).assert_denied_with("(setting buildkit)");
    let libpod = Request::new("POST", "/libpod/containers/create");
    decide(&libpod).assert_denied_with("(setting unknown-operations)");
    guard(json!({ "unknown-operations": true })).decide(&libpod).assert_abstained();
    // A body that is no object has nothing that could be judged.
    for body in [json!(null), json!([]), json!("x")] {
        decide(&create(&body)).assert_denied_with("the body: it takes a JSON object");
    }
    decide(&Request::of(Op::ContainerCreate)).assert_denied_with("the body");
}

#[test]
fn the_daemon_writes_no_checkpoints_where_it_is_told() {
    for request in [
        Request::to(Op::ContainerCheckpointCreate, "web"),
        Request::to(Op::ContainerCheckpointList, "web").with_query("dir", "/etc"),
        Request::to(Op::ContainerCheckpointDelete, "web").with_query("dir", "/"),
        Request::to(Op::ContainerStart, "web").with_query("checkpoint", "c"),
        Request::to(Op::ContainerStart, "web").with_query("checkpoint-dir", "/tmp"),
    ] {
        decide(&request).assert_denied_with("(setting checkpoints)");
        guard(json!({ "checkpoints": true })).decide(&request).assert_abstained();
    }
}

#[test]
fn fields_that_are_not_known_pass_or_are_refused() {
    let request =
        create(&json!({ "HostConfig": { "Magic": ["/"], "Spell": null, "CapDrop": ["ALL"] } }));
    decide(&request).assert_abstained();
    let strict = guard(json!({ "unknown-fields": "refuse" }));
    let words =
        strict.decide(&request).assert_denied_with("HostConfig.Magic: it is not known").words();
    assert!(!words.contains("Spell") && !words.contains("CapDrop"), "{words}");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let request = create(&json!({ "Env": ["PASSWORD=hunter2"], "HostConfig": {
        "Privileged": true, "PidMode": "host", "Binds": ["/:/h"], "CapAdd": ["SYS_ADMIN"] } }));
    let denial = decide(&request).assert_denied_with("container-create is refused: ").clone();
    for words in [
        "HostConfig.Privileged is true: a privileged container is root on the host (setting privileged)",
        "HostConfig.PidMode is \"host\"",
        "(setting host-namespaces)",
        "HostConfig.Binds[0] is \"/:/h\"",
        "(setting bind-mounts)",
        "HostConfig.CapAdd[0] is \"SYS_ADMIN\"",
    ] {
        assert!(denial.message.contains(words), "{words}: {}", denial.message);
    }
    assert_eq!(denial.code, "several");
    assert!(!denial.message.contains("hunter2"));
}

/// What SDKs send for what they don't use.
#[test]
fn fields_that_say_nothing_pass() {
    let names = "Binds CapAdd Capabilities Devices DeviceRequests DeviceCgroupRules Mounts Tmpfs \
        VolumeDriver VolumesFrom SecurityOpt Runtime CgroupParent GroupAdd Sysctls Ulimits \
        OomScoreAdj OomKillDisable StorageOpt Annotations Privileged NetworkMode PidMode IpcMode \
        UTSMode UsernsMode CgroupnsMode Cgroup PublishAllPorts PortBindings LogConfig Isolation";
    for name in names.split_whitespace() {
        for falsy in [json!(null), json!(false), json!(0), json!(""), json!([]), json!({})] {
            decide(&create(&json!({ name: falsy, "HostConfig": { name: falsy } })))
                .assert_abstained();
        }
    }
    for body in [json!({}), json!({ "HostConfig": null }), json!({ "HostConfig": {} })] {
        decide(&create(&body)).assert_abstained();
    }
    let exec = json!({ "Cmd": ["x"], "Privileged": false, "User": "", "Env": null });
    decide(&Request::to(Op::ContainerExec, "web").with_body(exec)).assert_abstained();
    let spec = json!({ "Mounts": null, "Privileges": null, "CapabilityAdd": [], "Sysctls": {} });
    decide(&service(&spec)).assert_abstained();
}

/// Everything else looks, ends or deletes something, or moves images.
#[test]
fn no_other_operation_is_refused() {
    let refused: std::collections::BTreeSet<_> = routes()
        .iter()
        .filter(|route| {
            let target = route.pattern.contains('{') && route.operation != Op::Options;
            let request = if target {
                Request::to(route.operation, "web")
            } else {
                Request::of(route.operation)
            };
            matches!(decide(&request.with_body(json!({}))), Verdict::Deny(_))
        })
        .map(|route| route.operation.name())
        .collect();
    let expected = [
        "container-checkpoint-create",
        "container-checkpoint-delete",
        "container-checkpoint-list",
        "grpc",
        "node-delete",
        "node-update",
        "plugin-create",
        "plugin-delete",
        "plugin-disable",
        "plugin-enable",
        "plugin-pull",
        "plugin-push",
        "plugin-set",
        "plugin-upgrade",
        "session",
        "swarm-init",
        "swarm-inspect",
        "swarm-join",
        "swarm-leave",
        "swarm-unlock",
        "swarm-unlockkey",
        "swarm-update",
        "volume-update",
    ];
    assert_eq!(refused.into_iter().collect::<Vec<_>>(), expected);
}
