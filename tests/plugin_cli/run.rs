//! One request to a plugin.

use serde_json::json;

use crate::{command::Bench, wat::Plugin};

const LIST: &str = "GET /v1.41/containers/json?all=1";

#[test]
fn what_is_denied_is_shown_with_its_reason() {
    let said = Bench::new().run(&["run", "bundled:tecnativa", "--request", LIST]);
    said.is(1)
        .has_line("tecnativa denies", "container-list")
        .has_line("status", "403")
        .has_line("code", "flag-not-set")
        .has_line("reason", "container-list is not allowed")
        .has_line("hint", "set CONTAINERS=1");
    assert!(said.out.contains(" fuel; its instance has "), "{}", said.out);
}

#[test]
fn the_exit_code_is_the_verdict() {
    let bench = Bench::new()
        .variable("CONTAINERS", "1")
        .plugin("silent", &Plugin::abstaining())
        .plugin("broken", &Plugin::deciding("unreachable"));
    let run = |source: &str| bench.run(&["run", source, "--request", LIST]);
    run("bundled:tecnativa").is(0).has_line("tecnativa allows", "container-list");
    run("silent.wasm").is(3).has_line("silent abstains on", "container-list");
    run("broken.wasm")
        .is(1)
        .has_line("reason", "it trapped: wasm trap: wasm `unreachable` instruction executed");
}

