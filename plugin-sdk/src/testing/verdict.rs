//! Saying what is expected of a policy.

use crate::{Denial, Verdict};

/// Expectations. Only for native tests.
impl Verdict {
    /// # Panics
    /// Where it is another verdict.
    #[track_caller]
    pub fn assert_allowed(&self) {
        assert_eq!(*self, Verdict::Allow);
    }

    /// # Panics
    /// Where it is another verdict.
    #[track_caller]
    pub fn assert_abstained(&self) {
        assert_eq!(*self, Verdict::Abstain);
    }

    /// That it is a denial with these words in its message or its hint.
    ///
    /// # Panics
    /// Where it is another verdict, or has other words.
    #[track_caller]
    pub fn assert_denied_with(&self, words: &str) -> &Denial {
        let Verdict::Deny(denial) = self else { panic!("it is not denied: {self:?}") };
        let said = denial.words();
        assert!(said.contains(words), "it is denied with other words than {words:?}: {said}");
        denial
    }
}

impl Denial {
    /// Message and hint, as the client reads them.
    pub fn words(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}: {hint}", self.message),
            None => self.message.clone(),
        }
    }
}
