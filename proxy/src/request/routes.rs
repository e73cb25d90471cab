//! The routes of the Docker Engine API, and what a request is by them.
//!
//! One table, in the order in which the daemon registers its routes (moby, `api/server/router`,
//! August 2026): its router takes the first that matches, so `DELETE /containers/json` is
//! `container-delete` of a container called `json`, and so it is here.

use std::{fmt, sync::LazyLock};

use globset::Glob;

use crate::nearest::nearest;

use Answer::{Hijack, Open, Prompt, Upgrade};
use Body::{Json, Nothing, Stream, Tar};

/// An endpoint of the Docker Engine API by its name: `container-list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operation(&'static str);

impl Operation {
    /// No route of the API matches.
    pub const UNKNOWN: Self = Self("unknown");

    /// Of which daemons up to 24 read a body that the API has not had since 1.24.
    pub(super) const CONTAINER_START: Self = Self("container-start");

    /// The one that takes credentials for many registries.
    pub(super) const IMAGE_BUILD: Self = Self("image-build");

    /// The name.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// All of them, [`Operation::UNKNOWN`] the last; one with two routes comes twice.
    pub fn all() -> impl Iterator<Item = Self> {
        ROUTES.iter().map(|route| route.operation).chain([Self::UNKNOWN])
    }

    /// Those that a pattern names: `container-list`, `container-*`, `{image,volume}-list`.
    ///
    /// # Errors
    /// Words on what is wrong with the pattern, or that it names none, with the nearest that there is.
    pub fn matching(pattern: &str) -> Result<Vec<Self>, String> {
        let glob = Glob::new(pattern)
            .map_err(|error| format!("{pattern:?} is no pattern: {}", error.kind()))?
            .compile_matcher();
        let mut found: Vec<_> = Self::all().filter(|one| glob.is_match(one.name())).collect();
        found.dedup();
        if !found.is_empty() {
            return Ok(found);
        }
        Err(match nearest(pattern, Self::all().map(Self::name)) {
            Some(nearest) => format!("no operation is called {pattern:?}: did you mean {nearest}?"),
            None => {
                format!("no operation is called {pattern:?} (`dockgate operations` lists them)")
            }
        })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What kind of body an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// None that the daemon reads.
    Nothing,
    /// One JSON document.
    Json,
    /// A tar archive, of any length.
    Tar,
    /// Bytes of the client's own protocol, on a connection that is taken over.
    Stream,
}

impl Body {
    /// The word for it in the plugin interface.
    pub fn name(self) -> &'static str {
        match self {
            Nothing => "none",
            Json => "json",
            Tar => "tar",
            Stream => "stream",
        }
    }
}

/// How the daemon answers an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A read that is answered at once: no answer for minutes means a daemon that hangs.
    Prompt,
    /// When it is done, or bit by bit for hours.
    Open,
    /// By taking the connection over for a raw stream, whether the client asks for an upgrade or,
    /// as clients did of old, does not.
    Hijack,
    /// By going over to the protocol that the client asks for.
    Upgrade,
}

/// One route of the API.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// What it is called.
    pub operation: Operation,
    /// The method, in upper case.
    pub method: &'static str,
    /// The path as the daemon writes it: `/containers/{name:.*}/json`.
    pub pattern: &'static str,
    /// The API version 1.x that brought it, 24 for all that are older.
    pub since: u16,
    /// What kind of body it takes.
    pub body: Body,
    /// How it is answered.
    pub answer: Answer,
}

/// All routes, in the daemon's order.
pub fn all() -> &'static [Route] {
    ROUTES
}

/// The route that the daemon takes for a path without its version, and the range of the path that
/// names the target. None where no route matches and the daemon answers 404.
pub(super) fn find(method: &str, path: &str) -> Option<(&'static Route, Option<Target>)> {
    let section = section(path);
    COMPILED
        .iter()
        .filter(|c| c.route.method == method && c.section.is_none_or(|s| s == section))
        // What `OPTIONS` on any path matches is no target.
        .find_map(|c| c.pattern.matches(path).map(|t| (c.route, t.filter(|_| c.section.is_some()))))
}

