//! The head of an HTTP response: of the service's handshake, or of a proxy's tunnel.
//!
//! tungstenite's `TryParse` refuses HTTP/1.0, which proxies and captive portals answer with: their
//! status would be lost.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// Upper bound on a head, in bytes.
const MAX_HEAD: usize = 16 * 1024;
pub(super) const MAX_FIELDS: usize = 64;

/// A status, and the fields whose values are text.
#[derive(Debug)]
pub(super) struct Head {
    pub status: u16,
    fields: Vec<(String, String)>,
}

/// Reads from `stream` into `buffer` until the head is complete. Returns it with its length.
///
/// # Errors
/// The connection broke. The inner error: what comes is no head.
pub(super) async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> io::Result<Result<(Head, usize), String>> {
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match Head::parse(buffer) {
            Ok(Some(parsed)) => return Ok(Ok(parsed)),
            Err(error) => return Ok(Err(error.to_string())),
            Ok(None) if buffer.len() > MAX_HEAD => return Ok(Err("its header has no end".into())),
            Ok(None) => {}
        }
    }
}

/// Returns the status at the beginning of a head that need not be complete.
pub(super) fn status_of(bytes: &[u8]) -> Option<u16> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    // The parser stops at the end of the bytes and leaves in `response` what it has read.
    let _ = response.parse(bytes);
    response.code
}

impl Head {
    /// Parses a head. Returns it with its length once it is complete.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, httparse::Error> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(length) = response.parse(bytes)? else {
            return Ok(None);
        };
        let fields = response.headers.iter().filter_map(|field| {
            let value = std::str::from_utf8(field.value).ok()?;
            Some((field.name.to_owned(), value.trim().to_owned()))
        });
        let head = Head {
            status: response.code.unwrap_or_default(),
            fields: fields.collect(),
        };
        Ok(Some((head, length)))
    }

    /// Returns the value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    /// Whether the list in a field has `token`.
    pub fn lists(&self, name: &str, token: &str) -> bool {
        let mut items = self.field(name).unwrap_or_default().split(',');
        items.any(|item| item.trim().eq_ignore_ascii_case(token))
    }
}
