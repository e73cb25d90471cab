//! What is said of each kind of mistake in what a configuration means, word for word: by `dockgate
//! check`, and by a proxy that does not start with it. `INSTA_UPDATE=always` writes the words anew.

use std::fs;

use crate::{authority::Authority, folder::Folder, wat::Plugin};

/// What is not to be seen in any words, though values are made of it.
const SECRET: &str = "correct-horse-battery";

/// A folder with plugins and certificates of all kinds.
fn folder() -> Folder {
    let clock = Plugin::allowing()
        .importing(
            "(import \"dockgate:filter/clock@0.1.0\" (instance (export \"unix-time\" (func (result \
             u64)))))",
        )
        .with_manifest(r#"{"name": "late", "grants": ["clock"]}"#);
    let large =
        Plugin::allowing().with_pages(600).with_manifest(r#"{"name": "large", "memory-mib": 64}"#);
    let reads = Plugin::allowing().with_manifest(r#"{"name": "reads", "environment": ["TEAM"]}"#);
    let folder = Folder::new()
        .file("late.wasm", clock.build())
        .file("large.wasm", large.build())
        .file("reads.wasm", reads.build())
        .file("notes.wasm", "Dear diary")
        .file("secret", SECRET)
        .variable("TOKEN", SECRET);
    let (ours, others) = (Authority::new("ours"), Authority::new("others"));
    ours.server(&["localhost"]).write(folder.root(), &ours);
    let other = others.server(&["localhost"]);
    fs::write(folder.path("other-key.pem"), other.key).unwrap();
    folder
}

/// What `dockgate check` says of a text, which is what a proxy says that does not start with it.
fn said(text: &str) -> String {
    let folder = folder().file("dockgate.yaml", text);
    let checked = folder.run(&["check"]);
    assert_eq!(checked.words, "");
    if checked.code == 2 {
        let refused = folder.run(&["--config", "dockgate.yaml"]);
        assert_eq!(refused.code, 2);
        let words = format!("dockgate: the configuration can't be used\n{}\n", checked.out);
        assert_eq!(refused.words, words);
        assert!(!refused.out.contains("listening on"), "{}", refused.out);
    } else {
        assert_eq!(checked.code, 0);
        assert!(!checked.out.contains("error:"), "{}", checked.out);
    }
    assert!(!checked.out.contains("correct-horse"), "{}", checked.out);
    checked.out
}

const LISTENERS: &str = "listeners:\n  main: { address: \"127.0.0.1:0\" }\n";
const PLUGINS: &str = "plugins:\n  flags: { source: \"bundled:tecnativa\" }\n";
const CHAINS: &str = "chains:\n  - { name: all, plugins: [flags] }\n";

/// All right but for what is behind it.
fn with(text: &str) -> String {
    let lacks =
        |section: &str| !text.starts_with(section) && !text.contains(&format!("\n{section}"));
    let sections = [("listeners:", LISTENERS), ("plugins:", PLUGINS), ("chains:", CHAINS)];
    let rest = sections.into_iter().filter(|(section, _)| lacks(section)).map(|(_, text)| text);
    format!("{text}{}", rest.collect::<String>())
}

/// A chain of these conditions before one for all.
fn chain(conditions: &str) -> String {
    with(&format!(
        "chains:\n  - name: some\n    plugins: [flags]\n{conditions}\n  - {{ name: all, plugins: [flags] \
         }}\n"
    ))
}

fn plugin(plugin: &str) -> String {
    with(&format!("plugins:\n  own:\n{plugin}\nchains:\n  - {{ name: all, plugins: [own] }}\n"))
}

fn listener(listener: &str) -> String {
    with(&format!("listeners:\n  main:\n{listener}\n"))
}

/// Compares what is said of a text.
macro_rules! is_said {
    ($($name:ident: $text:expr,)*) => {
        $(
            #[test]
            fn $name() {
                insta::assert_snapshot!(stringify!($name), said(&$text));
            }
        )*
    };
}

is_said! {
    nothing_at_all: "",
    // Plugins.
    a_plugin_that_is_not_there: plugin("    source: nowhere.wasm"),
    a_plugin_that_is_no_component: plugin("    source: notes.wasm"),
    a_bundled_plugin_that_is_misspelt: plugin("    source: bundled:tecnativ"),
    a_setting_that_a_plugin_does_not_know: plugin("    source: bundled:label-scope\n    settings:\n      label: [team=web]"),
    a_setting_of_the_wrong_kind: plugin("    source: bundled:label-scope\n    settings:\n      labels: [team=web]\n      images: some"),
    a_setting_that_a_plugin_refuses: plugin("    source: bundled:label-scope\n    settings:\n      labels:\n        - team=web\n        - team=db"),
    a_setting_that_is_a_secret: plugin("    source: bundled:label-scope\n    settings:\n      labels:\n        - team=${TOKEN}\n        - team=a${TOKEN}"),
    a_setting_of_another_plugin: plugin("    source: bundled:image-registry\n    settings:\n      allowed: ghcr.io/acme/*\n      require_digest: true"),
    a_setting_that_is_missing: plugin("    source: bundled:label-scope"),
    a_grant_that_is_missing: plugin("    source: late.wasm"),
    too_little_memory: plugin("    source: large.wasm"),
    memory_and_time_out_of_range: plugin("    source: reads.wasm\n    limits: { memory: 1KiB, time: 1h }"),
    a_variable_that_a_plugin_does_not_read: plugin("    source: reads.wasm\n    environment:\n      TEAMS: ${TOKEN}"),
    variables_of_a_plugin_that_reads_none: plugin("    source: bundled:read-only\n    environment:\n      CONTAINERS: 1"),
    a_flag_that_is_misspelt: plugin("    source: bundled:tecnativa\n    environment:\n      CONTAINRES: 1"),
    a_flag_with_an_odd_value: plugin("    source: bundled:tecnativa\n    environment:\n      CONTAINERS: ${TOKEN}"),
    a_plugin_that_no_chain_asks: with("plugins:\n  flags: { source: \"bundled:tecnativa\" }\n  other: { source: \"bundled:read-only\" }\n"),
    // Chains.
    an_unknown_operation: chain("    operations: [container-lst, zebra, \"image-[\"]"),
    an_unknown_plugin: chain("    listeners: [main]\n").replace("[flags]", "[flgs]"),
    an_unknown_listener: chain("    listeners: [mian, elsewhere]"),
    a_name_that_two_chains_have: chain("    listeners: [main]").replace("some", "all"),
    empty_lists: chain("    listeners: []\n    clients: []\n    operations: []\n    methods: []\n    paths: []"),
    an_empty_condition: chain("    clients: [{}]"),
    an_address_that_is_none: chain("    clients:\n      - address: 10.0.0.0/33\n      - address: traefik"),
    a_pattern_that_is_none: chain("    clients:\n      - container: { name: \"web-[\", labels: { team: \"{a\" } }"),
    a_pin_that_is_none: chain("    clients:\n      - certificate: { pin: 4f66 }"),
    a_method_that_is_none: chain("    methods: [get, \"GE T\"]"),
    a_path_that_is_none: chain("    paths: [containers/web, /v1.41/containers/*, \"/a/[\"]"),
    a_chain_that_never_decides: chain("    listeners: [main]").replace("  - { name: all, plugins: [flags] }", "  - { name: late, methods: [GET], listeners: [main], plugins: [flags] }"),
    operations_that_another_chain_takes: chain("    operations: [container-list]\n  - name: more\n    operations: [container-list, image-list]\n    plugins: [flags]"),
    operations_that_nobody_allows: with("chains:\n  - { name: some, operations: [\"[!cu]*\"], plugins: [flags] }\n  - { name: rest, plugins: [] }\n"),
    a_listener_of_no_chain: with("listeners:\n  main: { address: \"127.0.0.1:0\" }\n  other: { address: \"unix:///run/other.sock\" }\nchains:\n  - { name: all, listeners: [main], plugins: [flags] }\n"),
    conditions_that_can_hold_of_nobody: with("listeners:\n  main: { address: \"127.0.0.1:0\" }\n  local: { address: \"unix:///run/local.sock\" }\nchains:\n  - name: main\n    listeners: [main]\n    clients:\n      - { user: 0, group: 0, process: 1 }\n      - certificate: {}\n    plugins: [flags]\n  - name: local\n    listeners: [local]\n    clients:\n      - address: 10.0.0.0/8\n    plugins: [flags]\n  - { name: all, plugins: [flags] }\n"),
    // Listeners and the daemon.
    an_address_that_two_listeners_have: with("listeners:\n  main: { address: \"127.0.0.1:2375\" }\n  other: { address: \"tcp://127.0.0.1:2375\" }\n"),
    an_address_to_listen_at_that_is_none: listener("    address: localhost"),
    a_mode_at_a_tcp_address: listener("    address: 127.0.0.1:0\n    mode: \"0660\"\n    owner: \"0:0\""),
    a_mode_that_is_none: listener("    address: unix:///run/main.sock\n    mode: rw-rw----\n    owner: docker"),
    tls_at_a_unix_socket: listener("    address: unix:///run/main.sock\n    tls: { certificate: cert.pem, key: key.pem }"),
    a_certificate_that_is_not_there: listener("    address: 127.0.0.1:0\n    tls: { certificate: nowhere.pem, key: key.pem }"),
    a_certificate_that_is_none: listener("    address: 127.0.0.1:0\n    tls: { certificate: notes.wasm, key: key.pem }"),
    a_key_of_another_certificate: listener("    address: 127.0.0.1:0\n    tls: { certificate: cert.pem, key: other-key.pem }"),
    authorities_that_are_none: listener("    address: 127.0.0.1:0\n    tls: { certificate: cert.pem, key: key.pem, client-ca: key.pem }"),
    optional_certificates_from_nobody: listener("    address: 127.0.0.1:0\n    tls: { certificate: cert.pem, key: key.pem, clients: optional }"),
    a_daemon_that_is_none: with("upstream: { address: \"http://docker\" }\n"),
    a_daemon_with_tls_at_a_socket: with("upstream:\n  address: unix:///var/run/docker.sock\n  tls: { ca: ca.pem }\n"),
    a_daemon_whose_authorities_are_not_there: with("upstream:\n  address: tcp://127.0.0.1:2376\n  tls: { ca: nowhere.pem }\n"),
    a_daemon_with_a_certificate_without_a_key: with("upstream:\n  address: tcp://127.0.0.1:2376\n  tls: { ca: ca.pem, certificate: cert.pem }\n"),
    a_daemon_at_a_secret: with("upstream:\n  address: http://${TOKEN}\n"),
    an_admin_socket_at_a_tcp_address: with("admin: { address: \"127.0.0.1:0\" }\n"),
    an_admin_socket_that_is_none: with("admin: { address: nowhere }\n"),
    // The rest.
    limits_out_of_range: with("limits: { connections: 0, workers: 0, head: 1MiB, body: 1B, answer: 2GiB }\n"),
    an_oldest_version_that_is_none: with("limits: { oldest-api: new }\n"),
    a_log_of_another_kind: with("log: { level: loud, format: xml }\n"),
    several_at_once: format!("{}log: {{ level: loud }}\n", chain("    clients: [{ address: here }, {}]\n    operations: [container-lst]\n    methods: [get]")),
    what_is_wrong_beside_a_plugin_that_can_not_be_loaded: with("plugins:\n  own: { source: nowhere.wasm }\n  scope: { source: \"bundled:label-scope\" }\nchains:\n  - { name: all, plugins: [own, scope] }\n"),
}

/// A password in a file is one in an error as well.
#[test]
fn the_content_of_a_file_is_in_no_words() {
    let folder = folder();
    let secret = folder.path("secret");
    for text in [
        "upstream:\n  address: SECRET\n",
        "log: { level: \"SECRET\" }\n",
        "limits: { oldest-api: \"1.SECRET\" }\n",
        "listeners: { main: { address: \"SECRET\" } }\n",
        "listeners: { main: { address: \"127.0.0.1:0\", tls: { certificate: \"SECRET\", key: \"SECRET\" } } }\n",
        "plugins: { flags: { source: \"SECRET.wasm\" } }\n",
        "plugins: { flags: { source: \"bundled:label-scope\", settings: { labels: [\"a=1SECRET\", \"a=2SECRET\"] } } }\n",
        "chains: [{ name: all, operations: [\"SECRET\"], plugins: [\"SECRET\"] }]\n",
    ] {
        let text = with(&text.replace("SECRET", &format!("${{file:{}}}", secret.display())));
        fs::write(folder.path("dockgate.yaml"), &text).unwrap();
        let said = folder.run(&["check"]);
        assert_eq!(said.code, 2, "{text}{said:?}");
        assert!(said.out.contains("${file:"), "{}", said.out);
        assert!(!said.out.contains("correct-horse"), "{}", said.out);
        let said = folder.run(&["--config", "dockgate.yaml"]);
        assert!(!format!("{said:?}").contains("correct-horse"), "{said:?}");
    }
}
