//! A daemon that is not there, not there yet, or there and silent.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::scene::{Daemon, Of, PATIENCE, Peer, Proxy, Setup, get, ok, post, wait_until};

#[test]
fn clients_see_an_outage_and_its_end() {
    let daemon = Daemon::empty();
    let proxy = open(&daemon).start();
    for leaves_its_socket in [true, false] {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let clients: Vec<_> =
                (0..6).map(|_| scope.spawn(|| ask_until(&over, proxy.client()))).collect();
            wait_until("it serves", || daemon.received().len() > 100);
            daemon.vanish();
            if !leaves_its_socket {
                fs::remove_file(daemon.socket()).unwrap();
            }
            thread::sleep(Duration::from_millis(200));
            let refused = proxy.client().ask(get("/containers/json"));
            assert_eq!(refused.status(), 502);
            let socket = daemon.socket();
            let words = format!(
                "dockgate: the Docker daemon can't be reached at unix://{}: ",
                socket.display()
            );
            assert!(refused.words().starts_with(&words), "{}", refused.words());
            daemon.come_back();
            for _ in 0..20 {
                assert_eq!(proxy.client().ask(get("/containers/json")).status(), 200);
            }
            thread::sleep(Duration::from_millis(100));
            over.store(true, Ordering::Relaxed);
            for client in clients {
                let seen = client.join().unwrap();
                assert!(seen.contains(&502), "the outage is seen: {seen:?}");
                assert_eq!(seen.last(), Some(&200), "and its end, on the same connection");
            }
        });
    }
}

/// Asks again and again on one connection: the statuses of the answers, without repetitions.
fn ask_until(over: &AtomicBool, mut client: Peer) -> Vec<u16> {
    let mut seen = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let answer = client.ask(get("/containers/json"));
        let status = answer.status();
        assert!([200, 502].contains(&status), "{}", answer.head);
        if status == 502 {
            assert!(
                answer.words().starts_with("dockgate: the Docker daemon "),
                "{}",
                answer.words()
            );
            thread::sleep(Duration::from_millis(1));
        }
        seen.push(status);
        seen.dedup();
    }
    seen
}

#[test]
fn the_proxy_may_start_before_the_daemon() {
    let daemon = Daemon::empty();
    daemon.vanish();
    let proxy = open(&daemon).start();
    let mut client = proxy.client();
    assert_eq!(client.ask(get("/containers/json")).status(), 502);
    assert_eq!(client.ask(post("/containers/create", "{}")).status(), 502);
    daemon.come_back();
    let answer = client_or_another(client, &proxy).ask(get("/containers/json"));
    assert_eq!(answer.status(), 200);
}

/// An answer before the end of a body may close the connection.
fn client_or_another(mut client: Peer, proxy: &Proxy) -> Peer {
    client.send(get("/_ping"));
    if matches!(client.try_message(Of::Answer), Ok(Some(_))) { client } else { proxy.client() }
}

#[test]
fn a_list_that_does_not_come_is_given_up() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon).option("--answer-timeout", "0.5").start();
    let mut client = proxy.client();
    let answer = client.ask(get("/containers/json"));
    assert_eq!(answer.status(), 504);
    assert_eq!(answer.words(), "dockgate: the Docker daemon did not answer within 0.5 seconds");
    let mut link = daemon.asked();
    link.is_closed();
    // What may take its time has no such limit.
    client.send("POST /containers/a/wait HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut link = daemon.asked();
    thread::sleep(Duration::from_millis(700));
    link.send(ok("{}"));
    assert_eq!(client.answer().status(), 200);
}

/// A connection that is used again gives the daemon its whole time again.
#[test]
fn every_list_has_the_whole_time() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon).option("--answer-timeout", "0.6").start();
    let mut client = proxy.client();
    client.send(get("/containers/json"));
    let mut link = daemon.asked();
    link.send(ok("[]"));
    assert_eq!(client.answer().status(), 200);
    thread::sleep(Duration::from_millis(400));

    client.send(get("/containers/json"));
    link.request();
    thread::sleep(Duration::from_millis(400));
    link.send(ok("[]"));
    assert_eq!(client.answer().status(), 200, "the time of the first had passed");

    assert_eq!(client.ask(get("/containers/json")).status(), 504);
}

#[test]
fn a_daemon_that_accepts_nobody_is_waited_for() {
    let daemon = Busy::new();
    let proxy = Proxy::in_front_of_socket(&daemon.path())
        .open(&["CONTAINERS"])
        .option("--connect-timeout", "0.5")
        .start();
    let answer = proxy.client().ask(get("/containers/json"));
    assert_eq!(
        (answer.status(), answer.words().as_str()),
        (504, "dockgate: the Docker daemon did not accept a connection within 0.5 seconds",)
    );
}

#[test]
fn a_daemon_that_is_busy_is_waited_for() {
    let daemon = Busy::new();
    let proxy = Proxy::in_front_of_socket(&daemon.path()).open(&["CONTAINERS"]).start();
    let mut client = proxy.client();
    client.send(get("/containers/json"));
    thread::sleep(Duration::from_millis(100));
    let _others = daemon.accept();
    let mut link = daemon.accept();
    assert_eq!(link.request().first_line(), "GET /containers/json HTTP/1.1");
    link.send(ok("[]"));
    assert_eq!(client.answer().status(), 200);
}

/// A daemon whose queue of connections is full.
struct Busy {
    folder: tempfile::TempDir,
    listener: Socket,
    _queued: Socket,
}

impl Busy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = SockAddr::unix(folder.path().join("docker.sock")).unwrap();
        let socket = || Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let (listener, queued) = (socket(), socket());
        listener.bind(&address).unwrap();
        // The queue holds one more than it is told.
        listener.listen(0).unwrap();
        queued.connect(&address).unwrap();
        Self { folder, listener, _queued: queued }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("docker.sock")
    }

    fn accept(&self) -> Peer {
        self.listener.set_read_timeout(Some(PATIENCE)).unwrap();
        Peer::new(self.listener.accept().unwrap().0)
    }
}

fn open(daemon: &Daemon) -> Setup {
    Proxy::in_front_of(daemon).open(&["CONTAINERS", "POST"])
}
