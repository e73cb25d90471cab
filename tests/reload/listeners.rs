//! Listeners that come, go and change.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::Path,
};

use rustix::process::Signal;

use crate::{
    running::{Folder, MAIN, TAKEN, daemon_called, permitting},
    scene::{Daemon, Peer, get},
};

const OPEN: &str = "{CONTAINERS: 1, EVENTS: 1}";
const LIST: &str = "/containers/json";

#[test]
fn a_listener_comes_and_goes_and_its_clients_stay() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    let socket = folder.path("more.sock");
    let port = free_port();
    let running = folder.start(&permitting(&daemon, MAIN, OPEN, ""));
    let mut first = running.proxy.client();
    first.ask(get(LIST));

    let more = format!(
        "{{main: {{address: \"127.0.0.1:0\"}}, tcp: {{address: \"{port}\"}}, \
         unix: {{address: \"unix://{}\"}}}}",
        socket.display()
    );
    running.takes(&permitting(&daemon, &more, OPEN, ""));
    let mut tcp = Peer::new(TcpStream::connect(port).unwrap());
    let mut unix = Peer::new(UnixStream::connect(&socket).unwrap());
    for client in [&mut first, &mut tcp, &mut unix] {
        assert_eq!(client.ask(get(LIST)).text(), "a");
    }

    running.takes(&permitting(&daemon, MAIN, OPEN, ""));
    running.proxy.log().wait_for_text(&format!("no longer listening on tcp://{port}"));
    assert!(TcpStream::connect(port).is_err());
    assert!(!socket.exists());
    for client in [&mut first, &mut tcp, &mut unix] {
        assert_eq!(client.ask(get(LIST)).text(), "a");
    }
    assert_eq!(running.proxy.client().ask(get(LIST)).text(), "a", "on the same port as before");
}

#[test]
fn a_socket_that_goes_and_comes_again_is_there() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    let socket = folder.path("more.sock");
    let running = folder.start(&permitting(&daemon, MAIN, OPEN, ""));
    for _ in 0..20 {
        running.takes(&permitting(&daemon, &with_unix(&socket, "0660"), OPEN, ""));
        let mut client = Peer::new(UnixStream::connect(&socket).unwrap());
        assert_eq!(client.ask(get(LIST)).text(), "a");
        running.takes(&permitting(&daemon, MAIN, OPEN, ""));
        assert!(!socket.exists());
    }
}

#[test]
fn what_took_the_place_of_a_socket_is_left_when_that_goes() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    let socket = folder.path("more.sock");
    let running = folder.start(&permitting(&daemon, &with_unix(&socket, "0660"), OPEN, ""));
    fs::remove_file(&socket).unwrap();
    let _others = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    running.takes(&permitting(&daemon, MAIN, OPEN, ""));
    assert!(socket.exists());
}

#[test]
fn a_socket_is_given_another_mode_and_its_clients_stay() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    let socket = folder.path("more.sock");
    let running = folder.start(&permitting(&daemon, &with_unix(&socket, "0660"), OPEN, ""));
    assert_eq!(mode(&socket), 0o660);
    let mut client = Peer::new(UnixStream::connect(&socket).unwrap());
    client.ask(get(LIST));
    running.takes(&permitting(&daemon, &with_unix(&socket, "0600"), OPEN, ""));
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(client.ask(get(LIST)).text(), "a");
}

#[test]
fn a_mode_that_can_not_be_given_refuses_the_whole() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    let (one, other) = (folder.path("one.sock"), folder.path("other.sock"));
    let both = |mode: &str| {
        let entry =
            |path: &Path| format!("{{address: \"unix://{}\", mode: \"{mode}\"}}", path.display());
        format!("{{main: {{address: \"127.0.0.1:0\"}}, a: {}, b: {}}}", entry(&one), entry(&other))
    };
    let running = folder.start(&permitting(&daemon, &both("0660"), OPEN, ""));
    fs::remove_file(&other).unwrap();
    let words = running.refuses(&permitting(&daemon, &both("0600"), "{CONTAINERS: 0}", ""));
    assert!(words.contains(&format!("can't listen on unix://{}: ", other.display())), "{words}");
    assert_eq!(mode(&one), 0o660, "as it was");
    assert_eq!(running.proxy.client().ask(get(LIST)).text(), "a");
}

