//! Behind a proxy: CONNECT or SOCKS5, by property or by the environment, and what goes wrong with
//! them.

use std::ffi::OsStr;
use std::net::{TcpListener, TcpStream};

use crate::common::proxy::{Proxy, Rule};
use crate::common::scratch::Scratch;
use crate::common::*;
use gst::ResourceError::{NotAuthorized, OpenWrite, Settings};
use gst::prelude::*;
use volcasr_loopback::tls::Identity;
use volcasr_loopback::{Fault, FaultKind, Options, Service, Trigger};

/// A name that only the proxy can resolve.
const HOST: &str = "asr.invalid";
const CONNECT: fn(Rule) -> Proxy = Proxy::connect;
const LOGIN: Rule = Rule::Login("gatekeeper", "OPENSESAMEqz81Jx");

/// The URI of `service` under [`HOST`].
fn behind(service: &Service) -> String {
    service.uri().replace("127.0.0.1", HOST)
}

/// A sink for `service` under [`HOST`].
fn sink_behind(service: &Service) -> gst::Element {
    let sink = sink_for(&behind(service));
    sink.set_property("allow-insecure", true);
    sink
}

fn assert_complete(sink: gst::Element) {
    let (pcm, marks) = speech(1);
    let log = TestPipeline::new(sink).run(&pcm, 100);
    assert!(log.errors().is_empty(), "{:?}", log.errors());
    assert_eq!(marks_of(&log.finals()), expected(&marks, 0));
}

/// By each kind, with and without a login, wherever that comes from; the proxy resolves the name.
#[test]
pub fn words_come_through() {
    let service = service(Options::default());
    let target = format!("{HOST}:{}", service.port());
    for (scheme, start) in [
        ("http", CONNECT),
        ("socks5", Proxy::socks5),
        ("socks5h", Proxy::socks5),
    ] {
        for (rule, user, properties) in [
            (Rule::Open, "", false),
            (LOGIN, "gatekeeper:OPENSESAMEqz81Jx@", false),
            (LOGIN, "gatekeeper:wrong@", true),
        ] {
            let proxy = start(rule);
            let sink = sink_behind(&service);
            sink.set_property(
                "proxy",
                format!("{scheme}://{user}127.0.0.1:{}", proxy.port),
            );
            if properties {
                sink.set_property("proxy-id", "gatekeeper");
                sink.set_property("proxy-pw", "OPENSESAMEqz81Jx");
            }
            assert_complete(sink);
            assert_eq!(proxy.targets(), [target.as_str()], "{scheme} {user}");
        }
    }
}

/// TLS is the service's own, end to end, also inside TLS with the proxy.
#[test]
pub fn encrypted_end_to_end() {
    const NAME: &str = "encrypted_end_to_end";
    if !child::is_child() {
        let scratch = Scratch::new(NAME);
        let file = scratch.path("trusted.pem");
        return child::spawn(
            module_path!(),
            NAME,
            &[("SSL_CERT_FILE", file.as_ref())],
            &["SSL_CERT_DIR"],
        );
    }
    let file = std::env::var_os("SSL_CERT_FILE").expect("set above");
    let identity = |name| Identity::self_signed_authority(&[name], 2100).expect("a key");
    let (at_service, at_proxy) = (identity(HOST), identity("127.0.0.1"));
    let trusted = [at_service.chain_pem.as_str(), &at_proxy.chain_pem];
    std::fs::write(file, trusted.concat()).expect("a file");
    let service = service(Options {
        tls: Some(at_service),
        ..Options::default()
    });
    for (scheme, proxy) in [
        ("http", Proxy::connect(Rule::Open)),
        ("https", Proxy::connect_inside_tls(LOGIN, &at_proxy)),
        ("socks5", Proxy::socks5(Rule::Open)),
    ] {
        let sink = sink_for(&behind(&service));
        sink.set_property("proxy", format!("{scheme}://127.0.0.1:{}", proxy.port));
        if scheme == "https" {
            sink.set_property("proxy-id", "gatekeeper");
            sink.set_property("proxy-pw", "OPENSESAMEqz81Jx");
        }
        assert_complete(sink);
        assert_eq!(proxy.targets().len(), 1, "{scheme}");
    }
    // Another certificate on the way is refused as it is without a proxy.
    let stranger = Proxy::connect_inside_tls(Rule::Open, &identity("elsewhere.invalid"));
    let error = failure(&service, "https", stranger.port, |_| {});
    assert!(error.error.message().contains("CA:TRUE"), "{error:?}");
}

