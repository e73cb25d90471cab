//! What a plugin sees of a container: the probe decides by a label, within one chain for all.

use std::fs;

use crate::{
    client::{Settings, Verdict},
    component::COMPONENT,
    machine::{Machine, WITH_MACHINE},
    proxy::Proxy,
};

#[test]
fn a_plugin_decides_by_a_label_of_the_container() {
    let Some(daemon) = crate::daemon() else { return };
    let machine = Machine::of(&daemon);
    daemon.shell().must_run(&format!(
        "docker network create --subnet 10.124.1.0/24 --gateway 10.124.1.1 team
        run='docker run --detach --network team {WITH_MACHINE}'
        $run --name ours --label team=web busy:1 sleep 1000
        $run --name theirs --label team=shop busy:1 sleep 1000
        $run --name nobodys busy:1 sleep 1000"
    ));
    fs::write(machine.folder().join("probe.wasm"), &*COMPONENT).unwrap();
    let _proxy = Proxy::start(
        &machine,
        r#"
listeners: { team: { address: "tcp://10.124.1.1:2375" } }
plugins:
  probe:
    source: probe.wasm
    settings: { decide: [{ only-for: [team, web] }] }
    grants: [look-ups, clock]
chains: [{ name: all, plugins: [probe] }]
"#,
    );
    let address = Settings { address: "tcp://10.124.1.1:2375", ..Settings::default() };
    let refused = |words: &str| Verdict::Refused(words.to_owned());
    for (container, verdict) in [
        ("ours", Verdict::Allowed),
        ("theirs", refused(r#"team is Some("shop")"#)),
        ("nobodys", refused("team is None")),
    ] {
        let mut client = machine.client_in(container, address);
        assert_eq!(client.ask("GET /containers/json"), verdict, "{container}");
    }
    let beside = machine.client(address).ask("GET /containers/json");
    assert_eq!(beside, refused("team is None"), "a process of the machine");
}
