//! Paths of the host.

use std::borrow::Cow;

use dockgate_plugin::schemars::{self, JsonSchema};
use serde::Deserialize;

/// An absolute path, clean: `/srv/data`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Cow<'_, str>")]
#[schemars(inline, example = &"/srv/data")]
pub struct HostPath(String);

impl HostPath {
    /// A path as the daemon cleans it: by its letters alone, so that `/srv/link/../x` is `/srv/x`
    /// wherever `link` leads. None where it is not absolute.
    pub(crate) fn clean(text: &str) -> Option<Self> {
        if !text.starts_with('/') || text.contains('\0') {
            return None;
        }
        let mut steps = Vec::new();
        for step in text.split('/') {
            match step {
                "" | "." => {}
                ".." => {
                    steps.pop();
                }
                step => steps.push(step),
            }
        }
        Some(Self(format!("/{}", steps.join("/"))))
    }

    /// Whether `path` is this one, or below it.
    pub(crate) fn covers(&self, path: &Self) -> bool {
        within(&self.0, &path.0)
    }

    /// Whether whoever has this path has the socket of a container engine, and so the host: the
    /// socket, what is beside it, or a folder that they are in.
    pub(crate) fn reaches_an_engine(&self) -> bool {
        let path = self.0.as_str();
        let name = path.rsplit('/').next().unwrap_or_default();
        // What `/var/run` leads to.
        let path = match path {
            "/var" | "/var/run" => "/run",
            path => match path.strip_prefix("/var/run/") {
                Some(_) => &path["/var".len()..],
                None => path,
            },
        };
        // Engines without root have theirs in `/run/user/1000`.
        let of_a_user = path.strip_prefix("/run/user/").is_some_and(|rest| !rest.contains('/'));
        of_a_user
            || SOCKETS.contains(&name)
            || PLACES.iter().any(|place| within(path, place) || within(place, path))
            || within(path, "/run/user")
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn within(root: &str, path: &str) -> bool {
    let rest = path.strip_prefix(root);
    root == "/" || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What sockets of engines are called, wherever they are.
const SOCKETS: [&str; 9] = [
    "buildkitd.sock",
    "containerd-debug.sock",
    "containerd.sock",
    "containerd.sock.ttrpc",
    "crio.sock",
    "docker.sock",
    "dockershim.sock",
    "cri-dockerd.sock",
    "podman.sock",
];

/// Where they and their shims, plugins and namespaces are.
const PLACES: [&str; 8] = [
    "/run/buildkit",
    "/run/containerd",
    "/run/cri-dockerd.sock",
    "/run/crio",
    "/run/docker",
    "/run/docker.sock",
    "/run/libpod",
    "/run/podman",
];

impl TryFrom<Cow<'_, str>> for HostPath {
    type Error = String;

    fn try_from(text: Cow<'_, str>) -> Result<Self, String> {
        let clean = Self::clean(&text).ok_or_else(|| format!("`{text}` is no absolute path"))?;
        if clean.0 == text.trim_end_matches('/') || (clean.0 == "/" && text == "/") {
            return Ok(clean);
        }
        Err(format!("`{text}` is not clean: write {}", clean.0))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    fn clean(text: &str) -> HostPath {
        HostPath::clean(text).unwrap()
    }

    #[test]
    fn paths_are_cleaned_as_the_daemon_cleans_them() {
        for (text, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/..", "/"),
            ("/srv/", "/srv"),
            ("//srv//data/./x/", "/srv/data/x"),
            ("/srv/link/../x", "/srv/x"),
            ("/../../etc", "/etc"),
            ("/srv/...", "/srv/..."),
            ("/srv/..data", "/srv/..data"),
        ] {
            assert_eq!(clean(text).as_str(), expected, "{text}");
        }
        for text in ["", "srv", "./srv", "C:\\srv", "~/x", "\\srv", "/srv\0"] {
            assert_eq!(HostPath::clean(text), None, "{text}");
        }
    }

    #[test]
    fn a_root_covers_whole_segments() {
        let srv = clean("/srv/data");
        for (path, covered) in [
            ("/srv/data", true),
            ("/srv/data/", true),
            ("/srv/data/deep/er", true),
            ("/srv/data2", false),
            ("/srv", false),
            ("/", false),
            ("/srv/data/../other", false),
        ] {
            assert_eq!(srv.covers(&clean(path)), covered, "{path}");
        }
        assert!(clean("/").covers(&clean("/etc")));
        assert!(!srv.covers(&clean("/SRV/data")));
    }

    #[test]
    fn no_spelling_reaches_the_socket_of_an_engine() {
        for path in [
            "/var/run/docker.sock",
            "/run/docker.sock",
            "/run//docker.sock",
            "/run/./x/../docker.sock",
            "/var/run/../run/docker.sock",
            "/srv/proxy/docker.sock",
            "/run/containerd/containerd.sock",
            "/run/containerd/containerd.sock.ttrpc",
            "/run/containerd/s/4f66",
            "/run/docker/plugins/x.sock",
            "/var/run/docker",
            "/run/podman/podman.sock",
            "/run/user/1000/docker.sock",
            "/run/user/1000",
            "/run/user",
            "/run/user/1000/podman/podman.sock",
            "/var/run",
            "/run",
            "/var",
            "/",
        ] {
            assert!(clean(path).reaches_an_engine(), "{path}");
        }
        for path in ["/srv", "/var/lib/x", "/run/lock", "/var/log", "/run/user/1000/x", "/runner"] {
            assert!(!clean(path).reaches_an_engine(), "{path}");
        }
    }

    #[test]
    fn roots_are_written_clean() {
        let read = |text: &str| HostPath::try_from(Cow::from(text.to_owned()));
        assert_eq!(read("/srv/data/").unwrap().as_str(), "/srv/data");
        assert_eq!(read("/").unwrap().as_str(), "/");
        assert_eq!(read("srv").unwrap_err(), "`srv` is no absolute path");
        assert_eq!(read("/srv/../etc").unwrap_err(), "`/srv/../etc` is not clean: write /etc");
    }
}