#[test]
fn an_address_in_use_refuses_the_whole_and_leaves_nothing() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    let socket = folder.path("more.sock");
    let running = folder.start(&permitting(&daemon, MAIN, OPEN, ""));
    let mut client = running.proxy.client();
    let others = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = others.local_addr().unwrap();
    let wanted =
        format!("{{a: {{address: \"unix://{}\"}}, b: {{address: \"{taken}\"}}}}", socket.display());
    let wanted = permitting(&daemon, &wanted, "{CONTAINERS: 0}", "");
    let words = running.refuses(&wanted);
    assert!(words.contains(&format!("can't listen on tcp://{taken}: Address")), "{words}");
    assert!(words.contains("another process listens there"), "{words}");
    assert!(!socket.exists(), "what was opened before it is closed again");
    for client in [&mut client, &mut running.proxy.client()] {
        assert_eq!(client.ask(get(LIST)).text(), "a", "the old rules hold");
    }
    drop(others);
    running.takes(&wanted);
    assert_eq!(client.ask(get(LIST)).status(), 403);
    assert!(socket.exists());
}

#[test]
fn a_port_that_the_proxy_has_itself_is_told_apart() {
    let daemon = daemon_called("a");
    let port = free_port();
    let listeners = |host: &str| format!("{{main: {{address: \"{host}:{}\"}}}}", port.port());
    let running = Folder::new().start(&permitting(&daemon, &listeners("127.0.0.1"), OPEN, ""));
    let words = running.refuses(&permitting(&daemon, &listeners("0.0.0.0"), OPEN, ""));
    assert!(words.contains("the old configuration has this port at another address"), "{words}");
    assert_eq!(running.proxy.client().ask(get(LIST)).text(), "a");
}

