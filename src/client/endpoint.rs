//! Where the service is: the property `uri`, taken apart and checked.

use std::net::IpAddr;

use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::http::uri::Authority;

use super::upgrade::Credentials;
use crate::protocol::text::sanitize;

/// A checked `ws://` or `wss://` URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The host's name or address, an IPv6 address without its brackets.
    pub host: String,
    /// The port, the scheme's own if the URI names none.
    pub port: u16,
    /// What the upgrade request asks for: the path and the query.
    pub target: String,
}

/// Why a URI can't be used. No variant repeats the URI, which may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It does not parse.
    #[error("not a URI")]
    Invalid,
    /// Another scheme than the two.
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
    /// A query parameter that looks like a credential.
    #[error(
        "its query holds the credential \"{0}\": credentials go into the properties or the environment"
    )]
    Credential(String),
    /// Credentials would travel unencrypted to another machine.
    #[error(
        "ws:// sends the credentials in the clear to another machine: use wss://, or set allow-insecure"
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
        if let Some(name) = uri.query().and_then(|query| credential_in(query, &[])) {
            return Err(EndpointError::Credential(name));
        }
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

    /// Checks that the query does not repeat what the user is known by.
    ///
    /// # Errors
    /// [`EndpointError::Credential`], without the parameter's name: it may be the secret itself.
    pub fn check(&self, credentials: &Credentials) -> Result<(), EndpointError> {
        let secrets: Vec<_> = credentials.secrets().collect();
        let query = self.target.split_once('?').map(|(_, query)| query);
        match query.and_then(|query| credential_in(query, &secrets)) {
            Some(name) => Err(EndpointError::Credential(name)),
            None => Ok(()),
        }
    }

    /// Whether the host is this machine, by its name or address alone.
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(ip)) => ip.to_canonical().is_loopback(),
            Ok(ip) => ip.is_loopback(),
            Err(_) => self.host.eq_ignore_ascii_case("localhost"),
        }
    }

    /// The `Host` header: without the port if it is the scheme's own.
    pub fn host_header(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => self.bracketed_host(),
            _ => self.authority(),
        }
    }

    /// Host and port.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.bracketed_host(), self.port)
    }

    fn bracketed_host(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        }
    }
}

/// The host, an IPv6 address without its brackets, and the port, if one is named.
///
/// # Errors
/// [`EndpointError::NoHost`], and [`EndpointError::Invalid`] for a port that is none.
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

/// A URI for people to read: what [`Endpoint::parse`] would refuse as a secret is left out, whatever else is
/// wrong with it, and so is a fragment, which is never sent. `known`: what else is a secret.
pub fn without_secrets(uri: &str, known: &[&str]) -> String {
    let (uri, fragment) = match uri.split_once('#') {
        Some((uri, _)) => (uri, "#***"),
        None => (uri, ""),
    };
    let (rest, query) = match uri.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (uri, None),
    };
    let (scheme, rest) = rest.split_at(rest.find("://").map_or(0, |at| at + 3));
    let mut shown = scheme.to_owned();
    // A password may hold an unescaped slash: so the last @ counts.
    match rest.rsplit_once('@') {
        Some((_, rest)) => shown.extend(["***@", rest]),
        None => shown.push_str(rest),
    }
    match query {
        Some(query) if credential_in(query, known).is_some() => shown.push_str("?***"),
        Some(query) => shown.extend(["?", query]),
        None => {}
    }
    shown.push_str(fragment);
    shown
}

/// The name of the first query parameter that looks like a credential, or whose value is one of the `known` ones.
///
/// A parameter without a value may be the secret itself; then the name is not told, nor is that of a known one.
fn credential_in(query: &str, known: &[&str]) -> Option<String> {
    /// In any name.
    const SECRETS: [&str; 9] = [
        "key",
        "token",
        "secret",
        "password",
        "passwd",
        "pwd",
        "auth",
        "credential",
        "signature",
    ];
    /// As words of their own: others hold them by chance, such as "design" and "bypass".
    const SHORT: [&str; 3] = ["pass", "sign", "sig"];
    query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name), decoded(value));
        let is_known = |part: &str| !part.is_empty() && known.contains(&part);
        if is_known(&name) || is_known(&value) {
            return Some("?".to_owned());
        }
        let lower = name.to_ascii_lowercase();
        let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
        let tells = SECRETS.iter().any(|secret| lower.contains(secret))
            || words.any(|word| SHORT.contains(&word));
        tells.then(|| match pair.contains('=') {
            true => sanitize(&name),
            false => "?".to_owned(),
        })
    })
}

