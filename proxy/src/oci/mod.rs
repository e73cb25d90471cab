//! Plugins from OCI registries: where container images are, and by the same rules.
//!
//! A digest says what is fetched: the manifest is the one that it names, and the component the one
//! that the manifest names, or nothing is loaded. What was fetched is kept and needs no network the
//! next time. `reference` is how a plugin is named, `artifact` what it is in a registry, `registry`
//! how it gets here and there, `store` where it is kept.

mod artifact;
mod credentials;
mod digest;
mod failure;
mod reference;
mod registry;
mod store;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use oci_client::RegistryOperation;
use rustix::process::{Resource, Rlimit, setrlimit};

pub use artifact::Artifact;
pub use digest::Digest;
pub use failure::Failure;
pub use reference::{Reference, SCHEME};
pub use registry::{Progress, Transport, silent};
pub use store::{Component, Store};

use artifact::Layer;
use registry::Registry;

/// How long it may take in all to fetch or push a plugin.
const EXCHANGE: Duration = Duration::from_mins(10);
/// How much memory the process that fetches may take: a registry may send what it likes.
const FETCHING: u64 = 256 << 20;

/// The component that a source names: a file that was checked against its digest. What is not kept
/// in the cache is fetched first, in a process of its own that ends with it.
///
/// # Errors
/// Words on what is wrong with the source, or why it can't be had.
pub fn fetch(source: &str, cache: &Path) -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    fetch_by(&program, source, cache)
}

/// The same, with the binary that has the command to fetch: this one.
///
/// # Errors
/// As [`fetch`].
pub fn fetch_by(program: &Path, source: &str, cache: &Path) -> Result<PathBuf, String> {
    let reference: Reference = source.parse()?;
    let store = Store::within(cache);
    let kept = |manifest| store.find(manifest).map(|component| component.file);
    if let Some(file) = reference.digest().and_then(kept) {
        return Ok(file);
    }
    tracing::info!("fetching {reference}");
    let fetched = fetch_apart(program, &reference, cache)?;
    let (manifest, warning) = settle(&reference, store.last_known(&reference), fetched)?;
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
    kept(&manifest).ok_or_else(|| format!("it is not kept in {} as it came", cache.display()))
}

/// What the process that fetches says: the digest of the manifest, which is in the store with what it
/// names, or why it is not.
type Fetched = Result<Digest, Failure>;

/// Fetches into the cache and writes what came of it to standard output: what the process of its own
/// does.
///
/// # Errors
/// Where the source is no reference.
pub fn fetch_here(source: &str, cache: &Path) -> Result<(), String> {
    limit_this_process();
    let reference: Reference = source.parse()?;
    let fetched: Fetched = pull(&reference, &Store::within(cache), Transport::Safe, &silent());
    serde_json::to_writer(std::io::stdout().lock(), &fetched).map_err(|error| error.to_string())
}

/// Ends it when it has taken too much memory, or hangs. Where the system allows no limits it goes on
/// without.
fn limit_this_process() {
    std::thread::spawn(|| {
        std::thread::sleep(EXCHANGE + Duration::from_secs(10));
        std::process::exit(1);
    });
    // The sixth number is what is mapped now of what counts, in pages (proc_pid_statm(5)).
    let mapped = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let mapped = mapped.split(' ').nth(5).and_then(|pages| pages.parse::<u64>().ok());
    let Some(pages) = mapped else { return };
    let most = Some(pages * rustix::param::page_size() as u64 + FETCHING);
    let _ = setrlimit(Resource::Data, Rlimit { current: most, maximum: most });
}

/// Pulls a plugin into the store, unless it is there, and says which manifest it has.
///
/// # Errors
/// Why it is not in the store.
pub fn pull(
    reference: &Reference,
    store: &Store,
    transport: Transport,
    progress: &Progress,
) -> Result<Digest, Failure> {
    if let Some(digest) = reference.digest().filter(|digest| store.find(digest).is_some()) {
        return Ok(digest.clone());
    }
    within_time(async {
        let registry =
            Registry::open(reference.clone(), transport, RegistryOperation::Pull).await?;
        let manifest = registry.manifest().await?;
        let layer = Layer::of(&manifest).map_err(Failure::Refused)?;
        if store.component(&layer.digest).is_none() {
            let unfinished = store.begin(&layer.digest).map_err(Failure::Refused)?;
            registry.component(&layer, &unfinished.file, progress).await?;
            store.finish(unfinished, &layer.digest).map_err(Failure::Refused)?;
        }
        store.keep_manifest(&manifest).map_err(Failure::Refused)?;
        let digest = Digest::of(&manifest);
        if reference.digest().is_none() {
            store.remember(reference, &digest).map_err(Failure::Refused)?;
        }
        Ok(digest)
    })
}

