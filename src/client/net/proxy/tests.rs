//! Choice of the proxy by properties and variables, and the request that it gets.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::client::net::dial_error::ProxyError;
use crate::client::net::transport::Transport;
use crate::protocol::failure::Retry;

fn endpoint(uri: &str) -> Endpoint {
    Endpoint::parse(uri, true).expect("a URI")
}

/// Variables, as `name=value` separated by blanks.
fn variables(text: &str) -> ProxyVariables {
    let all: Vec<_> = text
        .split(' ')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    ProxyVariables::from_lookup(|name| {
        let found = all.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

/// The proxy that a property and variables choose for `uri`, as it is displayed.
fn chosen(property: Option<&str>, text: &str, uri: &str) -> String {
    let properties = ProxyProperties {
        uri: property,
        ..ProxyProperties::default()
    };
    match choose(properties, &variables(text), &endpoint(uri)) {
        Ok(Some(proxy)) => proxy.to_string(),
        Ok(None) => "none".into(),
        Err(error) => error.to_string(),
    }
}

const SCHEME: &str = "the scheme of a proxy must be http://, https://, socks5:// or socks5h://";
const NO_URI: &str = "not the URI of a proxy, such as http://proxy.example:3128";

#[test]
fn a_property_or_the_environment_names_a_proxy() {
    let (wss, ws) = ("wss://asr.example/", "ws://asr.example/");
    let scheme = format!("https_proxy in the environment: {SCHEME}");
    let no_uri = format!("ALL_PROXY in the environment: {NO_URI}");
    #[rustfmt::skip]
    let rows = [
        ("", wss, "none"),
        ("https_proxy=http://a:3128", wss, "http://a:3128"),
        ("HTTPS_PROXY=http://a:3128", wss, "http://a:3128"),
        ("https_proxy=http://a HTTPS_PROXY=http://b", wss, "http://a:80"),
        ("all_proxy=socks5://a", wss, "socks5h://a:1080"),
        ("ALL_PROXY=socks5h://a:9", wss, "socks5h://a:9"),
        ("https_proxy=http://a all_proxy=http://b", wss, "http://a:80"),
        // Without a scheme, as curl takes it.
        ("https_proxy=a:3128", wss, "http://a:3128"),
        ("https_proxy=HTTPS://[2001:db8::1]/", wss, "https://[2001:db8::1]:443"),
        // An empty property is no proxy, also beside variables.
        ("https_proxy= all_proxy=http://b", wss, "none"),
        ("https_proxy= HTTPS_PROXY=http://b", wss, "none"),
        // The scheme of `uri` decides. HTTP_PROXY may be a client's header in a CGI program.
        ("http_proxy=http://a", wss, "none"),
        ("http_proxy=http://a", ws, "http://a:80"),
        ("HTTP_PROXY=http://a", ws, "none"),
        ("https_proxy=http://a", ws, "none"),
        ("all_proxy=http://a", ws, "http://a:80"),
        // Never for this machine.
        ("https_proxy=http://a", "wss://localhost/", "none"),
        ("all_proxy=http://a", "ws://127.0.0.1:8024/", "none"),
        ("all_proxy=http://a", "ws://[::1]:8024/", "none"),
        ("https_proxy=http://a no_proxy=asr.example", wss, "none"),
        ("https_proxy=http://a NO_PROXY=example", wss, "none"),
        ("https_proxy=http://a no_proxy= NO_PROXY=*", wss, "http://a:80"),
        // An invalid one is not bypassed.
        ("https_proxy=socks4://a", wss, &scheme),
        ("ALL_PROXY=http://me:pw@", wss, &no_uri),
    ];
    for (variables, uri, proxy) in rows {
        let shown = chosen(None, variables, uri);
        assert_eq!(shown, proxy, "{variables} {uri}");
    }
    // A property beats the environment.
    let everything = "https_proxy=http://b http_proxy=http://b all_proxy=http://b no_proxy=*";
    for (property, uri, proxy) in [
        ("http://a:3128", wss, "http://a:3128"),
        (" socks5://a ", wss, "socks5h://a:1080"),
        // For every host, this machine among them.
        ("http://a:3128", "ws://127.0.0.1:8024/", "http://a:3128"),
        ("", wss, "none"),
        (" ", wss, "none"),
        ("ftp://a", wss, SCHEME),
        ("http://a:b", wss, NO_URI),
    ] {
        let shown = chosen(Some(property), everything, uri);
        assert_eq!(shown, proxy, "{property} {uri}");
    }
}

/// A list, the hosts that go without a proxy, and others.
#[test]
fn hosts_that_go_without_a_proxy() {
    #[rustfmt::skip]
    let rows = [
        ("*", "asr.example 10.0.0.1 ::1", ""),
        (
            "asr.example",
            "asr.example ASR.Example a.asr.example asr.example.",
            "notasr.example example asr.example.org",
        ),
        (".asr.example", "asr.example a.asr.example", "xasr.example"),
        ("*.asr.example", "a.asr.example", "xasr.example"),
        ("a.example, b.example c.example", "a.example b.example c.example", "d.example"),
        ("10.0.0.1", "10.0.0.1 ::ffff:10.0.0.1", "10.0.0.2 110.0.0.1"),
        ("0.0.1", "", "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1 10.255.0.1", "11.0.0.1 10.example"),
        ("2001:db8::/32", "2001:db8::1", "2001:db9::1"),
        ("[2001:db8::1]", "2001:db8::1", "2001:db8::2"),
        ("", "", "asr.example 10.0.0.1"),
        (", ,.", "", "asr.example"),
        ("秘.example", "a.秘.example", "x秘.example 密.example"),
    ];
    for (list, listed, others) in rows {
        for (hosts, expected) in [(listed, true), (others, false)] {
            for host in hosts.split_whitespace() {
                assert_eq!(is_listed(list, host), expected, "{list:?} {host}");
            }
        }
    }
}

#[test]
fn a_login_comes_from_the_properties_or_the_uri() {
    for (uri, id, password, login) in [
        ("http://a", None, None, None),
        ("http://me:pw@a", None, None, Some("me pw")),
        ("http://me:p%40%3aw@a", None, None, Some("me p@:w")),
        ("http://me@a", None, None, Some("me ")),
        ("http://me:pw@a", Some("you"), Some("x"), Some("you x")),
        ("http://a", Some("you"), None, Some("you ")),
        // A name in the URI, and a password that stands in no URI.
        ("http://me@a", None, Some("x"), Some("me x")),
        ("socks5://me@a", None, Some("x"), Some("me x")),
        ("http://a", None, Some("x"), None),
    ] {
        let proxy = Proxy::parse(uri, id, password).expect("a proxy");
        let found = proxy
            .login
            .map(|login| format!("{} {}", login.id, login.password));
        assert_eq!(found.as_deref(), login, "{uri} {id:?} {password:?}");
    }
    let long = "x".repeat(256);
    for (id, password) in [("me", ""), ("me", long.as_str()), (&long, "pw")] {
        let refused = Proxy::parse("socks5://a", Some(id), Some(password));
        assert_eq!(refused, Err(ProxyUriError::LoginLength));
    }
}

#[test]
fn a_login_is_not_shown() {
    let proxy = Proxy::parse("http://me:sesame-1@a", None, None).expect("a proxy");
    assert_eq!(
        format!("{proxy} {proxy:?}"),
        "http://a:80 Proxy(http://a:80)"
    );
    let secrets: Vec<_> = proxy.secrets().collect();
    assert_eq!(secrets, ["sesame-1", "bWU6c2VzYW1lLTE="]);
    for bad in [
        "http://me:sesame-1@a:x",
        "x://me:sesame-1@a",
        "http://me:sesame-1@",
    ] {
        let error = Proxy::parse(bad, None, None).expect_err("no proxy");
        assert!(!format!("{error} {error:?}").contains("sesame"), "{bad}");
    }
}

/// Asks the proxy at `uri` for a tunnel, which answers with `answer`. Returns the request and the
/// result.
async fn tunnel(uri: &str, answer: &[u8]) -> (Vec<u8>, Result<(), ProxyError>) {
    let proxy = Proxy::parse(uri, None, None).expect("a proxy");
    let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
    let mut ours: Transport = Box::new(ours);
    theirs.write_all(answer).await.expect("room");
    theirs.shutdown().await.expect("open");
    let service = endpoint("wss://asr.example/");
    let result = proxy.open_tunnel(&mut ours, &service).await;
    drop(ours);
    let mut sent = Vec::new();
    theirs.read_to_end(&mut sent).await.expect("a pipe");
    (sent, result)
}

const SOCKS_DONE: &[u8] = b"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";

#[tokio::test]
async fn each_scheme_has_its_request() {
    let connect = b"CONNECT asr.example:443 HTTP/1.1\r\nHost: asr.example:443\r\n\
                    Proxy-Authorization: Basic bWU6cHc=\r\n\r\n";
    let established = b"HTTP/1.0 200 Connection established\r\n\r\n";
    let socks = b"\x05\x01\x00\x05\x01\x00\x03\x0basr.example\x01\xbb";
    for (uri, answer, request) in [
        ("http://me:pw@a", &established[..], &connect[..]),
        ("socks5://a", SOCKS_DONE, socks),
    ] {
        let (sent, result) = tunnel(uri, answer).await;
        assert!(result.is_ok(), "{uri}: {result:?}");
        assert_eq!(sent, request, "{uri}: {}", String::from_utf8_lossy(&sent));
    }
}

/// An answer, the text that it makes, and whether to try again.
#[tokio::test]
async fn each_answer_has_its_error() {
    use Retry::{Never, Soon};
    let http = |status: &str| format!("HTTP/1.1 {status} No\r\n\r\n").into_bytes();
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(20_000)).into_bytes();
    let socks = |code: u8| [&SOCKS_DONE[..3], &[code], &SOCKS_DONE[4..]].concat();
    #[rustfmt::skip]
    let rows = [
        ("http://a", http("407"), "asks for a name and a password (HTTP 407)", Never),
        ("http://me@a", http("407"), "does not accept the name and the password (HTTP 407)", Never),
        ("http://me:pw@a", http("401"), "does not accept the name and the password (HTTP 401)",
            Never),
        ("http://a", http("403"), "refuses to connect to asr.example:443: HTTP 403", Never),
        ("http://a", http("502"), "refuses to connect to asr.example:443: HTTP 502", Soon),
        ("http://a", http("302"), "refuses to connect to asr.example:443: HTTP 302", Never),
        ("http://a", b"HTTP/1.1 20".to_vec(), "broke the connection: unexpected end of file", Soon),
        ("http://a", b"SSH-2.0-x\r\n".to_vec(), "does not answer as a proxy of its scheme does: \
            invalid HTTP version", Never),
        ("http://a", endless, "does not answer as a proxy of its scheme does: its header has no \
            end", Never),
        ("socks5://a", b"\x05\xff".to_vec(), "asks for a name and a password", Never),
        ("socks5://me:pw@a", b"\x05\xff".to_vec(), "does not accept the name and the password",
            Never),
        ("socks5://me:pw@a", b"\x05\x02\x01\x01".to_vec(), "does not accept the name and the \
            password", Never),
        ("socks5://a", socks(2), "refuses to connect to asr.example:443: Connection not allowed by \
            ruleset", Never),
        ("socks5://a", socks(4), "refuses to connect to asr.example:443: Host unreachable", Soon),
        ("socks5://a", b"\x05".to_vec(), "broke the connection: unexpected end of file", Soon),
        ("socks5://a", b"HTTP/1.1 400".to_vec(), "does not answer as a proxy of its scheme does: \
            Invalid response version", Never),
    ];
    for (uri, answer, text, retry) in rows {
        let error = tunnel(uri, &answer).await.1.expect_err(text);
        let found = (error.to_string(), error.retry());
        assert_eq!(found, (text.to_owned(), retry), "{uri}");
    }
}
