//! The configuration as it is written: `dockgate.yaml`, or what the command line and the environment
//! amount to. `settings` has what it means.

mod document;
pub mod flags;
mod measure;
mod problem;
mod read;
pub mod report;
mod schema;
mod shape;
mod substitute;
mod tree;
mod write;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{plugin::Grant, request::UnknownFields};

pub use document::{Document, Position};
pub use measure::{Size, Span, Text, TextOrGone};
pub use problem::{Pointer, Problem, Problems, cure_of_name};
pub use read::{Read, find, read, read_text, text};
pub use schema::{Format, schema};
pub use substitute::{Variables, files_named_in};
pub use write::{write, write_as_written, write_without_values};

/// The configuration of dockgate.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// The Docker daemon.
    pub upstream: Upstream,
    /// Where clients come in, by names of your choice.
    pub listeners: BTreeMap<String, Listener>,
    /// What decides, by names of your choice.
    pub plugins: BTreeMap<String, Plugin>,
    /// Which plugins decide about which requests. The first chain whose conditions all hold decides.
    pub chains: Vec<Chain>,
    /// What is logged, and how.
    pub log: Log,
    /// A socket to ask the running proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<Admin>,
    /// What clients and the daemon may take.
    pub limits: Limits,
}

/// The Docker daemon.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Upstream {
    /// Where it is: `unix:///var/run/docker.sock`, `tcp://10.0.0.5:2376`. The default is
    /// `unix:///var/run/docker.sock`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// For a daemon at a TCP address that speaks TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<UpstreamTls>,
    /// How long it may take to accept a connection. The default is `10s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<Span>,
    /// How long it may take to begin an answer that it gives at once. The default is `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_timeout: Option<Span>,
}

/// How the daemon is known, and how it knows us.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UpstreamTls {
    /// The authorities for the daemon's certificate, a PEM file.
    pub ca: PathBuf,
    /// Our certificate, a PEM file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// The key of our certificate, a PEM file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

impl UpstreamTls {
    /// Its files.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [Some(&self.ca), self.certificate.as_ref(), self.key.as_ref()].into_iter().flatten()
    }

    /// The same, with files that are named without their folder in this one.
    #[must_use]
    pub fn within(&self, folder: &Path) -> Self {
        Self {
            ca: folder.join(&self.ca),
            certificate: self.certificate.as_ref().map(|file| folder.join(file)),
            key: self.key.as_ref().map(|file| folder.join(file)),
        }
    }
}

/// Where clients come in.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Listener {
    /// `127.0.0.1:2375`, `tcp://[::]:2375` or `unix:///run/dockgate.sock`.
    pub address: String,
    /// TLS, for a TCP address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTls>,
    /// The permissions of a unix socket, in octal. The default is `"0660"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The owner of a unix socket, as numbers: `"1000:998"`, `"1000"` or `":998"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// TLS at a listener.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ListenerTls {
    /// The listener's certificate and those between it and the authority, a PEM file.
    pub certificate: PathBuf,
    /// The key of the certificate, a PEM file.
    pub key: PathBuf,
    /// The authorities for certificates of clients, a PEM file. Without it no client shows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
    /// Whether a client must show a certificate, where there is a `client-ca`.
    #[serde(default)]
    pub clients: ClientCertificates,
}

impl ListenerTls {
    /// Its files.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()].into_iter().flatten()
    }

    /// The same, with files that are named without their folder in this one.
    #[must_use]
    pub fn within(&self, folder: &Path) -> Self {
        Self {
            certificate: folder.join(&self.certificate),
            key: folder.join(&self.key),
            client_ca: self.client_ca.as_ref().map(|file| folder.join(file)),
            clients: self.clients,
        }
    }
}

/// Whether clients must show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificates {
    /// Who has none gets no connection.
    #[default]
    Required,
    /// Who has none is a client without a certificate.
    Optional,
}

