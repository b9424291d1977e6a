//! The opening handshake: an ordinary WebSocket upgrade with the service's headers.
//!
//! It is done here rather than by the WebSocket library for two reasons: the body of a refusal says
//! more than its status, and the library hands out only the part that came in the header's packet;
//! and the library writes the request, secrets included, to the application's trace log.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::endpoint::Endpoint;
use crate::protocol::failure::Failure;

/// A response's header is at most this long.
const MAX_HEADER: usize = 16 * 1024;
/// More of a refusal's body is not read.
const MAX_BODY: usize = 16 * 1024;
/// Nor for longer: the status is known already.
const BODY_TIME: Duration = Duration::from_secs(1);
const MAX_FIELDS: usize = 64;

/// What the service knows a user by.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The old console's pair.
    Pair {
        /// The app id.
        app_key: String,
        /// The access token.
        access_key: String,
    },
    /// The new console's one key.
    Key(String),
}

/// Never shows the secrets.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::Pair { .. } => "Pair(…)",
            Credentials::Key(_) => "Key(…)",
        })
    }
}

/// Shorter than this it is no secret, and would be found everywhere.
const MIN_SECRET: usize = 4;

impl Credentials {
    /// `text` without the secrets, should a peer have repeated one: whatever came over the network goes
    /// through here before anybody reads it.
    ///
    /// Of a text that was cut, and so ends in `…`, the beginning of a secret before the cut goes, too.
    pub fn strike_out(&self, text: &str) -> String {
        let secrets: &[&str] = match self {
            Credentials::Pair {
                app_key,
                access_key,
            } => &[app_key, access_key],
            Credentials::Key(key) => &[key],
        };
        let mut text = text.to_owned();
        // The longest first: one may be a part of the other.
        let mut secrets: Vec<_> = secrets
            .iter()
            .copied()
            .filter(|secret| secret.len() >= MIN_SECRET)
            .collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in secrets {
            text = text.replace(secret, STRUCK_OUT);
            let Some(kept) = text.strip_suffix('…') else {
                continue;
            };
            let cut = secret
                .char_indices()
                .map(|(at, _)| &secret[..at])
                .rfind(|part| part.len() >= MIN_SECRET && kept.ends_with(part));
            if let Some(part) = cut {
                text = format!("{}{STRUCK_OUT}…", &kept[..kept.len() - part.len()]);
            }
        }
        text
    }
}

/// Stands where a secret stood.
const STRUCK_OUT: &str = "***";

/// What the upgrade request says beside the endpoint.
#[derive(Clone, Debug)]
pub(super) struct Opening<'a> {
    pub credentials: &'a Credentials,
    pub resource_id: &'a str,
    /// Fresh for each connection; the service echoes it.
    pub connect_id: &'a str,
    /// Fresh for each connection; newer documentation wants it.
    pub request_id: &'a str,
}

/// What the 101 brought.
#[derive(Debug)]
pub(super) struct Opened {
    /// `X-Tt-Logid`: what the vendor's support asks for.
    pub log_id: Option<String>,
    /// What came behind the header already.
    pub tail: Vec<u8>,
}

/// The upgrade did not come about.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// The connection broke.
    #[error("the connection broke in the handshake: {0}")]
    Io(#[from] io::Error),
    /// The service said no, and why.
    #[error("{0}")]
    Refused(Failure),
    /// What answered does not speak HTTP, or no WebSocket.
    #[error("the peer is no WebSocket server: {0}")]
    NotWebSocket(String),
    /// A header value holds what no header may.
    #[error("the value for {0} can't be sent in a header")]
    Value(&'static str),
}

/// Sends the upgrade request and reads the answer.
pub(super) async fn upgrade<S>(
    stream: &mut S,
    endpoint: &Endpoint,
    opening: &Opening<'_>,
) -> Result<Opened, UpgradeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let key = generate_key();
    let request = request(endpoint, opening, &key)?;
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;

    let mut buffer = Vec::with_capacity(1024);
    let (head, length) = loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if let Some(parsed) = parse_head(&buffer)? {
            break parsed;
        }
        if buffer.len() > MAX_HEADER {
            return Err(UpgradeError::NotWebSocket("its header has no end".into()));
        }
    };
    let mut tail = buffer.split_off(length);
    if head.status != 101 {
        // A body that never comes must not hide the status.
        let _ = timeout(BODY_TIME, read_body(stream, &mut tail, head.content_length)).await;
        tail.truncate(MAX_BODY);
        let mut failure = Failure::from_http(head.status, &tail);
        failure.message = opening.credentials.strike_out(&failure.message);
        failure.log_id = head.log_id.map(|id| opening.credentials.strike_out(&id));
        failure.connect_id = Some(opening.connect_id.to_owned());
        return Err(UpgradeError::Refused(failure));
    }
    if !head.upgrades || head.accept.as_deref() != Some(&derive_accept_key(key.as_bytes())) {
        return Err(UpgradeError::NotWebSocket(
            "its upgrade does not answer ours".into(),
        ));
    }
    Ok(Opened {
        log_id: head.log_id.map(|id| opening.credentials.strike_out(&id)),
        tail,
    })
}

