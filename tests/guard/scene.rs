//! A daemon, and a proxy before it that allows everything but what the guard refuses.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::{Value, json};

use crate::engine::{self, Engine};
use crate::http::{Answer, Request};
use crate::proxy::{Proxy, everything};

/// Both, for one test at a time.
pub struct Scene {
    pub engine: &'static Engine,
    pub proxy: Proxy,
    _alone: MutexGuard<'static, ()>,
}

impl Scene {
    /// `None`, after a line that says why, where no daemon can run.
    pub fn new() -> Option<Self> {
        static ALONE: OnceLock<Mutex<()>> = OnceLock::new();
        let engine = engine::shared()?;
        let alone = ALONE.get_or_init(Mutex::default).lock();
        let alone = alone.unwrap_or_else(PoisonError::into_inner);
        let chain = [everything(), ("container-guard", json!({}))];
        let proxy = Proxy::with_plugins(&engine.daemon.socket(), &chain);
        Some(Self { engine, proxy, _alone: alone })
    }

    /// Sends a request to the daemon itself.
    pub fn bare(&self, line: &str, body: &str) -> Answer {
        ask(&self.engine.daemon.socket(), line, body)
    }

    /// Sends a request through the guard.
    pub fn guarded(&self, line: &str, body: &str) -> Answer {
        ask(&self.proxy.socket(), line, body)
    }

    /// What there is at the daemon: of each kind the ids, and what the running container is like.
    pub fn state(&self) -> Value {
        let ids = |line: &str, list: &str, id: &str| {
            let answer = self.bare(line, "").json();
            let things = if list.is_empty() { &answer } else { &answer[list] };
            let things = things.as_array().cloned().unwrap_or_default();
            let mut ids: Vec<_> = things.iter().map(|thing| thing[id].to_string()).collect();
            ids.sort();
            ids
        };
        let web = self.bare("GET /containers/web/json", "").json();
        json!({
            "containers": ids("GET /containers/json?all=1", "", "Id"),
            "volumes": ids("GET /volumes", "Volumes", "Name"),
            "networks": ids("GET /networks", "", "Id"),
            "images": ids("GET /images/json?all=1", "", "Id"),
            "services": ids("GET /services", "", "Version"),
            "swarm": self.bare("GET /swarm", "").json()["Version"],
            "web": [web["HostConfig"], web["ExecIDs"], web["NetworkSettings"]["Networks"]],
        })
    }
}

pub fn ask(socket: &Path, line: &str, body: &str) -> Answer {
    Request::new(line).with_body(body).ask(socket)
}
