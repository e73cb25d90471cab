//! `dockgate import`: options of other proxies come to a file that gives the same verdicts.
//!
//! `import/peer_vectors.jsonl` has what those proxies decide: rows of their own tests, and what follows
//! from their documentation and sources. A line has `peer`, `config` (its options), `method`, `path`,
//! `body`, `expect` and where it is from; `"hazard": true` marks a verdict not to take over.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "config/folder.rs"]
#[allow(dead_code, reason = "tests/config.rs uses the rest")]
mod folder;

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use folder::{Folder, Said};

/// Paths that the proxy treats in a way of its own, whatever a file says, since a daemon might read them
/// in another way than a filter does. Each with what becomes of it, and why.
const ODD: [(&str, &str, &str); 13] = [
    ("/v1.24/containers/../images/json", "invalid", "a dot segment"),
    ("/v1.41/events/../images/json", "invalid", "a dot segment"),
    ("/v1.24//version", "invalid", "an empty segment"),
    ("//_ping", "invalid", "an empty segment"),
    ("/_ping/", "deny", "a slash at the end, which CetusGuard takes away for its rules alone"),
    ("/v1.5/version", "invalid", "a version in which a start can make a container privileged"),
    ("/v1.4./version", "invalid", "a version that is none"),
    ("/v1.41./_ping", "invalid", "a version that is none"),
    ("/v9.9./containers/json", "invalid", "a version that is none"),
    ("/v.9.9/containers/json", "invalid", "a version that is none"),
    ("/v99/containers/json", "invalid", "a version of one number"),
    ("/v99.99.9/containers/json", "invalid", "a version of three numbers"),
    ("/v4.0.0/libpod/_ping", "invalid", "a version of three numbers"),
];

/// What has no colon is no bind to the daemon but a volume without a name, which does no harm.
const NO_BIND: &str = r#""Binds": ["/home/user"]"#;

/// A row of the table.
struct Row(Value);

impl Row {
    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap()
    }

    /// The arguments of `dockgate import` for its options.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["import".to_owned(), self.text("peer").to_owned()];
        let options = self.0["config"].as_object().unwrap();
        for (name, value) in options.iter().filter(|(name, _)| *name != "note") {
            let values = match value {
                Value::Array(values) => values.clone(),
                value => vec![value.clone()],
            };
            for value in values {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                arguments.push(format!("-{name}={value}"));
            }
        }
        // These rows are of what it makes of bodies that come through.
        if options.contains_key("allowbindmountfrom") {
            arguments.extend(["-allowGET=.*".to_owned(), "-allowPOST=.*".to_owned()]);
        }
        arguments
    }

    /// What a table for `dockgate test` says of it.
    fn for_test(&self) -> Value {
        let path = self.text("path");
        let odd = ODD.iter().find(|(odd, ..)| *odd == path);
        let body = self.0["body"].as_str();
        let expect = match odd {
            Some((_, expect, _)) => expect,
            None if body.is_some_and(|body| body.contains(NO_BIND)) => "allow",
            // The daemon would take it, and mount a disk of the host.
            None if self.0["hazard"] == true => "deny",
            None => self.text("expect"),
        };
        let mut row = json!({
            "name": format!("{}, {}", self.text("source_file"), self.text("note")),
            "request": format!("{} {path}", self.text("method")),
            "client": { "address": "127.0.0.1" },
            "expect": expect,
        });
        if let Some(body) = body {
            row["body"] = serde_json::from_str(body).unwrap();
        }
        row
    }
}

fn rows() -> Vec<Row> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/import/peer_vectors.jsonl");
    let text = fs::read_to_string(root).unwrap();
    text.lines().map(|line| Row(serde_json::from_str(line).unwrap())).collect()
}

fn import(folder: &Folder, arguments: &[&str]) -> Said {
    folder.run(&[&["import"], arguments].concat())
}

/// Compares a file with the one that was accepted.
fn assert_file(name: &str, file: &str) {
    insta::with_settings!({ snapshot_path => "import/snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, file);
    });
}

