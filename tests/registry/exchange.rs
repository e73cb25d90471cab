//! Pushing, pulling, and what is kept.

use std::fs;

use oci_client::{
    client::{ClientConfig, ClientProtocol, Config, ImageLayer},
    secrets::RegistryAuth,
};

use crate::{bench, by_digest, daemon::registry, fetch, kept, policy, push, refused, wat::Plugin};

#[test]
fn what_is_pushed_is_pulled_by_its_digest() {
    let Some(registry) = registry() else { return };
    let here = bench();
    let pinned = push(&here, &registry.reference("team/policy:1.0"));
    let there = bench();
    let reference = by_digest(&pinned);
    let said = there.run(&["pull", &reference, "-o", "pulled.wasm"]);
    said.is(0).has_line("reference", &reference).has_line("file", "pulled.wasm");
    assert_eq!(said.words, "", "it is pinned");
    let pushed = fs::read(here.path().join("policy.wasm")).unwrap();
    assert_eq!(fs::read(there.path().join("pulled.wasm")).unwrap(), pushed);
    assert_eq!(fs::read(fetch(&there, &pinned).unwrap()).unwrap(), pushed);
    there.does("inspect pulled.wasm").has_line("name", "policy 1.2.3");
}

#[test]
fn a_plugin_has_one_digest_however_often_it_is_pushed() {
    let Some(registry) = registry() else { return };
    let bench = bench();
    let once = push(&bench, &registry.reference("policy:1"));
    let again = push(&bench, &registry.reference("other:2"));
    assert_eq!(once.split_once('@').unwrap().1, again.split_once('@').unwrap().1);
    let manifest = fs::read_to_string(registry.blob(once.split_once('@').unwrap().1)).unwrap();
    assert!(manifest.contains(r#""org.opencontainers.image.version":"1.2.3""#), "{manifest}");
}

#[test]
fn a_tag_is_pulled_with_words_on_what_to_write_in_its_place() {
    let Some(registry) = registry() else { return };
    let bench = bench();
    let reference = registry.reference("policy:1");
    let pinned = push(&bench, &reference);
    let said = bench.run(&["pull", &reference]);
    said.is(0).has_line("reference", &pinned);
    assert!(said.words.ends_with(&format!("to pin it, write {pinned}\n")), "{said:?}");
}

#[test]
fn what_was_pulled_needs_no_registry() {
    let Some(mut registry) = registry() else { return };
    let bench = bench();
    let reference = registry.reference("policy:1");
    let pinned = push(&bench, &reference);
    let file = fetch(&bench, &reference).unwrap();
    registry.stop();
    assert_eq!(fetch(&bench, &pinned).as_ref(), Ok(&file));
    assert_eq!(fetch(&bench, &by_digest(&pinned)).as_ref(), Ok(&file));
    assert_eq!(fetch(&bench, &reference).as_ref(), Ok(&file), "it is what it was the last time");
    bench.run(&["pull", &pinned]).is(0);
    let other = fetch(&bench, &registry.reference("policy:2")).unwrap_err();
    assert!(other.contains("can't be reached: Connection refused"), "{other}");
    let said = bench.run(&["pull", &reference]);
    assert!(said.is(1).words.contains("can't be reached"), "who pulls a tag wants what is there");
}

#[test]
fn a_tag_that_moves_is_followed() {
    let Some(registry) = registry() else { return };
    let bench = bench();
    let reference = registry.reference("policy:1");
    let first = push(&bench, &reference);
    let before = fetch(&bench, &reference).unwrap();
    let bench = bench.plugin("policy", &policy("second"));
    let second = push(&bench, &reference);
    let after = fetch(&bench, &reference).unwrap();
    assert_ne!(fs::read(&before).unwrap(), fs::read(&after).unwrap());
    assert_eq!(fetch(&bench, &first).unwrap(), before, "a digest goes nowhere");
    assert_eq!(fetch(&bench, &second).unwrap(), after);
}

#[test]
fn a_tag_that_is_gone_is_not_what_it_was() {
    let Some(registry) = registry() else { return };
    let bench = bench();
    let reference = registry.reference("policy:1");
    push(&bench, &reference);
    fetch(&bench, &reference).unwrap();
    registry.forget("policy");
    let said = fetch(&bench, &reference).unwrap_err();
    assert!(said.contains("has no"), "{said}");
}

#[test]
fn what_is_not_there_is_named() {
    let Some(registry) = registry() else { return };
    let bench = bench();
    push(&bench, &registry.reference("policy:1"));
    let host = registry.host();
    let digest = format!("policy@sha256:{}", "0".repeat(64));
    for name in ["nothing:1", "policy:2", &digest] {
        let said = refused(&bench, &registry.reference(name));
        assert!(said.contains(&format!(": {host} has no {host}/{name}")), "{said}");
    }
}

#[test]
fn an_image_is_no_plugin() {
    let Some(registry) = registry() else { return };
    let image = format!("{}/image:1", registry.host()).parse().unwrap();
    let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
    // Without TLS it wants no provider of TLS, but to be sure that there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = oci_client::Client::try_from(config).unwrap();
    let layers = [ImageLayer::oci_v1_gzip(b"no wasm".to_vec(), None)];
    let config = Config::oci_v1(b"{}".to_vec(), None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pushed = client.push(&image, &layers, config, &RegistryAuth::Anonymous, None);
    runtime.block_on(pushed).unwrap();
    let said = refused(&bench(), &registry.reference("image:1"));
    assert!(said.contains("it is no plugin: none of its layers is of application/wasm"), "{said}");
}

#[test]
fn what_is_no_plugin_is_not_pushed() {
    let Some(registry) = registry() else { return };
    let clock = "(import \"dockgate:filter/clock@0.1.0\" (instance (export \"unix-time\" (func (result u64)))))";
    let newer = policy("x").renaming("dockgate:filter/log@0.1.0", "dockgate:filter/log@0.2.0");
    let bench = bench()
        .file("text.wasm", "#!/bin/sh\n")
        .file("module.wasm", wat::parse_str("(module)").unwrap())
        .plugin("bare", &Plugin::allowing())
        .plugin("clock", &policy("x").importing(clock))
        .plugin("newer", &newer);
    let reference = registry.reference("policy:1");
    for (file, words) in [
        ("nowhere.wasm", "No such file"),
        ("text.wasm", "it is not WebAssembly"),
        ("module.wasm", "it is a core module"),
        ("bare.wasm", "it has no manifest: put one into it with `dockgate plugin pack`"),
        ("clock.wasm", "add \"grants\": [\"clock\"]"),
        ("newer.wasm", "built for version 0.2.0 of the interface"),
    ] {
        let said = bench.refuses(&["push", file, &reference]);
        assert!(said.starts_with(&format!("dockgate: plugin {file}: ")), "{said}");
        assert!(said.contains(words), "{said}");
    }
    for (reference, words) in [
        ("policy:1", "write oci://REGISTRY/NAME:TAG"),
        (&*registry.reference("policy"), "neither a tag nor a digest"),
        (&registry.reference(&format!("policy:1@sha256:{}", "0".repeat(64))), "write a tag alone"),
    ] {
        let said = bench.refuses(&["push", "policy.wasm", reference]);
        assert!(said.contains(words), "{said}");
    }
    assert!(registry.is_empty());
    assert!(kept(&bench).is_empty());
}
