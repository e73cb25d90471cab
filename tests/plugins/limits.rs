//! What a plugin may use: time, stack, memory, and the proxy's own work for it.

use serde_json::Value;

use crate::{proxy::Scene, wat::Plugin};

const TIME: &str = "it took longer than it may";
const STACK: &str = "it trapped: wasm trap: call stack exhausted";
const MEMORY: &str = "it wanted more memory than it may have";
const SECOND: &str =
    "it has several memories, and may have one: build it as one component with one memory";
const WORK: &str = "it asked more of the proxy than it may";

/// How many MiB the proxy may come to need at the most for a plugin that wants all it can get: what
/// a plugin may have, as much again while it is moved to grow, and the proxy's part.
const BOUND: u64 = 96;

/// Allows everything, but does this when asked about `bad`.
fn bad_at_times(decide: &str) -> Plugin {
    Plugin::deciding(&format!("(if (call $path-has \"bad\") (then {decide})) (call $allow)"))
}

/// The plugin fails on `bad`, is said to have failed in this way, and is asked again.
fn fails(plugin: &Plugin, words: &str) {
    let scene = Scene::new().plugin("wild", plugin).arguments(&["--workers", "1"]);
    let proxy = scene.start();
    let before = proxy.peak_memory();

    let refusal = proxy.get("/containers/bad/json");
    assert_eq!(refusal.status, 403, "{refusal:?}");
    let reason =
        "container-inspect (GET /containers/bad/json) is refused, since the plugin wild failed: ";
    assert_eq!(refusal.message(), format!("dockgate: {reason}{words}"));
    let record = proxy.record("/containers/bad/json");
    assert_eq!(record["verdict"], "fault", "{record}");
    assert_eq!(record["level"], "err", "{record}");
    assert_eq!(record["plugin"], "wild", "{record}");
    assert_eq!(record["reason"], format!("{reason}{words}"), "{record}");

    assert_eq!(proxy.get("/containers/good/json").status, 200, "the next one is answered");
    assert_eq!(proxy.daemon.received_lines(), ["GET /containers/good/json"]);
    let more = proxy.peak_memory() - before;
    assert!(more < BOUND, "{more} MiB more were needed");
}

#[test]
fn a_loop_is_ended() {
    fails(&bad_at_times("(loop $again (br $again))"), TIME);
}

/// An instruction that works through much memory at once is not one step.
#[test]
fn a_loop_of_large_steps_is_ended() {
    for step in [
        "(memory.fill (i32.const 65536) (i32.const 1) (i32.const 8000000))",
        "(memory.copy (i32.const 65536) (i32.const 65537) (i32.const 8000000))",
        "(table.fill (i32.const 0) (ref.null func) (i32.const 100000))",
        "(table.copy (i32.const 0) (i32.const 1) (i32.const 99999))",
    ] {
        let plugin = bad_at_times(&format!("(loop $again {step} (br $again))"));
        fails(&plugin.with_pages(140).with("(table 100000 funcref)"), TIME);
    }
}

#[test]
fn a_loop_costs_nobody_else_more_than_its_limit() {
    let plugin = bad_at_times("(loop $again (br $again))");
    let proxy = Scene::new().plugin("wild", &plugin).arguments(&["--workers", "1"]).start();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = proxy.connect();
                for _ in 0..5 {
                    assert_eq!(client.get("/containers/bad/json").status, 403);
                }
            });
        }
        let mut client = proxy.connect();
        for _ in 0..20 {
            assert_eq!(client.get("/containers/good/json").status, 200);
        }
    });
}

#[test]
fn recursion_is_ended() {
    fails(&bad_at_times("(drop (call $decide))"), STACK);
}

#[test]
fn traps_refuse() {
    for (trap, words) in [
        ("unreachable", "it trapped: wasm trap: wasm `unreachable` instruction executed"),
        (
            "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
            "it trapped: wasm trap: integer divide by zero",
        ),
        ("(drop (i32.load (i32.const -8)))", "it trapped: wasm trap: out of bounds memory access"),
    ] {
        fails(&bad_at_times(trap), words);
    }
}

#[test]
fn memory_has_a_limit() {
    // It uses what it gets, or it would only be addresses.
    let page = "(memory.fill (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)) \
                 (i32.const 1) (i32.const 65536))";
    fails(&bad_at_times(&format!("(loop $again {page} (br $again))")), MEMORY);
    fails(&bad_at_times("(drop (memory.grow (i32.const 60000)))"), MEMORY);
}

