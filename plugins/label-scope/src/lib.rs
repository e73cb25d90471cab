//! Clients see and touch only what carries their labels: containers, volumes, networks, images and
//! the things of a swarm.
//!
//! Lists and events show what is in scope, what is made gets the labels, and everything that a
//! request names (its target, the container whose network it joins, the volume that it mounts) is
//! looked up first. What is not in scope is answered as if it were not there.
//!
//! `README.md` beside this crate has the settings, an example, and what the plugin can't do.

mod answers;
mod case;
mod creation;
mod events;
mod images;
mod lists;
mod references;
mod rules;
mod scope;
mod settings;
mod stop;
mod things;

use dockgate_plugin::{
    Permission, Policy, Request, Response, Ruling, Setup, Sifted, Verdict, json,
};

pub use settings::{Images, Match, OutOfScope, Settings};

use case::Case;
use scope::Scope;
use stop::Stop;

/// The policy. It only takes away, unless it is set to allow what is in scope.
pub struct LabelScope {
    scope: Scope,
    out_of_scope: OutOfScope,
    images: Images,
    allow: bool,
}

impl Policy for LabelScope {
    type Settings = Settings;

    fn set_up(setup: &mut Setup<Settings>) -> Self {
        for (subject, message) in settings::faults(&setup.settings) {
            setup.refuse(subject, message);
        }
        let Settings { labels, match_, out_of_scope, images, allow } = &setup.settings;
        Self {
            scope: Scope::new(labels.clone(), *match_),
            out_of_scope: *out_of_scope,
            images: *images,
            allow: *allow,
        }
    }

    fn decide(&self, request: &Request) -> Verdict {
        match rules::judge(&Case { policy: self, request }) {
            Ok(()) if self.allow => Verdict::allow(),
            Ok(()) => Verdict::abstain(),
            // An answer of ours reaches the client only if the request is allowed.
            Err(Stop::Answer(status, message)) => {
                request.respond(status, &json!({ "message": message }));
                Verdict::allow()
            }
            Err(Stop::Refuse(denial)) => denial.into(),
        }
    }

    fn review(&self, request: &Request, response: &Response) -> Ruling {
        answers::review(self, request, response)
    }

    fn sift(&self, request: &Request, item: &str) -> Sifted {
        if events::is_in_scope(self, request, item) { Sifted::Keep } else { Sifted::Drop }
    }

    fn permissions(&self) -> Vec<Permission> {
        let exposes = match self.images {
            Images::Read => "what carries the labels; all images, to read",
            Images::Labelled => "what carries the labels",
        };
        vec![Permission {
            name: "labels".to_owned(),
            value: self.scope.to_string(),
            open: self.allow,
            exposes: exposes.to_owned(),
        }]
    }
}

dockgate_plugin::export!(LabelScope);
dockgate_plugin::manifest_test!(LabelScope);
dockgate_plugin::requests_test!(LabelScope);
