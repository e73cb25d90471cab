//! The daemon's side: connections to its socket, and what is sent on them.
//!
//! Each worker has its own connections, so nothing is locked. One goes back to the idle ones when
//! an answer was read to its end; what is broken off in the middle is closed with it.

mod address;
mod idle;
mod stream;

use std::{
    cell::{Cell, RefCell},
    future::{Future as _, poll_fn},
    io,
    pin::{Pin, pin},
    rc::{Rc, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Limited};
use hyper::{
    body::Incoming,
    client::conn::{
        TrySendError,
        http1::{self, SendRequest},
    },
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

pub use address::{Address, Host};
use idle::Idle;
pub use stream::Stream;

use super::alarm::Alarm;
use crate::{
    chain::Approved,
    plugin::Said,
    request::{Content, Inspect, Upgrade, routes::Answer},
    tls,
};

/// How much of an answer a connection holds at the most. hyper would come to hold 400 kB after a long
/// answer, and keep them for the next.
const BUFFER: usize = 16 << 10;
/// How much the daemon may say of one thing that is looked up, in bytes.
const FOUND: usize = 4 << 20;

/// The way to the daemon, of one worker.
pub struct Upstream {
    address: Address,
    patience: Patience,
    idle: RefCell<Idle<Link>>,
    /// Whether there is another in its place.
    is_retired: Cell<bool>,
}

/// How long the daemon may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// To accept a connection.
    pub connect: Duration,
    /// To begin an answer that it gives at once.
    pub answer: Duration,
}

/// Why the daemon gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing accepts connections at its address, or not the daemon that is meant.
    #[error("the Docker daemon can't be reached at {address}: {error}")]
    Away {
        /// Where it should be.
        address: Address,
        /// What the system says, or TLS.
        error: io::Error,
    },
    /// It did not accept the connection, or begin the answer, in time.
    #[error("the Docker daemon did not {what} within {} seconds", time.as_secs_f32())]
    Slow {
        /// What it did not do.
        what: &'static str,
        /// How long it had.
        time: Duration,
    },
    /// It broke the connection off, or spoke something else than HTTP.
    #[error("the Docker daemon broke off: {}", why(.0))]
    Broken(hyper::Error),
    /// It went over to another protocol without being asked to.
    #[error("the Docker daemon broke off: it switched protocols unasked")]
    Switched,
    /// The client did not send the whole body.
    #[error("the body of the request broke off")]
    Body(hyper::Error),
}

impl From<hyper::Error> for Failure {
    /// What the body of a request fails with is all that hyper gets from us that can go wrong.
    fn from(error: hyper::Error) -> Self {
        if error.is_user() { Self::Body(error) } else { Self::Broken(error) }
    }
}

