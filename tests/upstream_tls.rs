//! A daemon at a TCP address, with TLS and without.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "../proxy/src/tls/authority.rs"]
mod authority;
#[path = "upstream_tls/front.rs"]
mod front;
#[path = "wire/scene/mod.rs"]
#[allow(dead_code, unused_imports, reason = "tests/wire.rs uses the rest")]
mod scene;

use std::path::Path;

use authority::Authority;
use front::{Front, Security};
use rustls::{
    SupportedProtocolVersion,
    version::{TLS12, TLS13},
};
use scene::{Daemon, Message, Peer, Proxy, Setup, get, ok, wait_until};
use tempfile::TempDir;

const TAKEN_OVER: &str = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

#[test]
fn a_list_passes_with_our_certificate_shown_and_the_connection_kept() {
    for version in [&TLS13, &TLS12] {
        let scene = Scene::new();
        let daemon = Daemon::empty();
        let front = Front::of(&daemon, scene.asking_for_certificates(version));
        let proxy = scene.proxy(&front).start();
        proxy.log().wait_for_text(&format!("in front of tcp://{}", front.address()));
        let mut client = proxy.client();
        for _ in 0..3 {
            assert_eq!(client.ask(get("/containers/json")).text(), "[]\n");
        }
        let hosts: Vec<_> =
            daemon.received().iter().map(|r| r.header("host").map(str::to_owned)).collect();
        assert_eq!(hosts, vec![Some("docker".to_owned()); 3]);
        assert_eq!(front.shown(), [Some(scene.ours.der.clone())], "one connection for all");
    }
}

#[test]
fn a_list_passes_without_tls() {
    let daemon = Daemon::empty();
    let front = Front::of(&daemon, Security::None);
    let proxy = in_front_of(&format!("tcp://localhost:{}", front.address().port())).start();
    assert_eq!(proxy.client().ask(get("/containers/json")).text(), "[]\n");
}

#[test]
fn a_long_body_is_the_same_behind_tls() {
    let scene = Scene::new();
    let long = "0123456789abcdef".repeat(1 << 16);
    let answer = ok(&long);
    let daemon = Daemon::answering(move |_| answer.clone());
    let front = Front::of(&daemon, scene.asking_for_certificates(&TLS13));
    let proxy = scene.proxy(&front).start();
    let mut client = proxy.client();
    for _ in 0..3 {
        assert!(client.ask(get("/containers/json")).text() == long);
    }
}

#[test]
fn a_daemon_that_is_not_the_one_that_is_meant_gets_no_request() {
    let scene = Scene::new();
    let daemon = Daemon::empty();
    let others = Authority::new("others").server(&["127.0.0.1"]);
    let elsewhere = scene.daemons.server(&["docker.example.com"]);
    let (ca, ended) = (scene.path().join("ca.pem"), scene.ended());
    for (certificate, words) in [
        (&others, format!("its certificate is from no authority in {}", ca.display())),
        (&elsewhere, "its certificate is refused: ".to_owned()),
        (&ended, "its certificate is refused: ".to_owned()),
    ] {
        let front = Front::of(&daemon, Security::tls(certificate, &TLS13, None));
        let proxy = scene.proxy(&front).start();
        let answer = proxy.client().ask(get("/containers/json"));
        refused(&answer, &format!("can't be reached at tcp://{}: {words}", front.address()));
    }
    assert!(daemon.request_lines().is_empty());
}

#[test]
fn a_daemon_that_does_not_take_our_certificate_is_told_of() {
    for version in [&TLS13, &TLS12] {
        let scene = Scene::new();
        let daemon = Daemon::empty();
        let front = Front::of(&daemon, scene.asking_for_certificates(version));
        for file in ["cert.pem", "key.pem"] {
            std::fs::remove_file(scene.path().join(file)).unwrap();
        }
        let proxy = scene.proxy(&front).start();
        let answer = proxy.client().ask(get("/containers/json"));
        assert_eq!(answer.status(), 502);
        let words = answer.words();
        assert!(words.contains("CertificateRequired"), "{words}");
        assert!(daemon.request_lines().is_empty());
    }
}

