//! The daemon that all teams share, a swarm of one node where that works.

use std::sync::OnceLock;

use crate::daemon::{self, Daemon, skip};

/// A daemon, and whether it is a swarm.
pub struct Engine {
    pub daemon: Daemon,
    pub is_swarm: bool,
}

/// The one of this test program. `None`, after a line that says why, where no daemon can run.
pub fn shared() -> Option<&'static Engine> {
    static SHARED: OnceLock<Engine> = OnceLock::new();
    daemon::can_run().then(|| SHARED.get_or_init(start))
}

fn start() -> Engine {
    let daemon = Daemon::start();
    let outcome = daemon.shell().run("docker swarm init --advertise-addr 127.0.0.1");
    let is_swarm = outcome.status == Some(0);
    if !is_swarm {
        skip(&format!("services, tasks, nodes, secrets and configs: no swarm here:\n{outcome}"));
    }
    Engine { daemon, is_swarm }
}
