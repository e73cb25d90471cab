//! The path of a request, in the one form that the daemon reads it in.
//!
//! The daemon (Go's net/url and gorilla/mux) decodes a path once, answers one that is not clean
//! with a redirect to the clean one, and takes `/v1.41` off. Whatever could be read in two ways is
//! refused here, so what is left has one reading.

use std::fmt::{self, Write as _};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::Violation;

/// A version of the API, `1.41`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    /// The 1.
    pub major: u16,
    /// The 41.
    pub minor: u16,
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl std::str::FromStr for ApiVersion {
    type Err = Violation;

    /// Reads `1.41`: two numbers without leading zeros.
    fn from_str(text: &str) -> Result<Self, Violation> {
        let number = |digits: &str| {
            let plain = digits.bytes().all(|b| b.is_ascii_digit())
                && (digits == "0" || !digits.starts_with('0'));
            digits.parse().ok().filter(|_| plain)
        };
        text.split_once('.')
            .and_then(|(major, minor)| Some(Self { major: number(major)?, minor: number(minor)? }))
            .ok_or(Violation::Version)
    }
}

/// Splits the path of a request target into its version and the rest, decoded and clean.
pub(super) fn canonical(raw: &str) -> Result<(Option<ApiVersion>, String), Violation> {
    if !raw.starts_with('/') {
        return Err(Violation::OriginForm);
    }
    let path = decode(raw)?;
    check_segments(&path)?;
    split_version(path)
}

/// The path as it is sent: what a path may hold by RFC 3986 section 3.3 stands for itself, all else
/// is percent-encoded.
pub(super) fn encode(version: Option<ApiVersion>, path: &str) -> String {
    const ENCODED: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'[')
        .add(b'\\')
        .add(b']')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    let mut encoded = String::with_capacity(path.len() + 8);
    if let Some(version) = version {
        // Writing to a String can't fail.
        let _ = write!(encoded, "/v{version}");
    }
    encoded.extend(utf8_percent_encode(path, ENCODED));
    encoded
}

/// Undoes percent-encoding, once.
fn decode(raw: &str) -> Result<String, Violation> {
    let decoded = if raw.contains('%') { decode_escapes(raw)? } else { raw.to_owned() };
    let plain = decoded.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !plain && decoded.contains(char::is_control) {
        return Err(Violation::Control);
    }
    Ok(decoded)
}

fn decode_escapes(raw: &str) -> Result<String, Violation> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let byte = hex(bytes.next())? << 4 | hex(bytes.next())?;
        if byte == b'/' {
            return Err(Violation::EncodedSlash);
        }
        decoded.push(byte);
    }
    String::from_utf8(decoded).map_err(|_| Violation::NotUtf8)
}

fn hex(digit: Option<u8>) -> Result<u8, Violation> {
    let digit = char::from(digit.ok_or(Violation::PercentEncoding)?);
    let value = digit.to_digit(16).and_then(|value| u8::try_from(value).ok());
    value.ok_or(Violation::PercentEncoding)
}

/// No segment is empty, `.` or `..`; a slash at the end may be, since `/networks/` is a route.
fn check_segments(path: &str) -> Result<(), Violation> {
    let mut segments = path[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "" if segments.peek().is_some() => return Err(Violation::EmptySegment),
            "." | ".." => return Err(Violation::DotSegment),
            _ => {}
        }
    }
    Ok(())
}

