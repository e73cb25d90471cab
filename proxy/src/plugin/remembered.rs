//! Answers that a plugin gave before.
//!
//! A plugin keeps nothing from one request to the next (`wit/filter.wit`). One that answered without
//! calling the proxy therefore answered by the head of the request alone, and has one answer to that
//! head. Programs ask the same few things again and again, so most calls are saved; what they cost
//! is in `BENCHMARKS.md`.

use std::collections::HashMap;

use http::Method;

use crate::{
    chain::Vote,
    request::{ApiVersion, CanonicalRequest},
};

/// How many answers are kept before all are forgotten: more than a program's usual questions, and
/// little memory for one that never asks the same.
const KEPT: usize = 256;
/// How long method and path may be together whose answer is kept, in bytes.
const KEPT_PATH: usize = 256;

/// How long the words of a denial may be that is kept, in bytes.
const KEPT_WORDS: usize = 1024;

/// Answers of one plugin.
#[derive(Default)]
pub(super) struct Remembered {
    by_path: HashMap<Box<str>, Vec<Known>>,
    kept: usize,
}

/// What the head of a request has besides its path; operation, target and body follow from these.
struct Known {
    method: Method,
    version: Option<ApiVersion>,
    vote: Vote,
}

impl Remembered {
    /// The answer that a request had before.
    pub(super) fn vote(&self, request: &CanonicalRequest) -> Option<&Vote> {
        let known = self.by_path.get(request.path())?.iter();
        known
            .into_iter()
            .find(|known| known.method == request.method() && known.version == request.version())
            .map(|known| &known.vote)
    }

    /// Keeps the answer to a request.
    pub(super) fn keep(&mut self, request: &CanonicalRequest, vote: Vote) {
        if request.method().as_str().len() + request.path().len() > KEPT_PATH || is_long(&vote) {
            return;
        }
        if self.kept == KEPT {
            *self = Self::default();
        }
        let known = Known { method: request.method().clone(), version: request.version(), vote };
        self.by_path.entry(request.path().into()).or_default().push(known);
        self.kept += 1;
    }
}

/// A denial in more words than are worth keeping.
fn is_long(vote: &Vote) -> bool {
    let Vote::Deny(denial) = vote else { return false };
    let hint = denial.hint.as_ref().map_or(0, String::len);
    denial.code.len() + denial.message.len() + hint > KEPT_WORDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chain::Denial, request::OLDEST_SAFE_API};

    fn request(method: &str, target: &str) -> CanonicalRequest {
        let request = http::Request::builder().method(method).uri(target).body(()).unwrap();
        CanonicalRequest::new(request.into_parts().0, OLDEST_SAFE_API).unwrap()
    }

    #[test]
    fn an_answer_is_for_the_whole_head_and_no_other() {
        let mut remembered = Remembered::default();
        remembered.keep(&request("GET", "/v1.41/containers/json"), Vote::Allow);
        for (method, target, known) in [
            ("GET", "/v1.41/containers/json", true),
            ("GET", "/v1.41/containers/json?all=1", true),
            ("HEAD", "/v1.41/containers/json", false),
            ("GET", "/v1.42/containers/json", false),
            ("GET", "/containers/json", false),
            ("GET", "/v1.41/containers/x/json", false),
        ] {
            let vote = remembered.vote(&request(method, target));
            assert_eq!(vote.is_some(), known, "{method} {target}");
        }
    }

    #[test]
    fn what_is_kept_has_an_end() {
        let mut remembered = Remembered::default();
        for n in 0..10_000 {
            remembered.keep(&request("GET", &format!("/v1.{n}/x", n = 24 + n)), Vote::Allow);
            assert!(remembered.kept <= KEPT);
        }
        let long = request("GET", &format!("/{}", "x".repeat(KEPT_PATH)));
        remembered.keep(&long, Vote::Allow);
        assert_eq!(remembered.vote(&long), None);
        let long = request(&"X".repeat(KEPT_PATH), "/x");
        remembered.keep(&long, Vote::Allow);
        assert_eq!(remembered.vote(&long), None);
        let wordy =
            Denial { status: 403, code: "no".into(), message: "x".repeat(KEPT_WORDS), hint: None };
        remembered.keep(&request("GET", "/x"), Vote::Deny(wordy));
        assert_eq!(remembered.vote(&request("GET", "/x")), None);
    }
}
