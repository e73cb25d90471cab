//! What `bundled:redact` hides stands in no answer of a real daemon. Something with a canary in it is
//! put into every place that the API takes: variables, labels, options of drivers, sources of mounts,
//! command lines, configs. Then everything is read, and no canary may come back.
//!
//! Needs what tests/dockerd.rs needs.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "dockerd/daemon.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod daemon;
#[path = "teams/engine.rs"]
mod engine;
#[path = "teams/http.rs"]
#[allow(dead_code, reason = "tests/teams.rs uses the rest")]
mod http;
#[path = "dockerd/proxy.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod proxy;
#[path = "dockerd/shell.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod shell;
#[path = "dockerd/wire.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod wire;

#[path = "redact/canaries.rs"]
mod canaries;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use canaries::{CANARIES, in_answer, plant, reads};
use daemon::wait_until;
use engine::Engine;
use http::Request;
use proxy::Proxy;

/// A daemon with canaries in it.
fn planted() -> Option<&'static Engine> {
    static PLANTED: std::sync::Once = std::sync::Once::new();
    let engine = engine::shared().filter(|engine| engine.is_swarm)?;
    PLANTED.call_once(|| plant(engine));
    Some(engine)
}

/// A proxy that allows everything, and redacts.
fn redacting(engine: &Engine, settings: Value) -> Proxy {
    let chain = [proxy::everything(), ("redact", settings)];
    Proxy::with_plugins(&engine.daemon.socket(), &chain)
}

/// All that there is to hide.
fn everything(how: &str) -> Value {
    let all = json!({ "hide": ["*"], "show": [], "how": how });
    json!({
        "environment": all, "labels": all, "options": all, "mounts": how,
        "host": "hide", "commands": "hide", "swarm": "hide",
    })
}