#[test]
fn what_is_changed_is_shown_by_its_place() {
    let changes = Plugin::deciding(
        "(call $set-query \"limit\" \"5\") (call $remove-query \"all\")
         (call $set-header \"X-Team\" \"web\") (call $set-target \"4f66\") (call $allow)",
    );
    let bench = Bench::new().plugin("changes", &changes);
    let logs = "GET /containers/web/logs?all=1&limit=3";
    bench
        .run(&["run", "changes.wasm", "--request", logs])
        .is(0)
        .has_line("changes", "target: \"web\" → \"4f66\"")
        .has_line("changes", "query limit: \"3\" → \"5\"")
        .has_line("changes", "query all: \"1\" is gone")
        .has_line("changes", "header x-team: \"web\" is new");
}

#[test]
fn what_is_answered_in_the_daemons_stead_is_shown() {
    let answers = Plugin::deciding("(call $respond (i32.const 418) \"[1]\") (call $allow)");
    let bench = Bench::new().plugin("answers", &answers);
    let said = bench.run(&["run", "answers.wasm", "--request", LIST, "--json"]);
    let json = said.is(0).json();
    assert_eq!(json["verdict"], "respond");
    assert_eq!(json["status"], 418);
    assert_eq!(json["reply"], json!([1]));
}

#[test]
fn a_plugin_that_never_comes_to_rest_is_named() {
    let restless = Plugin::deciding(
        "(call $query \"n\" (i32.const 512))
         (if (i32.load8_u (i32.const 512))
           (then (call $remove-query \"n\"))
           (else (call $set-query \"n\" \"1\")))
         (call $allow)",
    );
    let bench = Bench::new().plugin("restless", &restless);
    let said = bench.run(&["run", "restless.wasm", "--request", LIST]);
    said.is(1).has_line("reason", "it still changes it after 4 passes");
}

#[test]
fn a_request_can_be_a_file_as_it_goes_over_the_wire() {
    let settings = json!({ "decide": [{"body-at": "/Image"}, {"query": "name"}], "tell": true });
    let raw = "POST /containers/create?name=x HTTP/1.1\r\nHost: d\r\n\r\n{\"image\":\"nginx\"}";
    let bench = Bench::new().probe(&["container-create"]).file("request.http", raw);
    let settings = settings.to_string();
    let grants = ["--grant", "look-ups,clock"];
    let words = ["run", "probe.wasm", "--settings", &settings, "--request", "request.http"];
    bench.run(&[&words[..], &grants].concat()).is(1).has_line("reason", "\"nginx\"; Some(\"x\")");
}

#[test]
fn look_ups_are_answered_from_the_command_line() {
    let settings = json!({ "decide": [{"look-up": ["container", "web", "/Config/User"]}] });
    let bench =
        Bench::new().probe(&[]).file("web.json", r#"{"Id":"4f66","Config":{"User":"app"}}"#);
    let settings = settings.to_string();
    let words = ["run", "probe.wasm", "--settings", &settings, "--grant", "look-ups,clock"];
    let words = [&words[..], &["--request", "POST /containers/web/stop"]].concat();
    let found = bench.run(&[&words[..], &["--found", "container/web=web.json"]].concat());
    found
        .is(0)
        .has_line("looks up", "/containers/web/json (found)")
        .has_line("changes", "target: \"web\" → \"4f66\"");
    bench.run(&words).is(0).has_line("looks up", "/containers/web/json (not there)");
}

#[test]
fn an_answer_is_reviewed() {
    let settings = json!({ "review": [
        {"leave": ["/Labels/team", "web"]}, {"set-status": 203}, {"set-header": ["X-Left", "1"]}
    ] });
    let list = r#"[{"Id":"1","Labels":{"team":"web"}},{"Id":"2","Labels":{}}]"#;
    let bench = Bench::new().probe(&["container-list"]).file("list.json", list);
    let settings = settings.to_string();
    let words = ["run", "probe.wasm", "--settings", &settings, "--grant", "look-ups,clock"];
    let words = [&words[..], &["--request", LIST, "--response", "list.json"]].concat();
    bench
        .run(&words)
        .is(0)
        .has_line("answer:", "pass")
        .has_line("changes", r#"body /1: {"Id":"2","Labels":{}} is gone"#)
        .has_line("changes", "status: 200 → 203")
        .has_line("changes", "header x-left: \"1\" is new");
    let settings = json!({ "review": [{"refuse": "not this"}] }).to_string();
    let words = ["run", "probe.wasm", "--settings", &settings, "--grant", "look-ups,clock"];
    let words = [&words[..], &["--request", LIST, "--response", "list.json"]].concat();
    bench.run(&words).is(1).has_line("answer: refuse:", "not this");
}

/// 2000 containers with 20 labels, all of other names, as Traefik's have.
#[test]
fn a_long_list_is_redacted_within_the_limits() {
    let container = |n: usize| {
        let label =
            |k| (format!("traefik.http.routers.r{n}.rule{k}"), json!("Host(`example.com`)"));
        let labels: serde_json::Map<_, _> = (0..20).map(label).collect();
        json!({ "Id": format!("{n:064x}"), "Names": [format!("/web-{n}")], "Labels": labels })
    };
    let list: Vec<_> = (0..2000).map(container).collect();
    let bench = Bench::new().file("list.json", json!(list).to_string());
    let words = ["run", "bundled:redact", "--request", LIST, "--response", "list.json"];
    bench.run(&words).is(3).has_line("answer:", "pass");
}

#[test]
fn values_of_a_stream_are_sifted() {
    let settings = json!({ "sift": [{"drop": "secret"}, {"replace": ["old", {"Type": "new"}]}] });
    let bench = Bench::new().probe(&["system-events"]).file("old.json", r#"{"Type":"old"}"#);
    let settings = settings.to_string();
    let words = ["run", "probe.wasm", "--settings", &settings, "--grant", "look-ups,clock"];
    let items = ["--item", "{}", "--item", r#"{"Type":"secret"}"#, "--item", "old.json"];
    let said = bench.run(&[&words[..], &["--request", "GET /events"], &items].concat());
    said.is(0).has_line("changes", r#"body /Type: "old" → "new""#);
    let rulings: Vec<_> = said.out.lines().filter(|line| line.starts_with("item: ")).collect();
    assert_eq!(rulings, ["item: keep", "item: drop", "item: replace"]);
}

#[test]
fn the_time_can_be_given() {
    let settings = json!({ "decide": ["time"], "tell": true }).to_string();
    let bench = Bench::new().probe(&[]);
    let words = ["run", "probe.wasm", "--settings", &settings, "--grant", "look-ups,clock"];
    let words = [&words[..], &["--request", LIST]].concat();
    let at = |time: &str| bench.run(&[&words[..], &["--time", time]].concat());
    at("0").is(1).has_line("reason", "false");
    at("4000000000").is(1).has_line("reason", "true");
}

#[test]
fn a_plugin_sees_the_clients_certificate_and_its_container() {
    let steps = json!(["client", {"client-label": "team"}, "client-labels"]);
    let settings = json!({ "decide": steps, "tell": true }).to_string();
    let bench = Bench::new().probe(&[]);
    let words = ["run", "probe.wasm", "--settings", &settings, "--grant", "look-ups,clock"];
    let words = [&words[..], &["--request", LIST]].concat();
    bench.run(&words).is(1).has_line("reason", "None None None; None; 0");

    let known = [
        "--client=1000:998:7",
        "--certificate=subject=CN=ci,O=Example,name=ci.example,name=ci,pin=4f66",
        "--container=name=web,image=nginx,id=ad9a,label.team=web,label.tier=front",
    ];
    let certificate = r#"Some(("CN=ci,O=Example", ["ci.example", "ci"], "4f66"))"#;
    let container = r#"Some(("ad9a", "web", "nginx"))"#;
    let seen = format!("Some(7) {certificate} {container}; Some(\"web\"); 2");
    bench.run(&[&words[..], &known].concat()).is(1).has_line("reason", &seen);
}

#[test]
fn a_plugin_sees_the_client_of_an_answer() {
    let settings = json!({ "review": [{"client-label": "team"}] }).to_string();
    let bench = Bench::new().probe(&["container-list"]);
    let words = ["run", "probe.wasm", "--settings", &settings, "--grant", "look-ups,clock"];
    let words = [&words[..], &["--request", LIST, "--response", "[]"]].concat();
    bench
        .run(&[&words[..], &["--container", "name=web,label.team=web"]].concat())
        .is(0)
        .has_line("changes", r#"header x-probe: "200; Some(\"web\")" is new"#);
}

/// What is refused before any plugin is asked is no mistake of the command line.
#[test]
fn what_the_proxy_refuses_by_itself_is_shown() {
    let said =
        Bench::new().run(&["run", "bundled:tecnativa", "--request", "GET /containers/../info"]);
    said.is(1).has_line("refused by the proxy,", "before any plugin is asked");
    assert!(said.out.contains("dot segment"), "{}", said.out);
}
