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

/// A service that takes the upgrade and the request, and then says what it wants, whatever comes. Says how many
/// bytes it could write.
struct Talker {
    uri: String,
    written: Arc<AtomicUsize>,
}

impl Talker {
    /// `next` is what it says for the n-th time, as it stands on the socket.
    fn new(next: impl Fn(usize) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let written = Arc::new(AtomicUsize::new(0));
        let count = written.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                talk(stream, &next, &count);
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

fn talk(mut stream: TcpStream, next: &impl Fn(usize) -> Vec<u8>, written: &AtomicUsize) {
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
    let ack = message(br#"{"result":{"additions":{"log_id":"x"}}}"#, 0);
    if stream
        .write_all(&[answer.as_bytes(), &ack].concat())
        .is_err()
    {
        return;
    }
    // What the client sends is taken, so that it is never its turn to wait.
    if let Ok(mut reader) = stream.try_clone() {
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

/// Pings come without end: audio goes out all the same, and the end comes when it is due.
#[test]
fn endless_pings_put_nothing_off() {
    let pings = [0x89, 0].repeat(1 << 20);
    let talker = Talker::new(move |_| pings.clone());
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
