//! The interface grows and never changes: what was built for any shape of it that has shipped still
//! fits, and a change of `wit/filter.wit` that would break it fails here.
//!
//! `interface/shipped/` has each shape that was in a release, as it was. Before a release that has
//! grown it, a copy of `wit/filter.wit` is added there.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "plugins/client.rs"]
#[allow(dead_code, reason = "tests/plugins.rs uses the rest")]
mod client;
#[path = "plugins/daemon.rs"]
#[allow(dead_code, reason = "tests/plugins.rs uses the rest")]
mod daemon;
#[path = "plugins/proxy.rs"]
#[allow(dead_code, reason = "tests/plugins.rs uses the rest")]
mod proxy;
#[path = "interface/shape.rs"]
mod shape;

use std::{fs, path::Path, process::Command};

use dockgate_plugin::BodyKind;
use proxy::Scene;
use shape::Shape;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interface")
}

/// Every shape that has shipped, by its file.
fn shipped() -> Vec<(String, Shape)> {
    let mut shapes: Vec<_> = fs::read_dir(folder().join("shipped"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| (path.display().to_string(), Shape::read(&fs::read_to_string(path).unwrap())))
        .collect();
    shapes.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert!(!shapes.is_empty());
    shapes
}

fn current() -> String {
    fs::read_to_string(folder().join("../../wit/filter.wit")).unwrap()
}

#[test]
fn nothing_that_has_shipped_is_changed() {
    let current = Shape::read(&current());
    for (file, shipped) in shipped() {
        let broken = shipped.broken_by(&current);
        assert!(broken.is_empty(), "wit/filter.wit breaks what was built for {file}:\n{broken:#?}");
    }
}

#[test]
fn a_change_that_breaks_plugins_is_found() {
    let current = current();
    let shape = Shape::read(&current);
    for (from, to) in [
        // A field more, fewer, of another type.
        ("method: string,", "method: string,\n        port: u16,"),
        ("target: option<string>,", ""),
        ("status: u16,\n        /// A short", "status: u32,\n        /// A short"),
        // A case more, which a plugin can't read; a case less.
        ("deny(denial),", "deny(denial),\n        later,"),
        ("        warning,", ""),
        // A function of another type, under another name, gone.
        ("header: func(name: string)", "header: func(name: string, all: bool)"),
        ("remove-query: func", "drop-query: func"),
        ("listener: func() -> option<string>;", ""),
        // An export more, which plugins of the world don't have.
        ("    export on-request;\n", "    export on-request;\n    export overview;\n"),
        ("    import client;\n", ""),
        ("@0.1.0", "@0.2.0"),
    ] {
        assert!(current.contains(from), "{from:?}");
        let changed = Shape::read(&current.replace(from, to));
        assert!(!shape.broken_by(&changed).is_empty(), "{from:?} became {to:?}");
    }
    for (from, to) in [
        ("    query: func(", "    fragment: func() -> string;\n    query: func("),
        ("    import client;\n", "    import client;\n    import weather;\n"),
        ("interface log {", "interface weather {\n    rain: func() -> bool;\n}\n\ninterface log {"),
        ("    /// Removes a header, ", "    /// Takes away a header, "),
    ] {
        assert!(current.contains(from), "{from:?}");
        let grown = Shape::read(&current.replace(from, to));
        assert_eq!(shape.broken_by(&grown), Vec::<String>::new(), "{from:?} became {to:?}");
    }
}

/// A component that was built from the first shape that shipped, without our SDK.
#[test]
fn a_plugin_that_was_built_for_the_first_interface_decides() {
    let target = Path::new(env!("DOCKGATE_PLUGINS_TARGET_DIR"));
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--target", "wasm32-wasip2"])
        .args(["--package", "dockgate-first-interface", "--target-dir"])
        .arg(target)
        .current_dir(folder().join("../.."))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .status()
        .unwrap();
    assert!(built.success());
    let file = target.join("wasm32-wasip2/release/dockgate_first_interface.wasm");
    let proxy = Scene::new().file("first.wasm", &fs::read(file).unwrap()).start();
    assert_eq!(proxy.get("/containers/json").status, 200);
    let stop = proxy.connect().ask("POST", "/containers/web/stop?t=1");
    assert_eq!((stop.status, &*stop.message()), (403, "dockgate: container-stop of web with t=1"));
    let list = proxy.daemon.received_lines();
    assert_eq!(list, ["GET /containers/json?limit=5"], "the edit of the plugin");
}

/// The SDK and the proxy have each a table of operations.
#[test]
fn the_sdk_and_the_proxy_know_the_same_operations() {
    let proxys: Vec<_> = dockgate::request::routes::all()
        .iter()
        .map(|route| (route.operation.name(), route.method, route.pattern, route.body.name()))
        .collect();
    let sdks: Vec<_> = dockgate_plugin::testing::routes()
        .iter()
        .map(|route| {
            let body = match route.body {
                BodyKind::Nothing => "none",
                BodyKind::Json => "json",
                BodyKind::Tar => "tar",
                BodyKind::Stream => "stream",
                other => panic!("{other:?}"),
            };
            (route.operation.name(), route.method, route.pattern, body)
        })
        .collect();
    assert_eq!(proxys, sdks);
}
