//! dockgate beside HAProxy.
fn main() {}
