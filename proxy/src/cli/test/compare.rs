//! What is expected of a request, and what became of it.

use serde_json::Value;

use super::super::plugin::{After, Difference};
use crate::explain::{Explained, Explanation, Outcome};

/// What is expected. What is not said may be anything.
pub(super) struct Expected {
    pub decision: Outcome,
    pub chain: Option<String>,
    pub plugin: Option<String>,
    pub status: Option<u16>,
    pub says: Option<String>,
    pub sent: Option<After>,
}

impl Expected {
    /// How what became of a request differs. Where the decision is another, the rest is so only
    /// because of that, but for the chain.
    pub(super) fn compare(&self, Explained { told, sent }: &Explained) -> Vec<Difference> {
        let chosen = told.chains.iter().find(|tried| tried.fails.is_none());
        let chain = differs("the chain", self.chain.as_deref(), chosen.map(|tried| &*tried.chain));
        if self.decision != told.decision {
            let seen = match answer(told) {
                Some(answer) => format!("{}: {answer}", word(told.decision)),
                None => word(told.decision).to_owned(),
            };
            let decision = differs("the decision", Some(word(self.decision)), Some(&seen));
            return decision.into_iter().chain(chain).collect();
        }
        let plugin = differs("the plugin", self.plugin.as_deref(), told.plugin.as_deref());
        let status = self.status.and_then(|expected| {
            Difference::between("the status", Some(expected.into()), told.status.map(Value::from))
        });
        let mut found: Vec<_> = [chain, plugin, status].into_iter().flatten().collect();
        found.extend(self.says.as_deref().and_then(|says| spoken(says, told)));
        if let (Some(expected), Some(sent)) = (&self.sent, sent) {
            found.extend(expected.differences(sent).unwrap_or_else(|words| {
                // The table wants what no request can be.
                Difference::between("the body", Some(words.into()), None).into_iter().collect()
            }));
        }
        found
    }
}

fn differs(what: &str, expected: Option<&str>, seen: Option<&str>) -> Option<Difference> {
    Difference::between(what, Some(expected?.into()), seen.map(Value::from))
}

/// Where the client is not told these words.
fn spoken(says: &str, told: &Explanation) -> Option<Difference> {
    let words = told.message.clone().or(told.reply.as_ref().map(Value::to_string));
    let is_said = words.as_ref().is_some_and(|words| words.contains(says));
    let expected = format!("… {says} …");
    (!is_said)
        .then(|| Difference::between("the words", Some(expected.into()), words.map(Value::from)))?
}

/// What the client gets that is not the daemon's.
fn answer(told: &Explanation) -> Option<String> {
    let words = told.message.clone().or(told.reply.as_ref().map(Value::to_string))?;
    Some(format!("{} {words}", told.status?))
}

fn word(decision: Outcome) -> &'static str {
    match decision {
        Outcome::Allow => "allow",
        Outcome::Deny => "deny",
        Outcome::Respond => "respond",
        Outcome::Invalid => "invalid",
        Outcome::Fault => "a plugin that fails",
    }
}
