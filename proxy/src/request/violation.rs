use super::{ApiVersion, Misread};

/// The rule of one meaning that a request breaks. Its words go to the client, behind "dockgate: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the words of each are beside it")]
pub enum Violation {
    #[error("the request target must be a path that begins with one slash (origin form)")]
    OriginForm,
    #[error("the request target must not have a fragment (#)")]
    Fragment,
    #[error("the path has an encoded slash (%2F), which the daemon would read as a real one")]
    EncodedSlash,
    #[error("the path has an empty segment (//), which the daemon would clean away")]
    EmptySegment,
    #[error("the path has a dot segment (. or ..), which the daemon would clean away")]
    DotSegment,
    #[error("the request target has a control character")]
    Control,
    #[error("the request target has a % that no two hexadecimal digits follow")]
    PercentEncoding,
    #[error("the request target is not UTF-8 when decoded")]
    NotUtf8,
    #[error("the query has a semicolon, which daemons read in two ways: encode it as %3B")]
    Semicolon,
    #[error("the version in the path must be spelt v<major>.<minor>, such as /v1.41")]
    Version,
    #[error("API version {version} is older than {oldest}, the oldest that is let through")]
    OldVersion { version: ApiVersion, oldest: ApiVersion },
    #[error("the request target is longer than 65 534 bytes when encoded as it is sent")]
    LongTarget,
    #[error("the method is none that the Docker Engine API has")]
    Method,
    #[error("form bodies are not let through: the daemon would take them for the query")]
    FormBody,
    #[error("Content-Type stands twice")]
    ContentTypeTwice,
    #[error("Expect must be 100-continue")]
    Expect,
    #[error("Upgrade must be tcp, h2c or websocket")]
    Upgrade,
    #[error("Host must stand exactly once")]
    Host,
    #[error("Content-Length and Transfer-Encoding exclude each other")]
    TwoLengths,
    #[error("Content-Length must be one decimal number")]
    ContentLength,
    #[error("Transfer-Encoding must be chunked, in HTTP/1.1")]
    TransferEncoding,
    #[error("the chunked body is not framed as RFC 9112 section 7.1 says, without extensions")]
    Chunk,
    #[error("the body has a Content-Encoding, so that a plugin can't read what the daemon would")]
    EncodedBody,
    #[error("the body must have the Content-Type application/json")]
    BodyType,
    #[error("the body is larger than {0} bytes, the most that a plugin is given to read")]
    LargeBody(usize),
    #[error("the body can't be read as JSON in one way: {0}")]
    Json(Misread),
    #[error("the parameter {0:?} can't be read as JSON in one way: {1}")]
    JsonInQuery(String, Misread),
    #[error("X-Registry-Config must stand once, and be JSON of one meaning in base64url")]
    RegistryConfig,
    #[error("a container is started without a body: some daemons take it for a new HostConfig")]
    BodyAtStart,
    #[error("this is not a well-formed HTTP/1.x request: {0}")]
    Malformed(&'static str),
}
