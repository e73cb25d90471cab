//! A configuration that can't be used: the log says what is wrong and what to do, in a line each, and
//! the old rules hold until it is mended.

use std::fs;

use crate::{
    authority::Authority,
    running::{Folder, MAIN, Running, daemon_called, permitting},
    scene::get,
};

const LIST: &str = "/containers/json";

#[test]
fn what_is_wrong_is_logged_with_its_place_and_its_cure() {
    let daemon = daemon_called("a");
    let folder = Folder::new();
    folder.write("half.pem", "-----BEGIN CERTIFICATE-----\n");
    let authority = Authority::new("listeners");
    authority.server(&["localhost"]).write(folder.folder(), &authority);
    let open = permitting(&daemon, MAIN, "{CONTAINERS: 1}", "");
    let shut = permitting(&daemon, MAIN, "{CONTAINERS: 0}", "");
    let running = folder.start(&open);
    let mut client = running.proxy.client();
    let secure = |certificate: &str, key: &str| {
        let tls = format!("{{certificate: {certificate}, key: {key}}}");
        shut.replace(MAIN, &format!("{{main: {{address: \"127.0.0.1:0\", tls: {tls}}}}}"))
    };
    let [half, absent] = ["half.pem", "absent.pem"].map(|name| running.folder.named(name));
    let missing = running.folder.named("missing.wasm");
    for (configuration, said) in [
        (
            format!("{shut} odd: 1\n"),
            "9:2: this does not fit the lines before it: indent the keys of one map alike"
                .to_owned(),
        ),
        (
            format!("{shut}chain: []\n"),
            "9:1: unknown key \"chain\": did you mean \"chains\"?".to_owned(),
        ),
        (
            shut.replace("bundled:tecnativa", "missing.wasm"),
            format!(
                "5:13: the plugin {missing}: No such file or directory (os error 2): put the file \
                 there, or name another"
            ),
        ),
        (
            shut.replace("bundled:tecnativa", "bundled:image-registry"),
            "4:3: the plugin bundled:image-registry: it refuses its settings: ".to_owned(),
        ),
        (
            secure("half.pem", "key.pem"),
            format!("2:63: {half} ends in the middle: write all of it"),
        ),
        (
            secure("cert.pem", "absent.pem"),
            format!(
                "2:78: {absent} can't be read: No such file or directory (os error 2): put the file \
                 there, readable for the proxy, or name another"
            ),
        ),
    ] {
        let words = running.refuses(&configuration);
        let line = format!("{}:{said}", running.folder.named("dockgate.yaml"));
        let lines: Vec<_> = errors(&words);
        assert!(lines.iter().any(|logged| logged.starts_with(&line)), "no {line} in {lines:#?}");
        for client in [&mut client, &mut running.proxy.client()] {
            assert_eq!(client.ask(get(LIST)).text(), "a", "the old rules hold");
        }
    }
    running.takes(&shut);
    assert_eq!(client.ask(get(LIST)).status(), 403);
}

#[test]
fn a_file_that_is_gone_or_no_text_is_refused() {
    let daemon = daemon_called("a");
    let open = permitting(&daemon, MAIN, "{CONTAINERS: 1}", "");
    let running = Folder::new().start(&open);
    let file = running.folder.path("dockgate.yaml");
    fs::remove_file(&file).unwrap();
    still_serves(&running, "No such file or directory");
    fs::create_dir(&file).unwrap();
    still_serves(&running, "Is a directory");
    fs::remove_dir(&file).unwrap();
    running.folder.write("dockgate.yaml", [0xff, 0xfe]);
    still_serves(&running, "this byte is no text (UTF-8)");
    running.folder.write("dockgate.yaml", "");
    still_serves(&running, "there is no listener, so nobody can come in");
    running.takes(&open);
}

/// Has it read what is there, which is of no use.
fn still_serves(running: &Running, words: &str) {
    running.reads_what_is_there();
    running.logs(words);
    running.logs(crate::running::REFUSED);
    assert_eq!(running.proxy.client().ask(get(LIST)).text(), "a");
}

/// The words of the errors in a log.
fn errors(log: &str) -> Vec<String> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let errors = lines.filter(|line| line["level"] == "err");
    errors.filter_map(|line| line["message"].as_str().map(str::to_owned)).collect()
}
