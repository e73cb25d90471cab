//! Who may push and pull.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::json;

use crate::{
    bench, by_digest,
    command::Bench,
    daemon::{self, PASSWORD, Registry, USER},
    push, refused,
};

/// A registry for one user.
fn guarded() -> Option<Registry> {
    Some(daemon::scene()?.with_users().start())
}

/// With this in Docker's configuration.
fn configured(configuration: &serde_json::Value) -> Bench {
    let bench = bench();
    fs::create_dir(bench.path().join("docker")).unwrap();
    bench.file("docker/config.json", configuration.to_string())
}

/// As `docker login` leaves it.
fn logged_in(registry: &Registry, password: &str) -> Bench {
    let entry = json!({ "username": USER, "password": password });
    configured(&json!({ "auths": { registry.host(): entry } }))
}

/// With a credential helper that does this.
fn helped(registry: &Registry, script: &str) -> Bench {
    let bench = configured(&json!({ "credHelpers": { registry.host(): "test" } }))
        .file("docker-credential-test", format!("#!/bin/sh\n{script}\n"));
    let helper = bench.path().join("docker-credential-test");
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o700)).unwrap();
    let path = format!("{}:{}", bench.path().display(), std::env::var("PATH").unwrap());
    bench.variable("PATH", &path)
}

#[test]
fn who_is_logged_in_pushes_and_pulls() {
    let Some(registry) = guarded() else { return };
    let pinned = push(&logged_in(&registry, PASSWORD), &registry.reference("policy:1"));
    logged_in(&registry, PASSWORD).run(&["pull", &by_digest(&pinned)]).is(0);
    let answer = json!({ "ServerURL": "", "Username": USER, "Secret": PASSWORD });
    let helped = helped(&registry, &format!("cat >/dev/null; echo '{answer}'"));
    helped.run(&["pull", &by_digest(&pinned)]).is(0);
}

#[test]
fn who_is_not_is_told_what_to_do() {
    let Some(registry) = guarded() else { return };
    let reference = registry.reference("policy:1");
    push(&logged_in(&registry, PASSWORD), &reference);
    let login = format!("`docker login {}`", registry.host());
    let nobody = bench();
    for said in
        [refused(&nobody, &reference), nobody.run(&["push", "policy.wasm", &reference]).words]
    {
        assert!(said.contains("wants credentials") && said.contains(&login), "{said}");
    }
    let wrong = logged_in(&registry, "guessed wrong");
    for said in [refused(&wrong, &reference), wrong.run(&["push", "policy.wasm", &reference]).words]
    {
        assert!(said.contains("does not take the credentials") && said.contains(&login), "{said}");
        assert!(!said.contains("guessed"), "{said}");
    }
}

#[test]
fn a_credential_helper_that_fails_is_named_and_not_quoted() {
    let Some(registry) = guarded() else { return };
    let reference = registry.reference("policy:1");
    for (script, words) in [
        ("cat >/dev/null; echo secret; echo secret >&2; exit 1", "docker-credential-test fails"),
        ("cat >/dev/null; echo secret", "answers nothing that can be read"),
        // As those of Docker do where they have none.
        (
            "cat >/dev/null; echo credentials not found in native keychain; exit 1",
            "wants credentials",
        ),
    ] {
        let said = refused(&helped(&registry, script), &reference);
        assert!(said.contains(words) && !said.contains("secret"), "{said}");
    }
    let token = json!({ "auths": { registry.host(): { "identitytoken": "secret" } } });
    let said = refused(&configured(&token), &reference);
    assert!(said.contains("an identity token") && !said.contains("secret"), "{said}");
    let said = refused(&bench_with_broken_configuration(), &reference);
    assert!(said.contains("config.json: the credentials in it can't be read"), "{said}");
}

fn bench_with_broken_configuration() -> Bench {
    configured(&json!({})).file("docker/config.json", "{")
}
