//! Lists, with filters of the client's own.

use std::path::Path;

use serde_json::Value;

use crate::engine;
use crate::http::{Answer, Request};
use crate::team::{KEY, Kind, Things, proxy_of};

/// A list, where it has the things, and what in it names one.
struct List {
    path: &'static str,
    within: &'static str,
    name: &'static str,
    kind: Kind,
}

#[rustfmt::skip]
const LISTS: &[List] = &[
    List { path: "/containers/json", within: "", name: "/Id", kind: Kind::Container },
    List { path: "/volumes", within: "/Volumes", name: "/Name", kind: Kind::Volume },
    List { path: "/networks", within: "", name: "/Id", kind: Kind::Network },
    List { path: "/networks/", within: "", name: "/Id", kind: Kind::Network },
    List { path: "/images/json", within: "", name: "/Id", kind: Kind::Image },
    List { path: "/system/df", within: "/Containers", name: "/Id", kind: Kind::Container },
    List { path: "/system/df", within: "/Volumes", name: "/Name", kind: Kind::Volume },
    List { path: "/system/df", within: "/Images", name: "/Id", kind: Kind::Image },
    List { path: "/services", within: "", name: "/ID", kind: Kind::Service },
    List { path: "/tasks", within: "", name: "/ID", kind: Kind::Task },
    List { path: "/secrets", within: "", name: "/ID", kind: Kind::Secret },
    List { path: "/configs", within: "", name: "/ID", kind: Kind::Config },
];

impl List {
    /// The things in an answer, by what names them.
    fn names(&self, answer: &Answer) -> Vec<String> {
        assert_eq!(answer.status, 200, "{}: {}", self.path, answer.words());
        let json = answer.json();
        let things = json.pointer(self.within).expect("a list").as_array().cloned();
        let name =
            |thing: &Value| thing.pointer(self.name).and_then(Value::as_str).map(str::to_owned);
        things.unwrap_or_default().iter().map(|thing| name(thing).expect("a name")).collect()
    }
}

fn get(path: &str, filters: &str, socket: &Path) -> (Answer, String) {
    let encoded = filters.replace('%', "%25").replace('"', "%22").replace(' ', "%20");
    let encoded = encoded.replace('{', "%7B").replace('}', "%7D");
    let filters = if filters.is_empty() { String::new() } else { format!("&filters={encoded}") };
    let line = format!("GET {path}?all=1{filters}");
    (Request::new(&line).ask(socket), line)
}

#[test]
fn lists_are_of_what_is_ones_own() {
    let Some(engine) = engine::shared() else { return };
    let ours = Things::of(engine, "ours-listed", "ours-listed");
    let theirs = Things::of(engine, "theirs-listed", "theirs-listed");
    let proxy = proxy_of(engine, &ours.team, "labelled");
    let lists = LISTS.iter().filter(|list| engine.is_swarm || !list.kind.is_of_swarm());
    for list in lists {
        let all = list.names(&get(list.path, "", &engine.daemon.socket()).0);
        for team in [&ours, &theirs] {
            assert!(all.iter().any(|name| name == team.id(list.kind)), "{}: {all:?}", list.path);
        }
        let (answer, line) = get(list.path, "", &proxy.socket());
        assert_eq!(list.names(&answer), [ours.id(list.kind)], "{line}");
        theirs.expect_nothing_of_them_in(&answer, &line);
    }
    if engine.is_swarm {
        let (answer, _) = get("/nodes", "", &proxy.socket());
        assert_eq!(answer.text().trim(), "[]");
    }
}

#[test]
fn images_are_everybodys_where_they_are_to_be_read() {
    let Some(engine) = engine::shared() else { return };
    let ours = Things::of(engine, "ours-read", "ours-readable");
    let theirs = Things::of(engine, "theirs-read", "theirs-readable");
    let proxy = proxy_of(engine, &ours.team, "read");
    let list = LISTS.iter().find(|list| list.path == "/images/json").expect("one of the lists");
    let listed = list.names(&get(list.path, "", &proxy.socket()).0);
    for team in [&ours, &theirs] {
        assert!(listed.iter().any(|name| name == team.id(Kind::Image)), "{listed:?}");
    }
}

