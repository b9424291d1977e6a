//! The HTTP upgrade: parsed and answered by tungstenite's server side, checked here.

use crate::options::{Endpoint, Options, RESOURCES};
use std::{borrow::Cow, io};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_tungstenite::tungstenite::{
    handshake::{
        machine::TryParse,
        server::{Request, create_response},
    },
    http::{StatusCode, header::SEC_WEBSOCKET_ACCEPT},
};

/// More than any client's headers.
const MAX_HEAD: usize = 16 * 1024;

/// Length of the pieces of a chunked body: short, so that there are several.
const CHUNK: usize = 11;

/// Headers of the real 101 besides the upgrade's own. Their names are recorded, their values
/// modelled.
const EXTRA_HEADERS: &str = "Content-Length: 0\r\nServer: loopback\r\nVia: 1.1 loopback\r\n\
    Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\n\
    X-Tt-Trace-Tag: id=5\r\nX-Tt-Trace-Host: loopback\r\n";

const NO_GRANT: &str = "load grant: requested grant not found in SaaS storage";

/// An upgrade request.
#[derive(Clone, Debug)]
pub(crate) struct Upgrade {
    request: Request,
    /// Bytes that came behind it in the same read.
    pub rest: Vec<u8>,
}

/// An answer other than the 101.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The body; of a redirection (3xx) the `Location`, too.
    pub body: String,
}

impl HttpAnswer {
    fn error(status: u16, text: &str) -> Self {
        Self {
            status,
            body: serde_json::json!({ "error": text }).to_string(),
        }
    }

    /// The answer as HTTP; `chunked`: its body in chunks, without a length.
    pub(crate) fn encode(&self, log_id: &str, chunked: bool) -> String {
        let status = StatusCode::from_u16(self.status).unwrap_or_default();
        let location = match status.is_redirection() {
            true => format!("Location: {}\r\n", self.body),
            false => String::new(),
        };
        let (length, body) = match chunked {
            true => ("Transfer-Encoding: chunked".to_owned(), chunks(&self.body)),
            false => {
                let length = self.body.len();
                let length = format!("Content-Length: {length}\r\nConnection: close");
                (length, self.body.clone())
            }
        };
        format!(
            "HTTP/1.1 {status}\r\nX-Tt-Logid: {log_id}\r\n{location}\
             Content-Type: application/json; charset=utf-8\r\n{length}\r\n\r\n{body}"
        )
    }
}

fn chunks(body: &str) -> String {
    let characters: Vec<char> = body.chars().collect();
    let chunks = characters.chunks(CHUNK).map(|chunk| {
        let chunk = String::from_iter(chunk);
        format!("{:x};part\r\n{chunk}\r\n", chunk.len())
    });
    chunks.collect::<String>() + "0\r\n\r\n"
}

