//! Peers that write without end: deadlines, state changes and the log hold, and memory is bounded.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::common::raw_server::*;
use crate::common::*;
use gst::prelude::*;

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

/// An utterance of two megabytes that is not settled, another one each time.
fn opens(n: usize) -> Vec<u8> {
    let text = "and so on ".repeat(200_000);
    let start = n * 1000;
    let times = format!(r#""start_time":{start},"end_time":{}"#, start + 500);
    let utterance = format!(r#"{{"text":"{text}",{times}}}"#);
    let json = format!(
        r#"{{"audio_info":{{"duration":{start}}},"result":{{"utterances":[{utterance}]}}}}"#
    );
    message(json.as_bytes(), 0)
}

/// 4 KiB that inflate to 4 MiB.
fn bombs() -> impl Fn(usize) -> Vec<u8> + Clone + Send + 'static {
    let mut json = br#"{"audio_info":{"duration":1}}"#.to_vec();
    json.resize(4 << 20, b' ');
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&json).expect("to memory");
    let mut bomb = message(&gzip.finish().expect("to memory"), 0);
    bomb[12] |= 1;
    move |_| bomb.clone()
}

/// Asserts that audio goes out in spite of the peer, and that the end comes in time.
fn assert_puts_nothing_off(next: fn(usize) -> Vec<u8>) {
    let server = RawServer::new(next);
    let sink = set(sink_for(&server.uri), "max-speed=0 finish-timeout=500");
    let mut rig = TestPipeline::new(sink.clone());
    rig.play();
    rig.push(&[0; 48_000 * 4], 20);
    wait_until("all audio is sent", || {
        stat(&sink, "audio-sent") == 4_000_000_000
    });
    let began = Instant::now();
    rig.end();
    // Of its audio nothing ever came.
    let errors = rig.listen().errors();
    let error = errors.first().map(|report| report.error.clone());
    assert!(
        error.is_some_and(|error| error.matches(gst::ResourceError::Write)),
        "{errors:?}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn endless_pings_put_nothing_off() {
    assert_puts_nothing_off(pings);
}

#[test]
fn endless_fragments_put_nothing_off() {
    assert_puts_nothing_off(fragments);
}

/// Only the first texts are warnings in the log.
#[test]
fn endless_texts_put_nothing_off() {
    child::alone(module_path!(), "endless_texts_put_nothing_off", || {
        init();
        let warned = Arc::new(AtomicUsize::new(0));
        let count = warned.clone();
        gst::log::set_threshold_for_name("volcasrsink", gst::DebugLevel::Warning);
        gst::log::remove_default_log_function();
        gst::log::add_log_function(move |_, _, _, _, _, _, message| {
            if message
                .get()
                .is_some_and(|line| line.contains("a text message"))
            {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        assert_puts_nothing_off(texts);
        let warned = warned.load(Ordering::Relaxed);
        // A few on each connection; the last words are asked for again, perhaps.
        assert!((1..100).contains(&warned), "{warned} warnings");
    });
}

/// Before the answer to the request, it is `connect-timeout` that ends them.
#[test]
fn endless_fragments_instead_of_an_answer_are_given_up() {
    let silent = Manners {
        answers: false,
        ..POLITE
    };
    let server = RawServer::with(silent, fragments);
    let sink = set(
        sink_for(&server.uri),
        "max-reconnects=0 connect-timeout=500",
    );
    let errors = TestPipeline::new(sink).run(&[0; 48_000], 20).errors();
    let error = &errors[0].error;
    assert!(error.matches(gst::ResourceError::OpenWrite), "{error:?}");
}

/// Returns how far the memory of this process grows until the condition holds.
fn growth_until(what: &str, mut condition: impl FnMut() -> bool) -> usize {
    let before = memory();
    let mut most = 0;
    wait_until(what, || {
        most = most.max(memory().saturating_sub(before));
        condition()
    });
    println!("{what}: {most} bytes more");
    most
}

/// Plays to `server` without listening to what comes of it.
fn play_unread(server: &RawServer) -> TestPipeline {
    let mut rig = TestPipeline::new(set(
        sink_for(&server.uri),
        "max-speed=0 idle-timeout=0 max-reconnects=0",
    ));
    rig.bus
        .set_sync_handler(|_, message| match message.type_() {
            gst::MessageType::Element | gst::MessageType::Tag => gst::BusSyncReply::Drop,
            _ => gst::BusSyncReply::Pass,
        });
    rig.play();
    rig.push(&[0; 48_000], 20);
    wait_until("it talks", || server.written() > 0);
    rig
}

/// Pings are answered; who reads none of the answers is lost, sooner or later.
#[test]
fn answers_that_nobody_reads_are_bounded() {
    let _permit = heavy();
    child::alone(
        module_path!(),
        "answers_that_nobody_reads_are_bounded",
        || {
            let rude = Manners {
                listens: false,
                ..POLITE
            };
            let ping = [&[0x89, 125][..], &[b'x'; 125]].concat().repeat(1 << 10);
            let server = RawServer::with(rude, move |_| ping.clone());
            let mut rig = play_unread(&server);
            // A busy client may lose the peer before.
            let is_lost = || {
                let stats: gst::Structure = rig.sink.property("stats");
                stat(&rig.sink, "sessions") > 0 && stats.get("connected") == Ok(false)
            };
            let before = server.written();
            let grown = growth_until("64 MiB of pings", || {
                server.written() - before >= 64 << 20 || is_lost()
            });
            assert!(grown < 32 << 20, "{grown} bytes more");
            rig.push(&[0; 48_000], 20);
            rig.end();
            let errors = rig.listen().errors();
            assert!(!errors.is_empty(), "a peer that takes nothing is lost");
        },
    );
}

#[test]
fn texts_that_stay_open_are_bounded() {
    let _permit = heavy();
    child::alone(module_path!(), "texts_that_stay_open_are_bounded", || {
        let server = RawServer::new(opens);
        let rig = play_unread(&server);
        let grown = growth_until("texts of 64 MB", || stat(&rig.sink, "responses") > 32);
        assert!(grown < 48 << 20, "{grown} bytes more");
    });
}

#[test]
fn bombs_are_bounded() {
    let _permit = heavy();
    child::alone(module_path!(), "bombs_are_bounded", || {
        let server = RawServer::new(bombs());
        let rig = play_unread(&server);
        let grown = growth_until("bombs of 96 MiB", || stat(&rig.sink, "responses") > 24);
        assert!(grown < 48 << 20, "{grown} bytes more");
    });
}

/// No peer keeps a change to READY for more than 100 ms. The best of some tries counts,
/// for the machine is busy with other tests, too.
#[test]
fn no_flood_holds_a_state_change() {
    let silent = Manners {
        answers: false,
        ..POLITE
    };
    let rude = Manners {
        listens: false,
        ..POLITE
    };
    type Next = Box<dyn Fn(usize) -> Vec<u8> + Send>;
    type Flood = (&'static str, Manners, fn() -> Next);
    let floods: [Flood; 7] = [
        ("pings", POLITE, || Box::new(pings)),
        ("pings to which the answers are not read", rude, || {
            Box::new(pings)
        }),
        ("texts", POLITE, || Box::new(texts)),
        ("fragments", POLITE, || Box::new(fragments)),
        ("fragments instead of an answer", silent, || {
            Box::new(fragments)
        }),
        ("open texts", POLITE, || Box::new(opens)),
        ("bombs", POLITE, || Box::new(bombs())),
    ];
    for (name, manners, next) in floods {
        let mut best = Duration::MAX;
        for _ in 0..5 {
            let server = RawServer::with(manners, next());
            let rig = play_unread(&server);
            let began = Instant::now();
            rig.go(gst::State::Ready);
            best = best.min(began.elapsed());
            if best < Duration::from_millis(100) {
                break;
            }
        }
        assert!(best < Duration::from_millis(100), "{name}: {best:?}");
    }
}
