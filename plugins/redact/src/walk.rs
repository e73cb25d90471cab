//! Values in the daemon's answers, found by the names of their fields wherever they stand.
//!
//! The names are those of moby's `api/types`. An answer has more places than a list of paths would
//! know: a definition stands in a service, in what it was before, and in each of its tasks.

use std::net::IpAddr;

use dockgate_plugin::Json;

use crate::{
    Redaction,
    settings::{How, Mounts},
};

/// Strings, and lists of them, that hold a path of the host.
const PATHS: [&str; 12] = [
    "CDISpecDirs",
    "CheckpointDir",
    "ContainerIDFile",
    "DockerRootDir",
    "HostnamePath",
    "HostsPath",
    "LogPath",
    "Mountpoint",
    "PathOnHost",
    "ResolvConfPath",
    "SandboxKey",
    // Of a daemon without root (`GET /version`).
    "StateDir",
];

/// Strings, and lists of them, that hold a command line or what it prints.
const COMMANDS: [&str; 11] = [
    "Args",
    "Cmd",
    "Command",
    "Entrypoint",
    "OnBuild",
    "Output",
    "Path",
    "Shell",
    "Test",
    "arguments",
    "entrypoint",
];

/// Maps whose keys are names that people gave, and no names of fields.
const MAPS: [&str; 3] = ["AuxiliaryAddresses", "Networks", "Services"];

/// Labels that hold a path of the host, as Docker Compose, Docker Desktop and dev containers write them.
const PATH_LABELS: [&str; 8] = [
    "com.docker.compose.project.config_files",
    "com.docker.compose.project.environment_file",
    "com.docker.compose.project.working_dir",
    "desktop.docker.io/binds/",
    "devcontainer.config_file",
    "devcontainer.local_folder",
    DEVCONTAINER,
    "vsch.local.folder",
];

/// The definition of a dev container in JSON, with its mounts and its variables.
const DEVCONTAINER: &str = "devcontainer.metadata";

/// Addresses of no host, for documentation (RFC 5737, RFC 3849). No port can be published at them.
pub(crate) const NO_HOST: [&str; 2] = ["192.0.2.1", "2001:db8::1"];

/// What puts a mask into the place of what is hidden.
pub(crate) struct Masking<'a> {
    pub(crate) policy: &'a Redaction,
    pub(crate) mask: &'a str,
}

impl Redaction {
    /// What becomes of the value of a label; `None` where it is shown.
    pub(crate) fn label(&self, name: &str) -> Option<How> {
        self.labels.hides(name).or_else(|| {
            let starts_with = |begin: &&str| {
                name.get(..begin.len()).is_some_and(|start| start.eq_ignore_ascii_case(begin))
            };
            let hides_variables =
                || starts_with(&DEVCONTAINER) && !self.environment.are_all_shown();
            match self.mounts {
                Mounts::Mask if PATH_LABELS.iter().any(starts_with) => Some(How::Mask),
                Mounts::Remove if PATH_LABELS.iter().any(starts_with) => Some(How::Remove),
                _ => hides_variables().then_some(How::Mask),
            }
        })
    }

    /// What becomes of the value of an option; `None` where it is shown.
    fn option(&self, name: &str) -> Option<How> {
        // `com.docker.network.host_ipv4`, `com.docker.network.bridge.host_binding_ipv4`
        let is_address = name.starts_with("com.docker.network.")
            && name.contains("host_")
            && (name.ends_with("ipv4") || name.ends_with("ipv6"));
        let hides_address = || (self.hides_host && is_address).then_some(How::Mask);
        self.options.hides(name).or_else(hides_address)
    }

    /// Whether the steps of builds may show what is hidden elsewhere.
    pub(crate) fn hides_steps(&self) -> bool {
        !self.environment.are_all_shown() || !self.labels.are_all_shown()
    }
}

