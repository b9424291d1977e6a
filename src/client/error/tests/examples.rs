//! One error of each kind, for tests that must cover all.

use std::io;
use std::time::Duration;

use tokio_rustls::rustls;
use tokio_tungstenite::tungstenite::Error as WsError;

use crate::client::error::{ClientError, InputError};
use crate::client::net::dial_error::ProxyError;
use crate::client::net::tls::TrustError;
use crate::client::{DialError, HandshakeError, RuntimeError};

/// Returns one error of each kind. `kind` has no wildcard, so a new variant does not compile before
/// it is listed here.
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
    let error = vec![
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
        ClientError::Closed {
            code: 1011,
            reason: String::new(),
        },
        ClientError::Transport(WsError::Io(broken())),
        ClientError::Corrupt("x".into()),
        ClientError::Stalled(time),
        ClientError::ResponseTimeout(time),
        ClientError::FinalTimeout(time),
        ClientError::Protocol("x".into()),
        ClientError::Runtime(RuntimeError::for_test()),
        ClientError::Input(InputError::Unmappable),
        ClientError::Input(InputError::NotNegotiated),
        ClientError::Backlog,
        ClientError::Internal,
    ];
    let mut kinds: Vec<_> = error.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, (0..KINDS).collect::<Vec<_>>(), "one of each");
    error
}

const KINDS: usize = 31;

fn kind(error: &ClientError) -> usize {
    match error {
        ClientError::Dial(error) => match error {
            DialError::Resolve { .. } => 0,
            DialError::Connect { .. } => 1,
            DialError::Certificate { .. } => 2,
            DialError::TlsProtocol { .. } => 3,
            DialError::Tls { .. } => 4,
            DialError::ServerName { .. } => 5,
            DialError::Trust(TrustError::Empty(_)) => 6,
            DialError::Trust(TrustError::Library(_)) => 7,
            DialError::TimedOut { .. } => 8,
            DialError::AuthorityCertificate { .. } => 21,
            DialError::Proxy { source, .. } => match source {
                ProxyError::Unreachable(_) => 22,
                ProxyError::LoginNeeded(_) => 23,
                ProxyError::LoginRefused(_) => 24,
                ProxyError::Refused { .. } => 25,
                ProxyError::Broken(_) => 26,
                ProxyError::NoAnswer(_) => 27,
                ProxyError::NotAProxy(_) => 28,
            },
        },
        ClientError::Handshake(error) => match error {
            HandshakeError::Io(_) => 9,
            HandshakeError::NotWebSocket(_) => 10,
            HandshakeError::Value(_) => 11,
            // By their causes, below.
            HandshakeError::Refused(_) => usize::MAX,
        },
        ClientError::Failure(_) => usize::MAX,
        ClientError::Closed { .. } => 12,
        ClientError::Transport(_) => 13,
        ClientError::Stalled(_) => 14,
        ClientError::ResponseTimeout(_) => 15,
        ClientError::FinalTimeout(_) => 16,
        ClientError::Protocol(_) => 17,
        ClientError::Runtime(_) => 18,
        ClientError::Internal => 19,
        ClientError::Input(_) => 20,
        ClientError::Corrupt(_) => 29,
        ClientError::Backlog => 30,
    }
}
