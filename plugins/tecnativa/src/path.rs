//! Reading a path as HAProxy's patterns do: by its beginning, without regard to the case of ASCII.

/// What follows the prefix.
pub(crate) fn strip_prefix<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = path.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

pub(crate) fn starts_with(path: &str, prefix: &str) -> bool {
    strip_prefix(path, prefix).is_some()
}

/// What a path names below one container or pod: `stop` in `/containers/web/stop`.
#[derive(Clone, Copy)]
pub(crate) struct SubPath<'a> {
    pub(crate) of: Resource,
    pub(crate) rest: &'a str,
}

/// What has a name and a life to be started and stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Container,
    Pod,
    LibpodContainer,
    LibpodPod,
}

impl<'a> SubPath<'a> {
    /// Matches `(/libpod)?/(containers|pods)/[a-zA-Z0-9_.-]+/`. Names with other characters, which
    /// no container has, do not match.
    pub(crate) fn of(path: &'a str) -> Option<Self> {
        let (libpod, path) = match strip_prefix(path, "/libpod") {
            Some(rest) => (true, rest),
            None => (false, path),
        };
        let (of, named) = if let Some(named) = strip_prefix(path, "/containers/") {
            (if libpod { Resource::LibpodContainer } else { Resource::Container }, named)
        } else {
            let named = strip_prefix(path, "/pods/")?;
            (if libpod { Resource::LibpodPod } else { Resource::Pod }, named)
        };
        let (name, rest) = named.split_once('/')?;
        let is_name = !name.is_empty() && name.bytes().all(is_of_a_name);
        is_name.then_some(Self { of, rest })
    }
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Option<(Resource, &str)> {
        SubPath::of(path).map(|sub_path| (sub_path.of, sub_path.rest))
    }

    #[test]
    fn a_sub_path_follows_one_name() {
        assert_eq!(read("/containers/web/stop"), Some((Resource::Container, "stop")));
        assert_eq!(read("/CONTAINERS/w.e_b-1/a/b"), Some((Resource::Container, "a/b")));
        assert_eq!(read("/libpod/containers/web/top"), Some((Resource::LibpodContainer, "top")));
        assert_eq!(read("/libpod/pods/web/top"), Some((Resource::LibpodPod, "top")));
        assert_eq!(read("/pods/web/top"), Some((Resource::Pod, "top")));
    }

    #[test]
    fn everything_else_has_none() {
        for path in [
            "/",
            "",
            "/containers",
            "/containers/web",
            "/containers/stop",
            "/containers//stop",
            "/containers/a:b/stop",
            "/containers/a b/stop",
            "/containersx/web/stop",
            "/é/web/stop",
            "/images/web/stop",
            "/libpodcontainers/web/stop",
        ] {
            assert_eq!(read(path), None, "{path}");
        }
    }

    #[test]
    fn prefixes_are_compared_as_bytes_of_ascii() {
        assert!(starts_with("/Containers", "/containers"));
        assert!(!starts_with("/contain", "/containers"));
        // U+212A folds to `k` in Unicode; HAProxy's patterns know nothing of that.
        assert!(!starts_with("/tas\u{212a}s", "/tasks"));
    }
}