/// In TLS 1.3 a daemon that does not take our certificate says so only when it is asked something.
fn why(error: &hyper::Error) -> String {
    match tls::cause(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// What the daemon answers.
pub enum Answered {
    /// A response.
    Response(Response<Leased>),
    /// It took the connection over: its head, and the stream.
    TakenOver(Response<()>, Upgraded),
}

impl Upstream {
    /// To the daemon at this address. No connection is made yet.
    pub fn new(address: Address, patience: Patience) -> Rc<Self> {
        let (idle, is_retired) = (RefCell::new(Idle::new()), Cell::default());
        Rc::new(Self { address, patience, idle, is_retired })
    }

    /// Closes what is idle, and keeps nothing any more: only what is under way still goes this way,
    /// which may be a stream for ever.
    pub fn retire(&self) {
        self.is_retired.set(true);
        self.idle.borrow_mut().clear();
    }

    /// Closes connections that were not needed since this was last called, and says how many.
    pub fn tidy(&self) -> usize {
        self.idle.borrow_mut().tidy()
    }

    /// Sends a request that was let through, with the body that was read with it; where none was,
    /// with the one that the client sends.
    ///
    /// # Errors
    /// Where the daemon gives no answer.
    pub async fn send(
        self: &Rc<Self>,
        approved: Approved,
        body: Option<Incoming>,
    ) -> Result<Answered, Failure> {
        let request = approved.into_request();
        let upgrade = match request.answer() {
            // Those who don't ask for an upgrade get the old way from us, and the daemon's
            // connection is taken over in the one way all the same.
            Answer::Hijack => request.upgrade().or(Some(Upgrade::Tcp)),
            _ => request.upgrade(),
        };
        let prompt = request.answer() == Answer::Prompt;
        let body = match (request.content(), body) {
            (Content::Json(json), _) => Sent::Whole(Some(json.to_text().into())),
            (Content::Unread, Some(body)) => Sent::from(body),
            (Content::Unread | Content::Empty, _) => Sent::Nothing,
        };
        let (method, uri, headers) = request.into_parts();
        let mut sent = Request::new(body);
        (*sent.method_mut(), *sent.uri_mut(), *sent.headers_mut()) = (method, uri, headers);
        sent.headers_mut().insert(header::HOST, HeaderValue::from_static("docker"));
        match upgrade {
            // Rare and large: apart, so that the future of an ordinary request is small.
            Some(upgrade) => Box::pin(self.take_over(sent, upgrade)).await,
            None => self.exchange(sent, prompt.then_some(self.patience.answer)).await,
        }
    }

    /// Asks about one thing, for a plugin. A thing that is not there is no error.
    pub async fn look_up(self: &Rc<Self>, inspect: Inspect) -> Said {
        let answered = self.get(inspect.into_uri(), Some(self.patience.answer)).await;
        let (head, body) = answered.map_err(|failure| failure.to_string())?.into_parts();
        let body = Limited::new(body, FOUND).collect().await.map_err(|error| error.to_string())?;
        let text = String::from_utf8(body.to_bytes().into())
            .map_err(|_| "the Docker daemon's answer is not text".to_owned())?;
        match head.status {
            StatusCode::OK => Ok(Some(text)),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(format!("the Docker daemon says {status}: {}", text.trim())),
        }
    }

    /// Asks for something on the proxy's own behalf; the answer begins within `patience`.
    ///
    /// # Errors
    /// Where the daemon gives no answer.
    pub async fn get(
        self: &Rc<Self>,
        uri: Uri,
        patience: Option<Duration>,
    ) -> Result<Response<Leased>, Failure> {
        let mut request = Request::new(Sent::Nothing);
        *request.uri_mut() = uri;
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("docker"));
        // Whoever reads the daemon's log sees that these are no client's.
        let ours = HeaderValue::from_static(concat!("dockgate/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().insert(header::USER_AGENT, ours);
        match self.exchange(request, patience).await? {
            Answered::Response(response) => Ok(response),
            Answered::TakenOver(..) => Err(Failure::Switched),
        }
    }

    /// On a connection that goes back to the idle ones; the answer begins within `patience`.
    async fn exchange(
        self: &Rc<Self>,
        mut request: Request<Sent>,
        patience: Option<Duration>,
    ) -> Result<Answered, Failure> {
        let upload = request.body().upload();
        loop {
            let (mut link, reused) = match self.take_idle().await {
                Some(link) => (link, true),
                None => (Box::pin(self.connect()).await?, false),
            };
            let answer = link.exchange(request, patience).await;
            match answer.map_err(|time| Failure::Slow { what: "answer", time })? {
                Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                    return Err(Failure::Switched);
                }
                Ok(response) => {
                    let lease = Lease { link, upload, upstream: Rc::clone(self) };
                    let leased = |body| Leased { body, lease: Some(lease) };
                    return Ok(Answered::Response(response.map(leased)));
                }
                // The daemon closed an idle connection at this moment, and nothing was sent.
                Err(mut error) => match error.take_message().filter(|_| reused) {
                    Some(unsent) => request = unsent,
                    None => return Err(error.into_error().into()),
                },
            }
        }
    }

    /// On a connection of its own, which is not used for anything else.
    async fn take_over(
        self: &Rc<Self>,
        mut request: Request<Sent>,
        upgrade: Upgrade,
    ) -> Result<Answered, Failure> {
        let headers = request.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static(upgrade.name()));
        let stream = self.stream().await?;
        let (mut connection, driver) = handshake(stream).await?;
        tokio::task::spawn_local(driver.with_upgrades());
        let mut response = connection.send_request(request).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Answered::Response(response.map(|body| Leased { body, lease: None })));
        }
        let upgraded = hyper::upgrade::on(&mut response).await?;
        Ok(Answered::TakenOver(response.map(|_| ()), upgraded))
    }

    async fn take_idle(&self) -> Option<Link> {
        loop {
            let mut link = self.idle.borrow_mut().take()?;
            if link.is_ready().await {
                return Some(link);
            }
        }
    }

    async fn connect(&self) -> Result<Link, Failure> {
        let stream = self.stream().await?;
        let (sender, driver) = handshake(stream).await?;
        Ok(Link { sender, driver: Box::pin(driver), alarm: Alarm::new() })
    }

    async fn stream(&self) -> Result<Stream, Failure> {
        let away = |error| Failure::Away { address: self.address.clone(), error };
        let time = self.patience.connect;
        tokio::time::timeout(time, self.address.connect())
            .await
            .map_err(|_| Failure::Slow { what: "accept a connection", time })?
            .map_err(away)
    }
}

