//! What the log says of a request, and what it never says.

use std::os::unix::net::UnixStream;

use rustix::process::Signal;
use serde_json::Value;

use crate::scene::{Daemon, Peer, Proxy, Setup, get, ok, post, wait_until};

#[test]
fn a_record_says_what_became_of_a_request() {
    let daemon = Daemon::by_hand();
    let proxy = containers(&daemon).start();
    let mut client = proxy.client();
    client.send(get("/v1.41/containers/json?all=1"));
    let mut link = daemon.asked();
    link.send(ok("[1,2]"));
    client.answer();
    expect_record(
        &proxy,
        &client,
        "/v1.41/containers/json",
        &[
            ("level", "info".into()),
            ("operation", "container-list".into()),
            ("method", "GET".into()),
            ("verdict", "allow".into()),
            ("plugin", "tecnativa".into()),
            ("reason", Value::Null),
            ("status", 200.into()),
            ("bytes", 5.into()),
        ],
    );

    let refusal = client.ask(post("/images/x/tag", ""));
    expect_record(
        &proxy,
        &client,
        "/images/x/tag",
        &[
            ("level", "notice".into()),
            ("operation", "image-tag".into()),
            ("method", "POST".into()),
            ("verdict", "deny".into()),
            ("plugin", "tecnativa".into()),
            ("reason", "image-tag is not allowed: set POST=1 and IMAGES=1".into()),
            ("status", 403.into()),
            ("bytes", refusal.body.len().into()),
        ],
    );

    let refusal = client.ask(get("/containers/../images/json"));
    expect_record(
        &proxy,
        &client,
        "/containers/../images/json",
        &[
            ("level", "notice".into()),
            ("operation", "unknown".into()),
            ("method", "GET".into()),
            ("verdict", "invalid".into()),
            ("plugin", Value::Null),
            (
                "reason",
                "the path has a dot segment (. or ..), which the daemon would clean away".into(),
            ),
            ("status", 400.into()),
            ("bytes", refusal.body.len().into()),
        ],
    );

    drop(link);
    daemon.vanish();
    let refusal = client.ask(get("/containers/a/json"));
    let reason = refusal.words().replacen("dockgate: ", "", 1);
    expect_record(
        &proxy,
        &client,
        "/containers/a/json",
        &[
            ("level", "warning".into()),
            ("operation", "container-inspect".into()),
            ("method", "GET".into()),
            ("verdict", "unanswered".into()),
            ("plugin", "tecnativa".into()),
            ("reason", reason.into()),
            ("status", 502.into()),
            ("bytes", refusal.body.len().into()),
        ],
    );

    // A head that is never let through.
    let refusal = client.ask("GET /containers/b HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n");
    expect_record(
        &proxy,
        &client,
        "/containers/b",
        &[
            ("level", "notice".into()),
            ("operation", "unknown".into()),
            ("method", "GET".into()),
            ("verdict", "invalid".into()),
            ("plugin", Value::Null),
            ("reason", "Content-Length must be one decimal number".into()),
            ("status", 400.into()),
            ("bytes", refusal.body.len().into()),
        ],
    );
    assert_eq!(proxy.log().records().len(), 5, "one record a request");
}

fn expect_record(proxy: &Proxy, client: &Peer, path: &str, fields: &[(&str, Value)]) {
    let record = proxy.record(path);
    for (name, value) in fields {
        assert_eq!(record.get(name).unwrap_or(&Value::Null), value, "{name} in {record}");
    }
    let address = client.socket().local_addr().unwrap().as_socket().unwrap();
    assert_eq!(record["client"], address.to_string());
    assert!(record["duration_us"].is_u64(), "{record}");
    let time = record["time"].as_str().unwrap();
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z");
}

#[test]
fn the_level_says_which_records_are_kept() {
    for (level, kept) in [("debug", 2), ("info", 2), ("notice", 1), ("warning", 0), ("crit", 0)] {
        let daemon = Daemon::empty();
        let setup = containers(&daemon).with("LOG_LEVEL", level);
        // Where the log is silent, the test has to know the address.
        let path = setup.path("proxy.sock");
        let mut proxy = setup.listening_on(&format!("unix://{}", path.display())).start_silently();
        wait_until("it listens", || UnixStream::connect(&path).is_ok());
        let mut client = Peer::new(UnixStream::connect(&path).unwrap());
        client.ask(get("/containers/json"));
        client.ask(get("/images/json"));
        proxy.signal(Signal::TERM);
        assert_eq!(proxy.exit_code(), 0);
        assert_eq!(proxy.log().records().len(), kept, "{level}");
    }
}

#[test]
fn no_path_makes_a_line_of_its_own() {
    let forged = "{\"verdict\":\"allow\",\"path\":\"/forged\"}";
    for format in ["json", "text"] {
        let daemon = Daemon::empty();
        let mut proxy = containers(&daemon).option("--log-format", format).start();
        let before = proxy.log().text().lines().count();
        let mut asked = 0;
        for target in [
            format!("/containers/%0a{forged}/json"),
            format!("/containers/%0D%0A{forged}/json"),
            format!("/containers/\u{85}{forged}/json"),
            format!("/containers/\u{2028}{forged}/json"),
            "/containers/%1b[2K%1b[1A/json".to_owned(),
            "/containers/\u{9b}2K/json".to_owned(),
            "/containers/\"},{\"/json".to_owned(),
            "/containers/\u{202e}nosj/json".to_owned(),
        ] {
            proxy.client().ask(get(&target));
            asked += 1;
        }
        // Heads that are refused on the wire, with a line end where httparse stops reading.
        for head in [
            format!("GET /containers/\n{forged} HTTP/1.1\r\nHost: a\r\n\r\n"),
            format!("GET /containers/\r\n{forged} HTTP/1.1\r\nHost: a\r\n\r\n"),
            format!("GET /containers/\u{1b}[2K{forged} HTTP/1.1\r\nHost: a\r\n\r\n"),
        ] {
            proxy.client().ask(head);
            asked += 1;
        }
        proxy.signal(Signal::TERM);
        assert_eq!(proxy.exit_code(), 0);
        let log = proxy.log().text();
        // Besides those on its end.
        let of_requests =
            log.lines().filter(|line| !line.contains("ending") && !line.contains("ended"));
        assert_eq!(of_requests.count() - before, asked, "{log}");
        let foreign = |c: char| c.is_control() && c != '\n';
        assert!(!log.contains(foreign), "{log:?}");
        if format == "text" {
            assert!(!log.contains(['\u{2028}', '\u{202e}']), "{log:?}");
        }
    }
}

#[test]
fn the_bytes_of_a_stream_are_counted() {
    let daemon = Daemon::by_hand();
    let proxy = containers(&daemon).open(&["POST"]).start();
    let mut client = proxy.client();
    client.send("POST /containers/a/attach HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nin");
    let mut link = daemon.asked();
    link.send("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\noutput");
    client.head();
    client.exactly(6);
    drop((client, link));
    let record = proxy.record("/containers/a/attach");
    assert_eq!((&record["status"], &record["bytes"]), (&101.into(), &6.into()));
}

fn containers(daemon: &Daemon) -> Setup {
    Proxy::in_front_of(daemon).open(&["CONTAINERS"])
}
