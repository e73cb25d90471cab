//! The bytes of a client's connection, let through to hyper only while they have one reading.
//!
//! hyper is lenient where RFC 9112 allows it: it drops a `Content-Length` beside a
//! `Transfer-Encoding`, the fragment of a target, the extensions of a chunk. What a proxy before or
//! a daemon behind reads may then differ. So each head is held back until it is complete and
//! checked here, with limits of size and time, and the frame of the body is followed to its end.
//!
//! What comes behind a request is held until its exchange is over: it may be the next request, or,
//! when the daemon takes the connection over, bytes of another protocol.

use std::{
    cell::{Cell, RefCell},
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::{Buf, BufMut as _, BytesMut};
use httparse::{Header, Status};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};
use tokio_util::io::poll_read_buf;

use crate::request::Violation;

use super::{
    alarm::Alarm,
    chunks::{Chunks, Progress},
};

/// How many bytes a client may send ahead while its request is being answered.
const AHEAD: usize = 64 << 10;
/// How many headers a request may have.
pub(super) const HEADERS: usize = 100;
/// What TLS begins with: a record of a handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: [u8; 2] = [22, 3];

/// The bounds of a head.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// Bytes of the request line and all headers.
    pub size: usize,
    /// From the first byte to the last.
    pub time: Duration,
    /// How long a connection may be kept between requests.
    pub idle: Duration,
}

/// Why the wire was closed on a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Closed {
    /// A rule is broken.
    Violation(Violation),
    /// The head did not come in time.
    Slow(Duration),
    /// The head has more than so many bytes.
    Large(usize),
    /// It has more headers than it may.
    ManyHeaders,
}

/// What the holder of a connection tells its wire, and is told by it.
#[derive(Default)]
pub struct Control {
    then: Cell<Then>,
    keep_open: Cell<bool>,
    waker: Cell<Option<Waker>>,
    closed: RefCell<Option<(Closed, String)>>,
    broken: RefCell<Option<Violation>>,
}

/// What the bytes behind a request are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Then {
    #[default]
    Undecided,
    /// What is written has to get out first.
    Flush,
    NextRequest,
    AnotherProtocol,
}

impl Control {
    /// The exchange is over: what follows is the next request, once the answer is written out.
    /// Before that hyper must not see its end, with which it would forget what it has to write.
    pub fn next_request(&self) {
        self.then.set(Then::Flush);
    }

    /// The connection is taken over: what follows is not HTTP.
    pub fn another_protocol(&self) {
        self.decide(Then::AnotherProtocol);
    }

    /// The client may end its side before the request is answered, as those do that send all input
    /// of an attach at once, or a line through a pipe: `printf 'GET …' | nc`. Where an answer takes
    /// its time, a client that ends its side has gone, and nobody waits for the answer.
    pub fn keep_open(&self) {
        self.keep_open.set(true);
    }

