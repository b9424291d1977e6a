//! A way through a proxy: CONNECT (RFC 9110, section 9.3.6) or SOCKS5 (RFC 1928, by tokio-socks).
//!
//! CONNECT is written here: hyper-util's tunnel does not tell a refusal by its status, and brings
//! hyper; the small crates for it are not kept any more.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_socks::Error as SocksError;
use tokio_socks::tcp::Socks5Stream;

use super::{Login, Proxy, Scheme};
use crate::client::net::dial::DialError;
use crate::client::net::endpoint::Endpoint;
use crate::protocol::failure::Retry;

/// Upper bound on a response's header, in bytes.
const MAX_HEADER: usize = 16 * 1024;
const MAX_FIELDS: usize = 64;

/// There is no way through the proxy. Repeats nothing that a peer says.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// There is no connection to the proxy itself.
    #[error("can't be reached: {0}")]
    Unreachable(#[source] Box<DialError>),
    /// It wants a login and got none.
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
        /// The status or the reason that it gave.
        answer: String,
        /// Whether that may pass: the proxy itself did not reach the service.
        is_transient: bool,
    },
    /// The connection to it ended before it answered.
    #[error("broke the connection: {0}")]
    Broken(#[from] io::Error),
    /// It did not answer in time.
    #[error("has not answered within {0:?}")]
    NoAnswer(Duration),
    /// What answers speaks another protocol.
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

impl Proxy {
    /// Makes `stream`, a connection to this proxy, one to the host of `endpoint`, whose name the
    /// proxy resolves.
    pub(in crate::client) async fn open_tunnel<S>(
        &self,
        stream: &mut S,
        endpoint: &Endpoint,
    ) -> Result<(), ProxyError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        match self.scheme {
            Scheme::Http | Scheme::Https => self.connect(stream, &endpoint.authority()).await,
            Scheme::Socks5 => self.socks(stream, endpoint).await,
        }
    }

    async fn connect<S>(&self, stream: &mut S, target: &str) -> Result<(), ProxyError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(basic) = self.basic() {
            request.extend(["Proxy-Authorization: Basic ", &basic, "\r\n"]);
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut buffer = Vec::with_capacity(1024);
        let status = loop {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            // Nothing follows the header: in the tunnel it is our turn.
            if let Some(status) = parse_status(&buffer)? {
                break status;
            }
            if buffer.len() > MAX_HEADER {
                return Err(ProxyError::NotAProxy("its header has no end".into()));
            }
        };
        match status {
            200..=299 => Ok(()),
            // tinyproxy says 401 to a login that is wrong.
            401 | 407 if self.login.is_some() => Err(ProxyError::LoginRefused(Some(status))),
            401 | 407 => Err(ProxyError::LoginNeeded(Some(status))),
            status => Err(ProxyError::Refused {
                target: target.to_owned(),
                answer: format!("HTTP {status}"),
                is_transient: matches!(status, 408 | 429 | 500..),
            }),
        }
    }

    async fn socks<S>(&self, stream: &mut S, endpoint: &Endpoint) -> Result<(), ProxyError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let target = (endpoint.host.as_str(), endpoint.port);
        let connected = match &self.login {
            Some(Login { id, password }) => {
                Socks5Stream::connect_with_password_and_socket(stream, target, id, password).await
            }
            None => Socks5Stream::connect_with_socket(stream, target).await,
        };
        let error = match connected {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let answer = error.to_string();
        let refused = |is_transient| ProxyError::Refused {
            target: endpoint.authority(),
            answer: answer.clone(),
            is_transient,
        };
        Err(match error {
            SocksError::Io(error) => error.into(),
            SocksError::AuthorizationRequired | SocksError::NoAcceptableAuthMethods
                if self.login.is_none() =>
            {
                ProxyError::LoginNeeded(None)
            }
            SocksError::NoAcceptableAuthMethods | SocksError::PasswordAuthFailure(_) => {
                ProxyError::LoginRefused(None)
            }
            SocksError::GeneralSocksServerFailure
            | SocksError::NetworkUnreachable
            | SocksError::HostUnreachable
            | SocksError::ConnectionRefused
            | SocksError::TtlExpired => refused(true),
            SocksError::ConnectionNotAllowedByRuleset
            | SocksError::CommandNotSupported
            | SocksError::AddressTypeNotSupported
            | SocksError::InvalidTargetAddress(_) => refused(false),
            _ => ProxyError::NotAProxy(answer),
        })
    }
}

/// The status of a response, when its header is complete. Any version will do: many proxies answer
/// with HTTP/1.0.
fn parse_status(bytes: &[u8]) -> Result<Option<u16>, ProxyError> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => Ok(response.code),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => Err(ProxyError::NotAProxy(error.to_string())),
    }
}