/// Variables count where no property is set, and never for this machine.
#[test]
fn the_environment_names_it() {
    const NAME: &str = "the_environment_names_it";
    if !child::is_child() {
        let proxy = Proxy::socks5(LOGIN);
        let uri = format!(
            "socks5://gatekeeper:OPENSESAMEqz81Jx@127.0.0.1:{}",
            proxy.port
        );
        let port = proxy.port.to_string();
        let variables: [(&str, &OsStr); 3] = [
            ("ALL_PROXY", uri.as_ref()),
            ("no_proxy", "harness.invalid".as_ref()),
            ("PORT", port.as_ref()),
        ];
        child::spawn(
            module_path!(),
            NAME,
            &variables,
            &["all_proxy", "http_proxy", "NO_PROXY"],
        );
        assert_eq!(proxy.targets().len(), 1, "{:?}", proxy.targets());
        return;
    }
    let service = service(Options::default());
    assert_complete(sink_behind(&service));
    assert_complete(sink(&service));
    for (host, proxy) in [("harness.invalid", None), (HOST, Some(""))] {
        let sink = sink_for(&service.uri().replace("127.0.0.1", host));
        sink.set_property("allow-insecure", true);
        sink.set_property("max-reconnects", 0u32);
        if let Some(proxy) = proxy {
            sink.set_property("proxy", proxy);
        }
        let rig = TestPipeline::new(sink);
        rig.play();
        let errors = rig.listen().errors();
        let text = errors[0].error.message();
        assert!(
            text.contains("can't resolve") && text.contains(host),
            "{text}"
        );
    }
}

/// The first error of a sink behind a proxy at `port`.
fn failure(service: &Service, scheme: &str, port: u16, set: impl Fn(&gst::Element)) -> Report {
    let sink = sink_behind(service);
    sink.set_property("proxy", format!("{scheme}://127.0.0.1:{port}"));
    sink.set_property("max-reconnects", 1u32);
    set(&sink);
    let mut rig = TestPipeline::new(sink);
    rig.play();
    // A transcriber connects with the first buffer.
    rig.push(&[0; 9600], 100);
    let log = rig.listen();
    let error = log.errors().swap_remove(0);
    let text = error.error.message().to_owned();
    assert!(text.contains(&format!("127.0.0.1:{port}")), "{text}");
    let retryable = error
        .details
        .as_ref()
        .map(|details| details.get("retryable"));
    let tried_again = log.progress().contains(&gst::ProgressType::Continue);
    assert_eq!(retryable, Some(Ok(tried_again)), "{text}");
    error
}

