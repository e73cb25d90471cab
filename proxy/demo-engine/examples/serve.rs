//! Serves the demo engine on a socket: `cargo run --example serve -- /tmp/demo.sock`, and then
//! `DOCKER_HOST=unix:///tmp/demo.sock docker ps`.

use dockgate_demo_engine::Engine;
use tokio::net::UnixListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "/tmp/dockgate-demo.sock".into());
    let listener = UnixListener::bind(&path)?;
    println!("DOCKER_HOST=unix://{path}");
    Engine::new().serve(listener).await
}
