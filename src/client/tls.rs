//! TLS by rustls with ring, trusting what the system trusts.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name other certificates to trust, as everywhere.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// The trust store could not be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TrustError {
    /// Nothing to trust was found.
    #[error(
        "no trusted certificates found: install ca-certificates, or name a file in SSL_CERT_FILE{0}"
    )]
    Empty(String),
    /// The TLS library refuses its own defaults.
    #[error("TLS can't be set up: {0}")]
    Library(String),
}

type Source = [Option<std::ffi::OsString>; 2];

/// The configuration for all connections, read anew only when the environment names other files.
///
/// Reads files: not for a worker of the runtime.
pub(super) fn client_config() -> Result<Arc<ClientConfig>, TrustError> {
    static CACHED: Mutex<Option<(Source, Arc<ClientConfig>)>> = Mutex::new(None);
    let source = [
        std::env::var_os("SSL_CERT_FILE"),
        std::env::var_os("SSL_CERT_DIR"),
    ];
    let mut cached = CACHED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((from, config)) = cached.as_ref()
        && *from == source
    {
        return Ok(config.clone());
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = found
            .errors
            .first()
            .map(|error| format!(" ({error})"))
            .unwrap_or_default();
        return Err(TrustError::Empty(why));
    }
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TrustError::Library(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
    let config = Arc::new(config);
    *cached = Some((source, config.clone()));
    Ok(config)
}