#[test]
fn what_they_decide_the_file_decides() {
    let mut by_options = BTreeMap::<_, Vec<_>>::new();
    for row in rows() {
        by_options.entry(row.arguments()).or_default().push(row.for_test());
    }
    let count: usize = by_options.values().map(Vec::len).sum();
    assert_eq!(count, 69);
    for (arguments, rows) in by_options {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let folder = Folder::new();
        let imported = folder.run(&arguments);
        assert_eq!(imported.code, 0, "{arguments:?}: {}", imported.words);
        let table = json!({ "config": "dockgate.yaml", "requests": rows });
        let folder = folder
            .file("dockgate.yaml", &imported.out)
            .file("dockgate.test.yaml", table.to_string());
        let checked = folder.run(&["check"]);
        assert_eq!(checked.code, 0, "{arguments:?}: {}\n{}", checked.out, imported.out);
        let tested = folder.run(&["test", "dockgate.test.yaml"]);
        assert_eq!(tested.code, 0, "{arguments:?}\n{}{}", tested.out, tested.words);
    }
}

/// Else a row could be called odd that is not.
#[test]
fn every_odd_request_is_of_a_row() {
    let rows = rows();
    for (path, _, why) in ODD {
        assert!(rows.iter().any(|row| row.text("path") == path), "{path}: {why}");
    }
}

#[test]
fn options_and_variables_of_wollomatic_come_to_a_file() {
    let variables = "\
# as Docker reads it
SP_ALLOW_GET=/nothing
SP_ALLOW_HEAD=/.*
SP_ALLOW_HEAD=/_ping
SP_ALLOW_POST_1=/v1\\..{1,2}/containers/.*/start
SP_ALLOW_POST_2=/v1\\..{1,2}/containers/.*/stop
SP_LOGLEVEL=warn
OTHER=1
";
    let folder = Folder::new().file("proxy.env", variables);
    let said = import(
        &folder,
        &[
            "wollomatic",
            "--env-file",
            "proxy.env",
            "-allowGET=/_ping|/version",
            "--allowfrom=traefik,10.0.0.0/8,192.0.2.0/24",
            "-listenip",
            "0.0.0.0",
            "-proxyport=2376",
            "-socketpath=/run/docker.sock",
            "-logjson",
            "-shutdowngracetime=5",
            "-watchdoginterval=30",
            "-proxycontainername=gate",
            "-allowhealthcheck=true",
        ],
    );
    assert_eq!(said.code, 0, "{}", said.words);
    assert_file("wollomatic", &said.out);
    assert_eq!(said.words.lines().count(), 5, "{}", said.words);
    assert!(said.words.lines().all(|line| line.starts_with("dockgate: ")), "{}", said.words);
}

#[test]
fn bind_mounts_of_wollomatic_come_to_a_guard() {
    let said = import(
        &Folder::new(),
        &["wollomatic", "-allowPOST=.*", "-allowbindmountfrom=/home,/srv", "-allowfrom=0.0.0.0/0"],
    );
    assert_eq!(said.code, 0, "{}", said.words);
    assert_file("wollomatic_with_bind_mounts", &said.out);
}

#[test]
fn a_socket_of_wollomatic_looks_at_no_addresses() {
    let said = import(
        &Folder::new(),
        &["wollomatic", "-allowGET=.*", "-proxysocketendpoint=/run/p.sock", "-allowfrom=10.0.0.1"],
    );
    assert!(said.out.contains("address: unix:///run/p.sock\n    mode: \"0600\""), "{}", said.out);
    assert!(!said.out.contains("clients:"), "{}", said.out);
}

/// Who is allowed there, who is allowed here, and that the file is right.
#[test]
fn who_may_ask_is_who_may_ask_there() {
    let own = "127.0.0.1";
    for (from, client, is_allowed) in [
        // The first range decides.
        ("10.0.0.0/8,127.0.0.0/8", own, false),
        ("127.0.0.1,10.0.0.0/8", own, true),
        ("10.0.0.1,127.0.0.1", own, true),
        // Of one family alone.
        ("0.0.0.0/0", own, true),
        ("0.0.0.0/0", "::1", false),
        ("::/0", "::1", true),
        ("::/0", own, false),
        // What is no name of a host is no one's.
        ("", own, false),
        (",", own, false),
        ("*,web?", own, false),
        (" 127.0.0.1", own, false),
        ("localhost", own, true),
        ("localhost", "::1", true),
        ("localhost", "10.0.0.1", false),
        ("::ffff:127.0.0.1", own, true),
        ("\"127.0.0.1\"", own, false),
    ] {
        let from_option = format!("-allowfrom={from}");
        let said = import(&Folder::new(), &["wollomatic", "-allowGET=.*", &from_option]);
        assert_eq!(said.code, 0, "{}", said.words);
        let folder = Folder::with(&said.out);
        let checked = folder.run(&["check"]);
        assert_eq!((checked.code, checked.words.as_str()), (0, ""), "{from}: {}", checked.out);
        let arguments = ["explain", "GET", "/_ping", "--as", client, "--config", "dockgate.yaml"];
        let told = folder.run(&arguments);
        assert_eq!(told.code == 0, is_allowed, "{from} {client}: {}{}", told.out, told.words);
    }
    // A variable that is empty is none.
    let folder = Folder::new().file("proxy.env", "SP_ALLOWFROM=\n");
    let said = import(&folder, &["wollomatic", "--env-file=proxy.env"]);
    assert!(said.out.contains("- address: \"127.0.0.1/32\""), "{}", said.out);
}

