//! Look-up, TCP and TLS: what is done before the first audio.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::ServerName;

use super::config::Config;
use super::endpoint::Endpoint;
use super::happy_eyeballs::{connect_any, order};
use super::resolve::resolve;
use super::tls::{self, TrustError};
use crate::protocol::failure::Retry;

/// A peer that takes no byte for so long is gone.
///
/// TCP itself would go on trying for a quarter of an hour, while the kernel's buffer hides it.
pub(super) const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

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
    /// The certificate is an authority's, as self-signed ones often are, and is not named as trusted.
    #[error(
        "the certificate of \"{host}\" is an authority's own (CA:TRUE), and SSL_CERT_FILE does not name it"
    )]
    AuthorityCertificate {
        /// The host in `uri`.
        host: String,
    },
    /// What answers speaks no TLS, or none that this side does. Trying again would not help.
    #[error("\"{host}\" speaks no TLS at this port, or none that is safe: {source}")]
    NoTls {
        /// The host in `uri`.
        host: String,
        /// What the library says, or that nothing came.
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
    /// Returns what the error means where no handshake with the host has succeeded before: silence is no network
    /// that fails, but most likely a port that speaks no TLS.
    pub(super) fn at_first(self) -> Self {
        match self {
            DialError::Tls { host, source, .. } if source.kind() == io::ErrorKind::TimedOut => {
                DialError::NoTls { host, source }
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
            // A port that speaks no TLS may close, or a server that restarts.
            DialError::Tls { is_first: true, .. } => Retry::Limited,
            DialError::Resolve { .. }
            | DialError::Connect { .. }
            | DialError::TimedOut { .. }
            | DialError::Tls { .. } => Retry::Soon,
            DialError::Certificate { .. }
            | DialError::AuthorityCertificate { .. }
            | DialError::NoTls { .. }
            | DialError::ServerName { .. }
            | DialError::Trust(_) => Retry::Never,
        }
    }
}

/// A connection to the host, encrypted if the URI says so.
#[derive(Debug)]
pub enum Transport {
    /// `ws://`
    Plain(TcpStream),
    /// `wss://`
    Tls(Box<TlsStream<TcpStream>>),
}

/// How far a dial has come: a time-out is another error in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Look-up and TCP.
    Reach,
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
            Box::pin(async move { dial(&config.endpoint, first, &sender).await })
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
        let host = endpoint.host.clone();
        match *self.stage.borrow() {
            Stage::Reach => DialError::TimedOut {
                host,
                port: endpoint.port,
                after,
            },
            // It was reached: looking for a firewall would lead astray.
            Stage::Tls => DialError::Tls {
                host,
                source: io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("no answer to its handshake within {after:?}"),
                ),
                is_first: false,
            },
        }
    }
}

async fn dial(
    endpoint: &Endpoint,
    first: Option<SocketAddr>,
    stage: &watch::Sender<Stage>,
) -> Result<Transport, DialError> {
    let tcp = reach(endpoint, first).await?;
    if !endpoint.tls {
        return Ok(Transport::Plain(tcp));
    }
    stage.send_replace(Stage::Tls);
    encrypt(endpoint, tcp).await
}

async fn reach(endpoint: &Endpoint, first: Option<SocketAddr>) -> Result<TcpStream, DialError> {
    let Endpoint { host, port, .. } = endpoint;
    let unresolved = |source| DialError::Resolve {
        host: host.clone(),
        source,
    };
    let addresses = resolve(host, *port).await.map_err(unresolved)?;
    let connected = connect_any(order(&addresses, first), TcpStream::connect);
    match connected.await {
        Ok(tcp) => {
            // Failing to set an option costs latency, not the connection.
            let _ = tcp.set_nodelay(true);
            expect_reading(&tcp, true);
            Ok(tcp)
        }
        Err(Some((address, source))) => Err(DialError::Connect { address, source }),
        Err(None) => Err(unresolved(io::ErrorKind::NotFound.into())),
    }
}

async fn encrypt(endpoint: &Endpoint, tcp: TcpStream) -> Result<Transport, DialError> {
    let host = || endpoint.host.clone();
    let name = ServerName::try_from(host()).map_err(|_| DialError::ServerName { host: host() })?;
    let config = tokio::task::spawn_blocking(tls::client_config)
        .await
        .unwrap_or_else(|error| Err(TrustError::Library(error.to_string())))?;
    match TlsConnector::from(config).connect(name, tcp).await {
        Ok(stream) => Ok(Transport::Tls(Box::new(stream))),
        Err(source) => Err(tls_error(host(), source)),
    }
}

/// Whether a peer that takes nothing is taken for gone.
fn expect_reading(tcp: &TcpStream, expected: bool) {
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(tcp).set_tcp_user_timeout(expected.then_some(UNACKNOWLEDGED));
    #[cfg(not(target_os = "linux"))]
    let _ = (tcp, expected);
}

impl Transport {
    /// The address that was connected to.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        let tcp = match self {
            Transport::Plain(tcp) => tcp,
            Transport::Tls(tls) => tls.get_ref().0,
        };
        tcp.peer_addr().ok()
    }

    /// Whether the peer has to take what it is sent: not while it may be waiting for us to read.
    pub(super) fn expect_reading(&self, expected: bool) {
        match self {
            Transport::Plain(tcp) => expect_reading(tcp, expected),
            Transport::Tls(tls) => expect_reading(tls.get_ref().0, expected),
        }
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
        ) => DialError::NoTls {
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

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Transport::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Transport::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Whoever is not listened to may have reason to take nothing.
    #[tokio::test]
    async fn the_kernel_s_patience_with_a_peer_can_be_had_back() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let config = Config::for_test(listener.local_addr().expect("bound"));
        let dialled = Dial::new(Arc::new(config), None).wait().await;
        let transport = dialled.expect("it listens");
        let limit = || match &transport {
            Transport::Plain(tcp) => socket2::SockRef::from(tcp)
                .tcp_user_timeout()
                .expect("an option"),
            Transport::Tls(_) => unreachable!(),
        };
        assert_eq!(limit(), Some(UNACKNOWLEDGED));
        transport.expect_reading(false);
        assert_eq!(limit(), None);
        transport.expect_reading(true);
        assert_eq!(limit(), Some(UNACKNOWLEDGED));
    }
}
