//! Choice of the proxy, by properties and environment.
//!
//! The usual variables count, as with curl: `https_proxy` for `wss://`, `http_proxy` for `ws://`,
//! `all_proxy` for both, and `no_proxy` for hosts that are reached without one. hyper-util's
//! matcher would bring fifteen crates, and it ignores a URI that it can't read: a misspelt proxy
//! would be bypassed in silence.

mod tunnel;

use std::fmt;
use std::net::IpAddr;

use data_encoding::BASE64;
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use tokio_tungstenite::tungstenite::http::Uri;

use super::endpoint::{Endpoint, bracketed, host_and_port};

/// Protocol of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    /// CONNECT, unencrypted.
    Http,
    /// CONNECT, inside TLS.
    Https,
    /// RFC 1928. Names are always resolved by the proxy, so `socks5` and `socks5h` are the same.
    Socks5,
}

/// Login of a proxy. Never shown.
#[derive(Clone, PartialEq, Eq)]
struct Login {
    id: String,
    password: String,
}

/// A proxy, with the login for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    scheme: Scheme,
    pub(super) host: String,
    pub(super) port: u16,
    login: Option<Login>,
}

/// Without the login.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Socks5 => "socks5h",
        };
        write!(f, "{scheme}://{}:{}", bracketed(&self.host), self.port)
    }
}

/// Without the login.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// Reason why a proxy can't be used. No variant repeats its URI, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyUriError {
    /// It does not parse, or names no host.
    #[error("not the URI of a proxy, such as http://proxy.example:3128")]
    Invalid,
    /// Unknown scheme.
    #[error("the scheme of a proxy must be http://, https://, socks5:// or socks5h://")]
    Scheme,
    /// SOCKS5 takes neither longer nor empty names and passwords.
    #[error("a SOCKS5 proxy takes a name and a password of 1 to 255 bytes each")]
    LoginLength,
}

/// Source of a proxy that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyChoiceError {
    /// The properties.
    #[error("{0}")]
    Property(ProxyUriError),
    /// The variable of this name.
    #[error("{0} in the environment: {1}")]
    Variable(&'static str, ProxyUriError),
}

/// The element's properties about proxies.
#[derive(Clone, Copy, Default)]
pub struct ProxyProperties<'a> {
    /// `proxy`. `None`: the environment decides; empty: no proxy.
    pub uri: Option<&'a str>,
    /// `proxy-id`. It replaces a user name in the URI.
    pub id: Option<&'a str>,
    /// `proxy-pw`. It replaces a password in the URI, and goes with `proxy-id` or with the user
    /// name in the URI.
    pub password: Option<&'a str>,
}