/// Where in a path the target stands, in bytes.
pub(super) type Target = std::ops::Range<usize>;

static COMPILED: LazyLock<Vec<Compiled>> =
    LazyLock::new(|| ROUTES.iter().map(Compiled::from).collect());

/// A route made ready for matching.
struct Compiled {
    route: &'static Route,
    /// The first segment of its paths; none for the route that matches every path.
    section: Option<&'static str>,
    pattern: Pattern,
}

impl From<&'static Route> for Compiled {
    fn from(route: &'static Route) -> Self {
        let any_section = route.pattern.starts_with("/{");
        Self {
            route,
            section: (!any_section).then(|| section(route.pattern)),
            pattern: Pattern::parse(route.pattern),
        }
    }
}

/// The shapes that the API's patterns have.
enum Pattern {
    /// No parameter.
    Literal(&'static str),
    /// A parameter between two literals; `kind` says what it may hold.
    Named { before: &'static str, kind: Kind, after: &'static str },
    /// Two parameters without slashes: `/containers/{name}/checkpoints/{checkpoint}`.
    Pair { before: &'static str, between: &'static str },
}

/// What a parameter of a pattern matches.
#[derive(Clone, Copy)]
enum Kind {
    /// `{id}`: one segment, not empty.
    Segment,
    /// `{name:.*}`: anything, slashes included.
    Anything,
    /// `{id:.+}`: anything but nothing.
    Something,
}

impl Pattern {
    fn parse(text: &'static str) -> Self {
        let Some((before, rest)) = text.split_once('{') else {
            return Self::Literal(text);
        };
        let Some((parameter, after)) = rest.split_once('}') else {
            return Self::Literal(text);
        };
        if let Some((between, _)) = after.split_once('{') {
            return Self::Pair { before, between };
        }
        let kind = match parameter.split_once(':') {
            None => Kind::Segment,
            Some((_, ".+")) => Kind::Something,
            Some(_) => Kind::Anything,
        };
        Self::Named { before, kind, after }
    }

    /// The target of `path`, if it has one, where it matches.
    #[allow(
        clippy::option_option,
        reason = "two questions: does it match, and does it name something"
    )]
    fn matches(&self, path: &str) -> Option<Option<Target>> {
        match *self {
            Self::Literal(text) => (path == text).then_some(None),
            Self::Named { before, kind, after } => {
                let name = path.strip_prefix(before)?.strip_suffix(after)?;
                let fits = match kind {
                    Kind::Segment => !name.is_empty() && !name.contains('/'),
                    Kind::Anything => true,
                    Kind::Something => !name.is_empty(),
                };
                let target = before.len()..before.len() + name.len();
                fits.then(|| (!name.is_empty()).then_some(target))
            }
            Self::Pair { before, between } => {
                let (name, second) = path.strip_prefix(before)?.split_once(between)?;
                let one = |s: &str| !s.is_empty() && !s.contains('/');
                (one(name) && one(second)).then(|| Some(before.len()..before.len() + name.len()))
            }
        }
    }
}

/// The first segment of a path or pattern.
fn section(path: &str) -> &str {
    path[1..].split('/').next().unwrap_or_default()
}

