//! The decision.

use crate::{
    dialect::Dialect,
    flags::Rule,
    path::{Resource, SubPath, starts_with},
    switches::Switches,
};

/// What the flags come to, made for a quick answer.
pub(crate) struct Rules {
    dialect: Dialect,
    /// Whether other methods than GET and HEAD pass.
    every_method: bool,
    /// How open paths begin.
    sections: Vec<&'static str>,
    /// How open sub-paths begin.
    verbs: Vec<(&'static [Resource], &'static str)>,
    /// How refused sub-paths begin.
    refused: Vec<&'static str>,
}

impl Rules {
    pub(crate) fn new(switches: &Switches) -> Self {
        let mut rules = Self {
            dialect: switches.dialect,
            every_method: false,
            sections: Vec::new(),
            verbs: Vec::new(),
            refused: Vec::new(),
        };
        for switch in switches.iter() {
            match switch.flag.rule {
                Rule::Lifts(start) if !switch.on => rules.refused.push(start),
                Rule::Section(start) if switch.on => rules.sections.push(start),
                Rule::Verbs { of, verbs } if switch.on => {
                    rules.verbs.extend(verbs.iter().map(|verb| (of, *verb)));
                }
                Rule::Methods => rules.every_method = switch.on,
                _ => {}
            }
        }
        rules
    }

    /// Whether a request passes, by the order of the rules in the haproxy.cfg of either image.
    pub(crate) fn permit(&self, method: &str, path: &str) -> bool {
        let sub_path = SubPath::of(path);
        let method = self.every_method || is_read(method);
        match self.dialect {
            Dialect::Tecnativa => method && (self.opens_verb(sub_path) || self.opens_section(path)),
            Dialect::LinuxServer => {
                !self.refuses(sub_path)
                    && (self.opens_verb(sub_path) || (method && self.opens_section(path)))
            }
        }
    }

    fn opens_section(&self, path: &str) -> bool {
        self.sections.iter().any(|section| starts_with(path, section))
    }

    fn opens_verb(&self, sub_path: Option<SubPath>) -> bool {
        sub_path.is_some_and(|sub_path| {
            let is_meant = |(of, verb): &(&[Resource], &str)| {
                of.contains(&sub_path.of) && starts_with(sub_path.rest, verb)
            };
            self.verbs.iter().any(is_meant)
        })
    }

    fn refuses(&self, sub_path: Option<SubPath>) -> bool {
        sub_path.is_some_and(|sub_path| {
            self.refused.iter().any(|start| starts_with(sub_path.rest, start))
        })
    }
}

/// HAProxy's `METH_GET` takes HEAD for GET, and compares methods as they are.
pub(crate) fn is_read(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}
