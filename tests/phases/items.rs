//! An answer that is a stream of values, sifted as they come.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::{daemon::Daemon, proxy::Scene};

fn events() -> Value {
    json!([{"operations": ["system-events"], "items": true}])
}

/// A stream of these pieces, each a chunk of its own.
fn streams(daemon: &Daemon, pieces: &[&str]) {
    let pieces: Vec<_> = pieces.iter().map(|&piece| piece.to_owned()).collect();
    daemon.writes("/events", move |stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")?;
        stream.write_all(b"Transfer-Encoding: chunked\r\n\r\n")?;
        for piece in &pieces {
            write!(stream, "{:x}\r\n{piece}\r\n", piece.len())?;
        }
        stream.write_all(b"0\r\n\r\n")
    });
}

#[test]
fn values_are_kept_dropped_and_replaced_in_order() {
    let sift = json!({"sift": [{"drop": "secret"}, {"replace": ["name", {"name": "x"}]}]});
    let proxy = Scene::new().probe(&events(), &sift).start();
    let pieces = ["{\"a\":1}\n{\"secr", "et\":1}\n{\"name\":\"web\"}\r\n", "{\"b\": 2}", "\n"];
    streams(&proxy.daemon, &pieces);
    let answer = proxy.get("/events");
    assert_eq!(answer.body, "{\"a\":1}\n{\"name\":\"x\"}\r\n{\"b\": 2}\n");
    assert_eq!(proxy.record("/events")["bytes"], answer.body.len());
}

#[test]
fn a_value_goes_on_as_soon_as_it_has_come() {
    let proxy = Scene::new().probe(&events(), &json!({"sift": [{"drop": "secret"}]})).start();
    let (next, more) = std::sync::mpsc::channel::<()>();
    let more = std::sync::Mutex::new(more);
    proxy.daemon.writes("/events", move |stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        while let Ok(()) = more.lock().unwrap().recv() {
            stream.write_all(b"8\r\n{\"a\":1}\n\r\n")?;
        }
        Err(std::io::ErrorKind::BrokenPipe.into())
    });
    let mut client = proxy.connect();
    client.send("GET", "/events", &[], "");
    assert_eq!(client.head().0, 200);
    for _ in 0..3 {
        next.send(()).unwrap();
        assert_eq!(client.chunk().unwrap().unwrap(), b"{\"a\":1}\n");
    }
    drop(next);
    assert!(client.chunk().is_err(), "where the daemon breaks off, so does the answer");
}

/// Nobody can take it for a whole answer.
fn is_cut(came: &str) {
    assert!(!came.ends_with("\r\n0\r\n\r\n"), "{came}");
}

/// What a plugin would have left out must not get through because it could not.
#[test]
fn a_stream_is_cut_if_a_plugin_fails() {
    for (sift, words) in [
        (json!({"panic": "bad"}), "it trapped"),
        (json!({"spin": "bad"}), "it took longer than it may"),
    ] {
        let proxy = Scene::new().probe(&events(), &json!({"sift": [sift]})).start();
        streams(&proxy.daemon, &["{\"a\":1}\n", "{\"bad\":1}\n", "{\"c\":1}\n"]);
        let mut client = proxy.connect();
        client.send("GET", "/events", &[], "");
        let came = client.read_to_end();
        assert!(!came.contains("\"bad\"") && !came.contains("\"c\""), "{came}");
        is_cut(&came);
        let record = proxy.record("/events");
        assert_eq!(record["verdict"], "fault");
        assert!(record["reason"].as_str().unwrap().contains(words), "{record}");
        assert_eq!(proxy.get("/version").status, 200, "the next request works");
    }
}

#[test]
fn a_stream_that_can_not_be_read_is_cut() {
    for pieces in [
        &["{\"a\":1}\n", "{\"b\":}\n"][..],
        &["{\"a\":1}\n", "{\"never\": \"ends\""],
        &["{\"a\":1}\n", "<html>\n"],
    ] {
        let proxy = Scene::new().probe(&events(), &json!({})).start();
        streams(&proxy.daemon, pieces);
        let mut client = proxy.connect();
        client.send("GET", "/events", &[], "");
        let came = client.read_to_end();
        assert!(!came.contains("\"b\"") && !came.contains("html"), "{came}");
        is_cut(&came);
        assert_eq!(proxy.record("/events")["verdict"], "fault");
    }
}

