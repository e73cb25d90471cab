//! The body of an answer to a client, and the record that is written when it has gone.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{upstream::Leased, wire::Control};
use crate::log::{self, Record};

/// The body of an answer. When it is dropped, sent or not, the exchange is over.
pub(super) struct Answer {
    source: Source,
    exchange: Exchange,
}

enum Source {
    /// Ours, in one piece.
    Own(Option<Bytes>),
    /// The daemon's, as it comes.
    Daemon(Leased),
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

    /// The daemon's.
    pub(super) fn daemon(leased: Leased, exchange: Exchange) -> Self {
        Self { source: Source::Daemon(leased), exchange }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let answer = self.get_mut();
        let frame = match &mut answer.source {
            Source::Own(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Source::Daemon(body) => Pin::new(body).poll_frame(cx),
        };
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            answer.exchange.record.bytes += data.len() as u64;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Own(bytes) => bytes.is_none(),
            Source::Daemon(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Own(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64))
            }
            Source::Daemon(body) => body.size_hint(),
        }
    }
}
