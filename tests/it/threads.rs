//! Threads: none of the application's is blocked, and any may call, those of its own runtime too.
//! Many elements in one process share a fixed number of threads.

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Connection, Gate, Options};

fn whole_session() {
    let (_service, mut rig) = TestPipeline::start("");
    rig.speak(1);
    for state in [gst::State::Ready, gst::State::Paused, gst::State::Null] {
        rig.go(state);
    }
}

/// Entering a runtime from within another one panics: the element must not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_runtime() {
    whole_session();
    for session in [
        tokio::spawn(async { whole_session() }),
        tokio::task::spawn_blocking(whole_session),
    ] {
        session.await.expect("no panic");
    }
}

/// Its last reference goes on a worker of the application's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_by_a_worker_of_a_runtime() {
    let service = service(Options::default());
    service.hold(Gate::Ack);
    let mut rig = TestPipeline::new(sink(&service));
    rig.begin(&speech(1).0, 100);
    until_connection(&service, |c| !c.path.is_empty());
    let dropped = tokio::spawn(async move { drop(rig) });
    dropped.await.expect("no panic");
}

const COUNT: usize = 300;

/// Every sink posts all of its words. There are no more threads than two workers, at most 56 of the
/// pool, the source's, the service's and the test's own.
#[test]
fn hundreds_in_one_process() {
    let _permit = heavy();
    child::alone(|| {
        init();
        let service = service(Options {
            record_audio: false,
            record_frames: false,
            // Two cores can't recognise hundreds of unpaced streams at once: one that waits its
            // turn is not idle.
            idle_timeout: LONG,
            ..Options::default()
        });
        let sinks: Vec<_> = (0..COUNT).map(|_| unpaced_sink(&service)).collect();
        let mut rig = TestPipeline::new(sinks[0].clone());
        rig.source.unlink(&rig.sink);
        let tee = element("tee");
        rig.pipeline.add(&tee).expect("a new one");
        rig.pipeline.add_many(&sinks[1..]).expect("new ones");
        rig.source.link(&tee).expect("any caps");
        for sink in &sinks {
            // One after the other, so none may wait for the others' preroll.
            sink.set_property("async", false);
            tee.link(sink).expect("any caps");
        }
        let (pcm, marks) = speech(1);
        rig.begin(&pcm, 100);
        let with_audio = |all: &[Connection]| all.iter().filter(|c| c.audio_bytes > 0).count();
        assert!(service.wait(LONG, |all| with_audio(all) >= COUNT));
        let threads = std::fs::read_dir("/proc/self/task").expect("/proc").count();
        let log = rig.end();
        log.assert_no_errors("the run");
        for sink in &sinks {
            let messages = log.messages.iter();
            let own = messages.filter(|message| message.src().is_some_and(|source| source == sink));
            let own = BusLog {
                messages: own.cloned().collect(),
            };
            own.assert_said_in(sink.name(), &marks, 0);
        }
        assert!(threads < 90, "{threads} threads");
    });
}