/// What a part of a query stands for: `%` and two digits are a byte.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.first_chunk::<2>().filter(|_| first == b'%');
        let byte = digits.and_then(|digits| {
            let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
            u8::try_from(high? * 16 + low?).ok()
        });
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::parse(uri, false)
    }

    #[test]
    fn the_default_uri() {
        let endpoint = parse("wss://openspeech.bytedance.com/api/v3/sauc/bigmodel_async");
        let endpoint = endpoint.expect("the default");
        assert!(endpoint.tls);
        assert_eq!(endpoint.port, 443);
        assert_eq!(endpoint.target, "/api/v3/sauc/bigmodel_async");
        assert_eq!(endpoint.host_header(), "openspeech.bytedance.com");
    }

    #[test]
    fn unencrypted_only_to_this_machine() {
        for uri in [
            "ws://127.0.0.1:8000/x",
            "ws://localhost/x",
            "ws://[::1]:9/x",
            "ws://127.9.9.9/",
        ] {
            assert!(parse(uri).is_ok(), "{uri}");
        }
        for uri in [
            "ws://10.0.0.1/x",
            "ws://example.com/x",
            "ws://localhost.example.com/",
        ] {
            assert_eq!(parse(uri), Err(EndpointError::Insecure), "{uri}");
            assert!(Endpoint::parse(uri, true).is_ok(), "{uri}");
        }
    }

    #[test]
    fn secrets_do_not_belong_into_a_uri() {
        assert_eq!(
            parse("wss://me:pw@example.com/"),
            Err(EndpointError::UserInfo)
        );
        assert_eq!(
            parse("wss://example.com/a?x=1&Access_Token=abc"),
            Err(EndpointError::Credential("Access_Token".into()))
        );
        assert_eq!(
            parse("wss://example.com/a?my-secret-key-4711"),
            Err(EndpointError::Credential("?".into()))
        );
        assert!(parse("wss://example.com/a?x=1&lang=en").is_ok());
        for name in [
            "pwd",
            "user_pass",
            "Sign",
            "X-Signature",
            "sig",
            "%74oken",
            "ap%69%4bey",
        ] {
            let refused = parse(&format!("wss://example.com/a?{name}=abc"));
            assert!(
                matches!(refused, Err(EndpointError::Credential(_))),
                "{name}: {refused:?}"
            );
        }
        for name in ["design", "bypass", "x%", "x%zz", "%"] {
            assert!(
                parse(&format!("wss://example.com/a?{name}=abc")).is_ok(),
                "{name}"
            );
        }
    }

    #[test]
    fn a_query_does_not_repeat_the_credentials() {
        let pair = Credentials::Pair {
            app_key: "app-9".into(),
            access_key: "s e/cret".into(),
        };
        for (query, sound) in [
            ("x=app-91", true),
            ("x", true),
            ("x=app-9", false),
            ("app-9", false),
            ("y=1&x=s%20e%2Fcret", false),
        ] {
            let endpoint = parse(&format!("wss://example.com/a?{query}")).expect(query);
            let told = EndpointError::Credential("?".into());
            let expected = if sound { Ok(()) } else { Err(told) };
            assert_eq!(endpoint.check(&pair), expected, "{query}");
        }
        assert_eq!(
            without_secrets("wss://a/?x=app-9", &["app-9"]),
            "wss://a/?***"
        );
    }

    #[test]
    fn a_uri_is_shown_without_what_would_be_refused() {
        for (uri, shown) in [
            ("wss://example.com/a?x=1", "wss://example.com/a?x=1"),
            ("wss://me:p/w@example.com/", "wss://***@example.com/"),
            ("wss://me:pw@example.com:1/a", "wss://***@example.com:1/a"),
            ("https://me:pw@example.com", "https://***@example.com"),
            ("me:pw@example.com", "***@example.com"),
            ("wss://example.com/a?token=abc", "wss://example.com/a?***"),
            ("wss://example.com/a?secret4711", "wss://example.com/a?***"),
            ("wss://example.com/a#abc", "wss://example.com/a#***"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(uri, &[]), shown);
        }
    }

    #[test]
    fn what_is_not_a_websocket_uri() {
        assert_eq!(parse("https://example.com/"), Err(EndpointError::Scheme));
        assert_eq!(parse("example.com"), Err(EndpointError::Scheme));
        assert_eq!(parse(""), Err(EndpointError::Invalid));
        assert!(parse("wss://").is_err());
        assert!(parse("wss://host:99999/").is_err());
    }

    #[test]
    fn the_host_header_names_an_unusual_port() {
        let host = |uri| parse(uri).map(|endpoint| endpoint.host_header());
        assert_eq!(
            host("ws://127.0.0.1:8000/").as_deref(),
            Ok("127.0.0.1:8000")
        );
        assert_eq!(host("ws://[::1]:8000/").as_deref(), Ok("[::1]:8000"));
        assert_eq!(host("wss://example.com:443/").as_deref(), Ok("example.com"));
    }
}
