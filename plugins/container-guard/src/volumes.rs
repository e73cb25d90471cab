//! Volumes: a bind in their clothes is a bind.

use dockgate_plugin::{Json, Kind};

use crate::{
    case::{Case, Field, NEVER},
    mounts,
    settings::VolumeType,
};

pub(crate) fn create(case: &mut Case) {
    let body = case.body();
    let body = Field::root(&body);
    check_driver(case, &body.get("Driver"));
    check_options(case, &body.get("DriverOpts"));
    let cluster = body.get("ClusterVolumeSpec");
    if cluster.is_said() && !case.settings.cluster_volumes {
        case.refuse(&cluster, "it is a volume of the cluster", "cluster-volumes");
    }
}

/// A driver, which may give out anything of the host.
pub(crate) fn check_driver(case: &mut Case, field: &Field) {
    let name = case.text(field);
    let known = &case.settings.volume_drivers;
    if !matches!(name, "" | "local") && !known.iter().any(|known| known == name) {
        case.refuse(field, "volumes are of the driver local", "volume-drivers");
    }
}

/// A volume by its name: one that is there may have been made by somebody else.
pub(crate) fn check_named(case: &mut Case, field: &Field, name: &str) {
    if !is_name(name) {
        case.refuse(field, "it is neither a path nor the name of a volume", NEVER);
        return;
    }
    let Some(found) = case.request.look_up(Kind::Volume, name) else { return };
    let of_volume = |name: &str| {
        let json = found.get(name).unwrap_or(&Json::Null);
        Field { place: format!("{} ({name} of the volume)", field.place), json }
    };
    check_driver(case, &of_volume("Driver"));
    check_options(case, &of_volume("Options"));
}

/// What the daemon takes for a name (moby, `names.RestrictedNamePattern`).
fn is_name(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_word)
}

/// Options of the driver `local`, which are those of mount(2). Other drivers have their own, but a
/// volume of theirs is refused or trusted as a whole, and these names mean the same to most.
pub(crate) fn check_options(case: &mut Case, options: &Field) {
    let (mut types, mut flags, mut devices) = (Vec::new(), Vec::new(), Vec::new());
    for (key, field) in case.map(options) {
        let text = case.text(&field);
        if mounts::is_template(text) {
            case.refuse_unshown(&field.place, mounts::TEMPLATE, NEVER);
        }
        // Podman reads them in any case.
        match key.to_ascii_lowercase().as_str() {
            "size" => {}
            "type" => types.push((field, text)),
            "o" => flags.extend(text.split(',').map(|flag| flag.trim().to_ascii_lowercase())),
            "device" => devices.push((field, text)),
            _ => case.refuse_unshown(&field.place, "it is none that is known", NEVER),
        }
    }
    let is_bind = |word: &str| matches!(word, "bind" | "rbind");
    let binds = flags.iter().any(|flag| is_bind(flag))
        || types.iter().any(|(_, text)| is_bind(&text.trim().to_ascii_lowercase()));
    if binds {
        return check_bound(case, options, &devices);
    }
    let is_plain = types.is_empty() && flags.is_empty() && devices.is_empty();
    let is_open = |text: &str| case.settings.volume_types.iter().any(|open| is_called(*open, text));
    let is_listed = !types.is_empty() && types.iter().all(|(_, text)| is_open(text));
    let moves = flags.iter().any(|flag| matches!(flag.as_str(), "remount" | "move" | "rmove"));
    if is_plain || (is_listed && !moves) {
        return;
    }
    match types.first() {
        Some((field, _)) => case.refuse(field, MOUNTS, "volume-types"),
        None => case.refuse_unshown(&options.place, MOUNTS, "volume-types"),
    }
}

const MOUNTS: &str = "a volume that mounts something is the host's";

fn is_called(open: VolumeType, text: &str) -> bool {
    open.name() == text
}

/// A volume that is a folder of the host, wherever it is mounted read-only.
fn check_bound(case: &mut Case, options: &Field, devices: &[(Field, &str)]) {
    if devices.is_empty() {
        case.refuse_unshown(&options.place, "it binds nothing", NEVER);
    }
    for (field, path) in devices {
        mounts::check_source(case, field, path, false);
    }
}
