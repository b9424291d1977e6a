//! The address of the service: the property `uri`, parsed and checked.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::http::uri::Authority;

/// A checked `ws://` or `wss://` URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The host's name or address, an IPv6 address without its brackets.
    pub host: String,
    /// The port, the scheme's own if the URI names none.
    pub port: u16,
    /// Path and query.
    pub target: String,
}

/// Reason why a URI can't be used. No variant repeats the URI, which may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It does not parse.
    #[error("not a URI")]
    Invalid,
    /// Another scheme than `ws` and `wss`.
    #[error("the scheme must be wss:// (or ws:// to a loopback address)")]
    Scheme,
    /// No host.
    #[error("it names no host")]
    NoHost,
    /// `user:password@` before the host.
    #[error(
        "user info does not belong there: credentials go into the properties or the environment"
    )]
    UserInfo,
    /// Credentials would travel unencrypted to another machine.
    #[error(
        "ws:// sends the credentials in the clear to another machine: use wss://, or set \
         allow-insecure"
    )]
    Insecure,
}

impl Endpoint {
    /// Returns the last segment of the path, by which the service tells its endpoints apart.
    pub fn name(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default()
    }

    /// Parses and checks `uri`. Unencrypted connections are for loopback hosts, unless
    /// `allow_insecure`.
    pub fn parse(uri: &str, allow_insecure: bool) -> Result<Self, EndpointError> {
        let uri: Uri = uri.trim().parse().map_err(|_| EndpointError::Invalid)?;
        let tls = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") => false,
            _ => return Err(EndpointError::Scheme),
        };
        let authority = uri.authority().ok_or(EndpointError::NoHost)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::UserInfo);
        }
        let (host, port) = host_and_port(authority)?;
        let port = port.unwrap_or(if tls { 443 } else { 80 });
        let target = uri
            .path_and_query()
            .map_or("/", |target| target.as_str())
            .to_owned();
        let endpoint = Endpoint {
            tls,
            host,
            port,
            target,
        };
        if !tls && !allow_insecure && !endpoint.is_loopback() {
            return Err(EndpointError::Insecure);
        }
        Ok(endpoint)
    }

    /// Whether the host is this machine, by its name or address alone.
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(ip)) => ip.to_canonical().is_loopback(),
            Ok(ip) => ip.is_loopback(),
            Err(_) => self.host.eq_ignore_ascii_case("localhost"),
        }
    }

    /// Returns the `Host` header, without the scheme's default port.
    pub fn host_header(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => bracketed(&self.host).into_owned(),
            _ => self.authority(),
        }
    }

    /// Returns host and port.
    pub fn authority(&self) -> String {
        format!("{}:{}", bracketed(&self.host), self.port)
    }
}

/// Returns a host as a URI has it: an IPv6 address in brackets.
pub(super) fn bracketed(host: &str) -> Cow<'_, str> {
    match host.contains(':') {
        true => format!("[{host}]").into(),
        false => host.into(),
    }
}

/// Returns the host, an IPv6 address without its brackets, and the port, if one is named.
///
/// # Errors
/// [`EndpointError::NoHost`], and [`EndpointError::Invalid`] for an invalid port.
pub(super) fn host_and_port(authority: &Authority) -> Result<(String, Option<u16>), EndpointError> {
    let host = authority.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.is_empty() {
        return Err(EndpointError::NoHost);
    }
    match authority.port_u16() {
        None if authority.as_str() != host => Err(EndpointError::Invalid),
        port => Ok((bare.to_owned(), port)),
    }
}

/// Redacts a URI, valid or not: user info, query and fragment may hold secrets.
pub fn redact_uri(uri: &str) -> String {
    let (rest, cut) = match uri.find(['?', '#']) {
        Some(at) if uri[at..].starts_with('?') => (&uri[..at], "?…"),
        Some(at) => (&uri[..at], "#…"),
        None => (uri, ""),
    };
    let (scheme, rest) = rest.split_at(rest.find("://").map_or(0, |at| at + 3));
    // The last @ counts: a password may hold an unescaped slash.
    match rest.rsplit_once('@') {
        Some((_, rest)) => format!("{scheme}…@{rest}{cut}"),
        None => format!("{scheme}{rest}{cut}"),
    }
}

/// As a URI, without the query.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "wss" } else { "ws" };
        let uri = format!("{scheme}://{}{}", self.host_header(), self.target);
        f.write_str(&redact_uri(&uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::parse(uri, false)
    }

    #[test]
    fn a_uri_names_host_port_and_target() {
        for (uri, tls, port, target, host_header) in [
            ("wss://a.example/api/b", true, 443, "/api/b", "a.example"),
            ("wss://a.example:443", true, 443, "/", "a.example"),
            ("wss://a.example:80/", true, 80, "/", "a.example:80"),
            ("ws://127.0.0.1:8000/", false, 8000, "/", "127.0.0.1:8000"),
            ("ws://[::1]:8000/", false, 8000, "/", "[::1]:8000"),
            ("ws://[::1]/x?y", false, 80, "/x?y", "[::1]"),
        ] {
            let endpoint = parse(uri).expect(uri);
            let found = (endpoint.tls, endpoint.port, endpoint.target.as_str());
            assert_eq!(found, (tls, port, target), "{uri}");
            assert_eq!(endpoint.host_header(), host_header);
            // The query may be secret.
            let shown = endpoint.to_string();
            let query = shown.split_once('?').map(|(_, query)| query);
            assert!(query.is_none_or(|query| query == "…"), "{shown}");
        }
    }

    #[test]
    fn unusable_uris_are_refused_and_unencrypted_ones_only_to_another_machine() {
        use EndpointError::{Insecure, Invalid, Scheme, UserInfo};
        for (uri, refused) in [
            ("ws://127.0.0.1:8000/x", None),
            ("ws://localhost/x", None),
            ("ws://[::1]:9/x", None),
            ("ws://127.9.9.9/", None),
            ("ws://10.0.0.1/x", Some(Insecure)),
            ("ws://example.com/x", Some(Insecure)),
            ("ws://localhost.example.com/", Some(Insecure)),
            ("wss://me:pw@example.com/", Some(UserInfo)),
            ("wss://key@example.com/", Some(UserInfo)),
            ("https://example.com/", Some(Scheme)),
            ("example.com", Some(Scheme)),
            ("", Some(Invalid)),
            ("wss://", Some(Invalid)),
            ("wss://host:99999/", Some(Invalid)),
        ] {
            assert_eq!(parse(uri).err(), refused, "{uri}");
            let if_allowed = refused.filter(|error| *error != Insecure);
            assert_eq!(Endpoint::parse(uri, true).err(), if_allowed, "{uri}");
        }
    }

    #[test]
    fn a_uri_is_shown_without_what_may_be_secret() {
        for (uri, shown) in [
            ("wss://example.com/a", "wss://example.com/a"),
            ("wss://example.com/a?x=1", "wss://example.com/a?…"),
            ("wss://example.com/a?x=@b#c", "wss://example.com/a?…"),
            ("wss://example.com/a#b?c", "wss://example.com/a#…"),
            ("wss://me:p/w@example.com/", "wss://…@example.com/"),
            ("wss://me:pw@example.com:1/a", "wss://…@example.com:1/a"),
            ("https://me:p@w@example.com", "https://…@example.com"),
            ("me:pw@example.com", "…@example.com"),
            ("?x", "?…"),
            ("", ""),
        ] {
            assert_eq!(redact_uri(uri), shown);
        }
    }
}
