//! Clients may look, and change nothing.

use dockgate_plugin::{NoSettings, Policy, Request, Setup, Verdict};

/// The policy. It only takes away: what reads is left to the other plugins of the chain.
pub struct ReadOnly;

impl Policy for ReadOnly {
    type Settings = NoSettings;

    fn set_up(_: &mut Setup<NoSettings>) -> Self {
        ReadOnly
    }

    fn decide(&self, request: &Request) -> Verdict {
        if request.only_reads() {
            Verdict::abstain()
        } else {
            Verdict::deny(format!("{} is not reading", request.operation_name()))
        }
    }
}

dockgate_plugin::export!(ReadOnly);
dockgate_plugin::manifest_test!(ReadOnly);
dockgate_plugin::requests_test!(ReadOnly);

#[cfg(test)]
mod tests {
    use dockgate_plugin::Operation;

    use super::*;

    #[test]
    fn reading_is_left_to_others() {
        ReadOnly.decide(&Request::of(Operation::ContainerList)).assert_abstained();
    }

    #[test]
    fn stopping_is_refused() {
        let stop = Request::to(Operation::ContainerStop, "web");
        ReadOnly.decide(&stop).assert_denied_with("container-stop is not reading");
    }
}