/// As `^EXPRESSION$`, in which the ends may be part of something.
#[test]
fn odd_expressions_match_what_they_match_there() {
    for (expression, path, is_allowed) in [
        ("*/json", "/containers/json", true),
        ("*/json", "/containers/json/x", false),
        ("/info|/version", "/version/x", false),
        ("/version|/info", "/version/x", true),
        ("(?i)/INFO", "/info", true),
        ("/[[:alpha:]]+", "/info", true),
        (r"/inf\w", "/info", true),
    ] {
        let said = import(&Folder::new(), &["wollomatic", &format!("-allowGET={expression}")]);
        let folder = Folder::with(&said.out);
        let checked = folder.run(&["check"]);
        assert_eq!((checked.code, checked.words.as_str()), (0, ""), "{expression}");
        let told = folder.run(&["explain", "GET", path, "--config", "dockgate.yaml"]);
        assert_eq!(told.code == 0, is_allowed, "{expression} {path}: {}{}", told.out, told.words);
    }
}

/// Options are numbers of Go's, and variables octal.
#[test]
fn the_mode_of_a_socket_is_read_as_there() {
    for (option, variable, mode) in [
        (Some("432"), "", "0660"),
        (Some("0660"), "0600", "0660"),
        (Some("0x1b0"), "", "0660"),
        (None, "660", "0660"),
        (None, "", "0600"),
    ] {
        let file = format!("SP_PROXYSOCKETENDPOINTFILEMODE={variable}\n");
        let folder = Folder::new().file("proxy.env", file);
        let option = option.map(|mode| format!("-proxysocketendpointfilemode={mode}"));
        let mut arguments = vec!["wollomatic", "--env-file=proxy.env"];
        arguments.push("-proxysocketendpoint=/run/p.sock");
        arguments.extend(option.as_deref());
        let said = import(&folder, &arguments);
        let expected = format!("    mode: \"{mode}\"");
        assert!(said.out.contains(&expected), "{option:?}: {}{}", said.out, said.words);
    }
}

#[test]
fn tls_of_cetusguard_comes_over_or_is_told() {
    let files = ["-frontend-tls-cert=c.pem", "-frontend-tls-key=k.pem"];
    let given = ["cetusguard", "-frontend-addr=unix:///run/guard.sock"];
    let said = import(&Folder::new(), &[given.as_slice(), &files].concat());
    let words = "dockgate: unix:///run/guard.sock is without TLS here, and asks for no \
                 certificates: its owner alone may use it.\n";
    assert_eq!((said.code, said.words.as_str()), (0, words));
    let folder = Folder::new().file("guard.env", "CONTAINER_HOST=tcp://10.0.0.2:2376\n");
    let backend = ["cacert", "cert", "key"].map(|of| format!("-backend-tls-{of}={of}.pem"));
    let options = ["cetusguard", "--env-file=guard.env", &backend[0], &backend[1], &backend[2]];
    let said = import(&folder, &options);
    let upstream = "upstream:\n  address: tcp://10.0.0.2:2376\n  tls:\n    ca: cacert.pem\n    \
                    certificate: cert.pem\n    key: key.pem\n";
    assert!(said.out.contains(upstream), "{}{}", said.out, said.words);
}

#[test]
fn rules_of_cetusguard_come_to_a_file() {
    let rules = "! Traefik\nGET %API_PREFIX_EVENTS%\nGET,HEAD\t%API_PREFIX_CONTAINERS%/(json|%CONTAINER_ID_OR_NAME%/json)\n";
    let folder = Folder::new()
        .file("rules.list", rules)
        .file("guard.env", "CETUSGUARD_BACKEND_ADDR=tcp://10.0.0.2:2376\nCETUSGUARD_LOG_LEVEL=7\n");
    let said = import(
        &folder,
        &[
            "cetusguard",
            "--env-file=guard.env",
            "-backend-tls-cacert=ca.pem",
            "-frontend-addr=tcp://:2375",
            "-frontend-addr=unix:///run/guard.sock",
            "-frontend-tls-cert=cert.pem",
            "-frontend-tls-key=key.pem",
            "-frontend-tls-cacert=clients.pem",
            "-rules-file=rules.list",
            "-rules=PUT /x\nTRACE /y",
            "-log-level=5",
        ],
    );
    assert_eq!(said.code, 0, "{}", said.words);
    assert_file("cetusguard", &said.out);
    assert_eq!(said.words.lines().count(), 2, "{}", said.words);
    assert!(said.words.ends_with("dockgate: TRACE is never passed on: no daemon answers it.\n"));
}