#[test]
fn a_daemon_without_tls_is_told_of_where_it_should_have_it() {
    let scene = Scene::new();
    let daemon = Daemon::empty();
    let front = Front::of(&daemon, Security::Babble);
    let proxy = scene.proxy(&front).start();
    let answer = proxy.client().ask(get("/containers/json"));
    refused(&answer, "it does not speak TLS");
}

#[test]
fn a_daemon_that_does_not_shake_hands_is_given_up() {
    let scene = Scene::new();
    let daemon = Daemon::by_hand();
    let front = Front::of(&daemon, Security::None);
    let proxy = scene.proxy(&front).option("--connect-timeout", "0.5").start();
    let answer = proxy.client().ask(get("/containers/json"));
    assert_eq!(
        (answer.status(), &*answer.words()),
        (504, "dockgate: the Docker daemon did not accept a connection within 0.5 seconds")
    );
}

#[test]
fn a_connection_becomes_a_stream_whose_sides_end_by_themselves() {
    for version in [&TLS13, &TLS12] {
        let scene = Scene::new();
        let daemon = Daemon::by_hand();
        let front = Front::of(&daemon, scene.asking_for_certificates(version));
        let proxy = scene.proxy(&front).start();

        let (mut client, mut link) = attached(&proxy, &daemon);
        client.send("input");
        assert_eq!(link.exactly(5), b"input");
        link.send("output");
        assert_eq!(client.exactly(6), b"output");
        client.close_sending();
        link.ends();
        link.send("after the end of the input");
        drop(link);
        assert_eq!(client.rest().unwrap(), b"after the end of the input");

        let (mut client, mut link) = attached(&proxy, &daemon);
        link.close_sending();
        client.ends();
        client.send("after the end of the output");
        client.close_sending();
        assert_eq!(link.rest().unwrap(), b"after the end of the output");
    }
}

#[test]
fn much_goes_through_a_stream_both_ways_at_once() {
    const SIZE: usize = 8 << 20;
    let scene = Scene::new();
    let daemon = Daemon::by_hand();
    let front = Front::of(&daemon, scene.asking_for_certificates(&TLS13));
    let proxy = scene.proxy(&front).start();
    let (mut client, mut link) = attached(&proxy, &daemon);
    let (mut to_daemon, mut to_client) = (client.writer(), link.writer());
    std::thread::scope(|scope| {
        use std::io::Write as _;
        scope.spawn(move || to_daemon.write_all(&vec![b'i'; SIZE]).unwrap());
        scope.spawn(move || to_client.write_all(&vec![b'o'; SIZE]).unwrap());
        let input = scope.spawn(|| link.exactly(SIZE) == vec![b'i'; SIZE]);
        assert!(client.exactly(SIZE) == vec![b'o'; SIZE]);
        assert!(input.join().unwrap());
    });
}

#[test]
fn clients_see_an_outage_and_its_end() {
    let scene = Scene::new();
    let daemon = Daemon::empty();
    let front = Front::of(&daemon, scene.asking_for_certificates(&TLS13));
    let proxy = scene.proxy(&front).start();
    let mut client = proxy.client();
    assert_eq!(client.ask(get("/containers/json")).status(), 200);
    let address = front.address();
    front.end();
    let away = || proxy.client().ask(get("/containers/json")).status() == 502;
    wait_until("the outage is seen", away);
    let words = format!("can't be reached at tcp://{address}: Connection refused");
    refused(&client.ask(get("/containers/json")), &words);
    let _front = Front::at(address, &daemon, scene.asking_for_certificates(&TLS13));
    assert_eq!(client.ask(get("/containers/json")).status(), 200);
}

