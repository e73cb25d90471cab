//! Verdicts of the real binary in front of a daemon that says yes to everything.

use std::collections::BTreeSet;

use dockgate::request::{CanonicalRequest, OLDEST_SAFE_API};

use crate::{
    beyond,
    client::{Answer, Client},
    proxy::{Proxy, Scene},
    recording::{Environment, Recording, Vector, Verdict},
};

#[test]
fn tecnativas_verdicts_are_those_of_haproxy() {
    compare_every(10, &Recording::read("tecnativa.jsonl"));
}

#[test]
fn linuxservers_verdicts_are_those_of_haproxy() {
    compare_every(10, &Recording::read("linuxserver.jsonl"));
}

/// One environment in so many, each on one connection.
fn compare_every(nth: usize, recording: &Recording) {
    for row in recording.rows.iter().step_by(nth) {
        let proxy = start(&recording.dialect, &row.env);
        let mut client = proxy.connect();
        let mut allowed = Vec::new();
        for verdict in recording.verdicts(row) {
            let answer = ask(&mut client, &verdict);
            is_as_recorded(&verdict, &answer, &row.env);
            if answer.status == 200 {
                allowed.push(format!("{} {}", verdict.method, verdict.target));
            }
            // Here nothing is unclean: what is denied is denied by the plugin.
            let denied = !verdict.allowed && beyond::rule(verdict.method, verdict.target).is_none();
            assert!(!denied || answer.status == 403, "{verdict:?}: {answer:?}");
        }
        // These are in canonical form but for the encoding of one query.
        let received: Vec<_> = proxy.daemon.received_lines();
        assert_eq!(received.len(), allowed.len());
        let differing: Vec<_> =
            received.iter().zip(&allowed).filter(|(received, sent)| received != sent).collect();
        assert!(differing.iter().all(|(_, sent)| sent.contains("?filters=")), "{differing:?}");
    }
}

/// Whatever form a path is sent in: nothing is let through that `HAProxy` denies, and what reaches
/// the daemon has one meaning.
#[test]
fn nothing_is_allowed_that_haproxy_denies() {
    let recording = Recording::read("tecnativa_noncanonical.jsonl");
    let mut received = BTreeSet::new();
    for row in recording.rows.iter().step_by(4) {
        let proxy = start(&recording.dialect, &row.env);
        for verdict in recording.verdicts(row) {
            // The proxy closes the connection on what it can't read.
            let answer = ask(&mut proxy.connect(), &verdict);
            is_as_recorded(&verdict, &answer, &row.env);
        }
        received.extend(proxy.daemon.received().into_iter().map(|received| received.target));
    }
    assert!(received.contains("/containers/json") && received.contains("/v1.41/containers/json"));
    for target in &received {
        assert_eq!(&canonical(target), target);
    }
}

#[test]
fn single_verdicts_are_those_of_haproxy() {
    for ((peer, environment), vectors) in Vector::read() {
        let proxy = start(&peer, &environment);
        for vector in &vectors {
            let verdict = vector.verdict();
            let answer = ask(&mut proxy.connect(), &verdict);
            is_as_recorded(&verdict, &answer, &environment);
        }
    }
}

#[test]
fn what_is_refused_beyond_haproxy_is_recorded_as_let_through() {
    let mut allowed = BTreeSet::new();
    for file in ["tecnativa.jsonl", "linuxserver.jsonl", "tecnativa_noncanonical.jsonl"] {
        let recording = Recording::read(file);
        for row in &recording.rows {
            let verdicts = recording.verdicts(row).filter(|verdict| verdict.allowed);
            allowed.extend(verdicts.map(|verdict| verdict.target.to_owned()));
        }
    }
    let vectors: Vec<Vector> = Vector::read().into_values().flatten().collect();
    let verdicts = vectors.iter().map(Vector::verdict).filter(|verdict| verdict.allowed);
    allowed.extend(verdicts.map(|verdict| verdict.target.to_owned()));
    for target in beyond::targets() {
        assert!(allowed.contains(target), "HAProxy never lets {target} through");
    }
}

fn start(dialect: &str, environment: &Environment) -> Proxy {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.json");
    std::fs::write(&settings, format!("{{\"dialect\": {dialect:?}}}")).unwrap();
    let plugin = format!("bundled:tecnativa={}", settings.display());
    let scene = Scene::new().arguments(&["--workers", "1", "--plugin", &plugin]);
    environment.iter().fold(scene, |scene, (name, value)| scene.variable(name, value)).start()
}

fn ask(client: &mut Client, verdict: &Verdict) -> Answer {
    client.ask(verdict.method, verdict.target)
}

/// Let through if `HAProxy` lets it through, but for what is refused by a rule beyond it.
fn is_as_recorded(verdict: &Verdict, answer: &Answer, environment: &Environment) {
    let context = format!("{verdict:?} {environment:?}: {answer:?}");
    match beyond::rule(verdict.method, verdict.target) {
        Some(rule) => {
            assert_eq!(answer.status, 400, "{context}");
            // An answer to HEAD has no body.
            if verdict.method != "HEAD" {
                assert_eq!(answer.message(), format!("dockgate: {rule}"), "{context}");
            }
        }
        None if verdict.allowed => assert_eq!(answer.status, 200, "{context}"),
        None => assert!([400, 403].contains(&answer.status), "{context}"),
    }
}

/// The form in which the proxy sends a target.
fn canonical(target: &str) -> String {
    let (head, ()) = http::Request::get(target).body(()).unwrap().into_parts();
    CanonicalRequest::new(head, OLDEST_SAFE_API).unwrap().into_parts().1.to_string()
}
