//! Plugins of a configuration file: what their entries grant and limit, and how those of a chain
//! come to one decision.

use crate::{
    proxy::{Proxy, Scene},
    wat::Plugin,
};

/// A proxy with these plugins, which are files of the scene, and one chain of all of them.
fn configured(plugins: &[(&str, &Plugin, &str)]) -> Proxy {
    let beside = |scene: Scene, (name, plugin, _): &(&str, &Plugin, &str)| {
        scene.beside(&format!("{name}.wasm"), &plugin.build())
    };
    let scene = plugins.iter().fold(Scene::new(), beside);
    let entry = |(name, _, more): &(&str, &Plugin, &str)| {
        format!("{name}: {{ source: {name}.wasm{more} }}")
    };
    let entries: Vec<_> = plugins.iter().map(entry).collect();
    let names: Vec<_> = plugins.iter().map(|(name, ..)| *name).collect();
    let (entries, names) = (entries.join(", "), names.join(", "));
    let text = format!("plugins: {{ {entries} }}\nchains: [{{ name: all, plugins: [{names}] }}]\n");
    scene.configuration(&text).start()
}

/// Allows what an instance is asked first, and nothing more.
fn once() -> Plugin {
    Plugin::deciding(
        "(call $say \"asked\")
         (if (global.get $asked) (then (return (call $abstain))))
         (global.set $asked (i32.const 1))
         (call $allow)",
    )
    .with("(global $asked (mut i32) (i32.const 0))")
}

#[test]
fn an_isolated_plugin_keeps_nothing_from_one_request_to_the_next() {
    let shared = configured(&[("once", &once(), "")]);
    let statuses = |proxy: &Proxy| {
        let mut client = proxy.connect();
        [1, 2, 3].map(|n| client.get(&format!("/containers/{n}/json")).status)
    };
    assert_eq!(statuses(&shared), [200, 403, 403]);
    let isolated = configured(&[("once", &once(), ", isolation: request")]);
    assert_eq!(statuses(&isolated), [200, 200, 200]);
}

#[test]
fn a_plugin_has_the_time_of_its_entry() {
    // Some ten million steps, several instructions each.
    let slow = Plugin::deciding(
        "(loop $again
           (global.set $steps (i32.add (global.get $steps) (i32.const 1)))
           (br_if $again (i32.lt_u (global.get $steps) (i32.const 10000000))))
         (global.set $steps (i32.const 0))
         (call $allow)",
    )
    .with("(global $steps (mut i32) (i32.const 0))");
    for (limits, status) in [("limits: { time: 1ms }", 403), ("limits: { time: 10s }", 200)] {
        let proxy = configured(&[("slow", &slow, &format!(", {limits}"))]);
        let answer = proxy.get("/containers/web/json");
        assert_eq!(answer.status, status, "{limits}: {answer:?}");
        if status == 403 {
            assert!(answer.message().contains("it took longer than it may"), "{answer:?}");
        }
    }
}

#[test]
fn a_plugin_has_the_memory_of_its_entry() {
    let large = Plugin::allowing().with_pages(1024);
    let proxy = configured(&[("large", &large, ", limits: { memory: 80MiB }")]);
    assert_eq!(proxy.get("/containers/web/json").status, 200);
}

#[test]
fn a_refusal_names_the_plugin_as_the_configuration_does() {
    let allowing = Plugin::allowing();
    let denying =
        Plugin::deciding("(if (call $path-has \"web\") (then unreachable)) (call $allow)");
    let proxy = configured(&[("first-rule", &allowing, ""), ("second-rule", &denying, "")]);
    let answer = proxy.get("/containers/web/json");
    assert!(answer.message().contains("the plugin second-rule failed"), "{answer:?}");
    assert_eq!(proxy.record("/containers/web/json")["plugin"], "second-rule");
    proxy.get("/containers/db/json");
    assert_eq!(proxy.record("/containers/db/json")["plugin"], "first-rule");
}