/// Every macro of `CetusGuard`'s is an expression that the plugin can use.
#[test]
fn every_macro_of_cetusguard_can_be_used() {
    let things = ["CONTAINER", "VOLUME", "NETWORK", "PLUGIN"];
    let named = things
        .iter()
        .flat_map(|thing| ["ID", "NAME", "ID_OR_NAME"].map(|form| format!("%{thing}_{form}%")));
    let others = [
        "DOMAIN",
        "IPV4",
        "IPV6",
        "IP",
        "DOMAIN_OR_IP",
        "HOST",
        "IMAGE_ID",
        "IMAGE_COMPONENT",
        "IMAGE_TAG",
        "IMAGE_DIGEST",
        "IMAGE_NAME",
        "IMAGE_REFERENCE",
        "IMAGE_ID_OR_REFERENCE",
        "API_PREFIX",
        "API_PREFIX_VOLUMES",
        "API_PREFIX_LIBPOD",
        "API_PREFIX_LIBPOD_PLAY",
    ];
    let all: Vec<_> = named.chain(others.map(|name| format!("%{name}%"))).collect();
    let rules: Vec<_> = all.iter().map(|name| format!("GET /x/{name}")).collect();
    let folder = Folder::new().file("rules.list", rules.join("\n"));
    let said = import(&folder, &["cetusguard", "-rules-file", "rules.list"]);
    assert_eq!(said.code, 0, "{}", said.words);
    let folder = folder.file("dockgate.yaml", &said.out);
    let checked = folder.run(&["check"]);
    assert_eq!((checked.code, checked.words.as_str()), (0, ""), "{}", checked.out);
    for (path, is_allowed) in [
        ("/x/ghcr.io:443/acme/web_1:v2@sha256:0123456789abcdef0123456789abcdef", true),
        ("/x/web-1.a", true),
        ("/x/[fe80::1]", true),
        ("/x/a/b/../c", false),
    ] {
        let said = folder.run(&["explain", "GET", path, "--config", "dockgate.yaml"]);
        assert_eq!(said.code == 0, is_allowed, "{path}: {}{}", said.out, said.words);
    }
}

/// Options that mean nothing are said with what would help, and there is no file.
fn assert_refused(arguments: &[&str], words: &str) {
    let folder = Folder::new()
        .file("bad.env", "SP_ALOWFROM=10.0.0.1\n")
        .file("mixed.env", "SP_ListenIP=0.0.0.0\n")
        .file("list.env", "- SP_ALLOWFROM=10.0.0.1\n")
        .file("value.env", "SP_LOGLEVEL=info\nSP_LISTENIP=here\n")
        .file("guard.env", "CETUSGUARD_RULE=GET /info\n")
        .file("latin.env", b"A=1\nB=caf\xe9\n")
        .file("empty.env", "CONTAINER_HOST=\nDOCKER_HOST=unix:///run/docker.sock\n");
    let said = import(&folder, arguments);
    let expected = format!("dockgate: {words}\n");
    assert_eq!((said.code, said.out, said.words), (2, String::new(), expected), "{arguments:?}");
}

