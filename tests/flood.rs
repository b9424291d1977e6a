//! Peers that never stop talking, and applications that do not listen: memory stays bounded, and nothing is late for it.

mod common;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::*;
use gst::prelude::*;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What a [`Talker`] does beside talking.
#[derive(Clone, Copy)]
struct Manners {
    /// It answers the request.
    answers: bool,
    /// It takes what the client sends, so that it is never its turn to wait.
    listens: bool,
}

const POLITE: Manners = Manners {
    answers: true,
    listens: true,
};

/// A service that takes the upgrade and the request, and then says what it wants, whatever comes. Says how many
/// bytes it could write.
struct Talker {
    uri: String,
    written: Arc<AtomicUsize>,
}

impl Talker {
    /// `next` is what it says for the n-th time, as it stands on the socket.
    fn new(next: impl Fn(usize) -> Vec<u8> + Send + 'static) -> Self {
        Talker::with(POLITE, next)
    }

    fn with(manners: Manners, next: impl Fn(usize) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let written = Arc::new(AtomicUsize::new(0));
        let count = written.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                talk(stream, manners, &next, &count);
            }
        });
        let uri = format!("ws://{address}/api/v3/sauc/bigmodel_async");
        Talker { uri, written }
    }

    fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    /// Waits until it could not write for a while: nobody reads any more.
    fn wait_until_blocked(&self) {
        let mut before = (0, Instant::now());
        eventually("nobody reads", || {
            let now = self.written();
            if now != before.0 {
                before = (now, Instant::now());
            }
            now > 0 && before.1.elapsed() > Duration::from_millis(500)
        });
    }
}

fn talk(
    mut stream: TcpStream,
    manners: Manners,
    next: &impl Fn(usize) -> Vec<u8>,
    written: &AtomicUsize,
) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        if !matches!(stream.read(&mut byte), Ok(1)) {
            return;
        }
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .expect("a key");
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    let ack = match manners.answers {
        true => message(br#"{"result":{"additions":{"log_id":"x"}}}"#, 0),
        false => Vec::new(),
    };
    if stream
        .write_all(&[answer.as_bytes(), &ack].concat())
        .is_err()
    {
        return;
    }
    if let Ok(mut reader) = stream.try_clone()
        && manners.listens
    {
        thread::spawn(move || while matches!(reader.read(&mut [0; 65_536]), Ok(1..)) {});
    }
    for n in 0.. {
        let bytes = next(n);
        if stream.write_all(&bytes).is_err() {
            return;
        }
        written.fetch_add(bytes.len(), Ordering::Relaxed);
    }
}

/// A response in a WebSocket message, as it stands on the socket.
fn message(json: &[u8], flags: u8) -> Vec<u8> {
    let length = json.len() + 8;
    let mut bytes = vec![0x82, 127];
    bytes.extend((length as u64).to_be_bytes());
    bytes.extend([0x11, 0x90 | flags, 0x10, 0]);
    bytes.extend((json.len() as u32).to_be_bytes());
    bytes.extend(json);
    bytes
}

/// The n-th of endless settled sentences, a long one.
fn sentence(n: usize) -> Vec<u8> {
    let text = format!("{n} {}", "and so on ".repeat(100));
    let json = format!(
        r#"{{"audio_info":{{"duration":{}}},"result":{{"utterances":[{{"text":"{text}","definite":true,"start_time":{},"end_time":{}}}]}}}}"#,
        n * 1000,
        n * 1000,
        n * 1000 + 500
    );
    message(json.as_bytes(), 0)
}

fn play(uri: &str) -> (Rig, gst::Element) {
    let sink = sink_for(uri);
    sink.set_property("max-speed", 0.0);
    sink.set_property("finish-timeout", 500u32);
    let rig = Rig::new(sink.clone());
    rig.play();
    (rig, sink)
}

/// Resident memory of this process, in bytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kib.expect("a number") * 1024
}

/// A gate at which an application's handler stands.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let open = self.open.lock().expect("no panic under the lock");
        drop(self.changed.wait_while(open, |open| !*open));
    }

    fn open(&self) {
        *self.open.lock().expect("no panic under the lock") = true;
        self.changed.notify_all();
    }
}

/// What a hostile peer says without end, as it stands on the socket.
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
    let json = format!(
        r#"{{"audio_info":{{"duration":{}}},"result":{{"utterances":[{{"text":"{text}","start_time":{},"end_time":{}}}]}}}}"#,
        n * 1000,
        n * 1000,
        n * 1000 + 500
    );
    message(json.as_bytes(), 0)
}

