//! Rows of sockguard's own tests on bodies, and what `bundled:container-guard` makes of them with settings
//! of the same meaning. Where it decides otherwise, or has no such setting, the reason stands here.
//!
//! `sockguard/rows.jsonl` has `config` (in sockguard's words), `method`, `path`, `body`, `expect` and where
//! it is from; `"hazard": true` marks a verdict not to take over.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "presets/demo.rs"]
#[allow(dead_code, reason = "tests/tools.rs uses the rest")]
mod demo;
#[path = "config/folder.rs"]
#[allow(dead_code, reason = "tests/config.rs uses the rest")]
mod folder;
#[path = "dockerd/wire.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Map, Value, json};

/// Words of sockguard's configuration that ask for something else than `container-guard` does.
const NO_COUNTERPART: [(&str, &str); 13] = [
    ("require_", "`force` puts it in, where sockguard asks for it"),
    ("required_labels", "`force` puts them in"),
    ("endpoint_config", "addresses on a network lead to no host"),
    ("allow_endpoint_config", "addresses on a network lead to no host"),
    ("allowed_device_requests", "device requests are open or closed as a whole"),
    ("allow_resource_updates", "limits are `force`'s affair"),
    ("deny_namespace_path_mode", "a namespace by its path is closed always"),
    ("exec", "commands are for the plugin rules"),
    ("libpod_pod_create", "Podman's own API is closed as a whole"),
    ("libpod_volume", "Podman's own API is closed as a whole"),
    ("libpod_network", "Podman's own API is closed as a whole"),
    ("preset", "its presets are other people's tools"),
    ("rules", "its rules are for the plugin rules"),
];

/// Rows that we decide otherwise, by what their notes begin with, each with the reason.
const OTHERWISE: [(&str, &str); 25] = [
    ("duplicate privileged key resolves to false", "a body has one reading, or none"),
    ("annotation keys are case-sensitive data", "Annotations stand in HostConfig"),
    ("IPAM options keys", "names that a container does not have are compared as fields"),
    ("volume opts keys", "names that a container does not have are compared as fields"),
    ("auxiliary addresses keys", "names that a container does not have are compared as fields"),
    ("systempaths=unknown value", "no security option is open that is not known to be harmless"),
    ("systempaths=unconfined allowed by default", "it takes away what hides /proc"),
    ("non-empty MaskedPaths", "a list in place of the daemon's is less than that"),
    ("off passes uppercase network ns path", "a namespace by its path is no network"),
    ("custom seccomp NOT denied", "one setting is for every way to loosen seccomp"),
    ("unconfined not affected by", "one setting is for every way to loosen seccomp"),
    ("label override knob does not deny a bare disable", "one setting is for labels"),
    ("static IP via IPAMConfig", "an address on a network leads to no host"),
    ("MAC address", "an address on a network leads to no host"),
    ("IPAM IPv4 address", "an address on a network leads to no host"),
    ("endpoint IP address", "an address on a network leads to no host"),
    ("links", "a link leads to a container on the same network"),
    ("attachable", "whoever may join is a matter of networks"),
    ("config only", "it is no network yet; taking it is closed"),
    ("custom IPAM config", "an address range leads to no host"),
    ("IPAM options", "the default driver, the only one that is open, has none"),
    ("explicit false denied by default", "no IPv4 is less of a network"),
    ("memory", "limits are the affair of `force`"),
    ("pids limit", "limits are the affair of `force`"),
    ("resources object", "the daemon has no such field"),
];

struct Row(Value);