#[test]
fn a_client_is_of_the_listener_that_it_came_in_at_whatever_that_is_called_now() {
    let daemon = daemon_called("a");
    let (one, other) = (free_port(), free_port());
    let configuration = |strict: SocketAddr, open: SocketAddr| {
        format!(
            "upstream: {{address: \"unix://{}\"}}
listeners: {{strict: {{address: \"{strict}\"}}, open: {{address: \"{open}\"}}}}
plugins:
  flags: {{source: \"bundled:tecnativa\", environment: {{CONTAINERS: 1}}}}
chains:
  - {{name: strict, listeners: [strict], plugins: []}}
  - {{name: open, listeners: [open], plugins: [flags]}}
",
            daemon.socket().display()
        )
    };
    let running = Folder::new().start(&configuration(one, other));
    let [mut at_one, mut at_other] =
        [one, other].map(|address| Peer::new(TcpStream::connect(address).unwrap()));
    assert_eq!(at_one.ask(get(LIST)).status(), 403);
    assert_eq!(at_other.ask(get(LIST)).status(), 200);
    running.takes(&configuration(other, one));
    assert_eq!(at_one.ask(get(LIST)).status(), 200);
    assert_eq!(at_other.ask(get(LIST)).status(), 403);
}

#[test]
fn the_admin_socket_moves() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    let [one, other] = ["one.sock", "other.sock"].map(|name| folder.path(name));
    let asked_at = |path: &Path| format!("admin: {{address: \"unix://{}\"}}\n", path.display());
    let running = folder.start(&permitting(&daemon, MAIN, OPEN, &asked_at(&one)));
    let answers =
        |path: &Path| Peer::new(UnixStream::connect(path).unwrap()).ask(get("/")).status();
    assert_eq!(answers(&one), 404);
    running.takes(&permitting(&daemon, MAIN, OPEN, &asked_at(&other)));
    assert_eq!(answers(&other), 404);
    assert_eq!(mode(&other), 0o600);
    assert!(!one.exists());
    running.takes(&permitting(&daemon, MAIN, OPEN, ""));
    assert!(!other.exists());
}

#[test]
fn what_waits_for_the_next_start_is_named() {
    let daemon = daemon_called("a");
    for later in ["limits: {workers: 3}", "limits: {connections: 7}", "log: {format: text}"] {
        let running = Folder::new().start(&permitting(&daemon, MAIN, OPEN, ""));
        running.takes(&permitting(&daemon, MAIN, OPEN, later));
        running.proxy.log().wait_for_text("change at the next start");
    }
}

#[test]
fn after_reloads_it_drains_as_ever() {
    let daemon = Daemon::by_hand();
    let mut running = Folder::new().start(&permitting(&daemon, MAIN, OPEN, ""));
    let mut client = running.proxy.client();
    client.send(get("/events"));
    let mut link = daemon.asked();
    link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nline\r\n");
    client.head();
    client.chunk();
    for _ in 0..3 {
        running.takes(&permitting(&daemon, MAIN, OPEN, "limits: {grace: 5m}"));
    }
    let mut idle = running.proxy.client();
    running.proxy.signal(Signal::TERM);
    running.proxy.log().wait_for_text("have 300 seconds");
    idle.is_closed();
    link.send("5\r\nended\r\n0\r\n\r\n");
    assert_eq!(client.chunk().as_deref(), Some("ended"));
    assert_eq!(client.chunk(), None);
    assert_eq!(running.proxy.exit_code(), 0);
}

#[test]
fn it_ends_while_a_configuration_is_being_read() {
    let daemon = daemon_called("a");
    let mut running = Folder::new().start(&permitting(&daemon, MAIN, OPEN, ""));
    let pipe = running.folder.path("pipe");
    make_pipe(&pipe);
    // A file that does not come, as a plugin from a registry may.
    let waits = format!("{{CONTAINERS: \"${{file:{}}}\"}}", pipe.display());
    running.folder.replace("dockgate.yaml", permitting(&daemon, MAIN, &waits, ""));
    running.proxy.signal(Signal::HUP);
    running.logs("told to read the configuration again");
    assert_eq!(running.proxy.client().ask(get(LIST)).text(), "a", "others are served meanwhile");
    running.proxy.signal(Signal::TERM);
    assert_eq!(running.proxy.exit_code(), 0);
}

#[test]
fn what_changes_while_a_configuration_is_being_read_is_read_next() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    folder.write("flag", "0");
    let pipe = folder.path("pipe");
    make_pipe(&pipe);
    let flags = format!(
        "{{CONTAINERS: \"${{file:{}}}\", POST: \"${{file:{}}}\"}}",
        folder.named("flag"),
        pipe.display()
    );
    folder.write("dockgate.yaml", permitting(&daemon, MAIN, &flags, ""));
    // Opened as soon as it is read, which is behind the other file.
    let feed = |meanwhile: &dyn Fn()| {
        let mut writer = fs::File::options().write(true).open(&pipe).unwrap();
        meanwhile();
        std::io::Write::write_all(&mut writer, b"0").unwrap();
    };
    let running = std::thread::scope(|scope| {
        scope.spawn(|| feed(&|| {}));
        folder.started()
    });
    running.skip_log();
    running.proxy.signal(Signal::HUP);
    feed(&|| running.folder.write("flag", "1"));
    running.logs(TAKEN);
    feed(&|| {});
    running.logs(TAKEN);
    assert_eq!(running.proxy.client().ask(get(LIST)).status(), 200);
}

/// One of the system's choice, which nobody has right now.
fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn with_unix(socket: &Path, mode: &str) -> String {
    format!(
        "{{main: {{address: \"127.0.0.1:0\"}}, unix: {{address: \"unix://{}\", mode: \"{mode}\"}}}}",
        socket.display()
    )
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn make_pipe(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
}
