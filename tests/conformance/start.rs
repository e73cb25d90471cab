//! What a person is told at the start.

use serde_json::Value;

use crate::proxy::Scene;

/// Variables, with their values.
type Variables = &'static [(&'static str, &'static str)];

/// Variables, and the warning that each set of them is worth: what it is about, and the words.
const WARNINGS: &[(Variables, &str, &str)] = &[
    (
        &[("CONTAINERS", "true")],
        "CONTAINERS",
        "CONTAINERS='true' counts as 0, as only numbers count: write CONTAINERS=1, or CONTAINERS=0 if that is meant",
    ),
    (
        &[("PING", "yes")],
        "PING",
        "PING='yes' counts as 0, and closes what is open by default: write PING=1, or leave it out",
    ),
    (&[("CONTAINER", "1")], "CONTAINER", "nothing reads CONTAINER: is CONTAINERS meant?"),
    (&[("DELETE", "1")], "DELETE", "nothing reads DELETE: POST=1 opens every method"),
    (
        &[("POST", "1"), ("CONTAINERS", "1")],
        "POST",
        "clients can become root on the host with POST=1 by CONTAINERS (creates privileged containers)",
    ),
];

fn with(variables: &[(&str, &str)]) -> Scene {
    variables.iter().fold(Scene::new(), |scene, (name, value)| scene.variable(name, value))
}

#[test]
fn a_log_for_machines_has_the_warnings() {
    for (variables, subject, words) in WARNINGS {
        let proxy = with(variables).start();
        let warning = proxy.logged(|line| line["level"] == "warning");
        assert_eq!(warning["plugin"], "tecnativa");
        assert_eq!(
            (&warning["subject"], &warning["message"]),
            (&(*subject).into(), &(*words).into())
        );
        let warnings = proxy.log().matches("\"level\":\"warning\"").count();
        assert_eq!(warnings, 1, "{}", proxy.log());
    }
}

#[test]
fn a_log_for_people_has_the_warnings() {
    for (variables, subject, words) in WARNINGS {
        let proxy = with(variables).text_log().start();
        let log = proxy.log();
        let line = format!(" warning {words} plugin=tecnativa subject={subject}\n");
        assert!(log.contains(&line), "{log}");
        assert_eq!(log.matches(" warning ").count(), 1, "{log}");
    }
}

#[test]
fn nothing_is_warned_of_where_nothing_is_odd() {
    for scene in [
        with(&[]),
        with(&[("CONTAINERS", "1"), ("POST", "0"), ("PATH", "/bin"), ("HOME", "/root")]),
    ] {
        let log = scene.start().log();
        assert!(!log.contains("warning"), "{log}");
    }
}

#[test]
fn a_log_for_machines_says_what_is_open() {
    let proxy = with(&[("CONTAINERS", "1"), ("INFO", "1")]).start();
    let log = proxy.log();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let open: Vec<_> = lines.filter(|line| !line["permission"].is_null()).collect();
    let names: Vec<_> = open.iter().map(|line| line["permission"].as_str().unwrap()).collect();
    assert_eq!(names, ["CONTAINERS", "INFO", "EVENTS", "VERSION", "PING"]);
    assert_eq!(open[1]["message"], "open: facts about the host, registry configuration");
    assert_eq!(open[1]["value"], "1");
}

#[test]
fn a_log_for_people_has_a_table_of_what_is_open() {
    let proxy = with(&[("CONTAINERS", "1"), ("INFO", "1")]).text_log().start();
    let log = proxy.log();
    let table = "\
Permitted by tecnativa:
  CONTAINERS=1  list, inspect (environment values), logs, top, export, archive of any file, attach by WebSocket (takes input)
  INFO=1        facts about the host, registry configuration
  EVENTS=1      all events, with labels and the command lines of execs
  VERSION=1     versions of the daemon
  PING=1        whether the daemon answers
Not permitted:
  POST ALLOW_START ALLOW_RESTARTS ALLOW_STOP SERVICES SWARM PLUGINS BUILD
  GRPC SESSION EXEC VOLUMES SECRETS IMAGES COMMIT CONFIGS
  TASKS NODES NETWORKS AUTH DISTRIBUTION SYSTEM
";
    assert!(log.starts_with(table), "{log}");
}

#[test]
fn with_everything_off_nothing_is_permitted() {
    let proxy = with(&[("EVENTS", "0"), ("VERSION", "0"), ("PING", "0")]).text_log().start();
    assert!(proxy.log().starts_with("Permitted by tecnativa:\n  nothing\n"), "{}", proxy.log());
    assert_eq!(proxy.get("/_ping").status, 403);
}