/// A plugin, and what it may do.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plugin {
    /// `bundled:NAME`, the file of a component, or `oci://REGISTRY/NAME@sha256:…`.
    pub source: String,
    /// Its settings. What they may be is the plugin's business.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The variables that it sees, with their values: no other is shown to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, Text>,
    /// What else it may do. Bundled plugins have what they ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// What it may take.
    #[serde(default, skip_serializing_if = "PluginLimits::is_default")]
    pub limits: PluginLimits,
    /// Whether instances of it are used for more than one request.
    #[serde(default, skip_serializing_if = "Isolation::is_default")]
    pub isolation: Isolation,
}

impl Plugin {
    /// One that is part of this binary, with its settings.
    pub fn bundled(name: &str, settings: serde_json::Map<String, serde_json::Value>) -> Self {
        Self { source: format!("bundled:{name}"), settings, ..Self::default() }
    }
}

/// What a plugin may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PluginLimits {
    /// How long it may think about one request. The default is `5ms`. It is counted in work done, so
    /// a busy machine does not change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Span>,
    /// The memory of one instance. The default is `32MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Size>,
}

impl PluginLimits {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether instances of a plugin are used for more than one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// They are, which is fast.
    #[default]
    Shared,
    /// Each request has a new one.
    Request,
}

impl Isolation {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives it so")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Which plugins decide about which requests. What is left out holds for all.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Chain {
    /// What it is called in the log and in refusals.
    pub name: String,
    /// The listeners, by name: any of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listeners: Option<Vec<String>>,
    /// Who asks: any of these. Who can't be established is none of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<ClientCondition>>,
    /// The operations, by name or pattern (`container-*`): any of these. `dockgate operations` lists
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<String>>,
    /// The methods: any of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
    /// Patterns of the path without its version, `*` for a part of a segment, `**` for any number of
    /// them: any of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// The plugins, by name, in the order in which they are asked. None refuses everything.
    pub plugins: Vec<String>,
}

/// What must hold of a client, all of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ClientCondition {
    /// Its address, or the network that it is in: `172.18.0.3`, `172.18.0.0/16`, `fd00::/8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The user at the other end of a unix socket, a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<u32>,
    /// The group at the other end of a unix socket, a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// The number of the process at the other end of a unix socket, as the proxy sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<u32>,
    /// The certificate that it has shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateCondition>,
    /// The container that it runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerCondition>,
}

/// What must hold of a certificate, all of it. Nothing at all means that there is one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct CertificateCondition {
    /// A pattern of its subject, as RFC 4514 writes it: `CN=ci-*,O=Example`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// A pattern of one of the names in its subject alternative name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// SHA-256 of its public key: 64 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
}

/// What must hold of a container, all of it. Nothing at all means that there is one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ContainerCondition {
    /// A pattern of its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A pattern of the image, as whoever made the container wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Labels, and patterns of their values. An empty pattern is for an empty value, `*` for any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Text>,
    /// A pattern of the compose project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// A pattern of the compose service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

/// What is logged, and how.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Log {
    /// `debug`, `info` (every request), `notice` (refusals), `warning` or `err`. The default is `info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// `text`, `json`, or `auto`: text on a terminal, JSON elsewhere. The default is `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

/// A socket to ask the running proxy.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Admin {
    /// `unix:///run/dockgate/admin.sock`. Only the proxy's own user and root may use it.
    pub address: String,
}

/// What clients and the daemon may take.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Limits {
    /// The oldest version of the API that is let through. The default is `"1.24"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_api: Option<Text>,
    /// How many client connections may be open at once. The default is 4000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
    /// How large a request line with its headers may be. The default is `64KiB`, which is the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Size>,
    /// How large the body of a request may be that a plugin reads, which may have 131072 values in it.
    /// The default is `4MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Size>,
    /// How large an answer may be that a plugin reads. The default is `32MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Size>,
    /// What becomes of a body that a plugin reads and that has a field which no version of the API is
    /// known to have: it may `pass`, or the request is refused. The default is `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_fields: Option<UnknownFields>,
    /// How long a request line with its headers may take to arrive. The default is `10s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_timeout: Option<Span>,
    /// How long a connection is kept between requests. The default is `5m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<Span>,
    /// How long requests under way may go on after SIGTERM. The default is `8s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<Span>,
    /// How many threads serve clients. The default is one a core, 8 at the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<u16>,
}
