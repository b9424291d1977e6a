//! The HTTP upgrade: read by hand, for the service looks at what libraries hide, such as a second `Host`.

use crate::options::{Endpoint, Options};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// More than any client's headers.
const MAX_HEAD: usize = 16 * 1024;

/// Of a chunked body: short, so that there are some.
const CHUNK: usize = 11;

/// An upgrade request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Upgrade {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    /// What came behind it in the same read.
    pub rest: Vec<u8>,
}

/// An answer other than the 101.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl HttpAnswer {
    fn error(status: u16, text: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: serde_json::json!({ "error": text }).to_string(),
        }
    }

    /// The answer's bytes; `chunked`: its body in chunks, without a length.
    pub(crate) fn encode(&self, log_id: &str, chunked: bool) -> Vec<u8> {
        let reason = match self.status {
            200 => "OK",
            301 | 302 | 307 | 308 => "Redirect",
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            429 => "Too Many Requests",
            503 => "Service Unavailable",
            _ => "Error",
        };
        let mut head = format!(
            "HTTP/1.1 {} {reason}\r\nX-Tt-Logid: {log_id}\r\n",
            self.status
        );
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "Content-Type: application/json; charset=utf-8\r\n";
        let mut bytes = head.into_bytes();
        if chunked {
            bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in self.body.as_bytes().chunks(CHUNK) {
                bytes.extend(format!("{:x};part\r\n", chunk.len()).into_bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
        } else {
            let length = format!("Content-Length: {}\r\n", self.body.len());
            bytes.extend(length.into_bytes());
            bytes.extend(b"Connection: close\r\n\r\n");
            bytes.extend(self.body.as_bytes());
        }
        bytes
    }
}

impl Upgrade {
    /// Reads the head of the request.
    ///
    /// # Errors
    /// The client left, or sent no HTTP, or more than 16 KiB of it.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(1024);
        let end = loop {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                break end;
            }
            if bytes.len() > MAX_HEAD {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "too much head"));
            }
        };
        let rest = bytes.split_off(end + 4);
        Self::parse(&bytes[..end], rest)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no HTTP"))
    }

    fn parse(head: &[u8], rest: Vec<u8>) -> Option<Self> {
        let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, path, version) = (first.next()?, first.next()?, first.next()?);
        if version != "HTTP/1.1" {
            return None;
        }
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        });
        Some(Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: headers.collect::<Option<_>>()?,
            rest,
        })
    }

    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    fn count(&self, name: &str) -> usize {
        self.headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .count()
    }

    /// Decides: the endpoint, or the refusal. The statuses and bodies for resource ids and credentials are
    /// those of recorded traffic; the others are modelled.
    pub(crate) fn check(&self, options: &Options) -> Result<Endpoint, HttpAnswer> {
        let refuse = |status, text: &str| Err(HttpAnswer::error(status, text));
        if self.count("Host") != 1 {
            return refuse(400, "exactly one Host header is needed");
        }
        let path = self.path.split('?').next().unwrap_or_default();
        let Some(endpoint) = Endpoint::of_path(path) else {
            return refuse(404, "no such path");
        };
        let upgrade = self
            .header("Upgrade")
            .is_some_and(|v| v.eq_ignore_ascii_case("websocket"))
            && self.header("Connection").is_some_and(|v| {
                v.split(',')
                    .any(|t| t.trim().eq_ignore_ascii_case("upgrade"))
            });
        if self.method != "GET"
            || !upgrade
            || self.header("Sec-WebSocket-Version") != Some("13")
            || self.key().is_none()
        {
            return refuse(400, "not a WebSocket upgrade");
        }
        // Documented is that there are none; that an offer is refused is modelled.
        for name in ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"] {
            if self.count(name) > 0 {
                return refuse(400, &format!("{name} is not supported"));
            }
        }
        let present = |name| self.header(name).is_some();
        let (app, access, key) = (
            present("X-Api-App-Key"),
            present("X-Api-Access-Key"),
            present("X-Api-Key"),
        );
        if key && (app || access) {
            return refuse(
                400,
                "X-Api-Key and X-Api-App-Key/X-Api-Access-Key are given together",
            );
        }
        for name in [
            "X-Api-App-Key",
            "X-Api-Access-Key",
            "X-Api-Key",
            "X-Api-Resource-Id",
            "X-Api-Connect-Id",
            "X-Api-Request-Id",
            "X-Api-Sequence",
        ] {
            if self.count(name) > 1 {
                return refuse(400, &format!("{name} is given twice"));
            }
        }
        let id = self.header("X-Api-Resource-Id").unwrap_or_default();
        if id.is_empty() {
            return refuse(400, "get resource id empty");
        }
        if !options.known_resources.iter().any(|known| known == id) {
            return refuse(400, &format!("resourceId {id} is not allowed"));
        }
        let value = |name| self.header(name).unwrap_or_default();
        if key {
            if !options
                .api_keys
                .iter()
                .any(|good| good == value("X-Api-Key"))
            {
                return refuse(401, "Invalid X-Api-Key");
            }
        } else if !options
            .pairs
            .iter()
            .any(|(a, b)| a == value("X-Api-App-Key") && b == value("X-Api-Access-Key"))
        {
            return refuse(401, "load grant: requested grant not found in SaaS storage");
        }
        if !options
            .granted_resources
            .iter()
            .any(|granted| granted == id)
        {
            return refuse(
                403,
                &format!("[resource_id={id}] requested resource not granted"),
            );
        }
        Ok(endpoint)
    }

    fn key(&self) -> Option<&str> {
        self.header("Sec-WebSocket-Key")
            .filter(|key| key.len() == 24 && key.ends_with("=="))
    }

    /// The 101.
    pub(crate) fn accept(&self, log_id: &str) -> Vec<u8> {
        let accept = derive_accept_key(
            self.header("Sec-WebSocket-Key")
                .unwrap_or_default()
                .as_bytes(),
        );
        let mut head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\nX-Tt-Logid: {log_id}\r\n"
        );
        if let Some(id) = self.header("X-Api-Connect-Id") {
            head += &format!("X-Api-Connect-Id: {id}\r\n");
        }
        (head + "\r\n").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: &str = "X-Api-App-Key: app-1\r\nX-Api-Access-Key: secret-access-key\r\n";
    const RESOURCE: &str = "X-Api-Resource-Id: volc.seedasr.sauc.duration\r\n";

    fn check(path: &str, headers: &str) -> Result<Endpoint, HttpAnswer> {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}"
        );
        let options = Options {
            granted_resources: vec!["volc.seedasr.sauc.duration".into()],
            ..Options::default()
        };
        Upgrade::parse(head.trim_end().as_bytes(), Vec::new())
            .unwrap()
            .check(&options)
    }

    #[test]
    fn refusals_with_their_bodies() {
        let path = Endpoint::Async.path();
        assert_eq!(
            check(path, &format!("{PAIR}{RESOURCE}")),
            Ok(Endpoint::Async)
        );
        assert_eq!(
            check(path, &format!("X-Api-Key: secret-api-key\r\n{RESOURCE}")),
            Ok(Endpoint::Async)
        );
        for (headers, status, body) in [
            (format!("{PAIR}{RESOURCE}Host: other\r\n"), 400, "Host"),
            (
                format!("{PAIR}X-Api-Key: secret-api-key\r\n{RESOURCE}"),
                400,
                "together",
            ),
            (PAIR.to_owned(), 400, r#"{"error":"get resource id empty"}"#),
            (
                format!("{PAIR}X-Api-Resource-Id: nonsense\r\n"),
                400,
                r#"{"error":"resourceId nonsense is not allowed"}"#,
            ),
            (
                format!("{PAIR}X-Api-Resource-Id: volc.bigasr.sauc.duration\r\n"),
                403,
                r#"{"error":"[resource_id=volc.bigasr.sauc.duration] requested resource not granted"}"#,
            ),
            (
                RESOURCE.to_owned(),
                401,
                r#"{"error":"load grant: requested grant not found in SaaS storage"}"#,
            ),
            (
                format!("X-Api-Key: other\r\n{RESOURCE}"),
                401,
                r#"{"error":"Invalid X-Api-Key"}"#,
            ),
            (format!("{PAIR}{RESOURCE}{RESOURCE}"), 400, "twice"),
            (
                format!("{PAIR}{RESOURCE}Sec-WebSocket-Extensions: permessage-deflate\r\n"),
                400,
                "Extensions",
            ),
            (
                format!("{PAIR}{RESOURCE}Sec-WebSocket-Protocol: chat\r\n"),
                400,
                "Protocol",
            ),
        ] {
            let answer = check(path, &headers).unwrap_err();
            assert_eq!(answer.status, status, "{headers}");
            assert!(
                answer.body.contains(body),
                "{} should hold {body}",
                answer.body
            );
        }
        assert_eq!(check("/api/v3/sauc/other", PAIR).unwrap_err().status, 404);
    }

    #[test]
    fn a_body_in_chunks() {
        let answer = HttpAnswer::error(403, "no");
        let text = String::from_utf8(answer.encode("log-1", true)).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("chunked") && !head.contains("Content-Length"));
        let end = "b;part\r\n{\"error\":\"n\r\n3;part\r\no\"}\r\n0\r\n\r\n";
        assert_eq!(body, end);
    }

    #[test]
    fn the_accept_key_is_the_standards_example() {
        let upgrade = Upgrade {
            headers: vec![
                (
                    "sec-websocket-key".into(),
                    "dGhlIHNhbXBsZSBub25jZQ==".into(),
                ),
                ("x-api-connect-id".into(), "7".into()),
            ],
            ..Upgrade::default()
        };
        let text = String::from_utf8(upgrade.accept("log-1")).unwrap();
        assert!(text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert!(text.contains("X-Api-Connect-Id: 7\r\n") && text.contains("X-Tt-Logid: log-1\r\n"));
    }
}
