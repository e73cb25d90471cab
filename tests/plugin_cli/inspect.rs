//! What a plugin is.

use serde_json::json;

use crate::{command::Bench, wat::Plugin};

#[test]
fn a_bundled_plugin_is_shown() {
    let said = Bench::new().run(&["inspect", "bundled:tecnativa"]);
    said.is(0)
        .has_line("name", "tecnativa 0.1.0")
        .has_line("interface", "dockgate:filter@0.1.0")
        .has_line("settings", "dialect: auto | tecnativa | linuxserver  The setting `dialect`.");
}

#[test]
fn a_file_is_shown_with_its_digest_and_what_it_asks_for() {
    let bench = Bench::new().probe(&["container-list", "system-events"]);
    let said = bench.run(&["inspect", "probe.wasm"]);
    said.is(0)
        .has_line("name", "probe")
        .has_line(
            "sees",
            "container-list, system-events: the bodies of requests, answers, the values of streams",
        )
        .has_line("grants", "look-ups")
        .has_line("imports", "dockgate:filter/docker@0.1.0 (with the grant look-ups)")
        .has_line("", "dockgate:filter/clock@0.1.0 (with the grant clock)");
    let json = bench.run(&["inspect", "probe.wasm", "--json"]).json();
    let packed = std::fs::read(bench.path().join("probe.wasm")).unwrap();
    assert_eq!(json["size"], packed.len());
    assert_eq!(json["digest"].as_str().map(str::len), Some(64));
    assert_eq!(json["manifest"]["interests"][0]["response"], "json");
    let docker =
        json!({"name": "dockgate:filter/docker@0.1.0", "grant": "look-ups", "known": true});
    assert!(json["imports"].as_array().unwrap().contains(&docker), "{json}");
}

/// It is not run, so there is nothing that it could refuse.
#[test]
fn what_can_not_be_loaded_is_shown_all_the_same() {
    let foreign = Plugin::allowing()
        .importing("(import \"acme:secrets/store@1.0.0\" (instance (export \"read\" (func))))");
    let bench = Bench::new().plugin("foreign", &foreign);
    let said = bench.run(&["inspect", "foreign.wasm"]);
    said.is(0)
        .has_line("name", "foreign")
        .has_line("", "acme:secrets/store@1.0.0 (this dockgate does not have it)");
    assert!(!bench.cache().exists(), "nothing was compiled");
}

/// What `HashMap` asks for is there, and does nothing: the proxy says so where it loads a plugin, and
/// here.
#[test]
fn the_seed_of_hash_maps_does_nothing() {
    let seed = "(import \"wasi:random/insecure-seed@0.2.6\" (instance (export \"insecure-seed\" \
                (func (result (tuple u64 u64))))))";
    let bench = Bench::new().plugin("hashing", &Plugin::allowing().importing(seed));
    let said = bench.does("inspect hashing.wasm");
    assert!(!said.out.contains("does not have"), "{said:?}");
    bench.run(&["run", "hashing.wasm", "--request", "GET /info"]).is(0);
}