#[test]
fn what_wollomatic_would_not_start_with_is_said() {
    for (arguments, words) in [
        (
            vec!["wollomatic", "-alowGET=x"],
            "-alowGET: that proxy has no such option: did you mean allowGET?",
        ),
        (vec!["wollomatic", "-listenip=here"], "-listenip: \"here\" is no IP address"),
        (
            vec!["wollomatic", "-allowfrom=10.0.0.0/008"],
            "-allowfrom: \"10.0.0.0/008\" is no range of addresses: write 10.0.0.0/8",
        ),
        (
            vec!["wollomatic", "-loglevel=loud"],
            "-loglevel: \"loud\" is none of DEBUG, INFO, WARN, ERROR",
        ),
        (
            vec!["wollomatic", "-allowbindmountfrom=home"],
            "-allowbindmountfrom: \"home\" is no absolute path",
        ),
        (
            vec!["wollomatic", "--env-file", "bad.env"],
            "bad.env, line 1: SP_ALOWFROM: that proxy reads no such variable: did you mean SP_ALLOWFROM?",
        ),
        (
            vec!["wollomatic", "--env-file", "mixed.env"],
            "mixed.env, line 1: SP_ListenIP: that proxy reads no such variable: did you mean \
             SP_LISTENIP?",
        ),
        (
            vec!["wollomatic", "--env-file", "list.env"],
            "list.env: line 1: \"- SP_ALLOWFROM=10.0.0.1\" sets no variable: write NAME=value",
        ),
        (
            vec!["wollomatic", "--env-file", "nowhere.env"],
            "nowhere.env: No such file or directory (os error 2)",
        ),
        (
            vec!["wollomatic", "--env-file=value.env"],
            "value.env, line 2: SP_LISTENIP: \"here\" is no IP address",
        ),
        (
            vec!["wollomatic", "-allowGET=("],
            "-allowGET: \"(\" is no regular expression here: unclosed group",
        ),
        (vec!["wollomatic", "-proxyport=0"], "-proxyport: a port is a number from 1 to 65535"),
        (
            vec!["wollomatic", "-proxysocketendpoint=/p", "-proxysocketendpointfilemode=600"],
            "-proxysocketendpointfilemode: 1130 is no mode, in octal: write 0600",
        ),
        (
            vec!["wollomatic", "-shutdowngracetime=5s"],
            "-shutdowngracetime: \"5s\" is no number that it can have",
        ),
    ] {
        assert_refused(&arguments, words);
    }
}

#[test]
fn what_cetusguard_would_not_start_with_is_said() {
    for (arguments, words) in [
        (
            vec!["cetusguard", "-rules=GET /a\nget /b"],
            "-rules, line 2: \"get /b\" is no rule: write METHOD[,METHOD…] PATTERN",
        ),
        (
            vec!["cetusguard", "-rules=GET %CONTAINER_NAMES%"],
            "-rules, line 1: there is no %CONTAINER_NAMES%: did you mean CONTAINER_NAME?",
        ),
        (
            vec!["cetusguard", "-rules-file", "nowhere.list"],
            "nowhere.list: No such file or directory (os error 2)",
        ),
        (
            vec!["cetusguard", "-frontend-tls-cert=a"],
            "-frontend-tls-cert and -frontend-tls-key want one another",
        ),
        (
            vec!["cetusguard", "-frontend-tls-cacert=a"],
            "-frontend-tls-cacert wants -frontend-tls-cert and -frontend-tls-key",
        ),
        (
            vec!["cetusguard", "-backend-tls-cert=a", "-backend-tls-key=b"],
            "-backend-tls-cert without -backend-tls-cacert trusts all that the system trusts: give \
             -backend-tls-cacert too, of the daemon's authority",
        ),
        (
            vec!["cetusguard", "--env-file=empty.env"],
            "empty.env, line 1: CONTAINER_HOST: the address of the daemon is empty: write \
             unix:///var/run/docker.sock",
        ),
        (
            vec!["cetusguard", "--env-file=guard.env"],
            "guard.env, line 1: CETUSGUARD_RULE: that proxy reads no such variable: did you mean \
             CETUSGUARD_RULES?",
        ),
        (
            vec!["cetusguard", "-log-level=1", "--env-file=guard.env"],
            "--env-file is no option of that proxy's: write it before those that are",
        ),
        (vec!["cetusguard", "--env-file=latin.env"], "latin.env: line 2 is no UTF-8"),
        (vec!["cetusguard", "-rules-file=latin.env"], "latin.env: line 2 is no UTF-8"),
        (
            vec!["cetusguard", "-rules=GET /a", "-rules=GET /b\nGET"],
            "-rules (number 2), line 2: \"GET\" is no rule: write METHOD[,METHOD…] PATTERN",
        ),
        (
            vec!["cetusguard", "-backend-tls-cacert=a"],
            "-backend-tls-cacert: a daemon at a unix socket is asked without TLS: leave it out",
        ),
        (
            vec!["cetusguard", "-version"],
            "with -version that proxy says what it is, and ends: leave it out",
        ),
        (
            vec!["cetusguard", "-rules=GET /a)|(b"],
            "-rules, line 1: \"/a)|(b\" is no regular expression here: unopened group",
        ),
    ] {
        assert_refused(&arguments, words);
    }
}

