//! Options and variables that a configuration file replaces.

use crate::{
    folder::Folder,
    scene::{Daemon, Proxy},
};

const CONFIG: &str = "\
listeners: { main: { address: \"127.0.0.1:0\" } }
plugins: { flags: { source: \"bundled:tecnativa\" } }
chains: [{ name: all, plugins: [flags] }]
log: { level: \"${LOG_LEVEL:-info}\" }
";

#[test]
fn an_option_beside_a_file_is_refused_with_its_place_there() {
    let folder = Folder::with(CONFIG);
    for (arguments, words) in [
        (
            &["--config", "dockgate.yaml", "--listen", "127.0.0.1:1,:2"][..],
            "--listen: \"127.0.0.1:1,:2\" is not read beside a configuration file: write \
             listeners.NAME.address there",
        ),
        (
            &["--grant", "own=clock", "--config", "dockgate.yaml"],
            "--grant: \"own=clock\" is not read beside a configuration file: write \
             plugins.NAME.grants there",
        ),
        (
            // As it is by default, and said nevertheless.
            &["--config", "dockgate.yaml", "--grace", "8"],
            "--grace: \"8\" is not read beside a configuration file: write limits.grace there",
        ),
    ] {
        let said = folder.run(arguments);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{arguments:?}");
        assert_eq!(said.words, format!("dockgate: {words}\n"));
    }
    let folder = folder.variable("DOCKGATE_CONFIG", "dockgate.yaml");
    assert_eq!(folder.run(&["--listen", "127.0.0.1:1"]).code, 2);
    assert_eq!(
        folder.run(&["explain", "GET", "/_ping"]).code,
        0,
        "others have options of their own"
    );
}

/// They are there for other programs too, and stand in files for many containers.
#[test]
fn a_variable_beside_a_file_is_named_in_the_log() {
    let daemon = Daemon::empty();
    let setup = Proxy::in_front_of_nothing_said();
    let file = setup.path("dockgate.yaml");
    let upstream = format!("upstream: {{ address: \"unix://{}\" }}\n", daemon.socket().display());
    std::fs::write(&file, format!("{CONFIG}{upstream}")).unwrap();
    let proxy = setup
        .with("LOG_LEVEL", "info")
        .with("DOCKGATE_GRACE", "3")
        .with("SOCKET_PATH", "/nowhere.sock")
        .with("CONTAINERS", "1")
        .listening_by("DOCKGATE_CONFIG", file.to_str().unwrap())
        .start();
    let warnings: Vec<_> = proxy
        .log()
        .lines()
        .into_iter()
        .filter(|line| line["level"] == "warning")
        .map(|line| line["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        warnings,
        [
            "the variable DOCKGATE_GRACE is not read beside a configuration file: write \
             limits.grace there",
            "the variable SOCKET_PATH is not read beside a configuration file: write \
             upstream.address there",
        ],
        "the file reads LOG_LEVEL"
    );
}
