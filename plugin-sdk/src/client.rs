use std::net::IpAddr;

use crate::host::Host;

/// Who sent a request, as far as the proxy knows by itself.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a>(pub(crate) &'a Host);

impl<'a> Client<'a> {
    /// Where the request came in: `tcp://[::]:2375`, `unix:///run/dockgate.sock`.
    pub fn listener(self) -> Option<String> {
        self.0.listener()
    }

    /// The address that it came from. None on a unix socket.
    pub fn address(self) -> Option<IpAddr> {
        self.0.address()?.parse().ok()
    }

    /// User and group of the process at the other end of a unix socket. None on TCP.
    pub fn unix_user(self) -> Option<(u32, u32)> {
        self.0.unix_user()
    }

    /// The number of that process. None on TCP, and where the process is in another container. It is
    /// no ground for a decision: when the process ends another one may get its number.
    pub fn unix_process(self) -> Option<u32> {
        self.0.unix_process()
    }

    /// The certificate that it proved to have, checked against the authorities of the listener.
    pub fn certificate(self) -> Option<Certificate<'a>> {
        let pin = self.0.certificate_pin()?;
        Some(Certificate { pin, host: self.0 })
    }

    /// The container that it runs in, as the proxy establishes it at the daemon. None as well where
    /// that can't be done, so none is no proof that it is not in one.
    pub fn container(self) -> Option<Container<'a>> {
        let id = self.0.container_id()?;
        Some(Container { id, host: self.0 })
    }
}

/// A client's certificate.
#[derive(Clone, Debug)]
pub struct Certificate<'a> {
    pin: String,
    host: &'a Host,
}

impl Certificate<'_> {
    /// The subject in the form of RFC 4514: `CN=ci,O=Example`. It may be empty.
    pub fn subject(&self) -> String {
        self.host.certificate_subject().unwrap_or_default()
    }

    /// The names in its subject alternative name: of hosts, addresses, e-mail addresses, URIs.
    pub fn names(&self) -> Vec<String> {
        self.host.certificate_names()
    }

    /// SHA-256 of its public key, in lower-case hexadecimal.
    pub fn pin(&self) -> &str {
        &self.pin
    }
}

/// The container that a client runs in.
///
/// Its name, its image and its labels are what whoever made it chose.
///
/// ```
/// use dockgate_plugin::{Operation, Request, Verdict, testing::Container};
///
/// fn decide(request: &Request) -> Verdict {
///     match request.client().container() {
///         Some(asks) if asks.label("team").as_deref() == Some("web") => Verdict::abstain(),
///         _ => Verdict::deny("only containers of the team web may do that"),
///     }
/// }
///
/// let restart = Request::to(Operation::ContainerRestart, "db");
/// decide(&restart).assert_denied_with("team web");
/// let ci = Container::named("ci").with_label("team", "web");
/// decide(&restart.with_container(ci)).assert_abstained();
/// ```
#[derive(Clone, Debug)]
pub struct Container<'a> {
    id: String,
    host: &'a Host,
}

impl Container<'_> {
    /// Its id, 64 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name: `shop-web-1`.
    pub fn name(&self) -> String {
        self.host.container_name().unwrap_or_default()
    }

    /// The image that it was made from, as whoever made it wrote it.
    pub fn image(&self) -> String {
        self.host.container_image().unwrap_or_default()
    }

    /// The value of one of its labels; case counts.
    pub fn label(&self, name: &str) -> Option<String> {
        self.host.container_label(name)
    }

    /// All its labels, in order of their names.
    pub fn labels(&self) -> Vec<(String, String)> {
        self.host.container_labels()
    }

    /// The compose project that it belongs to.
    pub fn project(&self) -> Option<String> {
        self.label("com.docker.compose.project")
    }

    /// The service of the compose project.
    pub fn service(&self) -> Option<String> {
        self.label("com.docker.compose.service")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use crate::{
        Operation, Request,
        testing::{Certificate, Container},
    };

    fn request() -> Request {
        Request::of(Operation::ContainerList)
    }

    #[test]
    fn nothing_is_known_of_a_client_unless_the_test_says_so() {
        let request = request();
        assert!(request.client().certificate().is_none());
        assert!(request.client().container().is_none());
        assert_eq!(request.client().unix_process(), None);
    }

    #[test]
    fn a_client_is_known_by_its_certificate() {
        let ci = Certificate::of("CN=ci,O=Example").with_name("ci.example").with_pin("4f66");
        let request = request().with_certificate(ci);
        let certificate = request.client().certificate().unwrap();
        assert_eq!(certificate.subject(), "CN=ci,O=Example");
        assert_eq!(certificate.names(), ["ci.example"]);
        assert_eq!(certificate.pin(), "4f66");
    }

    #[test]
    fn a_client_is_known_by_its_container() {
        let web = Container::named("shop-web-1")
            .with_id("4f66")
            .with_image("nginx")
            .with_label("team", "web")
            .in_service("shop", "web");
        let request = request().with_container(web);
        let container = request.client().container().unwrap();
        assert_eq!((container.id(), &*container.name()), ("4f66", "shop-web-1"));
        assert_eq!(container.image(), "nginx");
        assert_eq!(container.label("team").as_deref(), Some("web"));
        assert_eq!(container.label("Team"), None);
        assert_eq!(container.project().as_deref(), Some("shop"));
        assert_eq!(container.service().as_deref(), Some("web"));
        let names: Vec<_> = container.labels().into_iter().map(|(name, _)| name).collect();
        let compose = ["com.docker.compose.project", "com.docker.compose.service", "team"];
        assert_eq!(names, compose, "in order");
    }

    #[test]
    fn a_process_has_a_number() {
        let request = request().with_unix_user(1000, 1000).with_unix_process(7);
        assert_eq!(request.client().unix_user(), Some((1000, 1000)));
        assert_eq!(request.client().unix_process(), Some(7));
    }
}
