//! Images come from the registries that are named, and from nowhere else.
//!
//! Judged is the name that a request gives: the image of a container, a service or a pull, what is
//! pushed, and Docker's plugins. It only takes away: what is in order is left to other plugins.
//!
//! A name says where an image is from as long as nothing else can be given that name. So a tag may
//! be set only from an allowed name to an allowed one, and what makes images of something else than
//! a registry (load, import, build, commit) is refused unless `allow-imports` is set. An image id
//! can't be judged, and is refused.

mod pattern;
mod reference;

use dockgate_plugin::{
    Denial, Json, Operation, Policy, Request, Setup, Verdict,
    schemars::{self, JsonSchema},
};
use serde::Deserialize;

pub use pattern::Pattern;

use reference::{Reference, Unclear};

/// The policy.
pub struct ImageRegistry {
    settings: Settings,
}

/// Which images are allowed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The repositories, with their registries. `*` stands for any part of one segment, `**` for any
    /// number of segments: `ghcr.io/acme/*`, `docker.io/library/*`.
    pub allowed: Vec<Pattern>,
    /// Whether what is run or pulled must be named by its digest, so that it can't change.
    #[serde(default)]
    pub require_digest: bool,
    /// Whether images may be made of something else than a registry: loaded, imported, built,
    /// committed. They can take any name, that of an allowed repository too.
    #[serde(default)]
    pub allow_imports: bool,
}

impl Policy for ImageRegistry {
    type Settings = Settings;

    fn set_up(setup: &mut Setup<Settings>) -> Self {
        if setup.settings.allowed.is_empty() {
            setup.warn("/allowed", "it names no registry, so no image is allowed");
        }
        Self { settings: setup.settings.clone() }
    }

    fn decide(&self, request: &Request) -> Verdict {
        self.judge(request).map_or_else(Verdict::from, |()| Verdict::abstain())
    }
}

impl ImageRegistry {
    fn judge(&self, request: &Request) -> Result<(), Denial> {
        match request.operation() {
            Operation::ContainerCreate => {
                self.check_to_run(request, request.body_at("/Image").as_ref())
            }
            Operation::ServiceCreate | Operation::ServiceUpdate => self.judge_service(request),
            Operation::ImageCreate => self.judge_pull(request),
            Operation::ImagePush => self.check_origin(&local(request, request.target())?),
            Operation::ImageTag => {
                self.check_origin(&local(request, request.target())?)?;
                self.check_origin(&of_registry(request, request.query("repo").as_deref())?)
            }
            Operation::PluginPull | Operation::PluginUpgrade => {
                self.check_origin(&of_registry(request, request.query("remote").as_deref())?)
            }
            Operation::ImageLoad
            | Operation::ImageBuild
            | Operation::ContainerCommit
            | Operation::Grpc
            | Operation::Session
            | Operation::PluginCreate => self.check_import(request),
            _ => Ok(()),
        }
    }

    /// A service runs an image or, rarely, one of Docker's plugins. Whatever is named must be
    /// allowed: which of the two counts is for the daemon to say.
    fn judge_service(&self, request: &Request) -> Result<(), Denial> {
        let image = request.body_at("/TaskTemplate/ContainerSpec/Image");
        let plugin = request.body_at("/TaskTemplate/PluginSpec/Remote");
        if let Some(remote) = &plugin {
            self.check_origin(&of_registry(request, remote.as_str())?)?;
        }
        match (&image, &plugin) {
            (None, Some(_)) => Ok(()),
            _ => self.check_to_run(request, image.as_ref()),
        }
    }

    /// `fromImage` pulls, and `fromSrc` counts only without it.
    fn judge_pull(&self, request: &Request) -> Result<(), Denial> {
        let Some(image) = request.query("fromImage").filter(|image| !image.is_empty()) else {
            return self.check_import(request);
        };
        // Clients that pull all tags send a name with a colon at its end.
        let name = image.strip_suffix(':').unwrap_or(&image);
        let reference = of_registry(request, Some(name))?;
        let reference = match request.query("tag").filter(|tag| !tag.is_empty()) {
            Some(tag) => reference.retagged(&tag).map_err(|unclear| denial(unclear, &tag))?,
            None => reference,
        };
        self.check_origin(&reference)?;
        self.check_digest(&reference)
    }

    fn check_to_run(&self, request: &Request, image: Option<&Json>) -> Result<(), Denial> {
        let reference = local(request, image.and_then(Json::as_str))?;
        self.check_origin(&reference)?;
        self.check_digest(&reference)
    }

    fn check_origin(&self, reference: &Reference) -> Result<(), Denial> {
        let allowed = &self.settings.allowed;
        if allowed.iter().any(|pattern| pattern.fits(reference.repository())) {
            return Ok(());
        }
        let list: Vec<String> = allowed.iter().map(Pattern::to_string).collect();
        let hint = match &list[..] {
            [] => "no image is allowed".to_owned(),
            list => format!("allowed are {}", list.join(", ")),
        };
        Err(Denial::new(format!("{reference} is not from an allowed registry"))
            .with_code("image-not-allowed")
            .with_hint(hint))
    }

    fn check_digest(&self, reference: &Reference) -> Result<(), Denial> {
        if !self.settings.require_digest || reference.has_digest() {
            return Ok(());
        }
        Err(Denial::new(format!("{reference} is not named by its digest"))
            .with_code("digest-required")
            .with_hint(format!("write {}@sha256:…", reference.repository())))
    }

    fn check_import(&self, request: &Request) -> Result<(), Denial> {
        if self.settings.allow_imports {
            return Ok(());
        }
        let operation = request.operation();
        Err(Denial::new(format!("{operation} makes an image from elsewhere than a registry"))
            .with_code("import-not-allowed")
            .with_hint("set allow-imports"))
    }
}

/// What names an image that is on the daemon.
fn local(request: &Request, image: Option<&str>) -> Result<Reference, Denial> {
    let image = image.ok_or_else(|| no_image(request))?;
    Reference::of_local(image).map_err(|unclear| denial(unclear, image))
}

/// What names an image, or one of Docker's plugins, in a registry.
fn of_registry(request: &Request, image: Option<&str>) -> Result<Reference, Denial> {
    let image = image.ok_or_else(|| no_image(request))?;
    Reference::of_registry(image).map_err(|unclear| denial(unclear, image))
}

fn no_image(request: &Request) -> Denial {
    Denial::new(format!("{} names no image", request.operation())).with_code("no-image")
}

fn denial(unclear: Unclear, image: &str) -> Denial {
    match unclear {
        Unclear::NoReference => {
            Denial::new(format!("`{image}` is no image reference")).with_code("no-reference")
        }
        Unclear::Id => Denial::new(format!("`{image}`: an image id can't be judged by name"))
            .with_code("image-id")
            .with_hint("write the image's name with its tag or digest"),
    }
}

dockgate_plugin::export!(ImageRegistry);
dockgate_plugin::manifest_test!(ImageRegistry);
dockgate_plugin::requests_test!(ImageRegistry);
