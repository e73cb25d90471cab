//! The admin socket: what the running proxy is asked by its owner. What can be asked for changes
//! nothing.

use std::{convert::Infallible, rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::UnixStream, sync::watch};

use super::{super::explain::came_in, server::PAUSE};
use crate::{
    explain::{Case, Explanation, Question},
    http::upstream::Upstream,
    listener::Listener,
    plugin::{Daemon, Instances, LookUps},
    policy::Policy,
    worker::{Stream, look_up_all},
};

/// How long the head of a question may take to arrive.
const ADMIN_HEAD: Duration = Duration::from_secs(5);
/// How long a question may be, in bytes: a body of a request, and what is around it.
const QUESTION: usize = 16 << 20;
/// How long an explanation may take.
const EXPLAINING: Duration = Duration::from_secs(30);

/// Answers at the admin socket, for ever.
pub(super) async fn answer_all(listener: Listener, policy: watch::Receiver<Arc<Policy>>) {
    let policy = Rc::new(policy);
    loop {
        match listener.accept().await {
            Ok((Stream::Unix(stream), _)) => {
                let policy = Rc::clone(&policy);
                tokio::task::spawn_local(async move {
                    if let Err(error) = serve(stream, policy).await {
                        tracing::debug!("a question at the admin socket broke off: {error}");
                    }
                });
            }
            Ok((Stream::Tcp(_), _)) => {}
            Err(error) => {
                tracing::warn!("a question at the admin socket could not be taken: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn serve(
    stream: std::os::unix::net::UnixStream,
    policy: Rc<watch::Receiver<Arc<Policy>>>,
) -> Result<(), Box<dyn std::error::Error>> {
    let stream = UnixStream::from_std(stream)?;
    let service = service_fn(|request| {
        let policy = Arc::clone(&policy.borrow());
        async move { Ok::<_, Infallible>(answer(request, policy).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(ADMIN_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await?;
    Ok(())
}

async fn answer(request: Request<Incoming>, policy: Arc<Policy>) -> Response<Full<Bytes>> {
    let explained = async {
        if request.uri().path() != "/explain" {
            return Err((StatusCode::NOT_FOUND, "ask POST /explain".to_owned()));
        }
        if request.method() != Method::POST {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "ask POST /explain".to_owned()));
        }
        let bad = |words: String| (StatusCode::BAD_REQUEST, words);
        let body = Limited::new(request.into_body(), QUESTION).collect();
        let body = body.await.map_err(|error| bad(error.to_string()))?.to_bytes();
        let question: Question =
            serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))?;
        explain(question, &policy).await.map_err(bad)
    };
    let (status, body) = match tokio::time::timeout(EXPLAINING, explained).await {
        Ok(Ok(told)) => (StatusCode::OK, serde_json::to_vec(&told).unwrap_or_default()),
        Ok(Err((status, words))) => (status, format!("{words}\n").into_bytes()),
        Err(_) => (StatusCode::GATEWAY_TIMEOUT, b"it took too long\n".to_vec()),
    };
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let kind = if status == StatusCode::OK { "application/json" } else { "text/plain" };
    let kind = http::HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn explain(question: Question, policy: &Arc<Policy>) -> Result<Explanation, String> {
    let (head, body, client) = question.into_parts()?;
    let client = came_in(client, &policy.listeners);
    let requests = &policy.requests;
    let upstream = Upstream::new(requests.upstream.clone(), requests.patience);
    let (daemon, look_ups) = Daemon::new();
    let asking = tokio::task::spawn_local(look_up_all(upstream, look_ups));
    // Of its own: a worker's are not held up, and not worn.
    let instances = Instances::new(Arc::clone(&policy.plugins));
    let look_ups = LookUps::new(&daemon);
    let case = Case { policy, instances: &instances, look_ups, client, head, body: &body };
    let told = case.explain().await.told;
    asking.abort();
    Ok(told)
}
