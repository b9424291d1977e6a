//! Without a network there is one error, and gst-launch shows why.

use std::process::Command;

use crate::common::faults::free_port;
use crate::common::*;
use gst::ProgressType::{Error, Start};
use gst::ResourceError::OpenWrite;
use gst::prelude::*;

/// Whether or not a buffer ever comes.
#[test]
fn no_network() {
    let refused = format!("ws://127.0.0.1:{}/api/v3/sauc/bigmodel_async", free_port());
    let unknown = "wss://does-not-exist.invalid/api/v3/sauc/bigmodel_async";
    for (uri, parts) in [
        (refused.as_str(), ["127.0.0.1", "uri", "port"]),
        (unknown, ["does-not-exist.invalid", "uri", "name service"]),
    ] {
        for buffers in [true, false] {
            let sink = set(sink_for(uri), "max-reconnects=0 proxy=");
            let mut rig = TestPipeline::new(sink);
            // It may fail before the change is over.
            let _ = rig.pipeline.set_state(gst::State::Playing);
            assert!(rig.sink.state(gst::ClockTime::ZERO).0.is_ok(), "{uri}");
            if buffers {
                rig.push(&speech(1).0, 100);
            }
            let log = rig.listen();
            let errors = log.errors();
            assert_eq!(errors[0].source.as_deref(), Some(rig.sink.name().as_str()));
            errors[0].assert_is(OpenWrite, &parts);
            assert!(errors[0].is_retryable());
            let numbers = ["code", "http-status"].map(|name| errors[0].number(name));
            assert_eq!(numbers, [None, None]);
            assert_eq!(log.progress(), [Start, Error], "before the error message");
            rig.go_to_ready_after_an_error();
            assert_eq!(rig.take().progress(), [], "after it");
        }
    }
}

/// gst-launch shows why it does not go on without a network, from the first attempt on.
#[test]
fn gst_launch_shows_the_first_failed_attempt() {
    let path = "api/v3/sauc/bigmodel_async";
    let uri = format!("uri=ws://127.0.0.1:{}/{path}", free_port());
    let scratch = scratch::Scratch::new("unreachable");
    let output = Command::new("gst-launch-1.0")
        .args("audiotestsrc num-buffers=20 ! audioconvert ! audioresample".split(' '))
        .args(["!", "volcasrsink", "max-reconnects=1", &uri])
        .env("GST_PLUGIN_PATH", program::plugin())
        .env("GST_REGISTRY", scratch.path("registry"))
        .env("VOLCENGINE_APP_ID", "app-1")
        .env("VOLCENGINE_ACCESS_KEY", "secret-access-key")
        .output()
        .expect("gst-launch-1.0");
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown);
    let warning = shown.lines().find(|line| line.starts_with("WARNING"));
    let warning = warning.unwrap_or_else(|| panic!("no warning: {shown}"));
    for part in [
        "No session yet",
        "(attempt 1)",
        "can't connect to 127.0.0.1",
    ] {
        assert!(warning.contains(part), "no {part}: {warning}");
    }
    assert!(shown.contains("ERROR"), "{shown}");
    assert!(!output.status.success(), "{shown}");
}
