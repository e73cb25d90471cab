//! A client's connection, from its first byte to its last.

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    pin::Pin,
    rc::Rc,
    task::Poll,
    time::{Duration, SystemTime},
};

use http::{Method, Response};
use hyper::{ext::ReasonPhrase, server::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};

use super::{
    exchange::{Answering, Line, TakenOver},
    refusal::Words,
    tunnel,
    who::Who,
    wire::{Closed, Wire},
};
use crate::{
    log::{self, Record},
    request::Operation,
    worker::Worker,
};

/// How much of an answer is held for a client that reads slowly, besides the room for the largest
/// head. hyper would hold 400 kB.
const HELD: usize = 16 << 10;
/// How long a client may take to read the last words before its connection is closed.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves a client until it has gone, or until the proxy drains and its last request is answered.
pub async fn serve<S>(stream: S, who: Who, worker: Rc<Worker>)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let limits = worker.serving().policy.requests.head;
    let wire = Wire::new(stream, limits);
    let line = Rc::new(Line { who, wire: wire.control(), worker, taken_over: RefCell::new(None) });
    let mut connection = http1::Builder::new()
        .max_buf_size(limits.size + HELD)
        .serve_connection(TokioIo::new(wire), Answering(Rc::clone(&line)));
    let taken_over = drive(&mut connection, &line).await;
    let parts = connection.into_parts();
    let mut wire = parts.io.into_inner();
    wire.release();
    if let Some(taken_over) = taken_over {
        carry(taken_over, wire, &parts.read_buf).await;
    } else if let Some((closed, request_line)) = line.wire.closed() {
        say_why(&line, &closed, &request_line, wire).await;
    } else if wire.is_unread() {
        // It was answered before it had sent all, above all when it was refused.
        see_off(wire.into_stream()).await;
    }
}

/// Runs the connection until it ends or the daemon takes it over.
async fn drive<S>(
    connection: &mut http1::Connection<TokioIo<Wire<S>>, Answering>,
    line: &Line,
) -> Option<TakenOver>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let mut drain = line.worker.drain.clone();
    let mut draining = std::pin::pin!(async move {
        // The sender lives as long as the process.
        let _ = drain.wait_for(|drain| *drain).await;
    });
    let mut told = false;
    poll_fn(|cx| {
        if !told && Future::poll(draining.as_mut(), cx).is_ready() {
            told = true;
            Pin::new(&mut *connection).graceful_shutdown();
        }
        // How a connection ends interests nobody: the records of its requests are written.
        let ended = Pin::new(&mut *connection).poll(cx).is_ready();
        match line.taken_over.borrow_mut().take() {
            Some(taken_over) => Poll::Ready(Some(taken_over)),
            None if ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    })
    .await
}

/// Carries a connection that the daemon took over, to its end.
async fn carry<S>(taken_over: TakenOver, mut wire: Wire<S>, read: &[u8])
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let TakenOver { head, daemon, mut exchange } = taken_over;
    let mut daemon = TokioIo::new(daemon);
    let bytes = &mut exchange.record.bytes;
    let carried = async {
        // TLS may keep back what was written, and nothing may follow it.
        wire.write_all(&head_bytes(&head)).await?;
        wire.flush().await?;
        daemon.write_all(read).await?;
        daemon.flush().await?;
        tunnel::carry(wire, daemon, bytes).await
    };
    if let Err(error) = carried.await {
        tracing::debug!("a taken over connection broke off: {error}");
    }
}

/// Tells a client why its connection is closed, and closes it so that the words arrive.
async fn say_why<S>(line: &Line, closed: &Closed, request_line: &str, mut wire: Wire<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let words = Words::closed(closed);
    let body = words.body();
    log::record(&record_of(line, &words, request_line, body.len()));
    let status = words.status;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len(),
    );
    let words = async {
        wire.write_all(head.as_bytes()).await?;
        wire.write_all(&body).await
    };
    // A client that does not take the words in time has no use for them.
    if let Ok(Ok(())) = timeout(FAREWELL, words).await {
        see_off(wire.into_stream()).await;
    }
}

/// Closes a client's connection so that what was written arrives: what the client is still sending
/// is read for a while. Otherwise the system resets the connection and throws away what the client
/// has not read, and clients in Go, the docker CLI among them, report that they could not write
/// rather than the answer.
async fn see_off(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let farewell = async {
        stream.shutdown().await?;
        let mut unread = vec![0; 16 << 10];
        while stream.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    };
    // Whether the client stays to read is up to it.
    let _ = timeout(FAREWELL, farewell).await;
}

fn record_of(line: &Line, words: &Words, request_line: &str, bytes: usize) -> Record {
    let (method, target) = request_of(request_line).unwrap_or_default();
    Record {
        time: SystemTime::now(),
        client: line.who.words(),
        operation: Operation::UNKNOWN.name(),
        method,
        path: log::printable(target.split('?').next().unwrap_or_default()),
        container: line.who.container(),
        chain: None,
        verdict: words.outcome,
        plugin: None,
        reason: Some(words.message.clone()),
        status: words.status.as_u16(),
        duration: Duration::ZERO,
        bytes: bytes as u64,
    }
}

/// Method and target, if it is a request line. Else it may be a body that lost its head, with
/// secrets in it.
fn request_of(line: &str) -> Option<(Method, &str)> {
    let (method, rest) = line.split_once(' ')?;
    let target = rest.split(' ').next().filter(|target| target.starts_with('/'))?;
    let is_one = method.bytes().all(|byte| byte.is_ascii_uppercase());
    Some((method.parse().ok().filter(|_| is_one)?, target))
}

/// A head as it is written.
fn head_bytes(head: &Response<()>) -> Vec<u8> {
    // The daemon's own words, "UPGRADED", are kept where they are not the usual ones.
    let reason = match head.extensions().get::<ReasonPhrase>() {
        Some(reason) => reason.as_bytes(),
        None => head.status().canonical_reason().unwrap_or_default().as_bytes(),
    };
    let mut bytes = format!("HTTP/1.1 {} ", head.status().as_u16()).into_bytes();
    bytes.extend_from_slice(reason);
    bytes.extend_from_slice(b"\r\n");
    for (name, value) in head.headers() {
        bytes.extend(title_case(name.as_str()));
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// `Content-Type`, as the daemon writes it: clients of their own making, which is what reads a head
/// before a raw stream, may look for just that.
fn title_case(name: &str) -> impl Iterator<Item = u8> {
    let mut starts = true;
    name.bytes().map(move |byte| {
        let cased = if starts { byte.to_ascii_uppercase() } else { byte };
        starts = byte == b'-';
        cased
    })
}
