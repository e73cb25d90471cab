//! What clients get of the daemon's answers and events.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

use dockgate_plugin::{
    Json, Kind, Operation, Policy, Request, Response, Ruling, Setup, Sifted, json,
};
use dockgate_plugin_label_scope::{LabelScope, Settings};
use serde_json::Value;

fn scope(settings: Value) -> LabelScope {
    let settings: Settings = serde_json::from_value(settings).unwrap();
    LabelScope::set_up(&mut Setup::new(settings))
}

fn blue() -> LabelScope {
    scope(json!({ "labels": ["team=blue"] }))
}

/// What the client gets of a body.
fn passed(scope: &LabelScope, request: &Request, body: &Value) -> Value {
    let response = Response::new(200).with_body(body);
    assert_eq!(scope.review(request, &response), Ruling::Pass, "{body}");
    response.edited_body().map(Value::from).expect("there is a body")
}

fn container(name: &str, team: &str) -> (Kind, String, Value) {
    let inspected = json!({ "Id": name, "Config": { "Labels": { "team": team } } });
    (Kind::Container, name.to_owned(), inspected)
}

fn with_found(
    request: Request,
    things: impl IntoIterator<Item = (Kind, String, Value)>,
) -> Request {
    things
        .into_iter()
        .fold(request, |request, (kind, name, json)| request.with_found(kind, name, json))
}

#[test]
fn lists_hold_what_is_in_scope() {
    let (ours, theirs) = (json!({ "team": "blue" }), json!({ "team": "red" }));
    let item = |labels: &Value| json!({ "Labels": labels });
    let of_swarm = |labels: &Value| json!({ "Spec": { "Labels": labels } });
    let all = json!([item(&ours), item(&theirs), item(&Value::Null), {}]);
    for (operation, body, expected) in [
        (Operation::ContainerList, all.clone(), json!([item(&ours)])),
        (Operation::NetworkList, all.clone(), json!([item(&ours)])),
        (
            Operation::VolumeList,
            json!({ "Volumes": all, "Warnings": null }),
            json!({ "Volumes": [item(&ours)], "Warnings": null }),
        ),
        (Operation::VolumeList, json!({ "Volumes": null }), json!({ "Volumes": null })),
        (
            Operation::ServiceList,
            json!([of_swarm(&ours), of_swarm(&theirs), item(&ours)]),
            json!([of_swarm(&ours)]),
        ),
        (Operation::SecretList, json!([of_swarm(&theirs)]), json!([])),
        (Operation::ConfigList, json!([of_swarm(&theirs)]), json!([])),
        (Operation::NodeList, json!([of_swarm(&theirs)]), json!([])),
        (Operation::ImageList, json!([item(&theirs)]), json!([item(&theirs)])),
    ] {
        assert_eq!(passed(&blue(), &Request::of(operation), &body), expected, "{operation}");
    }
}

#[test]
fn images_are_listed_by_label_where_they_are_scoped() {
    let scope = scope(json!({ "labels": ["team"], "images": "labelled" }));
    let body = json!([{ "Labels": { "team": "" } }, { "Labels": null }]);
    let list = passed(&scope, &Request::of(Operation::ImageList), &body);
    assert_eq!(list, json!([{ "Labels": { "team": "" } }]));
}

#[test]
fn of_several_labels_one_may_be_enough() {
    let scope = scope(json!({ "labels": ["team=blue", "app"], "match": "any" }));
    let body = json!([{ "Labels": { "app": "" } }, { "Labels": { "team": "red" } }]);
    let list = passed(&scope, &Request::of(Operation::ContainerList), &body);
    assert_eq!(list, json!([{ "Labels": { "app": "" } }]));
}

/// Else its form would tell that nothing was left out: the daemon ends it with a new line.
#[test]
fn an_answer_that_is_all_ours_is_written_anew_like_all_others() {
    let ours = json!([{ "Spec": { "Labels": { "team": "blue" } } }]);
    let response = Response::new(200).with_body(ours.clone());
    blue().review(&Request::of(Operation::ServiceList), &response);
    assert_eq!(response.body().json(), Some(ours.into()));
    assert_eq!(response.edits().len(), 1);
}