/// 16 KiB that inflate to 16 MiB.
fn bombs() -> impl Fn(usize) -> Vec<u8> + Clone + Send + 'static {
    let mut json = br#"{"audio_info":{"duration":1}}"#.to_vec();
    json.resize(16 << 20, b' ');
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&json).expect("to memory");
    let mut bomb = message(&gzip.finish().expect("to memory"), 0);
    bomb[12] |= 1;
    move |_| bomb.clone()
}

/// Whatever it is: audio goes out all the same, and the end comes when it is due.
fn assert_puts_nothing_off(next: fn(usize) -> Vec<u8>) {
    let talker = Talker::new(next);
    let (mut rig, sink) = play(&talker.uri);
    rig.push(&[0; 48_000 * 4], 20);
    eventually("all audio is sent", || {
        stat(&sink, "audio-sent") == 4_000_000_000
    });
    let began = Instant::now();
    rig.end();
    let heard = rig.listen();
    assert!(heard.saw_eos(), "{:?}", heard.errors());
    assert!(!heard.warnings().is_empty(), "the last words never came");
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

/// Nor do they fill the log: the first ones are warned about.
#[test]
fn endless_texts_put_nothing_off() {
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
}

/// Before the answer to the request, it is `connect-timeout` that ends them.
#[test]
fn endless_fragments_instead_of_an_answer_are_given_up() {
    let silent = Manners {
        answers: false,
        ..POLITE
    };
    let talker = Talker::with(silent, fragments);
    let sink = sink_for(&talker.uri);
    sink.set_property("max-reconnects", 0u32);
    sink.set_property("connect-timeout", 500u32);
    let errors = Rig::new(sink).run(&[0; 48_000], 20).errors();
    let error = &errors[0].error;
    assert!(error.matches(gst::ResourceError::OpenWrite), "{error:?}");
}

/// Grown by so much while the peer talked.
fn grown_by(talker: &Talker, bytes: usize) -> usize {
    let before = memory();
    let written = talker.written();
    let mut most = 0;
    eventually("it talked enough", || {
        most = most.max(memory().saturating_sub(before));
        talker.written() - written >= bytes
    });
    most
}

/// Plays to `talker` without listening to what comes of it.
fn play_deaf(talker: &Talker) -> Rig {
    let sink = sink_for(&talker.uri);
    sink.set_property("max-speed", 0.0);
    sink.set_property("idle-timeout", 0u32);
    sink.set_property("max-reconnects", 0u32);
    let mut rig = Rig::new(sink);
    rig.bus
        .set_sync_handler(|_, message| match message.type_() {
            gst::MessageType::Element | gst::MessageType::Tag => gst::BusSyncReply::Drop,
            _ => gst::BusSyncReply::Pass,
        });
    rig.play();
    rig.push(&[0; 48_000], 20);
    eventually("it talks", || talker.written() > 0);
    rig
}

/// Pings are answered; who reads none of the answers is lost, sooner or later.
#[test]
fn answers_that_nobody_reads_are_bounded() {
    child::run("answers_that_nobody_reads_are_bounded", &[], &[], || {
        let rude = Manners {
            listens: false,
            ..POLITE
        };
        let ping = [&[0x89, 125][..], &[b'x'; 125]].concat().repeat(1 << 10);
        let talker = Talker::with(rude, move |_| ping.clone());
        let mut rig = play_deaf(&talker);
        let grown = grown_by(&talker, 64 << 20);
        assert!(grown < 32 << 20, "{grown} bytes more");
        rig.push(&[0; 48_000], 20);
        rig.end();
        let errors = rig.listen().errors();
        assert!(!errors.is_empty(), "a peer that takes nothing is lost");
    });
}

#[test]
fn texts_that_stay_open_are_bounded() {
    child::run("texts_that_stay_open_are_bounded", &[], &[], || {
        let talker = Talker::new(opens);
        let _rig = play_deaf(&talker);
        let grown = grown_by(&talker, 200 << 20);
        assert!(grown < 120 << 20, "{grown} bytes more");
    });
}

#[test]
fn bombs_are_bounded() {
    child::run("bombs_are_bounded", &[], &[], || {
        let talker = Talker::new(bombs());
        let _rig = play_deaf(&talker);
        // Beside those that wait in the sockets.
        let grown = grown_by(&talker, 1 << 20);
        assert!(grown < 120 << 20, "{grown} bytes more");
    });
}

/// Whatever a peer does: a change to READY is over within 100 ms. The best of some tries counts, for the machine is busy
/// with other tests, too.
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
    let floods: [(&str, Manners, fn() -> Next); 7] = [
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
            let talker = Talker::with(manners, next());
            let rig = play_deaf(&talker);
            let began = Instant::now();
            rig.pipeline.set_state(gst::State::Ready).expect("READY");
            best = best.min(began.elapsed());
            if best < Duration::from_millis(100) {
                break;
            }
        }
        assert!(best < Duration::from_millis(100), "{name}: {best:?}");
    }
}

