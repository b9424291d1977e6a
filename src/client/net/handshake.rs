//! The opening handshake: a WebSocket upgrade with the service's headers.
//!
//! The WebSocket library's own has two faults. It returns only the part of a refusal's body that
//! came with the header, and it writes the request, secrets included, to the application's trace
//! log.

use std::io;

use tokio::io::AsyncWriteExt;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use uuid::Uuid;

use super::http_body::{self, Framing};
use super::http_head::{self, Head};
use super::transport::Transport;
use crate::client::config::Config;
use crate::client::credentials::Credentials;
use crate::protocol::failure::Failure;

/// Result of a successful handshake.
#[derive(Debug)]
pub(in crate::client) struct Handshake {
    /// `X-Tt-Logid`, which the vendor's support asks for.
    pub log_id: Option<String>,
    /// Bytes that came after the header.
    pub tail: Vec<u8>,
}

/// Failure of the handshake.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The connection broke.
    #[error("the connection broke in the handshake: {0}")]
    Io(#[from] io::Error),
    /// The service refused.
    #[error("{0}")]
    Refused(Failure),
    /// The peer does not speak HTTP, or no WebSocket.
    #[error("the peer is no WebSocket server: {0}")]
    NotWebSocket(String),
    /// A value holds a character that no header may hold.
    #[error("the value for {0} can't be sent in a header")]
    Value(&'static str),
}

/// Sends the request and reads the answer, whose header must be complete by `until`.
///
/// A refusal is known from its status line on: if the rest does not come in time, that neither
/// hides the status nor counts as a timeout.
///
/// `connect_id` is a new id for each connection, which the service echoes.
pub(in crate::client) async fn perform_handshake(
    stream: &mut Transport,
    config: &Config,
    connect_id: &str,
    until: Instant,
) -> Result<Result<Handshake, HandshakeError>, Elapsed> {
    let refused = |mut failure: Failure| {
        failure.message = config.secrets.redact(&failure.message);
        failure.connect_id = Some(connect_id.to_owned());
        HandshakeError::Refused(failure)
    };
    let key = generate_key();
    let mut buffer = Vec::with_capacity(1024);
    let exchange = exchange_heads(stream, config, connect_id, &key, &mut buffer);
    let read = timeout_at(until, exchange).await;
    if matches!(read, Err(_) | Ok(Err(HandshakeError::Io(_))))
        && let Some(status) = http_head::status_of(&buffer).filter(|status| *status != 101)
    {
        return Ok(Err(refused(Failure::from_http(status, b""))));
    }
    let (head, length) = match read? {
        Ok(read) => read,
        Err(error) => return Ok(Err(error)),
    };
    let tail = buffer.split_off(length);
    let log_id = head.field("X-Tt-Logid");
    let log_id = log_id.and_then(|id| config.secrets.id(id));
    if head.status != 101 {
        let body = http_body::read(stream, &tail, Framing::of(&head), until).await;
        let mut failure = Failure::from_http(head.status, &body.text);
        if !body.is_complete() && !failure.message.is_empty() && !failure.message.ends_with('…') {
            failure.message.push('…');
        }
        failure.log_id = log_id;
        return Ok(Err(refused(failure)));
    }
    let upgrades = head.lists("Upgrade", "websocket") && head.lists("Connection", "upgrade");
    let accept = derive_accept_key(key.as_bytes());
    if !upgrades || head.field("Sec-WebSocket-Accept") != Some(&accept) {
        return Ok(Err(HandshakeError::NotWebSocket(
            "its upgrade does not answer ours".into(),
        )));
    }
    Ok(Ok(Handshake { log_id, tail }))
}

/// Sends the request, and reads into `buffer` until the answer's header is complete.
async fn exchange_heads(
    stream: &mut Transport,
    config: &Config,
    connect_id: &str,
    key: &str,
    buffer: &mut Vec<u8>,
) -> Result<(Head, usize), HandshakeError> {
    let request = request_head(config, connect_id, key)?;
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let read = http_head::read(stream, buffer).await?;
    read.map_err(HandshakeError::NotWebSocket)
}

fn request_head(config: &Config, connect_id: &str, key: &str) -> Result<String, HandshakeError> {
    let host = config.endpoint.host_header();
    let request_id = Uuid::new_v4().to_string();
    let mut fields = vec![
        ("Host", host.as_str()),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
    ];
    match &config.credentials {
        Credentials::Pair {
            app_key,
            access_key,
        } => {
            fields.extend([
                ("X-Api-App-Key", app_key.as_str()),
                ("X-Api-Access-Key", access_key),
            ]);
        }
        Credentials::Key(key) => fields.push(("X-Api-Key", key)),
    }
    fields.extend([
        ("X-Api-Resource-Id", config.resource_id.as_str()),
        ("X-Api-Connect-Id", connect_id),
        // Newer documentation requires it.
        ("X-Api-Request-Id", &request_id),
        ("X-Api-Sequence", "-1"),
    ]);
    let mut request = format!("GET {} HTTP/1.1\r\n", config.endpoint.target);
    for (name, value) in fields {
        if !is_field_value(value) {
            return Err(HandshakeError::Value(name));
        }
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    Ok(request)
}

/// Whether `value` can be sent in a header.
pub(crate) fn is_field_value(value: &str) -> bool {
    value.chars().all(|c| c == '\t' || !c.is_control())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use tokio::io::AsyncReadExt;

    use super::*;

    /// Makes a peer answer in these pieces, one every 400 ms, and then stay silent or close.
    async fn answered(
        pieces: &[&str],
        stays: bool,
    ) -> Result<Result<Handshake, HandshakeError>, Elapsed> {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let mut ours: Transport = Box::new(ours);
        let pieces: Vec<String> = pieces.iter().map(|&piece| piece.to_owned()).collect();
        let peer = tokio::spawn(async move {
            let mut buffer = [0; 4096];
            let _ = theirs.read(&mut buffer).await;
            for piece in pieces {
                let _ = theirs.write_all(piece.as_bytes()).await;
                tokio::time::sleep(Duration::from_millis(400)).await;
            }
            if stays {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
        });
        let config = Config::for_test(([127, 0, 0, 1], 1).into());
        let until = Instant::now() + Duration::from_millis(2500);
        let result = perform_handshake(&mut ours, &config, "connect", until).await;
        assert!(Instant::now() <= until + Duration::from_millis(1));
        peer.abort();
        result
    }

    /// A refusal is known from its status line on.
    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_known_by_its_status_line() {
        const CHUNKED: &str = "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n";
        let status = "HTTP/1.1 401 Unauthorized\r\n";
        let head = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\n";
        #[rustfmt::skip]
        let answers = [
            (&[status][..], ""),
            (&[status, "X-Tt-Log"], ""),
            (&["HTTP/1.1", " 401 Unauthorized\r\n"], ""),
            // Old proxies and gateways answer with HTTP/1.0.
            (&["HTTP/1.0 401 No\r\nContent-Length: 6\r\n\r\nno key"], "no key"),
            (&[CHUNKED, "3\r\nno \r\n", "3\r\nkey\r\n0\r\n\r\n"], "no key"),
            (&[head], ""),
            (&[head, "no key"], "no key…"),
            (&[head, "no", " key at"], "no key at"),
        ];
        for (pieces, message) in answers {
            for stays in [true, false] {
                let Ok(Err(HandshakeError::Refused(failure))) = answered(pieces, stays).await
                else {
                    panic!("{pieces:?}, {stays}: not refused");
                };
                assert_eq!(failure.http_status, Some(401), "{pieces:?}");
                assert_eq!(failure.message, message, "{pieces:?}");
                assert_eq!(failure.connect_id.as_deref(), Some("connect"));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_status_there_is_no_answer() {
        let switching = "HTTP/1.1 101 Switching Protocols\r\n";
        for pieces in [&[][..], &["HTTP/1.1 "], &[switching]] {
            let late = answered(pieces, true).await;
            assert!(matches!(late, Err(Elapsed { .. })), "{pieces:?}: {late:?}");
            let broken = answered(pieces, false).await;
            let is_broken = matches!(broken, Ok(Err(HandshakeError::Io(_))));
            assert!(is_broken, "{pieces:?}: {broken:?}");
        }
    }

    proptest! {
        /// A header is parsed to the byte where it ends, or not at all.
        #[test]
        fn no_header_makes_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            fields in prop::collection::vec(
                (
                    "(Upgrade|Connection|Content-Length|Transfer-Encoding|X-Tt-Logid|X)",
                    "[ -~]{0,20}",
                ),
                0..70,
            ),
            status in 0u16..1000,
            tail in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let _ = Head::parse(&bytes);
            let mut head = format!("HTTP/1.1 {status:03} Because\r\n");
            for (name, value) in &fields {
                head += &format!("{name}: {value}\r\n");
            }
            head += "\r\n";
            let whole = [head.as_bytes(), &tail].concat();
            match Head::parse(&whole) {
                Ok(Some((parsed, length))) => {
                    prop_assert_eq!((parsed.status, length), (status, head.len()));
                }
                Ok(None) => prop_assert!(false, "it has an end"),
                Err(_) => prop_assert!(fields.len() > http_head::MAX_FIELDS),
            }
            let half = &head.as_bytes()[..head.len() / 2];
            prop_assert!(!matches!(Head::parse(half), Ok(Some(_))));
        }
    }
}
