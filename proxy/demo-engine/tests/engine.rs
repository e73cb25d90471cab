//! The engine over its socket, byte for byte.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use dockgate_demo_engine::{Engine, Received};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

#[tokio::test]
async fn a_ping_tells_who_is_there() {
    let daemon = Daemon::empty();
    let reply = daemon.send("HEAD", "/_ping").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    for header in ["Api-Version: 1.41", "Docker-Experimental: false", "Ostype: linux"] {
        assert!(reply.head.contains(header), "{}", reply.head);
    }
    assert!(reply.head.contains("Server: Docker/") && reply.head.contains("Builder-Version: 1"));
    assert_eq!(daemon.send("GET", "/v1.24/_ping").await.body, "OK");
}

#[tokio::test]
async fn the_sample_containers_are_up() {
    let daemon = Daemon::start(Engine::new());
    let list = daemon.send("GET", "/containers/json?all=1").await.json();
    let states: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|container| (container["Names"][0].as_str().unwrap(), container["Image"].as_str()))
        .collect();
    let expected = [
        ("/shop-web-1", Some("nginx:alpine")),
        ("/shop-worker-1", Some("busybox")),
        ("/shop-backup-1", Some("busybox")),
    ];
    assert_eq!(states, expected);
    let mut logs = daemon.open("GET", "/containers/shop-web-1/logs?follow=1&stdout=1").await;
    logs.until("tick 1\n").await;
}

