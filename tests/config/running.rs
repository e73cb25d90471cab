//! A running proxy, asked at its admin socket.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::PathBuf,
    process::Command,
};

use serde_json::{Value, json};

use crate::scene::{Daemon, Message, Peer, Proxy, get, ok, post};

const CONFIG: &str = "\
admin: { address: \"unix://{}/admin.sock\" }
listeners:
  local: { address: \"unix://{}/local.sock\" }
  network: { address: \"127.0.0.1:0\" }
plugins:
  flags: { source: \"bundled:tecnativa\", environment: { CONTAINERS: 1 } }
  scope: { source: \"bundled:label-scope\", settings: { labels: [team=web], allow: true } }
chains:
  - { name: team, listeners: [local], plugins: [scope] }
  - { name: rest, plugins: [flags] }
";

struct Running {
    proxy: Proxy,
    folder: PathBuf,
    daemon: Daemon,
}

impl Running {
    fn start() -> Self {
        let daemon = Daemon::answering(|request: &Message| {
            if request.first_line().contains("/containers/web/json") {
                ok(r#"{"Id":"4f66","Name":"/web","Config":{"Labels":{"team":"web"}}}"#)
            } else {
                ok("").replacen("200 OK", "404 Not Found", 1)
            }
        });
        let setup = Proxy::in_front_of_nothing_said();
        let folder = setup.path("");
        let file = setup.path("dockgate.yaml");
        let config = CONFIG.replace("{}", folder.to_str().unwrap().trim_end_matches('/'));
        let upstream = daemon.socket();
        let upstream = format!("upstream: {{ address: \"unix://{}\" }}\n", upstream.display());
        fs::write(&file, format!("{upstream}{config}")).unwrap();
        let proxy = setup.listening_by("DOCKGATE_CONFIG", file.to_str().unwrap()).start();
        Self { proxy, folder, daemon }
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("admin.sock")
    }

    fn peer(&self) -> Peer {
        Peer::new(UnixStream::connect(self.socket()).unwrap())
    }

    /// What it is told by `dockgate explain`, and the exit code.
    fn explain(&self, arguments: &[&str]) -> (i32, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockgate"));
        let socket = format!("unix://{}", self.socket().display());
        command.env_clear().args(["explain", "--json", "--running", &socket]).args(arguments);
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
    }
}

#[test]
fn it_explains_by_its_own_configuration_and_nothing_is_sent() {
    let running = Running::start();
    let (code, told) = running.explain(&["GET", "/containers/json?all=1"]);
    assert_eq!((code, &told["decision"]), (0, &json!("allow")));
    assert_eq!(told["chains"], json!([{"chain": "team", "fails": "listeners"}, {"chain": "rest"}]));
    let (code, told) = running.explain(&["POST", "/containers/web/stop"]);
    assert_eq!((code, &told["status"]), (1, &json!(403)));
    assert!(told["message"].as_str().unwrap().contains("POST=1"), "{told}");
    assert!(running.daemon.request_lines().is_empty());
    assert!(running.proxy.log().records().is_empty(), "nobody has asked for it");
}

#[test]
fn look_ups_are_made_at_the_daemon() {
    let running = Running::start();
    let stop = |name: &str| {
        let path = format!("/containers/{name}/stop");
        running.explain(&["POST", &path, "--as", "1000:1000"]).1
    };
    let told = stop("web");
    assert_eq!(told["decision"], "allow");
    assert_eq!(told["changes"], json!([{"part": "target", "before": "web", "after": "4f66"}]));
    let told = stop("db");
    assert_eq!((&told["decision"], &told["status"]), (&json!("respond"), &json!(404)));
    let lines = running.daemon.request_lines();
    assert!(lines.iter().all(|line| line.starts_with("GET /")), "{lines:?}");
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[test]
fn its_owner_alone_may_ask() {
    let running = Running::start();
    let mode = fs::metadata(running.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_is_no_question_is_refused() {
    let running = Running::start();
    for (request, status) in [
        (get("/"), 404),
        (get("/containers/json"), 404),
        (post("/explain/more", "{}"), 404),
        (get("/explain"), 405),
        (post("/explain", ""), 400),
        (post("/explain", "{}"), 400),
        (post("/explain", r#"{"method":"GET"}"#), 400),
        (post("/explain", &question("GE T", "/_ping").to_string()), 400),
        (post("/explain", &question("GET", "/_ping").to_string()), 200),
    ] {
        let answer = running.peer().ask(&request);
        assert_eq!(answer.status(), status, "{request}\n{}", answer.text());
    }
    assert!(running.daemon.request_lines().is_empty(), "it is no way to the daemon");
}

fn question(method: &str, target: &str) -> Value {
    json!({
        "method": method, "target": target, "headers": [], "body": "", "listener": "network",
        "address": "127.0.0.1", "process": null, "certificate": null, "container": null,
    })
}

#[test]
fn a_question_without_end_is_refused() {
    let running = Running::start();
    let mut peer = running.peer();
    peer.send(
        "POST /explain HTTP/1.1\r\nHost: dockgate\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
    );
    let block = format!("100000\r\n{}\r\n", " ".repeat(0x10_0000));
    // It closes before all of this is sent.
    let taken = (0..64).take_while(|_| peer.try_send(&block).is_ok()).count();
    assert!(taken < 64, "it takes {taken} MiB");
    assert_eq!(running.explain(&["GET", "/_ping"]).0, 0, "and goes on");
}

#[test]
fn who_hangs_does_not_hold_up_others() {
    let running = Running::start();
    let mut half_a_head = running.peer();
    half_a_head.send("POST /expl");
    let mut half_a_question = running.peer();
    half_a_question.send("POST /explain HTTP/1.1\r\nHost: dockgate\r\nContent-Length: 9\r\n\r\n{");
    let _silent = running.peer();
    assert_eq!(running.explain(&["GET", "/containers/json"]).0, 0);
    let answer = running.proxy.client().ask(get("/_ping"));
    assert_eq!(answer.status(), 404, "the daemon's own: {}", answer.head);
}