#[test]
fn what_can_not_be_read_is_not_passed_on() {
    let list = Request::of(Operation::ContainerList);
    for response in [
        Response::new(200),
        Response::new(200).with_unread_body(),
        Response::new(200).with_body(json!({ "Containers": [] })),
    ] {
        let ruling = blue().review(&list, &response);
        assert!(matches!(ruling, Ruling::Refuse(denial) if denial.status == 502), "{response:?}");
    }
}

#[test]
fn tasks_are_those_of_our_containers_and_of_our_services() {
    let service = |id: &str, team: &str| {
        let inspected = json!({ "ID": id, "Spec": { "Labels": { "team": team } } });
        (Kind::Service, id.to_owned(), inspected)
    };
    let request = with_found(
        Request::of(Operation::TaskList),
        [service("ours", "blue"), service("theirs", "red")],
    );
    let by_service = json!({ "ServiceID": "ours", "Spec": { "ContainerSpec": {} } });
    let by_container = json!({
        "ServiceID": "theirs",
        "Spec": { "ContainerSpec": { "Labels": { "team": "blue" } } },
    });
    let foreign = json!({ "ServiceID": "theirs", "Spec": { "ContainerSpec": {} } });
    let gone = json!({ "ServiceID": "gone", "Spec": { "ContainerSpec": {} } });
    let body = json!([by_service, by_container, foreign, gone]);
    assert_eq!(passed(&blue(), &request, &body), json!([by_service, by_container]));
}

#[test]
fn what_is_beyond_the_look_ups_of_a_request_is_left_out() {
    let services = (0..64).map(|n| {
        let id = format!("service{n}");
        let inspected = json!({ "ID": id, "Spec": { "Labels": { "team": "blue" } } });
        (Kind::Service, id, inspected)
    });
    let request = with_found(Request::of(Operation::TaskList), services);
    let tasks: Vec<Value> =
        (0..64).map(|n| json!({ "ServiceID": format!("service{n}"), "Spec": {} })).collect();
    let list = passed(&blue(), &request, &tasks.into());
    assert_eq!(list.as_array().map(Vec::len), Some(32));
}

#[test]
fn a_network_of_ours_shows_our_containers_on_it() {
    let request = with_found(
        Request::to(Operation::NetworkInspect, "shop"),
        [container("web", "blue"), container("spy", "red")],
    );
    let body = json!({
        "Name": "shop",
        "Containers": { "web": { "Name": "web" }, "spy": { "Name": "spy" }, "lb-shop": {} },
    });
    let expected = json!({ "Name": "shop", "Containers": { "web": { "Name": "web" } } });
    assert_eq!(passed(&blue(), &request, &body), expected);
}

#[test]
fn the_use_of_disks_is_ours() {
    let request = Request::of(Operation::SystemDataUsage);
    let (ours, theirs) = (json!({ "Labels": { "team": "blue" } }), json!({ "Labels": {} }));
    let body = json!({
        "LayersSize": 7,
        "Images": [theirs],
        "Containers": [ours, theirs],
        "Volumes": [theirs],
        "BuildCache": [{ "ID": "x" }],
        "Future": [theirs],
    });
    let expected = json!({
        "LayersSize": 7,
        "Images": [theirs],
        "Containers": [ours],
        "Volumes": [],
        "BuildCache": [],
    });
    assert_eq!(passed(&blue(), &request, &body), expected);

    let of_1_52 = json!({
        "ContainersDiskUsage": { "TotalCount": 2, "Items": [ours, theirs] },
        "BuildCacheDiskUsage": { "TotalCount": 1, "Items": [{ "ID": "x" }] },
    });
    let expected = json!({
        "ContainersDiskUsage": { "TotalCount": 2, "Items": [ours] },
        "BuildCacheDiskUsage": { "TotalCount": 1, "Items": [] },
    });
    assert_eq!(passed(&blue(), &request, &of_1_52), expected);
}

