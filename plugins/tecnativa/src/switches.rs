//! The flags as they are set.

use dockgate_plugin::Environment;

use crate::{
    dialect::Dialect,
    flags::{Flag, Rule},
    value::counts,
};

/// All flags of a dialect, each with its value.
pub(crate) struct Switches {
    pub(crate) dialect: Dialect,
    all: Vec<Switch>,
}

/// A flag and its value.
pub(crate) struct Switch {
    pub(crate) flag: &'static Flag,
    /// None where the variable is not set.
    pub(crate) value: Option<String>,
    pub(crate) on: bool,
}

/// What comes of a flag among the others.
pub(crate) enum Effect {
    /// It is off.
    Off,
    /// It is on, and nothing comes of it without this.
    Inert { needs: &'static str },
    /// It allows something that the daemon knows.
    Open,
}

impl Switches {
    pub(crate) fn new(dialect: Dialect, environment: &Environment) -> Self {
        let switch = |flag: &'static Flag| {
            let value = environment.get(flag.name).map(str::to_owned);
            let on = value.as_deref().map_or(flag.default, counts);
            Switch { flag, value, on }
        };
        Self { dialect, all: dialect.flags().map(switch).collect() }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Switch> {
        self.all.iter()
    }

    pub(crate) fn on(&self, name: &str) -> bool {
        self.all.iter().any(|switch| switch.on && switch.flag.name == name)
    }

    pub(crate) fn effect(&self, switch: &Switch) -> Effect {
        let needs = |open: bool, needs| if open { Effect::Open } else { Effect::Inert { needs } };
        match switch.flag.rule {
            _ if !switch.on => Effect::Off,
            Rule::Methods => Effect::Open,
            Rule::Section(_) => needs(switch.flag.reads.is_some() || self.on("POST"), "POST=1"),
            Rule::Verbs { .. } => {
                needs(self.dialect == Dialect::LinuxServer || self.on("POST"), "POST=1")
            }
            Rule::Lifts(_) => {
                let sections = ["CONTAINERS", "LIBPOD_CONTAINERS", "LIBPOD_PODS"];
                needs(sections.iter().any(|section| self.on(section)), "CONTAINERS=1")
            }
        }
    }
}
