//! Credentials are never shown: not in logs of any level, dot dumps, notifications or messages.

use std::ffi::OsStr;

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Fault, FaultKind, HttpAnswer, Options, Script, Trigger};

const APP: &str = "APPKEYqz81Jx";
const ACCESS: &str = "ACCESSKEYvw93Kd";
const API: &str = "APIKEYhm27Tr";
/// In the URI. It is sent, as the service may ask for it.
const QUERY: &str = "QUERYek55Lm";
const SECRETS: [&str; 4] = [APP, ACCESS, API, QUERY];

/// Sessions that go well, are refused, and fail, with peers that repeat `known`, which they were
/// given.
fn sessions(known: &[&str]) -> Vec<Options> {
    let secrets = known.join(" and ");
    let repeated = format!(r#"{{"error":"bad: {secrets}"}}"#);
    // The message is cut at 500 characters, in the middle of a secret.
    let cut = |secret: &str| format!("{}{secret}", "x".repeat(499 - secret.len() / 2));
    let with = |what, when| Options {
        app_keys: vec![APP.into()],
        access_keys: vec![ACCESS.into()],
        api_keys: vec![API.into()],
        faults: vec![Fault::each(what, when)],
        ..Options::default()
    };
    let code = 45_000_010;
    let error = |body| FaultKind::Error { code, body };
    let location = format!("ws://{secrets}@127.0.0.1/");
    let http = |status, body: &str| {
        let body = body.to_owned();
        FaultKind::Http(HttpAnswer { status, body })
    };
    let mut sessions = vec![
        with(FaultKind::Ping(1), Trigger::Ack),
        with(http(401, &repeated), Trigger::Handshake),
        with(http(200, &repeated), Trigger::Handshake),
        with(http(302, &location), Trigger::Handshake),
        with(error(repeated.clone()), Trigger::Ack),
        with(error(repeated.clone()), Trigger::Finish),
        with(FaultKind::Raw(repeated.into_bytes()), Trigger::Accept),
        with(FaultKind::Text(secrets), Trigger::Ack),
    ];
    for secret in known {
        sessions.push(with(error(cut(secret)), Trigger::Ack));
        // In transcripts, too.
        let said = format!(
            r#"{{"audio_info":{{"duration":600}},"result":{{"text":"{secret}","utterances":[
                {{"text":"It is {secret}.","start_time":0,"end_time":500,
                  "words":[{{"text":"It","start_time":0,"end_time":80}},
                           {{"text":"{secret}","start_time":100,"end_time":180}}],
                  "additions":{{"speaker_id":"{secret}","{secret}":"1"}}}}]}}}}"#
        );
        sessions.push(Options {
            faults: Vec::new(),
            script: Some(Script::responses([(400, said.as_str())], &said)),
            ..with(FaultKind::Ping(1), Trigger::Ack)
        });
    }
    sessions
}

fn assert_clean(what: &str, text: &str) {
    for secret in SECRETS {
        // Half of it is too much as well.
        for part in [secret, &secret[..secret.len() / 2]] {
            if let Some(at) = text.find(part) {
                let around: String = text[at.saturating_sub(200)..].chars().take(400).collect();
                panic!("{what} shows {part}: …{around}…");
            }
        }
    }
}

/// Everything that the bus and the element say, read as an application or a tool would.
fn run(options: Options, key: Option<&str>) {
    let service = service(options);
    let uri = format!("{}?x={QUERY}", service.uri());
    let properties = "post-responses=true max-reconnects=0 finish-timeout=500";
    let mut rig = TestPipeline::new(set(sink_for(&uri), properties));
    for key in ["app-key", "access-key"] {
        rig.sink.set_property(key, None::<&str>);
    }
    // As gst-launch-1.0 -v does.
    rig.pipeline.add_property_deep_notify_watch(None, true);
    rig.sink.set_property("api-key", key);
    let log = rig.run(&speech(1).0, 100);
    assert_clean("the element", &rig.shown(&log));
    let shown: String = rig.sink.property("uri");
    assert!(shown.ends_with("?…"), "{shown}");
    rig.go(gst::State::Null);
    // The secrets did reach it, even if it reads slowly.
    until_connection(&service, |c| !c.headers.is_empty());
}

/// In a process that logs everything. A property counts more than the environment.
#[test]
fn sessions_show_none() {
    let set: [(&str, &OsStr); 2] = [
        ("VOLCENGINE_APP_ID", APP.as_ref()),
        ("VOLCENGINE_ACCESS_KEY", ACCESS.as_ref()),
    ];
    let all = || {
        for (key, known) in [(None, &[APP, ACCESS][..]), (Some(API), &[API])] {
            let sessions = sessions(known).into_iter();
            sessions.for_each(|options| run(options, key));
        }
    };
    let check = |log: &str| assert_clean("the log", log);
    child::log_of(&set, &["VOLCENGINE_API_KEY"], all, check);
}
