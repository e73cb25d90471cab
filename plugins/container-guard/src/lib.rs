//! What is made or changed through the API can't become root on the host: no privileged containers,
//! no files, devices and namespaces of the host, nothing that loosens what confines a container.
//!
//! Each setting opens something; without any all of it is closed. It only takes away: what is in
//! order is left to other plugins. What it is set to force is put into what is made.
//!
//! `README.md` beside this crate has the settings, `docs/threat-model.md` every way to the host that
//! is known, with the test that shows it closed.

mod builds;
mod capabilities;
mod case;
mod containers;
mod device_rule;
mod force;
mod host_config;
mod mounts;
mod namespaces;
mod networks;
mod operations;
mod paths;
mod ports;
mod security;
mod services;
mod settings;
mod volumes;

use dockgate_plugin::{Permission, Policy, Request, Setup, Verdict};

pub use capabilities::Capability;
pub use device_rule::DeviceRule;
pub use paths::HostPath;
pub use settings::{
    Force, Namespace, Ports, Settings, Size, TmpfsOption, UnknownFields, VolumeType,
};

use case::Case;

/// The policy. It denies or abstains, and never allows.
pub struct ContainerGuard {
    settings: Settings,
}

impl Policy for ContainerGuard {
    type Settings = Settings;

    fn set_up(setup: &mut Setup<Settings>) -> Self {
        let settings = setup.settings.clone();
        for (subject, message) in settings.faults() {
            setup.refuse(subject, message);
        }
        for (subject, message) in settings.hazards() {
            setup.warn(subject, message);
        }
        Self { settings }
    }

    fn decide(&self, request: &Request) -> Verdict {
        let mut case = Case::new(&self.settings, request);
        operations::judge(&mut case);
        match case.into_denial() {
            Some(denial) => denial.into(),
            None => Verdict::abstain(),
        }
    }

    fn permissions(&self) -> Vec<Permission> {
        self.settings.permissions()
    }
}

dockgate_plugin::export!(ContainerGuard);
dockgate_plugin::manifest_test!(ContainerGuard);
dockgate_plugin::requests_test!(ContainerGuard);
