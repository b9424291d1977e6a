//! Look-up, TCP and TLS: what is done before the first audio.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::ServerName;

use super::happy_eyeballs::{connect_any, order};
use super::proxy::{Proxy, ProxyError};
use super::resolve::resolve;
use super::tls::{self, TrustError};
use super::transport::Transport;
use crate::client::config::Config;
use crate::protocol::failure::Retry;

/// The network could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The host has no address.
    #[error("can't resolve \"{host}\": {source}")]
    Resolve {
        /// The host in `uri`.
        host: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// No address of the host takes a connection.
    #[error("can't connect to {address}: {source}")]
    Connect {
        /// The last address that was tried.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The certificate does not verify. Trying again would not help.
    #[error("the certificate of \"{host}\" is not trusted: {source}")]
    Certificate {
        /// The host in `uri`.
        host: String,
        /// What the verifier says.
        source: rustls::Error,
    },
    /// The certificate is an authority's, as self-signed ones often are, and is not named as
    /// trusted.
    #[error(
        "the certificate of \"{host}\" is an authority's own (CA:TRUE), \
         and SSL_CERT_FILE does not name it"
    )]
    AuthorityCertificate {
        /// The host in `uri`.
        host: String,
    },
    /// What answers speaks no TLS, or none that this side does. Trying again would not help, unless
    /// there was no answer at all.
    #[error("\"{host}\" speaks no TLS at this port, or none that is safe: {source}")]
    TlsProtocol {
        /// The host in `uri`.
        host: String,
        /// The TLS library's text, or that the peer sent nothing.
        source: io::Error,
    },
    /// The TLS handshake failed otherwise.
    #[error("TLS with \"{host}\" failed: {source}")]
    Tls {
        /// The host in `uri`.
        host: String,
        /// What the library or the system says.
        source: io::Error,
        /// Whether no handshake with this host has succeeded before.
        is_first: bool,
    },
    /// The host in `uri` can't be a server's name.
    #[error("\"{host}\" can't be verified: it is not a server's name")]
    ServerName {
        /// The host in `uri`.
        host: String,
    },
    /// There is nothing to verify a certificate with.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// There is no way through the proxy.
    #[error("the proxy {proxy} {source}")]
    Proxy {
        /// Its scheme, host and port.
        proxy: String,
        /// Why.
        source: ProxyError,
    },
    /// It took longer than `connect-timeout`.
    #[error("no connection to {host}:{port} within {after:?}")]
    TimedOut {
        /// The host in `uri`.
        host: String,
        /// The port in `uri`.
        port: u16,
        /// The property `connect-timeout`.
        after: Duration,
    },
}

impl DialError {
    /// Returns what the error means where no handshake with the host has succeeded before. No
    /// answer most likely means a port that speaks no TLS then; a few more tries tell.
    pub(super) fn at_first(self) -> Self {
        match self {
            DialError::Tls { host, source, .. } if is_no_answer(&source) => {
                DialError::TlsProtocol { host, source }
            }
            DialError::Tls { host, source, .. } => DialError::Tls {
                host,
                source,
                is_first: true,
            },
            other => other,
        }
    }

    /// Whether, and how patiently, to try again.
    pub fn retry(&self) -> Retry {
        match self {
            DialError::Proxy { source, .. } => source.retry(),
            // A port that speaks no TLS may reset the connection, or a server that restarts.
            DialError::Tls { is_first: true, .. } => Retry::Limited,
            // So may a server or a network that is not quite there.
            DialError::TlsProtocol { source, .. } if is_no_answer(source) => Retry::Limited,
            DialError::Resolve { .. }
            | DialError::Connect { .. }
            | DialError::TimedOut { .. }
            | DialError::Tls { .. } => Retry::Soon,
            DialError::Certificate { .. }
            | DialError::AuthorityCertificate { .. }
            | DialError::TlsProtocol { .. }
            | DialError::ServerName { .. }
            | DialError::Trust(_) => Retry::Never,
        }
    }
}

/// Returns whether the peer was silent, or closed, instead of answering a handshake.
fn is_no_answer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::UnexpectedEof
    )
}

/// How far a dial has come: a time-out is another error in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Look-up and TCP, to the service or to the proxy; TLS with the proxy.
    Reach,
    /// The proxy's answer.
    Tunnel,
    /// TLS with the service.
    Tls,
}

/// One attempt to connect to the service, within `connect-timeout`.
pub(super) struct Dial {
    attempt: Pin<Box<dyn Future<Output = Result<Transport, DialError>> + Send>>,
    stage: watch::Receiver<Stage>,
    until: Instant,
    config: Arc<Config>,
}

impl Dial {
    /// Begins. `first`: the address to try first, if the host still has it.
    pub fn new(config: Arc<Config>, first: Option<SocketAddr>) -> Self {
        let (sender, stage) = watch::channel(Stage::Reach);
        let attempt = {
            let config = config.clone();
            Box::pin(async move { dial(&config, first, &sender).await })
        };
        Dial {
            attempt,
            stage,
            until: Instant::now() + config.limits.connect,
            config,
        }
    }

