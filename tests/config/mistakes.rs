//! What is said of each kind of mistake of shape, word for word. `INSTA_UPDATE=always` writes the
//! words anew.

use std::env::VarError;

use dockgate::config::{self, Read, report};

/// Reads a text with one variable, `TOKEN`, whose value must not be shown.
pub fn read(text: impl AsRef<[u8]>) -> Read {
    config::read_text("dockgate.yaml", text.as_ref(), &|name| match name {
        "TOKEN" => Ok("hunter2".to_owned()),
        "EMPTY" => Ok(String::new()),
        _ => Err(VarError::NotPresent),
    })
}

fn said(text: impl AsRef<[u8]>) -> String {
    let read = read(text);
    assert!(read.problems.are_fatal(), "nothing is wrong");
    let said = report::text(&read.problems, &read.document, false);
    assert!(!said.contains("hunter2"), "{said}");
    said
}

/// Compares what is said of a text.
macro_rules! is_said {
    ($($name:ident: $text:expr,)*) => {
        $(
            #[test]
            fn $name() {
                insta::assert_snapshot!(stringify!($name), said($text));
            }
        )*
    };
}

is_said! {
    a_misspelt_key: "listners:\n  web:\n    address: 127.0.0.1:2375\n",
    a_key_in_another_spelling: "limits:\n  headTimeout: 10s\n  idle_timeout: 5m\n",
    a_misspelt_key_that_is_required: "listeners:\n  web:\n    adress: 127.0.0.1:2375\n",
    a_key_in_the_wrong_place: "\
listeners:
  web:
    address: 127.0.0.1:2375
    client-ca: ca.pem
    plugins: [tecnativa]
",
    a_key_that_nothing_is_like: "log:\n  zebra: 1\n",
    a_text_for_a_list: "chains:\n  - name: all\n    plugins: tecnativa\n",
    a_list_for_a_map: "listeners:\n  - address: 127.0.0.1:2375\n",
    a_map_for_a_list: "chains:\n  all:\n    plugins: [tecnativa]\n",
    a_text_for_a_map: "upstream: unix:///var/run/docker.sock\n",
    a_list_for_a_text: "upstream:\n  address:\n    - unix:///var/run/docker.sock\n",
    a_text_for_a_number: "limits:\n  connections: many\n",
    a_number_out_of_range: "limits:\n  connections: -1\n  workers: 70000\n",
    a_missing_key: "listeners:\n  web:\n    mode: 0660\nchains:\n  - name: all\n",
    a_word_that_is_none_of_these: "\
listeners:
  web:
    address: 127.0.0.1:2376
    tls: { certificate: a.pem, key: b.pem, clients: optionl }
plugins:
  own:
    source: own.wasm
    grants: [look-up, clocks, everything]
",
    a_wrong_time: "limits:\n  grace: 10\n  idle-timeout: 5 minutes\n  head-timeout: 99999999999999999999h\n",
    a_wrong_size: "limits:\n  head: 64KB\n  body: -1\n  answer: 99999999999GiB\n",
    a_key_without_a_value: "chains:\n  - name: all\n    clients:\n    plugins: [tecnativa]\nlog:\n",
    a_key_that_stands_twice: "log:\n  level: info\n\nlog:\n  level: debug\n",
    a_tab: "log:\n\tlevel: info\n",
    an_open_quotation_mark: "log:\n  level: \"info\n  format: text\n",
    an_open_bracket: "chains:\n  - name: all\n    plugins: [a, b\n",
    a_wrong_indentation: "log:\n  level: info\n   format: text\n",
    a_line_without_a_colon: "log:\n  level\n  format: text\n",
    two_documents: "log:\n  level: info\n---\nlog:\n  level: debug\n",
    an_unset_variable: "upstream:\n  address: tcp://${DOCKER}:2376\nlimits:\n  connections: ${N:?how many?}\n",
    a_variable_without_braces: "upstream:\n  address: $DOCKER\n",
    a_variable_in_a_list_in_brackets: "chains:\n  - name: all\n    plugins: [${PLUGIN}]\n",
    a_variable_of_the_wrong_kind: "limits:\n  connections: ${TOKEN}\n  grace: \"${TOKEN}s\"\n  body: ${EMPTY}\n",
    a_missing_file: "plugins:\n  own:\n    source: own.wasm\n    environment:\n      TOKEN: ${file:/run/secrets/nowhere}\n",
    an_alias_of_nothing: "log: *usual\n",
    an_alias_within_itself: "log: &log\n  level: *log\n",
    a_bomb_of_aliases: "\
x-a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]
x-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
x-c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
x-d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
x-e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
x-f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
x-g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]
",
    a_merge_of_no_map: "log:\n  <<: [a]\n",
    a_tag: "log:\n  level: !important info\n",
    what_is_too_deep: format!("x-deep: {}{}\n", "[".repeat(100), "]".repeat(100)),
    what_is_too_large: format!("# {}\n", "-".repeat(1 << 20)),
    what_is_no_text: b"log:\n  level: \xff\xfe\n",
    what_is_no_map: "- a\n- b\n",
    a_long_line: format!("log:\n  level: info # {}\n  format: [{}text]\n", "-".repeat(200), "text, ".repeat(40)),
    all_of_it_at_once: "\
# Half asleep.
upstream:
  adress: tcp://10.0.0.5:2376
