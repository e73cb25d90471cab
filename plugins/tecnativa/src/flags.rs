//! The flags of both dialects, as data.

use crate::{
    dialect::Dialect,
    path::{
        Resource::{self, Container, LibpodContainer, LibpodPod, Pod},
        SubPath, starts_with,
    },
};

/// A variable that switches something, as one dialect or both read it.
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    /// Where both dialects read a name in different ways, there is a flag for each.
    pub(crate) dialects: &'static [Dialect],
    /// Whether it is on where the variable is not set.
    pub(crate) default: bool,
    pub(crate) rule: Rule,
    /// What it exposes to GET and HEAD. None where no operation of the section reads.
    pub(crate) reads: Option<&'static str>,
    /// What it exposes to other methods.
    pub(crate) writes: Option<&'static str>,
    /// How these other methods can lead to root on the host, by this flag alone.
    pub(crate) root: Option<&'static str>,
}

/// What a flag does when it is on.
pub(crate) enum Rule {
    /// Lets through other methods than GET and HEAD.
    Methods,
    /// Allows every path that begins so.
    Section(&'static str),
    /// Allows sub-paths that begin with one of these verbs.
    Verbs { of: &'static [Resource], verbs: &'static [&'static str] },
    /// Lifts the refusal of sub-paths that begin so; a section must allow them as well.
    Lifts(&'static str),
}

impl Flag {
    pub(crate) fn opens_section(&self, path: &str) -> bool {
        matches!(self.rule, Rule::Section(section) if starts_with(path, section))
    }

    pub(crate) fn lifts(&self, sub_path: SubPath) -> bool {
        matches!(self.rule, Rule::Lifts(start) if starts_with(sub_path.rest, start))
    }

    /// How many verbs it opens besides, where the verb of this sub-path is one of them.
    pub(crate) fn opens_verb(&self, sub_path: SubPath) -> Option<usize> {
        match self.rule {
            Rule::Verbs { of, verbs } if of.contains(&sub_path.of) => {
                let is_meant = |verb: &&str| starts_with(sub_path.rest, verb);
                verbs.iter().any(is_meant).then_some(verbs.len() - 1)
            }
            _ => None,
        }
    }

    const fn new(name: &'static str, dialects: &'static [Dialect], rule: Rule) -> Self {
        Self { name, dialects, default: false, rule, reads: None, writes: None, root: None }
    }

    const fn section(
        name: &'static str,
        dialects: &'static [Dialect],
        section: &'static str,
    ) -> Self {
        Self::new(name, dialects, Rule::Section(section))
    }

    const fn verbs(
        name: &'static str,
        dialects: &'static [Dialect],
        of: &'static [Resource],
        verbs: &'static [&'static str],
    ) -> Self {
        Self::new(name, dialects, Rule::Verbs { of, verbs })
    }

    const fn lifting(name: &'static str, sub_path: &'static str) -> Self {
        Self::new(name, LINUXSERVER, Rule::Lifts(sub_path))
    }

    const fn on_by_default(mut self) -> Self {
        self.default = true;
        self
    }

    const fn reads(mut self, what: &'static str) -> Self {
        self.reads = Some(what);
        self
    }

    const fn writes(mut self, what: &'static str) -> Self {
        self.writes = Some(what);
        self
    }

    const fn root(mut self, how: &'static str) -> Self {
        self.root = Some(how);
        self
    }
}

const TECNATIVA: &[Dialect] = &[Dialect::Tecnativa];
const LINUXSERVER: &[Dialect] = &[Dialect::LinuxServer];
const BOTH: &[Dialect] = &[Dialect::Tecnativa, Dialect::LinuxServer];

const ANY: &[Resource] = &[Container, Pod, LibpodContainer, LibpodPod];

const RESTARTS: &[&str] = &["stop", "restart", "kill"];

/// `POST /v1.23/containers/{id}/start` with a body of JSON replaces the container's HostConfig on
/// Docker Engine 24 and older, and makes it privileged.
const ROOT_BY_START: &str = "Docker Engine 24 and older take a new host configuration at start";

/// All flags, the important ones first: that order is shown to people, and of two flags that would
/// help a client just as well the first is named.
///
/// The rules are those of Tecnativa's haproxy.cfg and of LinuxServer's template of August
/// 2026. No section begins as another does, so their order in those files doesn't matter.
pub(crate) static FLAGS: &[Flag] = &[
    Flag::new("POST", BOTH, Rule::Methods)
        .writes("every method on all that is open, instead of GET and HEAD alone"),
    Flag::section("CONTAINERS", TECNATIVA, "/containers")
        .reads("list, inspect (environment values), logs, top, export, archive of any file, attach by WebSocket (takes input)")
        .writes("create, start, exec, update, delete")
        .root("creates privileged containers"),
    Flag::section("CONTAINERS", LINUXSERVER, "/containers")
        .reads("list, inspect (environment values), stats, attach by WebSocket (takes input)")
        .writes("create, start, exec, update, delete")
        .root("creates privileged containers"),
    Flag::verbs("ALLOW_START", TECNATIVA, &[Container], &["start"])
        .writes("start any container")
        .root(ROOT_BY_START),
    Flag::verbs("ALLOW_START", LINUXSERVER, ANY, &["start"])
        .writes("start any container")
        .root(ROOT_BY_START),
    Flag::verbs("ALLOW_RESTARTS", TECNATIVA, &[Container], RESTARTS)
        .writes("stop, restart and kill any container"),
    Flag::verbs("ALLOW_RESTARTS", LINUXSERVER, ANY, RESTARTS)
        .writes("stop, restart and kill any container"),
    Flag::verbs("ALLOW_STOP", TECNATIVA, &[Container], &["stop"]).writes("stop any container"),
    Flag::verbs("ALLOW_STOP", LINUXSERVER, ANY, &["stop"]).writes("stop any container"),
    Flag::verbs("ALLOW_PAUSE", LINUXSERVER, ANY, &["pause"]).writes("pause any container"),
    Flag::verbs("ALLOW_UNPAUSE", LINUXSERVER, ANY, &["unpause"]).writes("unpause any container"),
    Flag::lifting("ALLOW_ARCHIVE", "archive")
        .reads("any file of a container")
        .writes("put files into a container"),
    Flag::lifting("ALLOW_EXPORT", "export").reads("the whole file system of a container"),
    Flag::lifting("ALLOW_LOGS", "logs").reads("what containers write to their logs"),
    Flag::lifting("ALLOW_TOP", "top").reads("command lines of processes"),
    Flag::lifting("ALLOW_CHANGES", "change").reads("names of changed files"),
    Flag::section("SERVICES", BOTH, "/services")
        .reads("list, inspect (environment values), logs")
        .writes("create, update, delete")
        .root("in a swarm, creates services that mount the host's files"),
    Flag::section("SWARM", BOTH, "/swarm")
        .reads("join tokens, unlock key")
        .writes("init, join, leave, update")
        .root("puts the host under the managers of another swarm"),
    Flag::section("PLUGINS", BOTH, "/plugins")
        .reads("list, inspect (settings)")
        .writes("install, enable, configure, delete")
        .root("installs plugins with every privilege"),
    Flag::section("BUILD", BOTH, "/build")
        .writes("build images, prune the cache")
        .root("runs the steps of any build, on the host's network if asked to"),
    Flag::section("GRPC", BOTH, "/grpc")
        .writes("all of BuildKit: build images, prune the cache")
        .root("runs the steps of any build, on the host's network if asked to"),
    Flag::section("SESSION", BOTH, "/session")
        .writes("hand files, secrets and credentials to a build of BuildKit"),
    Flag::section("EXEC", BOTH, "/exec")
        .reads("inspect (command line)")
        .writes("run what an exec was created for; creating one takes CONTAINERS"),
    Flag::section("VOLUMES", BOTH, "/volumes")
        .reads("list, inspect")
        .writes("create, update, delete, prune")
        .root("makes volumes of the host's directories for containers to mount"),
    Flag::section("SECRETS", BOTH, "/secrets")
        .reads("names and metadata of secrets, not their contents")
        .writes("create, update, delete"),
    Flag::section("IMAGES", BOTH, "/images")
        .reads("list, inspect, history (build arguments), download of whole images")
        .writes("pull, load, push, delete, put another image behind a tag"),
    Flag::section("COMMIT", BOTH, "/commit").writes("make an image of a container"),
    Flag::section("CONFIGS", BOTH, "/configs")
        .reads("list, inspect (contents)")
        .writes("create, update, delete"),
    Flag::section("TASKS", BOTH, "/tasks").reads("list, inspect (environment values), logs"),
    Flag::section("NODES", BOTH, "/nodes")
        .reads("list, inspect")
        .writes("update (promotion to manager), delete"),
    Flag::section("NETWORKS", BOTH, "/networks")
        .reads("list, inspect")
        .writes("create, connect, disconnect, delete"),
    Flag::section("AUTH", BOTH, "/auth").writes("try credentials at a registry"),
    Flag::section("DISTRIBUTION", BOTH, "/distribution").reads("look images up at registries"),
    Flag::section("INFO", BOTH, "/info").reads("facts about the host, registry configuration"),
    Flag::section("SYSTEM", BOTH, "/system").reads("disk usage of images, containers and volumes"),
    Flag::section("EVENTS", BOTH, "/events")
        .on_by_default()
        .reads("all events, with labels and the command lines of execs"),
    Flag::section("VERSION", BOTH, "/version").on_by_default().reads("versions of the daemon"),
    Flag::section("PING", BOTH, "/_ping").on_by_default().reads("whether the daemon answers"),
    Flag::section("LIBPOD_CONTAINERS", LINUXSERVER, "/libpod/containers")
        .reads("Podman: list, inspect (environment values), stats")
        .writes("create, start, exec, update, delete")
        .root("creates privileged containers"),
    Flag::section("LIBPOD_PODS", LINUXSERVER, "/libpod/pods")
        .reads("Podman: list, inspect, stats")
        .writes("create, start, stop, delete")
        .root("creates pods that mount the host's files"),
    Flag::section("LIBPOD_PLAY", LINUXSERVER, "/libpod/play")
        .writes("Podman: create and delete what a Kubernetes file describes")
        .root("creates privileged containers"),
    Flag::section("LIBPOD_EXEC", LINUXSERVER, "/libpod/exec")
        .reads("Podman: inspect (command line)")
        .writes("run what an exec was created for; creating one takes LIBPOD_CONTAINERS"),
    Flag::section("LIBPOD_VOLUMES", LINUXSERVER, "/libpod/volumes")
        .reads("Podman: list, inspect")
        .writes("create, delete, prune")
        .root("makes volumes of the host's directories for containers to mount"),
    Flag::section("LIBPOD_SECRETS", LINUXSERVER, "/libpod/secrets")
        .reads("Podman: list, inspect (contents too, if asked for)")
        .writes("create, delete"),
    Flag::section("LIBPOD_GENERATE", LINUXSERVER, "/libpod/generate")
        .reads("Podman: containers as Kubernetes or systemd files (environment values)"),
    Flag::section("LIBPOD_IMAGES", LINUXSERVER, "/libpod/images")
        .reads("Podman: list, inspect, history, download of whole images")
        .writes("pull, load, push, delete, put another image behind a tag"),
    Flag::section("LIBPOD_MANIFESTS", LINUXSERVER, "/libpod/manifests")
        .reads("Podman: inspect")
        .writes("create, change, push, delete"),
    Flag::section("LIBPOD_NETWORKS", LINUXSERVER, "/libpod/networks")
        .reads("Podman: list, inspect")
        .writes("create, connect, disconnect, delete"),
    Flag::section("LIBPOD_SYSTEM", LINUXSERVER, "/libpod/system")
        .reads("Podman: disk usage")
        .writes("prune everything unused"),
    Flag::section("LIBPOD_INFO", LINUXSERVER, "/libpod/info")
        .reads("Podman: facts about the host, registry configuration"),
    Flag::section("LIBPOD_EVENTS", LINUXSERVER, "/libpod/events")
        .reads("Podman: all events, with labels"),
    Flag::section("LIBPOD_VERSION", LINUXSERVER, "/libpod/version")
        .on_by_default()
        .reads("Podman: versions of the service"),
    Flag::section("LIBPOD_PING", LINUXSERVER, "/libpod/_ping")
        .on_by_default()
        .reads("Podman: whether the service answers"),
    // Still read by LinuxServer's image, no longer in its documentation.
    Flag::verbs("LIBPOD_ALLOW_START", LINUXSERVER, &[LibpodContainer], &["start"])
        .writes("Podman: start any container"),
    Flag::verbs("LIBPOD_ALLOW_STOP", LINUXSERVER, &[LibpodContainer], &["stop"])
        .writes("Podman: stop any container"),
    Flag::verbs("LIBPOD_ALLOW_RESTARTS", LINUXSERVER, &[LibpodContainer], RESTARTS)
        .writes("Podman: stop, restart and kill any container"),
    Flag::verbs("LIBPOD_ALLOW_PAUSE", LINUXSERVER, &[LibpodContainer], &["pause"])
        .writes("Podman: pause any container"),
    Flag::verbs("LIBPOD_ALLOW_UNPAUSE", LINUXSERVER, &[LibpodContainer], &["unpause"])
        .writes("Podman: unpause any container"),
    Flag::verbs("LIBPOD_ALLOW_POD_START", LINUXSERVER, &[LibpodPod], &["start"])
        .writes("Podman: start any pod"),
    Flag::verbs("LIBPOD_ALLOW_POD_STOP", LINUXSERVER, &[LibpodPod], &["stop"])
        .writes("Podman: stop any pod"),
    Flag::verbs("LIBPOD_ALLOW_POD_RESTARTS", LINUXSERVER, &[LibpodPod], RESTARTS)
        .writes("Podman: stop, restart and kill any pod"),
    Flag::verbs("LIBPOD_ALLOW_POD_PAUSE", LINUXSERVER, &[LibpodPod], &["pause"])
        .writes("Podman: pause any pod"),
    Flag::verbs("LIBPOD_ALLOW_POD_UNPAUSE", LINUXSERVER, &[LibpodPod], &["unpause"])
        .writes("Podman: unpause any pod"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_manifest_lists_what_is_read() {
        let manifest: serde_json::Value =
            serde_json::from_str(include_str!("../manifest.json")).unwrap();
        let read: BTreeSet<&str> = FLAGS.iter().map(|flag| flag.name).collect();
        let listed: Vec<&str> = manifest["environment"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        assert_eq!(listed, read.into_iter().collect::<Vec<_>>());
        assert_eq!(manifest["name"], "tecnativa");
        assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(manifest["environment-names"], true);
    }

    #[test]
    fn a_dialect_reads_a_name_in_one_way() {
        for dialect in [Dialect::Tecnativa, Dialect::LinuxServer] {
            let names: Vec<&str> = dialect.flags().map(|flag| flag.name).collect();
            let distinct: BTreeSet<&str> = names.iter().copied().collect();
            assert_eq!(names.len(), distinct.len());
        }
        assert_eq!(Dialect::Tecnativa.flags().count(), 27);
        assert_eq!(Dialect::LinuxServer.flags().count(), 59);
    }

    #[test]
    fn no_section_begins_as_another_does() {
        for flag in FLAGS {
            let Rule::Section(section) = flag.rule else { continue };
            for other in FLAGS.iter().filter(|other| other.name != flag.name) {
                assert!(!other.opens_section(section), "{} and {}", flag.name, other.name);
            }
        }
    }

    #[test]
    fn every_flag_says_what_it_exposes() {
        for flag in FLAGS {
            assert!(flag.reads.or(flag.writes).is_some(), "{}", flag.name);
            assert!(flag.root.is_none() || flag.writes.is_some(), "{}", flag.name);
        }
    }
}
