/// What a policy says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Neither for nor against. A request on which every plugin abstains is refused.
    Abstain,
    /// For it. It goes to the daemon unless another plugin denies it.
    Allow,
    /// Against it, whatever other plugins say.
    Deny(Denial),
}

impl Verdict {
    /// [`Verdict::Allow`].
    pub fn allow() -> Self {
        Self::Allow
    }

    /// [`Verdict::Abstain`].
    pub fn abstain() -> Self {
        Self::Abstain
    }

    /// A refusal with status 403, in words for the person at the client.
    pub fn deny(message: impl Into<String>) -> Self {
        Self::Deny(Denial {
            status: 403,
            code: "denied".to_owned(),
            message: message.into(),
            hint: None,
        })
    }

    /// The same refusal with what would allow the request: `set CONTAINERS=1`. Other verdicts stay
    /// as they are.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Deny(denial) = &mut self {
            denial.hint = Some(hint.into());
        }
        self
    }

    /// The same refusal with a word for machines in the place of `denied`. Other verdicts stay as
    /// they are.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        if let Self::Deny(denial) = &mut self {
            denial.code = code.into();
        }
        self
    }
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// A short word for machines, such as `flag-not-set`.
    pub code: String,
    /// What was refused, and why.
    pub message: String,
    /// What would allow it.
    pub hint: Option<String>,
}