#[test]
fn the_health_of_the_daemon_is_asked_over_tls() {
    let scene = Scene::new();
    let daemon = Daemon::answering(|_| ok(""));
    let front = Front::of(&daemon, scene.asking_for_certificates(&TLS13));
    let proxy = scene.proxy(&front).with("PING", "0").start();
    let (listen, upstream) = (&*proxy.addresses()[0], format!("tcp://{}", front.address()));
    let certificates = scene.path().to_str().unwrap();
    let environment = [
        ("DOCKGATE_LISTEN", listen),
        ("DOCKER_HOST", &*upstream),
        ("DOCKER_TLS_VERIFY", "1"),
        ("DOCKER_CERT_PATH", certificates),
    ];
    assert_eq!(Proxy::health(&environment), (0, String::new()));
    assert_eq!(daemon.request_lines(), ["HEAD /_ping HTTP/1.1"]);
    front.end();
    let (code, words) = Proxy::health(&environment);
    assert_eq!(code, 1);
    assert!(words.starts_with("dockgate: unhealthy: the daemon: "), "{words}");
}

#[test]
fn what_it_can_not_begin_with_is_named_with_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    for (variables, beginning) in [
        (
            vec![("DOCKER_HOST", "ssh://a")],
            "DOCKER_HOST: \"ssh://a\" is no address of a Docker daemon: write ",
        ),
        (
            vec![("SOCKET_PATH", "tcp://a:b")],
            "SOCKET_PATH: \"tcp://a:b\" is no host with a port: write ",
        ),
        (
            vec![
                ("DOCKER_HOST", "tcp://a"),
                ("DOCKER_TLS_VERIFY", "1"),
                ("DOCKER_CERT_PATH", empty),
            ],
            &format!(
                "DOCKER_CERT_PATH: {empty:?} is no folder for DOCKER_TLS_VERIFY: {empty}/ca.pem can't be read: "
            ),
        ),
    ] {
        let setup = Proxy::in_front_of_nothing_said();
        let setup = variables.iter().fold(setup, |setup, (name, value)| setup.with(name, value));
        let (code, words) = setup.refuses();
        assert_eq!(code, 2);
        assert!(words.starts_with(&format!("dockgate: {beginning}")), "{words}");
    }
}

/// What both sides know each other by.
struct Scene {
    /// As `DOCKER_CERT_PATH` has it.
    folder: TempDir,
    daemons: Authority,
    proxies: Authority,
    ours: authority::Issued,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (daemons, proxies) = (Authority::new("daemons"), Authority::new("proxies"));
        let ours = proxies.client("dockgate");
        ours.write(folder.path(), &daemons);
        Self { folder, daemons, proxies, ours }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn asking_for_certificates(&self, version: &'static SupportedProtocolVersion) -> Security {
        Security::tls(&self.daemons.server(&["127.0.0.1"]), version, Some(&self.proxies))
    }

    /// A certificate of the daemon's that has ended.
    fn ended(&self) -> authority::Issued {
        let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        self.daemons.issue(&params)
    }

    fn proxy(&self, front: &Front) -> Setup {
        in_front_of(&format!("tcp://{}", front.address()))
            .with("DOCKER_TLS_VERIFY", "1")
            .with("DOCKER_CERT_PATH", self.path().to_str().unwrap())
    }
}

fn in_front_of(upstream: &str) -> Setup {
    Proxy::in_front_of_nothing_said().option("--upstream", upstream).open(&[
        "CONTAINERS",
        "POST",
        "EXEC",
    ])
}

fn refused(answer: &Message, words: &str) {
    assert_eq!(answer.status(), 502, "{}", answer.head);
    assert!(answer.words().contains(words), "{} is not: {words}", answer.words());
}

fn attached(proxy: &Proxy, daemon: &Daemon) -> (Peer, Peer) {
    let mut client = proxy.client();
    client.send(
        "POST /containers/a/attach?stream=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
         Upgrade: tcp\r\n\r\n",
    );
    let mut link = daemon.link();
    link.request();
    link.send(TAKEN_OVER);
    assert_eq!(client.head().status(), 101);
    (client, link)
}
