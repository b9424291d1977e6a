//! Tunnel through a proxy: CONNECT (RFC 9110, section 9.3.6) or SOCKS5 (RFC 1928, by tokio-socks).
//!
//! hyper-util's CONNECT does not report the status of a refusal, and brings hyper; the small crates
//! for it are no longer maintained.

use tokio::io::AsyncWriteExt;
use tokio_socks::Error as SocksError;
use tokio_socks::tcp::Socks5Stream;

use super::{Login, Proxy, Scheme};
use crate::client::net::dial_error::ProxyError;
use crate::client::net::endpoint::Endpoint;
use crate::client::net::http_head;
use crate::client::net::transport::Transport;

impl Proxy {
    /// Opens a tunnel to `endpoint` in `stream`, a connection to this proxy. The proxy resolves the
    /// host.
    pub(in crate::client) async fn open_tunnel(
        &self,
        stream: &mut Transport,
        endpoint: &Endpoint,
    ) -> Result<(), ProxyError> {
        match self.scheme {
            Scheme::Http | Scheme::Https => self.connect(stream, &endpoint.authority()).await,
            Scheme::Socks5 => self.socks(stream, endpoint).await,
        }
    }

    async fn connect(&self, stream: &mut Transport, target: &str) -> Result<(), ProxyError> {
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(basic) = self.basic() {
            request.extend(["Proxy-Authorization: Basic ", &basic, "\r\n"]);
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut buffer = Vec::with_capacity(1024);
        // No bytes of the tunnel follow the head: the client speaks first.
        let read = http_head::read(stream, &mut buffer).await?;
        let (head, _) = read.map_err(ProxyError::NotAProxy)?;
        let status = head.status;
        match status {
            200..=299 => Ok(()),
            // tinyproxy answers 401 to a wrong login.
            401 | 407 if self.login.is_some() => Err(ProxyError::LoginRefused(Some(status))),
            401 | 407 => Err(ProxyError::LoginNeeded(Some(status))),
            _ => Err(ProxyError::Refused {
                target: target.to_owned(),
                answer: format!("HTTP {status}"),
                is_transient: matches!(status, 408 | 429 | 500..),
            }),
        }
    }

    async fn socks(&self, stream: &mut Transport, endpoint: &Endpoint) -> Result<(), ProxyError> {
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
