//! The images that containers can be made from. The set is fixed: there is no registry.

use serde_json::{Value, json};

use crate::containers::no_image;
use crate::query::Query;
use crate::reply::{self, Answer, Refusal, Result};
use crate::shapes;

pub(crate) struct Image {
    pub(crate) reference: &'static str,
    pub(crate) digest: &'static str,
    pub(crate) command: &'static [&'static str],
    pub(crate) size: u32,
    pub(crate) created: i64,
}

static IMAGES: [Image; 3] = [
    Image {
        reference: "nginx:alpine",
        digest: "5b2f3e0d8c14a697d0f1c2b3a49586776859403122130fedcba9876543210a1b",
        command: &["nginx", "-g", "daemon off;"],
        size: 52_541_206,
        created: 1_751_846_400,
    },
    Image {
        reference: "postgres:17-alpine",
        digest: "8e1f0a9b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f",
        command: &["postgres"],
        size: 278_433_917,
        created: 1_749_168_000,
    },
    Image {
        reference: "busybox:latest",
        digest: "c0ffee12d3b4a5968778695a4b3c2d1e0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        command: &["sh"],
        size: 4_421_246,
        created: 1_727_308_800,
    },
];

impl Image {
    /// By reference, with or without the default registry and tag, or by (the beginning of an) id.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        IMAGES.iter().find(|image| image.is_named(name))
    }

    pub(crate) fn is_named(&self, name: &str) -> bool {
        let id = name.strip_prefix("sha256:").unwrap_or(name);
        Self::tagged(name) == self.reference || (id.len() >= 4 && self.digest.starts_with(id))
    }

    /// A familiar reference with its tag.
    pub(crate) fn tagged(reference: &str) -> String {
        let familiar = reference.strip_prefix("docker.io/").unwrap_or(reference);
        let familiar = familiar.strip_prefix("library/").unwrap_or(familiar);
        let last = familiar.rsplit('/').next().unwrap_or_default();
        let separator = if last.contains([':', '@']) || last.is_empty() { "" } else { ":latest" };
        format!("{familiar}{separator}")
    }

    pub(crate) fn id(&self) -> String {
        format!("sha256:{}", self.digest)
    }

    pub(crate) fn repo_digest(&self) -> String {
        let repository = self.reference.split(':').next().unwrap_or_default();
        format!("{repository}@sha256:{}", self.digest)
    }
}

pub(crate) fn list(query: &Query) -> Result<Answer> {
    let filters = query.filters(&["reference", "label", "dangling"])?;
    let listed = IMAGES
        .iter()
        .filter(|image| {
            let repository = image.reference.split(':').next();
            filters.any("reference", |name| {
                image.is_named(name) || repository == Some(name) || name == "*"
            })
        })
        .filter(|_| filters.any("dangling", |dangling| dangling == "false" || dangling == "0"))
        .filter(|_| filters.is_empty("label"))
        .map(summary)
        .collect();
    Ok(reply::json(&Value::Array(listed)))
}

pub(crate) fn inspect(name: &str) -> Result<Answer> {
    let image = Image::named(name).ok_or_else(|| Refusal::not_found(no_image(name)))?;
    Ok(reply::json(&shapes::image_inspect(image)))
}

/// As for an image that is up to date, or that the registry does not have.
pub(crate) fn pull(query: &Query) -> Result<Answer> {
    let (name, tag) = (query.get("fromImage"), query.get("tag"));
    let separator = if tag.contains(':') { "@" } else { ":" };
    let reference = if tag.is_empty() { name.into() } else { format!("{name}{separator}{tag}") };
    if Image::named(&reference).is_none() {
        return Err(Refusal::not_found(format!(
            "pull access denied for {name}: the demo engine has no registry, only the images that \
             it lists"
        )));
    }
    let status = format!("Status: Image is up to date for {reference}");
    Ok(reply::json(&json!({ "status": status })))
}

fn summary(image: &Image) -> Value {
    json!({
        "Containers": -1,
        "Created": image.created,
        "Id": image.id(),
        "Labels": null,
        "ParentId": "",
        "RepoDigests": [image.repo_digest()],
        "RepoTags": [image.reference],
        "SharedSize": -1,
        "Size": image.size,
        "VirtualSize": image.size,
    })
}
