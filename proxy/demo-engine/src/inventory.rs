//! What is there from the start: the sample containers, the networks, the volume.

use serde_json::{Value, json};

use crate::Engine;

/// Creates the sample containers, to be started once a runtime is there.
pub(crate) fn compose_project(engine: &Engine) {
    let labelled = |service: &str| json!({ "com.docker.compose.project": "shop", "com.docker.compose.service": service });
    let samples = [
        (
            "shop-backup-1",
            json!({
                "Image": "busybox", "Cmd": ["echo", "backup done"], "Labels": labelled("backup"),
            }),
        ),
        (
            "shop-worker-1",
            json!({
                "Image": "busybox", "Cmd": ["cat"], "OpenStdin": true, "Labels": labelled("worker"),
                "Env": ["QUEUE=orders"],
            }),
        ),
        (
            "shop-web-1",
            json!({
                "Image": "nginx:alpine", "Labels": labelled("web"),
                "HostConfig": { "RestartPolicy": { "Name": "unless-stopped", "MaximumRetryCount": 0 } },
            }),
        ),
    ];
    for (name, body) in samples {
        // The images exist and the names differ.
        if let Ok(container) = engine.create_container(name, &body) {
            engine.state().autostart.push(container);
        }
    }
}

pub(crate) fn networks() -> Value {
    let networks = [
        ("bridge", "bridge", "2f1c9d04c6f4a7f1b4f7a1b5de3f0c8e9a7d6b5c4e3f2a1908f7e6d5c4b3a291"),
        ("host", "host", "7ab0c1d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d"),
        ("none", "null", "d41e8c0fb2a3948576a1b2c3d4e5f60718293a4b5c6d7e8f9a0b1c2d3e4f5061"),
    ];
    networks.iter().map(|(name, driver, id)| network(name, driver, id)).collect()
}

fn network(name: &str, driver: &str, id: &str) -> Value {
    let subnets = match driver {
        "bridge" => json!([{ "Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1" }]),
        _ => json!([]),
    };
    json!({
        "Name": name,
        "Id": id,
        "Created": "2026-01-01T00:00:00Z",
        "Scope": "local",
        "Driver": driver,
        "EnableIPv6": false,
        "IPAM": { "Driver": "default", "Options": null, "Config": subnets },
        "Internal": false,
        "Attachable": false,
        "Ingress": false,
        "ConfigFrom": { "Network": "" },
        "ConfigOnly": false,
        "Containers": {},
        "Options": {},
        "Labels": {},
    })
}

pub(crate) fn volumes() -> Value {
    let volume = json!({
        "CreatedAt": "2026-01-01T00:00:00Z",
        "Driver": "local",
        "Labels": { "com.docker.compose.project": "shop" },
        "Mountpoint": "/var/lib/docker/volumes/shop_data/_data",
        "Name": "shop_data",
        "Options": null,
        "Scope": "local",
    });
    json!({ "Volumes": [volume], "Warnings": null })
}
