//! Who the user is: headers, properties, environment.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Connection, FaultKind, Options, Service};

fn options() -> Options {
    Options {
        app_keys: vec!["app-1".into(), "app-2".into()],
        access_keys: vec!["secret-access-key".into(), "secret-access-2".into()],
        api_keys: vec!["secret-api-key".into(), "secret-api-2".into()],
        ..Options::default()
    }
}

fn speak(sink: gst::Element) -> BusLog {
    TestPipeline::new(sink).run(&[0; 9600], 200)
}

fn header<'a>(connection: &'a Connection, name: &str) -> &'a str {
    connection
        .header(name)
        .unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn the_upgrade_has_the_documented_headers_once() {
    let service = service(options());
    assert!(speak(sink(&service)).errors().is_empty());
    let connection = &service.connections()[0];
    let mut names: Vec<String> = connection
        .headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "connection",
            "host",
            "sec-websocket-key",
            "sec-websocket-version",
            "upgrade",
            "x-api-access-key",
            "x-api-app-key",
            "x-api-connect-id",
            "x-api-request-id",
            "x-api-resource-id",
            "x-api-sequence",
        ]
    );
    assert_eq!(
        header(connection, "Host"),
        format!("127.0.0.1:{}", service.port())
    );
    assert_eq!(header(connection, "X-Api-App-Key"), "app-1");
    assert_eq!(header(connection, "X-Api-Access-Key"), "secret-access-key");
    assert_eq!(
        header(connection, "X-Api-Resource-Id"),
        "volc.seedasr.sauc.duration"
    );
    assert_eq!(header(connection, "X-Api-Sequence"), "-1");
    assert_eq!(connection.path, "/api/v3/sauc/bigmodel_async");
}

/// Ids are UUIDs and fresh for each connection; the element says which one it has.
#[test]
fn every_connection_has_fresh_ids() {
    let service = service(options());
    let sink = sink(&service);
    assert_eq!(sink.property::<Option<String>>("connect-id"), None);
    assert_eq!(sink.property::<Option<String>>("log-id"), None);
    let (notified, notifications) = std::sync::mpsc::channel();
    for name in ["connect-id", "log-id"] {
        let notified = notified.clone();
        sink.connect_notify(Some(name), move |sink, pspec| {
            let id = sink.property::<Option<String>>(pspec.name());
            let _ = notified.send((pspec.name().to_owned(), id));
        });
    }
    let mut rig = TestPipeline::new(sink);
    let mut ids = BTreeSet::new();
    for n in 0..3 {
        assert!(rig.run(&[0; 9600], 200).errors().is_empty());
        let connection = &service.connections()[n];
        let connect_id = header(connection, "X-Api-Connect-Id").to_owned();
        let request_id = header(connection, "X-Api-Request-Id").to_owned();
        let told = |name| rig.sink.property::<Option<String>>(name);
        assert_eq!(told("connect-id"), Some(connect_id.clone()));
        assert_eq!(told("log-id"), Some(connection.log_id.clone()));
        let seen: BTreeMap<_, _> = notifications.try_iter().collect();
        assert_eq!(seen.get("connect-id"), Some(&Some(connect_id.clone())));
        assert_eq!(seen.get("log-id"), Some(&Some(connection.log_id.clone())));
        for id in [connect_id, request_id] {
            let id = uuid::Uuid::parse_str(&id).expect("a UUID");
            assert_eq!(id.get_version_num(), 4);
            assert!(ids.insert(id), "{id} came before");
        }
        rig.pipeline.set_state(gst::State::Ready).expect("READY");
    }
}

/// Not a test of its own: [`environment`] runs it in a process whose environment it has set.
#[test]
#[ignore = "runs in a process of its own"]
fn child() {
    let Ok(uri) = std::env::var("VOLCASR_TEST_URI") else {
        return;
    };
    init();
    let properties = std::env::var("VOLCASR_TEST_PROPERTIES").unwrap_or_default();
    let sink = gst::ElementFactory::make("volcasrsink")
        .property("uri", uri)
        .property("sync", false)
        .build()
        .expect("the element");
    for property in properties
        .split(',')
        .filter(|property| !property.is_empty())
    {
        let (name, value) = property.split_once('=').expect("a property");
        sink.set_property(name, value);
    }
    let log = speak(sink);
    assert!(log.errors().is_empty(), "{:?}", log.errors());
}

