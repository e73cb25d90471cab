//! What becomes of every operation of the API, so that none is forgotten.

#![allow(clippy::expect_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;

use dockgate_plugin::{
    Json, Kind, Operation, Policy, Request, Setup, Verdict, json,
    testing::{Edit, routes},
};
use dockgate_plugin_label_scope::{Images, LabelScope, Match, OutOfScope, Settings};

/// What becomes of an operation when all that the request names is somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It goes on as it is, and so does the answer.
    Open,
    /// It is refused, on whatever it is.
    Refused,
    /// It is answered as if nothing were there.
    Hidden,
    /// It goes on with the labels in its filters.
    Narrowed,
    /// It goes on with the labels put on what it makes.
    Stamped,
    /// It goes on, and the answer is gone through.
    Reviewed,
    /// It goes on, and each value of the answer is judged.
    Sifted,
}

use Fate::{Hidden, Narrowed, Open, Refused, Reviewed, Sifted, Stamped};

const FATES: &[(Fate, &[&str])] = &[
    (
        Open,
        &[
            "distribution-inspect",
            "image-attestations",
            "image-create",
            "image-get",
            "image-get-all",
            "image-history",
            "image-inspect",
            "image-list",
            "image-search",
            "options",
            "system-auth",
            "system-info",
            "system-ping",
            "system-version",
        ],
    ),
    (
        Refused,
        &[
            "build-cancel",
            "build-prune",
            "grpc",
            "image-load",
            "node-delete",
            "node-update",
            "plugin-create",
            "plugin-delete",
            "plugin-disable",
            "plugin-enable",
            "plugin-list",
            "plugin-privileges",
            "plugin-pull",
            "plugin-push",
            "plugin-set",
            "plugin-upgrade",
            "session",
            "swarm-init",
            "swarm-inspect",
            "swarm-join",
            "swarm-leave",
            "swarm-unlock",
            "swarm-unlockkey",
            "swarm-update",
            "volume-update",
        ],
    ),
    (
        Hidden,
        &[
            "config-delete",
            "config-inspect",
            "config-update",
            "container-archive",
            "container-archive-info",
            "container-archive-put",
            "container-attach",
            "container-attach-websocket",
            "container-changes",
            "container-checkpoint-create",
            "container-checkpoint-delete",
            "container-checkpoint-list",
            "container-commit",
            "container-delete",
            "container-exec",
            "container-export",
            "container-inspect",
            "container-kill",
            "container-logs",
            "container-pause",
            "container-rename",
            "container-resize",
            "container-restart",
            "container-start",
            "container-stats",
            "container-stop",
            "container-top",
            "container-unpause",
            "container-update",
            "container-wait",
            "exec-inspect",
            "exec-resize",
            "exec-start",
            "image-delete",
            "image-push",
            "image-tag",
            "network-connect",
            "network-delete",
            "network-disconnect",
            "network-inspect",
            "node-inspect",
            "plugin-inspect",
            "secret-delete",
            "secret-inspect",
            "secret-update",
            "service-delete",
            "service-inspect",
            "service-logs",
            "service-update",
            "task-inspect",
            "task-logs",
            "volume-delete",
            "volume-inspect",
        ],
    ),
    (
        Narrowed,
        &[
            "container-list",
            "container-prune",
            "image-prune",
            "network-list",
            "network-prune",
            "volume-list",
            "volume-prune",
        ],
    ),
    (
        Stamped,
        &[
            "config-create",
            "container-create",
            "image-build",
            "network-create",
            "secret-create",
            "service-create",
            "volume-create",
        ],
    ),
    (
        Reviewed,
        &[
            "config-list",
            "node-list",
            "secret-list",
            "service-list",
            "system-data-usage",
            "task-list",
        ],
    ),
    (Sifted, &["system-events"]),
];

/// What is different where images are scoped as everything else.
const WITH_IMAGES_LABELLED: &[(Fate, &[&str])] = &[
    (
        Hidden,
        &["image-attestations", "image-get", "image-get-all", "image-history", "image-inspect"],
    ),
    (Narrowed, &["image-list"]),
    (Refused, &["image-build"]),
];

#[test]
fn every_operation_on_a_foreign_target_has_its_fate() {
    assert_fates(Images::Read, &expected([FATES]));
}

#[test]
fn images_have_another_where_they_are_scoped() {
    assert_fates(Images::Labelled, &expected([FATES, WITH_IMAGES_LABELLED]));
}

#[test]
fn nothing_that_was_refused_or_hidden_is_let_through_by_allowing() {
    for operation in operations() {
        let request = request(operation, "theirs");
        let verdict = scope(Images::Read, true).decide(&request);
        let stopped = matches!(fate(Images::Read, operation), Refused | Hidden);
        let is_stopped = matches!(verdict, Verdict::Deny(_)) || request.reply().is_some();
        assert_eq!(is_stopped, stopped, "{operation}: {verdict:?}");
        assert!(is_stopped || verdict == Verdict::Allow, "{operation}: {verdict:?}");
    }
}

#[test]
fn the_same_on_what_is_in_scope_goes_on() {
    for operation in operations() {
        let request = request(operation, "ours");
        let verdict = scope(Images::Labelled, false).decide(&request);
        if operation == Operation::PluginInspect {
            // No plugin is.
            continue;
        }
        let closed = matches!(fate(Images::Labelled, operation), Refused);
        assert_eq!(matches!(verdict, Verdict::Deny(_)), closed, "{operation}: {verdict:?}");
        assert_eq!(request.reply(), None, "{operation}");
    }
}

#[test]
fn what_is_not_known_is_refused() {
    let request = Request::new("POST", "/containers/web/teleport");
    scope(Images::Read, true).decide(&request).assert_denied_with("unknown can't be confined");
}

