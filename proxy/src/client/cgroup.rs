//! The cgroups of a process, as `/proc/PID/cgroup` has them, and which containers they speak of.
//!
//! A path names the container by its id, in the way of whoever made the cgroup:
//!
//! | made by | the part of the path |
//! | --- | --- |
//! | Docker with its own driver, and nests of Kubernetes's | `<id>` |
//! | Docker with systemd | `docker-<id>.scope` |
//! | Podman | `libpod-<id>.scope` |
//!
//! What is around it differs: `/docker/<id>`, `/system.slice/docker-<id>.scope`, the user's slice
//! for a daemon without root, the path of a container that the daemon runs in, and `/../` where the
//! reader has a namespace of cgroups of its own.
//!
//! That a path has an id in it proves nothing. Whoever may make cgroups gives them any name: root in
//! a container that has a daemon of its own, each user of a machine with systemd below his
//! `user@1000.service`, and whoever may say `--cgroup-parent`. So an id counts if no other in the
//! path is known to the daemon, and if the cgroup is in the very place where the container's first
//! process is: see [`Cgroups::are_in`].

/// How many containers one may be in, each within the one before.
const NESTED: usize = 8;

/// The cgroups of a process, one in each hierarchy: one alone with version 2, some with version 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cgroups(Vec<Cgroup>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cgroup {
    /// Number and controllers of the hierarchy: `0:` in version 2, `9:name=systemd` in version 1.
    hierarchy: String,
    path: String,
}

impl Cgroups {
    /// From the text of `/proc/PID/cgroup`: see cgroups(7). The kernel lets no line feed into the
    /// name of a cgroup.
    pub(super) fn read(text: &str) -> Option<Self> {
        let cgroup = |line: &str| {
            let colon = line.match_indices(':').nth(1)?.0;
            let (hierarchy, path) = (line[..colon].to_owned(), line[colon + 1..].to_owned());
            path.starts_with('/').then_some(Cgroup { hierarchy, path })
        };
        let cgroups: Vec<_> = text.lines().map(cgroup).collect::<Option<_>>()?;
        (!cgroups.is_empty()).then_some(Self(cgroups))
    }

    /// The ids of containers in the paths, from the outside in, each once. None where there are too
    /// many for an honest nest.
    pub(super) fn containers(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for cgroup in &self.0 {
            for id in cgroup.path.split('/').filter_map(container) {
                if !found.contains(&id) {
                    found.push(id);
                }
            }
        }
        if found.len() > NESTED { Vec::new() } else { found }
    }

    /// Whether these are the cgroups of a container, or below them, given the cgroups of a process
    /// that is known to be in it. Those need not be the same: what runs systemd, or a daemon, puts
    /// its processes into cgroups below the container's.
    pub(super) fn are_in(&self, container: &str, member: &Self) -> bool {
        let places = member.places(container);
        !places.is_empty() && places == self.places(container)
    }

    /// Where a container is: each hierarchy that has it, and the path down to it.
    fn places<'a>(&'a self, container: &str) -> Vec<(&'a str, &'a str)> {
        let place = |cgroup: &'a Cgroup| Some((&*cgroup.hierarchy, cgroup.place(container)?));
        self.0.iter().filter_map(place).collect()
    }
}

impl Cgroup {
    fn place(&self, wanted: &str) -> Option<&str> {
        let mut end = 0;
        for part in self.path.split_inclusive('/') {
            end += part.len();
            let name = part.trim_end_matches('/');
            if container(name) == Some(wanted) {
                return Some(self.path[..end].trim_end_matches('/'));
            }
        }
        None
    }
}

/// The id of a container in a part of a path.
fn container(name: &str) -> Option<&str> {
    let id = match name.strip_suffix(".scope") {
        Some(scope) => scope.strip_prefix("docker-").or_else(|| scope.strip_prefix("libpod-"))?,
        None => name,
    };
    is_id(id).then_some(id)
}

