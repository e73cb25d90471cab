//! What an image is called, in full.

use std::fmt;

/// A reference to an image with all that Docker adds to it: `nginx` is
/// `docker.io/library/nginx:latest`.
///
/// The rules are those of <https://github.com/distribution/reference>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a text can't be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unclear {
    /// The daemon doesn't take it either.
    NoReference,
    /// It is an image id or the beginning of one, or the daemon may take it for that.
    Id,
}

impl Reference {
    /// Reads what names an image on the daemon. An id is looked for there as well, by any beginning
    /// of it, so a name that could be one is no name.
    pub(crate) fn of_local(text: &str) -> Result<Self, Unclear> {
        let is_id =
            !text.is_empty() && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if is_id || text.starts_with("sha256:") || text.starts_with("sha512:") {
            return Err(Unclear::Id);
        }
        Self::of_registry(text)
    }

    /// Reads what names an image in a registry.
    pub(crate) fn of_registry(text: &str) -> Result<Self, Unclear> {
        Self::read(text).ok_or(Unclear::NoReference)
    }

    fn read(text: &str) -> Option<Self> {
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (text, None),
        };
        let end_of_path = named.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match named[end_of_path..].split_once(':') {
            Some((last, tag)) => (&named[..end_of_path + last.len()], Some(tag)),
            None => (named, None),
        };
        let repository = repository(name)?;
        let fits = tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
        fits.then(|| Self {
            repository,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// The same with another tag, as a pull takes it: in the place of tag and digest, and it may be
    /// a digest.
    pub(crate) fn retagged(self, tag: &str) -> Result<Self, Unclear> {
        let tag = tag.to_owned();
        if is_digest(&tag) {
            return Ok(Self { tag: None, digest: Some(tag), ..self });
        }
        let fits = is_tag(&tag);
        let retagged = Self { tag: Some(tag), digest: None, ..self };
        if fits { Ok(retagged) } else { Err(Unclear::NoReference) }
    }

    /// The registry and the repository there: `docker.io/library/nginx`.
    pub(crate) fn repository(&self) -> &str {
        &self.repository
    }

    /// Whether it can be one image alone.
    pub(crate) fn has_digest(&self) -> bool {
        self.digest.is_some()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        match (&self.tag, &self.digest) {
            (Some(tag), None) => write!(f, ":{tag}"),
            (None, None) => f.write_str(":latest"),
            (Some(tag), Some(digest)) => write!(f, ":{tag}@{digest}"),
            (None, Some(digest)) => write!(f, "@{digest}"),
        }
    }
}

/// The full name. The first segment is a registry where it has a dot, a port or an upper-case
/// letter, or is `localhost`.
fn repository(name: &str) -> Option<String> {
    let is_registry = |first: &str| {
        first == "localhost"
            || first.contains(|c: char| matches!(c, '.' | ':') || c.is_ascii_uppercase())
    };
    let (registry, path) = match name.split_once('/') {
        Some(("index.docker.io", path)) => (DEFAULT_REGISTRY, path),
        Some((first, path)) if is_registry(first) => (first, path),
        _ => (DEFAULT_REGISTRY, name),
    };
    let is_official = registry == DEFAULT_REGISTRY && !path.contains('/');
    let fits = is_domain(registry) && path.split('/').all(is_segment);
    let library = if is_official { "library/" } else { "" };
    fits.then(|| format!("{registry}/{library}{path}"))
}

const DEFAULT_REGISTRY: &str = "docker.io";

fn is_domain(text: &str) -> bool {
    let is_of_it =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    !text.is_empty() && text.bytes().all(is_of_it)
}

fn is_segment(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter().all(|end| end.is_some_and(|b| is_plain(*b)))
        && bytes.iter().all(|b| is_plain(*b) || matches!(b, b'.' | b'_' | b'-'))
        && !text.contains("..")
}

fn is_tag(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = text.as_bytes();
    bytes.len() <= 128
        && bytes.first().is_some_and(|b| is_word(*b))
        && bytes.iter().all(|b| is_word(*b) || matches!(b, b'.' | b'-'))
}

/// Other algorithms than these are unknown to the daemon.
fn is_digest(text: &str) -> bool {
    let is_hex = |hex: &str| hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match text.split_once(':') {
        Some(("sha256", hex)) => hex.len() == 64 && is_hex(hex),
        Some(("sha384", hex)) => hex.len() == 96 && is_hex(hex),
        Some(("sha512", hex)) => hex.len() == 128 && is_hex(hex),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, Unclear> {
        Reference::of_local(text).map(|reference| reference.to_string())
    }

    #[test]
    fn names_are_completed_as_docker_does() {
        for (text, expected) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.27", "docker.io/library/nginx:1.27"),
            ("acme/app", "docker.io/acme/app:latest"),
            ("docker.io/nginx", "docker.io/library/nginx:latest"),
            ("index.docker.io/acme/app", "docker.io/acme/app:latest"),
            ("localhost/app", "localhost/app:latest"),
            ("localhost:5000/app:v1", "localhost:5000/app:v1"),
            ("ghcr.io/acme/team/app", "ghcr.io/acme/team/app:latest"),
            ("Registry/app", "Registry/app:latest"),
            ("[::1]:5000/app", "[::1]:5000/app:latest"),
            ("a__b/c-d.e", "docker.io/a__b/c-d.e:latest"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_digest_stays_beside_a_tag() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let both = format!("nginx:1@{digest}");
        assert_eq!(read(&both), Ok(format!("docker.io/library/nginx:1@{digest}")));
        let retag = |tag: &str| {
            let retagged = Reference::of_registry(&both).and_then(|r| r.retagged(tag));
            retagged.map(|reference| reference.has_digest())
        };
        assert_eq!(retag("latest"), Ok(false));
        assert_eq!(retag(&digest), Ok(true));
        assert_eq!(retag("a/b"), Err(Unclear::NoReference));
    }

    #[test]
    fn what_could_be_an_id_is_no_name() {
        for id in ["cafe", "1", "sha256:cafe", &"0a".repeat(32)] {
            assert_eq!(read(id), Err(Unclear::Id), "{id}");
        }
        assert_eq!(read("cafe:latest").as_deref(), Ok("docker.io/library/cafe:latest"));
        assert!(Reference::of_registry("cafe").is_ok());
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in
            ["", "/", "nginx:", "nginx@", "a//b", "a/../b", "-a", "App", "a b", "a:b:c", "é"]
        {
            assert_eq!(read(text), Err(Unclear::NoReference), "{text}");
        }
    }
}