/// Returns the credentials that a process with these variables and properties sends.
fn sent(service: &Service, variables: &[(&str, &str)], properties: &str) -> Vec<String> {
    let before = service.connections().len();
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", &child::test_name(module_path!(), "child")])
        .args(["--ignored", "--nocapture"])
        .env_remove("VOLCENGINE_APP_ID")
        .env_remove("VOLCENGINE_ACCESS_KEY")
        .env_remove("VOLCENGINE_API_KEY")
        .envs(variables.iter().copied())
        .env("VOLCASR_TEST_URI", service.uri())
        .env("VOLCASR_TEST_PROPERTIES", properties);
    let output = command.output().expect("it runs");
    assert!(
        output.status.success(),
        "{variables:?} {properties}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let connections = service.connections();
    assert_eq!(connections.len(), before + 1);
    ["X-Api-App-Key", "X-Api-Access-Key", "X-Api-Key"]
        .into_iter()
        .filter_map(|name| {
            let value = connections[before].header(name)?;
            Some(format!("{name}: {value}"))
        })
        .collect()
}

#[test]
fn environment() {
    let service = service(options());
    let app = ("VOLCENGINE_APP_ID", "app-2");
    let access = ("VOLCENGINE_ACCESS_KEY", "secret-access-2");
    let key = ("VOLCENGINE_API_KEY", "secret-api-2");
    let pair_2 = ["X-Api-App-Key: app-2", "X-Api-Access-Key: secret-access-2"];
    assert_eq!(sent(&service, &[app, access], ""), pair_2);
    assert_eq!(sent(&service, &[key], ""), ["X-Api-Key: secret-api-2"]);
    // Among variables the API key beats the pair; an empty one is none.
    assert_eq!(
        sent(&service, &[app, access, key], ""),
        ["X-Api-Key: secret-api-2"]
    );
    assert_eq!(
        sent(&service, &[app, access, ("VOLCENGINE_API_KEY", "")], ""),
        pair_2
    );
    // A property beats any variable.
    assert_eq!(
        sent(
            &service,
            &[key],
            "app-key=app-1,access-key=secret-access-key"
        ),
        [
            "X-Api-App-Key: app-1",
            "X-Api-Access-Key: secret-access-key"
        ]
    );
    assert_eq!(
        sent(&service, &[app, access, key], "api-key=secret-api-key"),
        ["X-Api-Key: secret-api-key"]
    );
    // Half a pair is completed from the environment.
    assert_eq!(
        sent(&service, &[access, key], "app-key=app-1"),
        ["X-Api-App-Key: app-1", "X-Api-Access-Key: secret-access-2"]
    );
    assert_eq!(
        sent(&service, &[app, key], "access-key=secret-access-key"),
        [
            "X-Api-App-Key: app-2",
            "X-Api-Access-Key: secret-access-key"
        ]
    );
}

/// A reconnection has the credentials of the start, even if others were set meanwhile.
#[test]
fn reconnections_use_the_settings_of_the_start() {
    let service = service(options());
    let mut rig = TestPipeline::new(sink(&service));
    let (pcm, marks) = speech(2);
    let (first, second) = pcm.split_at(48_000);
    rig.play();
    rig.push(first, 20);
    assert!(service.wait(LONG, |all| all.iter().any(|c| c.audio_bytes > 24_000)));
    rig.sink.set_property("access-key", "secret-access-2");
    rig.sink
        .set_property("resource-id", "volc.bigasr.sauc.concurrent");
    assert!(service.inject(FaultKind::Reset));
    assert!(service.wait(LONG, |all| all.len() == 2 && all[1].ack_at.is_some()));
    rig.push(second, 20);
    rig.end();
    let log = rig.listen();
    assert!(log.errors().is_empty(), "{:?}", log.errors());
    assert_eq!(marks_of(&log.finals()), expected(&marks, 0));
    rig.pipeline.set_state(gst::State::Ready).expect("READY");
    rig.next = gst::ClockTime::ZERO;
    assert!(rig.run(&[0; 9600], 200).errors().is_empty());
    let connections = service.connections();
    let who = |n: usize| {
        ["X-Api-Access-Key", "X-Api-Resource-Id"]
            .map(|name| header(&connections[n], name).to_owned())
    };
    assert_eq!(who(0), who(1));
    assert_eq!(who(0), ["secret-access-key", "volc.seedasr.sauc.duration"]);
    assert_eq!(who(2), ["secret-access-2", "volc.bigasr.sauc.concurrent"]);
}
