//! The environment flags of `tecnativa/docker-socket-proxy`, and of LinuxServer's sibling of it.

use dockgate_plugin::{NoSettings, Policy, Request, Setup, Verdict};

/// The policy.
pub struct Tecnativa;

impl Policy for Tecnativa {
    type Settings = NoSettings;

    fn set_up(_setup: &mut Setup<NoSettings>) -> Self {
        Tecnativa
    }

    fn decide(&self, _request: &Request) -> Verdict {
        Verdict::allow()
    }
}

dockgate_plugin::export!(Tecnativa);