#[tokio::test]
async fn lists_are_filtered() {
    let daemon = Daemon::empty();
    let labelled = json!({ "Image": "busybox", "Cmd": ["cat"], "OpenStdin": true, "Labels": { "tier": "web" } });
    daemon.create("front", &labelled).await;
    daemon.create("back", &cat()).await;
    daemon.send("POST", "/containers/back/start").await;
    for (query, names) in [
        ("", &["/back"][..]),
        ("all=true", &["/back", "/front"]),
        ("all=1&limit=1", &["/back"]),
        (r#"all=1&filters={"label":["tier=web"]}"#, &["/front"]),
        (r#"all=1&filters={"label":{"tier":true}}"#, &["/front"]),
        (r#"filters={"status":["created"]}"#, &["/front"]),
        (r#"all=1&filters={"name":["bac"]}"#, &["/back"]),
        (r#"all=1&filters={"label":["tier"],"name":["back"]}"#, &[]),
    ] {
        let query = query.replace('"', "%22");
        let list = daemon.send("GET", &format!("/v1.41/containers/json?{query}")).await.json();
        let found: Vec<_> = list.as_array().unwrap().iter().map(|one| &one["Names"][0]).collect();
        assert_eq!(found, names, "{query}");
    }
    let refused = daemon.send("GET", "/containers/json?filters=%7B%22x%22:[]%7D").await;
    assert_eq!((refused.status, refused.message().as_str()), (400, "Invalid filter 'x'"));
}

#[tokio::test]
async fn errors_are_docker_s() {
    let daemon = Daemon::empty();
    daemon.create("taken", &cat()).await;
    daemon.send("POST", "/containers/taken/start").await;
    for (method, target, body, status, message) in [
        ("GET", "/containers/x1/json", "", 404, "No such container: x1"),
        ("GET", "/containers/a/b/json", "", 404, "No such container: a/b"),
        ("DELETE", "/containers/json", "", 404, "No such container: json"),
        ("GET", "/images/team/app/json", "", 404, "No such image: team/app:latest"),
        ("POST", "/exec/x1/start", "{}", 404, "No such exec instance: x1"),
        ("GET", "/nope", "", 404, "page not found"),
        ("GET", "/containers/json%zz", "", 400, "400 Bad Request"),
        ("PATCH", "/containers/taken/json", "", 404, "page not found"),
        (
            "GET",
            "/v1.99/containers/json",
            "",
            400,
            "client version 1.99 is too new. Maximum supported API version is 1.41",
        ),
        ("POST", "/containers/create", r#"{"Image":"none"}"#, 404, "No such image: none:latest"),
        ("POST", "/containers/create?name=taken", r#"{"Image":"busybox"}"#, 409, "Conflict. "),
        ("POST", "/containers/create?name=-", r#"{"Image":"busybox"}"#, 400, "Invalid container"),
        ("DELETE", "/containers/taken", "", 409, "You cannot remove a running container "),
        ("POST", "/containers/taken/kill?signal=BOGUS", "", 400, "Invalid signal: BOGUS"),
        ("GET", "/containers/taken/logs", "", 400, "Bad parameters: you must choose at least one"),
        ("POST", "/containers/taken/wait?condition=x", "", 400, "invalid condition: \"x\""),
    ] {
        let reply = daemon.send_json(method, target, body).await;
        assert_eq!(reply.status, status, "{method} {target}: {}", reply.body);
        assert!(reply.message().starts_with(message), "{method} {target}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_path_is_read_as_the_daemon_reads_it() {
    let daemon = Daemon::empty();
    for target in
        ["/%63ontainers/json", "/v01.41/containers%2fjson", "http://x/v1.41./containers/json"]
    {
        let reply = daemon.send("GET", target).await;
        assert_eq!((reply.status, reply.body.trim()), (200, "[]"), "{target}");
    }
    let moved = daemon.send("GET", "/_ping/..%2fcontainers/json?all=1").await;
    assert_eq!(moved.status, 301);
    assert!(moved.head.contains("Location: /containers/json?all=1\r\n"), "{}", moved.head);
}

#[tokio::test]
async fn a_container_lives_and_dies() {
    let daemon = Daemon::empty();
    let body = json!({
        "image": "busybox", "Cmd": ["top"], "Nonsense": 1, "HostConfig": { "Privileged": true },
    });
    daemon.create("app", &body).await;
    let inspected = daemon.send("GET", "/containers/app/json").await.json();
    assert_eq!(inspected["State"]["Status"], "created");
    assert_eq!(inspected["HostConfig"]["Privileged"], true);
    assert_eq!(inspected["Config"].get("Nonsense"), None);
    for (action, status, running, exit_code) in [
        ("stop", 304, false, 0),
        ("start", 204, true, 0),
        ("start", 304, true, 0),
        ("restart", 204, true, 0),
        ("kill?signal=USR1", 204, true, 0),
        ("stop?t=3", 204, false, 143),
        ("kill", 409, false, 143),
        ("start", 204, true, 0),
        ("kill", 204, false, 137),
        ("rename?name=app", 409, false, 137),
    ] {
        assert_eq!(daemon.send("POST", &format!("/containers/app/{action}")).await.status, status);
        let state = daemon.send("GET", "/containers/app/json").await.json()["State"].clone();
        assert_eq!((&state["Running"], &state["ExitCode"]), (&json!(running), &json!(exit_code)));
    }
    daemon.send("POST", "/containers/app/start").await;
    assert_eq!(daemon.send("DELETE", "/containers/app?force=1").await.status, 204);
    assert_eq!(daemon.send("GET", "/containers/app/json").await.status, 404);
}

#[tokio::test]
async fn wait_sends_its_head_at_once_and_the_code_at_the_end() {
    let daemon = Daemon::empty();
    daemon.create("app", &json!({ "Image": "busybox", "Cmd": ["false"] })).await;
    let mut next = daemon.open("POST", "/containers/app/wait?condition=next-exit").await;
    let mut removed = daemon.open("POST", "/containers/app/wait?condition=removed").await;
    next.until("\r\n\r\n").await;
    removed.until("\r\n\r\n").await;
    daemon.send("POST", "/containers/app/start").await;
    next.until("{\"StatusCode\":1}\n").await;
    let now = daemon.send("POST", "/containers/app/wait").await;
    assert_eq!(now.json(), json!({ "StatusCode": 1 }));
    daemon.send("DELETE", "/containers/app").await;
    removed.until("{\"StatusCode\":1}\n").await;
}

#[tokio::test]
async fn a_wait_sees_the_end_before_a_restart() {
    let daemon = Daemon::empty();
    daemon.create("app", &json!({ "Image": "busybox", "Cmd": ["sleep", "infinity"] })).await;
    daemon.send("POST", "/containers/app/start").await;
    let mut wait = daemon.open("POST", "/containers/app/wait").await;
    wait.until("\r\n\r\n").await;
    daemon.send("POST", "/containers/app/restart").await;
    wait.until("{\"StatusCode\":143}\n").await;
}

#[tokio::test]
async fn logs_are_tailed_and_followed_to_the_end() {
    let daemon = Daemon::empty();
    daemon.create("app", &cat()).await;
    daemon.send("POST", "/containers/app/start").await;
    let mut attached = daemon.attach("app", "").await;
    attached.write(b"one\ntwo\nthr").await;
    attached.until("thr").await;
    let mut logs = daemon.open("GET", "/containers/app/logs?follow=1&stdout=1&tail=1").await;
    logs.until("\x01\0\0\0\0\0\0\x04two\n").await;
    attached.write(b"ee\nfour").await;
    logs.until("three\n").await;
    daemon.send("POST", "/containers/app/stop").await;
    let seen = logs.until("\r\n0\r\n\r\n").await;
    assert!(!seen.contains("one\n") && seen.contains("four"), "{seen}");
    let stamped = daemon.send("GET", "/containers/app/logs?stdout=1&timestamps=1&tail=1").await;
    assert!(stamped.body.ends_with("Z four"), "{}", stamped.body);
    assert_eq!(daemon.send("GET", "/containers/app/logs?stderr=1").await.body, "");
}

#[tokio::test]
async fn attach_upgrades_and_takes_over_and_keeps_a_half_closed_client() {
    let upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
    for (headers, head) in [(upgrade, "HTTP/1.1 101 UPGRADED\r\n"), ("", "HTTP/1.1 200 OK\r\n")] {
        let daemon = Daemon::empty();
        daemon.create("app", &cat()).await;
        let mut attached = daemon.attach("app", headers).await;
        attached.write(b"in time").await;
        attached.close_writing().await;
        daemon.send("POST", "/containers/app/start").await;
        let seen = attached.rest().await;
        assert!(seen.starts_with(head), "{seen}");
        assert!(seen.contains("application/vnd.docker.raw-stream"), "{seen}");
        assert!(seen.ends_with("\x01\0\0\0\0\0\0\x07in time"), "{seen}");
        assert_eq!(daemon.state("app").await, ("exited".into(), 0));
    }
}

#[tokio::test]
async fn attach_takes_a_connection_over_after_other_requests() {
    let daemon = Daemon::empty();
    daemon.create("app", &cat()).await;
    daemon.send("POST", "/containers/app/start").await;
    let mut wire = daemon.open("GET", "/_ping").await;
    wire.until("OK").await;
    // The input that comes in one piece with the request belongs to the stream.
    wire.write(
        b"POST /containers/app/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\n\r\nearly",
    )
    .await;
    wire.until("early").await;
    wire.close_writing().await;
    wire.rest().await;
    assert_eq!(daemon.state("app").await, ("exited".into(), 0));
}

#[tokio::test]
async fn a_stream_that_nobody_reads_holds_up_the_program_but_not_its_end() {
    let daemon = Daemon::empty();
    daemon.create("app", &cat()).await;
    daemon.send("POST", "/containers/app/start").await;
    let mut attached = daemon.attach("app", "").await;
    let block = vec![b'x'; 64 * 1024];
    let flood = async {
        loop {
            attached.write(&block).await;
        }
    };
    let stalled = tokio::time::timeout(std::time::Duration::from_millis(200), flood).await;
    assert!(stalled.is_err());
    daemon.send("POST", "/containers/app/kill").await;
    assert_eq!(daemon.state("app").await, ("exited".into(), 137));
}

#[tokio::test]
async fn exec_repeats_its_input_and_tells_its_code() {
    let daemon = Daemon::empty();
    daemon.create("app", &cat()).await;
    let body = json!({ "Cmd": ["cat"], "AttachStdin": true, "AttachStdout": true }).to_string();
    let refused = daemon.send_json("POST", "/containers/app/exec", &body).await;
    assert_eq!(refused.status, 409);
    daemon.send("POST", "/containers/app/start").await;
    let created = daemon.send_json("POST", "/containers/app/exec", &body).await;
    assert_eq!(created.status, 201);
    let id = created.json()["Id"].as_str().unwrap().to_owned();
    let mut exec =
        daemon.open_json("POST", &format!("/exec/{id}/start"), r#"{"Detach":false}"#).await;
    exec.write(b"over there").await;
    exec.close_writing().await;
    let seen = exec.rest().await;
    assert!(seen.ends_with("\x01\0\0\0\0\0\0\x0aover there"), "{seen}");
    let inspected = daemon.send("GET", &format!("/exec/{id}/json")).await.json();
    assert_eq!((&inspected["Running"], &inspected["ExitCode"]), (&json!(false), &json!(0)));
    let again = daemon.send_json("POST", &format!("/exec/{id}/start"), "{}").await;
    assert_eq!(again.status, 409);
}

#[tokio::test]
async fn events_are_held_open_and_filtered() {
    let daemon = Daemon::empty();
    let filters = r#"{"type":["container"],"event":["start","die"],"container":["app"]}"#;
    let target = format!("/events?filters={}", filters.replace('"', "%22"));
    let mut events = daemon.open("GET", &target).await;
    events.until("\r\n\r\n").await;
    for name in ["other", "app"] {
        daemon.create(name, &json!({ "Image": "busybox", "Cmd": ["false"] })).await;
        daemon.send("POST", &format!("/containers/{name}/start")).await;
    }
    let seen = events.until("\"Action\":\"die\"").await;
    assert!(seen.contains("\"Action\":\"start\"") && !seen.contains("other"), "{seen}");
    let until = "/events?since=1&until=9999999999.5";
    daemon.open("GET", until).await.until("\"Action\":\"create\"").await;
    let past = daemon.send("GET", "/events?since=1&until=2").await;
    assert_eq!((past.status, past.body.as_str()), (200, ""));
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed() {
    let daemon = Daemon::empty();
    for target in ["/events", "/_ping"] {
        let mut wire = daemon.open("GET", target).await;
        wire.until("\r\n\r\n").await;
        wire.close_writing().await;
        wire.rest().await;
    }
}

#[tokio::test]
async fn what_was_received_is_told() {
    let daemon = Daemon::empty();
    daemon.send_json("POST", "/v1.41/nowhere?a=%41&a=2", "{\"raw\": 1 }").await;
    let requests = daemon.engine.requests();
    let [Received { method, target, headers, body, body_len, .. }] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    assert_eq!((method.as_str(), target.as_str()), ("POST", "/v1.41/nowhere?a=%41&a=2"));
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!((body.as_slice(), *body_len), (&b"{\"raw\": 1 }"[..], 11));
    for _ in 0..Received::KEPT {
        daemon.send("GET", "/_ping").await;
    }
    assert_eq!(daemon.engine.requests().len(), Received::KEPT);
    assert_eq!(daemon.engine.request_count(), Received::KEPT as u64 + 1);
    assert_eq!(daemon.engine.requests()[0].target, "/_ping");
}

#[tokio::test]
async fn a_form_body_comes_before_the_query() {
    let daemon = Daemon::empty();
    daemon.create("app", &cat()).await;
    let mut wire = daemon.connect().await;
    let request = "POST /containers/app/rename?name=good HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\
        Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nname=evil";
    wire.write(request.as_bytes()).await;
    wire.rest().await;
    assert_eq!(daemon.send("GET", "/containers/evil/json").await.status, 200);
}

fn cat() -> Value {
    json!({ "Image": "busybox", "Cmd": ["cat"], "OpenStdin": true, "StdinOnce": true })
}

struct Daemon {
    engine: Engine,
    folder: TempDir,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Daemon {
    fn empty() -> Self {
        Self::start(Engine::empty())
    }

    fn start(engine: Engine) -> Self {
        let folder = TempDir::new().unwrap();
        let listener = UnixListener::bind(folder.path().join("sock")).unwrap();
        let served = engine.clone();
        let serving = tokio::spawn(async move { served.serve(listener).await });
        Self { engine, folder, serving }
    }

    async fn connect(&self) -> Wire {
        let stream = UnixStream::connect(self.folder.path().join("sock")).await.unwrap();
        Wire { stream, seen: Vec::new() }
    }

    async fn open(&self, method: &str, target: &str) -> Wire {
        self.open_with(method, target, "", "").await
    }

    async fn open_json(&self, method: &str, target: &str, body: &str) -> Wire {
        self.open_with(method, target, "Content-Type: application/json\r\n", body).await
    }

    async fn attach(&self, name: &str, headers: &str) -> Wire {
        let target = format!("/containers/{name}/attach?stream=1&stdin=1&stdout=1&stderr=1");
        let mut wire = self.open_with("POST", &target, headers, "").await;
        wire.until("\r\n\r\n").await;
        wire
    }

    async fn open_with(&self, method: &str, target: &str, headers: &str, body: &str) -> Wire {
        let mut wire = self.connect().await;
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let request =
            format!("{method} {target} HTTP/1.1\r\nHost: d\r\n{headers}{length}\r\n{body}");
        wire.write(request.as_bytes()).await;
        wire
    }

    async fn send(&self, method: &str, target: &str) -> Reply {
        self.send_json(method, target, "").await
    }

    /// One request in HTTP/1.0, so that the reply ends with the connection.
    async fn send_json(&self, method: &str, target: &str, body: &str) -> Reply {
        let mut wire = self.connect().await;
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.0\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        wire.write(request.as_bytes()).await;
        let text = wire.rest().await;
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head: head.into(), body: body.into() }
    }

    async fn create(&self, name: &str, body: &Value) {
        let target = format!("/containers/create?name={name}");
        let reply = self.send_json("POST", &target, &body.to_string()).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
    }

    async fn state(&self, name: &str) -> (String, i64) {
        let state = self.send("GET", &format!("/containers/{name}/json")).await.json();
        let state = &state["State"];
        (state["Status"].as_str().unwrap().into(), state["ExitCode"].as_i64().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().into()
    }
}

/// A connection, and all that has come over it.
struct Wire {
    stream: UnixStream,
    seen: Vec<u8>,
}

impl Wire {
    async fn write(&mut self, data: &[u8]) {
        self.stream.write_all(data).await.unwrap();
    }

    async fn close_writing(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Reads until `text` has come.
    async fn until(&mut self, text: &str) -> String {
        loop {
            let seen = String::from_utf8_lossy(&self.seen).into_owned();
            if seen.contains(text) {
                return seen;
            }
            let read = self.stream.read_buf(&mut self.seen).await.unwrap();
            assert_ne!(read, 0, "no {text:?} in {seen:?}");
        }
    }

    async fn rest(&mut self) -> String {
        self.stream.read_to_end(&mut self.seen).await.unwrap();
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}
