//! Asking the running proxy at its admin socket.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::{event_loop, plugin::Given};
use crate::{
    error::Error,
    explain::{Explanation, Question},
};

/// How long the proxy may take to explain.
const EXPLAINED_WITHIN: Duration = Duration::from_mins(1);
/// How long an explanation may be, in bytes.
const EXPLANATION: usize = 64 << 20;

/// Has the proxy whose admin socket this is explain a request.
///
/// # Errors
/// Where nothing answers there, or what it answers.
pub(super) fn ask(socket: &str, given: &Given) -> Result<Explanation, Error> {
    let wrong =
        |problem: String| Error::Value { name: "--running", value: socket.to_owned(), problem };
    let question = Question::new(&given.head, &given.body, &given.client).map_err(wrong)?;
    let question = serde_json::to_vec(&question).map_err(|error| wrong(error.to_string()))?;
    let path = socket.strip_prefix("unix://").unwrap_or(socket);
    let asked = event_loop("a thread")?.block_on(async {
        let asked = tokio::time::timeout(EXPLAINED_WITHIN, send(Path::new(path), question));
        asked.await.map_err(|_| format!("did not answer within {EXPLAINED_WITHIN:?}"))?
    });
    asked.map_err(|why| wrong(format!("{why}: is it the admin address of a running proxy?")))
}

async fn send(path: &Path, question: Vec<u8>) -> Result<Explanation, String> {
    let stream = UnixStream::connect(path).await.map_err(|error| error.to_string())?;
    let words = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(words)?;
    tokio::spawn(connection);
    let request = Request::post("/explain")
        .header(header::HOST, "dockgate")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(question)))
        .map_err(|error| error.to_string())?;
    let (head, body) = sender.send_request(request).await.map_err(words)?.into_parts();
    let body =
        Limited::new(body, EXPLANATION).collect().await.map_err(|error| error.to_string())?;
    let body = body.to_bytes();
    match head.status {
        StatusCode::OK => serde_json::from_slice(&body).map_err(|error| error.to_string()),
        status => Err(format!("answers {status}: {}", String::from_utf8_lossy(&body).trim())),
    }
}