/// Makes HTTP of a stream, in which not more than [`BUFFER`] is read at once.
async fn handshake(stream: Stream) -> Result<Handshake, Failure> {
    Ok(http1::Builder::new().max_buf_size(BUFFER).handshake(TokioIo::new(stream)).await?)
}

/// What sends on a connection, and what drives it.
type Handshake = (SendRequest<Sent>, http1::Connection<TokioIo<Stream>, Sent>);

/// The body of a request, on its way to the daemon.
pub enum Sent {
    /// None: nothing is polled, and nothing is framed.
    Nothing,
    /// What plugins have read, in one piece.
    Whole(Option<Bytes>),
    /// What the client sends, as it comes, and what is held until it is sent.
    Streamed(Incoming, Rc<()>),
}

impl From<Incoming> for Sent {
    fn from(body: Incoming) -> Self {
        if body.is_end_stream() { Self::Nothing } else { Self::Streamed(body, Rc::default()) }
    }
}

impl Sent {
    /// Alive as long as there is something left to send.
    fn upload(&self) -> Weak<()> {
        match self {
            // It is sent at once, or with what is left of it the connection is closed.
            Self::Nothing | Self::Whole(_) => Weak::new(),
            Self::Streamed(_, held) => Rc::downgrade(held),
        }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Nothing => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Streamed(body, _) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Whole(bytes) => bytes.is_none(),
            Self::Streamed(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Nothing => SizeHint::with_exact(0),
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Streamed(body, _) => body.size_hint(),
        }
    }
}

/// A connection to the daemon, with the machinery that reads and writes it.
///
/// Whoever uses it drives it, in the task of the client that waits: the alternative, a task of its
/// own, wakes twice as often and writes the head of an answer before its body has come through, a
/// system call more for each request (`BENCHMARKS.md` has the numbers).
struct Link {
    sender: SendRequest<Sent>,
    driver: Pin<Box<http1::Connection<TokioIo<Stream>, Sent>>>,
    alarm: Alarm,
}

impl Link {
    /// Sends a request and waits for the head of the answer; an error is the time that was waited
    /// in vain, after which the connection is good for nothing.
    async fn exchange(
        &mut self,
        request: Request<Sent>,
        patience: Option<Duration>,
    ) -> Result<Result<Response<Incoming>, TrySendError<Request<Sent>>>, Duration> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let (driver, alarm) = (&mut self.driver, &mut self.alarm);
        let due = patience.map(|patience| (patience, Instant::now() + patience));
        poll_fn(|cx| {
            // How the connection ends is told by the answer.
            let _ = driver.as_mut().poll(cx);
            if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
                return Poll::Ready(Ok(answer));
            }
            let Some((patience, due)) = due else { return Poll::Pending };
            alarm.poll(due, cx).map(|()| Err(patience))
        })
        .await
    }

    /// Whether it can be used at once. It can't where the daemon has closed it, or where it
    /// answered before it had read the whole request, which may then never end.
    async fn is_ready(&mut self) -> bool {
        poll_fn(|cx| {
            let ended = self.driver.as_mut().poll(cx).is_ready();
            let ready = matches!(self.sender.poll_ready(cx), Poll::Ready(Ok(())));
            Poll::Ready(ready && !ended)
        })
        .await
    }
}

/// The body of an answer, and the connection that it comes on.
pub struct Leased {
    body: Incoming,
    lease: Option<Lease>,
}

/// A connection that is in use, and where it goes afterwards.
struct Lease {
    link: Link,
    upload: Weak<()>,
    upstream: Rc<Upstream>,
}

impl Leased {
    /// Gives the connection back, once the body is at its end. Where the daemon answered before it
    /// had read the whole request it is closed, and the client, who may want to send all of it
    /// before it reads, is not held up by a connection that nobody drives.
    fn end(&mut self) {
        let Some(Lease { link, upload, upstream }) = self.lease.take() else { return };
        if upload.strong_count() == 0 && !upstream.is_retired.get() {
            upstream.idle.borrow_mut().put(link);
        }
    }

    fn poll(&mut self, cx: &mut Context) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        let Some(lease) = &mut self.lease else {
            return Poll::Pending;
        };
        // How the connection ends is told by the body.
        let _ = lease.link.driver.as_mut().poll(cx);
        Pin::new(&mut self.body).poll_frame(cx)
    }
}

impl Body for Leased {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let leased = self.get_mut();
        let frame = ready!(leased.poll(cx));
        if frame.is_none() || leased.body.is_end_stream() {
            leased.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        // Where there was nothing to read nobody polls.
        if self.body.is_end_stream() {
            self.end();
        }
    }
}
