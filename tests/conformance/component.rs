//! The bundled plugin as it is shipped, compiled to a component, behind the proxy's reading of
//! requests: every environment, in this process.

use std::sync::Arc;

use dockgate::{
    chain::Vote,
    client::{Client, Peer},
    plugin::{self, Asked, Daemon, Instances, Limits, Loaded, LookUps, Setup, bundled},
    request::{CanonicalRequest, OLDEST_SAFE_API, Violation},
};

use crate::{
    beyond,
    recording::{Environment, Recording, Verdict},
};

#[test]
fn tecnativas_verdicts_are_those_of_haproxy() {
    compare("tecnativa.jsonl", 190_000);
}

#[test]
fn linuxservers_verdicts_are_those_of_haproxy() {
    compare("linuxserver.jsonl", 350_000);
}

/// Whatever form a path is sent in.
#[test]
fn nothing_is_allowed_that_haproxy_denies() {
    compare("tecnativa_noncanonical.jsonl", 50_000);
}

fn compare(file: &str, at_least: usize) {
    let recording = Recording::read(file);
    let mut compared = 0;
    for row in &recording.rows {
        let plugin = Plugin::set_up(&recording.dialect, &row.env);
        for verdict in recording.verdicts(row) {
            let Verdict { method, target, allowed } = verdict;
            // hyper cuts the fragment off before anybody sees it; that it never comes so far is
            // for the binary to show.
            if target.contains('#') {
                continue;
            }
            let context = || format!("{method} {target} {:?}", row.env);
            match (plugin.decides(method, target), beyond::rule(method, target)) {
                (Decided::Allowed, None) => assert!(allowed, "{}", context()),
                (Decided::Denied, None) => assert!(!allowed, "{}", context()),
                (Decided::Invalid(rule), Some(beyond)) => {
                    assert_eq!(rule, *beyond, "{}", context());
                }
                (Decided::Invalid(_) | Decided::NoTarget, None) => {
                    assert!(!allowed, "{}", context());
                }
                (decided, beyond) => panic!("{decided:?}, not {beyond:?}: {}", context()),
            }
            compared += 1;
        }
    }
    assert!(compared > at_least, "only {compared} verdicts were compared");
}

/// What becomes of a request.
#[derive(Debug)]
enum Decided {
    Allowed,
    Denied,
    /// It breaks a rule of one meaning, and no plugin is asked.
    Invalid(Violation),
    /// Not even the HTTP library takes it for a target.
    NoTarget,
}

/// The plugin in one environment.
struct Plugin {
    instances: Instances,
    client: Arc<Client>,
    look_ups: Arc<LookUps>,
    runtime: tokio::runtime::Runtime,
}

impl Plugin {
    fn set_up(dialect: &str, environment: &Environment) -> Self {
        let bundled = bundled::find("tecnativa").unwrap();
        let manifest = bundled.manifest();
        for name in environment.keys() {
            assert!(manifest.environment.contains(name), "the manifest does not ask for {name}");
        }
        let setup = Setup {
            settings: format!("{{\"dialect\": {dialect:?}}}"),
            environment: environment.clone(),
            ..Setup::default()
        };
        let engine = plugin::runtime().unwrap();
        let limits = Limits::default();
        let loaded = Loaded::new(&engine, &manifest, &bundled.code(), setup, &[], limits).unwrap();
        let client = Client::new("given".into(), "unix:///proxy.sock".into(), Peer::Unix(None));
        Self {
            instances: Instances::new(Arc::from([loaded])),
            client: Arc::new(client),
            look_ups: LookUps::new(&Daemon::new().0),
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
        }
    }

    fn decides(&self, method: &str, target: &str) -> Decided {
        let Ok(request) = http::Request::builder().method(method).uri(target).body(()) else {
            return Decided::NoTarget;
        };
        let request = match CanonicalRequest::new(request.into_parts().0, OLDEST_SAFE_API) {
            Ok(request) => Arc::new(request),
            Err(violation) => return Decided::Invalid(violation),
        };
        let asked = Asked {
            request,
            client: Arc::clone(&self.client),
            look_ups: Arc::clone(&self.look_ups),
        };
        match self.runtime.block_on(self.instances.ask(0, &asked)).unwrap().vote {
            Vote::Allow => Decided::Allowed,
            Vote::Deny(_) => Decided::Denied,
            Vote::Abstain => panic!("{method} {target}: the plugin always has an opinion"),
        }
    }
}
