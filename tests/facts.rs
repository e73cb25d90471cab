//! Bodies that were sent to a live dockerd 20.10.24, beside what it made of them
//! (`facts/dockerd.jsonl`): through `bundled:container-guard` without settings none comes that gives a
//! container, or a volume, anything of the host.
//!
//! A line has `kind`, `case`, `method`, `path` and `body`; `status`, which the daemon answered; and what
//! the daemon says of what it made: `effective_hostconfig`, `effective`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "presets/demo.rs"]
#[allow(dead_code, reason = "tests/tools.rs uses the rest")]
mod demo;
#[path = "config/folder.rs"]
#[allow(dead_code, reason = "tests/config.rs uses the rest")]
mod folder;
#[path = "dockerd/wire.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod wire;

use std::fs;

use serde_json::Value;

use demo::guarded;

/// The cases that come through, and what they are to the daemon.
const PASSES: [(&str, &str); 8] = [
    ("Privileged null", "no field"),
    ("Privileged false CapAdd null (docker-py)", "no fields"),
    ("NetworkMode \" host\"", "a network of that name, which there is not"),
    ("invalid utf8 in key", "a field that it does not know"),
    ("VolumeDriver", "a volume of the local driver"),
    ("Volumes abs", "a volume without a name"),
    ("Volumes bind-like legacy", "a volume without a name, at a path with a colon in it"),
    ("Runtime", "the usual runtime"),
];

#[test]
fn nothing_of_the_host_is_made_of_what_was_tried() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/facts/dockerd.jsonl");
    let text = fs::read_to_string(file).unwrap();
    let proxy = guarded(&serde_json::json!({}));
    let mut passed = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| row[key].as_str().unwrap();
        let request = format!("{} {}", word("method"), word("path"));
        if demo::refusal(&proxy.socket(), &request, word("body")).is_none() {
            let made = &row["effective_hostconfig"];
            for field in ["Privileged", "Binds", "Mounts", "CapAdd", "PidMode", "Sysctls"] {
                assert_eq!(made[field], Value::Null, "{line}");
            }
            passed.push(word("case").to_owned());
        }
    }
    let expected: Vec<_> = PASSES.iter().map(|(case, _)| *case).collect();
    assert_eq!(passed, expected);
}
