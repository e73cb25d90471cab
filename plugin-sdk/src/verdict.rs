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

/// What a policy says of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It goes to the client, with the edits that were staged.
    Pass,
    /// It does not; the client gets this refusal. The daemon has done what it was asked.
    Refuse(Denial),
}

/// What a policy says of a value in an answer that is a stream of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sifted {
    /// It is passed on, byte for byte.
    Keep,
    /// It is left out.
    Drop,
    /// This JSON document is passed on in its place.
    Replace(String),
}

/// Why a request is refused, in words for the person at the client.
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

impl Verdict {
    /// [`Verdict::Allow`].
    pub fn allow() -> Self {
        Self::Allow
    }

    /// [`Verdict::Abstain`].
    pub fn abstain() -> Self {
        Self::Abstain
    }

    /// A refusal with status 403 and the code `denied`.
    pub fn deny(message: impl Into<String>) -> Self {
        Self::Deny(Denial::new(message))
    }

    /// The same refusal with another status, 400 to 599. Other verdicts stay as they are.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        self.map_denial(|denial| denial.with_status(status))
    }

    /// The same refusal with a word for machines in the place of `denied`. Other verdicts stay as
    /// they are.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        self.map_denial(|denial| denial.with_code(code))
    }

    /// The same refusal with what would allow the request: `set CONTAINERS=1`. Other verdicts stay
    /// as they are.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        self.map_denial(|denial| denial.with_hint(hint))
    }

    fn map_denial(self, change: impl FnOnce(Denial) -> Denial) -> Self {
        match self {
            Self::Deny(denial) => Self::Deny(change(denial)),
            other => other,
        }
    }
}

/// A denial is a verdict, so that a check may be a `Result<(), Denial>`.
impl From<Denial> for Verdict {
    fn from(denial: Denial) -> Self {
        Self::Deny(denial)
    }
}

impl Ruling {
    /// A refusal with status 403 and the code `denied`.
    pub fn refuse(message: impl Into<String>) -> Self {
        Self::Refuse(Denial::new(message))
    }
}

impl Denial {
    /// With status 403 and the code `denied`.
    pub fn new(message: impl Into<String>) -> Self {
        Self { status: 403, code: "denied".to_owned(), message: message.into(), hint: None }
    }

    /// The same with another status, 400 to 599.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same with a word for machines in the place of `denied`.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        Self { code: code.into(), ..self }
    }

    /// The same with what would allow the request.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