const fn row(
    operation: &'static str,
    method: &'static str,
    pattern: &'static str,
    since: u16,
    body: Body,
    answer: Answer,
) -> Route {
    Route { operation: Operation(operation), method, pattern, since, body, answer }
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    row("image-build", "POST", "/build", 24, Tar, Open),
    row("build-prune", "POST", "/build/prune", 31, Nothing, Open),
    row("build-cancel", "POST", "/build/cancel", 24, Nothing, Open),
    row("container-checkpoint-list", "GET", "/containers/{name:.*}/checkpoints", 24, Nothing, Prompt),
    row("container-checkpoint-create", "POST", "/containers/{name:.*}/checkpoints", 24, Json, Open),
    row("container-checkpoint-delete", "DELETE", "/containers/{name}/checkpoints/{checkpoint}", 24, Nothing, Open),
    row("container-archive-info", "HEAD", "/containers/{name:.*}/archive", 24, Nothing, Prompt),
    row("container-list", "GET", "/containers/json", 24, Nothing, Prompt),
    row("container-export", "GET", "/containers/{name:.*}/export", 24, Nothing, Open),
    row("container-changes", "GET", "/containers/{name:.*}/changes", 24, Nothing, Prompt),
    row("container-inspect", "GET", "/containers/{name:.*}/json", 24, Nothing, Prompt),
    row("container-top", "GET", "/containers/{name:.*}/top", 24, Nothing, Prompt),
    row("container-logs", "GET", "/containers/{name:.*}/logs", 24, Nothing, Open),
    row("container-stats", "GET", "/containers/{name:.*}/stats", 24, Nothing, Open),
    row("container-attach-websocket", "GET", "/containers/{name:.*}/attach/ws", 24, Stream, Upgrade),
    row("exec-inspect", "GET", "/exec/{id:.*}/json", 24, Nothing, Prompt),
    row("container-archive", "GET", "/containers/{name:.*}/archive", 24, Nothing, Open),
    row("container-create", "POST", "/containers/create", 24, Json, Open),
    row("container-kill", "POST", "/containers/{name:.*}/kill", 24, Nothing, Open),
    row("container-pause", "POST", "/containers/{name:.*}/pause", 24, Nothing, Open),
    row("container-unpause", "POST", "/containers/{name:.*}/unpause", 24, Nothing, Open),
    row("container-restart", "POST", "/containers/{name:.*}/restart", 24, Nothing, Open),
    row("container-start", "POST", "/containers/{name:.*}/start", 24, Nothing, Open),
    row("container-stop", "POST", "/containers/{name:.*}/stop", 24, Nothing, Open),
    row("container-wait", "POST", "/containers/{name:.*}/wait", 24, Nothing, Open),
    row("container-resize", "POST", "/containers/{name:.*}/resize", 24, Nothing, Open),
    row("container-attach", "POST", "/containers/{name:.*}/attach", 24, Stream, Hijack),
    row("container-exec", "POST", "/containers/{name:.*}/exec", 24, Json, Open),
    row("exec-start", "POST", "/exec/{name:.*}/start", 24, Json, Hijack),
    row("exec-resize", "POST", "/exec/{name:.*}/resize", 24, Nothing, Open),
    row("container-rename", "POST", "/containers/{name:.*}/rename", 24, Nothing, Open),
    row("container-update", "POST", "/containers/{name:.*}/update", 24, Json, Open),
    row("container-prune", "POST", "/containers/prune", 25, Nothing, Open),
    row("container-commit", "POST", "/commit", 24, Json, Open),
    row("container-archive-put", "PUT", "/containers/{name:.*}/archive", 24, Tar, Open),
    row("container-delete", "DELETE", "/containers/{name:.*}", 24, Nothing, Open),
    row("distribution-inspect", "GET", "/distribution/{name:.*}/json", 30, Nothing, Prompt),
    row("grpc", "POST", "/grpc", 24, Stream, Upgrade),
    row("image-list", "GET", "/images/json", 24, Nothing, Prompt),
    row("image-search", "GET", "/images/search", 24, Nothing, Prompt),
    row("image-get-all", "GET", "/images/get", 24, Nothing, Open),
    row("image-get", "GET", "/images/{name:.*}/get", 24, Nothing, Open),
    row("image-history", "GET", "/images/{name:.*}/history", 24, Nothing, Prompt),
    row("image-inspect", "GET", "/images/{name:.*}/json", 24, Nothing, Prompt),
    row("image-attestations", "GET", "/images/{name:.*}/attestations", 55, Nothing, Prompt),
    row("image-load", "POST", "/images/load", 24, Tar, Open),
    row("image-create", "POST", "/images/create", 24, Tar, Open),
    row("image-push", "POST", "/images/{name:.*}/push", 24, Nothing, Open),
    row("image-tag", "POST", "/images/{name:.*}/tag", 24, Nothing, Open),
    row("image-prune", "POST", "/images/prune", 25, Nothing, Open),
    row("image-delete", "DELETE", "/images/{name:.*}", 24, Nothing, Open),
    row("network-list", "GET", "/networks", 24, Nothing, Prompt),
    row("network-list", "GET", "/networks/", 24, Nothing, Prompt),
    row("network-inspect", "GET", "/networks/{id:.+}", 24, Nothing, Prompt),
    row("network-create", "POST", "/networks/create", 24, Json, Open),
    row("network-connect", "POST", "/networks/{id:.*}/connect", 24, Json, Open),
    row("network-disconnect", "POST", "/networks/{id:.*}/disconnect", 24, Json, Open),
    row("network-prune", "POST", "/networks/prune", 25, Nothing, Open),
    row("network-delete", "DELETE", "/networks/{id:.*}", 24, Nothing, Open),
    row("plugin-list", "GET", "/plugins", 24, Nothing, Prompt),
    row("plugin-inspect", "GET", "/plugins/{name:.*}/json", 24, Nothing, Prompt),
    row("plugin-privileges", "GET", "/plugins/privileges", 24, Nothing, Prompt),
    row("plugin-delete", "DELETE", "/plugins/{name:.*}", 24, Nothing, Open),
    row("plugin-enable", "POST", "/plugins/{name:.*}/enable", 24, Nothing, Open),
    row("plugin-disable", "POST", "/plugins/{name:.*}/disable", 24, Nothing, Open),
    row("plugin-pull", "POST", "/plugins/pull", 24, Json, Open),
    row("plugin-push", "POST", "/plugins/{name:.*}/push", 24, Nothing, Open),
    row("plugin-upgrade", "POST", "/plugins/{name:.*}/upgrade", 26, Json, Open),
    row("plugin-set", "POST", "/plugins/{name:.*}/set", 24, Json, Open),
    row("plugin-create", "POST", "/plugins/create", 24, Tar, Open),
    row("session", "POST", "/session", 31, Stream, Upgrade),
    row("swarm-init", "POST", "/swarm/init", 24, Json, Open),
    row("swarm-join", "POST", "/swarm/join", 24, Json, Open),
    row("swarm-leave", "POST", "/swarm/leave", 24, Nothing, Open),
    row("swarm-inspect", "GET", "/swarm", 24, Nothing, Prompt),
    row("swarm-unlockkey", "GET", "/swarm/unlockkey", 24, Nothing, Prompt),
    row("swarm-update", "POST", "/swarm/update", 24, Json, Open),
    row("swarm-unlock", "POST", "/swarm/unlock", 24, Json, Open),
    row("service-list", "GET", "/services", 24, Nothing, Prompt),
    row("service-inspect", "GET", "/services/{id}", 24, Nothing, Prompt),
    row("service-create", "POST", "/services/create", 24, Json, Open),
    row("service-update", "POST", "/services/{id}/update", 24, Json, Open),
    row("service-delete", "DELETE", "/services/{id}", 24, Nothing, Open),
    row("service-logs", "GET", "/services/{id}/logs", 24, Nothing, Open),
    row("node-list", "GET", "/nodes", 24, Nothing, Prompt),
    row("node-inspect", "GET", "/nodes/{id}", 24, Nothing, Prompt),
    row("node-delete", "DELETE", "/nodes/{id}", 24, Nothing, Open),
    row("node-update", "POST", "/nodes/{id}/update", 24, Json, Open),
    row("task-list", "GET", "/tasks", 24, Nothing, Prompt),
    row("task-inspect", "GET", "/tasks/{id}", 24, Nothing, Prompt),
    row("task-logs", "GET", "/tasks/{id}/logs", 29, Nothing, Open),
    row("secret-list", "GET", "/secrets", 25, Nothing, Prompt),
    row("secret-create", "POST", "/secrets/create", 25, Json, Open),
    row("secret-delete", "DELETE", "/secrets/{id}", 25, Nothing, Open),
    row("secret-inspect", "GET", "/secrets/{id}", 25, Nothing, Prompt),
    row("secret-update", "POST", "/secrets/{id}/update", 25, Json, Open),
    row("config-list", "GET", "/configs", 30, Nothing, Prompt),
    row("config-create", "POST", "/configs/create", 30, Json, Open),
    row("config-delete", "DELETE", "/configs/{id}", 30, Nothing, Open),
    row("config-inspect", "GET", "/configs/{id}", 30, Nothing, Prompt),
    row("config-update", "POST", "/configs/{id}/update", 30, Json, Open),
    row("options", "OPTIONS", "/{anyroute:.*}", 24, Nothing, Prompt),
    row("system-ping", "GET", "/_ping", 24, Nothing, Prompt),
    row("system-ping", "HEAD", "/_ping", 40, Nothing, Prompt),
    row("system-events", "GET", "/events", 24, Nothing, Open),
    row("system-info", "GET", "/info", 24, Nothing, Prompt),
    row("system-version", "GET", "/version", 24, Nothing, Prompt),
    row("system-data-usage", "GET", "/system/df", 24, Nothing, Prompt),
    row("system-auth", "POST", "/auth", 24, Json, Open),
    row("volume-list", "GET", "/volumes", 24, Nothing, Prompt),
    row("volume-inspect", "GET", "/volumes/{name:.*}", 24, Nothing, Prompt),
    row("volume-create", "POST", "/volumes/create", 24, Json, Open),
    row("volume-prune", "POST", "/volumes/prune", 25, Nothing, Open),
    row("volume-update", "PUT", "/volumes/{name:.*}", 42, Json, Open),
    row("volume-delete", "DELETE", "/volumes/{name:.*}", 24, Nothing, Open),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(method: &str, path: &'static str) -> (&'static str, Option<&'static str>) {
        match find(method, path) {
            Some((route, target)) => (route.operation.name(), target.map(|t| &path[t])),
            None => ("unknown", None),
        }
    }

    #[test]
    fn the_first_route_that_matches_wins() {
        for (method, path, operation, target) in [
            ("GET", "/containers/json", "container-list", None),
            ("DELETE", "/containers/json", "container-delete", Some("json")),
            ("GET", "/containers/x/logs/json", "container-inspect", Some("x/logs")),
            ("GET", "/containers/web/logs", "container-logs", Some("web")),
            ("GET", "/containers/web/attach/ws", "container-attach-websocket", Some("web")),
            ("GET", "/images/library/nginx/json", "image-inspect", Some("library/nginx")),
            ("GET", "/images/json", "image-list", None),
            ("GET", "/images/get", "image-get-all", None),
            ("GET", "/networks", "network-list", None),
            ("GET", "/networks/", "network-list", None),
            ("GET", "/networks/a/b", "network-inspect", Some("a/b")),
            ("GET", "/services/web", "service-inspect", Some("web")),
            ("GET", "/services/web/logs", "service-logs", Some("web")),
            ("GET", "/services/a/b", "unknown", None),
            ("DELETE", "/containers/a/checkpoints/b", "container-checkpoint-delete", Some("a")),
            (
                "DELETE",
                "/containers/a/b/checkpoints/c",
                "container-delete",
                Some("a/b/checkpoints/c"),
            ),
            ("POST", "/containers/create", "container-create", None),
            ("HEAD", "/_ping", "system-ping", None),
            ("HEAD", "/containers/json", "unknown", None),
            ("HEAD", "/containers/a/archive", "container-archive-info", Some("a")),
            ("OPTIONS", "/containers/json", "options", None),
            ("GET", "/", "unknown", None),
            ("GET", "/containersjson", "unknown", None),
            ("GET", "/containers/json/", "unknown", None),
            ("get", "/containers/json", "unknown", None),
        ] {
            assert_eq!(classify(method, path), (operation, target), "{method} {path}");
        }
    }

    #[test]
    fn every_route_is_reached_by_a_path_of_its_own() {
        for route in all() {
            let path = route.pattern.replace("{name:.*}", "x1").replace("{id:.*}", "x1");
            let path = path.replace("{id:.+}", "x1").replace("{anyroute:.*}", "x1");
            let path = path.replace("{name}", "x1").replace("{id}", "x1");
            let path = path.replace("{checkpoint}", "x2");
            let (found, _) = find(route.method, &path).expect(route.pattern);
            assert_eq!(found.operation, route.operation, "{} {path}", route.method);
        }
    }
}
