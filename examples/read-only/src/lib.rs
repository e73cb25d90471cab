//! Clients may look, and change nothing.

use dockgate_plugin::{NoSettings, Policy, Request, Setup, Verdict};

pub struct ReadOnly;

impl Policy for ReadOnly {
    type Settings = NoSettings;

    fn set_up(_: &mut Setup<NoSettings>) -> Self {
        ReadOnly
    }

    fn decide(&self, request: &Request) -> Verdict {
        match (request.method(), request.operation()) {
            // It begins as a GET, and then takes input.
            ("GET", "container-attach-websocket") => Verdict::deny("attaching is not reading"),
            ("GET" | "HEAD", _) => Verdict::abstain(),
            (_, operation) => Verdict::deny(format!("{operation} is not reading")),
        }
    }
}

dockgate_plugin::export!(ReadOnly);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_left_to_others() {
        let list = Request::new("GET", "/containers/json").with_operation("container-list");
        assert_eq!(ReadOnly.decide(&list), Verdict::abstain());
    }

    #[test]
    fn stopping_is_refused() {
        let stop = Request::new("POST", "/containers/web/stop").with_operation("container-stop");
        assert_eq!(ReadOnly.decide(&stop), Verdict::deny("container-stop is not reading"));
    }
}
