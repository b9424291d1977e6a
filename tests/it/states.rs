//! PAUSED → READY at any moment: at once, nothing left behind, and the next start is a clean one.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use crate::common::faults::fault;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Connection, Gate, Options, Service};

/// It is to take 100 ms at most; a test machine may be busy with something else.
const READY: Duration = Duration::from_secs(1);

fn ready(rig: &TestPipeline, calls: &mut Calls) {
    let began = Instant::now();
    calls.time("READY", || rig.go(gst::State::Ready));
    let took = began.elapsed();
    assert!(took < READY, "{took:?}");
}

fn play_a_sentence(rig: &mut TestPipeline) {
    let log = rig.speak(1);
    log.assert_clean();
    // Nothing of what was before.
    assert!(log.transcripts().iter().all(|t| t.stream == 0));
    assert_eq!(log.finals()[0].utterance, 0);
}

/// Goes to READY each time `moment` has come, and starts again from there.
fn at_each_moment(
    name: &str,
    options: Options,
    hold: &[Gate],
    moment: impl Fn(&Service, &mut TestPipeline) -> BusLog,
) {
    let service = &service(options);
    let sink = match hold.contains(&Gate::Reading) {
        true => blocking_sink(service),
        false => unpaced_sink(service),
    };
    let mut rig = TestPipeline::new(sink);
    let mut calls = Calls::default();
    for _ in 0..5 {
        hold.iter().for_each(|gate| service.hold(*gate));
        rig.next = gst::ClockTime::ZERO;
        rig.play();
        let mut after = moment(service, &mut rig);
        if !hold.is_empty() {
            calls.time("PAUSED", || rig.go(gst::State::Paused));
            calls.time("PLAYING", || rig.go(gst::State::Playing));
            calls.time("stats", || stat(&rig.sink, "sessions"));
        }
        ready(&rig, &mut calls);
        after.add(rig.take());
        after.assert_no_errors(name);
        assert!(!after.saw_eos());
        let mut progress = after.progress();
        progress.retain(|p| *p != gst::ProgressType::Continue);
        // One start, one end.
        let has_begun = progress.first() == Some(&gst::ProgressType::Start);
        assert!(has_begun && progress.len() == 2, "{name}: {progress:?}");
        hold.iter().for_each(|gate| service.release(*gate));
        let has_ended = service.wait(LONG, |c| c.iter().all(|c| c.end.is_some()));
        assert!(has_ended, "{name}: a connection is left");
        // No later response of the service has been posted.
        assert!(rig.take().transcripts().is_empty(), "{name}");
    }
    play_a_sentence(&mut rig);
    calls.assert_at_once(name);
}

/// Waits until the last connection is open, and `holds` of it.
fn until_last(service: &Service, holds: impl Fn(&Connection) -> bool) {
    let is_last = |c: &[Connection]| c.last().is_some_and(|c| c.end.is_none() && holds(c));
    assert!(service.wait(LONG, is_last));
}

/// Waits until the element shows the id of the last connection, and so has posted all that precedes
/// it: READY discards what is not posted, such as the start of the transcriber's progress.
fn until_shown(service: &Service, rig: &TestPipeline) {
    let connections = service.connections();
    let id = connections
        .last()
        .and_then(|c| c.header("X-Api-Connect-Id"));
    wait_until("the connection's id", || {
        rig.sink.property::<Option<String>>("connect-id").as_deref() == id
    });
}

fn push(rig: &mut TestPipeline, seconds: usize) {
    let (pcm, _) = speech(1 + seconds as u64 / 2);
    rig.push(&pcm[..seconds * 48_000], 20);
}

#[test]
fn right_after_playing() {
    at_each_moment("at once", Options::default(), &[], |_, _| BusLog::default());
}

#[test]
pub fn in_the_middle_of_speech() {
    at_each_moment("speech", Options::default(), &[], |_, rig| {
        push(rig, 3);
        rig.listen_until(is_transcript)
    });
}

