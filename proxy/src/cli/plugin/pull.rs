//! `dockgate plugin pull`: a plugin comes from a registry, before the proxy needs it.

use std::{fs, path::PathBuf};

use clap::Args;

use super::{
    Cache, say, size,
    transfer::{Connection, failed, progress, reference},
};
use crate::{
    error::Error,
    oci::{self, Component, Digest, Store},
};

/// Pull a plugin from an OCI registry into the cache.
///
/// The proxy pulls a plugin when it first loads it. One that starts without a network, or where
/// nothing can be written, finds what was pulled here: give it the same folder as its cache. What a
/// digest names is never asked for again; a tag is, at each start.
///
/// Credentials are those of `docker login`, with its helpers.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Pull {
    /// Which: oci://REGISTRY/NAME@sha256:DIGEST, of the manifest, or oci://REGISTRY/NAME:TAG
    #[arg(value_name = "REFERENCE")]
    reference: String,
    /// Write it to this file as well
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    cache: Cache,
}

const AFTER_HELP: &str = "\
Examples:
  dockgate plugin pull oci://ghcr.io/team/policy:1.0 -o policy.wasm
  dockgate plugin pull oci://localhost:5000/policy:1.0 --cache /cache

Exit codes: 0 when it is there, 1 where the registry refuses it, sends something else
or is away, 2 where the reference is none.";

impl Pull {
    pub(super) fn run(&self) -> Result<(), Error> {
        let reference = reference(&self.reference)?;
        let store = Store::within(&self.cache.needed()?);
        let transport = self.connection.transport();
        let manifest = oci::pull(&reference, &store, transport, &progress("pulling"))
            .map_err(|failure| failed(&reference, failure))?;
        let component = store.find(&manifest).ok_or_else(|| {
            let words = "it is not in the cache as it came".to_owned();
            failed(&reference, oci::Failure::Refused(words))
        })?;
        if let Some(warning) = oci::warning(&reference, &manifest) {
            eprintln!("dockgate: {warning}");
        }
        let content = read(&component)?;
        let mut lines = vec![
            ("reference", reference.pinned(&manifest).to_string()),
            ("sha256", component.digest.hexadecimal().to_owned()),
            ("size", size(content.len())),
            ("kept", component.file.display().to_string()),
        ];
        if let Some(output) = &self.output {
            write(output, &content)?;
            lines.push(("file", output.display().to_string()));
        }
        let line = |(name, value): (&str, String)| format!("{name:<12} {value}\n");
        say(&lines.into_iter().map(line).collect::<String>());
        Ok(())
    }
}

/// What was looked at is what is written.
fn read(component: &Component) -> Result<Vec<u8>, Error> {
    let path = component.file.clone();
    match fs::read(&path) {
        Ok(content) if Digest::of(&content) == component.digest => Ok(content),
        Ok(_) => Err(Error::Content { path, problem: "it was changed meanwhile".to_owned() }),
        Err(error) => Err(Error::File { path, error }),
    }
}

/// Whole or not at all.
fn write(output: &PathBuf, content: &[u8]) -> Result<(), Error> {
    let unfinished = output.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&unfinished, content).and_then(|()| fs::rename(&unfinished, output)).map_err(
        |error| {
            // It is in the way of nobody where it can't be removed.
            let _ = fs::remove_file(&unfinished);
            Error::File { path: output.clone(), error }
        },
    )
}
