//! Handshakes that do not come to a good end, and hold up nobody.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    authority::Authority,
    running::{Folder, Running, daemon_called},
    scene::{Daemon, PATIENCE, get},
    tls_client::{TlsClient, trusting},
};

/// The beginning of a handshake: a record of type 22 that announces more than comes.
const HALF: [u8; 8] = [22, 3, 1, 2, 0, 1, 0, 1];

#[test]
fn what_is_not_spoken_at_a_port_is_told_of() {
    let scene = Scene::new("10s");
    let secure = scene.secure();
    let mut plain_at_tls = TcpStream::connect(secure).unwrap();
    plain_at_tls.write_all(get("/containers/json").as_bytes()).unwrap();
    scene.running.logs("a connection could not be served: the client does not speak TLS");
    ends(&plain_at_tls);
    assert!(TlsClient::connect(scene.plain(), &trusting(&scene.authority, None)).is_err());
    scene.running.logs("it is TLS, which is not spoken at this listener");
    assert!(scene.daemon.received().is_empty());
}

#[test]
fn a_client_that_dribbles_is_cut_and_holds_up_nobody() {
    let scene = Scene::new("1s");
    let mut dribbling = TcpStream::connect(scene.secure()).unwrap();
    dribbling.write_all(&HALF).unwrap();
    let mut more = dribbling.try_clone().unwrap();
    // Each byte comes in time, and all of them do not. Ends when the proxy has closed.
    let dribbles = thread::spawn(move || {
        while more.write_all(&[0]).is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    scene.serves();
    ends(&dribbling);
    scene.running.logs("the TLS handshake took more than 1 seconds");
    dribbles.join().unwrap();
    scene.serves();
}

#[test]
fn a_thousand_half_open_handshakes_hold_up_nobody() {
    let scene = Scene::new("5m");
    raise_file_limit();
    let half = |_| {
        let mut stream = TcpStream::connect(scene.secure()).unwrap();
        stream.write_all(&HALF).unwrap();
        stream
    };
    let open: Vec<_> = (0..1000).map(half).collect();
    scene.serves();
    // Nor do they keep a new configuration from being taken, or the end from coming.
    scene.running.takes(&configuration(&scene.daemon, "5m", "# the same\n"));
    scene.serves();
    drop(open);
    scene.serves();
}

#[test]
fn half_open_handshakes_do_not_keep_it_from_ending() {
    let mut scene = Scene::new("5m");
    let mut half = TcpStream::connect(scene.secure()).unwrap();
    half.write_all(&HALF).unwrap();
    scene.serves();
    scene.running.proxy.signal(rustix::process::Signal::TERM);
    ends(&half);
    assert_eq!(scene.running.proxy.exit_code(), 0);
    assert!(!scene.running.proxy.log().text().contains("that are still open"));
}

/// One worker, a plain port, and one with TLS.
struct Scene {
    running: Running,
    authority: Authority,
    daemon: Daemon,
}

impl Scene {
    fn new(head_timeout: &str) -> Self {
        let folder = Folder::new();
        let authority = Authority::new("listeners");
        authority.server(&["localhost"]).write(folder.folder(), &authority);
        let daemon = daemon_called("a");
        let running = folder.start(&configuration(&daemon, head_timeout, ""));
        Self { running, authority, daemon }
    }

    fn plain(&self) -> SocketAddr {
        address(&self.running.proxy.addresses()[0])
    }

    fn secure(&self) -> SocketAddr {
        address(&self.running.proxy.addresses()[1])
    }

    /// Both ports serve, on new connections.
    fn serves(&self) {
        let mut client =
            TlsClient::connect(self.secure(), &trusting(&self.authority, None)).unwrap();
        assert_eq!(client.ask(&get("/containers/json")).unwrap().text(), "a");
        assert_eq!(self.running.proxy.client().ask(get("/containers/json")).text(), "a");
    }
}

fn configuration(daemon: &Daemon, head_timeout: &str, more: &str) -> String {
    let listeners = "{a-plain: {address: \"127.0.0.1:0\"}, \
         b-secure: {address: \"127.0.0.1:0\", tls: {certificate: cert.pem, key: key.pem}}}";
    let limits = format!("limits: {{workers: 1, grace: 5s, head-timeout: {head_timeout}}}\n{more}");
    crate::running::permitting(daemon, listeners, "{CONTAINERS: 1}", &limits)
}

fn address(listening: &str) -> SocketAddr {
    listening.strip_prefix("tcp://").unwrap().parse().unwrap()
}

/// Waits until the other side has closed, in whatever way.
fn ends(mut stream: &TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut rest = Vec::new();
    if let Err(error) = stream.read_to_end(&mut rest) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
}

/// For a thousand connections of ours.
fn raise_file_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < 4096) {
        let raised =
            Rlimit { current: maximum.map_or(Some(4096), |most| Some(most.min(4096))), maximum };
        setrlimit(Resource::Nofile, raised).unwrap();
    }
}