/// The same with answers that say nothing, and never the last word: bounded by six times `finish-timeout`.
#[test]
fn endless_answers_do_not_put_off_the_end() {
    let answers = message(br#"{"result":{}}"#, 0).repeat(100_000);
    let talker = Talker::new(move |_| answers.clone());
    let (mut rig, sink) = play(&talker.uri);
    rig.push(&[0; 48_000 * 4], 20);
    eventually("all audio is sent", || {
        stat(&sink, "audio-sent") == 4_000_000_000
    });
    rig.end();
    let heard = rig.listen();
    assert!(heard.saw_eos(), "{:?}", heard.errors());
    let given_up = |report: &Report| {
        let details = report.details.as_ref();
        details.is_some_and(|details| details.name() == "volcasr-finish-timeout")
    };
    // A busy machine may take the service for silent, and try again.
    let warnings = heard.warnings();
    assert!(warnings.last().is_some_and(given_up), "{warnings:?}");
    assert_eq!(warnings.iter().filter(|w| given_up(w)).count(), 1);
}

/// An application's handler blocks while settled sentences pour in: no more is read before it goes on, and nothing is lost then.
#[test]
fn a_handler_that_blocks_holds_back_the_service() {
    let talker = Talker::new(sentence);
    let (mut rig, sink) = play(&talker.uri);
    let gate = Arc::new(Gate::default());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (at_gate, list) = (gate.clone(), seen.clone());
    rig.bus.set_sync_handler(move |_, message| {
        if let Some(said) = Transcript::parse(message) {
            at_gate.pass();
            list.lock()
                .expect("no panic under the lock")
                .push(said.utterance);
        }
        gst::BusSyncReply::Drop
    });
    let before = memory();
    rig.push(&[0; 48_000], 20);
    talker.wait_until_blocked();
    let (written, grown) = (talker.written(), memory().saturating_sub(before));
    assert!(written < 64 << 20, "{written} bytes were taken");
    assert!(grown < 100 << 20, "{grown} bytes more");
    // Not deaf for good: it goes on, and with the next one.
    gate.open();
    let many = || seen.lock().expect("no panic under the lock").len();
    eventually("it goes on", || many() > 3000);
    rig.pipeline.set_state(gst::State::Null).expect("NULL");
    let seen = seen.lock().expect("no panic under the lock");
    let expected: Vec<u32> = (0..seen.len() as u32).collect();
    assert_eq!(*seen, expected, "one was lost, or came twice");
    drop(sink);
}

/// Blocked or not, going down does not wait for the handler's turn to come.
#[test]
fn a_congested_sink_goes_down_at_once() {
    let talker = Talker::new(sentence);
    let (mut rig, _sink) = play(&talker.uri);
    let gate = Arc::new(Gate::default());
    let at_gate = gate.clone();
    rig.bus.set_sync_handler(move |_, message| {
        if message.type_() == gst::MessageType::Element {
            at_gate.pass();
        }
        gst::BusSyncReply::Drop
    });
    rig.push(&[0; 48_000], 20);
    talker.wait_until_blocked();
    let began = Instant::now();
    rig.pipeline.set_state(gst::State::Ready).expect("READY");
    let took = began.elapsed();
    gate.open();
    assert!(took < Duration::from_millis(500), "{took:?}");
}

/// With the responses themselves, which are large, it is bytes that count.
#[test]
fn large_responses_are_bounded_by_their_bytes() {
    let talker = Talker::new(|n| {
        let json = format!(
            r#"{{"audio_info":{{"duration":{n}}},"x":"{}"}}"#,
            "x".repeat(4 << 20)
        );
        message(json.as_bytes(), 0)
    });
    let (mut rig, sink) = play(&talker.uri);
    sink.set_property("post-responses", true);
    let (gate, blocked) = (Arc::new(Gate::default()), Arc::new(AtomicBool::new(false)));
    let (at_gate, is_blocked) = (gate.clone(), blocked.clone());
    rig.bus.set_sync_handler(move |_, message| {
        if message.type_() == gst::MessageType::Element {
            is_blocked.store(true, Ordering::Relaxed);
            at_gate.pass();
        }
        gst::BusSyncReply::Drop
    });
    let before = memory();
    rig.push(&[0; 48_000], 20);
    talker.wait_until_blocked();
    let (written, grown) = (talker.written(), memory().saturating_sub(before));
    gate.open();
    assert!(blocked.load(Ordering::Relaxed));
    assert!(written < 64 << 20, "{written} bytes were taken");
    assert!(grown < 128 << 20, "{grown} bytes more");
}