#[test]
fn a_volume_that_was_there_already_is_not_given_away() {
    let create = Request::of(Operation::VolumeCreate).with_body(json!({ "Name": "shelf" }));
    let foreign = Response::new(201)
        .with_body(json!({ "Name": "shelf", "Labels": { "team": "red" }, "Mountpoint": "/m" }));
    let Ruling::Refuse(denial) = blue().review(&create, &foreign) else { panic!("it passed") };
    assert_eq!((denial.status, denial.message.contains("must be unique")), (409, true));
    let ours = json!({ "Name": "shelf", "Labels": { "team": "blue" } });
    assert_eq!(passed(&blue(), &create, &ours), ours);
}

#[test]
fn who_else_has_a_name_is_not_told() {
    let rename = Request::to(Operation::ContainerRename, "web");
    let response = Response::new(409).with_body(json!({
        "message": format!(
            "Conflict. The container name \"/db\" is already in use by container \"{}\". You have \
             to remove (or rename) that container to be able to reuse that name.",
            "1cad5edd7abd850d".repeat(4)
        ),
    }));
    assert_eq!(blue().review(&rename, &response), Ruling::Pass);
    let body = response.edited_body().unwrap();
    let message = body.get("message").and_then(Json::as_str).unwrap();
    assert!(message.starts_with("Conflict. The container name \"/db\" is already in use. You"));
}

#[test]
fn events_are_those_of_what_is_in_scope() {
    let service = json!({ "ID": "api", "Spec": { "Labels": { "team": "blue" } } });
    let request = with_found(
        Request::of(Operation::SystemEvents),
        [
            container("web", "blue"),
            container("spy", "red"),
            (Kind::Network, "net".into(), json!({ "Id": "net", "Labels": { "team": "blue" } })),
            (Kind::Volume, "shelf".into(), json!({ "Name": "shelf", "Labels": { "team": "red" } })),
            (Kind::Service, "api".into(), service),
        ],
    );
    let scope = blue();
    let event = |kind: &str, id: &str, attributes: Value| {
        let actor = json!({ "ID": id, "Attributes": attributes });
        let event = json!({ "Type": kind, "Action": "any", "Actor": actor });
        scope.sift(&request, &event.to_string()) == Sifted::Keep
    };
    assert!(event("container", "gone", json!({ "name": "x", "team": "blue" })));
    assert!(!event("container", "web", json!({ "name": "x", "team": "red" })));
    assert!(!event("container", "web", Value::Null));
    assert!(event("network", "net", json!({ "name": "net" })));
    assert!(!event("network", "gone", json!({ "name": "net" })));
    assert!(!event("network", "net", json!({ "container": "spy" })));
    assert!(event("network", "bridge", json!({ "container": "web" })));
    assert!(!event("network", "net", json!({ "container": "gone" })));
    assert!(!event("volume", "shelf", json!({ "driver": "local" })));
    assert!(event("volume", "shelf", json!({ "container": "web" })));
    assert!(event("service", "api", json!({ "name": "api" })));
    assert!(!event("secret", "gone", json!({ "name": "key" })));
    assert!(event("image", "nginx:latest", json!({ "name": "nginx:latest" })));
    assert!(!event("daemon", "d", json!({ "team": "blue" })));
    assert!(!event("plugin", "p", json!({ "team": "blue" })));
    assert!(!event("builder", "b", json!({ "team": "blue" })));
    assert_eq!(scope.sift(&request, r#"{"status":"start","id":"web"}"#), Sifted::Drop);
    assert_eq!(scope.sift(&request, "not JSON"), Sifted::Drop);
}

#[test]
fn events_of_images_have_labels_where_images_are_scoped() {
    let scope = scope(json!({ "labels": ["team=blue"], "images": "labelled" }));
    let request = Request::of(Operation::SystemEvents);
    let event = |attributes: Value| {
        let actor = json!({ "ID": "shop:1", "Attributes": attributes });
        let event = json!({ "Type": "image", "Action": "pull", "Actor": actor });
        scope.sift(&request, &event.to_string())
    };
    assert_eq!(event(json!({ "name": "shop", "team": "blue" })), Sifted::Keep);
    assert_eq!(event(json!({ "name": "shop" })), Sifted::Drop);
}
