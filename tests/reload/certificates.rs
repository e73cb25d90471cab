//! Clients that are known by their certificates.

use rustls::ClientConfig;
use std::sync::Arc;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::{
    authority::{self, Authority, Issued},
    running::{Folder, Running, daemon_called},
    scene::{Daemon, get},
    tls_client::{TlsClient, trusting},
};

const LIST: &str = "/containers/json";

#[test]
fn a_certificate_picks_the_chain_by_subject_name_and_pin() {
    for clients in ["required", "optional"] {
        let scene = Scene::new(clients);
        let named = {
            let mut params = CertificateParams::new(vec!["robot.example.com".to_owned()]).unwrap();
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            scene.clients.issue(&params)
        };
        for (shown, chain) in [
            (&scene.clients.client("ci-7"), "subject"),
            (&named, "name"),
            (&scene.pinned, "pin"),
            (&scene.clients.client("other"), "any"),
        ] {
            assert_eq!(scene.chain(Some(shown)).as_deref(), Ok(chain));
        }
    }
}

#[test]
fn who_shows_none_is_nobody_or_gets_no_connection() {
    assert_eq!(Scene::new("optional").chain(None).as_deref(), Ok("nobody"));
    let scene = Scene::new("required");
    assert!(scene.chain(None).is_err());
    scene.running.proxy.log().wait_for_text("the client shows no certificate");
}

#[test]
fn a_foreign_or_an_expired_certificate_gets_no_connection_and_the_log_says_why() {
    for clients in ["required", "optional"] {
        let scene = Scene::new(clients);
        let expired = {
            let mut params = authority::client("ci-7");
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
            scene.clients.issue(&params)
        };
        let foreign = Authority::new("others").client("ci-7");
        for (shown, why) in [(&foreign, "UnknownIssuer"), (&expired, "certificate expired: ")] {
            scene.running.skip_log();
            assert!(scene.chain(Some(shown)).is_err());
            scene.running.logs(&format!("the client's certificate is refused: {why}"));
        }
        assert!(scene.daemon.received().is_empty());
        let records = scene.running.proxy.log().records();
        assert!(records.is_empty(), "it is no request: {records:?}");
    }
}

#[test]
fn certificates_are_renewed_under_open_connections() {
    let scene = Scene::new("optional");
    let ci = scene.clients.client("ci-7");
    let mut open = scene.connect(Some(&ci)).unwrap();
    let old = open.shown();
    assert_eq!(chain(&mut open).as_deref(), Ok("subject"));
    let (listeners, clients) = (Authority::new("new"), Authority::new("new clients"));
    let new = listeners.server(&["localhost"]);
    new.write(scene.running.folder.folder(), &clients);
    scene.running.reads_what_is_there();
    scene.running.logs(crate::running::TAKEN);
    assert_eq!(chain(&mut open).as_deref(), Ok("subject"), "what is open goes on");

    assert!(scene.connect(None).is_err(), "trusts the old one alone");
    let address = scene.running.proxy.address();
    let ours = clients.client("ci-8");
    let mut fresh = TlsClient::connect(address, &trusting(&listeners, Some(&ours))).unwrap();
    assert_eq!(fresh.shown(), new.der);
    assert_ne!(fresh.shown(), old);
    assert_eq!(chain(&mut fresh).as_deref(), Ok("subject"));
    let old_client = TlsClient::connect(address, &trusting(&listeners, Some(&ci)));
    let refused = old_client.map_err(|error| error.to_string()).and_then(|mut it| chain(&mut it));
    assert!(refused.is_err(), "of an authority that is trusted no more");
}

#[test]
fn a_listener_takes_up_tls_and_its_plain_connections_go_on() {
    let scene = Scene::new("optional");
    let folder = Folder::new();
    let plain = scene.configuration.replace(&scene.tls, "");
    assert_ne!(plain, scene.configuration);
    for file in ["ca.pem", "cert.pem", "key.pem"] {
        std::fs::copy(scene.running.folder.path(file), folder.path(file)).unwrap();
    }
    let running = folder.start(&plain);
    let mut open = running.proxy.client();
    assert_eq!(open.ask(get(LIST)).status(), 403);
    running.takes(&scene.configuration);
    assert_eq!(open.ask(get(LIST)).status(), 403);
    let config = trusting(&scene.listeners, None);
    let mut secure = TlsClient::connect(running.proxy.address(), &config).unwrap();
    assert_eq!(chain(&mut secure).as_deref(), Ok("nobody"));
}

/// A proxy whose chains are named after what picks them. None has a plugin, so that each refusal
/// names its chain.
struct Scene {
    running: Running,
    configuration: String,
    /// What is TLS in it.
    tls: String,
    listeners: Authority,
    clients: Authority,
    pinned: Issued,
    daemon: Daemon,
}

impl Scene {
    fn new(mode: &str) -> Self {
        let folder = Folder::new();
        let (listeners, clients) = (Authority::new("listeners"), Authority::new("clients"));
        listeners.server(&["localhost"]).write(folder.folder(), &clients);
        let (pinned, daemon) = (clients.client("pinned"), daemon_called("a"));
        let tls = format!(
            ", tls: {{certificate: cert.pem, key: key.pem, client-ca: ca.pem, clients: {mode}}}"
        );
        let configuration = format!(
            "upstream: {{address: \"unix://{}\"}}
listeners: {{main: {{address: \"127.0.0.1:0\"{tls}}}}}
chains:
  - {{name: subject, clients: [{{certificate: {{subject: \"CN=ci-*,O=Example\"}}}}], plugins: []}}
  - {{name: name, clients: [{{certificate: {{name: robot.example.com}}}}], plugins: []}}
  - {{name: pin, clients: [{{certificate: {{pin: \"{}\"}}}}], plugins: []}}
  - {{name: any, clients: [{{certificate: {{}}}}], plugins: []}}
  - {{name: nobody, plugins: []}}
",
            daemon.socket().display(),
            pin(&pinned)
        );
        let running = folder.start(&configuration);
        Self { running, configuration, tls, listeners, clients, pinned, daemon }
    }

    fn connect(&self, shown: Option<&Issued>) -> std::io::Result<TlsClient> {
        let config: Arc<ClientConfig> = trusting(&self.listeners, shown);
        TlsClient::connect(self.running.proxy.address(), &config)
    }

    /// The chain that decides about this client.
    fn chain(&self, shown: Option<&Issued>) -> Result<String, String> {
        chain(&mut self.connect(shown).map_err(|error| error.to_string())?)
    }
}

fn chain(client: &mut TlsClient) -> Result<String, String> {
    let words = client.ask(&get(LIST)).map_err(|error| error.to_string())?.words();
    let chain = words.split('"').nth(1).unwrap_or_else(|| panic!("no chain in {words}"));
    Ok(chain.to_owned())
}

fn pin(issued: &Issued) -> String {
    let (_, certificate) = X509Certificate::from_der(&issued.der).unwrap();
    let digest = Sha256::digest(certificate.public_key().raw);
    format!("{:x}", bytes::Bytes::copy_from_slice(&digest))
}
