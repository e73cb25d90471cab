//! One client connection: HTTP until a request takes the connection over.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

use crate::reply::{Answer, ReplyBody};
use crate::streams::Session;
use crate::{Engine, api, locked};

/// Serves requests until the client is done.
///
/// hyper gives a connection away after a 101 only, and Docker also takes it over with a plain 200.
/// So both go the same way: the request stays unanswered, hyper is taken apart, and the session
/// writes its own head.
pub(crate) async fn serve(engine: Engine, stream: UnixStream) {
    let patience = Arc::new(Patience::default());
    let hijack: Arc<Mutex<Option<Session>>> = Arc::default();
    let io = TokioIo::new(Patient { stream, patience: Arc::clone(&patience) });
    let service = service_fn(|request: Request<Incoming>| {
        patience.start();
        let answering = answer(engine.clone(), request, Arc::clone(&patience), Arc::clone(&hijack));
        Box::pin(answering)
    });
    let mut connection =
        http1::Builder::new().title_case_headers(true).serve_connection(io, service);
    let session = poll_fn(|cx| {
        let done = connection.poll_without_shutdown(cx);
        match locked(&hijack).take() {
            Some(session) => Poll::Ready(Some(session)),
            None => done.map(|_| None),
        }
    });
    if let Some(session) = session.await {
        let parts = connection.into_parts();
        session.run(parts.io.into_inner().stream, parts.read_buf).await;
    }
}

async fn answer(
    engine: Engine,
    request: Request<Incoming>,
    patience: Arc<Patience>,
    hijack: Arc<Mutex<Option<Session>>>,
) -> Result<Response<ReplyBody>, Infallible> {
    match api::answer(&engine, request).await {
        Answer::Reply(response) => {
            patience.end();
            Ok(response)
        }
        Answer::Hijack(session) => {
            *locked(&hijack) = Some(session);
            pending().await
        }
    }
}

/// The client's socket, which keeps the end of the input from hyper while a request is being
/// answered: hyper would drop the request of a client that has closed its side already, though
/// that client still reads. Once the answer has begun, the end means that the client has left.
struct Patient {
    stream: UnixStream,
    patience: Arc<Patience>,
}

#[derive(Default)]
struct Patience {
    state: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    answering: bool,
    /// Who wants to know of the end that was kept back.
    reader: Option<Waker>,
}

impl Patience {
    fn start(&self) {
        locked(&self.state).answering = true;
    }

    fn end(&self) {
        let mut state = locked(&self.state);
        state.answering = false;
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    fn keeps_back_the_end(&self, reader: &Waker) -> bool {
        let mut state = locked(&self.state);
        if state.answering {
            state.reader = Some(reader.clone());
        }
        state.answering
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buffer.remaining();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer)?;
        let at_end = read.is_ready() && buffer.remaining() == room;
        if at_end && self.patience.keeps_back_the_end(cx.waker()) {
            return Poll::Pending;
        }
        read.map(Ok)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
