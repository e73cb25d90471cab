//! What reached the engine, for those who put something in front of it.

use std::collections::VecDeque;
use std::sync::Mutex;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};

use crate::locked;

/// One request as the engine received it.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method.
    pub method: Method,
    /// The request target as written, query included; without a `#` and what follows it, which
    /// the HTTP library drops.
    pub target: String,
    /// The headers; their names are in lower case, their order is kept within a name.
    pub headers: HeaderMap,
    /// What has arrived of the body so far, at most its first [`Received::BODY_KEPT`] bytes.
    pub body: Vec<u8>,
    /// How much of the body has arrived so far.
    pub body_len: u64,
}

impl Received {
    /// How many requests are remembered.
    pub const KEPT: usize = 128;
    /// How much of each body is remembered.
    pub const BODY_KEPT: usize = 64 * 1024;
}

/// Remembers the latest requests. A request is there from its head on, its body as it arrives.
#[derive(Default)]
pub(crate) struct Requests {
    latest: Mutex<(u64, VecDeque<Received>)>,
}

/// Which request a part of a body belongs to.
#[derive(Clone, Copy)]
pub(crate) struct RequestNumber(u64);

impl Requests {
    pub(crate) fn arrived(&self, head: &Parts) -> RequestNumber {
        let (count, kept) = &mut *locked(&self.latest);
        if kept.len() == Received::KEPT {
            kept.pop_front();
        }
        kept.push_back(Received {
            method: head.method.clone(),
            target: head.uri.to_string(),
            headers: head.headers.clone(),
            body: Vec::new(),
            body_len: 0,
        });
        *count += 1;
        RequestNumber(*count)
    }

    pub(crate) fn body_arrived(&self, number: RequestNumber, data: &Bytes) {
        let (count, kept) = &mut *locked(&self.latest);
        let from_end = usize::try_from(*count - number.0).unwrap_or(usize::MAX);
        let Some(request) = kept.iter_mut().nth_back(from_end) else { return };
        let room = Received::BODY_KEPT - request.body.len();
        request.body.extend_from_slice(&data[..data.len().min(room)]);
        request.body_len += data.len() as u64;
    }

    pub(crate) fn count(&self) -> u64 {
        locked(&self.latest).0
    }

    pub(crate) fn latest(&self) -> Vec<Received> {
        locked(&self.latest).1.iter().cloned().collect()
    }
}