#[test]
fn errors_are_told_apart() {
    let service = service(Options::default());
    let login = |sink: &gst::Element| {
        sink.set_property("proxy-id", "gatekeeper");
        sink.set_property("proxy-pw", "wrong");
    };
    let nothing = |_: &gst::Element| {};
    let quick = |sink: &gst::Element| sink.set_property("connect-timeout", 300u32);
    type Set = fn(&gst::Element);
    // A client's own port: nothing listens there, and no other test gets it.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let client = TcpStream::connect(address).expect("it listens");
    let closed = client.local_addr().expect("its address").port();
    let forbidden = Rule::Refuse("HTTP/1.1 403 Forbidden\r\n\r\n");
    let bad_gateway = Rule::Refuse("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    #[rustfmt::skip]
    let cases = [
        ("http", CONNECT, LOGIN, nothing as Set, NotAuthorized, false, "407 proxy-id"),
        ("http", Proxy::connect, LOGIN, login, NotAuthorized, false, "407 proxy-pw"),
        ("http", Proxy::connect, forbidden, nothing, OpenWrite, false, "403 asr.invalid"),
        ("http", Proxy::connect, bad_gateway, nothing, OpenWrite, true, "502 asr.invalid"),
        ("http", Proxy::connect, Rule::Hang, quick, OpenWrite, true, "300ms"),
        ("http", Proxy::socks5, Rule::Open, quick, OpenWrite, true, "proxy"),
        ("socks5", Proxy::socks5, LOGIN, nothing, NotAuthorized, false, "proxy-id"),
        ("socks5", Proxy::socks5, LOGIN, login, NotAuthorized, false, "proxy-pw"),
        ("socks5", Proxy::socks5, Rule::Refuse("\x02"), nothing, OpenWrite, false, "ruleset"),
        ("socks5", Proxy::socks5, Rule::Refuse("\x04"), nothing, OpenWrite, true, "unreachable"),
        ("socks5", Proxy::socks5, Rule::Hang, quick, OpenWrite, true, "300ms"),
    ];
    for (scheme, start, rule, set, domain, retryable, parts) in cases {
        let proxy = start(rule);
        let report = failure(&service, scheme, proxy.port, set);
        let text = report.error.message();
        assert!(report.error.matches(domain), "{scheme} {parts}: {report:?}");
        for part in parts.split(' ') {
            assert!(text.contains(part), "no {part} in {text}");
        }
        let details = report.details.expect("details");
        assert_eq!(details.get::<bool>("retryable"), Ok(retryable), "{text}");
    }
    for scheme in ["http", "https", "socks5h"] {
        let report = failure(&service, scheme, closed, nothing);
        assert!(report.error.matches(OpenWrite), "{report:?}");
        let text = report.error.message();
        assert!(
            text.contains("can't be reached") && text.contains("https_proxy"),
            "{text}"
        );
    }
    assert!(service.connections().is_empty());
}

#[test]
fn a_proxy_that_can_not_be_used() {
    let service = service(Options::default());
    for (uri, part) in [
        ("socks4://127.0.0.1", "socks5h://"),
        ("http://me:OPENSESAMEqz81Jx@127.0.0.1:x", "not the URI"),
        ("socks5://me@127.0.0.1", "1 to 255"),
    ] {
        let sink = sink(&service);
        sink.set_property("proxy", uri);
        let rig = TestPipeline::new(sink);
        let refused = rig.pipeline.set_state(gst::State::Playing);
        assert_eq!(refused, Err(gst::StateChangeError), "{uri}");
        let error = &rig.take().errors()[0].error;
        assert!(error.matches(Settings), "{error:?}");
        let text = error.message();
        assert!(text.contains("\"proxy\"") && text.contains(part), "{text}");
        assert!(!text.contains("SESAME"), "{text}");
    }
}

/// Everything that a run logs and posts, at every level, has nothing of the login.
#[test]
fn its_login_is_never_shown() {
    const NAME: &str = "its_login_is_never_shown";
    let secrets = ["OPENSESAMEqz81Jx", "OPENSESAME", "qz81Jx", "T1BFTlNFU0FNR"];
    let clean = |what: &str, text: &str| {
        for secret in secrets {
            assert!(!text.contains(secret), "{what} shows {secret}");
        }
    };
    if child::is_child() {
        for rule in [
            LOGIN,
            Rule::Login("gatekeeper", "another"),
            Rule::Refuse("HTTP/1.1 403 OPENSESAMEqz81Jx\r\nVia: OPENSESAMEqz81Jx\r\n\r\n"),
        ] {
            let socks = Proxy::socks5(rule.clone());
            let http = Proxy::connect(rule);
            let login = "gatekeeper:OPENSESAMEqz81Jx@";
            for (uri, as_properties) in [
                (format!("http://{login}127.0.0.1:{}", http.port), false),
                (format!("http://127.0.0.1:{}", http.port), true),
                (format!("socks5://{login}127.0.0.1:{}", socks.port), false),
                (format!("socks5://127.0.0.1:{}", socks.port), true),
                (format!("htp://{login}127.0.0.1:1"), true),
            ] {
                // One that repeats what it can't know.
                let service = service(Options {
                    faults: vec![Fault::nth(
                        1,
                        FaultKind::Http {
                            status: 401,
                            headers: Vec::new(),
                            body: r#"{"error":"bad: OPENSESAMEqz81Jx"}"#.into(),
                        },
                        Trigger::Handshake,
                    )],
                    ..Options::default()
                });
                let sink = sink_behind(&service);
                sink.set_property("proxy", &uri);
                if as_properties {
                    sink.set_property("proxy-id", "gatekeeper");
                    sink.set_property("proxy-pw", "OPENSESAMEqz81Jx");
                }
                let mut rig = TestPipeline::new(sink);
                rig.pipeline.add_property_deep_notify_watch(None, true);
                let _ = rig.pipeline.set_state(gst::State::Playing);
                rig.push(&speech(1).0, 100);
                let log = rig.listen();
                for message in &log.messages {
                    clean("a message", &format!("{message:?}"));
                }
                for report in log.errors() {
                    clean("an error", &format!("{report:?}"));
                }
                clean("the property", &rig.sink.property::<String>("proxy"));
                let dot = gst::DebugGraphDetails::all();
                clean("the dot dump", &rig.pipeline.debug_to_dot_data(dot));
            }
        }
        return;
    }
    let log = child::spawn_logging(module_path!(), NAME, &[], &[]);
    clean("the log", &log);
}
