//! The way to the service, tried beside the element: names, and the proxy.

use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use gst::prelude::*;

use crate::failure::one_line;

/// How long a name or the proxy may take; the element has a limit of its own.
const LIMIT: Duration = Duration::from_secs(10);

/// A step of the way, with the time that it took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    pub took: Duration,
    pub text: String,
}

/// The part of the way that this machine can try by itself.
#[derive(Debug)]
pub struct Way {
    /// The name that this machine resolves: the service's, or its proxy's.
    pub name: Result<Step, Step>,
    /// The proxy, if there is one, and whether it is reached.
    pub proxy: Option<Result<Step, Step>>,
}

impl Way {
    /// Resolves the name of the service or of its proxy, and reaches the proxy.
    pub fn find(property: Option<&str>, uri: &str) -> Self {
        // The element shows no login, and what it shows in its place is no URI.
        let bare = property.map(without_user);
        let Some(proxy) = gstvolcasr::proxy_for(uri, bare.as_deref()) else {
            return Way {
                name: resolve(uri).map(|(_, step)| step),
                proxy: None,
            };
        };
        let source = match property {
            Some(_) => "property proxy",
            None => "environment",
        };
        let shown = format!("{proxy}, from the {source}");
        let found = resolve(&proxy);
        let reached = match &found {
            Ok((addresses, _)) => reach(addresses, &shown),
            Err(failed) => Err(failed.clone()),
        };
        let service = host_of(uri).map_or(String::new(), |(host, _)| host);
        Way {
            name: found.map(|(_, step)| Step {
                text: format!("{}; the proxy resolves {service}", step.text),
                ..step
            }),
            proxy: Some(reached),
        }
    }
}

/// The service's address, without its query: the property, or what stands for its default.
pub fn address(sink: &gst::Element) -> String {
    let set: Option<String> = sink.property("uri");
    let default = sink.find_property("uri");
    let default = default.and_then(|spec| spec.default_value().get::<Option<String>>().ok());
    let from_environment = std::env::var("VOLCASR_URI").ok();
    let uri = match from_environment.filter(|uri| !uri.is_empty()) {
        Some(uri) if default == Some(set.clone()) => uri,
        _ => set.unwrap_or_default(),
    };
    let bare = uri.split('?').next();
    one_line(bare.unwrap_or_default())
}

/// Resolves the host of a URI.
fn resolve(uri: &str) -> Result<(Vec<SocketAddr>, Step), Step> {
    match host_of(uri) {
        Some((host, port)) => look_up(&host, port),
        None => Err(Step::default()),
    }
}

fn look_up(host: &str, port: u16) -> Result<(Vec<SocketAddr>, Step), Step> {
    let began = Instant::now();
    let step = |text: String| Step {
        took: began.elapsed(),
        text,
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        let text = format!("{host} is an address");
        return Ok((vec![SocketAddr::new(address, port)], step(text)));
    }
    let (sender, found) = mpsc::channel();
    let name = host.to_owned();
    // On a thread of its own: the system's resolver has no limit.
    std::thread::spawn(move || {
        let addresses = (name.as_str(), port).to_socket_addrs();
        let _ = sender.send(addresses.map(Iterator::collect::<Vec<_>>));
    });
    match found.recv_timeout(LIMIT) {
        Ok(Ok(addresses)) if !addresses.is_empty() => {
            let first = addresses[0].ip();
            let text = match addresses.len() {
                1 => format!("{host}: {first}"),
                more => format!("{host}: {first} and {} more", more - 1),
            };
            Ok((addresses, step(text)))
        }
        Ok(Ok(_)) => Err(step(format!("{host} has no address"))),
        Ok(Err(error)) => Err(step(format!("{host}: {error}"))),
        Err(_) => Err(step(format!("{host}: no answer within {LIMIT:?}"))),
    }
}

/// Connects to the first address that answers.
fn reach(addresses: &[SocketAddr], shown: &str) -> Result<Step, Step> {
    let began = Instant::now();
    let step = |text: String| Step {
        took: began.elapsed(),
        text,
    };
    let mut last = None;
    for address in addresses {
        let left = LIMIT.saturating_sub(began.elapsed());
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, left) {
            Ok(_) => return Ok(step(shown.to_owned())),
            Err(error) => last = Some(format!("{address}: {error}")),
        }
    }
    Err(step(last.unwrap_or_else(|| shown.to_owned())))
}

fn without_user(uri: &str) -> String {
    match (uri.split_once("://"), uri.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => uri.to_owned(),
    }
}

/// Host and port of a URI.
fn host_of(uri: &str) -> Option<(String, u16)> {
    let (scheme, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let place = authority.rsplit('@').next()?;
    let default = if scheme == "ws" { 80 } else { 443 };
    let (host, port) = match place.rsplit_once(':') {
        // A colon within brackets belongs to an address.
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (place, default),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        let cases = [
            ("wss://asr.example/x", Some(("asr.example", 443))),
            ("ws://127.0.0.1:8024/x", Some(("127.0.0.1", 8024))),
            ("ws://asr.example", Some(("asr.example", 80))),
            ("ws://[::1]:8024/x", Some(("::1", 8024))),
            ("wss://[::1]", Some(("::1", 443))),
            ("nonsense", None),
            ("wss:///x", None),
        ];
        for (uri, expected) in cases {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(host_of(uri), expected, "{uri}");
        }
    }

    #[test]
    fn a_proxys_user_is_not_shown() {
        let cases = [
            ("http://me:secret@proxy:3128", "http://proxy:3128"),
            ("me:secret@proxy:3128", "proxy:3128"),
            ("socks5://proxy", "socks5://proxy"),
            ("", ""),
        ];
        for (uri, shown) in cases {
            assert_eq!(without_user(uri), shown);
        }
    }

    #[test]
    fn an_address_needs_no_look_up() {
        let (addresses, step) = look_up("::1", 7).expect("an address");
        assert_eq!(addresses, ["[::1]:7".parse().expect("a constant")]);
        assert_eq!(step.text, "::1 is an address");
    }

    #[test]
    fn a_proxy_is_reached_or_not() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        assert_eq!(reach(&[address], "it").expect("reached").text, "it");
        drop(listener);
        let failed = reach(&[address], "it").expect_err("nothing listens");
        assert!(failed.text.starts_with(&address.to_string()), "{failed:?}");
    }
}
