//! What is said where something is wrong, and what to do about it.

use crate::{command::Bench, wat::Plugin};

/// Runs a plugin with a request that is right.
fn run<'w>(source: &'w str, more: &[&'w str]) -> Vec<&'w str> {
    [&["run", source, "--request", "GET /info"][..], more].concat()
}

#[test]
fn what_is_no_plugin_is_named() {
    let clock = "(import \"dockgate:filter/clock@0.1.0\" (instance (export \"unix-time\" (func (result u64)))))";
    let newer =
        Plugin::allowing().renaming("dockgate:filter/log@0.1.0", "dockgate:filter/log@0.2.0");
    let bench = Bench::new()
        .file("text.wasm", "#!/bin/sh\n")
        .file("module.wasm", wat::parse_str("(module)").unwrap())
        .plugin("newer", &newer)
        .plugin("clock", &Plugin::allowing().importing(clock));
    for (source, words) in [
        ("nowhere.wasm", "No such file or directory (os error 2)"),
        ("text.wasm", "it is not WebAssembly"),
        ("module.wasm", "it is a core module: a plugin is a component (build for wasm32-wasip2)"),
        (
            "newer.wasm",
            "it was built for version 0.2.0 of the interface, and this dockgate has 0.1.0: build it \
             again, or use the dockgate that it was built for",
        ),
        (
            "clock.wasm",
            "it imports dockgate:filter/clock@0.1.0, which is not granted: grant it with --grant \
             clock=clock",
        ),
    ] {
        let said = bench.refuses(&run(source, &[]));
        assert_eq!(said, format!("dockgate: plugin {source}: {words}\n"));
    }
    let said = bench.refuses(&run("bundled:tecnativ", &[]));
    let words =
        "dockgate: plugin bundled:tecnativ: there is no such plugin in this binary; there is ";
    assert!(said.starts_with(words) && said.contains("tecnativa"), "{said}");
    for grant in ["clock", "clock=clock"] {
        bench.run(&run("clock.wasm", &["--grant", grant])).is(0);
    }
}

#[test]
fn settings_that_do_not_fit_are_refused_in_the_plugins_words() {
    let bench = Bench::new().file("odd.json", "dialect: auto");
    for (settings, words) in [
        ("{", "--settings: \"{\" is not JSON: EOF while parsing an object at line 1 column 1"),
        ("odd.json", "odd.json: it is not JSON: expected value at line 1 column 1"),
        ("none.json", "none.json: No such file or directory (os error 2)"),
    ] {
        let said = bench.refuses(&run("bundled:tecnativa", &["--settings", settings]));
        assert_eq!(said, format!("dockgate: {words}\n"));
    }
    let said = bench.refuses(&run("bundled:tecnativa", &["--settings", r#"{"dialekt":1}"#]));
    assert!(said.contains("it refuses its settings: "), "{said}");
    assert!(said.contains("unknown field `dialekt`"), "{said}");
}

#[test]
fn what_is_no_request_is_shown_one() {
    let bench = Bench::new().file("cut.http", "GET /info HTTP/1.1\r\nHost: x\r\n");
    for (request, words) in [
        ("/info", "is no request, and no such file"),
        ("get /info", "begins with no method, such as GET"),
        ("GET info", "has no path that begins with a slash"),
        ("nowhere.http", "is no request, and no such file"),
    ] {
        let said = bench.refuses(&["run", "bundled:tecnativa", "--request", request]);
        let end = "write 'GET /containers/json', or name a file\n";
        assert_eq!(said, format!("dockgate: --request: {request:?} {words}: {end}"));
    }
    let said = bench.refuses(&["run", "bundled:tecnativa", "--request", "cut.http"]);
    let words = "it is no HTTP/1.1 request: it has no empty line behind its headers";
    assert_eq!(said, format!("dockgate: cut.http: {words}\n"));
}

#[test]
fn options_that_mean_nothing_are_named() {
    let bench = Bench::new().plugin("it", &Plugin::allowing());
    for (more, words) in [
        (["--header", "X-Team"], "--header: \"X-Team\" is no header: write 'X-Team: web'"),
        (
            ["--grant", "look-up"],
            "--grant: \"look-up\" there is no grant \"look-up\"; there is look-ups, clock",
        ),
        (["--grant", "other=clock"], "--grant: \"other=clock\" is for another plugin than it"),
        (
            ["--response", "{}"],
            "--response: \"{}\" is not what this plugin sees: its manifest asks for no answers to system-info",
        ),
        (
            ["--item", "{}"],
            "--item: \"{}\" is not what this plugin sees: its manifest asks for no items of system-info",
        ),
    ] {
        assert_eq!(bench.refuses(&run("it.wasm", &more)), format!("dockgate: {words}\n"));
    }
    for found in ["web={}", "pod/web={}", "container/web"] {
        let said = bench.refuses(&run("it.wasm", &["--found", found]));
        assert!(said.contains("write container/web={\"Id\":\"4f66\"}"), "{said}");
    }
    for (option, value, words) in [
        ("--client", "web", "give an address such as 172.18.0.3, or UID:GID"),
        ("--client", "1000:1000:web", "give an address such as 172.18.0.3, or UID:GID"),
        ("--container", "image=nginx", "give its name: name=web,image=nginx,label.team=web"),
        ("--container", "name=web,imge=nginx", "\"imge=nginx\" is none of name=…, id=…, image=…"),
        ("--certificate", "CN=ci", "\"CN=ci\" is none of subject=…, name=…, pin=…"),
    ] {
        let said = bench.refuses(&run("it.wasm", &[option, value]));
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn tables_that_can_not_be_read_are_named() {
    let bench = Bench::new()
        .file("empty.json", "[]")
        .file("misspelt.json", r#"[{"request":{"method":"GET","path":"/info"},"verdikt":"deny"}]"#);
    let said = bench.refuses(&["test", "bundled:tecnativa", "empty.json"]);
    assert_eq!(said, "dockgate: empty.json: it has no rows, so nothing would be tested\n");
    let said = bench.refuses(&["test", "bundled:tecnativa", "misspelt.json"]);
    assert!(said.contains("unknown field `verdikt`"), "{said}");
}

#[test]
fn a_crate_that_can_not_be_built_is_told_what_it_lacks() {
    let bench = Bench::new();
    let said = bench.refuses(&["build"]);
    assert!(said.contains("begin one with `dockgate plugin new NAME`"), "{said}");
    bench.does("new policy");
    std::fs::remove_file(bench.path().join("policy/manifest.json")).unwrap();
    let said = bench.refuses(&["build", "--manifest-path", "policy/Cargo.toml"]);
    assert!(
        said.ends_with("policy/manifest.json: No such file or directory (os error 2)\n"),
        "{said}"
    );
}

/// Where the target is missing is found out before cargo builds anything. A `rustc` that knows no
/// target stands for such a toolchain.
#[test]
fn a_target_that_is_missing_is_named_with_the_command_that_adds_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new();
    bench.does("new policy");
    let tools = bench.path().join("tools");
    std::fs::create_dir(&tools).unwrap();
    let rustc = tools.join("rustc");
    std::fs::write(&rustc, "#!/bin/sh\necho /nowhere\n").unwrap();
    std::fs::set_permissions(&rustc, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let bench = bench.variable("PATH", &path);
    let said = bench.refuses(&["build", "--manifest-path", "policy/Cargo.toml"]);
    let words =
        "this toolchain can't build for wasm32-wasip2 yet: run `rustup target add wasm32-wasip2`";
    assert_eq!(said, format!("dockgate: {words}\n"));
}
