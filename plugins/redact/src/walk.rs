//! Values in the daemon's answers, found by the names of their fields wherever they stand.
//!
//! The names are those of moby's `api/types`. An answer has more places than a list of paths would
//! know: a definition stands in a service, in what it was before, and in each of its tasks.

use dockgate_plugin::Json;

use crate::{
    Redaction,
    names::Names,
    settings::{How, Mounts},
};

/// Strings that hold a path of the host.
const PATHS: [&str; 9] = [
    "CheckpointDir",
    "ContainerIDFile",
    "HostnamePath",
    "HostsPath",
    "LogPath",
    "Mountpoint",
    "PathOnHost",
    "ResolvConfPath",
    "SandboxKey",
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

impl Redaction {
    /// Hides what is to be hidden in a value.
    pub(crate) fn walk(&self, json: &mut Json) {
        match json {
            Json::List(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Json::Object(fields) => fields.retain_mut(|(name, value)| self.keeps(name, value)),
            _ => {}
        }
    }

    /// Hides what is to be hidden in a field, and says whether the field stays.
    fn keeps(&self, name: &str, value: &mut Json) -> bool {
        match name {
            "Env" => self.variables(value),
            "Labels" | "Annotations" => self.named(value, &self.labels),
            "Options" | "DriverOpts" => self.named(value, &self.options),
            "LogConfig" => match value.get_mut("Config") {
                Some(options) => self.named(options, &self.options),
                None => self.walk(value),
            },
            "Mounts" => self.mounts(value),
            "Binds" => self.binds(value),
            "GraphDriver" => match value.get_mut("Data") {
                Some(data) if self.mounts != Mounts::Show => self.texts(data),
                _ => self.walk(value),
            },
            _ if PATHS.contains(&name) => return self.keeps_path(value),
            // Of a plugin, of a container its limits.
            _ if name == "Devices" || name.starts_with("Blkio") => self.devices(value),
            // `… bind source path does not exist: /srv/db`
            "Err" | "Error" => self.error(value),
            _ if self.hides_commands && COMMANDS.contains(&name) => self.command(name, value),
            "CreatedBy" | "Description" => self.step(value),
            "ContainerConfig" => {
                self.walk(value);
                value.get_mut("Cmd").into_iter().for_each(|cmd| self.each_step(cmd));
            }
            "JoinTokens" | "UnlockKey" if self.hides_swarm => self.texts(value),
            // The content of a config, in base64. A layer's `Data` is an object.
            "Data" if self.hides_swarm && value.as_str().is_some() => return false,
            "TLSInfo" | "Peers" if self.hides_host => return false,
            "Addr" | "ExternalCAs" | "Host IP" | "KernelVersion" if self.hides_host => {
                self.texts(value);
            }
            _ => self.walk(value),
        }
        // What a node is. Its `Hostname` is the host's; that of a container is not.
        if name == "Description"
            && self.hides_host
            && let Some(hostname) = value.get_mut("Hostname")
        {
            self.texts(hostname);
        }
        true
    }

    /// `["NAME=value"]`, and in the definition of a plugin `[{"Name": …, "Value": …}]`.
    fn variables(&self, list: &mut Json) {
        let Json::List(items) = list else { return self.walk(list) };
        items.retain_mut(|item| {
            if let Json::String(text) = item {
                return self.assignment(text, &self.environment);
            }
            let name = item.get("Name").and_then(Json::as_str).unwrap_or_default();
            let Some(how) = self.environment.hides(name) else { return true };
            item.get_mut("Value").into_iter().for_each(|value| self.texts(value));
            how == How::Mask
        });
    }

    /// `{"name": "value"}`, and in `docker info` `["name=value"]`.
    fn named(&self, json: &mut Json, names: &Names) {
        let is_text = |value: &Json| matches!(value, Json::String(_) | Json::Null);
        match json {
            Json::Object(fields) if fields.iter().all(|(_, value)| is_text(value)) => {
                fields.retain_mut(|(name, value)| {
                    let Some(how) = names.hides(name) else { return true };
                    self.texts(value);
                    how == How::Mask
                });
            }
            Json::List(items) if items.iter().all(is_text) => items.retain_mut(|item| match item {
                Json::String(text) => self.assignment(text, names),
                _ => true,
            }),
            json => self.walk(json),
        }
    }

    /// `NAME=value`, and whether it stays.
    fn assignment(&self, text: &mut String, names: &Names) -> bool {
        let name = text.split('=').next().unwrap_or_default();
        let Some(how) = names.hides(name) else { return true };
        if name.len() < text.len() {
            *text = format!("{name}={}", self.mask);
        }
        how == How::Mask
    }

    /// The mounts of a container, a service or a plugin, and in the definition of a plugin as well.
    fn mounts(&self, list: &mut Json) {
        let Json::List(items) = list else { return self.walk(list) };
        items.retain_mut(|mount| {
            let is_volume = mount.get("Type").and_then(Json::as_str) == Some("volume");
            let source = mount.get_mut("Source").filter(|source| match source {
                Json::String(path) if is_volume => !is_name(path),
                source => source.as_str().is_some_and(|path| !path.is_empty()),
            });
            // The path of a volume is the daemon's affair; the mount stays.
            let is_kept = match (source, self.mounts) {
                (None, _) | (_, Mounts::Show) => true,
                (Some(source), treatment) => {
                    self.texts(source);
                    treatment == Mounts::Mask || is_volume
                }
            };
            self.walk(mount);
            is_kept
        });
    }

    /// `["/path:/in/container:ro"]`; what is no path is the name of a volume.
    fn binds(&self, list: &mut Json) {
        let Json::List(items) = list else { return self.walk(list) };
        if self.mounts == Mounts::Show {
            return;
        }
        items.retain_mut(|item| {
            let Json::String(bind) = item else { return true };
            let Some((source, rest)) = source_of(bind) else { return true };
            if is_name(source) {
                return true;
            }
            *bind = format!("{}:{rest}", self.mask);
            self.mounts == Mounts::Mask
        });
    }

    fn keeps_path(&self, value: &mut Json) -> bool {
        match self.mounts {
            Mounts::Show => true,
            Mounts::Mask => {
                self.texts(value);
                true
            }
            Mounts::Remove => false,
        }
    }

    fn devices(&self, list: &mut Json) {
        if self.mounts != Mounts::Show {
            for device in list.items_mut().into_iter().flatten() {
                device.get_mut("Path").into_iter().for_each(|path| self.texts(path));
            }
        }
        self.walk(list);
    }

    fn error(&self, value: &mut Json) {
        let Json::String(words) = value else { return self.walk(value) };
        let names_a_path = words.contains(['/', '\\']);
        if self.hides_commands || (self.mounts != Mounts::Show && names_a_path) {
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

    /// A step of a build: `ENV A=b`, `RUN |1 A=b make`, `mount / from exec /bin/sh -c A=b make`.
    fn step(&self, value: &mut Json) {
        match value {
            Json::String(text) if self.hides_steps() && text.contains('=') => {
                text.clone_from(&self.mask);
            }
            Json::String(_) if self.hides_commands => self.texts(value),
            value => self.walk(value),
        }
    }

    fn each_step(&self, list: &mut Json) {
        list.items_mut().into_iter().flatten().for_each(|item| self.step(item));
    }

    /// Whether the steps of builds may show what is hidden elsewhere.
    fn hides_steps(&self) -> bool {
        !self.environment.are_all_shown() || !self.labels.are_all_shown()
    }

    /// Puts the mask into the place of each text; what is empty stays so.
    pub(crate) fn texts(&self, json: &mut Json) {
        match json {
            Json::String(text) if !text.is_empty() => text.clone_from(&self.mask),
            Json::List(items) => items.iter_mut().for_each(|item| self.texts(item)),
            Json::Object(fields) => fields.iter_mut().for_each(|(_, value)| self.texts(value)),
            _ => {}
        }
    }
}

/// The source of a bind, and what follows: of `C:\a:D:\b` as well.
fn source_of(bind: &str) -> Option<(&str, &str)> {
    let (source, rest) = bind.split_once(':')?;
    let is_drive = source.len() == 1 && rest.starts_with(['\\', '/']);
    match rest.find(':').filter(|_| is_drive) {
        Some(end) => Some((&bind[..end + 2], &rest[end + 1..])),
        None => Some((source, rest)),
    }
}

/// Whether a source is the name of a volume: what is no path on any system.
fn is_name(source: &str) -> bool {
    !source.contains(['/', '\\', ':']) && !matches!(source, "." | ".." | "~")
}