fn request(endpoint: &Endpoint, opening: &Opening<'_>, key: &str) -> Result<String, UpgradeError> {
    let host = endpoint.host_header();
    let mut fields = vec![
        ("Host", host.as_str()),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
    ];
    match opening.credentials {
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
        ("X-Api-Resource-Id", opening.resource_id),
        ("X-Api-Connect-Id", opening.connect_id),
        ("X-Api-Request-Id", opening.request_id),
        ("X-Api-Sequence", "-1"),
    ]);
    let mut request = format!("GET {} HTTP/1.1\r\n", endpoint.target);
    for (name, value) in fields {
        if !is_field_value(value) {
            return Err(UpgradeError::Value(name));
        }
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    Ok(request)
}

/// Whether `value` can stand in a header without ending it.
pub(crate) fn is_field_value(value: &str) -> bool {
    value.chars().all(|c| c == '\t' || !c.is_control())
}

struct Head {
    status: u16,
    upgrades: bool,
    accept: Option<String>,
    log_id: Option<String>,
    content_length: Option<usize>,
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, UpgradeError> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(UpgradeError::NotWebSocket(error.to_string())),
    };
    let field = |name: &str| {
        let found = response
            .headers
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok().map(str::trim)
    };
    let lists = |name, token: &str| {
        field(name).is_some_and(|value: &str| {
            value
                .split(',')
                .any(|item| item.trim().eq_ignore_ascii_case(token))
        })
    };
    let head = Head {
        status: response.code.unwrap_or_default(),
        upgrades: lists("Upgrade", "websocket") && lists("Connection", "upgrade"),
        accept: field("Sec-WebSocket-Accept").map(str::to_owned),
        log_id: field("X-Tt-Logid")
            .filter(|id| id.len() <= 256)
            .map(str::to_owned),
        content_length: field("Content-Length").and_then(|length| length.parse().ok()),
    };
    Ok(Some((head, length)))
}

/// Reads on up to the length that was announced, or to the end of the stream.
async fn read_body<S: AsyncRead + Unpin>(
    stream: &mut S,
    body: &mut Vec<u8>,
    length: Option<usize>,
) -> io::Result<()> {
    let length = length.unwrap_or(MAX_BODY).min(MAX_BODY);
    while body.len() < length {
        if stream.read_buf(body).await? == 0 {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_struck_out_of_what_a_peer_says() {
        let pair = Credentials::Pair {
            app_key: "app-9".into(),
            access_key: "app-9-secret".into(),
        };
        for (said, shown) in [
            ("no app-9-secret here", "no *** here"),
            ("app-9: app-9-secret", "***: ***"),
            ("nothing", "nothing"),
            // Cut in the middle of the secret.
            ("is not app-9-sec…", "is not ***…"),
            ("is not app-…", "is not ***…"),
            ("is not app…", "is not app…"),
        ] {
            assert_eq!(pair.strike_out(said), shown);
        }
        let short = Credentials::Key("abc".into());
        assert_eq!(short.strike_out("abc"), "abc");
        let chinese = Credentials::Key("秘密钥匙".into());
        assert_eq!(chinese.strike_out("不对：秘密…"), "不对：***…");
    }
}
