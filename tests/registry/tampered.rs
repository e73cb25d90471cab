//! What is not what its digest says.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
};

use crate::{bench, by_digest, daemon::registry, fetch, kept, policy, push, refused};

#[test]
fn a_component_that_was_changed_in_the_registry_is_refused() {
    let Some(registry) = registry() else { return };
    let here = bench();
    let pinned = push(&here, &registry.reference("policy:1"));
    let blob = registry.blob(&registry.layer(&pinned));
    let content = fs::read(&blob).unwrap();
    let mut other = content.clone();
    *other.last_mut().unwrap() ^= 1;
    for (changed, words) in [
        (other, "what 127.0.0.1"),
        (content[..content.len() - 1].to_vec(), "what 127.0.0.1"),
        ([&*content, b"more"].concat(), "the component is larger than its manifest says"),
    ] {
        fs::write(&blob, changed).unwrap();
        for reference in [registry.reference("policy:1"), pinned.clone(), by_digest(&pinned)] {
            let there = bench();
            let said = refused(&there, &reference);
            assert!(said.contains(words), "{said}");
            fetch(&there, &reference).unwrap_err();
            assert!(kept(&there).is_empty());
        }
    }
}

#[test]
fn a_manifest_that_was_changed_in_the_registry_is_refused() {
    let Some(registry) = registry() else { return };
    let bench = bench();
    let one = push(&bench, &registry.reference("policy:1"));
    let bench = bench.plugin("policy", &policy("second"));
    let two = push(&bench, &registry.reference("policy:2"));
    let of = |pinned: &str| registry.blob(pinned.split_once('@').unwrap().1);
    fs::copy(of(&two), of(&one)).unwrap();
    let said = refused(&bench, &by_digest(&one));
    assert!(said.contains("not what was asked for"), "{said}");
    bench.run(&["pull", &two]).is(0);
}

#[test]
fn a_component_that_was_changed_in_the_cache_is_fetched_again_or_not_loaded() {
    let Some(mut registry) = registry() else { return };
    let bench = bench();
    let pinned = push(&bench, &registry.reference("policy:1"));
    let file = fetch(&bench, &pinned).unwrap();
    let content = fs::read(&file).unwrap();
    fs::write(&file, "changed").unwrap();
    assert_eq!(fetch(&bench, &pinned).as_ref(), Ok(&file));
    assert_eq!(fs::read(&file).unwrap(), content);
    fs::write(&file, "changed").unwrap();
    registry.stop();
    let said = fetch(&bench, &pinned).unwrap_err();
    assert!(said.contains("can't be reached"), "{said}");
    bench.run(&["pull", &pinned]).is(1);
}

/// The process that fetches ends, and the one that serves never had any of it.
#[test]
fn a_registry_that_sends_without_end_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let reference = format!("oci://{}/policy:1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut head = [0; 1024];
                let length = stream.read(&mut head).unwrap();
                let is_hello = head[..length].starts_with(b"GET /v2/ ");
                let length = if is_hello { "0" } else { "1000000000000" };
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                let _ = stream.write_all(head.as_bytes());
                while !is_hello && stream.write_all(&[b' '; 1 << 14]).is_ok() {}
            });
        }
    });
    let said = fetch(&bench(), &reference).unwrap_err();
    assert!(said.contains("ended without a word"), "{said}");
}
