//! Rules for those who want no code: the first that is for a request decides, by its operation,
//! method, path, and a condition in CEL about the query, the body and the client.
//!
//! `README.md` beside this crate has the settings and examples.

mod condition;
mod facts;
mod operations;
mod rule;
mod settings;

use std::collections::BTreeSet;

use dockgate_plugin::{Permission, Policy, Request, Setup, Verdict};

pub use settings::{Otherwise, Settings, WrittenRule};

use condition::Language;
use facts::Facts;
use rule::{Judgement, Rule};

/// The policy.
pub struct Rules {
    in_order: Vec<Rule>,
    otherwise: Otherwise,
}

impl Policy for Rules {
    type Settings = Settings;

    fn set_up(setup: &mut Setup<Settings>) -> Self {
        let rules = match Language::new() {
            Ok(language) => compile(setup, &language),
            Err(words) => {
                setup.refuse("", words);
                Vec::new()
            }
        };
        Self { in_order: rules, otherwise: setup.settings.otherwise }
    }

    fn decide(&self, request: &Request) -> Verdict {
        let facts = Facts::of(request);
        let mut unclear = None;
        for rule in &self.in_order {
            match rule.judge(&facts) {
                Judgement::Passes => {}
                Judgement::Allows => return Verdict::allow(),
                Judgement::Denies(denial) => return denial.into(),
                Judgement::Unclear(why) => unclear = unclear.or(Some(why)),
            }
        }
        match self.otherwise {
            Otherwise::Abstain => Verdict::abstain(),
            Otherwise::Deny => {
                let operation = request.operation_name();
                let why = unclear.unwrap_or_else(|| "no rule is for it".to_owned());
                Verdict::deny(format!("{operation} is not allowed: {why}"))
                    .with_code("no-rule")
                    .with_hint(format!("write a rule that allows {operation}"))
            }
        }
    }

    fn permissions(&self) -> Vec<Permission> {
        self.in_order.iter().map(Rule::overview).collect()
    }
}

/// Makes rules of what is written, and reports what is wrong with them.
fn compile(setup: &mut Setup<Settings>, language: &Language) -> Vec<Rule> {
    if setup.settings.rules.is_empty() {
        setup.refuse("/rules", "write at least one rule");
    }
    let written = setup.settings.rules.clone();
    let mut rules = Vec::new();
    let mut decided = BTreeSet::new();
    for (at, written) in written.iter().enumerate() {
        match Rule::new(at + 1, written, language) {
            Ok(rule) => {
                if rule.operations().is_subset(&decided) {
                    let words = "it is never asked: the rules before it decide its operations";
                    setup.warn(format!("/rules/{at}"), words);
                }
                if rule.is_unconditional() {
                    decided.extend(rule.operations().iter().copied());
                }
                rules.push(rule);
            }
            Err(faults) => {
                for (place, words) in faults {
                    setup.refuse(format!("/rules/{at}{place}"), words);
                }
            }
        }
    }
    rules
}

dockgate_plugin::export!(Rules);
dockgate_plugin::manifest_test!(Rules);
dockgate_plugin::requests_test!(Rules);
