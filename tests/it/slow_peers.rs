//! Peers that are late, asleep or gone: noticed in time, and restored.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::{Gate, Options};

#[test]
fn nobody_listens_yet() {
    let port = free_port();
    let sink = sink_for(&format!("ws://127.0.0.1:{port}/api/v3/sauc/bigmodel_async"));
    let mut rig = TestPipeline::new(sink);
    let (pcm, marks) = open_ended_speech(4);
    rig.begin(&pcm, 20);
    rig.eos();
    let mut log = rig.listen_until(|m| is_progress(m, gst::ProgressType::Continue));
    let _service = service(Options {
        port,
        ..Options::default()
    });
    log.add(rig.listen());
    assert_whole(&log, &marks, false, "late");
    let warnings = log.warnings();
    assert!(
        !warnings.is_empty(),
        "the first failed attempt is a warning"
    );
    for warning in &warnings {
        // Nothing was lost.
        let text = warning.error.message();
        assert!(text.starts_with("No session yet"), "{text}");
    }
    assert_eq!(log.progress().last(), Some(&gst::ProgressType::Complete));
}

/// The peer hangs, and takes no more bytes: the frame that is under way is given ten seconds.
#[test]
fn a_send_that_is_blocked_is_a_loss() {
    let service = service(Options {
        receive_buffer: Some(4096),
        ..faulty(&["hang@4s#1"], false)
    });
    let sink = set(unpaced_sink(&service), "compression=none");
    let (pcm, marks) = open_ended_speech(100);
    let mut rig = TestPipeline::new(sink.clone());
    let log = rig.run(&pcm, 20);
    assert_whole(&log, &marks, false, "hang");
    assert_warned(&log, 1, "hang");
    assert_eq!(stat(&sink, "reconnects"), 1);
}

/// However much waits, and however fast it goes: the service's messages are read meanwhile.
#[test]
fn an_error_is_read_while_a_queue_is_sent() {
    let service = service(faulty(&["error:45000001@1s"], false));
    service.hold(Gate::Upgrade);
    let properties = "max-queue-time=1000000 connect-timeout=60000";
    let sink = set(unpaced_sink(&service), properties);
    let (pcm, _) = open_ended_speech(300);
    let mut rig = TestPipeline::new(sink.clone());
    rig.begin(&pcm, 200);
    rig.until_taken(&pcm);
    service.release(Gate::Upgrade);
    let log = rig.listen();
    let errors = own_errors(&log, &sink);
    let code = errors[0].number("code");
    assert_eq!(code, Some(45_000_001), "{errors:?}");
    let [all, sent] = ["audio-received", "audio-sent"].map(|name| stat(&sink, name));
    assert!(sent < all / 2, "{sent} of {all}");
}