impl Masking<'_> {
    /// Hides what is to be hidden in a value.
    pub(crate) fn walk(&self, json: &mut Json) {
        match json {
            Json::List(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Json::Object(fields) => {
                // Other things have a status of the daemon's; that of a volume is its driver's.
                let is_volume = fields.iter().any(|(name, _)| name == "Mountpoint");
                fields.retain_mut(|(name, value)| {
                    if is_volume && name == "Status" {
                        self.options(value);
                        return true;
                    }
                    self.keeps(name, value)
                });
            }
            _ => {}
        }
    }

    /// Hides what is to be hidden in a field, and says whether the field stays.
    fn keeps(&self, name: &str, value: &mut Json) -> bool {
        match name {
            "Env" => self.variables(value),
            "Labels" | "Annotations" | "annotations" => self.labels(value),
            "Options" | "DriverOpts" | "VolumeContext" | "PublishContext" => self.options(value),
            "LogConfig" => match value.get_mut("Config") {
                Some(options) => self.options(options),
                None => self.walk(value),
            },
            _ if MAPS.contains(&name) => self.map(value),
            "Mounts" => self.mounts(value),
            "Binds" => self.binds(value),
            "GraphDriver" => match value.get_mut("Data") {
                Some(data) if self.policy.mounts != Mounts::Show => self.texts(data),
                _ => self.walk(value),
            },
            _ if PATHS.contains(&name) => return self.keeps_path(value),
            // Of a plugin, of a container its limits.
            _ if name == "Devices" || name.starts_with("Blkio") => self.devices(value),
            // `… bind source path does not exist: /srv/db`
            "Err" | "Error" => self.error(value),
            _ if self.policy.hides_commands && COMMANDS.contains(&name) => {
                self.command(name, value);
            }
            "CreatedBy" => self.step(value),
            _ if name.starts_with("BuildCache") => self.build_cache(value),
            "OnBuild" => self.each_step(value),
            "ContainerConfig" => {
                self.walk(value);
                value.get_mut("Cmd").into_iter().for_each(|cmd| self.each_step(cmd));
            }
            "JoinTokens" | "UnlockKey" if self.policy.hides_swarm => self.texts(value),
            // The content of a config, in base64. A layer's `Data` is an object.
            "Data" if self.policy.hides_swarm && value.as_str().is_some() => return false,
            "TLSInfo" | "Peers" | "CSIInfo" if self.policy.hides_host => return false,
            "HostIp" | "IP" if self.policy.hides_host => address(value),
            "ExternalCAs" | "Host IP" | "KernelVersion" if self.policy.hides_host => {
                self.texts(value);
            }
            "Description" | "Status" | "ManagerStatus" if self.policy.hides_host => {
                self.node(value);
            }
            _ => self.walk(value),
        }
        true
    }

    /// What a node is and how it does. In other places a `Hostname` is a container's, and an `Addr` is
    /// that of a service, which Docker's client reads as an address.
    fn node(&self, json: &mut Json) {
        self.walk(json);
        for field in ["Hostname", "Addr"] {
            json.get_mut(field).into_iter().for_each(|text| self.texts(text));
        }
    }

    /// Builds that are kept, in a list or in an object with their size. Elsewhere a `Description` is
    /// what people wrote.
    fn build_cache(&self, json: &mut Json) {
        match json {
            Json::List(builds) => builds.iter_mut().for_each(|build| self.build_cache(build)),
            Json::Object(fields) => fields.iter_mut().for_each(|(name, value)| match &**name {
                "Description" => self.step(value),
                _ => self.build_cache(value),
            }),
            _ => {}
        }
    }

    /// Values by names that people gave; where a field is called so and holds a list, that.
    fn map(&self, json: &mut Json) {
        match json {
            Json::Object(map) => map.iter_mut().for_each(|(_, value)| self.walk(value)),
            json => self.walk(json),
        }
    }

    /// `["NAME=value"]`, and in the definition of a plugin `[{"Name": …, "Value": …}]`.
    fn variables(&self, list: &mut Json) {
        let Json::List(items) = list else { return self.walk(list) };
        items.retain_mut(|item| {
            if let Json::String(text) = item {
                return assign(text, self.mask, |name| self.policy.environment.hides(name));
            }
            let name = item.get("Name").and_then(Json::as_str).unwrap_or_default();
            let Some(how) = self.policy.environment.hides(name) else { return true };
            item.get_mut("Value").into_iter().for_each(|value| self.texts(value));
            how == How::Mask
        });
    }

    /// `{"name": "value"}`, and in `docker info` `["name=value"]`.
    fn labels(&self, json: &mut Json) {
        if let Json::List(items) = json {
            items.retain_mut(|item| match item {
                Json::String(text) => assign(text, self.mask, |name| self.policy.label(name)),
                _ => true,
            });
        } else {
            self.named(json, |name| self.policy.label(name));
        }
    }

    /// `{"name": "value"}`, and `["ndots:2", "rbind"]`, where only `name=value` has a name.
    fn options(&self, json: &mut Json) {
        match json {
            Json::List(items) => items.retain_mut(|item| match item {
                Json::String(text) if text.contains('=') => {
                    assign(text, self.mask, |name| self.policy.option(name))
                }
                item => {
                    self.walk(item);
                    true
                }
            }),
            json => self.named(json, |name| self.policy.option(name)),
        }
    }

    /// The values of an object by their names.
    fn named(&self, json: &mut Json, hides: impl Fn(&str) -> Option<How>) {
        let Json::Object(fields) = json else { return self.walk(json) };
        fields.retain_mut(|(name, value)| {
            let Some(how) = hides(name) else { return true };
            self.texts(value);
            how == How::Mask
        });
    }

    /// The mounts of a container, a service or a plugin, and in the definition of a plugin as well.
    fn mounts(&self, list: &mut Json) {
        let Json::List(items) = list else { return self.walk(list) };
        items.retain_mut(|mount| {
            let kind = mount.get("Type").and_then(Json::as_str);
            let is_image = kind == Some("image");
            let is_cluster = kind == Some("cluster");
            let has_name = is_image || is_cluster || kind == Some("volume");
            let source = mount.get_mut("Source").filter(|source| match source {
                Json::String(path) if is_image => path.starts_with(['/', '\\']),
                // `group:fast`
                Json::String(path) if is_cluster => path.contains(['/', '\\']),
                Json::String(path) if has_name => !is_name(path),
                source => source.as_str().is_some_and(|path| !path.is_empty()),
            });
            // The path of a volume or image is the daemon's affair; the mount stays.
            let is_kept = match (source, self.policy.mounts) {
                (None, _) | (_, Mounts::Show) => true,
                (Some(source), treatment) => {
                    self.texts(source);
                    treatment == Mounts::Mask || has_name
                }
            };
            self.walk(mount);
            is_kept
        });
    }

    /// `["/path:/in/container:ro"]`; what is no path is the name of a volume.
    fn binds(&self, list: &mut Json) {
        let Json::List(items) = list else { return self.walk(list) };
        if self.policy.mounts == Mounts::Show {
            return;
        }
        items.retain_mut(|item| {
            let Json::String(bind) = item else { return true };
            let Some((source, rest)) = source_of(bind) else { return true };
            if is_name(source) {
                return true;
            }
            *bind = format!("{}:{rest}", self.mask);
            self.policy.mounts == Mounts::Mask
        });
    }

    fn keeps_path(&self, value: &mut Json) -> bool {
        match self.policy.mounts {
            Mounts::Show => true,
            Mounts::Mask => {
                self.texts(value);
                true
            }
            Mounts::Remove => false,
        }
    }

    fn devices(&self, list: &mut Json) {
        if self.policy.mounts != Mounts::Show {
            for device in list.items_mut().into_iter().flatten() {
                device.get_mut("Path").into_iter().for_each(|path| self.texts(path));
            }
        }
        self.walk(list);
    }

    /// Words of the daemon.
    pub(crate) fn error(&self, value: &mut Json) {
        let Json::String(words) = value else { return self.walk(value) };
        let tells = self.policy.hides_commands
            || (self.policy.mounts != Mounts::Show && words.contains(['/', '\\']))
            || (self.policy.hides_host && names_a_host(words));
        if tells {
            self.texts(value);
        }
    }

    fn command(&self, name: &str, value: &mut Json) {
        match value {
            // Of a health check the first word says how the rest is run.
            Json::List(words) if name == "Test" => {
                words.iter_mut().skip(1).for_each(|word| self.texts(word));
            }
            value => self.texts(value),
        }
    }

    /// A step of a build: `ENV A=b`, `RUN |1 A=b make`, `mount / from exec /bin/sh -c A=b make`, and
    /// as it was written where it is yet to come, `ENV A b`.
    fn step(&self, value: &mut Json) {
        let assigns = |text: &str| {
            let instruction =
                |word: &str| ["ENV", "LABEL"].iter().any(|name| name.eq_ignore_ascii_case(word));
            text.contains('=') || text.split_whitespace().any(instruction)
        };
        match value {
            Json::String(text) if self.policy.hides_steps() && assigns(text) => {
                self.mask.clone_into(text);
            }
            Json::String(_) if self.policy.hides_commands => self.texts(value),
            value => self.walk(value),
        }
    }

    fn each_step(&self, list: &mut Json) {
        list.items_mut().into_iter().flatten().for_each(|item| self.step(item));
    }

    /// Puts the mask into the place of each text; what is empty stays so.
    pub(crate) fn texts(&self, json: &mut Json) {
        match json {
            Json::String(text) if !text.is_empty() => self.mask.clone_into(text),
            Json::List(items) => items.iter_mut().for_each(|item| self.texts(item)),
            Json::Object(fields) => fields.iter_mut().for_each(|(_, value)| self.texts(value)),
            _ => {}
        }
    }
}

