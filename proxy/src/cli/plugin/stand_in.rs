//! What stands in the daemon's place where a request is only tried out: it answers look-ups.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{runtime::Runtime, sync::mpsc::UnboundedReceiver};

use super::given::Found;
use crate::{
    plugin::{Daemon, LookUp},
    request::Inspect,
};

/// What stands in the daemon's place.
pub(in crate::cli) struct StandIn {
    daemon: Daemon,
    known: Arc<Known>,
}

/// What there is, and what was asked for.
#[derive(Default)]
struct Known {
    /// By the path that it is asked for with.
    found: Mutex<HashMap<String, String>>,
    looked_up: Mutex<Vec<LookedUp>>,
}

/// A look-up, and whether anything was there.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct LookedUp {
    pub path: String,
    pub found: bool,
}

impl StandIn {
    /// One that knows nothing yet, and answers on this runtime.
    pub(in crate::cli) fn new(runtime: &Runtime) -> Self {
        let (daemon, look_ups) = Daemon::new();
        let known = Arc::<Known>::default();
        runtime.spawn(answer(look_ups, Arc::clone(&known)));
        Self { daemon, known }
    }

    pub(in crate::cli) fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// Knows these things and no others, by their names and by their ids.
    pub(in crate::cli) fn fill(&self, things: &[Found]) {
        let mut found = self.known.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.clear();
        for Found { resource, name, json } in things {
            let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
            let id = resource.id(&value).unwrap_or(name);
            for name in [name, id] {
                if let Some(inspect) = Inspect::new(*resource, name) {
                    found.insert(inspect.into_uri().to_string(), json.clone());
                }
            }
        }
    }

    pub(super) fn look_ups(&self) -> Vec<LookedUp> {
        self.known.looked_up.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn forget_look_ups(&self) {
        self.known.looked_up.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Answers look-ups as long as anybody asks.
async fn answer(mut look_ups: UnboundedReceiver<LookUp>, known: Arc<Known>) {
    while let Some(look_up) = look_ups.recv().await {
        let said = known.inspect(&look_up.inspect);
        look_up.answer(Ok(said));
    }
}

impl Known {
    fn inspect(&self, inspect: &Inspect) -> Option<String> {
        let path = inspect.clone().into_uri().to_string();
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
        let look_up = LookedUp { path, found: found.is_some() };
        self.looked_up.lock().unwrap_or_else(PoisonError::into_inner).push(look_up);
        found
    }
}
