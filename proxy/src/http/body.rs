//! The body of an answer to a client, and the record that is written when it has gone.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{gather::Place, sieve::Sieve, upstream::Leased, wire::Control};
use crate::log::{self, Outcome, Record};

/// The body of an answer. When it is dropped, sent or not, the exchange is over.
pub(super) struct Answer {
    source: Source,
    exchange: Exchange,
}

enum Source {
    /// Ours, in one piece.
    Own(Option<Bytes>),
    /// The daemon's, in one piece, which holds a place in the room for such.
    Held(Option<Bytes>, #[allow(dead_code, reason = "it is held until it is dropped")] Place),
    /// The daemon's, as it comes.
    Daemon(Leased),
    /// The daemon's, value by value, as plugins let them through.
    Sifted(Sieve),
}

/// Why an answer does not come to its end. The connection to the client is then broken off, so that
/// nobody takes a part for the whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The daemon broke off.
    #[error(transparent)]
    Daemon(hyper::Error),
    /// We did.
    #[error("{0}")]
    Cut(String),
}

impl Broken {
    pub(super) fn cut(why: &str) -> Self {
        Self::Cut(format!("the answer was cut, since {why}"))
    }
}

/// An exchange that is under way: its record, and the wire that waits for its end.
pub(super) struct Exchange {
    /// What will be logged.
    pub record: Record,
    /// When it began.
    pub begun: Instant,
    /// The client's wire.
    pub wire: Rc<Control>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.record.duration = self.begun.elapsed();
        log::record(&self.record);
        self.wire.next_request();
    }
}

impl Answer {
    /// Of our own.
    pub(super) fn own(bytes: Bytes, exchange: Exchange) -> Self {
        Self { source: Source::Own(Some(bytes).filter(|bytes| !bytes.is_empty())), exchange }
    }

    /// The daemon's, which was held while plugins read it.
    pub(super) fn held(bytes: Bytes, place: Place, exchange: Exchange) -> Self {
        let bytes = Some(bytes).filter(|bytes| !bytes.is_empty());
        Self { source: Source::Held(bytes, place), exchange }
    }

    /// The daemon's, value by value.
    pub(super) fn sifted(sieve: Sieve, exchange: Exchange) -> Self {
        Self { source: Source::Sifted(sieve), exchange }
    }

    /// The daemon's.
    pub(super) fn daemon(leased: Leased, exchange: Exchange) -> Self {
        Self { source: Source::Daemon(leased), exchange }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let answer = self.get_mut();
        let frame = match &mut answer.source {
            Source::Own(bytes) | Source::Held(bytes, _) => {
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            Source::Daemon(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(Broken::Daemon))),
            Source::Sifted(sieve) => sieve.poll_frame(cx),
        };
        if let Poll::Ready(Some(Err(Broken::Cut(why)))) = &frame {
            answer.exchange.record.verdict = Outcome::Fault;
            answer.exchange.record.reason = Some(why.clone());
        }
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            answer.exchange.record.bytes += data.len() as u64;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Own(bytes) | Source::Held(bytes, _) => bytes.is_none(),
            Source::Daemon(body) => body.is_end_stream(),
            Source::Sifted(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Own(bytes) | Source::Held(bytes, _) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64))
            }
            Source::Daemon(body) => body.size_hint(),
            Source::Sifted(_) => SizeHint::default(),
        }
    }
}
