//! Why something did not come from a registry, or did not get there.

use oci_client::errors::{OciDistributionError, OciError, OciErrorCode};
use serde::{Deserialize, Serialize};

use super::{Reference, credentials::Credentials};

/// Why something did not come from a registry, or did not get there, in words for the person who
/// asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The registry is not to be reached now: what was known of it before may still be so.
    #[error("{0}")]
    Unreachable(String),
    /// The registry says no, or what it has is not what was asked for.
    #[error("{0}")]
    Refused(String),
}

/// How much of a registry's own words is shown.
const SHOWN: usize = 300;

impl Failure {
    /// Of what the client of registries says.
    pub(super) fn of(
        error: OciDistributionError,
        reference: &Reference,
        credentials: &Credentials,
    ) -> Self {
        let host = reference.host();
        match error {
            OciDistributionError::UnauthorizedError { .. }
            | OciDistributionError::AuthenticationFailure(_)
            | OciDistributionError::ServerError { code: 401 | 403, .. } => {
                Self::Refused(credentials.denied(host))
            }
            OciDistributionError::RegistryError { envelope, .. } => {
                Self::said(envelope.errors.into_iter().next(), reference, credentials)
            }
            OciDistributionError::ServerError { code: 404, .. } => Self::missing(reference),
            OciDistributionError::ServerError { code, message, .. } => {
                let words = format!("{host} answers with {code}: {}", shown(&message));
                if code < 500 { Self::Refused(words) } else { Self::Unreachable(words) }
            }
            OciDistributionError::RequestError(error) => Self::unreachable(host, &error),
            OciDistributionError::DigestError(error) => Self::Refused(format!(
                "what {host} sends is not what was asked for: {}",
                shown(&error.to_string())
            )),
            other => Self::Refused(shown(&other.to_string())),
        }
    }

    /// Of an error in the registry's own terms.
    fn said(error: Option<OciError>, reference: &Reference, credentials: &Credentials) -> Self {
        let host = reference.host();
        let code = error.as_ref().map(|error| &error.code);
        match code {
            Some(OciErrorCode::Unauthorized | OciErrorCode::Denied) => {
                Self::Refused(credentials.denied(host))
            }
            Some(
                OciErrorCode::ManifestUnknown | OciErrorCode::NameUnknown | OciErrorCode::NotFound,
            ) => Self::missing(reference),
            Some(OciErrorCode::Toomanyrequests) => {
                Self::Unreachable(format!("{host} is asked too often: try again later"))
            }
            _ => {
                let words = error.map(|error| error.message).unwrap_or_default();
                Self::Refused(format!("{host} says: {}", shown(&words)))
            }
        }
    }

    fn missing(reference: &Reference) -> Self {
        Self::Refused(format!("{} has no {}", reference.host(), reference.named()))
    }

    fn unreachable(host: &str, error: &dyn std::error::Error) -> Self {
        let certificate = chain(error).find(|words| words.contains("certificate"));
        Self::Unreachable(match certificate {
            Some(why) => format!(
                "{host} does not show who it is: {why}; name the file with the certificate of its \
                 authority in SSL_CERT_FILE"
            ),
            None => format!("{host} can't be reached: {}", chain(error).last().unwrap_or_default()),
        })
    }
}

/// An error, and what is behind it.
fn chain(error: &dyn std::error::Error) -> impl Iterator<Item = String> {
    std::iter::successors(error.source(), |&error| error.source()).map(ToString::to_string)
}

/// What a registry says is whatever it likes: a line for a terminal.
fn shown(words: &str) -> String {
    let printable = words.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(SHOWN).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_words_do_not_move_the_cursor() {
        let error = OciDistributionError::ServerError {
            code: 400,
            url: String::new(),
            message: format!("\x1b[2J{}", "a\n".repeat(500)),
        };
        let reference = "oci://ghcr.io/team/policy:1".parse().unwrap();
        let said = Failure::of(error, &reference, &Credentials::none()).to_string();
        assert!(said.len() < 400 && !said.contains(char::is_control), "{said:?}");
    }
}
