//! The headers of a request that are the daemon's business.

use base64::prelude::{BASE64_URL_SAFE, Engine as _};
use http::{HeaderMap, HeaderName, header};

use super::{BadEdit, Document, Violation, header_name};

/// The protocol that an operation takes its connection over with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// Attach and exec: a raw stream.
    Tcp,
    /// `BuildKit`'s session and control: HTTP/2 without TLS.
    H2c,
    /// Attach for browsers.
    WebSocket,
}

impl Upgrade {
    /// The word for it in the header `Upgrade`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::H2c => "h2c",
            Self::WebSocket => "websocket",
        }
    }

    fn parse(value: &header::HeaderValue) -> Option<Self> {
        [Self::Tcp, Self::H2c, Self::WebSocket]
            .into_iter()
            .find(|upgrade| value.as_bytes().eq_ignore_ascii_case(upgrade.name().as_bytes()))
    }
}

/// Whether a header carries credentials, which no plugin, log or error shows.
pub fn is_secret(name: &HeaderName) -> bool {
    ["x-registry-auth", "x-registry-config", "authorization", "cookie", "proxy-authorization"]
        .contains(&name.as_str())
}

/// Whether a body is a JSON document, by its type; nothing said is taken for it, as the daemon does.
pub(super) fn says_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_none_or(is_json)
}

/// Whether a media type is JSON (RFC 8259). Its parameters have no meaning for the daemon.
pub fn is_json(media_type: &header::HeaderValue) -> bool {
    let text = media_type.to_str().unwrap_or_default();
    let name = text.split(';').next().unwrap_or_default();
    name.trim().eq_ignore_ascii_case("application/json")
}

/// Takes out what belongs to the connection to the client (RFC 9110 section 7.6.1), and refuses
/// what the daemon could read in its own way. An upgrade counts only where the operation has one.
pub(super) fn canonical(
    mut headers: HeaderMap,
    takes_over: bool,
) -> Result<(HeaderMap, Option<Upgrade>), Violation> {
    check_content_type(&headers)?;
    let upgrade = upgrade(&headers, takes_over)?;
    let expected = headers.get(header::EXPECT).map(header::HeaderValue::as_bytes);
    if expected.is_some_and(|value| !value.eq_ignore_ascii_case(b"100-continue")) {
        return Err(Violation::Expect);
    }
    // Few requests have more of them than Host: one look at the names costs less than ten searches.
    let of_the_connection: Vec<_> =
        headers.keys().filter(|name| is_hop_by_hop(name)).cloned().collect();
    for name in of_the_connection {
        if name == header::CONNECTION {
            for name in nominated(&headers) {
                headers.remove(name);
            }
        }
        headers.remove(&name);
    }
    Ok((headers, upgrade))
}

/// What concerns the connection to the client alone, and `Host`, which names us.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    const STANDARD: [HeaderName; 7] = [
        header::CONNECTION,
        header::EXPECT,
        header::HOST,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    STANDARD.contains(name)
        || ["keep-alive", "proxy-connection", "proxy-authorization"].contains(&name.as_str())
}

/// Sets a header for a plugin, and says whether anything is different now.
///
/// # Errors
/// Where a plugin may not set it, or no header can have the value.
pub fn set(headers: &mut HeaderMap, name: &str, value: &str) -> Result<bool, BadEdit> {
    let name = editable(name)?;
    let value = header::HeaderValue::from_str(value).map_err(|_| BadEdit::HeaderValue)?;
    let mut present = headers.get_all(&name).iter();
    let same = present.next() == Some(&value) && present.next().is_none();
    if !same {
        headers.insert(name, value);
    }
    Ok(!same)
}

/// Removes a header for a plugin, and says whether it was there.
///
/// # Errors
/// Where a plugin may not remove it.
pub fn remove(headers: &mut HeaderMap, name: &str) -> Result<bool, BadEdit> {
    Ok(headers.remove(editable(name)?).is_some())
}

/// The name of a header that a plugin may set or remove.
fn editable(name: &str) -> Result<HeaderName, BadEdit> {
    const FRAMING: [HeaderName; 11] = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::CONTENT_ENCODING,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::UPGRADE,
        header::EXPECT,
        header::TE,
        header::TRAILER,
        HeaderName::from_static("keep-alive"),
    ];
    header_name(name)
        .filter(|name| !FRAMING.contains(name) && !is_secret(name))
        // The words go to the client and to the log.
        .ok_or_else(|| BadEdit::Header(name.chars().take(100).collect()))
}

/// The daemon reads a form body as parameters, and prefers them to those of the query. Go takes
/// the first of two types, others may not.
fn check_content_type(headers: &HeaderMap) -> Result<(), Violation> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let Some(first) = types.next() else {
        return Ok(());
    };
    if types.next().is_some() {
        return Err(Violation::ContentTypeTwice);
    }
    let first = first.as_bytes().to_ascii_lowercase();
    let is_form = |kind: &[u8]| first.windows(kind.len()).any(|part| part == kind);
    if is_form(b"form-urlencoded") || is_form(b"form-data") {
        return Err(Violation::FormBody);
    }
    Ok(())
}

/// Checks the credentials of a build, which the daemon reads as it reads a body. Of what it can't
/// read it takes as much as it can.
pub(super) fn check_registry_config(headers: &HeaderMap) -> Result<(), Violation> {
    let mut values = headers.get_all("x-registry-config").iter();
    let (value, second) = (values.next(), values.next());
    let Some(value) = value.filter(|value| !value.is_empty() || second.is_some()) else {
        return Ok(());
    };
    let text = BASE64_URL_SAFE.decode(value).ok().filter(|_| second.is_none());
    let has_one_reading = text.is_some_and(|text| Document::check_registry_config(&text).is_ok());
    if has_one_reading { Ok(()) } else { Err(Violation::RegistryConfig) }
}

/// Whether there is a body that may hold a document, by the daemon's own rule: an object that is
/// not empty has 7 characters at least, and a length that is not told may be any.
pub(super) fn announces_body(headers: &HeaderMap) -> bool {
    const SHORTEST: u64 = 7;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let is_long = length.is_some_and(|length| length.parse().is_ok_and(|n: u64| n > SHORTEST));
    is_long || headers.contains_key(header::TRANSFER_ENCODING)
}

fn upgrade(headers: &HeaderMap, takes_over: bool) -> Result<Option<Upgrade>, Violation> {
    let asked = takes_over && tokens(headers).any(|token| token.eq_ignore_ascii_case("upgrade"));
    match headers.get(header::UPGRADE) {
        Some(value) if asked => Upgrade::parse(value).map(Some).ok_or(Violation::Upgrade),
        _ => Ok(None),
    }
}

/// The headers that `Connection` names as its own; those that frame or name the message stay.
fn nominated(headers: &HeaderMap) -> Vec<HeaderName> {
    let end_to_end = |name: &HeaderName| {
        [header::CONTENT_LENGTH, header::CONTENT_TYPE].contains(name) || is_secret(name)
    };
    tokens(headers).filter_map(header_name).filter(|name| !end_to_end(name)).collect()
}

/// The words of `Connection`.
fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}