listners:
  web: {}
plugins:
  tecnativa: bundled:tecnativa
chains:
  - name: all
    plugin: [tecnativa]
    operations: container-list
limits:
  connections: a lot
  grace: soon
  grace: later
",
}

#[test]
fn a_problem_in_the_log_is_one_line() {
    let read = read("limits:\n  grace: soon\n");
    assert_eq!(
        report::lines(&read.problems, &read.document),
        [
            "dockgate.yaml:2:10: \"grace\" wants a length of time, and is \"soon\": write 500ms, 10s, \
          5m or 1h"
        ]
    );
}

#[test]
fn colours_are_only_where_they_are_wanted() {
    let read = read("log: 1\n");
    let report = |colours| report::text(&read.problems, &read.document, colours);
    assert!(report(true).contains("\x1b[31merror:\x1b[0m"));
    assert!(!report(false).contains('\x1b'));
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let said = said("log: \"\u{9b}31m\" # \u{9b}31m\n\"\\e[31m\": 1\n");
    assert!(!said.contains(['\u{9b}', '\u{1b}']), "{said:?}");
}

#[test]
fn what_is_right_is_read_beside_what_is_wrong() {
    let mut read = read(
        "limits: { connections: many, grace: 3s }\nplugins: { a: { source: b }, c: bundled:d }\n\
         chains: [{ name: x, plugins: y, methods: [GET] }]\n",
    );
    let config = read.content.clone().unwrap();
    assert_eq!(config.limits.connections, None);
    assert_eq!(config.limits.grace.unwrap().to_string(), "3s");
    assert_eq!(config.plugins["a"].source, "b");
    assert_eq!(config.plugins["c"].source, "", "its name stays");
    assert_eq!(config.chains[0].methods.as_deref(), Some(&["GET".to_owned()][..]));

    let before = read.problems.all().len();
    let meant = read.mean(|_, problems| {
        let place = |text: &str| config::Pointer::from(text.to_owned());
        problems.wrong(&place("/plugins/a/source"), "a problem of its own", "");
        problems.wrong(&place("/plugins/c/source"), "a consequence", "");
        problems.wrong(&place("/chains/0/plugins"), "another", "");
        problems.odd(&place("/chains/0"), "perhaps a consequence", "");
        Some(())
    });
    assert_eq!(meant, None);
    let added: Vec<_> = read.problems.all()[before..].iter().map(|p| p.message.as_str()).collect();
    assert_eq!(added, ["a problem of its own"]);
}

#[test]
fn what_is_fatally_wrong_means_nothing() {
    let mut right = read("log:\n  level: info\n");
    assert_eq!(right.mean(|config, _| config.log.level.clone()).as_deref(), Some("info"));
    let place = config::Pointer::root().then("log").then("level");
    let found = right.mean(|_, problems| {
        problems.odd(&place, "odd", "");
        Some(())
    });
    assert_eq!(found, Some(()), "what is odd is no reason");
    let found = right.mean(|_, problems| {
        problems.wrong(&place, "wrong", "");
        Some(())
    });
    assert_eq!(found, None);
    assert_eq!(read("log: 1\n").mean(|_, _| Some(())), None);
}

#[test]
fn what_came_from_outside_is_not_in_the_words_on_what_it_means() {
    let mut read = read("upstream:\n  address: tcp://${TOKEN}:80\nlog: { level: debug }\n");
    read.mean(|config, problems| {
        let address = config.upstream.address.as_deref().unwrap();
        assert_eq!(address, "tcp://hunter2:80");
        let place = config::Pointer::root().then("upstream").then("address");
        problems.wrong(&place, format!("{address:?} is no address"), "");
        problems.wrong(&place, "\"hunt\" is no host", "not \"hunter2:80\"");
        problems.wrong(&config::Pointer::root().then("log"), "hunter2 is elsewhere", "");
        Some(())
    });
    let messages: Vec<_> = read.problems.all().iter().map(|p| p.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "\"tcp://${TOKEN}:80\" is no address",
            "\"tcp://${TOKEN}:80\" is no host",
            "${TOKEN} is elsewhere"
        ]
    );
    assert_eq!(read.problems.all()[1].cure.as_deref(), Some("not \"${TOKEN}:80\""));
}
