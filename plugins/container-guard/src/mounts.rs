//! What of the host's files is in a container.

use crate::{
    case::{Case, Field, NEVER},
    paths::HostPath,
    settings::TmpfsOption,
    volumes,
};

/// Mounts in their old form: `/srv/data:/data:ro`, `shelf:/data`.
pub(crate) fn check_binds(case: &mut Case, binds: &Field) {
    for bind in case.list(binds) {
        let text = case.text(&bind);
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target, mode) = match parts[..] {
            // A path of the container alone: a volume without a name.
            [target] => ("", target, ""),
            [source, target] => (source, target, ""),
            [source, target, mode] => (source, target, mode),
            _ => ("", "", ""),
        };
        // Forms of Windows end here as well.
        if !target.starts_with('/') || (source.is_empty() && parts.len() > 1) {
            case.refuse(&bind, "it is no source:/target:mode", NEVER);
            continue;
        }
        check_propagation(case, &bind, mode);
        if mode.split(',').any(|option| !MODES.contains(&option.to_ascii_lowercase().as_str())) {
            case.refuse(&bind, "its mode is none of Docker's", NEVER);
        }
        let read_only = mode.split(',').any(|option| option == "ro");
        if source.starts_with('/') {
            check_source(case, &bind, source, read_only);
        } else if !source.is_empty() {
            volumes::check_named(case, &bind, source);
        }
    }
}

/// What the daemon takes as the mode of a bind. Podman has others, such as `upperdir=/etc`.
const MODES: [&str; 14] = [
    "",
    "ro",
    "rw",
    "z",
    "nocopy",
    "cached",
    "consistent",
    "delegated",
    "private",
    "rprivate",
    "shared",
    "rshared",
    "slave",
    "rslave",
];

/// Mounts in their new form, of containers and services.
pub(crate) fn check(case: &mut Case, mounts: &Field) {
    for mount in case.list(mounts) {
        let kind = mount.get("Type");
        let source = mount.get("Source");
        let path = case.text(&source);
        match case.text(&kind) {
            "bind" => check_bind(case, &mount, path),
            "volume" => check_volume(case, &mount, path),
            "tmpfs" => {
                for option in case.list(&mount.get("TmpfsOptions").get("Options")) {
                    check_tmpfs_option(case, &option);
                }
            }
            "image" => check_subpath(case, &mount.get("ImageOptions").get("Subpath")),
            "cluster" if case.settings.cluster_volumes => {}
            "cluster" => case.refuse(&kind, "it is a volume of the cluster", "cluster-volumes"),
            _ => case.refuse(&kind, "a mount is a bind, volume, tmpfs or image", NEVER),
        }
    }
}

fn check_bind(case: &mut Case, mount: &Field, path: &str) {
    let options = mount.get("BindOptions");
    let propagation = options.get("Propagation");
    let mode = case.text(&propagation);
    check_propagation(case, &propagation, mode);
    // What is mounted below it could be written to.
    let in_part = case.flag(&options.get("ReadOnlyNonRecursive"));
    let read_only = case.flag(&mount.get("ReadOnly")) && !in_part;
    check_source(case, &mount.get("Source"), path, read_only);
}

fn check_volume(case: &mut Case, mount: &Field, name: &str) {
    let options = mount.get("VolumeOptions");
    check_subpath(case, &options.get("Subpath"));
    let driver = options.get("DriverConfig");
    volumes::check_driver(case, &driver.get("Name"));
    volumes::check_options(case, &driver.get("Options"));
    // One without a name is new.
    if !name.is_empty() {
        volumes::check_named(case, &mount.get("Source"), name);
    }
}

/// A folder within a volume.
fn check_subpath(case: &mut Case, field: &Field) {
    let path = case.text(field);
    if path.starts_with('/') || path.split(['/', '\\']).any(|step| step == "..") {
        case.refuse(field, "it leads out of the volume", NEVER);
    }
    if is_template(path) {
        case.refuse(field, TEMPLATE, NEVER);
    }
}

/// A path of the host, as the source of a mount or the device of a volume.
pub(crate) fn check_source(case: &mut Case, field: &Field, path: &str, read_only: bool) {
    let Some(path) = HostPath::clean(path) else {
        case.refuse(field, "it is no absolute path", NEVER);
        return;
    };
    if is_template(path.as_str()) {
        case.refuse(field, TEMPLATE, NEVER);
    }
    let settings = case.settings;
    let covered = |roots: &[HostPath]| roots.iter().any(|root| root.covers(&path));
    if path.reaches_an_engine() && !settings.engine_sockets {
        case.refuse(field, "it has the socket of a container engine", "engine-sockets");
    }
    match (covered(&settings.bind_mounts), covered(&settings.read_only_bind_mounts)) {
        (true, _) => {}
        (false, true) if read_only => {}
        (false, true) => case.refuse(field, "it may be mounted read-only", "bind-mounts"),
        (false, false) => {
            case.refuse(field, "it is below none of the folders that are listed", "bind-mounts");
        }
    }
}

/// Whether the swarm would put something else in the place of a text: mounts of services may have
/// templates of Go's in them, such as `/srv/{{index .Service.Labels "x"}}`.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("{{")
}

pub(crate) const TEMPLATE: &str = "a template may become anything";

/// Whether mounts reach across.
fn check_propagation(case: &mut Case, field: &Field, mode: &str) {
    let reaches = mode.split(',').any(|option| {
        let option = option.trim().to_ascii_lowercase();
        matches!(option.as_str(), "shared" | "rshared" | "slave" | "rslave")
    });
    if reaches && !case.settings.mount_propagation {
        case.refuse(field, "mounts reach from the host or to it", "mount-propagation");
    }
}

/// `Tmpfs`: by its place in the container, the options of each.
pub(crate) fn check_tmpfs(case: &mut Case, map: &Field) {
    for (_, options) in case.map(map) {
        for option in case.text(&options).split(',') {
            check_tmpfs_word(case, &options, option);
        }
    }
}

/// An option of a mount: `["exec"]`, `["mode", "1770"]`.
fn check_tmpfs_option(case: &mut Case, option: &Field) {
    let words = case.list(option);
    match &words[..] {
        [name] | [name, _] => {
            let word = case.text(name);
            check_tmpfs_word(case, name, word);
        }
        _ => case.refuse(option, "it is no option of a tmpfs", NEVER),
    }
}

fn check_tmpfs_word(case: &mut Case, field: &Field, word: &str) {
    let word = word.trim().to_ascii_lowercase();
    let open = &case.settings.tmpfs_options;
    let closed = TmpfsOption::ALL.iter().find(|option| option.name() == word);
    if closed.is_some_and(|option| !open.contains(option)) {
        case.refuse(field, "a tmpfs is without exec, suid and dev", "tmpfs-options");
    }
}
