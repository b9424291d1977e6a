//! One attempt to connect: look-up, TCP, proxy and TLS, within `connect-timeout`.

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

use super::dial_error::{DialError, ProxyError};
use super::happy_eyeballs::{connect_any, order};
use super::proxy::Proxy;
use super::resolve::resolve;
use super::tls::{self, TrustError};
use super::transport::{Transport, set_options};
use crate::client::config::Config;

/// A connection, and the address that TCP is connected to: the service's or the proxy's.
pub(in crate::client) type Connected = (Transport, Option<SocketAddr>);

/// Progress of an attempt, which decides what a timeout means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Look-up and TCP, to the service or to the proxy; TLS with the proxy.
    Connect,
    /// The proxy's answer.
    Tunnel,
    /// TLS with the service.
    Tls,
}

/// One attempt to connect to the service, within `connect-timeout`.
pub(in crate::client) struct Dial {
    attempt: Pin<Box<dyn Future<Output = Result<Connected, DialError>> + Send>>,
    stage: watch::Receiver<Stage>,
    began: Instant,
    config: Arc<Config>,
}

impl Dial {
    /// Starts an attempt. `first`: the address to try first, if the host still has it.
    pub fn new(config: Arc<Config>, first: Option<SocketAddr>) -> Self {
        let (sender, stage) = watch::channel(Stage::Connect);
        let attempt = {
            let config = config.clone();
            Box::pin(async move { dial(&config, first, &sender).await })
        };
        Dial {
            attempt,
            stage,
            began: Instant::now(),
            config,
        }
    }

    /// Waits for the result, at most until `until`, if a session is wanted by then.
    /// Cancellation-safe.
    pub async fn wait(&mut self, until: Option<Instant>) -> Result<Connected, DialError> {
        let limit = self.began + self.config.limits.connect;
        let until = until.map_or(limit, |until| until.min(limit));
        match timeout_at(until, &mut self.attempt).await {
            Ok(result) => result,
            Err(_) => Err(self.timed_out()),
        }
    }

    /// Returns how long it has taken so far.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Returns the error of an attempt that took too long.
    fn timed_out(&self) -> DialError {
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
            (Stage::Connect, Some(proxy)) => {
                let source = unreached(&proxy.host, proxy.port);
                at_proxy(proxy, ProxyError::Unreachable(Box::new(source)))
            }
            (Stage::Connect, None) => unreached(&endpoint.host, endpoint.port),
            (Stage::Tunnel, Some(proxy)) => at_proxy(proxy, ProxyError::NoAnswer(after)),
            // The host was reached: a firewall is not the cause.
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
) -> Result<Connected, DialError> {
    let Config {
        endpoint, proxy, ..
    } = config;
    let (transport, peer) = match proxy {
        None => connect_tcp(&endpoint.host, endpoint.port, first).await?,
        Some(proxy) => {
            let unreachable = |error| at_proxy(proxy, ProxyError::Unreachable(Box::new(error)));
            let connected = connect_proxy(proxy, first).await;
            let (mut transport, peer) = connected.map_err(unreachable)?;
            stage.send_replace(Stage::Tunnel);
            let opened = proxy.open_tunnel(&mut transport, endpoint).await;
            opened.map_err(|error| at_proxy(proxy, error))?;
            (transport, peer)
        }
    };
    if !endpoint.tls {
        return Ok((transport, peer));
    }
    stage.send_replace(Stage::Tls);
    Ok((tls_handshake(&endpoint.host, transport).await?, peer))
}

async fn connect_proxy(proxy: &Proxy, first: Option<SocketAddr>) -> Result<Connected, DialError> {
    let (transport, peer) = connect_tcp(&proxy.host, proxy.port, first).await?;
    if proxy.is_encrypted() {
        return Ok((tls_handshake(&proxy.host, transport).await?, peer));
    }
    Ok((transport, peer))
}

async fn connect_tcp(
    host: &str,
    port: u16,
    first: Option<SocketAddr>,
) -> Result<Connected, DialError> {
    let unresolved = |source| DialError::Resolve {
        host: host.to_owned(),
        source,
    };
    let addresses = resolve(host, port).await.map_err(unresolved)?;
    let connected = connect_any(order(&addresses, first), TcpStream::connect);
    match connected.await {
        Ok(tcp) => {
            set_options(&tcp);
            let peer = tcp.peer_addr().ok();
            Ok((Box::new(tcp), peer))
        }
        Err(Some((address, source))) => Err(DialError::Connect { address, source }),
        Err(None) => Err(unresolved(io::ErrorKind::NotFound.into())),
    }
}

async fn tls_handshake(host: &str, transport: Transport) -> Result<Transport, DialError> {
    let host = || host.to_owned();
    let name = ServerName::try_from(host()).map_err(|_| DialError::ServerName { host: host() })?;
    let config = tokio::task::spawn_blocking(tls::client_config)
        .await
        .unwrap_or_else(|error| Err(TrustError::Library(error.to_string())))?;
    match TlsConnector::from(config).connect(name, transport).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(source) => Err(tls_error(host(), source)),
    }
}

/// Classifies an error of the TLS library, which reports all of them as I/O errors.
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
