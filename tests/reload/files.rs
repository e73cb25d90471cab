//! Files that change: what the configuration rests on is read again without a signal.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::symlink,
    thread,
    time::{Duration, Instant},
};

use crate::{
    authority::Authority,
    running::{Folder, MAIN, REFUSED, Running, TAKEN, daemon_called, permitting},
    scene::get,
    tls_client::{TlsClient, trusting},
    wat::Plugin,
};

const OPEN: &str = "{CONTAINERS: 1}";
const SHUT: &str = "{CONTAINERS: 0}";

#[test]
fn a_configuration_is_noticed_however_it_is_written() {
    let daemon = daemon_called("a");
    let running = Folder::new().start(&permitting(&daemon, MAIN, SHUT, ""));
    let mut client = running.proxy.client();
    let mut is = |status: u16| {
        running.logs("the configuration has changed");
        running.logs(TAKEN);
        assert_eq!(client.ask(get("/containers/json")).status(), status);
    };
    running.folder.write("dockgate.yaml", permitting(&daemon, MAIN, OPEN, ""));
    is(200);
    running.folder.replace("dockgate.yaml", permitting(&daemon, MAIN, SHUT, ""));
    is(403);
    let file = running.folder.path("dockgate.yaml");
    running.folder.write("other.yaml", permitting(&daemon, MAIN, OPEN, ""));
    fs::remove_file(&file).unwrap();
    symlink("other.yaml", &file).unwrap();
    is(200);
}

/// As Kubernetes does it: the file is a link through `..data`, which is put on another folder.
#[test]
fn a_link_that_is_switched_is_noticed() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    for (version, flags) in [("..1", SHUT), ("..2", OPEN)] {
        fs::create_dir(folder.path(version)).unwrap();
        let file = format!("{version}/dockgate.yaml");
        folder.write(&file, permitting(&daemon, MAIN, flags, ""));
    }
    symlink("..1", folder.path("..data")).unwrap();
    symlink("..data/dockgate.yaml", folder.path("dockgate.yaml")).unwrap();
    let running = folder.started();
    assert_eq!(running.proxy.client().ask(get("/containers/json")).status(), 403);
    symlink("..2", running.folder.path("..data_tmp")).unwrap();
    fs::rename(running.folder.path("..data_tmp"), running.folder.path("..data")).unwrap();
    running.logs(TAKEN);
    assert_eq!(running.proxy.client().ask(get("/containers/json")).status(), 200);
}

#[test]
fn a_broken_configuration_is_noticed_and_so_is_that_it_is_mended() {
    let daemon = daemon_called("a");
    let whole = permitting(&daemon, MAIN, OPEN, "");
    let running = Folder::new().start(&permitting(&daemon, MAIN, SHUT, ""));
    let mut client = running.proxy.client();
    for broken in ["listeners: [", "", &whole.replace("bundled:tecnativa", "missing.wasm")] {
        running.folder.write("dockgate.yaml", broken);
        running.logs(REFUSED);
        assert_eq!(client.ask(get("/containers/json")).status(), 403);
    }
    // It still rests on the plugin that is missing, and no more on the bundled one.
    let plugin = Plugin::allowing().build();
    running.folder.write("missing.wasm", plugin);
    running.logs(TAKEN);
    assert_eq!(client.ask(get("/containers/json")).status(), 200);
}

#[test]
fn a_plugin_that_is_replaced_is_noticed() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    folder.write("policy.wasm", Plugin::denying("the first").build());
    let configuration = permitting(&daemon, MAIN, "{}", "");
    let configuration = configuration.replace("bundled:tecnativa", "policy.wasm");
    let running = folder.start(&configuration);
    let mut client = running.proxy.client();
    assert!(client.ask(get("/containers/json")).words().contains("the first"));
    running.folder.replace("policy.wasm", Plugin::denying("the second").build());
    running.logs(TAKEN);
    assert!(client.ask(get("/containers/json")).words().contains("the second"));
    running.folder.write("policy.wasm", "no component");
    running.logs(REFUSED);
    assert!(client.ask(get("/containers/json")).words().contains("the second"));
    running.folder.write("policy.wasm", Plugin::denying("the third").build());
    running.logs(TAKEN);
    assert!(client.ask(get("/containers/json")).words().contains("the third"));
}

#[test]
fn a_secret_that_changes_is_noticed_and_one_that_comes() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    folder.write("flag", "0\n");
    let flag = format!("{{CONTAINERS: \"${{file:{}}}\"}}", folder.named("flag"));
    let running = folder.start(&permitting(&daemon, MAIN, &flag, ""));
    let mut client = running.proxy.client();
    assert_eq!(client.ask(get("/containers/json")).status(), 403);
    running.folder.replace("flag", "1\n");
    running.logs(TAKEN);
    assert_eq!(client.ask(get("/containers/json")).status(), 200);
    fs::remove_file(running.folder.path("flag")).unwrap();
    running.logs("put the file there, or name another");
    running.logs(REFUSED);
    assert_eq!(client.ask(get("/containers/json")).status(), 200);
    running.folder.write("flag", "0\n");
    running.logs(TAKEN);
    assert_eq!(client.ask(get("/containers/json")).status(), 403);
}

#[test]
fn a_certificate_that_is_renewed_is_noticed() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    let authority = Authority::new("listeners");
    let (old, new) = (authority.server(&["localhost"]), authority.server(&["localhost"]));
    old.write(folder.folder(), &authority);
    let tls = "{main: {address: \"127.0.0.1:0\", tls: {certificate: cert.pem, key: key.pem}}}";
    let running = folder.start(&permitting(&daemon, tls, OPEN, ""));
    let config = trusting(&authority, None);
    let shown = || TlsClient::connect(running.proxy.address(), &config).unwrap().shown();
    assert_eq!(shown(), old.der);
    new.write(running.folder.folder(), &authority);
    running.logs(TAKEN);
    assert_eq!(shown(), new.der);
}

/// Each piece is a configuration by itself, and the first opens all: it must not be taken.
#[test]
fn a_file_that_is_being_written_is_not_taken() {
    let daemon = daemon_called("a");
    let whole = permitting(&daemon, MAIN, OPEN, "    # and so on\n");
    let running = Folder::new().start(&permitting(&daemon, MAIN, SHUT, ""));
    // A machine that stops for long lets the file rest; then it says nothing.
    for _ in 0..20 {
        running.skip_log();
        let from = running.proxy.log().length();
        if write_slowly(&running, &whole) {
            let log = running.proxy.log().text();
            let meanwhile: Vec<_> = log.lines().skip(from).collect();
            assert!(!meanwhile.iter().any(|line| line.contains("has changed")), "{meanwhile:?}");
            running.logs(TAKEN);
            assert_eq!(running.proxy.client().ask(get("/containers/json")).status(), 200);
            return;
        }
    }
    panic!("this machine stops again and again");
}

/// For longer than a file must rest. False where it rested in the middle.
fn write_slowly(running: &Running, whole: &str) -> bool {
    let mut file = fs::File::create(running.folder.path("dockgate.yaml")).unwrap();
    file.write_all(whole.as_bytes()).unwrap();
    let (begun, mut last) = (Instant::now(), Instant::now());
    while begun.elapsed() < Duration::from_secs(4) {
        thread::sleep(Duration::from_millis(50));
        file.write_all(b"# one more line\n").unwrap();
        if last.elapsed() > Duration::from_millis(700) {
            return false;
        }
        last = Instant::now();
    }
    true
}