/// Takes the version off. The daemon takes `/v` and any run of digits and dots for one, so every
/// such segment either is a version in its one spelling or is refused.
fn split_version(mut path: String) -> Result<(Option<ApiVersion>, String), Violation> {
    let end = path[1..].find('/').map_or(path.len(), |slash| slash + 1);
    let Some(digits) = path[1..end].strip_prefix(['v', 'V']) else {
        return Ok((None, path));
    };
    let looks_like_one =
        !digits.is_empty() && digits.bytes().all(|b| b == b'.' || b.is_ascii_digit());
    // Without anything behind it the daemon sees no version in it, nor do we.
    if !looks_like_one || end == path.len() {
        return Ok((None, path));
    }
    if path.as_bytes()[1] == b'V' {
        return Err(Violation::Version);
    }
    let version = digits.parse()?;
    path.drain(..end);
    Ok((Some(version), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_has_one_reading_is_taken() {
        let v41 = Some(ApiVersion { major: 1, minor: 41 });
        for (raw, version, path, sent) in [
            ("/containers/json", None, "/containers/json", "/containers/json"),
            ("/v1.41/containers/json", v41, "/containers/json", "/v1.41/containers/json"),
            ("/v1%2e41/containers/json", v41, "/containers/json", "/v1.41/containers/json"),
            ("/%76%31.41/%63ontainers/json", v41, "/containers/json", "/v1.41/containers/json"),
            ("/networks/", None, "/networks/", "/networks/"),
            ("/", None, "/", "/"),
            ("/v1.41", None, "/v1.41", "/v1.41"),
            ("/v/containers/json", None, "/v/containers/json", "/v/containers/json"),
            ("/v1.41x/containers", None, "/v1.41x/containers", "/v1.41x/containers"),
            ("/volumes/x", None, "/volumes/x", "/volumes/x"),
            (
                "/containers/a%3fb%23c/json",
                None,
                "/containers/a?b#c/json",
                "/containers/a%3Fb%23c/json",
            ),
            ("/containers/a%252fb", None, "/containers/a%2fb", "/containers/a%252fb"),
            ("/containers/ab%3Ac/logs", None, "/containers/ab:c/logs", "/containers/ab:c/logs"),
            ("/x/%ef%bc%8e", None, "/x/\u{ff0e}", "/x/%EF%BC%8E"),
            ("/x/\\..", None, "/x/\\..", "/x/%5C.."),
        ] {
            let (found, clean) = canonical(raw).expect(raw);
            assert_eq!((found, clean.as_str()), (version, path), "{raw}");
            assert_eq!(encode(found, &clean), sent, "{raw}");
            let again = canonical(sent).expect(sent);
            assert_eq!(again, (found, clean), "what is sent reads the same again: {raw}");
        }
    }

    #[test]
    fn a_path_with_two_readings_breaks_a_rule() {
        for (raw, rule) in [
            ("containers/json", Violation::OriginForm),
            ("*", Violation::OriginForm),
            ("", Violation::OriginForm),
            ("//containers/json", Violation::EmptySegment),
            ("/containers//json", Violation::EmptySegment),
            ("/containers/json//", Violation::EmptySegment),
            ("/./containers/json", Violation::DotSegment),
            ("/_ping/../containers/json", Violation::DotSegment),
            ("/..", Violation::DotSegment),
            ("/%2e/containers/json", Violation::DotSegment),
            ("/v1.41/%2E%2e/containers/json", Violation::DotSegment),
            ("/_ping/..%2fcontainers/json", Violation::EncodedSlash),
            ("/v1.41%2Fcontainers/json", Violation::EncodedSlash),
            ("/containers/json%00", Violation::Control),
            ("/containers/json%0d%0aX:y", Violation::Control),
            ("/containers/%c2%85", Violation::Control),
            ("/containers/%7f", Violation::Control),
            ("/containers/%c0%ae%c0%ae/json", Violation::NotUtf8),
            ("/containers/%ff", Violation::NotUtf8),
            ("/containers/%", Violation::PercentEncoding),
            ("/containers/%zz", Violation::PercentEncoding),
            ("/containers/%1", Violation::PercentEncoding),
            ("/v1.41./containers/json", Violation::Version),
            ("/v1.41../containers/json", Violation::Version),
            ("/v1..41/containers/json", Violation::Version),
            ("/v01.41/containers/json", Violation::Version),
            ("/v1.041/containers/json", Violation::Version),
            ("/v1.41.1/containers/json", Violation::Version),
            ("/v1/containers/json", Violation::Version),
            ("/v./containers/json", Violation::Version),
            ("/V1.41/containers/json", Violation::Version),
            ("/v1.99999999/containers/json", Violation::Version),
        ] {
            assert_eq!(canonical(raw), Err(rule), "{raw}");
        }
    }
}
