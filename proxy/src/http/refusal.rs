//! Refusals as a client of Docker shows them: `{"message": "dockgate: …"}`.

use bytes::Bytes;
use http::StatusCode;

use super::{
    upstream,
    wire::{Closed, HEADERS},
};
use crate::{
    chain::{Denial, Failure, Refusal},
    log::Outcome,
    request::CanonicalRequest,
};

/// A refusal in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The HTTP status.
    pub status: StatusCode,
    /// For the log.
    pub outcome: Outcome,
    /// For the person, without the "dockgate: ".
    pub message: String,
}

impl Words {
    /// Of a request that breaks a rule of one meaning.
    pub fn invalid(message: &impl ToString) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            outcome: Outcome::Invalid,
            message: message.to_string(),
        }
    }

    /// Of a request for which there is no chain.
    pub fn no_chain(request: &CanonicalRequest) -> Self {
        let what = asked(request);
        Self {
            status: StatusCode::FORBIDDEN,
            outcome: Outcome::Deny,
            message: format!(
                "{what} is not allowed: no chain of the configuration is for it and this client"
            ),
        }
    }

    /// Of a refusal by the chain; `plugin` is the name of the one that settled it, `chain` that of
    /// the chain where there are several.
    pub fn refused(
        refusal: Refusal,
        request: &CanonicalRequest,
        plugin: &str,
        chain: Option<&str>,
    ) -> Self {
        let what = asked(request);
        let fault =
            |message| Self { status: StatusCode::FORBIDDEN, outcome: Outcome::Fault, message };
        match refusal {
            Refusal::Denied { denial, .. } => Self::denied(&denial),
            Refusal::Failed { failure: failure @ Failure::LookUp(_), .. } => Self {
                status: StatusCode::BAD_GATEWAY,
                outcome: Outcome::Fault,
                message: format!("{what} can't be decided by the plugin {plugin}: {failure}"),
            },
            Refusal::NobodyAllowed => Self {
                status: StatusCode::FORBIDDEN,
                outcome: Outcome::Deny,
                message: match chain {
                    None => format!("{what} is not allowed: no plugin of the chain allows it"),
                    Some(chain) => {
                        format!("{what} is not allowed: no plugin of the chain {chain:?} allows it")
                    }
                },
            },
            Refusal::Failed { failure, .. } => {
                fault(format!("{what} is refused, since the plugin {plugin} failed: {failure}"))
            }
            Refusal::Restless { .. } => {
                fault(format!("{what} is refused, since the plugin {plugin} goes on changing it"))
            }
        }
    }

    /// Of what a plugin denies.
    pub(super) fn denied(denial: &Denial) -> Self {
        Self {
            status: StatusCode::from_u16(denial.status).unwrap_or(StatusCode::FORBIDDEN),
            outcome: Outcome::Deny,
            message: denial.words(),
        }
    }

    /// Of a request whose body a plugin is to read, and that is too large or finds no room.
    pub(super) fn not_held(status: StatusCode, message: String) -> Self {
        Self { status, outcome: Outcome::Invalid, message }
    }

    /// Of an answer that a plugin is to see and can't.
    pub(super) fn unreadable(why: &str) -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            outcome: Outcome::Fault,
            message: format!("the answer of the Docker daemon is not sent, since {why}"),
        }
    }

    /// Of an answer about which a plugin failed.
    pub(super) fn not_sent(failure: &Failure, plugin: &str) -> Self {
        Self::unreadable(&format!("the plugin {plugin} failed: {failure}"))
    }

    /// Of a request that was allowed, and to which the daemon gives no answer.
    pub(super) fn unanswered(failure: &upstream::Failure) -> Self {
        let status = match failure {
            upstream::Failure::Body(_) => return Self::invalid(failure),
            upstream::Failure::Slow { .. } => StatusCode::GATEWAY_TIMEOUT,
            upstream::Failure::Away { .. }
            | upstream::Failure::Broken(_)
            | upstream::Failure::Switched => StatusCode::BAD_GATEWAY,
        };
        Self { status, outcome: Outcome::Unanswered, message: failure.to_string() }
    }

    /// Of a connection that is closed on a client.
    pub(super) fn closed(closed: &Closed) -> Self {
        let words = |status, message| Self { status, outcome: Outcome::Invalid, message };
        match closed {
            Closed::Violation(violation) => Self::invalid(violation),
            Closed::Slow(time) => words(
                StatusCode::REQUEST_TIMEOUT,
                format!(
                    "the head of the request did not come within {} seconds",
                    time.as_secs_f32()
                ),
            ),
            Closed::Large(limit) => words(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                format!("the head of the request is larger than the limit of {limit} bytes"),
            ),
            Closed::ManyHeaders => words(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                format!("the request has more than {HEADERS} headers"),
            ),
        }
    }

    /// Whether a plugin failed.
    pub fn is_fault(&self) -> bool {
        self.outcome == Outcome::Fault
    }

    /// The body, as Docker's clients read it.
    pub(super) fn body(&self) -> Bytes {
        let message = format!("dockgate: {}", self.message);
        let mut body = serde_json::json!({ "message": message }).to_string();
        body.push('\n');
        body.into()
    }
}

/// What was asked, in a few words.
fn asked(request: &CanonicalRequest) -> String {
    format!("{} ({} {})", request.operation(), request.method(), request.path())
}
