//! What a plugin may see: what it was granted, and nothing besides.

use crate::{proxy::Scene, wat::Plugin};

const NOTHING: &str = "(nothing)";

/// Says the names of its variables, and of the others that it was told of.
fn says_variables() -> Plugin {
    Plugin::allowing().configuring(
        "(call $say \"variables:\")
         (call $say-each (global.get $environment) (global.get $environment-length) (i32.const 16))
         (call $say \"values:\")
         (call $say-each (i32.add (global.get $environment) (i32.const 8))
           (global.get $environment-length) (i32.const 16))
         (call $say \"others:\")
         (call $say-each (global.get $other-names) (global.get $other-names-length) (i32.const 8))",
    )
}

/// What it says in an environment with three variables.
fn said(plugin: &Plugin, granted: &[&str]) -> Vec<String> {
    let mut scene = Scene::new()
        .plugin("reader", plugin)
        .variable("TEAM", "blue")
        .variable("SECRET", "hunter2")
        .variable("OTHER", "1");
    for name in granted {
        scene = scene.arguments(&["--grant-env", name]);
    }
    let proxy = scene.start();
    proxy.get("/version");
    proxy.said("reader", "/version")
}

#[test]
fn a_variable_is_seen_if_the_manifest_asks_for_it_and_it_is_granted() {
    let manifest = r#"{"name": "reader", "environment": ["TEAM", "SECRET", "UNSET"]}"#;
    let asking = says_variables().with_manifest(manifest);
    let silent = says_variables();
    let nothing = ["variables:", "values:", "others:"];
    let team = ["variables:", "TEAM", "values:", "blue", "others:"];
    let both = ["variables:", "SECRET", "TEAM", "values:", "hunter2", "blue", "others:"];
    assert_eq!(said(&asking, &[]), nothing, "nothing is granted");
    assert_eq!(said(&asking, &["OTHER"]), nothing, "what is granted is not asked for");
    assert_eq!(said(&silent, &["TEAM"]), nothing, "nothing is asked for");
    assert_eq!(said(&asking, &["TEAM"]), team);
    assert_eq!(said(&asking, &["TEAM", "OTHER", "UNSET"]), team);
    assert_eq!(said(&asking, &["TEAM,SECRET"]), both, "in the order of their names");
}

/// What is bundled may look for misspelt names; a custom plugin can't have them.
#[test]
fn names_of_other_variables_are_not_shown() {
    let manifest = r#"{"name": "reader", "environment": ["TEAM"], "environment-names": true}"#;
    let asking = says_variables().with_manifest(manifest);
    let team = ["variables:", "TEAM", "values:", "blue", "others:"];
    assert_eq!(said(&asking, &["TEAM"]), team);
}

#[test]
fn outside_of_a_request_there_is_nothing_to_see() {
    let plugin = Plugin::allowing().configuring(
        "(call $say-header \"Host\")
         (call $say-header \"X-A\")
         (call $say-query \"all\")
         (call $listener (i32.const 512)) (call $say-found)
         (call $address (i32.const 512)) (call $say-found)
         (call $query-all (i32.const 512))
         (if (i32.load (i32.const 516)) (then (call $say \"a query\")))",
    );
    let proxy = Scene::new().plugin("early", &plugin).start();
    proxy.connect().ask_with("GET", "/version?all=1", &[("X-A", "1")]);
    assert_eq!(proxy.said("early", "/version"), [NOTHING; 5]);
}

#[test]
fn edits_outside_of_a_request_are_made_to_none() {
    let plugin = Plugin::allowing().configuring(
        "(call $set-query \"limit\" \"1\")
         (call $set-header \"X-A\" \"b\")
         (call $respond (i32.const 200) \"[]\")",
    );
    let proxy = Scene::new().plugin("early", &plugin).start();
    assert_eq!(proxy.get("/version").body, crate::daemon::YES);
    let received = &proxy.daemon.received()[0];
    assert_eq!((received.target.as_str(), received.header("x-a")), ("/version", None));
}

#[test]
fn a_request_can_be_read_but_not_its_credentials() {
    let names = [
        "X-A",
        "x-a",
        "X-Registry-Auth",
        "x-registry-auth",
        "X-Registry-Config",
        "Authorization",
        "COOKIE",
        "Proxy-Authorization",
        "No-Such",
        "no header",
    ];
    let reads = names.map(|name| format!("(call $say-header \"{name}\")")).concat();
    let plugin = Plugin::deciding(&format!("{reads} (call $say-query \"all\") (call $allow)"));
    let proxy = Scene::new().plugin("reader", &plugin).start();
    let headers = [
        ("X-A", "hello"),
        ("X-Registry-Auth", "hunter2"),
        ("X-Registry-Config", "hunter2"),
        ("Authorization", "hunter2"),
        ("Cookie", "hunter2"),
        ("Proxy-Authorization", "hunter2"),
    ];
    proxy.connect().ask_with("GET", "/images/json?all=1", &headers);
    let mut expected = vec![NOTHING; 11];
    expected[0] = "hello";
    expected[1] = "hello";
    expected[10] = "1";
    assert_eq!(proxy.said("reader", "/images/json"), expected);
    assert!(!proxy.log().contains("hunter2"));
    // They are the daemon's to see, but for what is meant for the proxy itself.
    let received = &proxy.daemon.received()[0];
    assert_eq!(received.header("x-registry-auth"), Some("hunter2"));
    assert_eq!(received.header("proxy-authorization"), None);
}

#[test]
fn a_client_is_known_by_its_listener() {
    let plugin = Plugin::deciding(
        "(call $listener (i32.const 512)) (call $say-found)
         (call $address (i32.const 512)) (call $say-found) (call $allow)",
    );
    let proxy = Scene::new().plugin("reader", &plugin).start();
    proxy.get("/version");
    let said = proxy.said("reader", "/version");
    assert!(said[0].starts_with("unix:///") && said[0].ends_with("/proxy.sock"), "{said:?}");
    assert_eq!(said[1], NOTHING);
}

/// As a standard library reads it.
#[test]
fn the_environment_of_wasi_is_empty() {
    let plugin = Plugin::deciding(
        "(call $get-environment (i32.const 512))
         (if (i32.load (i32.const 516)) (then (call $say \"a variable\")))
         (call $get-arguments (i32.const 512))
         (if (i32.load (i32.const 516)) (then (call $say \"an argument\")))
         (call $say \"that is all\")
         (call $allow)",
    )
    .importing(
        "(import \"wasi:cli/environment@0.2.6\" (instance $wasi
           (export \"get-environment\" (func (result (list (tuple string string)))))
           (export \"get-arguments\" (func (result (list string))))))",
    )
    .calling(
        "get-environment",
        "(param i32)",
        "(func $wasi \"get-environment\") (memory $memory) (realloc $realloc)",
    )
    .calling(
        "get-arguments",
        "(param i32)",
        "(func $wasi \"get-arguments\") (memory $memory) (realloc $realloc)",
    );
    let proxy = Scene::new()
        .plugin("reader", &plugin)
        .variable("TEAM", "blue")
        .arguments(&["--grant-env", "TEAM"])
        .start();
    assert_eq!(proxy.get("/version").status, 200);
    assert_eq!(proxy.said("reader", "/version"), ["that is all"]);
}

#[test]
fn exiting_is_a_fault() {
    let plugin = Plugin::deciding(
        "(if (call $path-has \"bad\") (then (call $exit (i32.const 0)))) (call $allow)",
    )
    .importing(
        "(import \"wasi:cli/exit@0.2.6\" (instance $wasi
           (export \"exit\" (func (param \"status\" (result))))))",
    )
    .calling("exit", "(param i32)", "(func $wasi \"exit\")");
    let proxy = Scene::new().plugin("quits", &plugin).start();
    let refusal = proxy.get("/containers/bad/json");
    assert_eq!(refusal.status, 403);
    assert!(refusal.message().ends_with("it trapped: the plugin called exit"), "{refusal:?}");
    assert_eq!(proxy.get("/containers/good/json").status, 200, "the proxy did not exit");
}

/// A panic's words come this way.
#[test]
fn what_is_written_to_standard_error_goes_to_the_log() {
    let plugin = Plugin::deciding(
        "(call $blocking-write (call $get-stderr) \"panicked at\\0a  line two\\0a\" (i32.const 768))
         (call $allow)",
    )
    .importing(
        "(import \"wasi:io/error@0.2.6\" (instance $error
           (export \"error\" (type (sub resource)))))
         (alias export $error \"error\" (type $io-error))
         (import \"wasi:io/streams@0.2.6\" (instance $streams
           (export \"output-stream\" (type $stream (sub resource)))
           (export \"error\" (type $error (eq $io-error)))
           (type $stream-error' (variant (case \"last-operation-failed\" (own $error)) (case \"closed\")))
           (export \"stream-error\" (type $stream-error (eq $stream-error')))
           (export \"[method]output-stream.blocking-write-and-flush\"
             (func (param \"self\" (borrow $stream)) (param \"contents\" (list u8))
               (result (result (error $stream-error)))))))
         (alias export $streams \"output-stream\" (type $output-stream))
         (import \"wasi:cli/stderr@0.2.6\" (instance $stderr
           (export \"output-stream\" (type $stream (eq $output-stream)))
           (export \"get-stderr\" (func (result (own $stream))))))",
    )
    .calling("get-stderr", "(result i32)", "(func $stderr \"get-stderr\")")
    .calling(
        "blocking-write",
        "(param i32 i32 i32 i32)",
        "(func $streams \"[method]output-stream.blocking-write-and-flush\") (memory $memory)",
    );
    let proxy = Scene::new().plugin("panics", &plugin).start();
    let answer = proxy.get("/version");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(proxy.said("panics", "/version"), ["panicked at", "  line two"]);
    proxy.logged(|line| line["message"] == "panicked at" && line["level"] == "err");
}

/// What is granted of WASI does nothing, and what does something is not granted.
#[test]
fn other_functions_of_wasi_are_faults() {
    for (name, ty, signature, call, words) in [
        ("delete-everything", "(func)", "", "(call $wasi)", "the plugin called delete-everything"),
        (
            "run",
            "(func (result u32))",
            "(result i32)",
            "(drop (call $wasi))",
            "the plugin called run, which WASI is not granted for",
        ),
        // A name that is known, of a type that it does not have.
        (
            "get-environment",
            "(func (result u32))",
            "(result i32)",
            "(drop (call $wasi))",
            "type mismatch: expected u32, found list",
        ),
    ] {
        let plugin =
            Plugin::deciding(&format!("(if (call $path-has \"bad\") (then {call})) (call $allow)"))
                .importing(&format!(
                    "(import \"wasi:cli/odd@0.2.6\" (instance $odd (export \"{name}\" {ty})))"
                ))
                .calling("wasi", signature, &format!("(func $odd \"{name}\")"));
        let proxy = Scene::new().plugin("odd", &plugin).start();
        let refusal = proxy.get("/containers/bad/json");
        assert_eq!(refusal.status, 403);
        let words = format!("the plugin odd failed: it trapped: {words}");
        assert!(refusal.message().ends_with(&words), "{refusal:?}");
        assert_eq!(proxy.get("/containers/good/json").status, 200);
    }
}
