//! Components that were built for the first interface that shipped.

use std::{fs, path::Path};

use crate::{
    policy::{BUILT, in_each_language},
    proxy::Scene,
};

#[test]
fn a_plugin_that_was_built_for_the_first_interface_decides() {
    in_each_language(|language| {
        let component = fs::read(language.for_the_first_interface()).unwrap();
        let proxy = Scene::new()
            .cache(&Path::new(BUILT).join("cache"))
            .file("first.wasm", &component)
            .start();
        let name = language.name;
        assert_eq!(proxy.get("/containers/json").status, 200, "{name}");
        let stop = proxy.connect().ask("POST", "/containers/web/stop?t=1");
        let words = "dockgate: container-stop of web with t=1";
        assert_eq!((stop.status, &*stop.message()), (403, words), "{name}");
        let received = proxy.daemon.received_lines();
        assert_eq!(received, ["GET /containers/json?limit=5"], "{name}: its edit");
    });
}
