//! Several plugins, and what they come to.

use dockgate::request::routes;

use crate::{daemon::YES, proxy::Scene, wat::Plugin};

/// Answers every request itself, and keeps silent about whether it is allowed.
fn responding() -> Plugin {
    Plugin::deciding("(call $respond (i32.const 203) \"[1, 2]\") (call $abstain)")
}

/// Sets a parameter, and keeps silent.
fn limiting() -> Plugin {
    Plugin::deciding("(call $set-query \"limit\" \"5\") (call $abstain)")
}

/// Denies where the parameter is set, and allows otherwise.
fn unlimited() -> Plugin {
    Plugin::deciding(
        "(call $query \"limit\" (i32.const 512))
         (if (result i32) (i32.load8_u (i32.const 512))
           (then (call $deny (i32.const 403) \"no limits\"))
           (else (call $allow)))",
    )
}

#[test]
fn nothing_goes_through_that_no_plugin_allows() {
    let abstaining = Plugin::abstaining();
    let scene = Scene::new().plugin("first", &abstaining).plugin("second", &abstaining);
    let proxy = scene.start();
    let answer = proxy.get("/containers/json");
    let reason =
        "container-list (GET /containers/json) is not allowed: no plugin of the chain allows it";
    assert_eq!((answer.status, answer.message()), (403, format!("dockgate: {reason}")));
    let record = proxy.record("/containers/json");
    assert_eq!((&record["verdict"], &record["reason"]), (&"deny".into(), &reason.into()));
    assert!(record["plugin"].is_null(), "{record}");
    assert_eq!(proxy.daemon.received(), []);
}

/// No endpoint is opened or closed but by a plugin: the proxy has no policy of its own.
#[test]
fn every_operation_is_decided_by_plugins_alone() {
    let (allowing, abstaining) = (Plugin::allowing(), Plugin::abstaining());
    let open = Scene::new().plugin("open", &allowing).start();
    let shut = Scene::new().plugin("shut", &abstaining).start();
    let documented = routes::all().iter().map(|route| (route.method, sample(route.pattern)));
    let others = [("GET", "/no/such/path"), ("POST", "/"), ("PATCH", "/version"), ("FOO", "/info")];
    let others = others.map(|(method, path)| (method, path.to_owned()));
    let mut asked = 0;
    for (method, path) in documented.chain(others) {
        for path in [format!("/v1.41{path}"), path] {
            assert_eq!(open.connect().ask(method, &path).status, 200, "{method} {path}");
            assert_eq!(shut.connect().ask(method, &path).status, 403, "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked > 200, "only {asked} requests were made");
    assert_eq!(open.daemon.received().len(), asked);
    assert_eq!(shut.daemon.received(), []);
}

/// A path of a route.
fn sample(pattern: &str) -> String {
    let named = |segment: &str| if segment.starts_with('{') { "web" } else { segment }.to_owned();
    pattern.split('/').map(named).collect::<Vec<_>>().join("/")
}

#[test]
fn a_veto_counts_wherever_it_stands() {
    let (allowing, denying) = (Plugin::allowing(), Plugin::denying("not today"));
    for chain in [[&allowing, &denying], [&denying, &allowing]] {
        let proxy = Scene::new().plugin("first", chain[0]).plugin("second", chain[1]).start();
        let answer = proxy.get("/containers/json");
        assert_eq!((answer.status, answer.message()), (403, "dockgate: not today".to_owned()));
        assert_eq!(proxy.daemon.received(), []);
    }
}

#[test]
fn a_custom_plugin_refuses_what_the_flags_allow() {
    let proxy = Scene::new()
        .tecnativa()
        .plugin("custom", &Plugin::denying("not today"))
        .variable("CONTAINERS", "1")
        .start();
    assert_eq!(proxy.get("/containers/json").message(), "dockgate: not today");
    let record = proxy.record("/containers/json");
    assert_eq!((&record["verdict"], &record["plugin"]), (&"deny".into(), &"custom".into()));
    assert_eq!(proxy.daemon.received(), []);
}

#[test]
fn flags_refuse_what_a_custom_plugin_allows() {
    let proxy = Scene::new().plugin("custom", &Plugin::allowing()).tecnativa().start();
    let answer = proxy.get("/containers/json");
    let words = "dockgate: container-list is not allowed: set CONTAINERS=1";
    assert_eq!((answer.status, answer.message()), (403, words.to_owned()));
    assert_eq!(proxy.get("/version").status, 200);
    assert_eq!(proxy.daemon.received_lines(), ["GET /version"]);
}

#[test]
fn one_that_fails_refuses_whatever_the_others_say() {
    let (allowing, failing) = (Plugin::allowing(), Plugin::deciding("unreachable"));
    for (first, second) in [(&allowing, &failing), (&failing, &allowing)] {
        let proxy = Scene::new().plugin("first", first).plugin("second", second).start();
        let answer = proxy.get("/containers/json");
        assert_eq!(answer.status, 403);
        assert!(answer.message().contains("failed: it trapped"), "{answer:?}");
        assert_eq!(proxy.daemon.received(), []);
    }
}

#[test]
fn a_rewrite_is_seen_by_those_who_were_asked_before() {
    let watching = Plugin::deciding("(call $say-query \"limit\") (call $allow)");
    let proxy = Scene::new().plugin("watches", &watching).plugin("limits", &limiting()).start();
    assert_eq!(proxy.get("/containers/json?all=1").status, 200);
    assert_eq!(proxy.said("watches", "/containers/json"), ["(nothing)", "5"]);
    assert_eq!(proxy.daemon.received_lines(), ["GET /containers/json?all=1&limit=5"]);
}

#[test]
fn a_rewrite_never_slips_past_a_veto() {
    let (limiting, unlimited) = (limiting(), unlimited());
    for (first, second) in [(&limiting, &unlimited), (&unlimited, &limiting)] {
        let proxy = Scene::new().plugin("first", first).plugin("second", second).start();
        assert_eq!(proxy.get("/containers/json").message(), "dockgate: no limits");
        assert_eq!(proxy.daemon.received(), []);
    }
}

/// The flags are about the path that is sent, not the one that came.
#[test]
fn flags_decide_about_the_rewritten_request() {
    let renaming = Plugin::deciding(
        "(if (call $path-has \"/web/\") (then (call $set-target \"4f66ad9a0b2e\"))) (call $abstain)",
    );
    let proxy =
        Scene::new().tecnativa().plugin("renames", &renaming).variable("CONTAINERS", "1").start();
    assert_eq!(proxy.get("/v1.41/containers/web/json").status, 200);
    assert_eq!(proxy.daemon.received_lines(), ["GET /v1.41/containers/4f66ad9a0b2e/json"]);
}

#[test]
fn a_plugin_answers_in_the_daemons_stead_if_the_chain_allows() {
    let chain = || Scene::new().plugin("responds", &responding());
    let proxy = chain().plugin("allows", &Plugin::allowing()).start();
    let answer = proxy.get("/containers/json");
    assert_eq!((answer.status, answer.body.as_str()), (203, "[1, 2]"));
    let record = proxy.record("/containers/json");
    assert_eq!((&record["verdict"], &record["plugin"]), (&"respond".into(), &"responds".into()));
    assert_eq!(proxy.daemon.received(), []);

    for (proxy, words) in [
        (chain().start(), "no plugin of the chain allows it"),
        (chain().plugin("denies", &Plugin::denying("not today")).start(), "not today"),
        (
            chain()
                .plugin("allows", &Plugin::allowing())
                .plugin("fails", &Plugin::deciding("unreachable"))
                .start(),
            "instruction executed",
        ),
    ] {
        let answer = proxy.get("/containers/json");
        assert_eq!(answer.status, 403);
        assert!(answer.message().ends_with(words), "{answer:?}");
        assert_eq!(proxy.daemon.received(), []);
    }
}

#[test]
fn what_is_allowed_is_the_daemons_to_answer() {
    let proxy = Scene::new().plugin("allows", &Plugin::allowing()).start();
    assert_eq!(proxy.get("/containers/json").body, YES);
    let record = proxy.record("/containers/json");
    assert_eq!((&record["verdict"], &record["plugin"]), (&"allow".into(), &"allows".into()));
}