#[test]
fn tables_share_the_memorys_limit() {
    let growth = "(drop (table.grow (ref.null func) (i32.const 100000)))";
    let plugin = bad_at_times(&format!("(loop $again {growth} (br $again))"));
    fails(&plugin.with("(table 0 funcref)"), MEMORY);
}

#[test]
fn a_second_memory_must_stay_empty() {
    let grows = bad_at_times("(drop (memory.grow $second (i32.const 1)))");
    fails(&grows.with("(memory $second 0)"), &format!("it trapped: {SECOND}"));

    let ended = Scene::new().plugin("two", &Plugin::allowing().with("(memory 1)")).refusal();
    assert_eq!(ended.code, Some(2), "{}", ended.words);
    let words = format!("two.wasm: no instance of it could be set up: {SECOND}\n");
    assert!(ended.words.ends_with(&words), "{}", ended.words);
}

#[test]
fn more_memory_than_the_limit_can_not_be_had_to_begin_with() {
    let in_one = Plugin::allowing().with_pages(513);
    let in_tables =
        Plugin::allowing().with("(table $a 3000000 funcref) (table $b 3000000 funcref)");
    for plugin in [in_one, in_tables] {
        let ended = Scene::new().plugin("large", &plugin).refusal();
        assert_eq!(ended.code, Some(2), "{}", ended.words);
        let words = format!("large.wasm: no instance of it could be set up: {MEMORY}\n");
        assert!(ended.words.ends_with(&words), "{}", ended.words);
    }
}

/// A page with each answer: the instance is full after some 500 and refuses one, and a fresh one
/// takes its place.
#[test]
fn a_leak_is_stopped_and_the_proxy_lives_on() {
    let plugin =
        Plugin::deciding("(drop (memory.grow (i32.const 1))) (call $allow)").never_remembered();
    let proxy = Scene::new().plugin("leak", &plugin).arguments(&["--workers", "1"]).start();
    let mut client = proxy.connect();
    let answers: Vec<_> = (0..1100).map(|_| client.get("/version")).collect();
    let refused: Vec<_> = (0..answers.len()).filter(|n| answers[*n].status != 200).collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    for n in refused {
        assert_eq!(answers[n].status, 403);
        assert!(answers[n].message().ends_with(MEMORY), "{:?}", answers[n]);
        assert_eq!(answers[n + 1].status, 200, "a fresh instance answers");
    }
    let peak = proxy.peak_memory();
    assert!(peak < 2 * BOUND, "the proxy came to {peak} MiB");
}

#[test]
fn calls_of_the_proxy_without_end_are_ended() {
    for call in [
        "(call $set-query \"limit\" \"5\")",
        "(call $set-header \"X-A\" \"b\")",
        "(call $remove-query \"limit\")",
        "(call $set-target \"web\")",
        "(call $respond (i32.const 200) \"{}\")",
        "(call $query \"limit\" (i32.const 512))",
        "(call $query-all (i32.const 512))",
        "(call $header \"X-A\" (i32.const 512))",
        "(call $listener (i32.const 512))",
        "(call $say \"hello\")",
    ] {
        fails(&bad_at_times(&format!("(loop $again {call} (br $again))")), WORK);
    }
}

#[test]
fn a_plugin_calls_the_proxy_ten_thousand_times_and_no_more() {
    for (calls, status) in [(10_000, 200), (10_001, 403)] {
        let plugin = Plugin::deciding(&format!(
            "(local $calls i32)
             (loop $again
               (call $address (i32.const 512))
               (local.set $calls (i32.add (local.get $calls) (i32.const 1)))
               (br_if $again (i32.lt_u (local.get $calls) (i32.const {calls}))))
             (call $allow)"
        ));
        let proxy = Scene::new().plugin("calls", &plugin).start();
        assert_eq!(proxy.get("/version").status, status, "{calls}");
    }
}

