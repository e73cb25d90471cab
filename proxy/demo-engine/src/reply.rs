//! What goes back to the client.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::streams::Session;

pub(crate) type Result<T, E = Refusal> = std::result::Result<T, E>;

/// How a request is answered.
pub(crate) enum Answer {
    Reply(Response<ReplyBody>),
    /// With the connection itself.
    Hijack(Session),
}

/// An error in Docker's words.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    pub(crate) fn into_response(self) -> Response<ReplyBody> {
        json_with(self.status, &json!({ "message": self.message }))
    }
}

pub(crate) fn json(value: &Value) -> Answer {
    Answer::Reply(json_with(StatusCode::OK, value))
}

pub(crate) fn created(value: &Value) -> Answer {
    Answer::Reply(json_with(StatusCode::CREATED, value))
}

pub(crate) fn status(status: StatusCode) -> Answer {
    Answer::Reply(response(status, ReplyBody::Whole(Bytes::new())))
}

pub(crate) fn text(text: &'static str) -> Response<ReplyBody> {
    let body = ReplyBody::Whole(Bytes::from_static(text.as_bytes()));
    with_type(response(StatusCode::OK, body), "text/plain; charset=utf-8")
}

/// A response whose head goes out at once and whose body is what `produce` sends, for as long as
/// the client stays.
pub(crate) fn stream<F>(
    content_type: &'static str,
    produce: impl FnOnce(mpsc::Sender<Bytes>) -> F,
) -> Answer
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(1);
    let producing = produce(sender.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = sender.closed() => {}
            () = producing => {}
        }
    });
    let response = response(StatusCode::OK, ReplyBody::Stream(receiver));
    Answer::Reply(with_type(response, content_type))
}

pub(crate) fn json_line(value: &Value) -> Bytes {
    format!("{value}\n").into()
}

fn json_with(status: StatusCode, value: &Value) -> Response<ReplyBody> {
    with_type(response(status, ReplyBody::Whole(json_line(value))), "application/json")
}

fn response(status: StatusCode, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn with_type(mut response: Response<ReplyBody>, content_type: &'static str) -> Response<ReplyBody> {
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(crate) enum ReplyBody {
    Whole(Bytes),
    Stream(mpsc::Receiver<Bytes>),
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(receiver) => {
                receiver.poll_recv(cx).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}