fn assert_fates(images: Images, expected: &BTreeMap<&str, Fate>) {
    for operation in operations() {
        let is = fate(images, operation);
        assert_eq!(Some(&is), expected.get(operation.name()), "{operation} is {is:?}");
    }
    assert_eq!(expected.len(), operations().count(), "an operation that is not there is expected");
}

fn expected<'a>(
    tables: impl IntoIterator<Item = &'a [(Fate, &'a [&'a str])]>,
) -> BTreeMap<&'a str, Fate> {
    let rows = tables.into_iter().flatten();
    rows.flat_map(|(fate, names)| names.iter().map(|name| (*name, *fate))).collect()
}

fn operations() -> impl Iterator<Item = Operation> {
    let mut operations: Vec<Operation> = routes().iter().map(|route| route.operation).collect();
    operations.dedup();
    operations.into_iter()
}

fn fate(images: Images, operation: Operation) -> Fate {
    let request = request(operation, "theirs");
    let verdict = scope(images, false).decide(&request);
    let edits = request.edits();
    match (verdict, request.reply()) {
        (Verdict::Deny(_), _) => Refused,
        (Verdict::Allow, Some((404, _))) => Hidden,
        (Verdict::Abstain, None) if edits.iter().any(is_narrowing) => Narrowed,
        (Verdict::Abstain, None) if edits.iter().any(is_stamp) => Stamped,
        (Verdict::Abstain, None) if edits.is_empty() => of_answer(images, operation),
        (verdict, reply) => panic!("{operation}: {verdict:?}, {reply:?}, {edits:?}"),
    }
}

fn is_narrowing(edit: &Edit) -> bool {
    *edit == Edit::SetQuery("filters".to_owned(), r#"{"label":["team=blue"]}"#.to_owned())
}

fn is_stamp(edit: &Edit) -> bool {
    let labels = Json::from(json!({ "team": "blue" }));
    *edit == Edit::SetJson("/Labels".to_owned(), labels.clone())
        || *edit == Edit::SetQuery("labels".to_owned(), labels.to_string())
}

/// What becomes of the answer, as the manifest and the policy have it.
fn of_answer(images: Images, operation: Operation) -> Fate {
    let is_shared = images == Images::Read && operation == Operation::ImageList;
    let manifest = Json::parse(include_str!("../manifest.json")).expect("the manifest is JSON");
    let interests = manifest.get("interests").map(Json::items).unwrap_or_default();
    let mut asked = interests.iter().filter(|interest| {
        let operations = interest.get("operations").map(Json::strings).unwrap_or_default();
        operations.contains(&operation.name())
    });
    asked
        .find_map(|interest| match (interest.get("response"), interest.get("items")) {
            (Some(_), _) if !is_shared => Some(Reviewed),
            (_, Some(_)) => Some(Sifted),
            _ => None,
        })
        .unwrap_or(Open)
}

fn scope(images: Images, allow: bool) -> LabelScope {
    let Ok(label) = "team=blue".parse();
    LabelScope::set_up(&mut Setup::new(Settings {
        labels: vec![label],
        match_: Match::All,
        out_of_scope: OutOfScope::Hide,
        images,
        allow,
    }))
}

/// A request for an operation that names nothing but things of ours, or of theirs.
fn request(operation: Operation, whose: &str) -> Request {
    let image = format!("{whose}:1");
    let takes_target = routes().iter().any(|route| {
        route.operation == operation
            && route.pattern.contains('{')
            && operation != Operation::Options
    });
    let request = match (takes_target, operation.name().starts_with("image-")) {
        (false, _) => Request::of(operation),
        (true, true) => Request::to(operation, &image),
        (true, false) => Request::to(operation, whose),
    };
    let request = match operation {
        Operation::ContainerCommit => request.with_query("container", whose),
        Operation::ImageCreate => request.with_query("fromImage", "new:1"),
        Operation::ImageGetAll => request.with_query("names", &image),
        Operation::NetworkConnect | Operation::NetworkDisconnect => {
            request.with_body(json!({ "Container": whose }))
        }
        Operation::ServiceCreate | Operation::ServiceUpdate => {
            request.with_body(json!({ "TaskTemplate": { "ContainerSpec": {} } }))
        }
        Operation::ContainerCreate
        | Operation::ConfigCreate
        | Operation::ConfigUpdate
        | Operation::NetworkCreate
        | Operation::SecretCreate
        | Operation::SecretUpdate
        | Operation::VolumeCreate => request.with_body(json!({})),
        _ => request,
    };
    let request = with_things(request, "ours", &json!({ "team": "blue" }));
    with_things(request, "theirs", &json!({ "team": "red" }))
}

/// One of each kind.
fn with_things(mut request: Request, name: &str, labels: &serde_json::Value) -> Request {
    for kind in Kind::ALL {
        let thing = match kind {
            Kind::Container => json!({ "Id": name, "Config": { "Labels": labels } }),
            Kind::Image => json!({ "Id": format!("{name}:1"), "Config": { "Labels": labels } }),
            Kind::Volume => json!({ "Name": name, "Labels": labels }),
            Kind::Network => json!({ "Id": name, "Name": name, "Labels": labels }),
            Kind::Exec => json!({ "ID": name, "ContainerID": name }),
            Kind::Task => json!({ "ID": name, "ServiceID": name }),
            Kind::Service | Kind::Node | Kind::Secret | Kind::Config => {
                json!({ "ID": name, "Spec": { "Labels": labels } })
            }
        };
        let called = if kind == Kind::Image { format!("{name}:1") } else { name.to_owned() };
        request = request.with_found(kind, called, thing);
    }
    request
}