impl Upgrade {
    /// Reads the head of the request.
    ///
    /// # Errors
    /// The client left, or sent no HTTP, or more than 16 KiB of it.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(1024);
        loop {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match Request::try_parse(&bytes) {
                Ok(Some((size, request))) => {
                    let rest = bytes.split_off(size);
                    return Ok(Self { request, rest });
                }
                Ok(None) if bytes.len() <= MAX_HEAD => {}
                _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "no HTTP")),
            }
        }
    }

    /// The path, with the query behind it. **Credentials in the query included.**
    pub(crate) fn path(&self) -> String {
        self.request.uri().to_string()
    }

    /// All headers. **Credentials included.**
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let headers = self.request.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        });
        headers.collect()
    }

    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    /// A header `X-Api-…`, or the same in the query: `X-Api-Resource-Id` as `api_resource_id`.
    fn given(&self, name: &str) -> Option<Cow<'_, str>> {
        if let Some(value) = self.header(name) {
            return Some(value.into());
        }
        let name = name
            .trim_start_matches("X-")
            .to_ascii_lowercase()
            .replace('-', "_");
        let query = self.request.uri().query()?.as_bytes();
        form_urlencoded::parse(query).find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Decides: the endpoint and the 101, or the refusal. The statuses and bodies for resource ids
    /// and credentials are those of recorded traffic; the others are modelled.
    pub(crate) fn answer(
        &self,
        options: &Options,
        log_id: &str,
    ) -> Result<(Endpoint, String), HttpAnswer> {
        if self.request.headers().get_all("Host").iter().count() != 1 {
            return Err(HttpAnswer::error(400, "exactly one Host header is needed"));
        }
        let endpoint = Endpoint::of_path(self.request.uri().path())
            .ok_or_else(|| HttpAnswer::error(404, "no such path"))?;
        let response = create_response(&self.request)
            .map_err(|e| HttpAnswer::error(400, &format!("not a WebSocket upgrade: {e}")))?;
        self.check_credentials(options)?;
        let accept = response.headers().get(SEC_WEBSOCKET_ACCEPT);
        let accept = accept.and_then(|value| value.to_str().ok());
        let accept = accept.unwrap_or_default();
        let connect_id = self.header("X-Api-Connect-Id");
        let connect_id = connect_id.map(|id| format!("X-Api-Connect-Id: {id}\r\n"));
        let connect_id = connect_id.unwrap_or_default();
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\nX-Tt-Logid: {log_id}\r\n\
             {EXTRA_HEADERS}{connect_id}\r\n",
        );
        Ok((endpoint, head))
    }

    fn check_credentials(&self, options: &Options) -> Result<(), HttpAnswer> {
        let [key, app, access, id] = [
            "X-Api-Key",
            "X-Api-App-Key",
            "X-Api-Access-Key",
            "X-Api-Resource-Id",
        ]
        .map(|name| self.given(name));
        let id = id.unwrap_or_default();
        let is_among = |given: &Option<Cow<'_, str>>, known: &[String]| {
            given
                .as_ref()
                .is_some_and(|given| known.iter().any(|known| known == given))
        };
        let is_pair = is_among(&app, &options.app_keys) && is_among(&access, &options.access_keys);
        let (status, text) = match () {
            () if key.is_some() && (app.is_some() || access.is_some()) => {
                let pair = "X-Api-App-Key/X-Api-Access-Key";
                (400, format!("X-Api-Key and {pair} are given together"))
            }
            () if id.is_empty() => (400, "get resource id empty".to_owned()),
            () if !RESOURCES.contains(&&*id) => (400, format!("resourceId {id} is not allowed")),
            () if key.is_some() && !is_among(&key, &options.api_keys) => {
                (401, "Invalid X-Api-Key".to_owned())
            }
            () if key.is_none() && !is_pair => (401, NO_GRANT.to_owned()),
            () if !options.granted.iter().any(|granted| *granted == id) => {
                let text = format!("[resource_id={id}] requested resource not granted");
                (403, text)
            }
            () => return Ok(()),
        };
        Err(HttpAnswer::error(status, &text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: &str = "X-Api-App-Key: app-1\r\nX-Api-Access-Key: secret-access-key\r\n";
    const RESOURCE: &str = "X-Api-Resource-Id: volc.seedasr.sauc.duration\r\n";

    fn answer(path: &str, headers: &str) -> Result<(Endpoint, String), HttpAnswer> {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
             Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        let options = Options {
            granted: vec!["volc.seedasr.sauc.duration".into()],
            ..Options::default()
        };
        let (_, request) = Request::try_parse(head.as_bytes()).unwrap().unwrap();
        let rest = Vec::new();
        Upgrade { request, rest }.answer(&options, "log-1")
    }

    #[test]
    fn refusals_with_their_bodies() {
        let pair = format!("{PAIR}{RESOURCE}");
        let resource = |id| format!("{PAIR}X-Api-Resource-Id: {id}\r\n");
        let key = format!("X-Api-Key: secret-api-key\r\n{pair}");
        let wrong_key = format!("X-Api-Key: x\r\n{RESOURCE}");
        let not_granted = "[resource_id=volc.bigasr.sauc.duration] requested resource not granted";
        let together = "X-Api-Key and X-Api-App-Key/X-Api-Access-Key are given together";
        let host = format!("{pair}Host: other\r\n");
        for (headers, status, text) in [
            (host, 400, "exactly one Host header is needed"),
            (key, 400, together),
            (PAIR.to_owned(), 400, "get resource id empty"),
            (resource("x"), 400, "resourceId x is not allowed"),
            (resource("volc.bigasr.sauc.duration"), 403, not_granted),
            (RESOURCE.to_owned(), 401, NO_GRANT),
            (pair.replace("secret", "wrong"), 401, NO_GRANT),
            (wrong_key, 401, "Invalid X-Api-Key"),
        ] {
            let refused = answer(Endpoint::Async.path(), &headers).unwrap_err();
            assert_eq!(refused, HttpAnswer::error(status, text), "{headers}");
        }
        assert_eq!(answer("/api/v3/sauc/x", &pair).unwrap_err().status, 404);
    }

    /// Each kind of handshake that public clients make.
    #[test]
    fn the_handshakes_of_public_clients_are_taken() {
        let path = Endpoint::Bigmodel.path();
        let key = format!("X-Api-Key: secret-api-key\r\n{RESOURCE}");
        let query = "?api_key=secret-api-key&api_resource_id=volc.seedasr.sauc.duration";
        let pair_query = "?api_app_key=app-1&api_access_key=secret%2Daccess%2Dkey\
            &api_resource_id=volc.seedasr.sauc.duration";
        let extension = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
        let ids = "X-Api-Connect-Id: 7\r\nX-Api-Sequence: 1\r\n";
        for (query, headers) in [
            ("", format!("{PAIR}{RESOURCE}")),
            ("", key.clone()),
            ("", format!("{key}{extension}\r\n")),
            ("", format!("{key}Sec-WebSocket-Protocol: chat\r\n")),
            ("", format!("{key}{ids}")),
            (query, String::new()),
            (pair_query, "Origin: http://localhost\r\n".to_owned()),
        ] {
            let (endpoint, head) = answer(&format!("{path}{query}"), &headers).unwrap();
            assert_eq!(endpoint, Endpoint::Bigmodel);
            for line in [
                "Connection: upgrade",
                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
                "X-Tt-Logid: log-1",
                "Content-Length: 0",
            ] {
                assert!(head.contains(&format!("\r\n{line}\r\n")), "{head}");
            }
            assert!(!head.contains("Sec-WebSocket-Extensions") && !head.contains("Protocol:"));
            let echoed = headers.contains("Connect-Id");
            assert_eq!(head.contains("X-Api-Connect-Id: 7\r\n"), echoed);
        }
        let plan = "/api/v3/plan/sauc/bigmodel_nostream";
        assert_eq!(answer(plan, &key).unwrap().0, Endpoint::Nostream);
    }

    #[test]
    fn a_body_in_chunks() {
        let text = HttpAnswer::error(403, "no").encode("log-1", true);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("chunked") && !head.contains("Content-Length"));
        let end = "b;part\r\n{\"error\":\"n\r\n3;part\r\no\"}\r\n0\r\n\r\n";
        assert_eq!(body, end);
    }
}
