//! Failures on the way to a TLS connection, directly or through a proxy.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio_rustls::rustls;

use super::endpoint::bracketed;
use super::tls::TrustError;
use crate::protocol::failure::Retry;

/// Failure to connect to the service.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The host has no address.
    #[error("can't resolve \"{host}\": {source}")]
    Resolve {
        /// The host in `uri`.
        host: String,
        /// The resolver's error.
        source: io::Error,
    },
    /// No address of the host accepts a connection.
    #[error("can't connect to {address}: {source}")]
    Connect {
        /// The last address that was tried.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The certificate does not verify. Trying again would not help.
    #[error("the certificate of \"{host}\" is not trusted: {source}")]
    Certificate {
        /// The host in `uri`.
        host: String,
        /// The verifier's error.
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
    /// The peer speaks no TLS, or no version of it that this side does. Trying again would not
    /// help, unless there was no answer at all.
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
        /// The error of the library or the system.
        source: io::Error,
        /// Whether no handshake with this host has succeeded before.
        is_first: bool,
    },
    /// The host in `uri` is no valid server name.
    #[error("\"{host}\" can't be verified: it is not a server's name")]
    ServerName {
        /// The host in `uri`.
        host: String,
    },
    /// There are no trusted certificates.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The proxy failed.
    #[error("the proxy {proxy} {source}")]
    Proxy {
        /// Scheme, host and port of the proxy.
        proxy: String,
        /// The cause.
        source: ProxyError,
    },
    /// It took longer than `connect-timeout`.
    #[error("no connection to {}:{port} within {after:?}", bracketed(host))]
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
    /// Returns the error as it is understood before the first successful handshake with the host:
    /// no answer then most likely means a port that speaks no TLS, which a few attempts confirm.
    pub(in crate::client) fn at_first(self) -> Self {
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

    /// Returns whether, and how soon, to try again.
    pub fn retry(&self) -> Retry {
        match self {
            DialError::Proxy { source, .. } => source.retry(),
            // A port that speaks no TLS may reset the connection; so may a server that restarts.
            DialError::Tls { is_first: true, .. } => Retry::Limited,
            // A server that is starting may not answer either.
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

/// Failure to connect through a proxy. Repeats nothing that a peer says.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The proxy can't be reached.
    #[error("can't be reached: {0}")]
    Unreachable(#[source] Box<DialError>),
    /// It requires a login.
    #[error("asks for a name and a password{}", status(*.0))]
    LoginNeeded(Option<u16>),
    /// It does not accept the login.
    #[error("does not accept the name and the password{}", status(*.0))]
    LoginRefused(Option<u16>),
    /// It does not connect to the service.
    #[error("refuses to connect to {target}: {answer}")]
    Refused {
        /// Host and port of the service.
        target: String,
        /// Its status or reason.
        answer: String,
        /// Whether another attempt may succeed: the proxy did not reach the service.
        is_transient: bool,
    },
    /// The connection to it ended before it answered.
    #[error("broke the connection: {0}")]
    Broken(#[from] io::Error),
    /// It did not answer in time.
    #[error("has not answered within {0:?}")]
    NoAnswer(Duration),
    /// The peer speaks another protocol.
    #[error("does not answer as a proxy of its scheme does: {0}")]
    NotAProxy(String),
}

fn status(code: Option<u16>) -> String {
    code.map(|code| format!(" (HTTP {code})"))
        .unwrap_or_default()
}

impl ProxyError {
    /// Whether to try again.
    pub(in crate::client) fn retry(&self) -> Retry {
        match self {
            ProxyError::Unreachable(error) => error.retry(),
            ProxyError::Refused { is_transient, .. } if *is_transient => Retry::Soon,
            ProxyError::Broken(_) | ProxyError::NoAnswer(_) => Retry::Soon,
            ProxyError::LoginNeeded(_)
            | ProxyError::LoginRefused(_)
            | ProxyError::Refused { .. }
            | ProxyError::NotAProxy(_) => Retry::Never,
        }
    }
}
