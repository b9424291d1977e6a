//! `wss://`: a certificate that the trust store covers works; any other is refused, once.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::TcpListener;

use crate::common::faults::*;
use crate::common::raw_server::{error_frame, message};
use crate::common::scratch::Scratch;
use crate::common::*;
use gst::ResourceError::OpenWrite;
use gst::prelude::*;
use volcasr_loopback::tls::{Authority, Identity};
use volcasr_loopback::{Options, Service};

/// Runs `body` in a process that trusts what is written to [`trust`], and nothing else.
pub fn with_trust_store(body: impl FnOnce()) {
    let scratch = Scratch::new("trust");
    let file = scratch.path("root.pem");
    let set: [(&str, &OsStr); 1] = [("SSL_CERT_FILE", file.as_ref())];
    child::run(&set, &["SSL_CERT_DIR"], body);
}

/// Has this process trust these certificates.
pub fn trust(certificates: &str) {
    let file = std::env::var_os("SSL_CERT_FILE").expect("a trust store");
    std::fs::write(file, certificates).expect("a file");
}

/// Makes an authority that this process trusts.
fn trusted_authority() -> Authority {
    let authority = Authority::new().expect("a key");
    trust(&authority.pem());
    authority
}

/// A service with a certificate, at `localhost` or by its address.
fn tls(identity: Identity) -> Service {
    service(Options {
        tls: Some(identity),
        ..Options::default()
    })
}

fn at_localhost(service: &Service) -> String {
    service.uri().replace("127.0.0.1", "localhost")
}

/// The certificate is refused, once, with these words, and no word is sent behind it.
fn assert_refused(name: &str, identity: Identity, part: &str) {
    println!("{name}");
    let service = tls(identity);
    let report = refusal_of(sink_for(&at_localhost(&service)));
    report.assert_is(OpenWrite, &["localhost", "SSL_CERT_FILE", "uri", part]);
    assert!(!report.is_retryable(), "{report:?}");
    let connections = service.connections();
    assert_eq!(connections.len(), 1, "{name}");
    assert!(connections[0].headers.is_empty(), "{name}: spoken to");
}

/// The one error of a sink that can't connect.
fn refusal_of(sink: gst::Element) -> Report {
    let mut rig = TestPipeline::new(sink);
    rig.begin(&speech(1).0, 100);
    let log = rig.listen();
    log.assert_no_warnings("the run");
    let tried_again = log.progress().contains(&gst::ProgressType::Continue);
    assert!(!tried_again, "{:?}", log.errors());
    let error = log.errors().swap_remove(0);
    assert_eq!(error.source.as_deref(), Some(rig.sink.name().as_str()));
    error
}

#[test]
fn a_trusted_certificate_works_and_bad_ones_are_refused_once() {
    with_trust_store(|| {
        let authority = trusted_authority();
        let service = tls(authority.good().expect("a key"));
        for uri in [service.uri(), at_localhost(&service)] {
            TestPipeline::new(sink_for(&uri)).speak(1);
        }
        let other = Authority::new().expect("a key");
        for (name, identity) in [
            ("untrusted", other.good()),
            ("self-signed", Identity::self_signed()),
            ("expired", authority.expired()),
            ("wrong host", authority.wrong_host()),
        ] {
            assert_refused(name, identity.expect("a key"), "clock");
        }
    });
}

/// A server's own certificate that `SSL_CERT_FILE` names is trusted, for its names and its time.
#[test]
fn a_self_signed_certificate_that_is_named() {
    with_trust_store(|| {
        let here = ["localhost", "127.0.0.1"];
        let certificate =
            |names: &[&str], until| Identity::self_signed_authority(names, until).expect("a key");
        let [good, other, expired, elsewhere] = [
            certificate(&here, 2100),
            certificate(&here, 2100),
            certificate(&here, 2021),
            certificate(&["elsewhere.invalid"], 2100),
        ];
        let named = [&good, &expired, &elsewhere].map(|identity| identity.chain_pem.as_str());
        trust(&named.concat());
        let service = tls(good);
        TestPipeline::new(sink_for(&at_localhost(&service))).speak(1);
        assert_refused("not named", other, "CA:TRUE");
        assert_refused("expired", expired, "clock");
        assert_refused("another host", elsewhere, "elsewhere.invalid");
    });
}

/// The error names an empty trust store, and what to do about it.
#[test]
fn an_empty_trust_store() {
    with_trust_store(|| {
        trust("");
        let service = tls(Identity::self_signed().expect("a key"));
        let report = refusal_of(sink_for(&service.uri()));
        report.assert_is(OpenWrite, &["ca-certificates", "SSL_CERT_FILE"]);
        assert!(!report.is_retryable(), "{report:?}");
        assert_eq!(service.connections().len(), 1);
    });
}

