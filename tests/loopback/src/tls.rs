//! Certificates for tests: a root of one's own, and what may be wrong with those below it.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use std::{fmt, io, sync::Arc};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig, crypto,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// A certificate chain and its key, as PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate first.
    pub chain_pem: String,
    /// PKCS #8.
    pub key_pem: String,
}

impl fmt::Debug for Identity {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    /// A self-signed one, for `localhost` and 127.0.0.1.
    ///
    /// # Errors
    /// The key can't be made.
    pub fn self_signed() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = params(&["localhost", "127.0.0.1"])?.self_signed(&key)?;
        Ok(Self {
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// One that has signed itself and is marked as an authority (CA:TRUE), as `openssl req -x509`
    /// makes it, for `names` and until the year `until`.
    ///
    /// # Errors
    /// The key can't be made.
    pub fn self_signed_authority(names: &[&str], until: i32) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = params(names)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        Ok(Self {
            chain_pem: params.self_signed(&key)?.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// Makes the acceptor of TLS connections with this identity.
    ///
    /// # Errors
    /// The PEM does not hold a chain and its key.
    pub fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let invalid =
            |e: &dyn fmt::Display| io::Error::new(io::ErrorKind::InvalidInput, e.to_string());
        let chain = CertificateDer::pem_slice_iter(self.chain_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>();
        let key =
            PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).map_err(|e| invalid(&e))?;
        let config =
            ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .and_then(|c| {
                    c.with_no_client_auth()
                        .with_single_cert(chain.map_err(|_| rustls_error())?, key)
                })
                .map_err(|e| invalid(&e))?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn rustls_error() -> tokio_rustls::rustls::Error {
    tokio_rustls::rustls::Error::General("the chain is no PEM".into())
}

/// A certificate authority of one's own. Trust it by `SSL_CERT_FILE` with [`pem`](Self::pem) in it.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// The key can't be made.
    pub fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .distinguished_name
            .push(DnType::CommonName, "loopback test root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self {
            issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)?,
        })
    }

    /// Its certificate.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A good certificate for `localhost` and 127.0.0.1.
    ///
    /// # Errors
    /// The key can't be made.
    pub fn good(&self) -> Result<Identity, rcgen::Error> {
        self.sign(params(&["localhost", "127.0.0.1"])?)
    }

    /// One that ran out in 2021.
    ///
    /// # Errors
    /// The key can't be made.
    pub fn expired(&self) -> Result<Identity, rcgen::Error> {
        let mut params = params(&["localhost", "127.0.0.1"])?;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        self.sign(params)
    }

    /// One for another host.
    ///
    /// # Errors
    /// The key can't be made.
    pub fn wrong_host(&self) -> Result<Identity, rcgen::Error> {
        self.sign(params(&["elsewhere.invalid"])?)
    }

    fn sign(&self, params: CertificateParams) -> Result<Identity, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity {
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

fn params(names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())
}