/// What reads well, and comes to a file that the proxy would not start with, is told with its option.
#[test]
fn what_would_not_start_is_not_written() {
    let nested = format!("-allowGET={}a{}", "(".repeat(60), ")".repeat(60));
    for (arguments, option, words) in [
        (vec!["wollomatic", &nested], "-allowGET", "pattern has too much nesting"),
        (
            vec!["wollomatic", "-allowPOST=/a", "-allowPOST=(.{900}){900}"],
            "-allowPOST (number 2)",
            "compiled regex exceeded size limit",
        ),
        (
            vec!["wollomatic", "-socketpath=docker.sock"],
            "-socketpath",
            "write unix:///var/run/docker.sock or tcp://HOST:2376",
        ),
        (
            vec!["cetusguard", "-backend-addr=http://x"],
            "-backend-addr",
            "write unix:///var/run/docker.sock or tcp://HOST:2376",
        ),
        (
            vec!["cetusguard", "-frontend-addr=tcp://:1", "-frontend-addr=tcp://:1"],
            "-frontend-addr (number 2)",
            "has the address tcp://[::]:1 already: give each an address of its own",
        ),
        (
            vec!["cetusguard", "--env-file=guard.env"],
            "guard.env, line 2: CETUSGUARD_RULES, line 1",
            "compiled regex exceeded size limit",
        ),
        (vec!["cetusguard", "-rules-file=long.list"], "the rules", "it took longer than it may"),
    ] {
        let long: Vec<_> = (0..900).map(|n| format!("GET /{n}/%IMAGE_ID_OR_REFERENCE%")).collect();
        let folder = Folder::new()
            .file("guard.env", "\nCETUSGUARD_RULES=PUT (.{900}){900}\n")
            .file("long.list", long.join("\n"));
        let said = import(&folder, &arguments);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{option}");
        let start = format!("dockgate: what comes of {option} can't be used: ");
        assert!(said.words.starts_with(&start), "{}", said.words);
        assert!(said.words.trim_end().ends_with(words), "{}", said.words);
    }
}

/// Thousands of rules are one for each set of methods, and what is there twice is there once.
#[test]
fn rules_for_the_same_methods_are_one() {
    let lines = |n: usize| format!("GET /x/{n}\nHEAD,GET /y/{n}\nGET,HEAD /y/{n}\n");
    let rules: String = (0..1500).map(lines).collect();
    let folder = Folder::new().file("rules.list", rules);
    let said = import(&folder, &["cetusguard", "-no-builtin-rules", "-rules-file=rules.list"]);
    assert_eq!(said.code, 0, "{}", said.words);
    assert_eq!(said.out.matches("- allow:").count(), 2);
    assert_eq!(said.out.matches("/y/7\n").count(), 1);
}

/// A switch whose variable is empty is off, as it is there.
#[test]
fn an_empty_variable_is_no_mistake() {
    for (peer, variable) in
        [("cetusguard", "CETUSGUARD_NO_BUILTIN_RULES"), ("wollomatic", "SP_LOGJSON")]
    {
        let folder = Folder::new().file("proxy.env", format!("{variable}=\n"));
        let said = import(&folder, &[peer, "--env-file=proxy.env"]);
        assert_eq!(said.code, 0, "{peer}: {}", said.words);
        assert_eq!(said.out.contains("/_ping"), peer == "cetusguard", "{}", said.out);
    }
}

/// Folders are cleaned there before they are compared.
#[test]
fn folders_of_bind_mounts_are_clean() {
    let option = "-allowbindmountfrom=/srv/../home/,/opt/./a//b";
    let said = import(&Folder::new(), &["wollomatic", "-allowPOST=.*", option]);
    let folders = "bind-mounts:\n        - /home\n        - /opt/a/b\n";
    assert!(said.out.contains(folders), "{}{}", said.out, said.words);
}

/// Nothing that was allowed by nobody there is allowed here.
#[test]
fn without_rules_nothing_is_allowed() {
    for arguments in [["wollomatic"].as_slice(), &["cetusguard", "-no-builtin-rules"]] {
        let folder = Folder::new();
        let said = import(&folder, arguments);
        assert_eq!(said.code, 0);
        let folder = folder.file("dockgate.yaml", &said.out);
        let told = folder.run(&[
            "explain",
            "GET",
            "/_ping",
            "--as",
            "127.0.0.1",
            "--config",
            "dockgate.yaml",
        ]);
        assert_eq!(told.code, 1, "{}{}", told.out, told.words);
    }
}
