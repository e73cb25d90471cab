//! Instances of a plugin: made when needed, given up when they fail, renewed after a time.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::Arc,
};

use dockgate::{
    chain::Vote,
    client::{Client, Peer},
    plugin::{self, Asked, Daemon, Instances, Limits, Loaded, LookUps, Manifest, Setup},
    request::{CanonicalRequest, OLDEST_SAFE_API},
};

use crate::{proxy::Scene, wat::Plugin};

/// Says how often this instance was asked before: `(nothing)` the first time, a dot for each time.
/// Fails when asked about `bad`.
fn counting() -> Plugin {
    Plugin::deciding(
        "(if (global.get $asked)
           (then
             (memory.fill (i32.const 65536) (i32.const 46) (global.get $asked))
             (call $say (i32.const 65536) (global.get $asked)))
           (else (call $say \"(nothing)\")))
         (global.set $asked (i32.add (global.get $asked) (i32.const 1)))
         (if (call $path-has \"bad\") (then unreachable))
         (call $allow)",
    )
    .with("(global $asked (mut i32) (i32.const 0))")
}

#[test]
fn an_instance_that_failed_is_not_asked_again() {
    let scene = Scene::new().plugin("counts", &counting()).arguments(&["--workers", "1"]);
    let proxy = scene.start();
    let mut client = proxy.connect();
    for path in ["good", "good", "bad", "good", "good", "last"] {
        let status = client.get(&format!("/containers/{path}/json")).status;
        assert_eq!(status, if path == "bad" { 403 } else { 200 });
    }
    let said = proxy.said("counts", "/containers/last/json");
    assert_eq!(said, ["(nothing)", ".", "..", "(nothing)", ".", ".."]);
}

/// Every third of two hundred requests on sixteen connections meets a trap, and no other.
#[test]
fn failures_hit_the_requests_that_cause_them_and_no_others() {
    let proxy = Scene::new().plugin("counts", &counting()).arguments(&["--workers", "3"]).start();
    std::thread::scope(|scope| {
        for connection in 0..16 {
            let proxy = &proxy;
            scope.spawn(move || {
                let mut client = proxy.connect();
                for n in (connection..200).step_by(16) {
                    let (kind, status) = if n % 3 == 0 { ("bad", 403) } else { ("good", 200) };
                    let answer = client.get(&format!("/containers/{kind}-{n}/json"));
                    assert_eq!(answer.status, status, "{n}: {answer:?}");
                }
            });
        }
    });
    let mut received = proxy.daemon.received_lines();
    received.sort();
    let mut expected: Vec<_> =
        (0..200).filter(|n| n % 3 != 0).map(|n| format!("GET /containers/good-{n}/json")).collect();
    expected.sort();
    assert_eq!(received, expected);
}

/// What an instance keeps from one request to the next it does not keep for long.
#[test]
fn instances_are_renewed() {
    // Keeps silent the first time, and allows from then on.
    let plugin = Plugin::deciding(
        "(if (global.get $asked) (then (return (call $allow))))
         (global.set $asked (i32.const 1))
         (call $abstain)",
    )
    .with("(global $asked (mut i32) (i32.const 0))")
    .never_remembered();
    let instances = in_process(&plugin);
    let mut first_answers = Vec::new();
    for n in 0..60_000 {
        if ask(&instances) == Vote::Abstain {
            first_answers.push(n);
        }
    }
    assert!((3..=4).contains(&first_answers.len()), "{first_answers:?}");
    let lives = first_answers.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(lives.into_iter().all(|life| (20_000..25_000).contains(&life)), "{first_answers:?}");
}

/// A plugin that answers without calling the proxy is asked once about each head; one that looked at
/// the query, which is no part of it, is asked each time.
#[test]
fn an_answer_is_remembered_if_it_rests_on_the_head_alone() {
    // Allows what it is asked first, and fails from then on.
    let once = Plugin::deciding(
        "(if (global.get $asked) (then unreachable))
         (global.set $asked (i32.const 1))
         (call $allow)",
    )
    .with("(global $asked (mut i32) (i32.const 0))");
    let start = |plugin: &Plugin| {
        Scene::new().plugin("once", plugin).arguments(&["--workers", "1"]).start()
    };

    let proxy = start(&once.clone());
    assert_eq!(proxy.get("/version").status, 200);
    assert_eq!(proxy.get("/version").status, 200, "it is not asked again");
    assert_eq!(proxy.get("/version?a=b").status, 200, "nor with another query");
    assert_eq!(proxy.get("/v1.41/version").status, 403, "about another head it is");
    assert_eq!(proxy.get("/info").status, 200, "and what failed was not kept");

    let proxy = start(&once.clone().never_remembered());
    assert_eq!(proxy.get("/version").status, 200);
    assert_eq!(proxy.get("/version").status, 403, "it is asked again");
}

fn ask(instances: &Instances) -> Vote {
    let (head, ()) = http::Request::get("/version").body(()).unwrap().into_parts();
    let asked = Asked {
        request: Arc::new(CanonicalRequest::new(head, OLDEST_SAFE_API).unwrap()),
        client: Arc::new(Client::new(
            "given".into(),
            "unix:///proxy.sock".into(),
            Peer::Unix(None),
        )),
        look_ups: LookUps::new(&Daemon::new().0),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(instances.ask(0, &asked)).unwrap().vote
}

/// The plugin, compiled as the proxy has it done, in this process.
fn in_process(plugin: &Plugin) -> Instances {
    let mut compiler = Command::new(env!("CARGO_BIN_EXE_dockgate"))
        .arg("compile")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    compiler.stdin.take().unwrap().write_all(&plugin.build()).unwrap();
    let code = compiler.wait_with_output().unwrap().stdout;
    let engine = plugin::runtime().unwrap();
    let setup = Setup { settings: "{}".to_owned(), ..Setup::default() };
    let manifest = Manifest { name: "plugin".to_owned(), ..Manifest::default() };
    let limits = Limits::default();
    let loaded = Loaded::new(&engine, &manifest, &code.into(), setup, &[], limits).unwrap();
    Instances::new(Arc::from([loaded]))
}