/// In the upgrade, before the ack, and before the final response.
#[test]
pub fn waiting_for_an_answer() {
    type IsThere = fn(&Connection) -> bool;
    let cases: [(Gate, IsThere); 3] = [
        (Gate::Upgrade, |c| !c.path.is_empty()),
        (Gate::Ack, |c| c.request.is_some()),
        (Gate::Final, |c| c.finish_at.is_some()),
    ];
    for (gate, is_it) in cases {
        at_each_moment(
            &format!("{gate:?}"),
            Options::default(),
            &[gate],
            |service, rig| {
                push(rig, 1);
                if gate == Gate::Final {
                    rig.eos();
                }
                until_last(service, is_it);
                until_shown(service, rig);
                BusLog::default()
            },
        );
    }
}

#[test]
pub fn blocked_in_a_send() {
    let hold = [Gate::Reading, Gate::Responses];
    at_each_moment("blocked", Options::default(), &hold, |_, rig| {
        push(rig, 300);
        rig.eos();
        until_blocked(&rig.sink, Duration::from_millis(400));
        BusLog::default()
    });
}

#[test]
pub fn between_two_tries() {
    let faults = (1..=5).map(|n| fault(&format!("reset@600ms#{n}")));
    let options = Options {
        faults: faults.collect(),
        ..Options::default()
    };
    at_each_moment("between tries", options, &[], |_, rig| {
        push(rig, 1);
        rig.listen_until(is_warning)
    });
}

/// Threads and descriptors of this process.
fn inventory() -> (usize, usize) {
    let count = |path| std::fs::read_dir(path).expect("/proc").count();
    (count("/proc/self/task"), count("/proc/self/fd"))
}

/// Ends of all kinds, again and again, each with a new element now and then.
fn cycles(count: u64) {
    let service = service(Options {
        record_audio: false,
        ..Options::default()
    });
    let mut rig = TestPipeline::at(&service, "");
    let mut calls = Calls::default();
    for n in 0..count {
        if n % 10 == 9 {
            rig = TestPipeline::at(&service, "");
        }
        rig.next = gst::ClockTime::ZERO;
        match n % 4 {
            0 => play_a_sentence(&mut rig),
            1 => rig.play(),
            2 => {
                rig.play();
                push(&mut rig, 1);
            }
            _ => {
                rig.play();
                push(&mut rig, 2);
                rig.listen_until(is_transcript);
            }
        }
        ready(&rig, &mut calls);
        if n % 3 == 0 {
            rig.go(gst::State::Null);
        }
        rig.take();
    }
    calls.assert_at_once("cycles");
    assert!(service.wait(LONG, |c| c.iter().all(|c| c.end.is_some())));
}

/// Alone in its process: other tests have threads of their own.
#[test]
pub fn a_hundred_cycles_leave_nothing_behind() {
    let set: [(&str, &OsStr); 2] = [
        ("GST_TRACERS", "leaks".as_ref()),
        ("GST_DEBUG", "GST_TRACER:7".as_ref()),
    ];
    child::run(&set, &[], || {
        // Some things are made once for the process: the runtime, the pools, interned caps.
        cycles(8);
        let mut tracers = gst::active_tracers().into_iter();
        let tracer = tracers.find(|tracer| tracer.type_().name() == "GstLeaksTracer");
        let tracer = tracer.expect("GST_TRACERS=leaks");
        let alive = || {
            let alive: gst::Structure = tracer.emit_by_name("get-live-objects", &[]);
            alive
                .get::<gst::List>("live-objects-list")
                .expect("a list")
                .len()
        };
        // Threads of pools end when they have been idle for a while, and hold a task until then.
        let quiet = || (inventory(), alive());
        // Good-byes take a second at most.
        let lowest = std::cell::Cell::new((quiet(), Instant::now()));
        wait_until("nothing more ends", || {
            let now = quiet();
            if now != lowest.get().0 {
                lowest.set((now, Instant::now()));
            }
            lowest.get().1.elapsed() > Duration::from_millis(1500)
        });
        let before = lowest.get().0;
        cycles(100);
        wait_until("back to what it was", || {
            let (inventory, alive) = quiet();
            inventory.0 <= before.0.0 && inventory.1 <= before.0.1 && alive <= before.1
        });
    });
}
