//! A directory, kept on a thread of its own as on the proxy's main thread.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use dockgate::client::directory::{Directory, Origin};
use dockgate::client::{Container, Peer};
use dockgate::http::upstream::{Address, Patience, Upstream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

pub struct Kept {
    pub directory: Directory,
    runtime: Runtime,
}

impl Kept {
    /// Of the daemon at this socket.
    pub fn at(socket: &Path) -> Self {
        let (started, directory) = mpsc::channel();
        let daemon = Address::Unix(socket.to_owned());
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            LocalSet::new().block_on(&runtime, async move {
                let time = Duration::from_secs(10);
                let patience = Patience { connect: time, answer: time };
                let (directory, kept) = Directory::start(Upstream::new(daemon, patience));
                started.send(directory).unwrap();
                kept.await;
            });
        });
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let kept = Self { directory: directory.recv().unwrap(), runtime };
        // So that what follows is seen to happen.
        kept.name("192.0.2.1");
        kept
    }

    /// The container of a client with this address that is accepted now.
    pub fn container(&self, address: &str) -> Option<Arc<Container>> {
        self.runtime.block_on(self.directory.container_of(&origin(address, SystemTime::now())))
    }

    pub fn name(&self, address: &str) -> Option<String> {
        self.name_before(address, SystemTime::now())
    }

    /// The name of the container of a client that was accepted before.
    pub fn name_before(&self, address: &str, accepted: SystemTime) -> Option<String> {
        let origin = origin(address, accepted);
        let found = self.runtime.block_on(self.directory.container_of(&origin));
        found.map(|container| container.name.clone())
    }

    /// The same for many clients that are accepted at this moment.
    pub fn names_at_once(&self, addresses: &[&str]) -> Vec<Option<String>> {
        self.runtime.block_on(async {
            let asked: Vec<_> = addresses
                .iter()
                .map(|address| {
                    let directory = self.directory.clone();
                    let origin = origin(address, SystemTime::now());
                    tokio::spawn(async move { directory.container_of(&origin).await })
                })
                .collect();
            let mut names = Vec::new();
            for found in asked {
                names.push(found.await.unwrap().map(|container| container.name.clone()));
            }
            names
        })
    }
}

fn origin(address: &str, accepted: SystemTime) -> Origin {
    let address: IpAddr = address.parse().unwrap();
    // Only a unix socket is looked at.
    Origin::of(&Peer::Tcp(SocketAddr::new(address, 40_000)), io::stdin().as_fd(), accepted)
}
