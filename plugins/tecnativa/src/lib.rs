//! The environment flags of `tecnativa/docker-socket-proxy`, and of LinuxServer's sibling of it.
//!
//! Each flag opens a section of the API (`CONTAINERS=1`: all below `/containers`) to GET and HEAD,
//! and `POST=1` lets every other method through on what is open. LinuxServer's image reads more
//! flags, and some of the shared ones in another way: the setting `dialect` says whose are meant.
//!
//! Every verdict is that of HAProxy with the configuration of the image: paths are matched by their
//! beginning, and values are read as numbers. The verdicts in `tests/conformance` hold it to that.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod advice;
mod dialect;
mod flags;
mod names;
mod overview;
mod path;
mod refusal;
mod rules;
mod switches;
mod value;

use dockgate_plugin::{
    Permission, Policy, Request, Setup, Verdict,
    schemars::{self, JsonSchema},
};
use serde::Deserialize;

pub use dialect::DialectSetting;

use rules::Rules;
use switches::Switches;

/// The policy.
pub struct Tecnativa {
    switches: Switches,
    rules: Rules,
}

/// What may be configured besides the flags.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Whose flags are meant.
    pub dialect: DialectSetting,
}

impl Policy for Tecnativa {
    type Settings = Settings;

    fn set_up(setup: &mut Setup<Settings>) -> Self {
        let dialect = setup.settings.dialect.in_environment(setup.environment());
        let switches = Switches::new(dialect, setup.environment());

        let set = setup.environment().names();
        let others = setup.other_names().iter().map(String::as_str);
        let on_names = names::on_names(dialect, set, others);
        for (name, words) in advice::on_switches(&switches).into_iter().chain(on_names) {
            setup.warn(name, words);
        }

        let rules = Rules::new(&switches);
        Self { switches, rules }
    }

    fn decide(&self, request: &Request) -> Verdict {
        if self.rules.permit(request.method(), request.path()) {
            Verdict::allow()
        } else {
            refusal::refusal(&self.switches, request)
        }
    }

    fn permissions(&self) -> Vec<Permission> {
        overview::permissions(&self.switches)
    }
}

dockgate_plugin::export!(Tecnativa);
dockgate_plugin::manifest_test!(Tecnativa);
