//! A policy that does everything once, tried with what a native test has in the proxy's place.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{fs, panic, path::PathBuf};

use dockgate_plugin::{
    Content, Kind, NoSettings, Operation, Policy, Request, Response, Ruling, Setup, Sifted,
    Verdict, json,
    testing::{Edit, ResponseEdit, check_manifest, check_requests},
};

/// Labels what is created, hides what is not its own, and knows the rest by heart.
struct Everything;

impl Policy for Everything {
    type Settings = NoSettings;

    fn set_up(_: &mut Setup<NoSettings>) -> Self {
        Everything
    }

    fn decide(&self, request: &Request) -> Verdict {
        match request.operation() {
            Operation::ContainerCreate => {
                request.set_json("/Labels/owner", &"me");
                request.remove_json("/HostConfig/Privileged");
                Verdict::allow()
            }
            Operation::ContainerList => {
                let Ok(mut filters) = request.filters() else {
                    return Verdict::deny("the filters can't be read").with_status(400);
                };
                filters.add("label", "owner=me");
                request.set_filters(&filters);
                Verdict::allow()
            }
            Operation::ContainerStop => {
                let name = request.target().unwrap_or_default();
                let Some(container) = request.look_up(Kind::Container, name) else {
                    return Verdict::deny("there is no such container").with_status(404);
                };
                if let Some(id) = container.get("Id").and_then(|id| id.as_str()) {
                    request.set_target(id);
                }
                Verdict::allow()
            }
            Operation::ImageList => {
                request.respond(200, &json!([]));
                Verdict::abstain()
            }
            Operation::VolumeList => {
                // It never comes to rest.
                let times = request.query("times").unwrap_or_default();
                request.set_query("times", &format!("{times}i"));
                Verdict::allow()
            }
            Operation::NetworkList => {
                let client = request.client();
                let is_ours =
                    client.container().is_some_and(|it| it.project() == Some("shop".into()));
                let is_ci = client.certificate().is_some_and(|it| it.subject() == "CN=ci");
                if is_ours || is_ci { Verdict::allow() } else { Verdict::abstain() }
            }
            Operation::SystemInfo if request.unix_time() < 10 => Verdict::allow(),
            _ => Verdict::abstain(),
        }
    }

    fn review(&self, request: &Request, response: &Response) -> Ruling {
        let Some(mut body) = response.body().json() else {
            return Ruling::refuse(format!("{} has no body", request.operation()));
        };
        if let Some(items) = body.items_mut() {
            items.retain(|item| item.at("/Labels/owner").is_some_and(|owner| *owner == "me"));
        }
        response.set_body(&body);
        Ruling::Pass
    }

    fn sift(&self, _: &Request, item: &str) -> Sifted {
        if item.contains("secret") { Sifted::Drop } else { Sifted::Keep }
    }
}

#[test]
fn a_body_is_changed_where_the_policy_says() {
    let create = Request::of(Operation::ContainerCreate)
        .with_body(json!({ "Image": "nginx", "hostconfig": { "privileged": true } }));
    Everything.decide(&create).assert_allowed();
    let expected = json!({ "Image": "nginx", "hostconfig": {}, "Labels": { "owner": "me" } });
    let edited = create.edited();
    assert_eq!(edited.body(), Content::Json(expected.into()));
    assert_eq!(edited.edits(), []);
}

#[test]
fn places_in_a_body_are_json_pointers() {
    let create =
        Request::of(Operation::ContainerCreate).with_body(json!({ "Env": ["A=1", "B=2"] }));
    create.set_json("/Env/-", &"C=3");
    create.set_json("/Env/0", &"A=0");
    create.remove_json("/Env/1");
    create.remove_json("/Nowhere/at/all");
    create.set_json("/Labels/a~1b", &1);
    let expected = json!({ "Env": ["A=0", "C=3"], "Labels": { "a/b": 1 } });
    assert_eq!(create.edited().body(), Content::Json(expected.into()));
    create.set_json("", &json!({}));
    assert_eq!(create.edited().body(), Content::Json(json!({}).into()));
}

