//! Tools themselves, each before a real daemon by the file that `dockgate init` writes for it: what a
//! tool calls is read from its source in `proxy/src/preset/tools/`, and here it says so itself.
//!
//! Needs what tests/dockerd.rs needs, npm, and Prometheus' `promtool`. Of the other tools none comes from
//! a package registry.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "dockerd/clients.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod clients;
#[path = "dockerd/daemon.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod daemon;
#[path = "presets/demo.rs"]
#[allow(dead_code, reason = "tests/presets.rs uses the rest")]
mod demo;
#[path = "config/folder.rs"]
#[allow(dead_code, reason = "tests/config.rs uses the rest")]
mod folder;
#[path = "dockerd/shell.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod shell;
#[path = "dockerd/wire.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod wire;

use std::fs;
use std::process::Command;

use serde_json::Value;

use clients::Client;
use daemon::{Daemon, is_installed};
use demo::Proxy;
use folder::Folder;

/// A proxy with the file of a tool.
fn proxy_for(tool: &str, daemon: &Daemon, options: &[&str]) -> Proxy {
    let folder = Folder::new();
    let listen = format!("unix://{}", folder.path("proxy.sock").display());
    let daemon = daemon.address();
    let init = ["init", tool, "--listen", &listen, "--upstream", &daemon, "-o", "dockgate.yaml"];
    let said = folder.run(&[&init, options].concat());
    assert_eq!(said.code, 0, "{tool}: {}", said.words);
    Proxy::before_a_daemon(folder)
}

/// Which of a tool's requests were refused.
fn refusals(proxy: &Proxy) -> Vec<Value> {
    let records = proxy.records();
    assert!(!records.is_empty(), "nothing was asked");
    records.into_iter().filter(|record| record["verdict"] != "allow").collect()
}

/// Runs a program to its end, or for two minutes, and gives what it printed.
fn run(command: &mut Command) -> String {
    let (program, arguments) = (command.get_program().to_owned(), command.get_args());
    let mut limited = Command::new("timeout");
    limited.args(["--kill-after=5", "120"]).arg(&program).args(arguments);
    for (name, value) in command.get_envs() {
        limited.env(name, value.expect("only set"));
    }
    let output = limited.output().expect("timeout starts");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (out, words) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}:\n{out}\n{words}", program.display());
    out
}

#[test]
fn prometheus_finds_what_to_scrape() {
    let Some(daemon) = daemon::shared() else { return };
    if !is_installed("promtool") {
        return;
    }
    daemon.shell().must_run(
        "docker run --detach --name web --label team=shop --expose 8080 busy:1 sleep 1000",
    );
    let proxy = proxy_for("prometheus", &daemon, &[]);
    let config = daemon.folder().join("prometheus.yml");
    let job = format!(
        "scrape_configs:\n- job_name: docker\n  docker_sd_configs:\n  - host: {}\n",
        proxy.address()
    );
    fs::write(&config, job).unwrap();
    let check = ["check", "service-discovery", "--timeout=3s"];
    let found = run(Command::new("promtool").args(check).arg(&config).arg("docker"));
    let found: Value = serde_json::from_str(&found).unwrap_or_else(|_| panic!("{found}"));
    let labels = &found[0]["discoveredLabels"];
    assert_eq!(labels["__meta_docker_container_name"], "/web", "{found}");
    assert_eq!(labels["__meta_docker_container_label_team"], "shop");
    assert_eq!(labels["__meta_docker_network_name"], "bridge");
    assert_eq!(refusals(&proxy), [Value::Null; 0]);
}

#[test]
fn testcontainers_starts_a_container() {
    let Some(daemon) = daemon::shared() else { return };
    let Some(client) = Client::dockerode() else { return };
    let proxy = proxy_for("testcontainers", &daemon, &[]);
    let client = client.and_script("../../guard/clients/testcontainers.js");
    client.runs("container", &proxy.address());
    assert_eq!(refusals(&proxy), [Value::Null; 0]);
}

#[test]
fn a_dev_container_is_built_and_entered() {
    let Some(daemon) = daemon::shared() else { return };
    if Client::dockerode().is_none() {
        return;
    }
    let workspace = daemon.folder().join("workspace");
    let home = daemon.folder().join("home");
    fs::create_dir_all(workspace.join(".devcontainer")).unwrap();
    fs::create_dir_all(&home).unwrap();
    fs::write(
        workspace.join(".devcontainer/devcontainer.json"),
        r#"{
            "build": { "dockerfile": "Dockerfile" },
            "containerEnv": { "COLOUR": "blue" },
            "mounts": ["source=kept,target=/kept,type=volume"],
            "postCreateCommand": "echo $COLOUR >/kept/created"
        }"#,
    )
    .unwrap();
    // It enters as a user that has to be there.
    let steps =
        "FROM busy:1\nRUN echo made >/made; echo 'root:x:0:0:root:/root:/bin/sh' >/etc/passwd\n";
    fs::write(workspace.join(".devcontainer/Dockerfile"), steps).unwrap();
    fs::write(workspace.join("source"), "text").unwrap();
    let folder = workspace.to_str().unwrap();
    let proxy = proxy_for("devcontainers", &daemon, &["--folder", folder]);
    let devcontainer = |command: &str, arguments: &[&str]| {
        run(Command::new(Client::program("devcontainer"))
            .args([command, "--workspace-folder", folder])
            .args(arguments)
            .env("DOCKER_HOST", proxy.address())
            .env("HOME", &home))
    };
    let up = devcontainer("up", &["--buildkit", "never"]);
    assert!(up.contains(r#""outcome":"success""#), "{up}");
    let read = devcontainer("exec", &["cat", "/made", "/kept/created", "source"]);
    assert_eq!(read, "made\nblue\ntext");
    assert_eq!(refusals(&proxy), [Value::Null; 0]);
}
