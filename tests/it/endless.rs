//! Peers that write without end, and applications that do not listen: deadlines, state changes and
//! the log hold, and memory is bounded.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::raw_server::Manners::{Polite, Rude, Silent};
use crate::common::raw_server::*;
use crate::common::*;

/// Pings, as they stand on the socket.
fn pings(_: usize) -> Vec<u8> {
    [0x89, 0].repeat(1 << 20)
}

fn texts(_: usize) -> Vec<u8> {
    b"\x81\x05hello".repeat(1 << 16)
}

/// The beginning of a message, and then nothing more of it for ever.
fn fragments(n: usize) -> Vec<u8> {
    match n {
        0 => vec![2, 0],
        _ => [0, 0].repeat(1 << 20),
    }
}

/// The n-th utterance of a second, with ten bytes of text `times` times.
fn utterance(n: usize, times: usize, definite: bool) -> Vec<u8> {
    let (start, end) = (n * 1000, n * 1000 + 500);
    let text = "and so on ".repeat(times);
    let json = format!(
        r#"{{"audio_info":{{"duration":{start}}},"result":{{"utterances":[{{"text":"{n} {text}",
            "definite":{definite},"start_time":{start},"end_time":{end}}}]}}}}"#
    );
    message(&response_frame(json.as_bytes()))
}

/// A megabyte that is not settled, another one each time.
fn opens(n: usize) -> Vec<u8> {
    utterance(n, 100_000, false)
}

/// 4 KiB that inflate to 4 MiB.
fn bombs() -> impl Fn(usize) -> Vec<u8> + Send + 'static {
    let mut json = br#"{"audio_info":{"duration":1}}"#.to_vec();
    json.resize(4 << 20, b' ');
    let mut bomb = message(&response_frame(&gzip(&json)));
    bomb[12] |= 1;
    move |_| bomb.clone()
}

/// Pushes four seconds of audio, which go out in spite of the peer, then ends the stream.
fn run(server: &RawServer) -> BusLog {
    let sink = set(sink_for(&server.uri), "max-speed=0 finish-timeout=500");
    let mut rig = TestPipeline::new(sink);
    rig.begin(&[0; 48_000 * 4], 20);
    wait_until("all audio is sent", || {
        stat(&rig.sink, "audio-sent") == 4_000_000_000
    });
    let began = Instant::now();
    let log = rig.end();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    log
}

/// Only the first texts are warnings in the log.
#[test]
fn an_endless_talker_puts_nothing_off() {
    child::alone(|| {
        init();
        let warned = logged_warnings("volcasrsink");
        faults::in_parallel(&[pings, fragments, texts], |next| {
            // Of its audio nothing ever came.
            let errors = run(&RawServer::new(*next)).errors();
            errors[0].assert_is(gst::ResourceError::Write, &[]);
        });
        let mut warned = std::mem::take(&mut *warned.lock().expect("no panic"));
        warned.retain(|warning| warning.contains("a text message"));
        // A few on each connection; the last words are asked for again, perhaps.
        assert!((1..100).contains(&warned.len()), "{}", warned.len());
    });
}

/// Answers that repeat one text and are never final come without end: bounded by six times
/// `finish-timeout`. Without any text the end would be an error.
#[test]
fn endless_answers_do_not_put_off_the_end() {
    let answer = br#"{"audio_info":{"duration":1},"result":{"text":"so"}}"#;
    let answers = message(&response_frame(answer)).repeat(50_000);
    let log = run(&RawServer::new(move |_| answers.clone()));
    assert!(log.saw_eos(), "{:?}", log.errors());
    // A busy machine may take the service for silent, and try again.
    assert_eq!(faults::warnings_of(&log, "volcasr-finish-timeout").len(), 1);
    let last = log.warnings().pop().and_then(|warning| warning.details);
    assert!(last.is_some_and(|last| last.name() == "volcasr-finish-timeout"));
}

/// Before the answer to the request, it is `connect-timeout` that ends them.
#[test]
fn endless_fragments_instead_of_an_answer_are_given_up() {
    let server = RawServer::with(Silent, fragments);
    let properties = "max-reconnects=0 connect-timeout=500";
    let sink = set(sink_for(&server.uri), properties);
    let errors = TestPipeline::new(sink).run(&[0; 48_000], 20).errors();
    errors[0].assert_is(gst::ResourceError::OpenWrite, &[]);
}

/// Waits until `count` is at least `wanted`. Each step may take as long as a wait: on a busy
/// machine all of them take longer than one.
fn wait_until_count(what: &str, wanted: u64, mut count: impl FnMut() -> u64) {
    loop {
        let reached = count();
        if reached >= wanted {
            return;
        }
        wait_until(what, || count() > reached);
    }
}

