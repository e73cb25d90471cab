//! The schema beside a daemon: what a daemon says of its own types when a value does not fit.
//!
//! `DOCKGATE_ASK=/run/docker.sock cargo test -p dockgate --lib a_daemon_has -- --ignored --nocapture`

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
};

use super::{
    Document,
    places::{self, Place},
    schema::{self, Kind, Width},
};
use crate::request::{Operation, routes};

#[test]
#[ignore = "asks the daemon at the socket DOCKGATE_ASK; creates nothing"]
fn a_daemon_has_these_types() {
    let socket = std::env::var("DOCKGATE_ASK").expect("DOCKGATE_ASK names a socket");
    let mut places: Vec<Place> = Vec::new();
    for operation in Operation::all().filter(|one| Document::is_read_by(*one)) {
        let kind = schema::of_body(operation).expect("has one");
        places.extend(places::of(operation, kind));
    }
    let mut agreed = 0;
    let mut differing = Vec::new();
    for place in places.iter().filter(|place| !place.steps.is_empty()) {
        let said = ask(&socket, place);
        let path = format!("{} {}", place.operation, place.steps.join("/"));
        match said.split_once(" of type ").map(|(before, of)| (before, of.split('"').next())) {
            Some((before, Some(of))) if fits(place.kind, of.trim_end_matches('\\')) => {
                let field = before.rsplit(['.', ' ']).next().unwrap_or_default();
                let name = place.steps.iter().rfind(|step| !["[]", "{}"].contains(step));
                assert!(
                    field == "value" || name.is_some_and(|name| field == *name),
                    "{path}: {said}"
                );
                agreed += 1;
            }
            Some(_) => differing.push(format!("{path}: {:?}, {said}", place.kind)),
            None => println!("does not know {path}: {said}"),
        }
    }
    println!("{agreed} places have the daemon's own types and spelling");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(agreed > 800, "{agreed}");
}

/// Sends a value at a place that the daemon can't decode into what it has there.
fn ask(socket: &str, place: &Place) -> String {
    let wrong = match place.kind {
        Kind::Object(_) | Kind::Map(_) | Kind::Words => "7",
        _ => r#"{"x":{"y":1}}"#,
    };
    let body = place.steps.iter().rev().fold(wrong.to_owned(), |inner, step| match *step {
        "[]" => format!("[{inner}]"),
        "{}" => format!(r#"{{"k":{inner}}}"#),
        name => format!(r#"{{"{name}":{inner}}}"#),
    });
    let is_it = |route: &&routes::Route| route.operation == place.operation;
    let route = routes::all().iter().find(is_it).expect("a route");
    let path = route.pattern.replace("{name:.*}", "x").replace("{id:.*}", "x").replace("{id}", "x");
    let request = format!(
        "{} {path}?version=1&remote=x&container=x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        route.method,
        body.len()
    );
    let mut stream = UnixStream::connect(socket).expect("a daemon");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer.rsplit("\r\n\r\n").next().unwrap_or_default().trim().to_owned()
}

/// Whether Go's name of a type is one of a kind.
fn fits(kind: &Kind, of: &str) -> bool {
    let named = |package: &str| of.contains(package) && of.contains('.');
    match kind {
        Kind::Any | Kind::Filters => true,
        Kind::Bool => of == "bool",
        Kind::String => of == "string" || of == "[]uint8" || named(""),
        Kind::Integer(Width::Signed) => ["int", "int64", "time.Duration"].contains(&of),
        Kind::Integer(Width::Bits16) => of == "uint16",
        Kind::Integer(Width::Bits32) => ["uint32", "os.FileMode", "fs.FileMode"].contains(&of),
        Kind::Integer(Width::Bits64) => ["uint", "uint64"].contains(&of),
        Kind::Float => of == "float32",
        Kind::Words => of == "string" || of == "[]string",
        Kind::Pair => of == "[2]uint",
        Kind::List(_) => of.starts_with("[]"),
        Kind::Map(_) => of.starts_with("map[") || named("Port"),
        Kind::Object(_) => of.starts_with("struct") || named(""),
        Kind::Nullable(kind) => fits(kind, of),
    }
}