/// A variable's name and value. An empty value means no proxy.
type Variable = Option<(&'static str, String)>;

/// The environment's variables about proxies.
#[derive(Clone, Default)]
pub struct ProxyVariables {
    https: Variable,
    http: Variable,
    all: Variable,
    no: Variable,
}

impl ProxyVariables {
    /// Reads the process's environment.
    pub fn read() -> Self {
        ProxyVariables::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads variables by `get`. The lower-case form comes first, as everywhere. `HTTP_PROXY` does
    /// not count: a web server passes a client's header to CGI programs in it (CVE-2016-5385,
    /// "httpoxy").
    fn from_lookup(get: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&'static str]| {
            let mut names = names.iter();
            names.find_map(|&name| get(name).map(|value| (name, value.trim().to_owned())))
        };
        ProxyVariables {
            https: first(&["https_proxy", "HTTPS_PROXY"]),
            http: first(&["http_proxy"]),
            all: first(&["all_proxy", "ALL_PROXY"]),
            no: first(&["no_proxy", "NO_PROXY"]),
        }
    }
}

/// Chooses the proxy for `endpoint`.
///
/// The property counts for all hosts. The variables do not count for loopback addresses and hosts
/// that `no_proxy` lists.
///
/// # Errors
/// The value is not the URI of a proxy.
pub fn choose(
    properties: ProxyProperties<'_>,
    variables: &ProxyVariables,
    endpoint: &Endpoint,
) -> Result<Option<Proxy>, ProxyChoiceError> {
    let parse = |uri: &str| Proxy::parse(uri, properties.id, properties.password);
    if let Some(uri) = properties.uri.map(str::trim) {
        let proxy = (!uri.is_empty()).then(|| parse(uri)).transpose();
        return proxy.map_err(ProxyChoiceError::Property);
    }
    let by_scheme = match endpoint.tls {
        true => &variables.https,
        false => &variables.http,
    };
    let Some((name, uri)) = by_scheme.as_ref().or(variables.all.as_ref()) else {
        return Ok(None);
    };
    let excepted = variables.no.as_ref();
    let direct = excepted.is_some_and(|(_, list)| is_listed(list, &endpoint.host));
    if uri.is_empty() || direct || endpoint.is_loopback() {
        return Ok(None);
    }
    match parse(uri) {
        Ok(proxy) => Ok(Some(proxy)),
        Err(error) => Err(ProxyChoiceError::Variable(name, error)),
    }
}

/// Whether `no_proxy` lists `host`: by name, with all names below it, by address, by network, or
/// all hosts by `*`.
///
/// Entries end at commas and blanks. A dot or `*.` before a name changes nothing, as with curl.
fn is_listed(no_proxy: &str, host: &str) -> bool {
    let address = host.parse::<IpAddr>().map(|ip| ip.to_canonical());
    let host = host.strip_suffix('.').unwrap_or(host);
    let mut entries = no_proxy.split(|c: char| c == ',' || c.is_whitespace());
    entries.any(|entry| {
        if let Ok(address) = address {
            let bare = entry.trim_start_matches('[').trim_end_matches(']');
            let is_equal = bare
                .parse()
                .is_ok_and(|ip: IpAddr| ip.to_canonical() == address);
            let is_within = || entry.parse().is_ok_and(|net: IpNet| net.contains(&address));
            return entry == "*" || is_equal || is_within();
        }
        let name = entry.strip_prefix('*').unwrap_or(entry);
        let name = name.trim_start_matches('.').trim_end_matches('.');
        let parent = host.len().checked_sub(name.len());
        let ends_alike = parent
            .and_then(|at| host.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(name));
        let at_a_dot = parent.is_some_and(|at| at == 0 || host[..at].ends_with('.'));
        entry == "*" || !name.is_empty() && ends_alike && at_a_dot
    })
}

impl Proxy {
    fn parse(uri: &str, id: Option<&str>, password: Option<&str>) -> Result<Self, ProxyUriError> {
        let (scheme, rest) = uri.split_once("://").unwrap_or(("http", uri));
        let (scheme, port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Scheme::Http, 80),
            "https" => (Scheme::Https, 443),
            "socks5" | "socks5h" => (Scheme::Socks5, 1080),
            _ => return Err(ProxyUriError::Scheme),
        };
        // The library knows no SOCKS.
        let uri: Uri = format!("http://{rest}")
            .parse()
            .map_err(|_| ProxyUriError::Invalid)?;
        let authority = uri.authority().ok_or(ProxyUriError::Invalid)?.as_str();
        let (user, at) = match authority.rsplit_once('@') {
            Some((user, at)) => (Some(user), at),
            None => (None, authority),
        };
        let at = at.parse().map_err(|_| ProxyUriError::Invalid)?;
        let (host, named) = host_and_port(&at).map_err(|_| ProxyUriError::Invalid)?;
        let in_uri = user.map(|user| {
            let (id, password) = user.split_once(':').unwrap_or((user, ""));
            let decoded = |part| percent_decode_str(part).decode_utf8_lossy().into_owned();
            Login {
                id: decoded(id),
                password: decoded(password),
            }
        });
        let login = match id {
            Some(id) => Some(Login {
                id: id.to_owned(),
                password: password.unwrap_or_default().to_owned(),
            }),
            None => in_uri.map(|login| Login {
                password: password.map_or(login.password, str::to_owned),
                ..login
            }),
        };
        let fits = |part: &String| (1..=255).contains(&part.len());
        if let Some(Login { id, password }) = &login
            && scheme == Scheme::Socks5
            && !(fits(id) && fits(password))
        {
            return Err(ProxyUriError::LoginLength);
        }
        Ok(Proxy {
            scheme,
            host,
            port: named.unwrap_or(port),
            login,
        })
    }

    /// Whether the connection to the proxy is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Returns the value of `Proxy-Authorization`, if there is a login.
    fn basic(&self) -> Option<String> {
        let Login { id, password } = self.login.as_ref()?;
        Some(BASE64.encode(format!("{id}:{password}").as_bytes()))
    }

    /// Returns the secrets to redact: the password, and the login as HTTP sends it. The user name
    /// is none: names such as "proxy" and "user" occur in many texts.
    pub(in crate::client) fn secrets(&self) -> impl Iterator<Item = String> {
        let password = self.login.as_ref().map(|login| login.password.clone());
        password.into_iter().chain(self.basic())
    }
}

#[cfg(test)]
mod tests;
