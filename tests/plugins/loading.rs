//! What is no plugin keeps the proxy from starting, with words that help.

use crate::{
    proxy::{Ended, Scene},
    wat::Plugin,
};

/// It does not start: exit code 2, and these words after the name of the plugin.
fn is_refused(scene: Scene, words: &str) -> Ended {
    let ended = scene.refusal();
    assert_eq!(ended.code, Some(2), "{}", ended.words);
    assert!(ended.words.starts_with("dockgate: plugin "), "{}", ended.words);
    assert!(ended.words.ends_with(&format!("{words}\n")), "{:?}, not {words:?}", ended.words);
    assert_eq!(ended.words.lines().count(), words.lines().count(), "{}", ended.words);
    ended
}

fn importing(imports: &str) -> Plugin {
    Plugin::allowing().importing(imports)
}

#[test]
fn what_is_not_a_component_is_refused() {
    let component = Plugin::allowing().build();
    let module = wat::parse_str("(module)").unwrap();
    for (content, words) in [
        (&b""[..], "odd.wasm: it is not WebAssembly"),
        (b"\0asm", "odd.wasm: it is not WebAssembly"),
        (b"#!/bin/sh\necho hello\n", "odd.wasm: it is not WebAssembly"),
        (
            &module,
            "odd.wasm: it is a core module: a plugin is a component (build for wasm32-wasip2)",
        ),
        (&component[..component.len() / 2], "odd.wasm: failed to parse WebAssembly module"),
    ] {
        let ended = Scene::new().file("odd.wasm", content).refusal();
        assert_eq!(ended.code, Some(2), "{}", ended.words);
        assert!(ended.words.contains(words), "{}", ended.words);
    }
}

