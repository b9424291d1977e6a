//! Behind a proxy: CONNECT or SOCKS5, by property or by the environment, and what goes wrong with
//! them.

use std::net::{TcpListener, TcpStream};

use crate::common::proxy::{Proxy, Rule};
use crate::common::*;
use crate::tls::{trust, with_trust_store};
use gst::ResourceError::{NotAuthorized, OpenWrite};
use gst::prelude::*;
use volcasr_loopback::tls::Identity;
use volcasr_loopback::{Options, Service};

/// A name that only the proxy can resolve.
const HOST: &str = "asr.invalid";
const CONNECT: fn(Rule) -> Proxy = Proxy::connect;
const LOGIN: Rule = Rule::Login("gatekeeper", "OPENSESAMEqz81Jx");
const USER: &str = "gatekeeper:OPENSESAMEqz81Jx@";
const LOGGED_IN: &str = "proxy-id=gatekeeper proxy-pw=OPENSESAMEqz81Jx";

/// The URI of `service` under [`HOST`].
fn behind(service: &Service) -> String {
    service.uri().replace("127.0.0.1", HOST)
}

/// A sink for `service` under [`HOST`], with these properties.
fn sink_behind(service: &Service, properties: &str) -> gst::Element {
    let sink = set(sink_for(&behind(service)), "allow-insecure=true");
    set(sink, properties)
}

/// By each kind, with and without a login, wherever that comes from; the proxy resolves the name.
#[test]
pub fn words_come_through() {
    let service = service(Options::default());
    let target = format!("{HOST}:{}", service.port());
    #[rustfmt::skip]
    let schemes = [("http", CONNECT), ("socks5", Proxy::socks5), ("socks5h", Proxy::socks5)];
    for (scheme, start) in schemes {
        for (rule, user, properties) in [
            (Rule::Open, "", ""),
            (LOGIN, USER, ""),
            (LOGIN, "gatekeeper:wrong@", LOGGED_IN),
        ] {
            let proxy = start(rule);
            let uri = format!("proxy={scheme}://{user}127.0.0.1:{}", proxy.port);
            TestPipeline::new(set(sink_behind(&service, &uri), properties)).speak(1);
            assert_eq!(proxy.targets(), [target.as_str()], "{scheme} {user}");
        }
    }
}

/// TLS is the service's own, end to end, also inside TLS with the proxy.
#[test]
pub fn encrypted_end_to_end() {
    with_trust_store(|| {
        let identity = |name| Identity::self_signed_authority(&[name], 2100).expect("a key");
        let (at_service, at_proxy) = (identity(HOST), identity("127.0.0.1"));
        let trusted = [at_service.chain_pem.as_str(), &at_proxy.chain_pem];
        trust(&trusted.concat());
        let service = service(Options {
            tls: Some(at_service),
            ..Options::default()
        });
        #[rustfmt::skip]
    let proxies = [
        ("http", Proxy::connect(Rule::Open), ""),
        ("https", Proxy::connect_inside_tls(LOGIN, &at_proxy), LOGGED_IN),
        ("socks5", Proxy::socks5(Rule::Open), ""),
    ];
        for (scheme, proxy, properties) in proxies {
            let uri = format!("proxy={scheme}://127.0.0.1:{}", proxy.port);
            let sink = set(sink_for(&behind(&service)), &uri);
            TestPipeline::new(set(sink, properties)).speak(1);
            assert_eq!(proxy.targets().len(), 1, "{scheme}");
        }
        // Another certificate on the way is refused as it is without a proxy.
        let stranger = Proxy::connect_inside_tls(Rule::Open, &identity("elsewhere.invalid"));
        let error = failure(&service, "https", stranger.port, "");
        assert!(error.error.message().contains("CA:TRUE"), "{error:?}");
    });
}

/// Variables count where no property is set, and never for this machine: `client::net::proxy` has a
/// table.
#[test]
fn the_environment_names_it() {
    let proxy = Proxy::socks5(LOGIN);
    let uri = format!("socks5://{USER}127.0.0.1:{}", proxy.port);
    let unset = ["all_proxy", "http_proxy", "no_proxy", "NO_PROXY"];
    child::run(&[("ALL_PROXY", uri.as_ref())], &unset, || {
        let service = service(Options::default());
        TestPipeline::new(sink_behind(&service, "")).speak(1);
        TestPipeline::new(sink(&service)).speak(1);
        // An empty property is no proxy, also beside variables.
        let direct = set(sink_behind(&service, ""), "max-reconnects=0");
        direct.set_property("proxy", "");
        let rig = TestPipeline::new(direct);
        rig.play();
        rig.listen().errors()[0].assert_is(gst::ResourceError::OpenWrite, &["can't resolve"]);
    });
    let asked = proxy.targets();
    assert_eq!(asked.len(), usize::from(!child::is_child()), "{asked:?}");
}