/// Not even where a call does nothing.
#[test]
fn calls_of_inert_wasi_without_end_are_ended() {
    let plugin = bad_at_times("(loop $again (call $environment (i32.const 512)) (br $again))")
        .importing(
            "(import \"wasi:cli/environment@0.2.6\" (instance $wasi
               (export \"get-environment\" (func (result (list (tuple string string)))))))",
        )
        .calling(
            "environment",
            "(param i32)",
            "(func $wasi \"get-environment\") (memory $memory) (realloc $realloc)",
        );
    fails(&plugin, WORK);
}

/// Each of them within the limit of one call.
#[test]
fn what_is_handed_over_has_a_limit_for_all_calls_together() {
    let megabyte = "(i32.const 65536) (i32.const 1000000)";
    for call in [
        format!("(call $set-query \"a\" {megabyte})"),
        format!("(call $set-header \"X-A\" {megabyte})"),
        format!("(call $set-target {megabyte})"),
        format!("(call $respond (i32.const 200) {megabyte})"),
        format!("(call $header {megabyte} (i32.const 512))"),
        format!("(call $say {megabyte})"),
    ] {
        let plugin = bad_at_times(&format!("(loop $again {call} (br $again))"));
        fails(&plugin.with_pages(256), WORK);
    }
}

/// Looking for a parameter takes the proxy as long as the query is.
#[test]
fn a_long_query_is_not_looked_through_as_often_as_a_short_one() {
    let looking = Plugin::deciding(
        "(local $looks i32)
         (loop $again
           (call $query \"limit\" (i32.const 512))
           (local.set $looks (i32.add (local.get $looks) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $looks) (i32.const 200))))
         (call $allow)",
    );
    let proxy = Scene::new().plugin("looks", &looking).start();
    let asked_with = |length| proxy.get(&format!("/containers/json?all={}", "a".repeat(length)));
    assert_eq!(asked_with(10_000).status, 200);
    let refusal = asked_with(60_000);
    assert_eq!(refusal.status, 403);
    assert!(refusal.message().ends_with(WORK), "{refusal:?}");
}

#[test]
fn lines_of_the_log_are_few_short_and_one_line_each() {
    let plugin = Plugin::deciding(
        "(local $lines i32)
         (call $say \"one\\0d\\0atwo\\1b[31mthree\\00\")
         (loop $again
           (call $say (i32.const 600000) (i32.const 5000))
           (local.set $lines (i32.add (local.get $lines) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $lines) (i32.const 50))))
         (call $allow)",
    )
    .with_pages(10);
    let proxy = Scene::new().plugin("talks", &plugin).start();
    assert_eq!(proxy.get("/version").status, 200);
    let said = proxy.said("talks", "/version");
    assert_eq!(said[0], "one\\r\\ntwo\\u{1b}[31mthree\\0");
    assert_eq!(said.len(), 20);
    // A thousand zero bytes, each as `\0`.
    assert!(said[1..].iter().all(|line| line.len() == 2000), "{said:?}");
}

#[test]
fn setting_up_has_limits_too() {
    for (configure, words) in [
        ("(loop $again (br $again))", TIME),
        ("unreachable", "wasm trap: wasm `unreachable` instruction executed"),
        ("(call $configure)", "wasm trap: call stack exhausted"),
        ("(loop $again (drop (memory.grow (i32.const 1))) (br $again))", MEMORY),
        ("(loop $again (call $say \"hello\") (br $again))", WORK),
    ] {
        let plugin = Plugin::allowing().configuring(configure);
        let ended = Scene::new().plugin("wild", &plugin).refusal();
        assert_eq!(ended.code, Some(2), "{}", ended.words);
        let words = format!("wild.wasm: no instance of it could be set up: {words}\n");
        assert!(ended.words.ends_with(&words), "{}", ended.words);
        let lines = ended.log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        assert!(lines.filter(|line| line["plugin"] == "wild").count() <= 20, "{}", ended.log);
    }
}

#[test]
fn saying_what_is_permitted_has_limits_too() {
    for (permissions, words) in [
        ("(loop $again (br $again)) (i32.const 0)", TIME),
        ("unreachable", "it trapped: wasm trap: wasm `unreachable` instruction executed"),
        ("(i32.const -1)", "it trapped: return pointer not aligned"),
    ] {
        let plugin = Plugin::allowing().permitting(permissions);
        let ended = Scene::new().plugin("wild", &plugin).refusal();
        assert_eq!(ended.code, Some(2), "{}", ended.words);
        let words = format!("wild.wasm: it can't say what it permits: {words}\n");
        assert!(ended.words.ends_with(&words), "{}", ended.words);
    }
}

/// The interface has no handles, but WASI's streams are some.
#[test]
fn handles_have_a_limit() {
    let plugin = bad_at_times("(loop $again (drop (call $get-stdout)) (br $again))")
        .importing(
            "(import \"wasi:cli/stdout@0.2.6\" (instance $stdout
               (export \"output-stream\" (type $stream (sub resource)))
               (export \"get-stdout\" (func (result (own $stream))))))",
        )
        .calling("get-stdout", "(result i32)", "(func $stdout \"get-stdout\")");
    fails(&plugin, "it trapped: cannot allocate another handle: store handle limit exceeded");
}
