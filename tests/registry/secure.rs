//! TLS, and who does without.

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::{bench, by_digest, daemon, push, refused};

/// Of this machine, but not by one of the names that plain HTTP is spoken to without being told.
const ELSEWHERE: &str = "127.0.0.2";

#[test]
fn a_registry_is_spoken_to_with_tls_and_shows_who_it_is() {
    let Some(scene) = daemon::scene() else { return };
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([ELSEWHERE.to_owned()]).unwrap();
    let registry =
        scene.at(ELSEWHERE).with_certificate(&cert.pem(), &signing_key.serialize_pem()).start();
    let reference = registry.reference("policy:1");
    let stranger = bench();
    let said = refused(&stranger, &reference);
    assert!(said.contains("certificate") && said.contains("SSL_CERT_FILE"), "{said}");
    let bench = bench().file("ca.pem", cert.pem());
    let authority = bench.path().join("ca.pem").display().to_string();
    let bench = bench.variable("SSL_CERT_FILE", &authority);
    let pinned = push(&bench, &reference);
    bench.run(&["pull", &by_digest(&pinned)]).is(0);
}

#[test]
fn plain_http_is_spoken_to_this_machine_alone_unless_it_is_asked_for() {
    let Some(scene) = daemon::scene() else { return };
    let registry = scene.at(ELSEWHERE).start();
    let bench = bench();
    let reference = registry.reference("policy:1");
    refused(&bench, &reference);
    bench.run(&["push", "policy.wasm", &reference]).is(1);
    assert!(registry.is_empty());
    bench.run(&["push", "policy.wasm", &reference, "--insecure-http"]).is(0);
    refused(&bench, &reference);
    bench.run(&["pull", &reference, "--insecure-http"]).is(0);
}