/// A listener that gives `peers` this answer to their handshakes, and then closes. Returns its URI.
fn answering(peers: usize, answer: &'static str) -> (String, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let server = std::thread::spawn(move || {
        for _ in 0..peers {
            let (mut peer, _) = listener.accept().expect("a connection");
            // Unread bytes make the close a reset.
            let _ = peer.read(&mut [0; 64]);
            let _ = peer.write_all(answer.as_bytes());
        }
    });
    (format!("wss://{address}/"), server)
}

/// `wss://` to a server that speaks no TLS is not tried again.
#[test]
fn no_tls_there() {
    let (uri, server) = answering(1, "HTTP/1.1 400 Bad Request\r\n\r\n");
    let report = refusal_of(sink_for(&uri));
    server.join().expect("the server");
    report.assert_is(OpenWrite, &["127.0.0.1", "port", "uri", "TLS"]);
    assert!(!report.is_retryable(), "{report:?}");
}

/// A port that answers nothing to the first handshake, closes, or resets: most likely it speaks no
/// TLS, but a server that starts may do so, too. So it is tried a few times more, with audio or
/// without.
#[test]
fn no_answer_to_the_first_handshake() {
    // One service takes the handshake for a broken request, the other waits for the rest of it.
    let service = service(Options::default());
    let closing = service.uri().replace("ws://", "wss://");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent = format!("wss://{}/", listener.local_addr().expect("its address"));
    // As many as there may be: another one would be refused, and be another error.
    let (resetting, server) = answering(4, "");
    let cases = [
        (&closing, ["speaks no TLS", "handshake eof"], true),
        (&closing, ["speaks no TLS", "handshake eof"], false),
        (&silent, ["speaks no TLS", "within 300ms"], true),
        (&silent, ["speaks no TLS", "within 300ms"], false),
        (&resetting, ["TLS with", "reset"], false),
    ];
    in_parallel(&cases, |&(uri, [what, why], with_audio)| {
        // Only silence needs a timeout. On a busy machine one may pass before TCP is connected:
        // that says nothing of TLS, and is not counted.
        let timeout = if *uri == silent { 300 } else { 60_000 };
        let properties = format!("connect-timeout={timeout} max-reconnects=1000");
        let mut rig = TestPipeline::new(set(sink_for(uri), &properties));
        rig.play();
        if with_audio {
            rig.push(&speech(1).0, 100);
        }
        let log = rig.listen();
        let mut failures = log.warnings();
        failures.retain(|warning| warning.error.message().contains(why));
        assert_eq!(failures.len(), 3, "{uri}: {:?}", log.warnings());
        log.errors()[0].assert_is(OpenWrite, &[what, why, "uri"]);
    });
    assert_eq!(service.connections().len(), 8);
    server.join().expect("four connections");
}

/// `ws://` to a server that speaks TLS.
#[test]
fn tls_there() {
    let service = tls(Identity::self_signed().expect("a key"));
    let uri = service.uri().replace("wss://", "ws://");
    let report = refusal_of(set(sink_for(&uri), "max-reconnects=0"));
    assert!(report.error.message().contains("uri"), "{report:?}");
    assert_eq!(service.connections().len(), 1);
}

/// A session that is lost is restored as one without TLS is, however its line ends.
#[test]
fn a_lost_session_is_restored() {
    with_trust_store(|| {
        let authority = trusted_authority();
        let busy = error_frame(55_000_031, r#"{"error":"busy"}"#);
        let busy = hex(&message(&busy));
        let cases = [
            vec!["reset@3s#1".to_owned()],
            vec!["drop@3s#1".to_owned()],
            vec![format!("raw:{busy}@3s#1"), "reset@3s#1".to_owned()],
        ];
        in_parallel(&cases, |texts| {
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let service = service(Options {
                tls: Some(authority.good().expect("a key")),
                ..faulty(&texts, false)
            });
            let sink = fast_sink(&service);
            let (pcm, marks) = open_ended_speech(3);
            let log = TestPipeline::new(sink.clone()).run(&pcm, 20);
            assert_whole(&log, &marks, false, texts[0]);
            assert_warned(&log, 1, texts[0]);
            assert_fresh(&service, texts[0]);
            assert_eq!(stat(&sink, "reconnects"), 1, "{texts:?}");
        });
    });
}
