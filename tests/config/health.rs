//! `dockgate healthcheck` beside a configuration file.

use std::{fs, path::PathBuf};

use crate::{
    authority::Authority,
    scene::{Daemon, Proxy, ok},
};

/// A proxy by a file that says this, where `{}` is its folder, and the file.
fn proxy(daemon: &Daemon, config: &str) -> (Proxy, PathBuf) {
    let setup = Proxy::in_front_of_nothing_said();
    let folder = setup.path("");
    let authority = Authority::new("ours");
    authority.server(&["localhost"]).write(&folder, &authority);
    let file = setup.path("dockgate.yaml");
    let upstream = daemon.socket();
    let config = config.replace("{}", folder.to_str().unwrap().trim_end_matches('/'));
    let text = format!("upstream: {{ address: \"unix://{}\" }}\n{config}", upstream.display());
    fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap().to_owned();
    (setup.listening_by("DOCKGATE_CONFIG", &path).start(), file)
}

fn health(file: &std::path::Path) -> (i32, String) {
    Proxy::health(&[("DOCKGATE_CONFIG", file.to_str().unwrap())])
}

const DECIDES: &str =
    "plugins: { flags: { source: \"bundled:tecnativa\", environment: { PING: 1 } } }
chains: [{ name: all, plugins: [flags] }]
";

const TLS: &str = "tls: { certificate: cert.pem, key: key.pem, client-ca: ca.pem }";

#[test]
fn the_first_listener_without_tls_is_asked() {
    let daemon = Daemon::answering(|_| ok(""));
    let config = format!(
        "listeners:\n  a: {{ address: \"127.0.0.1:0\" }}\n  b: {{ address: \"unix://{{}}/b.sock\" }}\n\
         {DECIDES}"
    );
    let (proxy, file) = proxy(&daemon, &config);
    assert_eq!(health(&file), (0, String::new()));
    let client = proxy.record("/_ping")["client"].clone();
    assert!(client.as_str().unwrap().starts_with("uid="), "it came by the socket: {client}");
    // One that is broken after the start is no reason to end a proxy that goes on with the old one.
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{whole}limits: {{ grace: soon }}\n")).unwrap();
    assert_eq!(health(&file), (0, String::new()));
    daemon.vanish();
    let (code, words) = health(&file);
    assert_eq!(code, 1);
    assert!(words.ends_with("it answers a ping with 502\n"), "{words}");
    fs::write(&file, "[").unwrap();
    let (code, words) = health(&file);
    assert_eq!(code, 2);
    assert!(words.contains("a value is missing here"), "{words}");
}

#[test]
fn behind_tls_alone_the_daemon_is_asked_past_the_proxy() {
    let daemon = Daemon::answering(|_| ok(""));
    // The port must be known to both.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!("listeners:\n  a: {{ address: \"127.0.0.1:{port}\", {TLS} }}\n{DECIDES}");
    let (proxy, file) = proxy(&daemon, &config);
    assert_eq!(health(&file), (0, String::new()));
    assert_eq!(daemon.request_lines(), ["HEAD /_ping HTTP/1.1"]);
    daemon.vanish();
    let (code, words) = health(&file);
    assert_eq!(code, 1);
    assert!(words.starts_with("dockgate: unhealthy: the daemon: "), "{words}");
    daemon.come_back();
    let text = fs::read_to_string(&file).unwrap();
    drop(proxy);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dockgate.yaml");
    fs::write(&file, text).unwrap();
    let (code, words) = health(&file);
    assert_eq!(code, 1);
    assert!(
        words.starts_with(&format!("dockgate: unhealthy: tcp://127.0.0.1:{port}: ")),
        "{words}"
    );
}

#[test]
fn a_file_by_which_nobody_listens_is_not_healthy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dockgate.yaml");
    for text in ["", "listeners: { a: { address: \"127.0.0.1:0\" } }\n"] {
        fs::write(&file, text).unwrap();
        let (code, words) = health(&file);
        assert_eq!((code, words.as_str()), (1, "dockgate: unhealthy: it listens nowhere\n"));
    }
}
