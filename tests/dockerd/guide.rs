//! The policy that the guide comes to, at a real daemon.

use std::{fs, process::Command};

use serde_json::json;

use crate::{
    daemon,
    page::Page,
    proxy::{FLAGS, Proxy},
};

/// Begun, written and built as the guide says, in a folder of its own.
#[test]
fn the_policy_of_the_guide_decides_at_a_real_daemon() {
    let Some(daemon) = daemon::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let crate_folder = folder.path().join("team-label");
    let dockgate = |arguments: &[&str], here: &std::path::Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_dockgate"))
            .args(arguments)
            .current_dir(here)
            .env("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/guide"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    dockgate(&["plugin", "new", "team-label"], folder.path());
    for block in Page::read("docs/writing-a-plugin.md").blocks() {
        if let Some(file) = block.file.filter(|file| file != "settings.json") {
            fs::write(crate_folder.join(file), block.text).unwrap();
        }
    }
    dockgate(&["plugin", "build"], &crate_folder);
    let settings = crate_folder.join("settings.json");
    fs::write(&settings, json!({"label": "guide=ours"}).to_string()).unwrap();

    let plugin =
        format!("{}={}", crate_folder.join("team-label.wasm").display(), settings.display());
    let proxy = Proxy::configured(&daemon.socket(), |command| {
        command
            .args(["--plugin", "bundled:tecnativa", "--plugin", &plugin])
            .args(["--grant", "team-label=look-ups"])
            .envs(FLAGS.map(|flag| (flag, "1")))
    });
    let bare = daemon.shell();
    let ours = proxy.shell();
    bare.must_run("docker create --name guide-theirs busy:1 true");
    ours.must_run("docker create --name guide-ours busy:1 true");
    let label = "docker inspect --format '{{.Config.Labels.guide}}' guide-ours";
    assert_eq!(bare.must_run(label), "ours\n");
    assert_eq!(ours.must_run("docker ps --all --format '{{.Names}}'"), "guide-ours\n");
    let refused = ours.run("docker rm guide-theirs");
    let words = "there is no container guide-theirs of yours";
    assert!(refused.stderr.contains(words), "{refused}");
    ours.must_run("docker rm guide-ours");
    bare.must_run("docker rm guide-theirs");
}
