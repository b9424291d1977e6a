//! One error of each kind, for tests that must cover all.

use std::io;
use std::time::Duration;

use tokio_rustls::rustls;
use tokio_tungstenite::tungstenite::Error as WsError;

use crate::client::error::{Abort, ClientError};
use crate::client::net::dial_error::ProxyError;
use crate::client::net::tls::TrustError;
use crate::client::{DialError, HandshakeError, RuntimeError};
use crate::session::error::SessionError;

/// Returns one error of each kind; see [`is_listed`].
pub(crate) fn one_of_each() -> Vec<ClientError> {
    let host = || "asr.example".to_owned();
    let after = Duration::from_secs(1);
    let source = || io::Error::from(io::ErrorKind::ConnectionReset);
    let resolve = || DialError::Resolve {
        host: host(),
        source: source(),
    };
    let expired = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
    #[rustfmt::skip]
    let dial = [
        resolve(),
        DialError::Connect { address: ([127, 0, 0, 1], 9).into(), source: source() },
        DialError::Certificate { host: host(), source: expired },
        DialError::AuthorityCertificate { host: host() },
        DialError::TlsProtocol { host: host(), source: source() },
        DialError::Tls { host: host(), source: source(), is_first: false },
        DialError::ServerName { host: host() },
        DialError::Trust(TrustError::Empty(String::new())),
        DialError::Trust(TrustError::Library(String::new())),
        DialError::TimedOut { host: host(), port: 443, after },
    ];
    #[rustfmt::skip]
    let at_proxy = [
        ProxyError::Unreachable(Box::new(resolve())),
        ProxyError::LoginNeeded(Some(407)),
        ProxyError::LoginRefused(None),
        ProxyError::Refused { target: host(), answer: "HTTP 403".into(), is_transient: false },
        ProxyError::Broken(source()),
        ProxyError::NoAnswer(after),
        ProxyError::NotAProxy("x".into()),
    ];
    let at_proxy = at_proxy.map(|source| {
        let proxy = "http://proxy.example:3128".into();
        DialError::Proxy { proxy, source }
    });
    #[rustfmt::skip]
    let others = [
        HandshakeError::Io(source()).into(),
        HandshakeError::NotWebSocket("x".into()).into(),
        HandshakeError::Value("X-Api-Key").into(),
        SessionError::Closed { code: 1011, reason: String::new() }.into(),
        ClientError::Transport(WsError::Io(source())),
        ClientError::Corrupt("x".into()),
        SessionError::Stalled(after).into(),
        SessionError::ResponseTimeout(after).into(),
        SessionError::FinalResponseTimeout(after).into(),
        SessionError::Protocol("x".into()).into(),
        ClientError::Runtime(RuntimeError::for_test()),
        Abort::Unmappable.into(),
        Abort::NotNegotiated.into(),
        Abort::Backlog.into(),
        Abort::Internal.into(),
    ];
    let dial = dial.into_iter().chain(at_proxy).map(ClientError::Dial);
    dial.chain(others).collect()
}

/// Does not compile with a variant that is new: list it above, too.
#[expect(dead_code, reason = "it is compiled")]
#[rustfmt::skip]
fn is_listed(error: &ClientError) -> bool {
    use {DialError as D, HandshakeError as H, ProxyError as P, SessionError as S};
    match error {
        ClientError::Dial(error) => match error {
            D::Resolve { .. } | D::Connect { .. } | D::Certificate { .. }
            | D::AuthorityCertificate { .. } | D::TlsProtocol { .. } | D::Tls { .. }
            | D::ServerName { .. } | D::Trust(TrustError::Empty(_) | TrustError::Library(_))
            | D::TimedOut { .. } => true,
            D::Proxy { source, .. } => match source {
                P::Unreachable(_) | P::LoginNeeded(_) | P::LoginRefused(_) | P::Refused { .. }
                | P::Broken(_) | P::NoAnswer(_) | P::NotAProxy(_) => true,
            },
        },
        // Refusals are by their causes in the page's other table.
        ClientError::Handshake(H::Refused(_)) | ClientError::Session(S::Failure(_)) => false,
        ClientError::Handshake(H::Io(_) | H::NotWebSocket(_) | H::Value(_)) => true,
        ClientError::Session(
            S::Closed { .. } | S::Stalled(_) | S::ResponseTimeout(_) | S::FinalResponseTimeout(_)
            | S::Protocol(_),
        ) => true,
        ClientError::Transport(_) | ClientError::Runtime(_) | ClientError::Corrupt(_) => true,
        ClientError::Aborted(
            Abort::Unmappable | Abort::NotNegotiated | Abort::Backlog | Abort::Internal,
        ) => true,
    }
}