/// Pushes a plugin.
///
/// # Errors
/// Why it is not in the registry.
pub fn push(
    artifact: &Artifact,
    reference: &Reference,
    transport: Transport,
    progress: &Progress,
) -> Result<(), Failure> {
    within_time(async {
        let registry =
            Registry::open(reference.clone(), transport, RegistryOperation::Push).await?;
        registry.push(artifact, progress).await
    })
}

/// What a person should know who gave a tag and no digest.
pub fn warning(reference: &Reference, manifest: &Digest) -> Option<String> {
    reference.digest().is_none().then(|| {
        let pinned = reference.pinned(manifest);
        format!("{reference} is whatever the registry says that it is: to pin it, write {pinned}")
    })
}

/// Runs what asks a registry, and gives it up when it takes too long.
fn within_time<T>(asking: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Refused(error.to_string()))?;
    let done = runtime.block_on(async { tokio::time::timeout(EXCHANGE, asking).await });
    // A credential helper may not have answered yet, and is not waited for.
    runtime.shutdown_background();
    done.unwrap_or_else(|_| Err(Failure::Unreachable("it takes longer than 10 minutes".to_owned())))
}

/// Has this same program fetch it in a process of its own. The environment is ours: Docker's
/// configuration, helpers and proxies are found by it.
fn fetch_apart(program: &Path, reference: &Reference, cache: &Path) -> Result<Fetched, String> {
    let output = Command::new(program)
        .arg("fetch")
        .arg(reference.to_string())
        .arg(cache)
        // The allocator's usual gigabyte would count as taken.
        .env("MIMALLOC_ARENA_RESERVE", "32MiB")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .map_err(|error| format!("what fetches it could not be started: {error}"))?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let words = String::from_utf8_lossy(&output.stderr);
        let words = words.trim().trim_start_matches("dockgate: ");
        format!("what fetches it ended without a word ({}): {words}", output.status)
    })
}

/// Which manifest it is, and what a person should know of that.
fn settle(
    reference: &Reference,
    last_known: Option<Digest>,
    fetched: Fetched,
) -> Result<(Digest, Option<String>), String> {
    match (fetched, reference.digest(), last_known) {
        (Ok(came), Some(asked), _) if came != *asked => {
            Err(format!("what came is not what was asked for: {came}"))
        }
        (Ok(came), ..) => {
            let warning = warning(reference, &came);
            Ok((came, warning))
        }
        (Err(Failure::Unreachable(why)), None, Some(last)) => {
            let warning = format!(
                "{why}; {reference} is taken for what it was the last time: {}",
                reference.pinned(&last)
            );
            Ok((last, Some(warning)))
        }
        (Err(why), ..) => Err(why.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_falls_back_on_what_is_known_only_where_nobody_answers() {
        let tagged: Reference = "oci://ghcr.io/team/policy:1".parse().unwrap();
        let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
        let away = || Err(Failure::Unreachable("ghcr.io can't be reached".to_owned()));
        let gone = || Err(Failure::Refused("ghcr.io has no team/policy:1".to_owned()));

        let (digest, warning) = settle(&tagged, Some(old.clone()), Ok(new.clone())).unwrap();
        assert_eq!(digest, new);
        assert!(warning.unwrap().contains(&format!("write {}", tagged.pinned(&new))));
        let (digest, warning) = settle(&tagged, Some(old.clone()), away()).unwrap();
        assert_eq!(digest, old);
        assert!(
            warning.unwrap().contains("can't be reached; oci://ghcr.io/team/policy:1 is taken")
        );
        assert!(settle(&tagged, None, away()).is_err());
        assert!(settle(&tagged, Some(old.clone()), gone()).is_err());

        let pinned = tagged.pinned(&old);
        assert_eq!(settle(&pinned, None, Ok(old.clone())).unwrap(), (old.clone(), None));
        assert!(settle(&pinned, None, Ok(new)).is_err(), "that is another");
        assert!(settle(&pinned, Some(old), away()).is_err());
    }
}
