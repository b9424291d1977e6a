//! TLS by rustls with ring, trusting the system's certificates.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name other certificates to trust, as everywhere.

use std::sync::{Arc, Mutex};

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};

use crate::sync::lock;

/// Failure to set up TLS.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TrustError {
    /// No trusted certificates were found.
    #[error(
        "no trusted certificates found: install ca-certificates, or name a file in SSL_CERT_FILE{0}"
    )]
    Empty(String),
    /// The TLS library refuses its own defaults.
    #[error("TLS can't be set up: {0}")]
    Library(String),
}

type Source = [Option<std::ffi::OsString>; 2];

/// Returns the configuration for all connections. It is cached as long as the environment names the
/// same files.
///
/// Blocks on files, so it must not be called on a worker of the runtime.
pub(super) fn client_config() -> Result<Arc<ClientConfig>, TrustError> {
    static CACHED: Mutex<Option<(Source, Arc<ClientConfig>)>> = Mutex::new(None);
    let source = [
        std::env::var_os("SSL_CERT_FILE"),
        std::env::var_os("SSL_CERT_DIR"),
    ];
    let mut cached = lock(&CACHED);
    if let Some((from, config)) = cached.as_ref()
        && *from == source
    {
        return Ok(config.clone());
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs.iter().cloned());
    if added == 0 {
        let why = found.errors.first().map(|error| format!(" ({error})"));
        return Err(TrustError::Empty(why.unwrap_or_default()));
    }
    // The system trusts authorities only; a server's own certificate is named by the user.
    let named_by_user = source.iter().any(Option::is_some);
    let pinned = match named_by_user {
        true => found.certs,
        false => Vec::new(),
    };
    let config = Arc::new(build(roots, pinned)?);
    *cached = Some((source, config.clone()));
    Ok(config)
}

fn build(
    roots: RootCertStore,
    pinned: Vec<CertificateDer<'static>>,
) -> Result<ClientConfig, TrustError> {
    let library = |error: &dyn std::fmt::Display| TrustError::Library(error.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chains = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .map_err(|error| library(&error))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| library(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { chains, pinned }))
        .with_no_client_auth();
    Ok(config)
}

/// Verifies chains as rustls does, and accepts a server's own certificate that a user named.
#[derive(Debug)]
struct Verifier {
    chains: Arc<WebPkiServerVerifier>,
    /// Certificates of servers, compared byte for byte.
    pinned: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.chains.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // `openssl req -x509` makes authorities (CA:TRUE), which webpki accepts from no server,
            // trusted or not. It has checked the dates by then, but not the name.
            Err(error) if is_authority(&error) && self.pinned.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Whether a server was refused because its certificate is an authority's (CA:TRUE).
pub(super) fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    matches!(
        other.0.downcast_ref(),
        Some(webpki::Error::CaUsedAsEndEntity)
    )
}
