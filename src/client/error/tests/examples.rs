//! One error of each kind, for tests that must cover all.

use std::io;
use std::time::Duration;

use tokio_rustls::rustls;
use tokio_tungstenite::tungstenite::Error as WsError;

use crate::client::error::{Abort, ClientError};
use crate::client::net::dial_error::ProxyError;
use crate::client::net::tls::TrustError;
use crate::client::{DialError, HandshakeError, RuntimeError};
use crate::protocol::failure::Retry;
use crate::session::error::SessionError;

/// Returns one error of each kind, and whether to try again; see [`is_listed`].
#[rustfmt::skip]
pub(crate) fn one_of_each() -> Vec<(ClientError, Retry)> {
    use Retry::{Limited, Never, Soon};
    let host = || "asr.example".to_owned();
    let after = Duration::from_secs(1);
    let source = || io::Error::from(io::ErrorKind::ConnectionReset);
    let resolve = || DialError::Resolve { host: host(), source: source() };
    let expired = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
    let dial = [
        (resolve(), Soon),
        (DialError::Connect { address: ([127, 0, 0, 1], 9).into(), source: source() }, Soon),
        (DialError::Certificate { host: host(), source: expired }, Never),
        (DialError::AuthorityCertificate { host: host() }, Never),
        (DialError::TlsProtocol { host: host(), source: source() }, Never),
        (DialError::Tls { host: host(), source: source(), is_first: false }, Soon),
        (DialError::ServerName { host: host() }, Never),
        (DialError::Trust(TrustError::Empty(String::new())), Never),
        (DialError::Trust(TrustError::Library(String::new())), Never),
        (DialError::TimedOut { host: host(), port: 443, after }, Soon),
    ];
    let (target, answer) = (host(), "HTTP 403".into());
    let at_proxy = [
        (ProxyError::Unreachable(Box::new(resolve())), Soon),
        (ProxyError::LoginNeeded(Some(407)), Never),
        (ProxyError::LoginRefused(None), Never),
        (ProxyError::Refused { target, answer, is_transient: false }, Never),
        (ProxyError::Broken(source()), Soon),
        (ProxyError::NoAnswer(after), Soon),
        (ProxyError::NotAProxy("x".into()), Never),
    ];
    let at_proxy = at_proxy.map(|(source, retry)| {
        let proxy = "http://proxy.example:3128".into();
        (DialError::Proxy { proxy, source }, retry)
    });
    let others = [
        (HandshakeError::Io(source()).into(), Soon),
        (HandshakeError::NotWebSocket("x".into()).into(), Never),
        (HandshakeError::Value("X-Api-Key").into(), Never),
        (SessionError::Closed { code: 1011, reason: String::new() }.into(), Soon),
        (ClientError::Transport(WsError::Io(source())), Soon),
        (ClientError::Corrupt("x".into()), Limited),
        (SessionError::Stalled(after).into(), Soon),
        (SessionError::ResponseTimeout(after).into(), Soon),
        (SessionError::FinalResponseTimeout(after).into(), Soon),
        (SessionError::Protocol("x".into()).into(), Never),
        (ClientError::Runtime(RuntimeError::for_test()), Never),
        (Abort::Unmappable.into(), Never),
        (Abort::NotNegotiated.into(), Never),
        (Abort::Backlog.into(), Never),
        (Abort::Internal.into(), Never),
    ];
    let dial = dial.into_iter().chain(at_proxy);
    dial.map(|(error, retry)| (ClientError::Dial(error), retry)).chain(others).collect()
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
