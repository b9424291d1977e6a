//! Each kind of trouble once, for tests that must not forget one.

use std::io;
use std::time::Duration;

use tokio_rustls::rustls;
use tokio_tungstenite::tungstenite::Error as WsError;

use super::proxy::ProxyError;
use super::tls::TrustError;
use super::{DialError, InputError, RuntimeError, Trouble, UpgradeError};

/// One of each. The functions below have no wildcard: another variant does not compile before it is listed here.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn troubles() -> Vec<Trouble> {
    let host = || "asr.example".to_owned();
    let time = Duration::from_secs(1);
    let broken = || io::Error::from(io::ErrorKind::ConnectionReset);
    let at_proxy = |source| {
        let proxy = "http://proxy.example:3128".into();
        Trouble::Dial(DialError::Proxy { proxy, source })
    };
    let certificate = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
    let trouble = vec![
        Trouble::Dial(DialError::Resolve {
            host: host(),
            source: broken(),
        }),
        Trouble::Dial(DialError::Connect {
            address: ([127, 0, 0, 1], 9).into(),
            source: broken(),
        }),
        Trouble::Dial(DialError::Certificate {
            host: host(),
            source: certificate,
        }),
        Trouble::Dial(DialError::AuthorityCertificate { host: host() }),
        Trouble::Dial(DialError::NoTls {
            host: host(),
            source: broken(),
        }),
        Trouble::Dial(DialError::Tls {
            host: host(),
            source: broken(),
            is_first: false,
        }),
        Trouble::Dial(DialError::ServerName { host: host() }),
        Trouble::Dial(DialError::Trust(TrustError::Empty(String::new()))),
        Trouble::Dial(DialError::Trust(TrustError::Library(String::new()))),
        Trouble::Dial(DialError::TimedOut {
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
            is_passing: false,
        }),
        at_proxy(ProxyError::Broken(broken())),
        at_proxy(ProxyError::NoAnswer(time)),
        at_proxy(ProxyError::NotAProxy("x".into())),
        Trouble::Upgrade(UpgradeError::Io(broken())),
        Trouble::Upgrade(UpgradeError::NotWebSocket("x".into())),
        Trouble::Upgrade(UpgradeError::Value("X-Api-Key")),
        Trouble::Closed {
            code: 1011,
            reason: String::new(),
        },
        Trouble::Broken(WsError::Io(broken())),
        Trouble::Corrupt("x".into()),
        Trouble::Stalled(time),
        Trouble::NoAnswer(time),
        Trouble::NoFinal(time),
        Trouble::Nonsense("x".into()),
        Trouble::Runtime(RuntimeError::for_test()),
        Trouble::Input(InputError::Unreadable),
        Trouble::Input(InputError::NotNegotiated),
        Trouble::Backlog,
        Trouble::Defect,
    ];
    let mut kinds: Vec<_> = trouble.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, (0..KINDS).collect::<Vec<_>>(), "one of each");
    trouble
}

const KINDS: usize = 31;

fn kind(trouble: &Trouble) -> usize {
    match trouble {
        Trouble::Dial(error) => match error {
            DialError::Resolve { .. } => 0,
            DialError::Connect { .. } => 1,
            DialError::Certificate { .. } => 2,
            DialError::NoTls { .. } => 3,
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
        Trouble::Upgrade(error) => match error {
            UpgradeError::Io(_) => 9,
            UpgradeError::NotWebSocket(_) => 10,
            UpgradeError::Value(_) => 11,
            // By their causes, below.
            UpgradeError::Refused(_) => usize::MAX,
        },
        Trouble::Failure(_) => usize::MAX,
        Trouble::Closed { .. } => 12,
        Trouble::Broken(_) => 13,
        Trouble::Stalled(_) => 14,
        Trouble::NoAnswer(_) => 15,
        Trouble::NoFinal(_) => 16,
        Trouble::Nonsense(_) => 17,
        Trouble::Runtime(_) => 18,
        Trouble::Defect => 19,
        Trouble::Input(_) => 20,
        Trouble::Corrupt(_) => 29,
        Trouble::Backlog => 30,
    }
}