/// The first error of a sink behind a proxy at `port`.
fn failure(service: &Service, scheme: &str, port: u16, properties: &str) -> Report {
    let proxy = format!("proxy={scheme}://127.0.0.1:{port} max-reconnects=1");
    let sink = sink_behind(service, &proxy);
    let mut rig = TestPipeline::new(set(sink, properties));
    rig.play();
    // A transcriber connects with the first buffer.
    rig.push(&[0; 9600], 100);
    let log = rig.listen();
    let error = log.errors().swap_remove(0);
    let text = error.error.message().to_owned();
    assert!(text.contains(&format!("127.0.0.1:{port}")), "{text}");
    let tried_again = log.progress().contains(&gst::ProgressType::Continue);
    assert_eq!(error.is_retryable(), tried_again, "{text}");
    error
}

#[test]
fn errors_are_told_apart() {
    let service = service(Options::default());
    // A client's own port: nothing listens there, and no other test gets it.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let client = TcpStream::connect(address).expect("it listens");
    let closed = client.local_addr().expect("its address").port();
    let short_timeout = "connect-timeout=300";
    // More rows are in the tests of `client::net::proxy`.
    #[rustfmt::skip]
    let cases = [
        ("http", CONNECT, LOGIN, "", NotAuthorized, false, "407 proxy-id"),
        ("socks5", Proxy::socks5, Rule::Refuse("\x04"), "", OpenWrite, true, "unreachable"),
        ("socks5", Proxy::socks5, Rule::Hang, short_timeout, OpenWrite, true, "300ms"),
    ];
    for (scheme, start, rule, properties, domain, retryable, parts) in cases {
        let proxy = start(rule);
        let report = failure(&service, scheme, proxy.port, properties);
        report.assert_is(domain, &parts.split(' ').collect::<Vec<_>>());
        assert_eq!(report.is_retryable(), retryable, "{report:?}");
    }
    for scheme in ["http", "https", "socks5h"] {
        let report = failure(&service, scheme, closed, "");
        report.assert_is(OpenWrite, &["can't be reached", "https_proxy"]);
    }
    assert!(service.connections().is_empty());
}

/// Everything that a run logs and posts, at every level, has nothing of the login.
#[test]
fn its_login_is_never_shown() {
    let secrets = ["OPENSESAMEqz81Jx", "OPENSESAME", "qz81Jx", "T1BFTlNFU0FNR"];
    let clean = |what: &str, text: &str| {
        for secret in secrets {
            assert!(!text.contains(secret), "{what} shows {secret}");
        }
    };
    let run = || {
        for rule in [
            LOGIN,
            Rule::Login("gatekeeper", "another"),
            Rule::Refuse("HTTP/1.1 403 OPENSESAMEqz81Jx\r\nVia: OPENSESAMEqz81Jx\r\n\r\n"),
        ] {
            let socks = Proxy::socks5(rule.clone());
            let http = Proxy::connect(rule);
            for (uri, properties) in [
                (format!("http://{USER}127.0.0.1:{}", http.port), ""),
                (format!("http://127.0.0.1:{}", http.port), LOGGED_IN),
                (format!("socks5://{USER}127.0.0.1:{}", socks.port), ""),
                (format!("socks5://127.0.0.1:{}", socks.port), LOGGED_IN),
                (format!("htp://{USER}127.0.0.1:1"), LOGGED_IN),
            ] {
                // One that repeats what it can't know.
                let body = r#"{"error":"bad: OPENSESAMEqz81Jx"}"#;
                let fault = format!("http:401:{body}@handshake#1");
                let service = service(faults::faulty(&[&fault], false));
                let sink = sink_behind(&service, &format!("proxy={uri}"));
                let mut rig = TestPipeline::new(set(sink, properties));
                rig.pipeline.add_property_deep_notify_watch(None, true);
                let _ = rig.pipeline.set_state(gst::State::Playing);
                rig.push(&speech(1).0, 100);
                let log = rig.listen();
                clean("the element", &rig.shown(&log));
            }
        }
    };
    child::log_of(&[], &[], run, |log| clean("the log", log));
}