/// What the manifest of the plugin has shown to it.
fn operations_shown() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = fs::read_to_string(root.join("plugins/redact/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let interests = manifest["interests"].as_array().unwrap();
    let shown = interests.iter().filter(|one| one["response"] == "json" || one["items"] == true);
    let operations = shown.flat_map(|interest| interest["operations"].as_array().unwrap());
    operations.map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_canary_comes_back() {
    let Some(engine) = planted() else { return };
    let bare = engine.daemon.socket();
    let mut found = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for how in ["mask", "remove"] {
        let proxy = redacting(engine, everything(how));
        for (operation, line) in reads(engine) {
            let plain = Request::new(&line).ask(&bare);
            assert_eq!(plain.status / 100, 2, "{line}: {}", plain.text());
            found.extend(in_answer(&plain));
            asked.insert(operation);
            let answer = Request::new(&line).ask(&proxy.socket());
            assert_eq!(answer.status, plain.status, "{line}: {}", answer.text());
            let canaries = in_answer(&answer);
            assert!(canaries.is_empty(), "{how} {line}: {canaries:?} in\n{}", answer.text());
            assert_eq!(kinds_of(&answer.json_values()), kinds_of(&plain.json_values()), "{line}");
        }
    }
    // Else there was nothing to hide.
    assert_eq!(found, BTreeSet::from(CANARIES), "these came back from the daemon itself");
    // No plugin can be installed here, so that there is none to inspect.
    asked.extend(["plugin-inspect", "volume-create"]);
    // They have a test of their own.
    asked.extend(["container-start", "container-restart", "container-wait"]);
    let shown = operations_shown();
    let never: Vec<_> = shown.iter().filter(|name| !asked.contains(name.as_str())).collect();
    assert!(never.is_empty(), "never asked: {never:?}");
}

/// How many values there are, and whether they are objects or lists: what clients go through.
fn kinds_of(values: &[Value]) -> Vec<String> {
    let kind = |value: &Value| match value {
        Value::Array(items) => format!("{} items", items.len()),
        Value::Object(_) => "an object".to_owned(),
        _ => "a value".to_owned(),
    };
    values.iter().map(kind).collect()
}

/// Labels, commands and their steps are what people show if they don't say otherwise.
#[test]
fn without_settings_no_value_comes_back() {
    let Some(engine) = planted() else { return };
    let proxy = redacting(engine, json!({}));
    let hidden = ["config", "environment", "mount", "option"].map(|kind| format!("CANARY-{kind}"));
    for (_, line) in reads(engine) {
        let answer = Request::new(&line).ask(&proxy.socket());
        assert_eq!(answer.status, 200, "{line}: {}", answer.text());
        let canaries = in_answer(&answer);
        let found: Vec<_> = hidden.iter().filter(|name| canaries.contains(&***name)).collect();
        assert!(found.is_empty(), "{line}: {found:?} in\n{}", answer.text());
    }
}

/// The daemon says what it could not mount.
#[test]
fn a_start_that_fails_names_no_path() {
    let Some(engine) = planted() else { return };
    let proxy = redacting(engine, json!({}));
    for line in ["POST /containers/unmountable/start", "POST /containers/unmountable/restart"] {
        let plain = Request::new(line).ask(&engine.daemon.socket());
        assert!(plain.status >= 400 && !in_answer(&plain).is_empty(), "{}", plain.text());
        let answer = Request::new(line).ask(&proxy.socket());
        assert_eq!(answer.status, plain.status);
        assert_eq!(answer.json(), json!({ "message": "redacted" }));
    }
    for line in ["POST /containers/web/start", "POST /containers/nowhere/start"] {
        let plain = Request::new(line).ask(&engine.daemon.socket());
        let answer = Request::new(line).ask(&proxy.socket());
        assert_eq!(answer.status, plain.status, "{line}");
        assert_eq!(answer.text().trim_end(), plain.text().trim_end(), "{line}");
    }
}

/// And once more to who waits for the end of what did not begin.
#[test]
fn a_wait_tells_no_command() {
    let Some(engine) = planted() else { return };
    let proxy = redacting(engine, everything("mask"));
    let line = "POST /containers/stopped/wait";
    let plain = Request::new(line).ask(&engine.daemon.socket());
    assert!(in_answer(&plain).contains("CANARY-argument"), "{}", plain.text());
    let answer = Request::new(line).ask(&proxy.socket());
    assert_eq!(answer.status, 200);
    let [end] = &answer.json_values()[..] else { panic!("{}", answer.text()) };
    assert_eq!(end["Error"]["Message"], "redacted");
    assert_eq!(end["StatusCode"], plain.json_values()[0]["StatusCode"]);
}

#[test]
fn who_the_host_is_does_not_come_back_without_settings() {
    let Some(engine) = planted() else { return };
    let info = Request::new("GET /info").ask(&engine.daemon.socket()).json();
    let node = Request::new("GET /nodes").ask(&engine.daemon.socket()).json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let host: Vec<String> = ["Name", "ID", "KernelVersion", "OperatingSystem", "DockerRootDir"]
        .map(|field| text(&info[field]))
        .into_iter()
        .chain([text(&node[0]["Description"]["Hostname"]), text(&node[0]["Status"]["Addr"])])
        .collect();
    let proxy = redacting(engine, json!({}));
    let one = format!("GET /nodes/{}", text(&node[0]["ID"]));
    let key = "GET /swarm/unlockkey";
    let container = "GET /containers/hosted/json";
    for line in ["GET /info", "GET /version", "GET /nodes", &one, "GET /swarm", key, container] {
        let answer = Request::new(line).ask(&proxy.socket());
        assert_eq!(answer.status, 200, "{line}: {}", answer.text());
        for value in &host {
            let quoted = format!("\"{value}\"");
            assert!(!answer.text().contains(&quoted), "{line}: {value} in\n{}", answer.text());
        }
        for begin in ["SWMTKN-", "SWMKEY-"] {
            assert!(!answer.text().contains(begin), "{line}: {begin} in\n{}", answer.text());
        }
    }
}

/// The daemon lets an event through where a filter is the beginning of what it is about: a client that
/// asks letter by letter finds the name of a node.
#[test]
fn no_filter_of_events_finds_the_name_of_the_host() {
    let Some(engine) = planted() else { return };
    let proxy = redacting(engine, json!({}));
    let node = Request::new("GET /nodes").ask(&engine.daemon.socket()).json();
    let name = node[0]["Description"]["Hostname"].as_str().expect("nodes have names");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let kinds = |socket: &Path, filter: &str, value: &str| -> BTreeSet<String> {
        let filters = format!("%7B%22{filter}%22:%5B%22{value}%22%5D%7D");
        let line = format!("GET /events?since=1&until={now}&filters={filters}");
        let answer = Request::new(&line).ask(socket);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let kind = |event: &Value| event["Type"].as_str().unwrap().to_owned();
        answer.json_values().iter().map(kind).collect()
    };
    let mut found = 0;
    for filter in ["config", "container", "network", "plugin", "secret", "service", "volume"] {
        found += usize::from(kinds(&engine.daemon.socket(), filter, &name[..2]).contains("node"));
        let shown = kinds(&proxy.socket(), filter, &name[..2]);
        assert!(!shown.contains("node") && !shown.contains("daemon"), "{filter}: {shown:?}");
    }
    assert_ne!(found, 0, "else the daemon does no such thing");
    let by_label = "com.docker.compose.project=shop";
    assert_eq!(kinds(&proxy.socket(), "label", by_label), BTreeSet::new());
    assert!(kinds(&proxy.socket(), "type", "node").contains("node"));
}

/// Docker's client reads into types, so that a mask in the place of a date would be an error.
#[test]
fn the_client_goes_on_working() {
    let Some(engine) = planted() else { return };
    let script = "
        docker ps --all --size >ps
        docker inspect web busy:1 data >inspect
        docker top web >top
        docker images >images
        docker history shown:1 >history
        docker info >info
        docker version >version
        docker system df --verbose >df
        docker events --since 1 --until $(date +%s) >events
        docker network inspect net >network
        docker service ls >services
        docker service inspect --pretty svc >service
        docker service ps svc >tasks
        docker node ls >nodes
        docker node inspect --pretty self >node
        docker config inspect --pretty conf >config
        docker secret inspect --pretty sec >secret
        docker swarm join-token worker >token
        docker plugin ls >plugins
        # It waits for the end before it starts.
        docker run --rm busy:1 sh -c 'exit 3' || test $? = 3
        cat services tasks | grep -c svc
        cat token | grep -c redacted
        wc -l <events
    ";
    for settings in [json!({}), everything("mask"), everything("remove")] {
        let proxy = redacting(engine, settings);
        let printed = proxy.shell().must_run(script);
        let [svc, masked, events] = printed.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{printed}");
        };
        assert_ne!(svc, "0");
        assert_ne!(masked, "0");
        assert!(events.parse::<u32>().unwrap() > 10, "{printed}");
    }
}

/// Docker's client reads a service, changes it and sends all of it back.
#[test]
fn a_mask_is_never_written_back() {
    let Some(engine) = planted() else { return };
    let socket = engine.daemon.socket();
    let version = || Request::new("GET /services/svc").ask(&socket).json()["Version"].clone();
    let before = version();
    for (settings, words) in [
        (json!({}), "would overwrite what is redacted: send the value itself"),
        (json!({ "environment": { "how": "remove" } }), "parts are left out for this client"),
    ] {
        let proxy = redacting(engine, settings);
        let outcome = proxy.shell().run("docker service update --detach --label-add more=1 svc");
        assert_ne!(outcome.status, Some(0), "{outcome}");
        assert!(outcome.stderr.contains(words), "{outcome}");
    }
    wait_until("the daemon has had its time", || version() == before);
}
