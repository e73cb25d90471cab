//! dockgate beside HAProxy with rules that mean the same, in front of one mock daemon.
//!
//! A run starts the daemon ([`daemon`]) and the proxies ([`proxies`]) as processes of their own,
//! drives them in turn with `wrk` ([`wrk`], [`rounds`]), reads what they used ([`process`]) and prints
//! what it saw beside the targets ([`report`]).

pub mod chains;
pub mod cost;
pub mod daemon;
pub mod error;
pub mod options;
pub mod process;
pub mod proxies;
pub mod report;
pub mod rounds;
pub mod run;
pub mod selection;
pub mod startup;
pub mod syscalls;
pub mod wrk;
