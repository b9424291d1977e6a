//! Starting: one progress with one end, nothing that blocks, no session before there is audio.

use std::time::{Duration, Instant};

use crate::common::faults::is_ready;
use crate::common::*;
use gst::ProgressType::{Canceled, Complete, Start};
use volcasr_loopback::{Fault, FaultKind, Options, Trigger};

/// All that is posted until READY, and by it.
fn until_ready(rig: &TestPipeline, mut log: BusLog) -> BusLog {
    rig.go(gst::State::Ready);
    log.add(rig.take());
    log
}

#[test]
fn success() {
    let (service, mut rig) = TestPipeline::start("");
    for _ in 0..2 {
        let log = rig.speak(1);
        assert_eq!(until_ready(&rig, log).progress(), [Start, Complete]);
    }
    let late = rig.take().messages;
    assert!(late.is_empty(), "after READY: {late:?}");
    // It does not wait for a buffer.
    let connections = service.connections().len();
    rig.go(gst::State::Paused);
    let log = until_ready(&rig, rig.listen_until(is_ready));
    assert_eq!(log.progress(), [Start, Complete]);
    log.assert_clean();
    assert!(service.inspect(|all| all[connections..].iter().all(|c| c.path.is_empty())));
}

/// A stop while look-up, TCP or TLS are under way.
#[test]
fn canceled() {
    let authority = volcasr_loopback::tls::Authority::new().expect("a key");
    let service = service(Options {
        tls: Some(authority.good().expect("a key")),
        faults: vec![Fault::each(FaultKind::Hang, Trigger::Accept)],
        ..Options::default()
    });
    let rig = TestPipeline::new(sink(&service));
    rig.play();
    until_connection(&service, |c| !c.faults.is_empty());
    let mut calls = Calls::default();
    calls.time("stats", || stat(&rig.sink, "sessions"));
    let log = calls.time("READY", || until_ready(&rig, BusLog::default()));
    assert_eq!(log.progress(), [Start, Canceled]);
    log.assert_no_errors("the run");
}

/// However soon the stop comes, what began has one end.
#[test]
fn canceled_at_once() {
    let (_service, rig) = TestPipeline::start("");
    for _ in 0..200 {
        rig.go(gst::State::Paused);
        let progress = until_ready(&rig, BusLog::default()).progress();
        let is_whole = progress == [Start, Canceled] || progress == [Start, Complete];
        assert!(is_whole, "{progress:?}");
    }
}

/// A stop that finds the end on its way to the bus lets it get there: after READY nothing comes.
#[test]
fn stopped_while_the_end_is_posted() {
    let service = service(Options::default());
    let mut soon = 0;
    for _ in 0..10 {
        // A stop that takes too long leaves the message to come in the next round.
        let rig = TestPipeline::new(sink(&service));
        let (posting, posted) = std::sync::mpsc::channel();
        rig.bus.set_sync_handler(move |_, message| {
            if is_ready(message) {
                let _ = posting.send(());
                // As a thread does that others keep from running.
                std::thread::sleep(Duration::from_millis(10));
            }
            gst::BusSyncReply::Pass
        });
        rig.go(gst::State::Paused);
        posted.recv_timeout(LONG).expect("COMPLETE");
        let began = Instant::now();
        let log = until_ready(&rig, BusLog::default());
        // It does not let it have more than half of the time that a stop may take.
        if began.elapsed() < Duration::from_millis(50) {
            assert_eq!(log.progress(), [Start, Complete]);
            soon += 1;
        }
    }
    assert!(soon > 0, "no stop was soon enough to tell");
}

/// A pipeline held in PAUSED has at most an idle connection, which closes after `idle-timeout`. The
/// next buffer dials again. gst-launch waits for the progress: START is on the bus before the state
/// change is through, and the end does not wait for PLAYING.
#[test]
fn paused_holds_no_session() {
    let (service, mut rig) = TestPipeline::start("idle-timeout=300");
    let (pcm, marks) = speech(1);
    rig.go(gst::State::Paused);
    rig.push(&pcm, 100);
    let mut log = rig.listen_until(|message| message.type_() == gst::MessageType::AsyncDone);
    assert!(
        log.progress().starts_with(&[Start]),
        "gst-launch would not wait"
    );
    until_connection(&service, |c| c.end.is_some());
    let [connection] = &service.connections()[..] else {
        panic!("one connection")
    };
    assert_eq!(connection.path, "", "a request was made");
    let times = connection.accepted_at.zip(connection.ended_at);
    let held = times.map(|(accepted, ended)| ended - accepted);
    assert!(held >= Some(Duration::from_millis(250)), "{held:?}");
    log.add(rig.take());
    log.assert_clean();
    assert_eq!(log.progress(), [Start, Complete]);

    rig.play();
    let log = rig.end();
    log.assert_clean();
    log.assert_said(&marks, 0);
    assert_eq!(log.progress(), [], "it has ended long ago");
    assert_eq!(service.connections().len(), 2);
}
