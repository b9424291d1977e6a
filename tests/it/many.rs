//! Many elements, in one pipeline and in one process.

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Options, Service};

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("/proc").count()
}

/// `appsrc ! tee`, and `count` sinks behind it: each behind a queue, or all on one thread.
fn fan_out(service: &Service, count: usize, queues: bool) -> (TestPipeline, Vec<gst::Element>) {
    init();
    let tee = element("tee");
    let first = unpaced_sink(service);
    let mut rig = TestPipeline::new(first.clone());
    rig.source.unlink(&first);
    rig.pipeline.add(&tee).expect("a new one");
    rig.source.link(&tee).expect("any caps");
    let mut sinks = vec![first];
    sinks.extend((1..count).map(|_| unpaced_sink(service)));
    for (n, sink) in sinks.iter().enumerate() {
        if n > 0 {
            rig.pipeline.add(sink).expect("a new one");
        }
        if queues {
            let queue = element("queue");
            rig.pipeline.add(&queue).expect("a new one");
            gst::Element::link_many([&tee, &queue, sink]).expect("any caps");
        } else {
            // One after the other, so none may wait for the others' preroll.
            sink.set_property("async", false);
            tee.link(sink).expect("any caps");
        }
    }
    rig.sink = sinks[0].clone();
    (rig, sinks)
}

/// Every sink hears everything, and no more threads are there than those of the process.
fn run(count: usize, queues: bool, sentences: u64) -> usize {
    let service = service(Options {
        record_audio: false,
        record_frames: false,
        // Two cores can't recognise hundreds of unpaced streams at once: one that waits its turn
        // is not idle.
        idle_timeout: LONG,
        ..Options::default()
    });
    let (pcm, marks) = speech(sentences);
    let (mut rig, sinks) = fan_out(&service, count, queues);
    rig.play();
    rig.push(&pcm, 100);
    assert!(service.wait(LONG, |c| {
        c.iter().filter(|c| c.audio_bytes > 0).count() >= count
    }));
    let most = threads();
    rig.end();
    let log = rig.listen();
    log.assert_no_errors("the run");
    for sink in &sinks {
        let own: Vec<Transcript> = log
            .messages
            .iter()
            .filter(|message| message.src().is_some_and(|source| source == sink))
            .filter_map(|message| Transcript::parse(message))
            .collect();
        assert_ends_once(&own);
        let finals: Vec<Transcript> = own.into_iter().filter(|t| t.is_final).collect();
        assert_eq!(marks_of(&finals), expected(&marks, 0), "{}", sink.name());
    }
    println!("{count} elements: {most} threads");
    most
}

#[test]
fn ten_in_one_pipeline() {
    run(10, true, 5);
}

/// Two workers, at most 56 threads of the pool, the source's, the service's and the test's own.
#[test]
fn hundreds_in_one_process() {
    let _permit = heavy();
    child::alone(module_path!(), "hundreds_in_one_process", || {
        let most = run(300, false, 1);
        assert!(most < 90, "{most} threads");
    });
}