/// Puts the mask into `NAME=value` where the name's value is hidden, and says whether it stays.
fn assign(text: &mut String, mask: &str, hides: impl Fn(&str) -> Option<How>) -> bool {
    let name = text.split('=').next().unwrap_or_default();
    let Some(how) = hides(name) else { return true };
    if name.len() < text.len() {
        *text = format!("{name}={mask}");
    }
    how == How::Mask
}

/// Hides an address, but where it is that of any host. Docker's client reads it as an address, so that
/// no mask may stand there; and what is sent back must not publish more widely.
fn address(value: &mut Json) {
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return };
    if !text.parse().is_ok_and(is_of_any) {
        let [of_v4, of_v6] = NO_HOST;
        *value = if text.contains(':') { of_v6 } else { of_v4 }.into();
    }
}

/// Whether an address is that of no host more than of another.
fn is_of_any(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_unspecified() || address.is_loopback()
}

/// Whether there is an address of one host in a text, alone or with ports:
/// `failed to bind host port for 198.51.100.7:8080:172.18.0.2:80/tcp`.
fn names_a_host(words: &str) -> bool {
    let is_of_one = |text: &str| text.parse().is_ok_and(|address| !is_of_any(address));
    words.split(|letter: char| !(letter.is_ascii_hexdigit() || matches!(letter, '.' | ':'))).any(
        |word| is_of_one(word) || word.split(':').any(|part| is_of_one(part.trim_matches('.'))),
    )
}

/// The source of a bind, and what follows: of `C:\a:D:\b` and `\\?\C:\a:D:\b` as well.
fn source_of(bind: &str) -> Option<(&str, &str)> {
    let drive = bind.strip_prefix(r"\\?\").unwrap_or(bind);
    let skipped = bind.len() - drive.len();
    let is_drive = matches!(drive.as_bytes(), [_, b':', b'\\' | b'/', ..]);
    let from = if is_drive { skipped + 2 } else { 0 };
    let end = from + bind[from..].find(':')?;
    Some((&bind[..end], &bind[end + 1..]))
}

/// Whether a source is the name of a volume: what is no path on any system.
pub(crate) fn is_name(source: &str) -> bool {
    !source.contains(['/', '\\', ':']) && !matches!(source, "." | ".." | "~")
}
