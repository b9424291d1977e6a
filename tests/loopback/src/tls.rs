//! Certificates for tests: a root of one's own, and what may be wrong with those below it. Nothing
//! but the making of a key can fail.

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

/// The names of this machine.
const LOCAL: &[&str] = &["localhost", "127.0.0.1"];

/// The year in which certificates run out that no test wants to.
const LATER: i32 = 2100;

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
    pub fn self_signed() -> Result<Self, rcgen::Error> {
        Self::of(&params(LOCAL, LATER)?, None)
    }

    /// One that has signed itself and is marked as an authority (CA:TRUE), as `openssl req -x509`
    /// makes it, for `names` and until the year `until`.
    pub fn self_signed_authority(names: &[&str], until: i32) -> Result<Self, rcgen::Error> {
        let mut params = params(names, until)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self::of(&params, None)
    }

    fn of(params: &CertificateParams, issuer: Option<&Issuer>) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = match issuer {
            Some(issuer) => params.signed_by(&key, issuer)?,
            None => params.self_signed(&key)?,
        };
        Ok(Self {
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// Makes the acceptor of TLS connections with this identity.
    ///
    /// # Errors
    /// The PEM does not hold a chain and its key.
    pub fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let chain = CertificateDer::pem_slice_iter(self.chain_pem.as_bytes());
        let chain = chain.collect::<Result<Vec<_>, _>>().map_err(invalid)?;
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).map_err(invalid)?;
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
            .map_err(invalid)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn invalid(error: impl fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error.to_string())
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A certificate authority of one's own. Trust it by `SSL_CERT_FILE` with [`pem`](Self::pem) in it.
pub struct Authority {
    issuer: Issuer,
}

impl Authority {
    /// A new one.
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
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A good certificate for `localhost` and 127.0.0.1.
    pub fn good(&self) -> Result<Identity, rcgen::Error> {
        Identity::of(&params(LOCAL, LATER)?, Some(&self.issuer))
    }

    /// One that ran out in 2021.
    pub fn expired(&self) -> Result<Identity, rcgen::Error> {
        Identity::of(&params(LOCAL, 2021)?, Some(&self.issuer))
    }

    /// One for another host.
    pub fn wrong_host(&self) -> Result<Identity, rcgen::Error> {
        Identity::of(&params(&["elsewhere.invalid"], LATER)?, Some(&self.issuer))
    }
}

/// Parameters of a certificate for these names, until this year.
fn params(names: &[&str], until: i32) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names)?;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    Ok(params)
}
