//! TLS, with certificates good and bad.

mod client;

use client::*;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore, crypto,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};
use volcasr_loopback::{
    Options, Service,
    tls::{Authority, Identity},
};

/// Opens a session as a client that trusts `authority`.
async fn connect(
    authority: &Authority,
    identity: Identity,
    host: &'static str,
) -> Result<(), String> {
    let service = Service::start(Options {
        tls: Some(identity),
        ..Options::default()
    })
    .unwrap();
    assert!(service.uri().starts_with("wss://127.0.0.1:"));
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(("127.0.0.1", service.port()))
        .await
        .unwrap();
    let name = ServerName::try_from(host).unwrap();
    let tls = TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
        .map_err(|e| e.to_string())?;
    let (_ws, response) = tokio_tungstenite::client_async(upgrade(&service.uri()), tls)
        .await
        .map_err(|e| e.to_string())?;
    assert_eq!(response.status(), 101);
    Ok(())
}

#[tokio::test]
async fn only_the_good_certificate_is_good() {
    let authority = Authority::new().unwrap();
    for host in ["127.0.0.1", "localhost"] {
        connect(&authority, authority.good().unwrap(), host)
            .await
            .unwrap();
    }
    for (identity, part) in [
        (authority.expired().unwrap(), "expired"),
        (authority.wrong_host().unwrap(), "not valid for name"),
        (Identity::self_signed().unwrap(), "UnknownIssuer"),
        (Authority::new().unwrap().good().unwrap(), "certificate"),
    ] {
        let error = connect(&authority, identity, "localhost")
            .await
            .unwrap_err();
        assert!(error.contains(part), "{error} should say {part}");
    }
}

#[test]
fn what_is_no_certificate_is_refused_at_the_start() {
    let identity = Identity {
        chain_pem: "no".into(),
        key_pem: "no".into(),
    };
    assert!(
        Service::start(Options {
            tls: Some(identity),
            ..Options::default()
        })
        .is_err()
    );
}
