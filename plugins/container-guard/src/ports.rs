//! Ports of the host.

use crate::{
    case::{Case, Field, NEVER},
    settings::Ports,
};

/// What a container publishes.
pub(crate) fn check(case: &mut Case, host: &Field) {
    let Some(ports) = &case.settings.ports else { return };
    let all = host.get("PublishAllPorts");
    if case.flag(&all) && !ports.has_address("") {
        case.refuse(&all, "ports are published on some addresses alone", "ports");
    }
    for (_, bindings) in case.map(&host.get("PortBindings")) {
        for binding in case.list(&bindings) {
            check_address(case, ports, &binding.get("HostIp"));
            check_range(case, ports, &binding.get("HostPort"));
        }
    }
}

/// What a service publishes, on every address of every node.
pub(crate) fn check_service(case: &mut Case, list: &Field) {
    let Some(ports) = &case.settings.ports else { return };
    for port in case.list(list) {
        let published = port.get("PublishedPort");
        let number = case.integer(&published);
        if number != 0 && !ports.has_port(number) {
            case.refuse(&published, &ports.words(), "ports");
        }
        if !ports.has_address("") {
            case.refuse(&published, "ports are published on some addresses alone", "ports");
        }
    }
}

fn check_address(case: &mut Case, ports: &Ports, field: &Field) {
    let address = case.text(field);
    if !ports.has_address(address) {
        case.refuse(field, "ports are published on some addresses alone", "ports");
    }
}

/// `8080`, `8000-8010`, or nothing: the daemon chooses.
fn check_range(case: &mut Case, ports: &Ports, field: &Field) {
    let text = case.text(field);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    if matches!(text, "" | "0") {
        return;
    }
    match (first.parse::<i64>(), last.parse::<i64>()) {
        (Ok(first), Ok(last)) if ports.has_port(first) && ports.has_port(last) => {}
        (Ok(_), Ok(_)) => case.refuse(field, &ports.words(), "ports"),
        _ => case.refuse(field, "it is no port", NEVER),
    }
}

impl Ports {
    /// Nothing and the two zeros are all addresses.
    fn has_address(&self, address: &str) -> bool {
        let every = |address: &str| matches!(address, "" | "0.0.0.0" | "::" | "[::]");
        let known = |known: &String| known == address || every(known);
        self.addresses.is_empty() || self.addresses.iter().any(known)
    }

    fn has_port(&self, port: i64) -> bool {
        (i64::from(self.from)..=i64::from(self.to)).contains(&port)
    }

    fn words(&self) -> String {
        format!("ports are {} to {}", self.from, self.to)
    }
}