/// Whether it is a container's whole id.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: &str) -> String {
        digit.repeat(64)
    }

    /// `A`, `B` and `C` become ids.
    fn cgroups(text: &str) -> Cgroups {
        let text = text.replace('A', &id("a")).replace('B', &id("b")).replace('C', &id("c"));
        Cgroups::read(&text).unwrap()
    }

    #[test]
    fn the_ids_of_containers_are_found_from_the_outside_in() {
        for (text, expected) in [
            ("0::/", ""),
            ("0::/init.scope\n", ""),
            ("0::/docker/A\n", "a"),
            ("9:name=systemd:/docker/A\n4:memory:/docker/A\n0::/\n", "a"),
            ("0::/system.slice/docker-A.scope\n", "a"),
            ("0::/system.slice/docker-A.scope/init.scope\n", "a"),
            ("0::/../A\n", "a"),
            ("0::/../docker-A.scope\n", "a"),
            ("0::/../../kubepods/burstable/pod1234/A\n", "a"),
            ("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-B.scope/docker/A\n", "a"),
            ("0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-A.scope\n", "a"),
            ("0::/machine.slice/libpod-A.scope/container\n", "a"),
            ("0::/machine.slice/libpod-conmon-A.scope\n", ""),
            ("0::/docker/B/docker/A\n", "ba"),
            ("5:pids:/docker/B/docker/A\n4:cpu:/docker/B\n0::/docker/C\n", "bac"),
            ("1:name=a:b:/docker/A\n", ""),
            ("0::/docker/A (deleted)\n", ""),
            ("0::/docker/A0\n", ""),
            ("0::/docker-A.slice\n", ""),
            ("0::/x-A.scope\n", ""),
        ] {
            let cgroups = match text {
                // A colon in the name of a hierarchy does not make a path.
                "1:name=a:b:/docker/A\n" => {
                    assert_eq!(Cgroups::read(text), None);
                    continue;
                }
                text => cgroups(text),
            };
            let found: String = cgroups.containers().iter().map(|id| &id[..1]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_nest_that_is_too_deep_names_no_container() {
        let deep = |depth: usize| {
            (0..depth).fold("0::".to_owned(), |path, n| format!("{path}/{n:064}")) + "\n"
        };
        assert_eq!(Cgroups::read(&deep(NESTED)).unwrap().containers().len(), NESTED);
        assert!(Cgroups::read(&deep(NESTED + 1)).unwrap().containers().is_empty());
    }

    #[test]
    fn what_is_not_the_text_of_cgroups_is_none() {
        for text in ["", "\n", "0", "0:", "0::", "0::docker", "0::/\nx\n"] {
            assert_eq!(Cgroups::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_cgroup_is_a_containers_if_it_is_where_its_first_process_is() {
        let v1 = "9:name=systemd:/docker/A\n4:memory:/docker/A\n0::/\n";
        for (client, first, same) in [
            ("0::/docker/A\n", "0::/docker/A\n", true),
            ("0::/docker/A/system.slice/a.service\n", "0::/docker/A/init.scope\n", true),
            ("0::/../docker-A.scope\n", "0::/../docker-A.scope\n", true),
            (v1, v1, true),
            // A user of the machine makes a cgroup of this name where he may.
            ("0::/user.slice/user-1000.slice/user@1000.service/A\n", "0::/docker/A\n", false),
            ("0::/docker-A.scope\n", "0::/docker/A\n", false),
            ("0::/docker/B/docker/A\n", "0::/docker/A\n", false),
            // In one hierarchy only.
            ("9:name=systemd:/docker/A\n4:memory:/\n0::/\n", v1, false),
            ("9:name=systemd:/docker/A\n4:memory:/u/A\n0::/\n", v1, false),
            ("9:name=systemd:/docker/A\n4:memory:/docker/A\n0::/u/A\n", v1, false),
            // The daemon's numbers of processes are not ours: it is any process.
            ("0::/docker/A\n", "0::/init.scope\n", false),
            ("0::/\n", "0::/\n", false),
        ] {
            let (client, first) = (cgroups(client), cgroups(first));
            assert_eq!(client.are_in(&id("a"), &first), same, "{client:?} {first:?}");
        }
    }
}