    /// From now on a client that ends its side has gone.
    pub fn let_go(&self) {
        self.keep_open.set(false);
        // It may have ended already.
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Why no further request is read, if it is so, and the request line.
    pub fn closed(&self) -> Option<(Closed, String)> {
        self.closed.borrow_mut().take()
    }

    /// The rule that the body of the request under way breaks, if it does.
    pub fn broken(&self) -> Option<Violation> {
        self.broken.borrow_mut().take()
    }

    fn decide(&self, then: Then) {
        self.then.set(then);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// A client's connection.
pub struct Wire<S> {
    stream: S,
    control: Rc<Control>,
    limits: HeadLimits,
    /// What was read and not yet let through.
    buffer: BytesMut,
    /// How much of it is checked.
    checked: usize,
    place: Place,
    ended: bool,
    released: bool,
    since: Instant,
    alarm: Alarm,
}

/// Where in the course of a connection the unchecked bytes are.
#[derive(Debug)]
enum Place {
    Head,
    /// A body of which so many bytes are left.
    Sized(u64),
    Chunked(Chunks),
    /// Behind a request that is not answered yet.
    Behind,
    /// Not HTTP any more.
    Raw,
    /// Nothing is let through any more.
    Over,
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// A connection before its first request.
    pub fn new(stream: S, limits: HeadLimits) -> Self {
        Self {
            stream,
            control: Rc::default(),
            limits,
            buffer: BytesMut::new(),
            checked: 0,
            place: Place::Head,
            ended: false,
            released: false,
            since: Instant::now(),
            alarm: Alarm::new(),
        }
    }

    /// The other end of the line to whoever holds the connection.
    pub fn control(&self) -> Rc<Control> {
        Rc::clone(&self.control)
    }

    /// Says that hyper is done with it. Until then a shutdown is hyper's word for "all is written",
    /// and does nothing.
    pub fn release(&mut self) {
        self.released = true;
    }

    /// Whether the client has sent, or is sending, what nobody will read.
    pub fn is_unread(&self) -> bool {
        let in_body = matches!(self.place, Place::Sized(_) | Place::Chunked(_) | Place::Over);
        !self.ended && (in_body || !self.buffer.is_empty())
    }

    /// What is under it.
    pub fn into_stream(self) -> S {
        self.stream
    }

    /// Lets bytes through into `out`; none means the end.
    fn poll_checked(&mut self, cx: &mut Context, out: &mut ReadBuf) -> Poll<io::Result<()>> {
        loop {
            if self.checked > 0 {
                let n = self.checked.min(out.remaining());
                out.put_slice(&self.buffer[..n]);
                self.buffer.advance(n);
                self.checked -= n;
                return Poll::Ready(Ok(()));
            }
            match &mut self.place {
                Place::Raw | Place::Sized(_) if self.buffer.is_empty() && self.ended => {
                    return Poll::Ready(Ok(()));
                }
                Place::Raw if self.buffer.is_empty() => {
                    return Pin::new(&mut self.stream).poll_read(cx, out);
                }
                Place::Raw => self.checked = self.buffer.len(),
                Place::Over => return Poll::Ready(Ok(())),
                Place::Sized(left) if self.buffer.is_empty() => {
                    let n = ready!(poll_read_at_most(&mut self.stream, cx, out, *left))?;
                    *left -= n;
                    self.leave_body();
                    return Poll::Ready(Ok(()));
                }
                Place::Sized(left) => {
                    self.checked = at_most(*left, self.buffer.len());
                    *left -= self.checked as u64;
                    self.leave_body();
                }
                Place::Chunked(chunks) => match chunks.follow(&self.buffer) {
                    Ok(Progress::Ended(n)) => {
                        self.checked = n;
                        self.place = Place::Behind;
                    }
                    Ok(Progress::More(n)) if n > 0 => self.checked = n,
                    Ok(Progress::More(_)) => {
                        if ready!(self.poll_fill(cx))? == 0 {
                            return Poll::Ready(Ok(()));
                        }
                    }
                    Err(violation) => {
                        self.place = Place::Over;
                        *self.control.broken.borrow_mut() = Some(violation);
                        return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
                    }
                },
                Place::Behind => {
                    let at_end = ready!(self.poll_behind(cx))?;
                    if at_end {
                        return Poll::Ready(Ok(()));
                    }
                }
                Place::Head => {
                    let at_end = ready!(self.poll_head(cx))?;
                    if at_end {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
    }

    /// Holds what comes behind a request until its meaning is decided. True at the end.
    fn poll_behind(&mut self, cx: &mut Context) -> Poll<io::Result<bool>> {
        match self.control.then.get() {
            Then::NextRequest => {
                self.control.then.set(Then::Undecided);
                self.control.keep_open.set(false);
                self.place = Place::Head;
                self.since = Instant::now();
                return Poll::Ready(Ok(false));
            }
            Then::AnotherProtocol => {
                self.place = Place::Raw;
                return Poll::Ready(Ok(false));
            }
            Then::Undecided | Then::Flush => self.control.waker.set(Some(cx.waker().clone())),
        }
        // Read on, so that a client that has gone is noticed.
        while !self.ended && self.buffer.len() < AHEAD {
            ready!(self.poll_fill(cx))?;
        }
        if self.ended && self.buffer.is_empty() && !self.control.keep_open.get() {
            return Poll::Ready(Ok(true));
        }
        Poll::Pending
    }

    /// Waits for a whole head. True at the end.
    fn poll_head(&mut self, cx: &mut Context) -> Poll<io::Result<bool>> {
        loop {
            if !self.buffer.is_empty() {
                match self.check_head() {
                    Ok(Some((length, place))) => {
                        self.checked = length;
                        self.place = place;
                        return Poll::Ready(Ok(false));
                    }
                    Ok(None) if self.buffer.len() >= self.limits.size => {
                        let closed = Closed::Large(self.limits.size);
                        return Poll::Ready(Err(self.close(closed)));
                    }
                    Ok(None) => {}
                    Err(closed) => return Poll::Ready(Err(self.close(closed))),
                }
            }
            let waiting = self.buffer.is_empty();
            match self.poll_fill(cx) {
                Poll::Ready(read) => {
                    if read? == 0 {
                        return Poll::Ready(Ok(true));
                    }
                    if waiting {
                        self.since = Instant::now();
                    }
                }
                Poll::Pending => {
                    ready!(self.poll_alarm(cx));
                    if waiting {
                        return Poll::Ready(Ok(true));
                    }
                    let closed = Closed::Slow(self.limits.time);
                    return Poll::Ready(Err(self.close(closed)));
                }
            }
        }
    }

    /// Ready when the head, or the next request, is overdue.
    fn poll_alarm(&mut self, cx: &mut Context) -> Poll<()> {
        let patience = if self.buffer.is_empty() { self.limits.idle } else { self.limits.time };
        self.alarm.poll(self.since + patience, cx)
    }

    /// Reads into the buffer. Nothing read is the end.
    fn poll_fill(&mut self, cx: &mut Context) -> Poll<io::Result<usize>> {
        self.buffer.reserve(8 << 10);
        let n = ready!(poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.buffer))?;
        self.ended |= n == 0;
        Poll::Ready(Ok(n))
    }

    fn leave_body(&mut self) {
        if matches!(self.place, Place::Sized(0)) {
            self.place = Place::Behind;
        }
    }

    /// Checks the head at the front of the buffer: its length, and what is behind it. None while it
    /// is not complete.
    fn check_head(&mut self) -> Result<Option<(usize, Place)>, Closed> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(&self.buffer) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(Closed::ManyHeaders),
            Err(_) if self.buffer.starts_with(&TLS_HANDSHAKE) => {
                let rule = "it is TLS, which is not spoken at this listener";
                return Err(Closed::Violation(Violation::Malformed(rule)));
            }
            Err(error) => return Err(Closed::Violation(Violation::Malformed(words(error)))),
        };
        if has_lone_lf(&self.buffer[..length]) {
            let rule = words(httparse::Error::NewLine);
            return Err(Closed::Violation(Violation::Malformed(rule)));
        }
        let place = check(&request).map_err(Closed::Violation)?;
        let target = request.path.unwrap_or_default();
        let unfit = target.bytes().filter(|byte| is_unfit(*byte)).count();
        let encoded = length + 2 * unfit;
        if encoded > self.limits.size {
            return Err(Closed::Large(self.limits.size));
        }
        if unfit > 0 {
            let start = target.as_ptr().addr() - self.buffer.as_ptr().addr();
            let end = start + target.len();
            self.encode(start, end);
        }
        Ok(Some((encoded, place)))
    }

    /// Percent-encodes what hyper can't read in a target.
    fn encode(&mut self, start: usize, end: usize) {
        let behind = self.buffer.split_off(end);
        let target = self.buffer.split_off(start);
        for byte in target {
            if is_unfit(byte) {
                self.buffer.extend_from_slice(format!("%{byte:02X}").as_bytes());
            } else {
                self.buffer.put_u8(byte);
            }
        }
        self.buffer.unsplit(behind);
    }

    /// Lets nothing through any more; the holder learns why.
    fn close(&mut self, closed: Closed) -> io::Error {
        let line = self.buffer[..].split(|byte| *byte == b'\r' || *byte == b'\n').next();
        let line = String::from_utf8_lossy(line.unwrap_or_default()).chars().take(200).collect();
        *self.control.closed.borrow_mut() = Some((closed, line));
        self.place = Place::Over;
        io::Error::from(io::ErrorKind::InvalidData)
    }
}

/// The rules for a head that hyper would not tell us about, and the frame of the body behind it
/// (RFC 9112 section 6.3).
fn check(request: &httparse::Request) -> Result<Place, Violation> {
    let target = request.path.unwrap_or_default();
    if !target.starts_with('/') {
        return Err(Violation::OriginForm);
    }
    if target.contains('#') {
        return Err(Violation::Fragment);
    }
    let named = |name: &'static str| {
        request.headers.iter().filter(move |h: &&Header| h.name.eq_ignore_ascii_case(name))
    };
    let http_1_0 = request.version == Some(0);
    match named("host").count() {
        1 => {}
        0 if http_1_0 => {}
        _ => return Err(Violation::Host),
    }
    let mut lengths = named("content-length");
    let mut encodings = named("transfer-encoding");
    match (lengths.next(), encodings.next()) {
        (Some(_), Some(_)) => Err(Violation::TwoLengths),
        (None, None) => Ok(Place::Behind),
        (Some(length), None) => {
            if lengths.next().is_some() {
                return Err(Violation::ContentLength);
            }
            match content_length(length.value)? {
                0 => Ok(Place::Behind),
                length => Ok(Place::Sized(length)),
            }
        }
        (None, Some(encoding)) => {
            let chunked = encoding.value.eq_ignore_ascii_case(b"chunked");
            if !chunked || http_1_0 || encodings.next().is_some() {
                return Err(Violation::TransferEncoding);
            }
            Ok(Place::Chunked(Chunks::default()))
        }
    }
}

/// httparse takes a lone LF for the end of a line, but never a lone CR: as many of the one as of the
/// other stand together.
fn has_lone_lf(head: &[u8]) -> bool {
    head.iter().map(|byte| i32::from(*byte == b'\n') - i32::from(*byte == b'\r')).sum::<i32>() != 0
}

/// What the daemon reads in a target and hyper does not, such as the quotes of a filter that was
/// written without encoding: `?filters={"label":["a"]}`.
fn is_unfit(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'`')
}

/// Digits and nothing else: no sign, no list, no spaces. No more than the daemon can count.
fn content_length(value: &[u8]) -> Result<u64, Violation> {
    let digits = std::str::from_utf8(value).ok().filter(|v| v.bytes().all(|b| b.is_ascii_digit()));
    let length = digits.and_then(|digits| digits.parse().ok());
    length.filter(|length| *length <= i64::MAX.unsigned_abs()).ok_or(Violation::ContentLength)
}

fn words(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "a header's name has a character that it can't have",
        httparse::Error::HeaderValue => "a header's value has a character that it can't have",
        httparse::Error::NewLine => "a line does not end in CR LF",
        httparse::Error::Status | httparse::Error::Token => {
            "the request line has a character that it can't have"
        }
        httparse::Error::Version => "the version is not HTTP/1.0 or HTTP/1.1",
        httparse::Error::TooManyHeaders => "it has too many headers",
    }
}

fn at_most(length: u64, space: usize) -> usize {
    usize::try_from(length).map_or(space, |length| length.min(space))
}

/// Reads straight into `out`, but no more than `most` bytes.
fn poll_read_at_most<S: AsyncRead + Unpin>(
    stream: &mut S,
    cx: &mut Context,
    out: &mut ReadBuf,
    most: u64,
) -> Poll<io::Result<u64>> {
    let most = at_most(most, out.remaining());
    let mut limited = ReadBuf::new(out.initialize_unfilled_to(most));
    ready!(Pin::new(stream).poll_read(cx, &mut limited))?;
    let n = limited.filled().len();
    out.advance(n);
    Poll::Ready(Ok(n as u64))
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context,
        out: &mut ReadBuf,
    ) -> Poll<io::Result<()>> {
        self.get_mut().poll_checked(cx, out)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    /// hyper flushes when it has nothing left to write.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        ready!(Pin::new(&mut wire.stream).poll_flush(cx))?;
        if wire.control.then.get() == Then::Flush {
            wire.control.decide(Then::NextRequest);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        if !wire.released {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut wire.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context,
        slices: &[io::IoSlice],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
