//! Certificates for tests: a private root, and valid and invalid certificates below it. Only the
//! generation of a key can fail.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use std::sync::Arc;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto, pki_types::PrivateKeyDer},
};

/// The names of this machine.
const LOCAL: &[&str] = &["localhost", "127.0.0.1"];

/// The year in which certificates run out that no test wants to.
const LATER: i32 = 2100;

type Issuer = CertifiedIssuer<'static, KeyPair>;
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub chain_pem: String,
    config: Arc<ServerConfig>,
}

impl Identity {
    /// A self-signed one, for `localhost` and 127.0.0.1.
    pub fn self_signed() -> Result<Self> {
        Self::of(&params(LOCAL, LATER)?, None)
    }

    /// One that has signed itself and is marked as an authority (CA:TRUE), as `openssl req -x509`
    /// makes it, for `names` and until the year `until`.
    pub fn self_signed_authority(names: &[&str], until: i32) -> Result<Self> {
        let mut params = params(names, until)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self::of(&params, None)
    }

    fn of(params: &CertificateParams, issuer: Option<&Issuer>) -> Result<Self> {
        let key = KeyPair::generate()?;
        let certificate = match issuer {
            Some(issuer) => params.signed_by(&key, issuer)?,
            None => params.self_signed(&key)?,
        };
        let chain = vec![certificate.der().clone()];
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der())?)?;
        Ok(Self {
            chain_pem: certificate.pem(),
            config: Arc::new(config),
        })
    }

    /// Makes the acceptor of TLS connections with this identity.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.config.clone().into()
    }
}

/// A certificate authority of one's own. Trust it by `SSL_CERT_FILE` with [`pem`](Self::pem) in it.
pub struct Authority {
    issuer: Issuer,
}

impl Authority {
    /// A new one.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "loopback test root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// Its certificate.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A good certificate for `localhost` and 127.0.0.1.
    pub fn good(&self) -> Result<Identity> {
        Identity::of(&params(LOCAL, LATER)?, Some(&self.issuer))
    }

    /// One that ran out in 2021.
    pub fn expired(&self) -> Result<Identity> {
        Identity::of(&params(LOCAL, 2021)?, Some(&self.issuer))
    }

    /// One for another host.
    pub fn wrong_host(&self) -> Result<Identity> {
        Identity::of(&params(&["elsewhere.invalid"], LATER)?, Some(&self.issuer))
    }
}

/// Parameters of a certificate for these names, until this year.
fn params(names: &[&str], until: i32) -> Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names)?;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    Ok(params)
}