#[test]
fn filters_of_the_clients_own_only_narrow() {
    let Some(engine) = engine::shared() else { return };
    let ours = Things::of(engine, "ours-filtered", "ours-filtered");
    let theirs = Things::of(engine, "theirs-filtered", "theirs-filtered");
    let proxy = proxy_of(engine, &ours.team, "labelled");
    let lists = LISTS.iter().filter(|list| engine.is_swarm || !list.kind.is_of_swarm());
    for list in lists.filter(|list| list.path != "/system/df") {
        let (own, others) = (ours.id(list.kind), theirs.id(list.kind));
        for filter in FILTERS {
            let filled = |team: &Things| {
                let filter = filter.replace("{label}", &format!("{KEY}={}", team.team));
                let filter = filter.replace("{own label}", &format!("{KEY}={}", ours.team));
                filter.replace("{name}", team.name(list.kind)).replace("{id}", team.id(list.kind))
            };
            for filters in [filled(&theirs), filled(&ours)] {
                let (answer, line) = get(list.path, &filters, &proxy.socket());
                theirs.expect_nothing_of_them_in(&answer, &line);
                if answer.status == 200 {
                    let names = list.names(&answer);
                    assert!(names.is_empty() || names == [own], "{line}: {names:?}");
                    let (direct, _) = get(list.path, &filters, &engine.daemon.socket());
                    assert!(
                        direct.status != 200
                            || names.contains(&own.to_owned())
                                == list.names(&direct).contains(&own.to_owned())
                            // Of two values for one key in a swarm the daemon takes any.
                            || list.kind.is_of_swarm(),
                        "{line}: {names:?}"
                    );
                }
                assert!(!answer.text().contains(others) || line.contains(others), "{line}");
            }
        }
    }
}

/// Each in both of the forms that clients send.
const FILTERS: &[&str] = &[
    r#"{"label":["{label}"]}"#,
    r#"{"label":{"{label}":true}}"#,
    r#"{"label":["{label}","{own label}"]}"#,
    r#"{"label":{"{own label}":false}}"#,
    r#"{"label":[]}"#,
    r#"{"label":{}}"#,
    r#"{"label":["com.example.team"]}"#,
    r#"{"label":["com.example.team="]}"#,
    r#"{"label":[""]}"#,
    r#"{"label!":["{own label}"]}"#,
    r#"{"Label":["{label}"]}"#,
    r#"{"name":["{name}"]}"#,
    r#"{"name":{"{name}":true}}"#,
    r#"{"id":["{id}"]}"#,
    r#"{"id":{"{id}":true}}"#,
    r#"{"name":["listed","{name}"]}"#,
];

#[test]
fn a_filter_that_names_anothers_thing_tells_as_much_as_one_that_names_nothing() {
    let Some(engine) = engine::shared() else { return };
    let ours = Things::of(engine, "ours-asking", "ours-asking");
    let theirs = Things::of(engine, "theirs-asked", "theirs-asked");
    let proxy = proxy_of(engine, &ours.team, "labelled");
    let nothings = "nothing-asked";
    for (path, filters) in [
        ("/containers/json", r#"{"before":["{}-web"]}"#),
        ("/containers/json", r#"{"since":{"{}-web":true}}"#),
        ("/containers/json", r#"{"volume":["{}-vol"]}"#),
        ("/containers/json", r#"{"network":["{}-net"]}"#),
        ("/containers/json", r#"{"ancestor":["localhost:1/{}:1"]}"#),
        ("/containers/json", r#"{"name":["{}-web"]}"#),
        ("/containers/json", r#"{"label":["com.example.team={}"]}"#),
        ("/images/json", r#"{"before":["localhost:1/{}:1"]}"#),
        ("/images/json", r#"{"since":{"localhost:1/{}:1":true}}"#),
        ("/images/json", r#"{"reference":["localhost:1/{}"]}"#),
        ("/networks", r#"{"name":["{}-net"]}"#),
        ("/volumes", r#"{"name":["{}-vol"]}"#),
        ("/services", r#"{"name":["{}-svc"]}"#),
        ("/tasks", r#"{"service":["{}-svc"]}"#),
        ("/tasks", r#"{"name":{"{}-svc.1":true}}"#),
        ("/secrets", r#"{"name":["{}-secret"]}"#),
        ("/configs", r#"{"name":["{}-config"]}"#),
    ] {
        let of_swarm = ["/services", "/tasks", "/secrets", "/configs"];
        if !engine.is_swarm && of_swarm.contains(&path) {
            continue;
        }
        let told = |prefix: &str| {
            let (answer, line) = get(path, &filters.replace("{}", prefix), &proxy.socket());
            theirs.expect_nothing_of_them_in(&answer, &line);
            let head = answer.head.lines().filter(|line| !line.to_lowercase().starts_with("date:"));
            let length = |line: &str| {
                if answer.status == 200 { line.to_owned() } else { without_length(line) }
            };
            let head: Vec<String> = head.map(length).collect();
            (head, answer.text().replace(prefix, "…"))
        };
        assert_eq!(told(&theirs.prefix), told(nothings), "{path} {filters}");
    }
}

/// A refusal repeats what was asked for.
fn without_length(line: &str) -> String {
    line.split_once("ength: ").map_or(line, |(name, _)| name).to_owned()
}
