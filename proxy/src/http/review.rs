//! The daemon's answer, where plugins of the chain ask to see it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode, header, response::Parts};
use http_body::Body as _;

use super::{
    body::{Answer, Exchange},
    exchange::{Choice, Line, refuse},
    gather::{NotHeld, Place, gather},
    items::Items,
    refusal::Words,
    sieve::{Sieve, Source},
    upstream::Leased,
};
use crate::{
    chain::Failure,
    plugin::{Asked, ResponseEdit, ResponsePart, ResponseView, Ruling},
    request::{is_json, remove_header, set_header},
};

/// An answer whose body was read.
struct Held {
    head: Parts,
    /// None where there is none.
    json: Option<(Arc<str>, Place)>,
}

/// A document that is shared with nobody any more, as bytes.
struct Text(Arc<str>);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Line {
    /// Takes an answer through the plugins that ask for answers to this operation, in reverse order.
    pub(super) async fn review(
        &self,
        asked: Asked,
        choice: &Choice,
        response: Response<Leased>,
        exchange: Exchange,
    ) -> Response<Answer> {
        let needs = choice.needs();
        if needs.items && is_encoded(response.headers()) {
            let why = "it has a Content-Encoding, so that no plugin can read it";
            return refuse(Words::unreadable(why), exchange);
        }
        let response = match needs.response {
            Some(ResponsePart::Json) => {
                return self.review_held(&asked, choice, response, exchange).await;
            }
            None => Ok(response),
            Some(ResponsePart::Head) => {
                let (mut head, body) = response.into_parts();
                self.review_head(&asked, choice, &mut head, None)
                    .await
                    .map(|_| Response::from_parts(head, body))
            }
        };
        match response {
            Ok(response) if needs.items && response.status().is_success() => {
                Self::sift(asked, choice, response, exchange)
            }
            Ok(response) => response.map(|body| Answer::daemon(body, exchange)),
            Err(words) => refuse(words, exchange),
        }
    }

    /// Reads the whole body, and sends what the plugins leave of it.
    async fn review_held(
        &self,
        asked: &Asked,
        choice: &Choice,
        response: Response<Leased>,
        mut exchange: Exchange,
    ) -> Response<Answer> {
        let reviewed = async {
            let Held { mut head, json } = self.hold_answer(asked, choice, response).await?;
            let (json, place) = json.unzip();
            let json = self.review_head(asked, choice, &mut head, json).await?;
            Ok((head, json, place))
        };
        match reviewed.await {
            Err(words) => refuse(words, exchange),
            Ok((head, json, place)) => {
                exchange.record.status = head.status.as_u16();
                let answer = match (json, place) {
                    (Some(json), Some(place)) => {
                        Answer::held(Bytes::from_owner(Text(json)), place, exchange)
                    }
                    _ => Answer::own(Bytes::new(), exchange),
                };
                Response::from_parts(head, answer)
            }
        }
    }

    /// Asks the plugins about an answer, and gives the body that they leave.
    async fn review_head(
        &self,
        asked: &Asked,
        choice: &Choice,
        head: &mut Parts,
        mut json: Option<Arc<str>>,
    ) -> Result<Option<Arc<str>>, Words> {
        let operation = asked.request.operation();
        for &place in choice.plugins().iter().rev() {
            let plugin = choice.plugin(place);
            if plugin.needs(operation).response.is_none() {
                continue;
            }
            let view = ResponseView { headers: Arc::new(head.headers.clone()), body: json.clone() };
            let status = head.status.as_u16();
            let ruling = choice.serving.instances.review(place, asked, status, view).await;
            let failed = |failure: Failure| Words::not_sent(&failure, plugin.name());
            match ruling.map_err(failed)? {
                Ruling::Refuse(denial) => return Err(Words::denied(&denial)),
                Ruling::Pass(edits) => {
                    for edit in edits {
                        apply(edit, head, &mut json).map_err(failed)?;
                    }
                }
            }
        }
        Ok(json)
    }

    /// Reads the body of an answer, which must be one JSON document.
    async fn hold_answer(
        &self,
        asked: &Asked,
        choice: &Choice,
        response: Response<Leased>,
    ) -> Result<Held, Words> {
        let (head, body) = response.into_parts();
        let bodiless = *asked.request.method() == Method::HEAD
            || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&head.status)
            || body.is_end_stream();
        if bodiless {
            return Ok(Held { head, json: None });
        }
        if is_encoded(&head.headers) {
            let why = "it has a Content-Encoding, so that no plugin can read it";
            return Err(Words::unreadable(why));
        }
        if !head.headers.get(header::CONTENT_TYPE).is_none_or(is_json) {
            return Err(Words::unreadable("it is not said to be JSON"));
        }
        let settings = &choice.serving.policy.requests;
        let (bytes, place) =
            gather(body, settings.max_answer, &settings.room).await.map_err(|error| {
                Words::unreadable(&match error {
                    NotHeld::Large(limit) => {
                        format!("it is larger than {limit} bytes, the most that a plugin is given")
                    }
                    NotHeld::NoRoom => "too many answers are being read at once".to_owned(),
                    NotHeld::Broken(error) => format!("the Docker daemon broke off: {error}"),
                })
            })?;
        if bytes.is_empty() {
            return Ok(Held { head, json: None });
        }
        let json = std::str::from_utf8(&bytes)
            .ok()
            .filter(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
            .ok_or_else(|| Words::unreadable("it is not JSON"))?;
        Ok(Held { head, json: Some((json.into(), place)) })
    }

    /// Lets those values through that the plugins leave.
    fn sift(
        asked: Asked,
        choice: &Choice,
        response: Response<Leased>,
        exchange: Exchange,
    ) -> Response<Answer> {
        let operation = asked.request.operation();
        let plugins = choice.plugins().iter().rev().copied();
        let plugins =
            plugins.filter(|place| choice.plugin(*place).needs(operation).items).collect();
        let (mut head, daemon) = response.into_parts();
        head.headers.remove(header::CONTENT_LENGTH);
        let serving = std::rc::Rc::clone(&choice.serving);
        let items = Items::default();
        let source = Source { serving, asked, plugins, daemon, items, dropped: false };
        let sieve = Sieve::Resting(Box::new(source));
        Response::from_parts(head, Answer::sifted(sieve, exchange))
    }
}

/// Makes one change to an answer.
fn apply(edit: ResponseEdit, head: &mut Parts, json: &mut Option<Arc<str>>) -> Result<(), Failure> {
    match edit {
        ResponseEdit::SetStatus(status) => {
            // The host has checked the range.
            head.status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        }
        ResponseEdit::SetBody(body) => {
            *json = Some(body.into());
            head.headers.remove(header::CONTENT_LENGTH);
            head.headers.remove(header::ETAG);
        }
        ResponseEdit::SetHeader(name, value) => {
            set_header(&mut head.headers, &name, &value)?;
        }
        ResponseEdit::RemoveHeader(name) => {
            remove_header(&mut head.headers, &name)?;
        }
    }
    Ok(())
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.contains_key(header::CONTENT_ENCODING)
}
