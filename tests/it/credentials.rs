//! Credentials: from properties or the environment into headers.

use std::collections::BTreeSet;

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Connection, Options};

fn options() -> Options {
    Options {
        app_keys: vec!["app-1".into(), "app-2".into()],
        access_keys: vec!["secret-access-key".into(), "secret-access-2".into()],
        ..Options::default()
    }
}

fn header<'a>(connection: &'a Connection, name: &str) -> &'a str {
    connection.header(name).expect(name)
}

#[test]
fn the_upgrade_has_the_documented_headers_once() {
    let service = service(options());
    TestPipeline::new(sink(&service)).speak(1);
    let connection = &service.connections()[0];
    let names = connection.headers.iter();
    let mut names: Vec<String> = names.map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    let documented = "connection host sec-websocket-key sec-websocket-version upgrade \
        x-api-access-key x-api-app-key x-api-connect-id x-api-request-id x-api-resource-id \
        x-api-sequence";
    assert_eq!(names.join(" "), documented);
    for (name, value) in [
        ("Host", &*format!("127.0.0.1:{}", service.port())),
        ("X-Api-App-Key", "app-1"),
        ("X-Api-Access-Key", "secret-access-key"),
        ("X-Api-Resource-Id", "volc.seedasr.sauc.duration"),
        ("X-Api-Sequence", "-1"),
    ] {
        assert_eq!(header(connection, name), value);
    }
    assert_eq!(connection.path, "/api/v3/sauc/bigmodel_async");
}

/// Ids are UUIDs and fresh for each connection; the element says which one it has.
#[test]
fn every_connection_has_fresh_ids() {
    let service = service(options());
    let mut rig = TestPipeline::new(sink(&service));
    let names = ["connect-id", "log-id"];
    let property = |sink: &gst::Element| names.map(|name| sink.property::<Option<String>>(name));
    assert_eq!(property(&rig.sink), [None, None]);
    let (notified, notifications) = std::sync::mpsc::channel();
    for name in names {
        let notified = notified.clone();
        rig.sink.connect_notify(Some(name), move |sink, pspec| {
            let _ = notified.send(sink.property::<Option<String>>(pspec.name()));
        });
    }
    let mut ids = BTreeSet::new();
    for n in 0..3 {
        rig.speak(1);
        let connection = &service.connections()[n];
        let [connect_id, request_id] =
            ["X-Api-Connect-Id", "X-Api-Request-Id"].map(|name| header(connection, name));
        let own = [connect_id, &connection.log_id].map(|id| Some(id.to_owned()));
        assert_eq!(property(&rig.sink), own);
        let seen: Vec<_> = notifications.try_iter().collect();
        assert!(own.iter().all(|id| seen.contains(id)), "{seen:?}");
        for id in [connect_id, request_id] {
            let id = uuid::Uuid::parse_str(id).expect("a UUID");
            assert_eq!(id.get_version_num(), 4);
            assert!(ids.insert(id), "{id} came before");
        }
        rig.go(gst::State::Ready);
    }
}

/// The table of all combinations is in the tests of `run_config`; the pair's variables are those of
/// the programs in `transcribe::`.
#[test]
fn an_api_key_from_the_environment() {
    let key = "secret-api-key";
    let unset = ["VOLCENGINE_APP_ID", "VOLCENGINE_ACCESS_KEY"];
    child::run(&[("VOLCENGINE_API_KEY", key.as_ref())], &unset, || {
        let service = service(Options::default());
        let sink = set(element("volcasrsink"), "sync=false");
        sink.set_property("uri", service.uri());
        TestPipeline::new(sink).speak(1);
        assert_eq!(service.connections()[0].header("X-Api-Key"), Some(key));
    });
}

/// A reconnection has the credentials of the start, even if others were set meanwhile.
#[test]
fn reconnections_use_the_settings_of_the_start() {
    let service = service(Options {
        faults: vec!["reset@1500ms".parse().expect("a fault")],
        ..options()
    });
    let mut rig = TestPipeline::new(sink(&service));
    let (pcm, marks) = speech(2);
    let (first, second) = pcm.split_at(48_000);
    rig.begin(first, 20);
    until_connection(&service, |c| c.audio_bytes > 24_000);
    let later = "access-key=secret-access-2 resource-id=volc.bigasr.sauc.concurrent";
    set(rig.sink.clone(), later);
    rig.push(second, 20);
    assert!(service.wait(LONG, |all| all.len() == 2 && all[1].ack_at.is_some()));
    rig.end().assert_said(&marks, 0);
    rig.go(gst::State::Ready);
    rig.speak(1);
    let connections = service.connections();
    let who = |n: usize| {
        ["X-Api-Access-Key", "X-Api-Resource-Id"]
            .map(|name| header(&connections[n], name).to_owned())
    };
    assert_eq!(who(0), who(1));
    assert_eq!(who(0), ["secret-access-key", "volc.seedasr.sauc.duration"]);
    assert_eq!(who(2), ["secret-access-2", "volc.bigasr.sauc.concurrent"]);
}
