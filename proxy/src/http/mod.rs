//! The thin shell around the decision: a client's connection on one side, the daemon's on the
//! other.

mod alarm;
mod body;
mod chunks;
pub mod connection;
mod exchange;
pub mod gather;
mod items;
mod refusal;
mod review;
mod sieve;
mod tunnel;
pub mod upstream;
mod who;
pub mod wire;

pub use refusal::Words;
pub use who::Who;