/// Plays to `server` without listening to what comes of it.
fn play_unread(server: &RawServer) -> TestPipeline {
    let properties = "max-speed=0 idle-timeout=0 max-reconnects=0";
    let mut rig = TestPipeline::new(set(sink_for(&server.uri), properties));
    let handler = |_: &gst::Bus, message: &gst::Message| match message.type_() {
        gst::MessageType::Element | gst::MessageType::Tag => gst::BusSyncReply::Drop,
        _ => gst::BusSyncReply::Pass,
    };
    rig.bus.set_sync_handler(handler);
    rig.begin(&[0; 48_000], 20);
    wait_until("it talks", || server.written() > 0);
    rig
}

/// Texts of 64 MB that stay open, and bombs of 96 MiB.
#[test]
fn what_is_large_is_bounded() {
    let _permit = heavy();
    child::alone(|| {
        for (what, server, responses, most) in [
            ("open texts", RawServer::new(opens), 65, 40 << 20),
            ("bombs", RawServer::new(bombs()), 25, 48 << 20),
        ] {
            let rig = play_unread(&server);
            let (before, mut grown) = (memory(), 0);
            wait_until_count(what, responses, || {
                grown = grown.max(memory().saturating_sub(before));
                stat(&rig.sink, "responses")
            });
            println!("{what}: {grown} bytes more");
            assert!(grown < most, "{what}: {grown} bytes more");
        }
    });
}

/// An application's handler blocks while final sentences pour in: memory stays bounded, and one
/// error names the handler. What came before it is all posted, in order.
#[test]
fn a_handler_that_blocks_for_too_long_is_an_error() {
    child::alone(|| {
        let server = RawServer::new(|n| utterance(n, 2000, true));
        let properties = "max-speed=0 finish-timeout=500 idle-timeout=0";
        let mut rig = TestPipeline::new(set(sink_for(&server.uri), properties));
        let (gate, seen) = (Door::default(), Arc::new(Mutex::new(Vec::new())));
        let (at_gate, list) = (gate.clone(), seen.clone());
        rig.bus.set_sync_handler(move |_, message| {
            if let Some(said) = Transcript::from_message(message) {
                at_gate.wait();
                list.lock().expect("no panic").push(said.utterance);
            }
            match message.type_() {
                gst::MessageType::Error => gst::BusSyncReply::Pass,
                _ => gst::BusSyncReply::Drop,
            }
        });
        let before = memory();
        rig.begin(&[0; 48_000], 20);
        wait_until("it is connected", || is_connected(&rig.sink));
        wait_until_count("it has failed", u64::MAX, || {
            match is_connected(&rig.sink) {
                true => stat(&rig.sink, "responses"),
                false => u64::MAX,
            }
        });
        let grown = memory().saturating_sub(before);
        assert!(grown < 160 << 20, "{grown} bytes more");
        gate.open();
        rig.listen().errors()[0].assert_is(gst::ResourceError::Failed, &["sync handler"]);
        let seen = seen.lock().expect("no panic");
        assert!(seen.len() > 1024);
        let expected: Vec<u32> = (0..seen.len() as u32).collect();
        assert_eq!(*seen, expected, "one was lost, or came twice");
    });
}

/// No peer keeps a change to READY for more than 100 ms. The best of some tries counts,
/// for the machine is busy with other tests, too.
#[test]
fn no_flood_holds_a_state_change() {
    type Next = Box<dyn Fn(usize) -> Vec<u8> + Send>;
    type Flood = (&'static str, Manners, fn() -> Next);
    let floods: [Flood; 7] = [
        ("pings", Polite, || Box::new(pings)),
        ("pings with unread answers", Rude, || Box::new(pings)),
        ("texts", Polite, || Box::new(texts)),
        ("fragments", Polite, || Box::new(fragments)),
        ("no answer but fragments", Silent, || Box::new(fragments)),
        ("open texts", Polite, || Box::new(opens)),
        ("bombs", Polite, || Box::new(bombs())),
    ];
    for (name, manners, next) in floods {
        let tries = (0..5).map(|_| {
            let server = RawServer::with(manners, next());
            let rig = play_unread(&server);
            let began = Instant::now();
            rig.go(gst::State::Ready);
            began.elapsed()
        });
        let took: Vec<Duration> = tries.collect();
        let at_once = took.iter().any(|took| *took < Duration::from_millis(100));
        assert!(at_once, "{name}: {took:?}");
    }
}
