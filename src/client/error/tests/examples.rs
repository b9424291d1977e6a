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
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn one_of_each() -> Vec<ClientError> {
    let host = || "asr.example".to_owned();
    let time = Duration::from_secs(1);
    let broken = || io::Error::from(io::ErrorKind::ConnectionReset);
    let at_proxy = |source| {
        let proxy = "http://proxy.example:3128".into();
        ClientError::Dial(DialError::Proxy { proxy, source })
    };
    let certificate = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
    vec![
        ClientError::Dial(DialError::Resolve {
            host: host(),
            source: broken(),
        }),
        ClientError::Dial(DialError::Connect {
            address: ([127, 0, 0, 1], 9).into(),
            source: broken(),
        }),
        ClientError::Dial(DialError::Certificate {
            host: host(),
            source: certificate,
        }),
        ClientError::Dial(DialError::AuthorityCertificate { host: host() }),
        ClientError::Dial(DialError::TlsProtocol {
            host: host(),
            source: broken(),
        }),
        ClientError::Dial(DialError::Tls {
            host: host(),
            source: broken(),
            is_first: false,
        }),
        ClientError::Dial(DialError::ServerName { host: host() }),
        ClientError::Dial(DialError::Trust(TrustError::Empty(String::new()))),
        ClientError::Dial(DialError::Trust(TrustError::Library(String::new()))),
        ClientError::Dial(DialError::TimedOut {
            host: host(),
            port: 443,
            after: time,
        }),
        at_proxy(ProxyError::Unreachable(Box::new(DialError::Resolve {
            host: host(),
            source: broken(),
        }))),
        at_proxy(ProxyError::LoginNeeded(Some(407))),
        at_proxy(ProxyError::LoginRefused(None)),
        at_proxy(ProxyError::Refused {
            target: host(),
            answer: "HTTP 403".into(),
            is_transient: false,
        }),
        at_proxy(ProxyError::Broken(broken())),
        at_proxy(ProxyError::NoAnswer(time)),
        at_proxy(ProxyError::NotAProxy("x".into())),
        ClientError::Handshake(HandshakeError::Io(broken())),
        ClientError::Handshake(HandshakeError::NotWebSocket("x".into())),
        ClientError::Handshake(HandshakeError::Value("X-Api-Key")),
        SessionError::Closed {
            code: 1011,
            reason: String::new(),
        }
        .into(),
        ClientError::Transport(WsError::Io(broken())),
        ClientError::Corrupt("x".into()),
        SessionError::Stalled(time).into(),
        SessionError::ResponseTimeout(time).into(),
        SessionError::FinalResponseTimeout(time).into(),
        SessionError::Protocol("x".into()).into(),
        ClientError::Runtime(RuntimeError::for_test()),
        Abort::Unmappable.into(),
        Abort::NotNegotiated.into(),
        Abort::Backlog.into(),
        Abort::Internal.into(),
    ]
}

/// Does not compile with a variant that is new: list it above, too.
#[expect(dead_code, reason = "it is compiled")]
fn is_listed(error: &ClientError) -> bool {
    match error {
        ClientError::Dial(error) => match error {
            DialError::Resolve { .. }
            | DialError::Connect { .. }
            | DialError::Certificate { .. }
            | DialError::AuthorityCertificate { .. }
            | DialError::TlsProtocol { .. }
            | DialError::Tls { .. }
            | DialError::ServerName { .. }
            | DialError::Trust(TrustError::Empty(_) | TrustError::Library(_))
            | DialError::TimedOut { .. } => true,
            DialError::Proxy { source, .. } => match source {
                ProxyError::Unreachable(_)
                | ProxyError::LoginNeeded(_)
                | ProxyError::LoginRefused(_)
                | ProxyError::Refused { .. }
                | ProxyError::Broken(_)
                | ProxyError::NoAnswer(_)
                | ProxyError::NotAProxy(_) => true,
            },
        },
        ClientError::Handshake(error) => match error {
            HandshakeError::Io(_) | HandshakeError::NotWebSocket(_) | HandshakeError::Value(_) => {
                true
            }
            // By their causes, in the page's other table.
            HandshakeError::Refused(_) => false,
        },
        ClientError::Session(error) => match error {
            SessionError::Failure(_) => false,
            SessionError::Closed { .. }
            | SessionError::Stalled(_)
            | SessionError::ResponseTimeout(_)
            | SessionError::FinalResponseTimeout(_)
            | SessionError::Protocol(_) => true,
        },
        ClientError::Transport(_) | ClientError::Runtime(_) | ClientError::Corrupt(_) => true,
        ClientError::Aborted(abort) => match abort {
            Abort::Unmappable | Abort::NotNegotiated | Abort::Backlog | Abort::Internal => true,
        },
    }
}
