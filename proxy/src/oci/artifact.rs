//! What a plugin is in a registry: the "Wasm OCI Artifact layout" of the CNCF, which `wkg` and others
//! read and write as well (<https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/>).
//!
//! A manifest names one layer, which is the component as it stands in a file.

use std::collections::BTreeMap;

use bytes::Bytes;
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use serde_json::{Value, json};

use super::Digest;
use crate::plugin::{Manifest, Outline, cache::LARGEST};

/// The media type of manifests that are pushed.
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";

/// A plugin that is to be pushed.
pub struct Artifact {
    pub(super) component: Bytes,
    pub(super) config: Bytes,
    pub(super) manifest: Bytes,
}

impl Artifact {
    /// Of a component that says this of itself. One component makes one artifact, with the same
    /// digest whenever and wherever it is made.
    pub fn new(component: Vec<u8>, about: &Manifest, outline: &Outline) -> Self {
        let layer = descriptor(LAYER, &component);
        let config = json!({
            // Others want a time to be there. This one is the same whenever a component is pushed.
            "created": "1970-01-01T00:00:00Z",
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [layer.digest],
            "component": { "exports": outline.exports, "imports": outline.imports },
        })
        .to_string();
        let annotations = [
            ("org.opencontainers.image.title", &about.name),
            ("org.opencontainers.image.version", &about.version),
            ("org.opencontainers.image.description", &about.description),
        ];
        let annotations: BTreeMap<_, _> = annotations
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        let manifest = OciImageManifest {
            media_type: Some(MANIFEST.to_owned()),
            config: descriptor(CONFIG, config.as_bytes()),
            layers: vec![layer],
            annotations: Some(annotations),
            ..OciImageManifest::default()
        };
        // There is nothing in it that JSON can't have.
        let manifest = serde_json::to_vec(&manifest).unwrap_or_default();
        Self { component: component.into(), config: config.into(), manifest: manifest.into() }
    }

    /// What it is called, once it is in a registry: the digest of its manifest.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }
}

fn descriptor(media_type: &str, content: &[u8]) -> OciDescriptor {
    OciDescriptor {
        media_type: media_type.to_owned(),
        digest: Digest::of(content).to_string(),
        size: i64::try_from(content.len()).unwrap_or(i64::MAX),
        ..OciDescriptor::default()
    }
}

/// The component that a manifest names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layer {
    pub digest: Digest,
    pub size: u64,
}

impl Layer {
    /// Finds it in a manifest: anything with exactly one layer that is WebAssembly will do.
    ///
    /// # Errors
    /// Words on what else it is.
    pub(super) fn of(manifest: &[u8]) -> Result<Self, String> {
        let manifest: Value = serde_json::from_slice(manifest)
            .map_err(|error| format!("its manifest can't be read: {error}"))?;
        if manifest["manifests"].is_array() {
            return Err("it is a list of artifacts for several machines, and a plugin is one for \
                        all: name one of the list by its digest"
                .to_owned());
        }
        let layers: Vec<OciDescriptor> = serde_json::from_value(manifest["layers"].clone())
            .map_err(|error| format!("its manifest can't be read: {error}"))?;
        let mut wasm = layers.iter().filter(|layer| layer.media_type == LAYER);
        match (wasm.next(), wasm.next()) {
            (Some(layer), None) => Self::named_by(layer),
            (Some(_), Some(_)) => {
                Err(format!("it is several components: a plugin has one layer of {LAYER}"))
            }
            (None, _) => Err(format!("it is no plugin: none of its layers is of {LAYER}")),
        }
    }

    fn named_by(layer: &OciDescriptor) -> Result<Self, String> {
        let size = u64::try_from(layer.size).map_err(|_| "its layer has no size".to_owned())?;
        if size > LARGEST {
            return Err("it is larger than 128 MiB".to_owned());
        }
        Ok(Self { digest: layer.digest.parse()?, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_what_others_write() {
        let about = Manifest {
            name: "team-policy".to_owned(),
            version: "1.2.3".to_owned(),
            ..Manifest::default()
        };
        let outline = Outline {
            imports: vec!["dockgate:filter/log@0.1.0".to_owned()],
            exports: vec!["dockgate:filter/decision@0.1.0".to_owned()],
        };
        let artifact = Artifact::new(b"\0asm".to_vec(), &about, &outline);
        let read = |part: &[u8]| serde_json::from_slice::<Value>(part).unwrap();
        let digest = |part: &[u8]| Digest::of(part).to_string();
        let config = json!({
            "created": "1970-01-01T00:00:00Z",
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [digest(b"\0asm")],
            "component": {
                "exports": ["dockgate:filter/decision@0.1.0"],
                "imports": ["dockgate:filter/log@0.1.0"],
            },
        });
        assert_eq!(read(&artifact.config), config);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.wasm.config.v0+json",
                "digest": digest(&artifact.config),
                "size": artifact.config.len(),
            },
            "layers": [
                { "mediaType": "application/wasm", "digest": digest(b"\0asm"), "size": 4 },
            ],
            "annotations": {
                "org.opencontainers.image.title": "team-policy",
                "org.opencontainers.image.version": "1.2.3",
            },
        });
        assert_eq!(read(&artifact.manifest), manifest);
        let again = Artifact::new(b"\0asm".to_vec(), &about, &outline);
        assert_eq!(artifact.digest(), again.digest());
        let layer = Layer::of(&artifact.manifest).unwrap();
        assert_eq!(layer, Layer { digest: Digest::of(b"\0asm"), size: 4 });
    }

    #[test]
    fn what_has_no_one_component_is_refused() {
        let digest = Digest::of(b"").to_string();
        let layer = |kind: &str, digest: &str, size: i64| json!({ "mediaType": kind, "digest": digest, "size": size });
        let layers = |layers: Value| json!({ "layers": layers }).to_string();
        for (manifest, words) in [
            ("{".to_owned(), "can't be read"),
            ("{}".to_owned(), "can't be read"),
            (json!({ "manifests": [] }).to_string(), "name one of the list by its digest"),
            (layers(json!([])), "it is no plugin"),
            (
                layers(json!([layer("application/vnd.oci.image.layer.v1.tar", &digest, 1)])),
                "none of its layers is of application/wasm",
            ),
            (
                layers(json!([layer(LAYER, &digest, 1), layer(LAYER, &digest, 1)])),
                "several components",
            ),
            (layers(json!([layer(LAYER, "sha256:../../etc/passwd", 1)])), "the digest"),
            (layers(json!([layer(LAYER, &digest, -1)])), "no size"),
            (layers(json!([layer(LAYER, &digest, (128 << 20) + 1)])), "larger than 128 MiB"),
        ] {
            let said = Layer::of(manifest.as_bytes()).unwrap_err();
            assert!(said.contains(words), "{manifest}: {said}");
        }
    }
}
