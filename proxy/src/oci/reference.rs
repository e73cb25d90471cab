//! Where in which registry a plugin is: `oci://REGISTRY/NAME:TAG@sha256:…`.

use std::{fmt, str::FromStr};

use super::Digest;

/// What a reference begins with, where it could be the name of a file as well.
pub const SCHEME: &str = "oci://";

/// An artifact in a registry: by a tag, which may move, by the digest of its manifest, or by both, of
/// which the digest counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    named: oci_client::Reference,
    digest: Option<Digest>,
}

impl Reference {
    /// For the client of registries.
    pub(super) fn named(&self) -> &oci_client::Reference {
        &self.named
    }

    /// The host that is asked.
    pub fn host(&self) -> &str {
        self.named.resolve_registry()
    }

    /// The digest of the manifest, which says what it is once and for all.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The name that may come to mean something else.
    pub fn tag(&self) -> Option<&str> {
        self.named.tag()
    }

    /// The same, and from now on only with this manifest.
    #[must_use]
    pub fn pinned(&self, manifest: &Digest) -> Self {
        let (registry, name) =
            (self.named.registry().to_owned(), self.named.repository().to_owned());
        let digest = manifest.to_string();
        let named = match self.tag().map(str::to_owned) {
            Some(tag) => oci_client::Reference::with_tag_and_digest(registry, name, tag, digest),
            None => oci_client::Reference::with_digest(registry, name, digest),
        };
        Self { named, digest: Some(manifest.clone()) }
    }

    /// Whether the registry is on this machine, by the names that need no look-up.
    pub fn is_on_this_machine(&self) -> bool {
        let host = self.host();
        let host = host.split_once(':').map_or(host, |(host, _)| host);
        host == "localhost" || host == "127.0.0.1"
    }
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| {
            format!("it is no plugin in a registry: write {SCHEME}REGISTRY/NAME:TAG")
        })?;
        let (registry, name) = rest.split_once('/').ok_or_else(|| {
            format!("a registry and a name are needed, such as {SCHEME}ghcr.io/team/policy:1.0")
        })?;
        // What oci-client would take for a name at Docker Hub.
        if !registry.contains(['.', ':']) && registry != "localhost" {
            return Err(format!(
                "{registry:?} is no registry: write its host as well, such as \
                 {SCHEME}docker.io/{rest}"
            ));
        }
        let (name, digest) = match name.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse()?)),
            None => (name, None),
        };
        // What oci-client would take for `latest`.
        if digest.is_none() && !name.contains(':') {
            return Err(format!(
                "it has neither a tag nor a digest: write {SCHEME}{rest}:TAG or {SCHEME}{rest}@sha256:…"
            ));
        }
        let named = rest.parse().map_err(|error| {
            format!(
                "{error}: write {SCHEME}REGISTRY/NAME:TAG, with the name in lower case and the \
                 registry as HOST or HOST:PORT"
            )
        })?;
        Ok(Self { named, digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_a_registry_and_a_tag_or_a_digest() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for text in [
            "oci://ghcr.io/team/policy:1.0",
            "oci://localhost:5000/policy:1.0",
            "oci://localhost/policy:1.0",
            &format!("oci://ghcr.io/team/policy@{digest}"),
            &format!("oci://ghcr.io/team/policy:1.0@{digest}"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
            assert_eq!(reference.digest().is_some(), text.contains('@'));
        }
        let hub: Reference = "oci://docker.io/policy:1.0".parse().unwrap();
        assert_eq!(hub.host(), "index.docker.io");
    }

    #[test]
    fn what_is_no_reference_is_refused_with_what_to_write() {
        let upper = format!("oci://ghcr.io/team/policy@sha256:{}", "A".repeat(64));
        let other = format!("oci://ghcr.io/team/policy@sha512:{}", "a".repeat(128));
        for (text, words) in [
            ("policy.wasm", "write oci://REGISTRY/NAME:TAG"),
            ("oci://ghcr.io", "such as oci://ghcr.io/team/policy:1.0"),
            ("oci://team/policy:1", "such as oci://docker.io/team/policy:1"),
            ("oci://ghcr.io/team/policy", "oci://ghcr.io/team/policy:TAG"),
            ("oci://ghcr.io/Team/policy:1", "the name in lower case"),
            ("oci://[::1]:5000/policy:1", "HOST or HOST:PORT"),
            ("oci://ghcr.io/team/policy@sha256:abc", "64 hexadecimal digits"),
            ("oci://ghcr.io/team/../policy:1", "write oci://REGISTRY/NAME:TAG"),
            (&upper, "in lower case"),
            (&other, "write sha256:"),
        ] {
            let said = text.parse::<Reference>().unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
        }
    }

    #[test]
    fn a_pinned_reference_keeps_its_tag() {
        let digest = Digest::of(b"manifest");
        for (text, pinned) in [
            ("oci://ghcr.io/team/policy:1.0", format!("oci://ghcr.io/team/policy:1.0@{digest}")),
            (
                &format!("oci://ghcr.io/policy@{}", Digest::of(b"other")),
                format!("oci://ghcr.io/policy@{digest}"),
            ),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.pinned(&digest).to_string(), pinned);
            assert_eq!(pinned.parse::<Reference>().unwrap(), reference.pinned(&digest));
        }
    }

    #[test]
    fn only_names_of_this_machine_are_on_it() {
        for (text, here) in [
            ("oci://localhost:5000/policy:1", true),
            ("oci://127.0.0.1:5000/policy:1", true),
            ("oci://127.0.0.1.example.com/policy:1", false),
            ("oci://localhost.example.com:5000/policy:1", false),
            ("oci://ghcr.io/localhost/policy:1", false),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().is_on_this_machine(), here, "{text}");
        }
    }
}
