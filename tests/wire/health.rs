//! `dockgate healthcheck`, as a container image runs it: with the environment of the proxy.

use crate::scene::{Daemon, Proxy, ok};

#[test]
fn it_is_healthy_while_the_daemon_is() {
    let daemon = Daemon::answering(|_| ok(""));
    let proxy = Proxy::in_front_of(&daemon).start();
    assert_eq!(check(&proxy, &daemon), (0, String::new()));
    assert_eq!(daemon.request_lines(), ["HEAD /_ping HTTP/1.1"]);
    daemon.vanish();
    let (code, words) = check(&proxy, &daemon);
    assert_eq!(code, 1);
    let address = &proxy.addresses()[0];
    assert_eq!(words, format!("dockgate: unhealthy: {address}: it answers a ping with 502\n"));
    daemon.come_back();
    assert_eq!(check(&proxy, &daemon).0, 0);
}

#[test]
fn a_ping_that_is_refused_is_asked_of_the_daemon() {
    let daemon = Daemon::answering(|_| ok(""));
    let proxy = Proxy::in_front_of(&daemon).with("PING", "0").start();
    assert_eq!(check(&proxy, &daemon), (0, String::new()));
    daemon.vanish();
    let (code, words) = check(&proxy, &daemon);
    assert_eq!(code, 1);
    assert!(words.starts_with("dockgate: unhealthy: the daemon: "), "{words}");
}

#[test]
fn a_daemon_that_fails_is_not_healthy() {
    let daemon = Daemon::answering(|_| ok("").replacen("200 OK", "500 Internal Server Error", 1));
    let proxy = Proxy::in_front_of(&daemon).start();
    assert_eq!(check(&proxy, &daemon).0, 1);
    let proxy = Proxy::in_front_of(&daemon).with("PING", "0").start();
    assert_eq!(check(&proxy, &daemon).0, 1);
}

#[test]
fn a_daemon_that_is_silent_is_not_healthy() {
    let daemon = Daemon::by_hand();
    let proxy = Proxy::in_front_of(&daemon).option("--answer-timeout", "0.2").start();
    let (code, words) = check(&proxy, &daemon);
    assert_eq!(code, 1);
    assert!(words.ends_with("it answers a ping with 504\n"), "{words}");
}

#[test]
fn a_proxy_that_is_not_there_is_not_healthy() {
    let daemon = Daemon::answering(|_| ok(""));
    let setup = Proxy::in_front_of(&daemon);
    let nobody = format!("unix://{}", setup.path("nobody.sock").display());
    let socket = daemon.socket();
    let environment =
        [("DOCKGATE_LISTEN", nobody.as_str()), ("SOCKET_PATH", socket.to_str().unwrap())];
    let (code, words) = Proxy::health(&environment);
    assert_eq!(code, 1);
    assert!(words.starts_with(&format!("dockgate: unhealthy: {nobody}: ")), "{words}");
    let (code, _) = Proxy::health(&[("BIND_CONFIG", "127.0.0.1:1"), environment[1]]);
    assert_eq!(code, 1);
}

#[test]
fn it_is_asked_where_it_listens() {
    let daemon = Daemon::answering(|_| ok(""));
    let setup = Proxy::in_front_of(&daemon);
    let path = setup.path("proxy.sock");
    let path = path.to_str().unwrap();
    let proxy = setup.listening_by("BIND_CONFIG", path).start();
    assert_eq!(Proxy::health(&[("BIND_CONFIG", path)]).0, 0);
    drop(proxy);
    let proxy = Proxy::in_front_of(&daemon).start();
    let port = proxy.address().port();
    // Every address of this machine is asked for here.
    for config in
        [format!("127.0.0.1:{port}"), format!(":{port} v4v6"), format!("[::]:{port} v4v6")]
    {
        assert_eq!(Proxy::health(&[("BIND_CONFIG", &config)]), (0, String::new()), "{config}");
    }
}

fn check(proxy: &Proxy, daemon: &Daemon) -> (i32, String) {
    let socket = daemon.socket();
    let listen = &proxy.addresses()[0];
    Proxy::health(&[("DOCKGATE_LISTEN", listen), ("SOCKET_PATH", socket.to_str().unwrap())])
}