impl Row {
    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap()
    }

    /// Its configuration by section, and the words in each.
    fn words(&self) -> BTreeSet<String> {
        let config = &self.0["config"];
        let mut words: BTreeSet<_> = config.as_object().unwrap().keys().cloned().collect();
        for (section, inner) in config["request_body"].as_object().into_iter().flatten() {
            words.insert(section.clone());
            words.extend(inner.as_object().into_iter().flatten().map(|(word, _)| word.clone()));
        }
        // A rule beside a body only lets it come so far.
        if words.contains("request_body") {
            words.remove("rules");
        }
        words
    }

    /// Why there is no setting for it.
    fn reason_to_leave_out(&self) -> Option<&'static str> {
        let words = self.words();
        let is_word = |known: &str, word: &str| {
            word == known || (known.ends_with('_') && word.starts_with(known))
        };
        let reason = |(known, reason): &(&str, &'static str)| {
            words.iter().any(|word| is_word(known, word)).then_some(*reason)
        };
        NO_COUNTERPART.iter().find_map(reason)
    }

    /// The settings of `container-guard` that mean the same.
    fn settings(&self) -> Value {
        let mut settings = Map::new();
        let body = &self.0["config"]["request_body"];
        let section = body.as_object().and_then(|body| body.iter().next());
        let (section, words) = section.map_or(("", &Value::Null), |(name, words)| (name, words));
        let given = |word: &str| words.get(word).is_some_and(|value| *value == json!(true));
        let mut open = |name: &str, value: Value| settings.insert(name.to_owned(), value);
        if given("allow_all_capabilities") {
            open("capabilities", json!(["ALL"]));
        }
        for (word, name) in [
            ("allowed_capabilities", "capabilities"),
            ("allowed_bind_mounts", "bind-mounts"),
            ("allowed_devices", "devices"),
            ("allowed_device_cgroup_rules", "device-cgroup-rules"),
        ] {
            words.get(word).map(|value| open(name, value.clone()));
        }
        if given("allow_device_cgroup_rules") {
            open("device-cgroup-rules", json!(["b *:* rwm", "c *:* rwm"]));
        }
        if given("allow_device_requests") {
            open("device-requests", json!(true));
        }
        let namespaces =
            [("network", "network"), ("pid", "pid"), ("ipc", "ipc"), ("userns", "user")];
        let namespaces =
            namespaces.into_iter().filter(|(word, _)| given(&format!("allow_host_{word}")));
        open("host-namespaces", namespaces.map(|(_, name)| name).collect());
        // What sockguard leaves open unless it is told to close it.
        let mut options = Vec::new();
        if section == "container_create" || section == "service" {
            let closed = |words: &[&str]| words.iter().any(|word| given(word));
            if !closed(&["deny_unconfined_seccomp", "deny_custom_seccomp_profiles"]) {
                options.push("seccomp");
            }
            if !closed(&["deny_unconfined_app_armor"]) {
                options.push("apparmor");
            }
            if !closed(&["deny_selinux_disable", "deny_selinux_label_override"]) {
                options.push("label");
            }
            open("system-paths", json!(!given("deny_unconfined_system_paths")));
        }
        open("security-options", json!(options));
        Value::Object(settings)
    }
}

fn rows() -> Vec<Row> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/sockguard/rows.jsonl");
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| Row(serde_json::from_str(line).unwrap())).collect()
}

#[test]
fn what_sockguard_decides_about_bodies_the_guard_decides() {
    let mut by_settings = BTreeMap::<_, Vec<_>>::new();
    let (mut left_out, mut decided) = (BTreeMap::<_, usize>::new(), 0);
    for row in rows() {
        match row.reason_to_leave_out() {
            Some(reason) => *left_out.entry(reason).or_default() += 1,
            None => by_settings.entry(row.settings().to_string()).or_default().push(row),
        }
    }
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::<&(&str, &str)>::new());
    for (settings, rows) in by_settings {
        let proxy = demo::guarded(&serde_json::from_str(&settings).unwrap());
        for row in rows {
            decided += 1;
            let body = row.text("body");
            let line = format!("{} {}", row.text("method"), row.text("path"));
            let refusal = demo::refusal(&proxy.socket(), &line, body);
            let note = row.text("note");
            let odd = OTHERWISE.iter().find(|(begin, _)| note.starts_with(begin));
            used.extend(odd);
            let is_otherwise = odd.is_some() || row.0["hazard"] == true;
            if (refusal.is_none() == (row.text("expect") == "allow")) == is_otherwise {
                wrong.push(format!(
                    "{line} {body} with {settings}\n  {} there, {refusal:?} here, {}",
                    row.text("expect"),
                    row.text("note")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}: {}", wrong.len(), wrong.join("\n"));
    let unused: Vec<_> = OTHERWISE.iter().filter(|odd| !used.contains(odd)).collect();
    assert!(unused.is_empty(), "decided as there: {unused:?}");
    assert_eq!((decided, left_out.values().sum::<usize>()), (144, 97), "{left_out:#?}");
}
