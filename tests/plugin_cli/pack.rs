//! A manifest in a component.

use crate::{command::Bench, wat::Plugin};

#[test]
fn a_manifest_takes_the_place_of_another() {
    let plugin = Plugin::allowing().with_manifest(r#"{"name":"first"}"#);
    let bench = Bench::new()
        .plugin("first", &plugin)
        .file("manifest.json", r#"{"name":"second","description":"Says yes"}"#);
    let said = bench.does("pack first.wasm --output second.wasm");
    assert!(said.out.starts_with("second.wasm: "), "{said:?}");
    let json = bench.does("inspect second.wasm --json").json();
    assert_eq!(json["manifest"]["name"], "second");
    assert!(said.out.trim_end().ends_with(json["digest"].as_str().unwrap()), "{said:?}");
    let sizes = |name: &str| std::fs::metadata(bench.path().join(name)).unwrap().len();
    bench.does("pack second.wasm --output again.wasm");
    assert_eq!(sizes("second.wasm"), sizes("again.wasm"), "there is one manifest in it");
    bench.run(&["run", "second.wasm", "--request", "GET /info"]).is(0);
}

#[test]
fn what_does_not_fit_its_manifest_is_not_written() {
    let clock = "(import \"dockgate:filter/clock@0.1.0\" (instance (export \"unix-time\" (func (result u64)))))";
    for (plugin, manifest, words) in [
        (
            Plugin::allowing().importing(clock),
            r#"{"name":"it"}"#,
            "it imports dockgate:filter/clock@0.1.0, and its manifest does not ask for that: add \"grants\": [\"clock\"]",
        ),
        (
            Plugin::allowing(),
            r#"{"name":"it","interests":[{"operations":["container-list"],"response":"json"}]}"#,
            "its manifest asks for what dockgate:filter/on-response@0.1.0 is called with, which it does not export",
        ),
        (
            Plugin::allowing()
                .renaming("\"dockgate:filter/on-request@0.1.0\"", "\"acme:other/it@0.1.0\""),
            r#"{"name":"it"}"#,
            "it does not export dockgate:filter/on-request@0.1.0: build it for the world `filter`",
        ),
    ] {
        let bench = Bench::new().plugin("component", &plugin).file("manifest.json", manifest);
        let said = bench.refuses(&["pack", "component.wasm"]);
        assert_eq!(said, format!("dockgate: plugin component.wasm: {words}\n"));
        let left = std::fs::read_dir(bench.path()).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        left.retain(|name| name != "cache");
        left.sort();
        assert_eq!(left, ["component.wasm", "manifest.json"]);
    }
}

/// What the build script has built of the smallest policy.
#[test]
fn a_small_policy_is_a_small_component() {
    let file = concat!(
        env!("DOCKGATE_PLUGINS_TARGET_DIR"),
        "/wasm32-wasip2/plugin/dockgate_plugin_read_only.wasm"
    );
    let size = std::fs::metadata(file).unwrap().len();
    assert!(size < 60_000, "{size} bytes");
}
