//! `dockgate init`: each tool's file lets its calls through, refuses what it is not to have, and opens
//! nothing more than it needs. The calls stand in `proxy/src/preset/tools/`, with where each is from.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "presets/demo.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod demo;
#[path = "config/folder.rs"]
#[allow(dead_code, reason = "tests/config.rs uses the rest")]
mod folder;
#[path = "dockerd/wire.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod wire;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use dockgate::preset::{self, Call, Preset};
use dockgate::request::{ApiVersion, CanonicalRequest, Operation};

use demo::Proxy;
use folder::{Folder, Said};

/// Looks at everything, of which its calls are a part.
const LOOKS_AT_ALL: &str = "read-only";

/// A proxy with the file of a tool.
fn proxy_for(tool: &str) -> Proxy {
    let folder = Folder::new();
    let listen = format!("unix://{}", folder.path("proxy.sock").display());
    let said = folder.run(&["init", tool, "--listen", &listen]);
    assert_eq!((said.code, said.words.as_str()), (0, ""), "{tool}");
    let folder = folder.file("dockgate.yaml", said.out);
    let checked = folder.run(&["check"]);
    assert_eq!(checked.code, 0, "{tool}: {}", checked.out);
    Proxy::start(folder)
}

/// What dockgate itself says to a call; `None` where it let it through.
fn refusal(proxy: &Proxy, call: &Call) -> Option<String> {
    let body = call.body.as_ref().map(ToString::to_string).unwrap_or_default();
    demo::refusal(&proxy.socket(), &call.request, &body)
}

fn operation(call: &Call) -> Operation {
    let (method, target) = call.request.split_once(' ').unwrap();
    let path = target.split('?').next().unwrap();
    let request = http::Request::builder().method(method).uri(path).body(()).unwrap();
    let oldest: ApiVersion = "1.24".parse().unwrap();
    CanonicalRequest::new(request.into_parts().0, oldest).unwrap().operation()
}

/// The operations that a tool's file allows.
fn allowed(preset: &Preset) -> BTreeSet<&'static str> {
    let of_pattern = |pattern: &String| Operation::matching(pattern).unwrap();
    preset.allow.iter().flat_map(of_pattern).map(Operation::name).collect()
}

#[test]
fn the_calls_of_each_tool_come_through_and_others_do_not() {
    for tool in preset::names() {
        let preset = preset::find(tool).unwrap();
        let proxy = proxy_for(tool);
        for call in &preset.calls {
            let refusal = refusal(&proxy, call);
            assert_eq!(refusal, None, "{tool}: {} {:?}", call.request, call.body);
        }
        for call in &preset.refused {
            let refusal = refusal(&proxy, call);
            assert!(refusal.is_some(), "{tool} may {} {:?}", call.request, call.body);
        }
    }
}

/// A tool that makes nothing has what it calls, and no operation more.
#[test]
fn a_tool_is_given_what_it_calls() {
    for tool in preset::names().filter(|tool| *tool != LOOKS_AT_ALL) {
        let preset = preset::find(tool).unwrap();
        let called: BTreeSet<_> = preset.calls.iter().map(|call| operation(call).name()).collect();
        let allowed = allowed(&preset);
        let lacks: Vec<_> = called.difference(&allowed).collect();
        assert!(lacks.is_empty(), "{tool} calls {lacks:?}, and is not given it");
        if preset.guard.is_none() {
            let idle: Vec<_> =
                allowed.difference(&called).filter(|name| **name != "system-ping").collect();
            assert!(idle.is_empty(), "{tool} is given {idle:?}, and calls it not");
        }
    }
}

/// What no tool that is in a list may be given without a guard.
#[test]
fn what_changes_something_has_a_guard_or_is_a_restart() {
    for tool in preset::names() {
        let preset = preset::find(tool).unwrap();
        if preset.guard.is_some() {
            continue;
        }
        let reads =
            ["list", "inspect", "ping", "version", "info", "events", "usage", "stats", "logs"];
        let more = ["top", "changes", "history", "search"];
        for name in allowed(&preset) {
            let reads = reads.iter().chain(&more).any(|end| name.ends_with(end));
            assert!(reads || name == "container-restart", "{tool}: {name}");
        }
    }
}

#[test]
fn several_tools_have_a_socket_each() {
    let folder = Folder::new();
    let said = folder.run(&[
        "init",
        "traefik",
        "watchtower",
        "traefik",
        "--upstream",
        "unix:///run/docker.sock",
        "--folder",
        "/srv/one",
        "--folder",
        "/srv/two",
    ]);
    assert_eq!((said.code, said.words.as_str()), (0, ""));
    insta::with_settings!({ snapshot_path => "presets/snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("traefik_and_watchtower", said.out);
    });
    let checked = folder.file("dockgate.yaml", said.out).run(&["check"]);
    assert_eq!((checked.code, checked.words.as_str()), (0, ""), "{}", checked.out);
}