#[test]
fn a_component_that_breaks_off_is_refused_wherever_it_does() {
    let component = Plugin::allowing().build();
    for end in (8..component.len()).step_by(component.len() / 20) {
        let ended = Scene::new().file("short.wasm", &component[..end]).refusal();
        assert_eq!(ended.code, Some(2), "after {end} bytes: {}", ended.words);
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let scene = Scene::new().arguments(&["--plugin", "/nowhere/policy.wasm"]);
    is_refused(scene, "plugin /nowhere/policy.wasm: No such file or directory (os error 2)");
    let scene = Scene::new().arguments(&["--plugin", "/tmp"]);
    is_refused(scene, "plugin /tmp: Is a directory (os error 21)");
}

#[test]
fn a_name_that_is_not_bundled_is_refused_and_those_that_are_are_named() {
    is_refused(
        Scene::new().arguments(&["--plugin", "bundled:tecnativ"]),
        "plugin bundled:tecnativ: there is no such plugin in this binary; there is container-guard, image-registry, label-scope, office-hours, read-only, redact, rules, tecnativa",
    );
}

#[test]
fn an_import_that_nobody_grants_is_named() {
    for (name, items) in [
        ("wasi:filesystem/preopens@0.2.6", "(export \"get-directories\" (func))"),
        ("wasi:filesystem/types@0.2.6", "(export \"descriptor\" (type (sub resource)))"),
        ("wasi:sockets/tcp@0.2.6", "(export \"tcp-socket\" (type (sub resource)))"),
        ("wasi:sockets/instance-network@0.2.6", "(export \"instance-network\" (func))"),
        ("wasi:http/outgoing-handler@0.2.6", "(export \"handle\" (func))"),
        ("wasi:clocks/wall-clock@0.2.6", "(export \"now\" (func (result u64)))"),
        ("wasi:random/random@0.2.6", "(export \"get-random-u64\" (func (result u64)))"),
        ("wasi:clixyz/environment@0.2.6", "(export \"get-environment\" (func))"),
        ("acme:secrets/store@1.0.0", "(export \"read\" (func (result string)))"),
        ("dockgate:other/request@0.1.0", "(export \"query\" (func))"),
    ] {
        let plugin = importing(&format!("(import \"{name}\" (instance {items}))"));
        let ended = Scene::new().plugin("curious", &plugin).refusal();
        assert_eq!(ended.code, Some(2), "{name}: {}", ended.words);
        assert!(ended.words.contains("curious.wasm: it imports "), "{}", ended.words);
        assert!(ended.words.contains(&format!("{name}, which is not granted")), "{}", ended.words);
    }
}

#[test]
fn an_import_that_is_no_interface_is_named() {
    let function = importing("(import \"shell\" (func (param \"command\" string)))");
    let own = "curious.wasm: it imports shell, which is not granted";
    is_refused(Scene::new().plugin("curious", &function), own);
    let module = importing("(import \"code\" (core module))");
    let own = "curious.wasm: it imports code, which is not granted";
    is_refused(Scene::new().plugin("curious", &module), own);
}

/// An interface that is granted has the functions of this version, and no others.
#[test]
fn a_function_that_an_interface_does_not_have_is_named() {
    let more = Plugin::allowing().renaming(
        "(export \"address\" (func (result (option string))))",
        "(export \"address\" (func (result (option string)))) (export \"password\" (func (result string)))",
    );
    let ended = Scene::new().plugin("curious", &more).refusal();
    assert_eq!(ended.code, Some(2), "{}", ended.words);
    assert!(ended.words.contains("dockgate:filter/client@0.1.0"), "{}", ended.words);
    assert!(ended.words.contains("password"), "{}", ended.words);
}

/// An interface of the proxy's own that it does not have, or not in this version, or not without a
/// grant.
#[test]
fn an_interface_that_is_not_there_is_named() {
    for (name, words) in [
        (
            "dockgate:filter/request@9.9.9",
            "it was built for version 9.9.9 of the interface, and this dockgate has 0.1.0: build it \
             again, or use the dockgate that it was built for",
        ),
        (
            "dockgate:filter/oracle@0.1.0",
            "it imports dockgate:filter/oracle@0.1.0, which this dockgate does not have",
        ),
        (
            "dockgate:filter/docker@0.1.0",
            "it imports dockgate:filter/docker@0.1.0, which is not granted: grant it with --grant \
             curious=look-ups",
        ),
        (
            "dockgate:filter/clock@0.1.0",
            "it imports dockgate:filter/clock@0.1.0, which is not granted: grant it with --grant \
             curious=clock",
        ),
    ] {
        let plugin =
            importing(&format!("(import \"{name}\" (instance (export \"query\" (func))))"));
        is_refused(Scene::new().plugin("curious", &plugin), &format!("curious.wasm: {words}"));
    }
}

#[test]
fn an_export_that_is_missing_is_named() {
    for (name, missing) in [
        ("\"dockgate:filter/lifecycle@0.1.0\"", "lifecycle"),
        ("\"dockgate:filter/on-request@0.1.0\"", "on-request"),
    ] {
        let plugin = Plugin::allowing().renaming(name, "\"acme:other/interface@0.1.0\"");
        is_refused(
            Scene::new().plugin("half", &plugin),
            &format!(
                "half.wasm: it does not export dockgate:filter/{missing}@0.1.0: build it for the world `filter`"
            ),
        );
    }
}

#[test]
fn an_export_of_another_version_is_missing() {
    let missing = "half.wasm: it does not export dockgate:filter/on-request@0.1.0: build it for the world `filter`";
    for (name, other, words) in [
        (
            "dockgate:filter/on-request@0.1.0",
            "dockgate:filter/on-request@9.9.9",
            "half.wasm: it was built for version 9.9.9 of the interface",
        ),
        (
            "(export \"decide\" (func $decide))",
            "(export \"decide-request\" (func $decide))",
            missing,
        ),
    ] {
        let plugin = Plugin::allowing().renaming(name, other);
        let ended = Scene::new().plugin("half", &plugin).refusal();
        assert_eq!(ended.code, Some(2), "{other}: {}", ended.words);
        assert!(ended.words.contains(words), "{other}: {}", ended.words);
    }
}

#[test]
fn an_export_of_another_shape_is_named() {
    let plugin = Plugin::allowing()
        .renaming("(export \"decide\" (func $decide))", "(export \"decide\" (func $configure))");
    is_refused(
        Scene::new().plugin("odd", &plugin),
        "odd.wasm: no instance of it could be set up: its dockgate:filter/on-request@0.1.0 has another shape: expected 1-tuple, found 3-tuple",
    );
}

/// What components in one component pass to each other the host copies, which no limit of time
/// covers: with strings of megabytes a worker would stand still for hours.
#[test]
fn a_component_that_is_composed_of_several_with_memory_is_refused() {
    let words = "two.wasm: no instance of it could be set up: it has several memories, and may have one: build it as one component with one memory";
    is_refused(Scene::new().plugin("two", &importing(&taking_strings(1))), words);
}

/// The tools of other languages put such in the place of WASI.
#[test]
fn a_component_that_is_composed_of_one_with_memory_and_others_is_taken() {
    let plugin = importing(&taking_strings(0));
    assert_eq!(Scene::new().plugin("one", &plugin).start().get("/version").status, 200);
}

/// A component in the component, with so many pages of memory.
fn taking_strings(pages: u32) -> String {
    format!(
        "(component $inner
           (core module $module
             (memory (export \"memory\") {pages})
             (func (export \"take\") (param i32 i32))
             (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
           (core instance $instance (instantiate $module))
           (alias core export $instance \"memory\" (core memory $memory))
           (alias core export $instance \"realloc\" (core func $realloc))
           (func (export \"take\") (param \"text\" string)
             (canon lift (core func $instance \"take\") (memory $memory) (realloc $realloc))))
         (instance (instantiate $inner))"
    )
}

#[test]
fn instructions_that_plugins_have_no_use_for_are_refused() {
    let waits = "(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))";
    let ended = Scene::new()
        .plugin("waits", &Plugin::deciding(&format!("{waits} (call $allow)")))
        .refusal();
    assert_eq!(ended.code, Some(2), "{}", ended.words);
    assert!(ended.words.contains("threads support is not enabled"), "{}", ended.words);
    let ended =
        Scene::new().plugin("wide", &Plugin::allowing().with("(memory $wide i64 1)")).refusal();
    assert_eq!(ended.code, Some(2), "{}", ended.words);
    assert!(ended.words.contains("memory64 must be enabled"), "{}", ended.words);
}

/// Native code only comes from this binary and from the proxy's own compiler.
#[test]
fn code_that_is_compiled_already_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    drop(Scene::new().plugin("good", &Plugin::allowing()).cache(&cache).start());
    let compiled = std::fs::read_dir(&cache).unwrap().next().unwrap().unwrap();
    let content = std::fs::read(compiled.path()).unwrap();
    is_refused(Scene::new().file("good.cwasm", &content), "good.cwasm: it is not WebAssembly");
    is_refused(Scene::new().file("good.wasm", &content), "good.wasm: it is not WebAssembly");
}

#[test]
fn settings_that_are_not_json_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.json");
    for (text, words) in [
        ("dialect: auto", "are not JSON: expected value at line 1 column 1"),
        ("", "are not JSON: EOF while parsing a value at line 1 column 0"),
        ("{} {}", "are not JSON: trailing characters at line 1 column 4"),
        ("{\"dialect\":", "are not JSON: EOF while parsing a value at line 1 column 11"),
    ] {
        std::fs::write(&settings, text).unwrap();
        let source = format!("bundled:tecnativa={}", settings.display());
        is_refused(
            Scene::new().arguments(&["--plugin", &source]),
            &format!("plugin bundled:tecnativa: the settings in {source} {words}"),
        );
    }
}

#[test]
fn settings_that_the_plugin_does_not_know_are_refused_in_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.json");
    std::fs::write(&settings, "{\"dialekt\": \"auto\"}").unwrap();
    let source = format!("bundled:tecnativa={}", settings.display());
    is_refused(
        Scene::new().arguments(&["--plugin", &source]),
        "plugin bundled:tecnativa: it refuses its settings: the settings don't fit: unknown field `dialekt`, expected `dialect`",
    );
}

#[test]
fn settings_that_are_not_there_are_named() {
    let ended = Scene::new().arguments(&["--plugin", "bundled:tecnativa=/nowhere.json"]).refusal();
    assert_eq!(ended.code, Some(2), "{}", ended.words);
    assert_eq!(ended.words, "dockgate: /nowhere.json: No such file or directory (os error 2)\n");
}

#[test]
fn a_manifest_that_can_not_be_read_is_refused() {
    for (manifest, words) in [
        ("{", "its manifest can't be read: EOF while parsing an object at line 1 column 1"),
        ("{}", "its manifest can't be read: missing field `name` at line 1 column 2"),
        (
            "{\"name\": \"x\", \"grants\": [\"everything\"]}",
            "its manifest can't be read: unknown variant `everything`, expected `look-ups` or `clock` at line 1 column 37",
        ),
        (
            "{\"name\": \"x\", \"interests\": [{\"operations\": [\"container-lst\"]}]}",
            "its manifest can't be read: no operation is called \"container-lst\": did you mean container-list?",
        ),
    ] {
        let plugin = Plugin::allowing().with_manifest(manifest);
        is_refused(Scene::new().plugin("odd", &plugin), &format!("odd.wasm: {words}"));
    }
}

#[test]
fn a_plugin_can_refuse_its_settings() {
    let plugin = Plugin::allowing().configuring(
        "(call $report \"/limit\" \"write a number,\\0a not a\\1b[31m word\" (i32.const 1))",
    );
    let words = "strict.wasm: it refuses its settings: /limit: write a number,  not a [31m word";
    is_refused(Scene::new().plugin("strict", &plugin), words);
}

#[test]
fn a_plugin_can_warn_of_its_settings() {
    let plugin = Plugin::allowing()
        .configuring("(call $report \"/limit\" (i32.const 65536) (i32.const 9000) (i32.const 0))");
    let proxy = Scene::new().plugin("wordy", &plugin).start();
    let warning = proxy.logged(|line| line["level"] == "warning");
    assert_eq!((&warning["plugin"], &warning["subject"]), (&"wordy".into(), &"/limit".into()));
    assert_eq!(warning["message"].as_str().unwrap().len(), 2000, "its words have an end");
    assert_eq!(proxy.get("/version").status, 200);
}

/// Of a name the log is made up, line by line.
#[test]
fn the_name_of_a_plugin_has_no_lines() {
    let manifest = r#"{"name": "a\nb\u001b[31mc"}"#;
    let plugin = Plugin::denying("no").with_manifest(manifest);
    let proxy = Scene::new().plugin("odd", &plugin).text_log().start();
    proxy.get("/version");
    proxy.logs(" deny by a b [31mc 403 ");
}

/// Nothing is opened before everything is known to be right: one bad plugin of three is enough.
#[test]
fn one_plugin_that_can_not_be_loaded_keeps_the_proxy_from_starting() {
    let scene = Scene::new()
        .plugin("first", &Plugin::allowing())
        .file("second.wasm", b"no plugin")
        .plugin("third", &Plugin::allowing());
    is_refused(scene, "second.wasm: it is not WebAssembly");
}
