//! The small engine of `--demo`.

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::net::UnixListener;

use crate::{cli::event_loop, error::Error};

/// The small engine inside, on a socket of its own that goes when the proxy ends.
pub(super) struct Demo {
    pub socket: PathBuf,
    /// Gone with the last of it. Its name is random: process ids come again, in a container always
    /// the same, and one that was killed leaves its folder.
    _folder: TempDir,
}

impl Demo {
    pub(super) fn start() -> Result<Self, Error> {
        let system = |error| Error::System { what: "the engine inside", error };
        let folder = tempfile::Builder::new().prefix("dockgate-demo-").tempdir().map_err(system)?;
        let socket = folder.path().join("docker.sock");
        let listener = std::os::unix::net::UnixListener::bind(&socket).map_err(system)?;
        listener.set_nonblocking(true).map_err(system)?;
        let runtime = event_loop("the engine inside")?;
        std::thread::Builder::new()
            .name("demo-engine".to_owned())
            .spawn(move || {
                let served = runtime.block_on(async {
                    let listener = UnixListener::from_std(listener)?;
                    dockgate_demo_engine::Engine::new().serve(listener).await
                });
                if let Err(error) = served {
                    tracing::error!("the engine inside ended: {error}");
                }
            })
            .map_err(system)?;
        Ok(Self { socket, _folder: folder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_left_behind_is_not_in_the_way_of_the_same_process_id() {
        let left = Demo::start().unwrap();
        assert!(Demo::start().is_ok());
        assert!(left.socket.exists());
    }
}