/// Whoever reaches an address is taken for the tool.
#[test]
fn a_tool_has_a_socket_unless_an_address_is_given() {
    let said = Folder::new().run(&["init", "portainer"]);
    assert!(said.out.contains("address: unix:///run/dockgate/portainer.sock\n"), "{}", said.out);
    assert!(!said.out.contains("taken for"), "{}", said.out);
    let said = Folder::new().run(&["init", "portainer", "--listen", "[::]:2375"]);
    assert!(said.out.contains("address: \"tcp://[::]:2375\"\n"), "{}", said.out);
    let warning = "# Whoever reaches this address is taken for Portainer.\n";
    assert!(said.out.contains(warning), "{}", said.out);
}

#[test]
fn a_folder_may_be_mounted_if_it_is_named() {
    let folder = Folder::new();
    let said = folder.run(&["init", "devcontainers", "--folder", "/home/me/projects"]);
    let folder = folder.file("dockgate.yaml", said.out);
    let table = |source: &str, expect: &str| {
        format!(
            "config: dockgate.yaml\nrequests:\n  - request: POST /containers/create\n    body: {{ Image: \
             a, HostConfig: {{ Mounts: [{{ Type: bind, Source: {source}, Target: /w }}] }} }}\n    \
             expect: {expect}\n"
        )
    };
    for (source, expect) in [
        ("/home/me/projects/site", "allow"),
        ("/home/me", "deny"),
        ("/home/me/projects/../.ssh", "deny"),
    ] {
        fs::write(folder.path("dockgate.test.yaml"), table(source, expect)).unwrap();
        let tested = folder.run(&["test", "dockgate.test.yaml"]);
        assert_eq!(tested.code, 0, "{source}: {}{}", tested.out, tested.words);
    }
}

#[test]
fn a_file_that_is_there_is_kept() {
    let folder = Folder::new();
    let write =
        |more: &[&str]| folder.run(&[&["init", "diun", "-o", "dockgate.yaml"], more].concat());
    let said = write(&[]);
    let words = "dockgate: wrote dockgate.yaml. Next: dockgate check dockgate.yaml\n";
    assert_eq!((said.code, said.out.as_str(), said.words.as_str()), (0, "", words));
    fs::write(folder.path("dockgate.yaml"), "# mine\n").unwrap();
    let said = write(&[]);
    let words = "dockgate: dockgate.yaml: it is there already: --force writes over it\n";
    assert_eq!((said.code, said.words.as_str()), (2, words));
    assert_eq!(fs::read_to_string(folder.path("dockgate.yaml")).unwrap(), "# mine\n");
    let said = write(&["--force"]);
    assert_eq!(said.code, 0, "{}", said.words);
    let text = fs::read_to_string(folder.path("dockgate.yaml")).unwrap();
    assert!(text.starts_with("# Diun: tells of newer images for containers."), "{text}");
}

#[test]
fn what_is_wrong_is_said_and_is_the_exit_code() {
    for (arguments, words) in [
        (["traefk"].as_slice(), "tip: a similar value exists: 'traefik'"),
        (&[], "dockgate: TOOL: \"\" is named by nobody: give one of act, autoheal, "),
        (&["diun", "--listen", "nowhere"], "dockgate: --listen: \"nowhere\" "),
        (&["diun", "dozzle", "--listen", ":1"], "is for one tool: leave it out"),
        (&["diun", "--folder", "here"], "give an absolute path"),
        (&["diun", "--force"], "--output <FILE>"),
        (&["diun", "-o", "no/such/folder"], "No such file or directory"),
    ] {
        let said = Folder::new().run(&[&["init"], arguments].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{arguments:?}");
        assert!(said.words.contains(words), "{arguments:?}: {}", said.words);
    }
}

#[test]
fn the_tools_are_listed() {
    let said = Folder::new().run(&["init", "--list"]);
    assert_eq!(said.code, 0);
    assert_eq!(said.out.lines().count(), preset::names().count() + 1);
    assert!(
        said.out.contains("\ntraefik          Traefik: routes to containers by their labels\n")
    );
}

/// On a terminal it asks, until there is an answer or no more input.
#[test]
fn who_is_at_a_terminal_is_asked() {
    for (typed, expected) in [
        ("traefk\\n\\nTraefik\\n", Some("# Traefik: routes")),
        ("99\\n1\\n", Some("# act: runs")),
        ("\\004", None),
    ] {
        let folder = Folder::new();
        let binary = env!("CARGO_BIN_EXE_dockgate");
        let script = format!(
            "(sleep 0.5; printf '{typed}'; sleep 0.5) | script -qec '{binary} init --output file' /dev/null"
        );
        let mut shell = Command::new("sh");
        let said = Said::of(shell.args(["-c", &script]).current_dir(folder.root()));
        assert!(said.out.contains("Which tool, by name or number?"), "{}", said.out);
        let written = fs::read_to_string(folder.path("file"));
        if let Some(begin) = expected {
            assert!(written.unwrap().starts_with(begin), "{}", said.out);
        } else {
            assert!(written.is_err(), "{}", said.out);
            assert_eq!(said.code, 2, "{}", said.out);
        }
        let asks_again = said.out.contains("there is no \"traefk\": did you mean traefik?");
        assert_eq!(asks_again, typed.starts_with("traefk"), "{}", said.out);
    }
}
