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
