//! PAUSED → READY at any moment: at once, without leaks, and the next start works.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

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

/// Goes to READY each time the moment has come, and starts again from there. `progress::` does so
/// at once.
#[test]
pub fn at_each_moment() {
    for (name, faults, hold, moment) in MOMENTS {
        let service = &service(faults::faulty(faults, false));
        at(name, service, hold, moment);
    }
}

fn at(name: &str, service: &Service, hold: &[Gate], moment: Moment) {
    let blocks = hold.contains(&Gate::Reading);
    let mut rig = TestPipeline::at(service, if blocks { BLOCKING } else { "" });
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
        assert!(!is_connected(&rig.sink), "{name}");
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

/// Waits until the last connection is open, and meets `holds`. The element shows its id then, and
/// so has posted all that precedes it: READY discards what is not posted, such as the start of the
/// transcriber's progress.
fn until_last(
    service: &Service,
    rig: &TestPipeline,
    holds: impl Fn(&Connection) -> bool,
) -> BusLog {
    let is_last = |c: &[Connection]| c.last().is_some_and(|c| c.end.is_none() && holds(c));
    assert!(service.wait(LONG, is_last));
    let last = service.connections().pop();
    let id = last.as_ref().and_then(|c| c.header("X-Api-Connect-Id"));
    wait_until("the connection's id", || {
        rig.sink.property::<Option<String>>("connect-id").as_deref() == id
    });
    BusLog::default()
}

fn push(rig: &mut TestPipeline, seconds: usize) {
    let (pcm, _) = speech(1 + seconds as u64 / 2);
    rig.push(&pcm[..seconds * 48_000], 20);
}

/// One for each time that [`at`] brings a pipeline there.
const RESETS: [&str; 5] = [
    "reset@600ms#1",
    "reset@600ms#2",
    "reset@600ms#3",
    "reset@600ms#4",
    "reset@600ms#5",
];

/// Brings a pipeline to a moment. Returns what was said on the way there.
type Moment = fn(&Service, &mut TestPipeline) -> BusLog;

/// Names of moments, the faults and gates of the service that they need, and the ways there.
const MOMENTS: [(&str, &[&str], &[Gate], Moment); 6] = [
    ("speech", &[], &[], |_, rig| {
        push(rig, 3);
        rig.listen_until(is_transcript)
    }),
    ("upgrade", &[], &[Gate::Upgrade], |service, rig| {
        push(rig, 1);
        until_last(service, rig, |c| !c.path.is_empty())
    }),
    ("ack", &[], &[Gate::Ack], |service, rig| {
        push(rig, 1);
        until_last(service, rig, |c| c.request.is_some())
    }),
    ("final", &[], &[Gate::Final], |service, rig| {
        push(rig, 1);
        rig.eos();
        until_last(service, rig, |c| c.finish_at.is_some())
    }),
    (
        "blocked",
        &[],
        &[Gate::Reading, Gate::Responses],
        |_, rig| {
            push(rig, 300);
            rig.eos();
            until_blocked(&rig.sink, Duration::from_millis(400));
            BusLog::default()
        },
    ),
    ("between tries", &RESETS, &[], |_, rig| {
        push(rig, 1);
        rig.listen_until(is_warning)
    }),
];

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