#[test]
fn filters_are_added_to_those_of_the_client() {
    let list = Request::of(Operation::ContainerList)
        .with_query("filters", r#"{"status":{"running":true}}"#)
        .with_query("all", "1");
    Everything.decide(&list).assert_allowed();
    let filters = r#"{"label":["owner=me"],"status":["running"]}"#.to_owned();
    assert_eq!(list.edits(), [Edit::SetQuery("filters".to_owned(), filters.clone())]);
    let query = [("filters".to_owned(), filters), ("all".to_owned(), "1".to_owned())];
    assert_eq!(list.edited().query_all(), query);

    let bad = Request::of(Operation::ContainerList).with_query("filters", "label=a");
    assert_eq!(Everything.decide(&bad).assert_denied_with("can't be read").status, 400);
}

#[test]
fn a_parameter_is_set_in_its_first_place_and_headers_in_any_case() {
    let list = Request::of(Operation::ContainerList)
        .with_query("a", "1")
        .with_query("b", "1")
        .with_query("a", "2")
        .with_header("X-One", "1");
    list.set_query("a", "3");
    list.remove_query("b");
    list.set_header("x-one", "2");
    list.set_header("X-Two", "2");
    let edited = list.edited();
    assert_eq!(edited.query_all(), [("a".to_owned(), "3".to_owned())]);
    assert_eq!(edited.header("X-ONE").as_deref(), Some("2"));
    assert_eq!(edited.header("x-two").as_deref(), Some("2"));
    assert_eq!(list.query("a").as_deref(), Some("1"), "what is staged is not there yet");
}

#[test]
fn what_is_looked_up_is_found_by_name_and_by_id() {
    let stop = Request::to(Operation::ContainerStop, "web").with_found(
        Kind::Container,
        "web",
        json!({ "Id": "4f66" }),
    );
    Everything.decide(&stop).assert_allowed();
    let again = stop.edited();
    assert_eq!((again.target(), again.path()), (Some("4f66"), "/containers/4f66/stop"));
    Everything.decide(&again).assert_allowed();

    let other = Request::to(Operation::ContainerStop, "db");
    assert_eq!(Everything.decide(&other).assert_denied_with("no such container").status, 404);
}

#[test]
fn an_answer_may_be_ready() {
    let list = Request::of(Operation::ImageList);
    Everything.decide(&list).assert_abstained();
    assert_eq!(list.reply(), Some((200, json!([]))));
}

#[test]
fn an_answer_is_reviewed() {
    let list = Request::of(Operation::ContainerList);
    let containers = json!([{ "Id": "a", "Labels": { "owner": "me" } }, { "Id": "b" }]);
    let response = Response::new(200).with_body(&containers);
    assert_eq!(Everything.review(&list, &response), Ruling::Pass);
    let left = json!([{ "Id": "a", "Labels": { "owner": "me" } }]);
    assert_eq!(response.edits(), [ResponseEdit::SetBody(left.clone().into())]);
    assert_eq!(response.edited_body(), Some(left.into()));

    let refused = Everything.review(&list, &Response::new(200));
    assert_eq!(refused, Ruling::refuse("container-list has no body"));
    assert_eq!(Everything.sift(&list, "a secret"), Sifted::Drop);
}

#[test]
#[should_panic(expected = "there is no body to change")]
fn a_body_that_is_not_there_can_not_be_changed() {
    Everything.decide(&Request::of(Operation::ContainerCreate).with_unread_body());
}

#[test]
#[should_panic(expected = "is no container-stop")]
fn a_target_that_makes_another_operation_is_a_fault() {
    let stop = Request::to(Operation::ContainerStop, "web");
    stop.set_target("");
    let _ = stop.edited();
}

#[test]
fn a_table_of_requests_says_what_comes_of_them() {
    let manifest = json!({
        "name": "everything",
        "grants": ["look-ups", "clock"],
        "interests": [{ "operations": ["container-*"], "request-body": true }],
    });
    let create =
        json!({ "method": "POST", "path": "/containers/create", "body": { "Image": "a" } });
    let stop = json!({
        "method": "POST", "path": "/containers/web/stop",
        "found": [{ "kind": "container", "name": "web", "json": { "Id": "4f66" } }],
    });
    let list = json!({ "method": "GET", "path": "/containers/json", "query": { "all": "1" } });
    let info = json!({ "method": "GET", "path": "/info", "time": 9 });
    let labelled = json!({ "Image": "a", "Labels": { "owner": "me" } });
    let filters = r#"{"label":["owner=me"]}"#;
    let good = [
        json!({ "request": create, "verdict": "allow", "after": { "body": labelled } }),
        json!({ "request": stop, "verdict": "allow", "after": { "target": "4f66" } }),
        json!({ "request": list, "verdict": "allow", "after": { "query": { "filters": filters } } }),
        json!({
            "request": { "method": "GET", "path": "/images/json" },
            "verdict": "respond", "status": 200, "says": "[]",
        }),
        json!({ "request": info, "verdict": "allow" }),
        json!({ "request": { "method": "GET", "path": "/version" }, "verdict": "abstain" }),
    ];
    assert_eq!(table("good", &manifest, &json!(good)), Ok(()));

    for (row, words) in [
        (json!({ "request": create, "verdict": "abstain" }), "it is Allow"),
        (
            json!({ "request": create, "verdict": "allow", "after": { "body": {} } }),
            "its body is {\"Image\":\"a\",\"Labels\":{\"owner\":\"me\"}}",
        ),
        (
            json!({ "request": stop, "verdict": "allow", "after": { "target": "web" } }),
            "its target is Some(\"4f66\")",
        ),
        (
            json!({ "request": list, "verdict": "allow", "after": { "query": { "all": null } } }),
            "its query is",
        ),
        (
            json!({
                "request": { "method": "POST", "path": "/containers/db/stop" },
                "verdict": "deny", "status": 403,
            }),
            "its status is 404",
        ),
        (
            json!({ "request": { "method": "GET", "path": "/volumes" }, "verdict": "allow" }),
            "it still changes after 4 passes",
        ),
        (json!({ "settings": { "a": 1 }, "request": list, "verdict": "allow" }), "unknown field"),
    ] {
        let failed = table("bad", &manifest, &json!([row])).unwrap_err();
        assert!(failed.contains(words), "{row}: {failed}");
    }
    assert!(table("empty", &manifest, &json!([])).unwrap_err().contains("has no rows"));
}

#[test]
fn a_table_has_clients_of_their_own_for_its_rows() {
    let manifest = json!({ "name": "everything" });
    let row = |client: serde_json::Value, verdict: &str| {
        let mut request = json!({ "method": "GET", "path": "/networks" });
        request.as_object_mut().unwrap().extend(client.as_object().unwrap().clone());
        json!({ "request": request, "verdict": verdict })
    };
    let labels = json!({ "com.docker.compose.project": "shop" });
    let rows = json!([
        row(json!({}), "abstain"),
        row(json!({ "container": { "name": "web", "labels": labels } }), "allow"),
        row(json!({ "container": { "name": "web" } }), "abstain"),
        row(json!({ "certificate": { "subject": "CN=ci", "names": ["ci.example"] } }), "allow"),
    ]);
    assert_eq!(table("clients", &manifest, &rows), Ok(()));
    let misspelt = json!([row(json!({ "container": { "nam": "web" } }), "allow")]);
    assert!(table("misspelt", &manifest, &misspelt).unwrap_err().contains("unknown field"));
}

#[test]
fn a_table_grants_what_the_manifest_asks_for_and_no_more() {
    let manifest = json!({ "name": "everything" });
    for (request, words) in [
        (json!({ "method": "GET", "path": "/info", "time": 9 }), "sets no time"),
        (
            json!({ "method": "POST", "path": "/containers/create", "body": {} }),
            "there is no body to change",
        ),
    ] {
        let rows = json!([{ "request": request, "verdict": "allow" }]);
        assert!(table("poor", &manifest, &rows).unwrap_err().contains(words), "{request}");
    }
}

#[test]
fn a_manifest_has_the_schema_of_the_settings() {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "NoSettings",
        "description": "The settings of a policy that has none: `{}`.",
        "type": "object",
        "additionalProperties": false,
    });
    for (manifest, words) in [
        (json!({ "name": "a", "settings": schema }), None),
        (json!({ "name": "a" }), Some("DOCKGATE_BLESS=1")),
        (json!({ "name": "a", "settings": {} }), Some("DOCKGATE_BLESS=1")),
        (
            json!({ "name": "a", "interests": [{ "operations": [], "request_body": true }] }),
            Some("request_body"),
        ),
    ] {
        let folder = folder("manifest");
        fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
        let checked = words_of_panic(|| check_manifest::<Everything>(&folder));
        match words {
            None => assert_eq!(checked, Ok(())),
            Some(words) => assert!(checked.unwrap_err().contains(words), "{manifest}"),
        }
    }
}

/// Checks a table; what it panics with, if it does.
fn table(name: &str, manifest: &serde_json::Value, rows: &serde_json::Value) -> Result<(), String> {
    let folder = folder(name);
    fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    fs::write(folder.join("requests.json"), rows.to_string()).unwrap();
    words_of_panic(|| check_requests::<Everything>(&folder))
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn words_of_panic(check: impl FnOnce() + panic::UnwindSafe) -> Result<(), String> {
    panic::catch_unwind(check).map_err(|panic| match panic.downcast::<String>() {
        Ok(words) => *words,
        Err(panic) => panic.downcast::<&str>().map(|words| (*words).to_owned()).unwrap(),
    })
}
