//! What else a reload changes: the daemon, and what plugins may take.

use std::{collections::BTreeSet, fs};

use crate::{
    running::{Folder, MAIN, Running, daemon_called, permitting},
    scene::{Daemon, Proxy, get, wait_until},
    wat::Plugin,
};

const OPEN: &str = "{CONTAINERS: 1, EVENTS: 1, POST: 1}";

#[test]
fn requests_go_to_the_new_daemon_and_a_stream_stays_with_the_old() {
    let (old, new) = (Daemon::by_hand(), daemon_called("new"));
    let running = Folder::new().start(&permitting(&old, MAIN, OPEN, ""));
    let mut stream = running.proxy.client();
    stream.send(get("/events"));
    let mut link = old.asked();
    link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    stream.head();
    assert_eq!(stream.chunk().as_deref(), Some("one"));
    let mut waiting = running.proxy.client();
    waiting.send(get("/containers/json"));
    let mut slow = old.asked();
    let mut kept = running.proxy.client();
    kept.send(get("/containers/json"));
    let mut idle = old.asked();
    idle.send(crate::scene::ok("old"));
    assert_eq!(kept.answer().text(), "old");

    running.takes(&permitting(&new, MAIN, OPEN, ""));
    running.proxy.log().wait_for_text(&format!("in front of unix://{}", new.socket().display()));
    assert_eq!(kept.ask(get("/containers/json")).text(), "new");
    assert_eq!(running.proxy.client().ask(get("/containers/json")).text(), "new");
    idle.is_closed();
    slow.send(crate::scene::ok("late"));
    assert_eq!(waiting.answer().text(), "late");
    assert_eq!(waiting.ask(get("/containers/json")).text(), "new");
    link.send("3\r\ntwo\r\n0\r\n\r\n");
    assert_eq!(stream.chunk().as_deref(), Some("two"));
    assert_eq!(stream.chunk(), None);
    assert_eq!(stream.ask(get("/containers/json")).text(), "new");
    link.is_closed();
}

/// No request comes to tell the other workers of it.
#[test]
fn an_idle_worker_lets_go_of_the_old_daemon() {
    let (old, new) = (Daemon::by_hand(), daemon_called("new"));
    let configuration = |daemon| permitting(daemon, MAIN, OPEN, "limits: {workers: 4}\n");
    let running = Folder::new().start(&configuration(&old));
    let mut clients: Vec<_> = (0..4).map(|_| running.proxy.client()).collect();
    let mut idle: Vec<_> = clients
        .iter_mut()
        .map(|client| {
            client.send(get("/containers/json"));
            let mut link = old.asked();
            link.send(crate::scene::ok("old"));
            client.answer();
            link
        })
        .collect();
    running.takes(&configuration(&new));
    for link in &mut idle {
        link.is_closed();
    }
}

/// What is compiled is mapped from the cache, so that it is seen when it goes.
#[test]
fn a_connection_without_requests_keeps_no_plugin_of_the_old_configuration() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    let configuration = permitting(&daemon, MAIN, "{}", "limits: {workers: 1}\n");
    let configuration = configuration.replace("bundled:tecnativa", "policy.wasm");
    folder.write("policy.wasm", Plugin::denying("the first").build());
    let running = folder.start(&configuration);
    let mut idle = running.proxy.client();
    idle.ask(get("/containers/json"));
    let old = mapped(&running);
    assert_eq!(old.len(), 1, "{old:?}");
    running.folder.write("policy.wasm", Plugin::denying("the second").build());
    running.takes(&configuration);
    wait_until("the old plugin is gone", || mapped(&running).is_disjoint(&old));
    assert!(idle.ask(get("/containers/json")).words().contains("the second"));
    assert_eq!(mapped(&running).len(), 1);
}

/// The compiled plugins that the proxy has.
fn mapped(running: &Running) -> BTreeSet<String> {
    let maps = fs::read_to_string(format!("/proc/{}/maps", running.proxy.id())).unwrap();
    let files = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    files.filter(|file| file.contains(".cwasm")).map(str::to_owned).collect()
}

#[test]
fn what_a_plugin_may_take_changes() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    // Some millions of steps: more than a tenth of a millisecond's, and less than five.
    let works = "(local.set $n (i32.const 1000000))
        (loop $on (br_if $on (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (call $allow)";
    folder.write("works.wasm", working(works).build());
    let configuration = |limits: &str| {
        let text = permitting(&daemon, MAIN, "{}", "").replace("bundled:tecnativa", "works.wasm");
        text.replace("environment: {}", limits)
    };
    let running = folder.start(&configuration("limits: {time: 5ms}"));
    let mut client = running.proxy.client();
    let mut ask = || client.ask(get("/containers/json")).status();
    assert_eq!(ask(), 200);
    running.takes(&configuration("limits: {time: 0.1ms}"));
    assert_eq!(ask(), 403);
    running.takes(&configuration("limits: {time: 1s}"));
    assert_eq!(ask(), 200);
}

fn working(decide: &str) -> Plugin {
    // A function of its own, since only there a local can be had.
    let function = format!("(func $work (result i32) (local $n i32) {decide})");
    Plugin::deciding("(call $work)").with(&function)
}

#[test]
fn what_the_command_line_says_is_read_again_as_well() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    folder.write("policy.wasm", Plugin::denying("the first").build());
    let plugin = folder.named("policy.wasm");
    let proxy = Proxy::in_front_of(&daemon).option("--plugin", &plugin).start();
    let mut client = proxy.client();
    assert!(client.ask(get("/containers/json")).words().contains("the first"));
    folder.replace("policy.wasm", Plugin::denying("the second").build());
    proxy.signal(rustix::process::Signal::HUP);
    proxy.log().wait_for_text(crate::running::TAKEN);
    assert!(client.ask(get("/containers/json")).words().contains("the second"));
}
