//! `dockgate plugin push`: a plugin gets to where others find it.

use std::path::PathBuf;

use clap::Args;

use super::{
    Cache,
    pack::{check_fits, check_grants},
    say,
    transfer::{Connection, failed, progress, reference},
};
use crate::{
    error::Error,
    oci::{self, Artifact, Reference},
    plugin::{Manifest, Outline, cache},
    policy::runtime,
};

/// Push a plugin to an OCI registry, from where others pull it.
///
/// Any registry that takes container images will do. What is written to standard output is the
/// reference with the digest, which is what to give to `--plugin`: with the tag alone, whoever may
/// push there decides what runs. Credentials are those of `docker login`, with its helpers.
///
/// Other tools read what is pushed: it is a "Wasm OCI artifact", as of `wkg` and `oras`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Push {
    /// The plugin: a component with its manifest, as `build` and `pack` make them
    file: PathBuf,
    /// Where it goes: oci://REGISTRY/NAME:TAG
    #[arg(value_name = "REFERENCE")]
    reference: String,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    cache: Cache,
}

const AFTER_HELP: &str = "\
Examples:
  dockgate plugin push policy.wasm oci://ghcr.io/team/policy:1.0
  pinned=$(dockgate plugin push policy.wasm oci://localhost:5000/policy:1.0)

Exit codes: 0 when it is there, 1 where the registry refuses it or is away,
2 where the file is no plugin or the reference is none.";

impl Push {
    pub(super) fn run(&self) -> Result<(), Error> {
        let reference = self.reference()?;
        let artifact = self.artifact()?;
        oci::push(&artifact, &reference, self.connection.transport(), &progress("pushing"))
            .map_err(|failure| failed(&reference, failure))?;
        say(&format!("{}\n", reference.pinned(&artifact.digest())));
        Ok(())
    }

    fn reference(&self) -> Result<Reference, Error> {
        let reference = reference(&self.reference)?;
        if reference.digest().is_none() {
            return Ok(reference);
        }
        let problem = "what is pushed has the digest that it has: write a tag alone".to_owned();
        Err(Error::Plugin { plugin: self.reference.clone(), problem })
    }

    /// What the proxy would load, and nothing else.
    fn artifact(&self) -> Result<Artifact, Error> {
        let wrong = |problem| Error::Plugin { plugin: self.file.display().to_string(), problem };
        let component = cache::component(&self.file).map_err(wrong)?;
        let manifest = Manifest::read(&mut std::io::Cursor::new(&component))
            .map_err(wrong)?
            .ok_or_else(|| {
                wrong("it has no manifest: put one into it with `dockgate plugin pack`".to_owned())
            })?;
        check_grants(&component, &manifest).map_err(wrong)?;
        check_fits(&runtime()?, &self.file, &manifest, &self.cache).map_err(wrong)?;
        let outline = Outline::read(&component).map_err(wrong)?;
        Ok(Artifact::new(component, &manifest, &outline))
    }
}
