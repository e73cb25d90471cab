//! Answers without what clients need not see: values of environment variables, labels, options of
//! drivers, paths of the host, and what the host is.
//!
//! The plugin only takes away. It looks at each answer of the daemon that describes something, and
//! refuses requests by which a client would find out what is hidden or overwrite it.
//!
//! `README.md` beside this crate has the settings, and what the plugin can't do.

mod answers;
mod events;
mod names;
mod requests;
mod settings;
mod walk;

use dockgate_plugin::{
    Operation, Permission, Policy, Request, Response, Ruling, Setup, Sifted, Verdict,
};

pub use settings::{How, Mounts, Patterns, Settings, Shown};

use names::Names;
use walk::Masking;

/// The policy: what is hidden.
#[derive(Debug)]
pub struct Redaction {
    mask: String,
    /// What stands in images. Watchtower and its like leave out of a container that they make again
    /// what its image has too: two that are hidden must not look the same.
    image_mask: String,
    environment: Names,
    labels: Names,
    options: Names,
    mounts: Mounts,
    hides_host: bool,
    hides_commands: bool,
    hides_swarm: bool,
}

impl Policy for Redaction {
    type Settings = Settings;

    fn set_up(setup: &mut Setup<Settings>) -> Self {
        if !is_mask(&setup.settings.mask) {
            let words = "write 1 to 64 letters, digits and characters of -_.*<>[]";
            setup.refuse("/mask", words);
        }
        for place in settings::no_patterns(&setup.settings) {
            setup.refuse(place, "in a name only * has a meaning: any text");
        }
        let Settings { mask, environment, labels, options, mounts, host, commands, swarm } =
            &setup.settings;
        Self {
            mask: mask.clone(),
            image_mask: format!("{mask}-in-image"),
            environment: Names::new(environment, &settings::VARIABLES),
            labels: Names::new(labels, &settings::LABELS),
            options: Names::new(options, &settings::OPTIONS),
            mounts: *mounts,
            hides_host: *host == Shown::Hide,
            hides_commands: *commands == Shown::Hide,
            hides_swarm: *swarm == Shown::Hide,
        }
    }

    fn decide(&self, request: &Request) -> Verdict {
        requests::judge(self, request).map_or_else(Verdict::from, |()| Verdict::abstain())
    }

    fn review(&self, request: &Request, response: &Response) -> Ruling {
        answers::review(self, request, response)
    }

    fn sift(&self, request: &Request, item: &str) -> Sifted {
        match request.operation() {
            Operation::SystemEvents => self.masking().event(request, item),
            _ => self.masking().wait(item),
        }
    }

    fn permissions(&self) -> Vec<Permission> {
        let shown = |hidden: bool| if hidden { "hidden" } else { "shown" }.to_owned();
        let mounts = self.mounts != Mounts::Show;
        [
            ("environment", self.environment.words(), "the values of variables"),
            ("labels", self.labels.words(), "the values of labels"),
            ("options", self.options.words(), "the options of drivers"),
            ("mounts", shown(mounts), "paths of the host"),
            ("host", shown(self.hides_host), "the host's name, kernel, addresses and registries"),
            ("commands", shown(self.hides_commands), "command lines"),
            ("swarm", shown(self.hides_swarm), "tokens of the swarm, and configs"),
        ]
        .into_iter()
        .map(|(name, value, exposes)| Permission {
            name: name.to_owned(),
            value,
            open: false,
            exposes: exposes.to_owned(),
        })
        .collect()
    }
}

impl Redaction {
    fn masking(&self) -> Masking<'_> {
        Masking { policy: self, mask: &self.mask }
    }

    fn masking_images(&self) -> Masking<'_> {
        Masking { policy: self, mask: &self.image_mask }
    }

    /// Whether what is hidden of a definition may be left out of it.
    fn removes(&self) -> bool {
        self.environment.are_removed()
            || self.labels.are_removed()
            || self.options.are_removed()
            || self.mounts == Mounts::Remove
    }
}

/// Whether a mask is told apart from what stands around it in `NAME=value` and `source:target`.
fn is_mask(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*<>[]".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

dockgate_plugin::export!(Redaction);
dockgate_plugin::manifest_test!(Redaction);
dockgate_plugin::requests_test!(Redaction);
