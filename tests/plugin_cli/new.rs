//! A policy from nothing.

use std::{fs, path::Path, process::Command};

use crate::command::Bench;

/// Dependencies as this repository has them, without asking a registry.
fn offline(bench: Bench) -> Bench {
    bench
        .variable("CARGO_NET_OFFLINE", "true")
        .variable("CARGO_TARGET_DIR", concat!(env!("OUT_DIR"), "/new"))
}

#[test]
fn a_new_policy_tests_builds_and_decides() {
    let bench = offline(Bench::new());
    let said = bench.does("new team-policy");
    assert!(said.out.contains("dockgate plugin build"), "{said:?}");
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    fs::copy(lock, bench.path().join("team-policy/Cargo.lock")).unwrap();
    let cargo_toml = "team-policy/Cargo.toml";
    for command in [
        &["fmt", "--check", "--manifest-path"][..],
        &["test", "--quiet", "--manifest-path"],
        &["clippy", "--quiet", "--all-targets", "--manifest-path"],
    ] {
        let mut cargo = Command::new("cargo");
        cargo.args(command).arg(cargo_toml);
        if command.contains(&"clippy") {
            cargo.args(["--", "-D", "warnings"]);
        }
        let said = bench.finish(cargo);
        assert_eq!(said.code, Some(0), "cargo {command:?}: {said:?}");
    }
    bench.does("build --manifest-path team-policy/Cargo.toml");
    bench
        .does("test team-policy/team-policy.wasm team-policy/requests.json")
        .has_line("4 rows,", "all as expected");
    let create = ["run", "team-policy/team-policy.wasm", "--request", "POST /containers/create"];
    bench
        .run(&[&create[..], &["--body", r#"{"Image":"nginx"}"#]].concat())
        .is(1)
        .has_line("reason", "the container has no label team");
    bench.run(&[&create[..], &["--body", r#"{"labels":{"team":"a"}}"#]].concat()).is(3);
    bench
        .does("inspect team-policy/team-policy.wasm")
        .has_line("name", "team-policy 0.1.0")
        .has_line("sees", "container-create: the bodies of requests");
}

#[test]
fn nothing_is_ever_overwritten() {
    let bench = Bench::new().file("mine.txt", "mine");
    let said = bench.refuses(&["new", "policy", "--folder", "."]);
    assert!(said.contains("there is something in it already"), "{said}");
    assert_eq!(fs::read_dir(bench.path()).unwrap().count(), 1);
    bench.does("new policy --folder deep/in/it");
    let said = bench.refuses(&["new", "policy", "--folder", "deep/in/it"]);
    assert!(said.contains("name another with --folder"), "{said}");
}

#[test]
fn a_name_that_can_not_be_a_crates_is_refused() {
    let bench = Bench::new();
    for name in ["", "Team", "team_policy", "../x", "9lives", "-x", "x-", "a--b", "crate", "std"] {
        let said = bench.refuses(&["new", "--", name]);
        assert!(said.starts_with(&format!("dockgate: NAME: {name:?} is ")), "{said}");
    }
    assert_eq!(fs::read_dir(bench.path()).unwrap().count(), 0);
}
