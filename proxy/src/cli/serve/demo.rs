//! The small engine of `--demo`.

use std::path::PathBuf;

use tokio::net::UnixListener;

use crate::{cli::event_loop, error::Error};

/// The small engine inside, on a socket of its own that goes when the proxy ends.
pub(super) struct Demo {
    pub socket: PathBuf,
    folder: PathBuf,
}

impl Demo {
    pub(super) fn start() -> Result<Self, Error> {
        let system = |error| Error::System { what: "the engine inside", error };
        let folder = std::env::temp_dir().join(format!("dockgate-demo-{}", std::process::id()));
        std::fs::DirBuilder::new().create(&folder).map_err(system)?;
        let socket = folder.join("docker.sock");
        let demo = Self { socket: socket.clone(), folder };
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
        Ok(demo)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Only the socket is in it.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
