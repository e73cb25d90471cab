//! Where the proxy listens, and what keeps it from it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::process::Signal;

use crate::scene::{Daemon, Peer, Proxy, Setup, get};

#[test]
fn a_unix_socket_has_the_mode_that_it_is_given() {
    let daemon = Daemon::empty();
    for (option, mode) in [(None, 0o660), (Some("0600"), 0o600), (Some("777"), 0o777)] {
        let mut setup = containers(&daemon);
        let path = setup.path("proxy.sock");
        if let Some(option) = option {
            setup = setup.option("--socket-mode", option);
        }
        let proxy = setup.listening_on(&unix(&path)).start();
        assert_eq!(proxy.addresses(), [unix(&path)]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
        assert_eq!(connect(&path).ask(get("/containers/json")).status(), 200);
        let record = proxy.record("/containers/json");
        let uid = rustix::process::getuid().as_raw();
        assert_eq!(record["client"], format!("uid={uid}"));
    }
}

#[test]
fn a_socket_that_is_left_behind_is_replaced_and_ours_is_removed() {
    let daemon = Daemon::empty();
    let setup = containers(&daemon);
    let path = setup.path("proxy.sock");
    drop(UnixListener::bind(&path).unwrap());
    let mut proxy = setup.listening_on(&unix(&path)).start();
    assert_eq!(connect(&path).ask(get("/containers/json")).status(), 200);
    proxy.signal(Signal::TERM);
    assert_eq!(proxy.exit_code(), 0);
    assert!(!path.exists());
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let daemon = Daemon::empty();
    let setup = containers(&daemon);
    let file = setup.path("file");
    fs::write(&file, "kept").unwrap();
    let (code, words) = setup.listening_on(&unix(&file)).refuses();
    assert_eq!(code, 1);
    let expected =
        format!("dockgate: can't listen on {}: a file that is no socket is there\n", unix(&file));
    assert_eq!(words, expected);

    let setup = containers(&daemon);
    let used = setup.path("used.sock");
    let _other = UnixListener::bind(&used).unwrap();
    let (code, words) = setup.listening_on(&unix(&used)).refuses();
    assert_eq!(code, 1);
    assert!(words.contains("another process listens there"), "{words}");
}

#[test]
fn a_link_to_somewhere_else_is_not_followed() {
    let daemon = Daemon::empty();
    let setup = containers(&daemon);
    let (link, file) = (setup.path("link.sock"), setup.path("file"));
    fs::write(&file, "kept").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(setup.listening_on(&unix(&link)).refuses().0, 1);
}

#[test]
fn it_listens_at_several_places_at_once() {
    let daemon = Daemon::empty();
    let setup = containers(&daemon);
    let path = setup.path("proxy.sock");
    let all = format!("127.0.0.1:0,{},tcp://127.0.0.1:0", unix(&path));
    let proxy = setup.listening_by("DOCKGATE_LISTEN", &all).start();
    // By the names that they have in the configuration: tcp, tcp-2, unix.
    let [first, second, socket] = proxy.addresses() else { panic!("{:?}", proxy.addresses()) };
    assert_eq!(*socket, unix(&path));
    for tcp in [first, second] {
        let stream = std::net::TcpStream::connect(tcp.strip_prefix("tcp://").unwrap()).unwrap();
        assert_eq!(Peer::new(stream).ask(get("/containers/json")).status(), 200);
    }
    assert!(fs::metadata(&path).unwrap().file_type().is_socket());
    assert_eq!(connect(&path).ask(get("/containers/json")).status(), 200);
}

#[test]
fn an_address_that_can_not_be_had_is_named_with_what_helps() {
    let daemon = Daemon::empty();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let used = other.local_addr().unwrap().to_string();
    for (address, code, expected) in [
        (used, 1, "another process listens there: stop it, or choose with --listen"),
        ("unix:///no/such/folder/a.sock".to_owned(), 1, "the folder must exist"),
        ("unix://relative.sock".to_owned(), 2, "needs an absolute path"),
        ("2375".to_owned(), 2, "is no address: write 127.0.0.1:2375"),
        ("203.0.113.1:1".to_owned(), 1, "can't listen on tcp://203.0.113.1:1"),
    ] {
        let (found, words) = containers(&daemon).listening_on(&address).refuses();
        assert_eq!(found, code, "{words}");
        assert!(words.starts_with("dockgate: ") && words.contains(expected), "{words}");
    }
}

#[test]
fn the_variables_of_tecnativa_say_where() {
    let daemon = Daemon::empty();
    for (config, begins) in [
        ("127.0.0.1:0", "tcp://127.0.0.1:"),
        ("ipv4@127.0.0.1:0", "tcp://127.0.0.1:"),
        ("[::1]:0 v4v6", "tcp://[::1]:"),
    ] {
        if begins.contains("::1") && TcpListener::bind("[::1]:0").is_err() {
            continue;
        }
        let proxy = containers(&daemon).listening_by("BIND_CONFIG", config).start();
        assert!(proxy.addresses()[0].starts_with(begins), "{:?}", proxy.addresses());
        assert_eq!(proxy.client().ask(get("/containers/json")).status(), 200);
    }
    let setup = containers(&daemon);
    let path = setup.path("bind.sock");
    let proxy = setup.listening_by("BIND_CONFIG", path.to_str().unwrap()).start();
    assert_eq!(proxy.addresses(), [unix(&path)]);

    let (code, words) =
        containers(&daemon).listening_by("BIND_CONFIG", "127.0.0.1:0 ssl crt /a.pem").refuses();
    assert_eq!(code, 2);
    assert!(words.contains("BIND_CONFIG") && words.contains("only HAProxy knows"), "{words}");
}

#[test]
fn without_a_word_it_listens_where_tecnativas_image_does() {
    // The port is taken, by this or by whoever was here before: the refusal names the address, and
    // nothing is opened to anybody.
    let _taken = TcpListener::bind("127.0.0.1:2375");
    let daemon = Daemon::empty();
    for (variables, address) in [
        (&[("container", "docker")][..], "tcp://[::]:2375"),
        (&[("container", "docker"), ("DISABLE_IPV6", "1")], "tcp://0.0.0.0:2375"),
        (&[("container", "docker"), ("DISABLE_IPV6", "true")], "tcp://0.0.0.0:2375"),
        (&[("container", "docker"), ("DISABLE_IPV6", "0")], "tcp://[::]:2375"),
        (&[("container", "docker"), ("BIND_CONFIG", "")], "tcp://[::]:2375"),
    ] {
        let setup =
            variables.iter().fold(containers(&daemon), |s, (name, value)| s.with(name, value));
        let (code, words) = setup.refuses();
        assert_eq!(code, 1, "{variables:?}");
        assert!(words.contains(&format!("can't listen on {address}: ")), "{variables:?}: {words}");
    }
}

#[test]
fn the_daemon_is_where_the_variables_say() {
    let daemon = Daemon::empty();
    let socket = daemon.socket();
    let socket = socket.to_str().unwrap();
    for (name, value) in [
        ("SOCKET_PATH", socket.to_owned()),
        ("DOCKER_HOST", format!("unix://{socket}")),
        ("DOCKGATE_UPSTREAM", format!("unix://{socket}")),
    ] {
        let setup = Proxy::in_front_of_nothing_said().open(&["CONTAINERS"]).with(name, &value);
        let proxy = setup.start();
        assert_eq!(proxy.client().ask(get("/containers/json")).status(), 200, "{name}");
    }
    let (code, words) = Proxy::in_front_of_nothing_said()
        .listening_on("127.0.0.1:0")
        .with("DOCKER_HOST", "ssh://docker@10.0.0.5")
        .refuses();
    assert_eq!(code, 2);
    assert!(
        words.contains("DOCKER_HOST") && words.contains("unix:///var/run/docker.sock"),
        "{words}"
    );
}

fn containers(daemon: &Daemon) -> Setup {
    Proxy::in_front_of(daemon).open(&["CONTAINERS"])
}

fn unix(path: &Path) -> String {
    format!("unix://{}", path.display())
}

fn connect(path: &Path) -> Peer {
    Peer::new(UnixStream::connect(path).unwrap())
}