    /// Waits for its end. Can be dropped and called again before that.
    pub async fn wait(&mut self) -> Result<Transport, DialError> {
        match timeout_at(self.until, &mut self.attempt).await {
            Ok(result) => result,
            Err(_) => Err(self.timed_out()),
        }
    }

    /// Returns the error of a dial that took too long, by how far it has come.
    pub fn timed_out(&self) -> DialError {
        let Config {
            endpoint, limits, ..
        } = &*self.config;
        let after = limits.connect;
        let unreached = |host: &str, port| DialError::TimedOut {
            host: host.to_owned(),
            port,
            after,
        };
        match (*self.stage.borrow(), &self.config.proxy) {
            (Stage::Reach, Some(proxy)) => {
                let source = unreached(&proxy.host, proxy.port);
                at_proxy(proxy, ProxyError::Unreachable(Box::new(source)))
            }
            (Stage::Reach, None) => unreached(&endpoint.host, endpoint.port),
            (Stage::Tunnel, Some(proxy)) => at_proxy(proxy, ProxyError::NoAnswer(after)),
            // It was reached: looking for a firewall would lead astray.
            (Stage::Tunnel | Stage::Tls, _) => DialError::Tls {
                host: endpoint.host.clone(),
                source: io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("no answer to its handshake within {after:?}"),
                ),
                is_first: false,
            },
        }
    }
}

fn at_proxy(proxy: &Proxy, source: ProxyError) -> DialError {
    let proxy = proxy.to_string();
    DialError::Proxy { proxy, source }
}

async fn dial(
    config: &Config,
    first: Option<SocketAddr>,
    stage: &watch::Sender<Stage>,
) -> Result<Transport, DialError> {
    let Config {
        endpoint, proxy, ..
    } = config;
    let transport = match proxy {
        None => reach(&endpoint.host, endpoint.port, first).await?,
        Some(proxy) => {
            let reached = reach_proxy(proxy, first).await;
            let mut transport = reached
                .map_err(|error| at_proxy(proxy, ProxyError::Unreachable(Box::new(error))))?;
            stage.send_replace(Stage::Tunnel);
            let opened = proxy.open_tunnel(&mut transport, endpoint).await;
            opened.map_err(|error| at_proxy(proxy, error))?;
            transport
        }
    };
    if !endpoint.tls {
        return Ok(transport);
    }
    stage.send_replace(Stage::Tls);
    encrypt(&endpoint.host, transport).await
}

async fn reach_proxy(proxy: &Proxy, first: Option<SocketAddr>) -> Result<Transport, DialError> {
    let transport = reach(&proxy.host, proxy.port, first).await?;
    if proxy.is_encrypted() {
        return encrypt(&proxy.host, transport).await;
    }
    Ok(transport)
}

async fn reach(host: &str, port: u16, first: Option<SocketAddr>) -> Result<Transport, DialError> {
    let unresolved = |source| DialError::Resolve {
        host: host.to_owned(),
        source,
    };
    let addresses = resolve(host, port).await.map_err(unresolved)?;
    let connected = connect_any(order(&addresses, first), TcpStream::connect);
    match connected.await {
        Ok(tcp) => Ok(Transport::new(tcp)),
        Err(Some((address, source))) => Err(DialError::Connect { address, source }),
        Err(None) => Err(unresolved(io::ErrorKind::NotFound.into())),
    }
}

async fn encrypt(host: &str, transport: Transport) -> Result<Transport, DialError> {
    let host = || host.to_owned();
    let name = ServerName::try_from(host()).map_err(|_| DialError::ServerName { host: host() })?;
    let config = tokio::task::spawn_blocking(tls::client_config)
        .await
        .unwrap_or_else(|error| Err(TrustError::Library(error.to_string())))?;
    match TlsConnector::from(config).connect(name, transport).await {
        Ok(stream) => Ok(Transport::Tls(Box::new(stream))),
        Err(source) => Err(tls_error(host(), source)),
    }
}

/// Tells what another try can't mend from what it may: the library hides both in an I/O error.
fn tls_error(host: String, error: io::Error) -> DialError {
    use rustls::Error as Tls;
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Tls>());
    match inner.cloned() {
        Some(source) if tls::is_authority(&source) => DialError::AuthorityCertificate { host },
        Some(source @ (Tls::InvalidCertificate(_) | Tls::NoCertificatesPresented)) => {
            DialError::Certificate { host, source }
        }
        Some(
            Tls::InvalidMessage(_)
            | Tls::InappropriateMessage { .. }
            | Tls::InappropriateHandshakeMessage { .. }
            | Tls::PeerIncompatible(_)
            | Tls::PeerMisbehaved(_),
        ) => DialError::TlsProtocol {
            host,
            source: error,
        },
        _ => DialError::Tls {
            host,
            source: error,
            is_first: false,
        },
    }
}
