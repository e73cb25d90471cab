//! A table of requests.

use std::{fs, path::Path};

use serde_json::json;

use crate::{command::Bench, wat::Plugin};

fn rows() -> serde_json::Value {
    json!([
        {"request": {"method": "GET", "path": "/containers/json"}, "verdict": "deny",
         "status": 403, "says": "CONTAINERS=1"},
        {"request": {"method": "GET", "path": "/_ping"}, "verdict": "allow"},
    ])
}

#[test]
fn a_table_that_is_right_is_counted() {
    let bench = Bench::new().file("rows.json", rows().to_string());
    let said = bench.run(&["test", "bundled:tecnativa", "rows.json"]);
    said.is(0).has_line("2 rows,", "all as expected");
}

#[test]
fn each_row_that_is_not_as_expected_has_a_line() {
    let bench = Bench::new().variable("CONTAINERS", "1").file("rows.json", rows().to_string());
    let said = bench.run(&["test", "bundled:tecnativa", "rows.json"]);
    said.is(1)
        .has_line("row 1: GET /containers/json:", "expected deny, seen allow")
        .has_line("1 of 2 rows", "are not as expected");
    assert_eq!(said.out.lines().count(), 2, "{}", said.out);
}

#[test]
fn what_edits_leave_is_compared() {
    let changes = Plugin::deciding(
        "(call $set-query \"limit\" \"5\") (call $remove-query \"all\") (call $allow)",
    );
    let request = json!({"method": "GET", "path": "/containers/json", "query": {"all": "1"}});
    let row = |query| json!({"request": request, "verdict": "allow", "after": {"query": query}});
    let rows = json!([
        row(json!({"limit": "5", "all": null})),
        row(json!({"limit": "6"})),
        row(json!({"all": "1"})),
    ]);
    let bench = Bench::new().plugin("changes", &changes).file("rows.json", rows.to_string());
    bench
        .run(&["test", "changes.wasm", "rows.json"])
        .is(1)
        .has_line(
            "row 2: GET /containers/json:",
            "expected limit in the query \"6\" afterwards, seen \"5\"",
        )
        .has_line(
            "row 3: GET /containers/json:",
            "expected all in the query \"1\" afterwards, seen nothing",
        )
        .has_line("2 of 3 rows", "are not as expected");
}

#[test]
fn rows_have_settings_bodies_times_and_things_of_their_own() {
    let tells = |step| json!({"decide": [step], "tell": true});
    let request = json!({
        "method": "POST", "path": "/containers/web/rename", "query": {"name": "a b&c"},
        "headers": {"X-Team": "web"}, "time": 4_000_000_000_u32,
        "found": [{"kind": "container", "name": "web", "json": {"Id": "4f66", "Name": "/web"}}],
    });
    let create = json!({"method": "POST", "path": "/containers/create", "body": {"image": "x"}});
    let row = |settings, request: &serde_json::Value, says| json!({"settings": settings, "request": request, "verdict": "deny", "says": says});
    let rows = json!([
        row(tells(json!({"query": "name"})), &request, "a b&c"),
        row(tells(json!("time")), &request, "true"),
        row(tells(json!({"look-up": ["container", "web", "/Name"]})), &request, "/web"),
        row(tells(json!({"body-at": "/Image"})), &create, "x"),
        {"settings": {"decide": [{"set-json": ["/Labels/team", "a"]}]}, "request": create,
         "verdict": "allow", "after": {"body": {"IMAGE": "x", "labels": {"team": "a"}}}},
    ]);
    let bench = Bench::new().probe(&["container-create"]).file("rows.json", rows.to_string());
    bench.run(&["test", "probe.wasm", "rows.json"]).is(0).has_line("5 rows,", "all as expected");
}

#[test]
fn rows_have_clients_of_their_own() {
    let row = |steps: serde_json::Value, client: serde_json::Value, says: &str| {
        let mut request = json!({"method": "GET", "path": "/containers/json"});
        request.as_object_mut().unwrap().extend(client.as_object().unwrap().clone());
        let settings = json!({"decide": steps, "tell": true});
        json!({"settings": settings, "request": request, "verdict": "deny", "says": says})
    };
    let container = json!({"container": {"name": "web", "labels": {"team": "web"}}});
    let certificate = json!({"certificate": {"subject": "CN=ci", "names": ["a"], "pin": "4f"}});
    let rows = json!([
        row(json!([{"client-label": "team"}]), container, "Some(\"web\")"),
        row(json!(["client"]), certificate, r#"None Some(("CN=ci", ["a"], "4f")) None"#),
        row(json!(["client"]), json!({}), "None None None"),
    ]);
    let bench = Bench::new().probe(&[]).file("rows.json", rows.to_string());
    bench.run(&["test", "probe.wasm", "rows.json"]).is(0).has_line("3 rows,", "all as expected");
}

/// What a plugin has the proxy hand over is counted, and whoever made a container can give it labels
/// without end.
#[test]
fn a_plugin_can_not_read_labels_without_end() {
    let row = |step: serde_json::Value, times, verdict| {
        let labels = json!({"long": "x".repeat(1 << 20)});
        let request = json!({
            "method": "GET", "path": "/containers/json",
            "container": {"name": "web", "labels": labels},
        });
        let settings = json!({"decide": vec![step; times]});
        json!({"settings": settings, "request": request, "verdict": verdict})
    };
    let label = || json!({"client-label": "long"});
    let rows = json!([
        row(label(), 3, "allow"),
        row(label(), 5, "allow"),
        row(json!("client-labels"), 3, "allow"),
        row(json!("client-labels"), 5, "allow"),
    ]);
    let bench = Bench::new().probe(&[]).file("rows.json", rows.to_string());
    let failed = "expected allow, seen a failure: it asked more of the proxy than it may";
    bench
        .run(&["test", "probe.wasm", "rows.json"])
        .is(1)
        .has_line("row 2: GET /containers/json:", failed)
        .has_line("row 4: GET /containers/json:", failed)
        .has_line("2 of 4 rows", "are not as expected");
}

/// The tables that the policies of this repository have for their native tests say the same of what
/// is shipped.
#[test]
fn the_tables_of_our_policies_hold_for_their_components() {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let mut tested = 0;
    for plugin in fs::read_dir(plugins).unwrap().map(|entry| entry.unwrap().path()) {
        let table = plugin.join("requests.json");
        if !table.exists() {
            continue;
        }
        let source = format!("bundled:{}", plugin.file_name().unwrap().to_string_lossy());
        let said = Bench::new().run(&["test", &source, &table.display().to_string()]);
        assert_eq!(said.code, Some(0), "{source}: {said:?}");
        tested += 1;
    }
    assert!(tested > 0, "there are such policies");
}