#[test]
fn an_error_of_the_daemon_s_is_no_stream() {
    let proxy = Scene::new().probe(&events(), &json!({"sift": [{"drop": "message"}]})).start();
    proxy.daemon.says("/events", 400, r#"{"message":"invalid filter"}"#);
    let answer = proxy.get(r#"/events?filters={"x":["y"]}"#);
    assert_eq!((answer.status, &*answer.message()), (400, "invalid filter"));
}

#[test]
fn values_are_looked_up() {
    let sift = json!({"sift": [{"look-up": ["web", "web"]}, {"look-up": ["gone", "gone"]}]});
    let proxy = Scene::new().probe(&events(), &sift).start();
    proxy.daemon.says("/containers/gone/json", 404, "{}");
    proxy.daemon.says("/containers/web/json", 200, "{\"Id\":\"1\"}");
    streams(&proxy.daemon, &["{\"of\":\"web\"}\n{\"of\":\"gone\"}\n{\"of\":\"none\"}\n"]);
    assert_eq!(proxy.get("/events").body, "{\"of\":\"web\"}\n{\"of\":\"none\"}\n");
}

/// A stream goes on for days: its values don't share what is found, nor the number of look-ups that
/// a request may have.
#[test]
fn each_value_is_looked_up_for_itself() {
    let sift = json!({"sift": [{"look-up": ["web", "web"]}]});
    let proxy = Scene::new().probe(&events(), &sift).start();
    let asked = AtomicU64::new(0);
    proxy.daemon.writes("/containers/web/json", move |stream| {
        let found = asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        let (status, body) = if found { (200, "{\"Id\":\"1\"}") } else { (404, "{}") };
        let length = body.len();
        write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}")
    });
    streams(&proxy.daemon, &vec!["{\"of\":\"web\"}\n"; 200]);
    assert_eq!(proxy.get("/events").body, "{\"of\":\"web\"}\n".repeat(100));
}

#[test]
fn a_long_stream_is_sifted_in_order_and_kept_nowhere() {
    const EVENTS: u64 = 100_000;
    let proxy = Scene::new().probe(&events(), &json!({"sift": [{"drop": "odd"}]})).start();
    proxy.daemon.writes("/events", |stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        for n in 0..EVENTS {
            let kind = if n.is_multiple_of(2) { "even" } else { "odd" };
            let event =
                format!("{{\"n\":{n},\"kind\":\"{kind}\",\"pad\":\"{}\"}}\n", "x".repeat(400));
            write!(stream, "{:x}\r\n{event}\r\n", event.len())?;
        }
        stream.write_all(b"0\r\n\r\n")
    });
    let mut client = proxy.connect();
    client.send("GET", "/events", &[], "");
    assert_eq!(client.head().0, 200);
    let (mut next, mut unread) = (0, Vec::new());
    while let Some(chunk) = client.chunk().unwrap() {
        unread.extend(chunk);
        while let Some(end) = unread.iter().position(|&byte| byte == b'\n') {
            let event: Value = serde_json::from_slice(&unread[..end]).unwrap();
            assert_eq!(event["n"], next);
            next += 2;
            unread.drain(..=end);
        }
    }
    assert_eq!(next, EVENTS);
    assert!(proxy.peak_memory() < 64, "{} MiB", proxy.peak_memory());
}

#[test]
fn a_client_that_reads_slowly_slows_the_daemon() {
    let proxy = Scene::new().probe(&events(), &json!({"sift": [{"drop": "odd"}]})).start();
    let written = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&written);
    proxy.daemon.writes("/events", move |stream| {
        stream.set_write_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        let event = format!("{{\"pad\":\"{}\"}}\n", "x".repeat(4000));
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        // 400 MB, if somebody takes them.
        for _ in 0..100_000 {
            stream.write_all(chunk.as_bytes())?;
            counted.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    });
    let mut client = proxy.connect();
    client.send("GET", "/events", &[], "");
    assert_eq!(client.head().0, 200);
    // The daemon's write times out when nothing is taken.
    let mut before = u64::MAX;
    while before != written.load(Ordering::Relaxed) || before == 0 {
        before = written.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(500));
    }
    assert!(before < 8 << 20, "{before} bytes went out though nobody reads");
    assert!(proxy.peak_memory() < 64, "{} MiB", proxy.peak_memory());
}
