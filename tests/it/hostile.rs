//! Messages that a sound service never sends: each is logged and skipped, or ends in one clear error; none costs the words around it.

use std::io::Write as _;
use std::time::Duration;

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{
    At, Fault, FaultKind, Gate, Options, Recogniser, Script, Send, Service, Trigger,
};

const ACK: &str = r#"{"result":{"additions":{"log_id":"scripted"}}}"#;
const BEFORE: &str = r#"{"audio_info":{"duration":400},"result":{"utterances":[{"text":"be","start_time":0,"end_time":300}]}}"#;
const AFTER: &str = r#"{"audio_info":{"duration":900},"result":{"utterances":[{"text":"before.","definite":true,"start_time":0,"end_time":400},{"text":"after.","definite":true,"start_time":600,"end_time":900}]}}"#;

/// A frame of the service: type, flags, compression, then `rest` behind the header.
fn frame(kind: u8, flags: u8, compression: u8, rest: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x11, kind << 4 | flags, 0x10 | compression, 0];
    frame.extend_from_slice(rest);
    frame
}

/// A payload behind its size.
fn sized(payload: &[u8]) -> Vec<u8> {
    let mut sized = (payload.len() as u32).to_be_bytes().to_vec();
    sized.extend_from_slice(payload);
    sized
}

fn response(payload: &[u8]) -> Vec<u8> {
    frame(9, 0, 0, &sized(payload))
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(data).expect("to memory");
    gzip.finish().expect("to memory")
}

fn at(ms: u64) -> At {
    At::Audio(Duration::from_millis(ms))
}

/// A second of audio to a service that says these things; what comes of it.
fn session(script: Script, faults: Vec<Fault>) -> (Heard, Service) {
    let service = service(Options {
        recogniser: Recogniser::Scripted(script),
        faults,
        ..Options::default()
    });
    let sink = sink(&service);
    sink.set_property("max-speed", 0.0);
    let mut rig = Rig::new(sink);
    let heard = rig.run(&[0; 48_000], 20);
    (heard, service)
}

/// An utterance, `odd`, and that utterance's end and another.
fn around(odd: Send) -> Heard {
    let script = Script::default()
        .step(At::Ack, Send::Json(ACK.into()))
        .step(at(400), Send::Json(BEFORE.into()))
        .step(at(600), odd)
        .step(At::Finish, Send::Last(AFTER.into()));
    session(script, Vec::new()).0
}

fn texts(heard: &Heard) -> Vec<String> {
    heard.finals().into_iter().map(|f| f.text).collect()
}

#[track_caller]
fn assert_unharmed(heard: &Heard, case: &str) {
    assert!(heard.errors().is_empty(), "{case}: {:?}", heard.errors());
    assert!(
        heard.warnings().is_empty(),
        "{case}: {:?}",
        heard.warnings()
    );
    assert!(heard.saw_eos(), "{case}");
    assert_eq!(texts(heard), ["before.", "after."], "{case}");
    assert_ends_once(&heard.transcripts());
}

/// One error of the right domain, and the utterance that was open ends before it.
#[track_caller]
fn assert_refused(heard: &Heard, case: &str) {
    let error = &heard.errors()[0];
    assert!(
        error.error.matches(gst::StreamError::Decode),
        "{case}: {error:?}"
    );
    let details = error.details.as_ref().expect("details");
    assert_eq!(details.get("retryable"), Ok(false), "{case}: {details:?}");
    assert_ends_once(&heard.transcripts());
}

#[test]
fn what_cannot_be_read_is_skipped() {
    let sound = sized(b"{}");
    let corrupt = {
        let mut corrupt = gzip(AFTER.as_bytes());
        corrupt[20] ^= 0xff;
        corrupt
    };
    let trailing = [gzip(b"{}"), b"more".to_vec()].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing at all", vec![]),
        ("half a header", vec![0x11, 0x90]),
        ("no size", frame(9, 0, 0, &[])),
        (
            "a size that is too large",
            frame(9, 0, 0, &[0, 0, 1, 0, b'{', b'}']),
        ),
        (
            "a size of 4 GiB",
            frame(9, 0, 0, &[0xff, 0xff, 0xff, 0xff, b'{', b'}']),
        ),
        (
            "a size that is too small",
            frame(9, 0, 0, &[0, 0, 0, 1, b'{', b'}']),
        ),
        ("a request", frame(1, 0, 0, &sound)),
        ("audio", frame(2, 0, 0, &sound)),
        ("an unknown type", frame(0b0111, 0, 0, &sound)),
        ("an unknown compression", frame(9, 0, 7, &sound)),
        ("version 2", [&[0x21, 0x90, 0x10, 0][..], &sound].concat()),
        (
            "a header without size",
            [&[0x10, 0x90, 0x10, 0][..], &sound].concat(),
        ),
        (
            "a header of 60 bytes",
            [&[0x1f, 0x90, 0x10, 0][..], &sound].concat(),
        ),
        ("no gzip", frame(9, 0, 1, &sized(b"{}"))),
        ("corrupt gzip", frame(9, 0, 1, &sized(&corrupt))),
        (
            "half of gzip",
            frame(9, 0, 1, &sized(&gzip(AFTER.as_bytes())[..30])),
        ),
        ("more than gzip", frame(9, 0, 1, &sized(&trailing))),
        (
            "no UTF-8",
            response(b"{\"result\":{\"text\":\"\xff\xfe\"}}"),
        ),
        ("no JSON", response(b"{\"result\": this is no JSON")),
        ("a list", response(b"[1,2,3]")),
        ("a string", response(b"\"hello\"")),
        (
            "deep JSON",
            response(format!("{{\"result\":{}", "[".repeat(200_000)).as_bytes()),
        ),
        (
            "deep objects",
            response("{\"result\":".repeat(100_000).as_bytes()),
        ),
    ];
    for (case, bytes) in cases {
        assert_unharmed(&around(Send::Frame(bytes)), case);
    }
    assert_unharmed(&around(Send::Text("a text message".into())), "text");
    assert_unharmed(&around(Send::Text("x".repeat(1 << 20))), "much text");
}

#[test]
fn what_is_odd_but_sound_is_read() {
    let extended = [
        &[0x13, 0x90, 0x10, 0][..],
        &[7; 8],
        &sized(AFTER.as_bytes()),
    ]
    .concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("header extensions", extended),
        (
            "an event",
            frame(
                9,
                0b0100,
                0,
                &[&[0, 0, 0, 9][..], &sized(AFTER.as_bytes())].concat(),
            ),
        ),
        ("gzip", frame(9, 0, 1, &sized(&gzip(AFTER.as_bytes())))),
        ("an ack that stops short", frame(0b1011, 0, 0, &[])),
        ("an empty response", response(b"")),
    ];
    for (case, bytes) in cases {
        assert_unharmed(&around(Send::Frame(bytes)), case);
    }
}

/// One field is wrong; everything else of that very response is taken up.
#[test]
fn a_wrong_type_costs_its_own_field() {
    let wrong = [
        "null",
        "true",
        "-1",
        "1e999",
        "9223372036854775808",
        "\"x\"",
        "\"\\ud800\"",
        "[]",
        "[[1],{}]",
        "{}",
        "{\"a\":{\"b\":[]}}",
    ];
    let mut script = Script::default().step(At::Ack, Send::Json(ACK.into()));
    for value in wrong {
        for response in [
            format!(r#"{{"audio_info":{value},"result":{value}}}"#),
            format!(
                r#"{{"audio_info":{{"duration":{value}}},"result":{{"text":{value},"utterances":{value},"additions":{value}}}}}"#
            ),
            format!(
                r#"{{"code":null,"message":{value},"result":{{"utterances":[{value},{{"text":{value},"definite":{value}}}]}}}}"#
            ),
        ] {
            script = script.step(at(400), Send::Json(response));
        }
    }
    for value in wrong {
        let odd = format!(
            r#"{{"audio_info":{{"duration":800}},"result":{{"utterances":[
                {{"text":"before.","definite":true,"start_time":0,"end_time":400,"words":{value},"additions":{value}}},
                {{"text":"after","definite":{},"start_time":600,"end_time":800,"words":[{value},{{"text":{value},"start_time":{value},"end_time":{value}}}]}}]}}}}"#,
            if value == "true" { "false" } else { value }
        );
        script = script.step(at(700), Send::Json(odd));
    }
    script = script.step(At::Finish, Send::Last(AFTER.into()));
    let (heard, _service) = session(script, Vec::new());
    let finals = heard.finals();
    assert!(heard.errors().is_empty(), "{:?}", heard.errors());
    assert!(
        texts(&heard).ends_with(&["before.".into(), "after.".into()]),
        "{finals:#?}"
    );
    assert_ends_once(&heard.transcripts());
}

#[test]
fn numbers_out_of_range_are_no_times() {
    for number in [
        "9223372036854775808",
        "18446744073709551615",
        "1e308",
        "-9223372036854775808",
        "-1e308",
        "4294967296",
    ] {
        let json = format!(
            r#"{{"audio_info":{{"duration":{number}}},"result":{{"utterances":[{{"text":"far.","definite":true,"start_time":{number},"end_time":{number},"words":[{{"text":"far","start_time":{number},"end_time":{number}}}]}}]}}}}"#
        );
        let script = Script::default()
            .step(At::Ack, Send::Json(ACK.into()))
            .step(at(400), Send::Json(json.clone()))
            .step(At::Finish, Send::Last(json));
        let (heard, _service) = session(script, Vec::new());
        assert!(heard.errors().is_empty(), "{number}: {:?}", heard.errors());
        assert_eq!(texts(&heard), ["far."], "{number}");
        assert_ends_once(&heard.transcripts());
    }
}

/// Ends before starts, backwards, on top of each other.
#[test]
fn times_that_contradict_each_other_lose_no_number() {
    let times = [
        (0, 400),
        (400, 0),
        (900, -1),
        (-1, 900),
        (300, 300),
        (-7, -9),
        (1 << 31, 5),
    ];
    let mut script = Script::default().step(At::Ack, Send::Json(ACK.into()));
    for (n, (start, end)) in times.into_iter().enumerate() {
        let json = format!(
            r#"{{"audio_info":{{"duration":{}}},"result":{{"utterances":[{{"text":"odd {n}","start_time":{start},"end_time":{end}}},{{"text":"x","start_time":{end},"end_time":{start}}}]}}}}"#,
            900 - 100 * n
        );
        script = script.step(at(100 * n as u64), Send::Json(json));
    }
    let (heard, _service) = session(script, Vec::new());
    assert!(heard.errors().is_empty(), "{:?}", heard.errors());
    assert!(heard.saw_eos());
    assert_ends_once(&heard.transcripts());
}

#[test]
fn lists_that_shrink_and_grow_end_every_number_once() {
    let list = |count: usize| {
        let one = |n: usize| {
            format!(
                r#"{{"text":"word {n}","start_time":{},"end_time":{}}}"#,
                n * 10,
                n * 10 + 8
            )
        };
        let all: Vec<_> = (0..count).map(one).collect();
        format!(
            r#"{{"audio_info":{{"duration":900}},"result":{{"utterances":[{}]}}}}"#,
            all.join(",")
        )
    };
    let mut script = Script::default().step(At::Ack, Send::Json(ACK.into()));
    for (n, count) in [0, 90, 1, 45, 0, 3000, 2, 90, 0, 1].into_iter().enumerate() {
        script = script.step(at(100 * n as u64), Send::Json(list(count)));
    }
    script = script.step(At::Finish, Send::Last(list(7)));
    let (heard, _service) = session(script, Vec::new());
    assert!(heard.errors().is_empty(), "{:?}", heard.errors());
    assert_ends_once(&heard.transcripts());
}

#[test]
fn what_is_too_large_is_refused() {
    const LIMIT: usize = 16 << 20;
    // 100 KiB that inflate to 100 MiB.
    let bomb = frame(9, 0, 1, &sized(&gzip(&vec![b' '; 100 << 20])));
    let just = frame(9, 0, 1, &sized(&gzip(&vec![b' '; LIMIT + 1])));
    for (case, bytes) in [
        ("a bomb", bomb),
        ("one byte too many, packed", just),
        ("one byte too many", response(&vec![b' '; LIMIT + 1])),
        ("much too much", response(&vec![b' '; LIMIT + 4096])),
    ] {
        assert_refused(&around(Send::Frame(bytes)), case);
    }
    assert_unharmed(
        &around(Send::Frame(response(&vec![b' '; LIMIT]))),
        "as much as may be",
    );
}

/// Sound, but for its size: thousands of settled utterances and open ones, each with its words. All of it is told.
#[test]
fn a_response_of_thousands_of_utterances_is_told() {
    let one = |n: usize| {
        let (start, end) = (n * 300, n * 300 + 250);
        let word = format!(r#"{{"text":"w{n}","start_time":{start},"end_time":{end}}}"#);
        format!(
            r#"{{"text":"{}","definite":{},"start_time":{start},"end_time":{end},"words":[{}]}}"#,
            format!("w{n} ").repeat(450),
            !n.is_multiple_of(20),
            vec![word; 14].join(",")
        )
    };
    let all: Vec<_> = (0..4_000).map(one).collect();
    let json = format!(r#"{{"result":{{"utterances":[{}]}}}}"#, all.join(","));
    assert!(json.len() > 12 << 20);
    let script = Script::default()
        .step(At::Ack, Send::Json(ACK.into()))
        .step(at(400), Send::Json(json.clone()))
        .step(at(600), Send::Json(json.clone()))
        .step(At::Finish, Send::Last(json));
    let (heard, _service) = session(script, Vec::new());
    assert!(heard.errors().is_empty(), "{:?}", heard.errors());
    assert!(heard.saw_eos());
    assert_eq!(heard.finals().len(), 4_000);
    assert_ends_once(&heard.transcripts());
}

#[test]
fn nothing_but_nonsense_is_refused() {
    let mut script = Script::default().step(At::Ack, Send::Json(ACK.into()));
    for _ in 0..16 {
        script = script.step(at(200), Send::Frame(b"nonsense".to_vec()));
    }
    assert_refused(&session(script, Vec::new()).0, "in a row");
    // Before the first answer one is enough: whoever that is never spoke the protocol.
    let script = Script::default().step(At::Ack, Send::Frame(b"nonsense".to_vec()));
    assert_refused(&session(script, Vec::new()).0, "instead of the answer");
}

/// Bytes that break WebSocket's framing, each in its own way.
fn broken_frames() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a reserved opcode", vec![0x83, 0]),
        ("a reserved bit", vec![0xc2, 0]),
        ("a masked frame", vec![0x82, 0x81, 1, 2, 3, 4, 0]),
        ("a continuation of nothing", vec![0x80, 0]),
        ("a fragmented ping", vec![0x09, 0]),
        (
            "a ping that is too long",
            [&[0x89, 126, 0, 200][..], &[0; 200]].concat(),
        ),
        ("text that is no UTF-8", vec![0x81, 2, 0xff, 0xfe]),
        (
            "a reason that is no UTF-8",
            vec![0x88, 4, 0x03, 0xf3, 0xff, 0xfe],
        ),
    ]
}

fn reconnects(heard: &Heard) -> usize {
    let warnings = heard.warnings();
    let details = warnings.iter().filter_map(|w| w.details.as_ref());
    details.filter(|d| d.name() == "volcasr-reconnect").count()
}

/// Once the service has answered, broken framing is a loss like a reset: the next connection goes on.
#[test]
fn broken_framing_is_restored() {
    for (case, bytes) in broken_frames() {
        let fault = Fault::once(
            FaultKind::Raw(bytes),
            Trigger::Audio(Duration::from_millis(600)),
        );
        let script = Script::responses([(400, BEFORE)], AFTER);
        let (heard, service) = session(script, vec![fault]);
        assert!(heard.errors().is_empty(), "{case}: {:?}", heard.errors());
        assert!(heard.saw_eos(), "{case}");
        assert_eq!(texts(&heard), ["before.", "after."], "{case}");
        assert_ends_once(&heard.transcripts());
        assert_eq!(reconnects(&heard), 1, "{case}");
        assert_eq!(service.connections().len(), 2, "{case}");
    }
}

/// A frame that is sound but for its size would be as large the next time.
#[test]
fn a_frame_of_a_gibibyte_is_refused() {
    let raw = [&[0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0][..], &[0; 100]].concat();
    let fault = Fault::once(
        FaultKind::Raw(raw),
        Trigger::Audio(Duration::from_millis(600)),
    );
    let script = Script::responses([(400, BEFORE)], AFTER);
    let (heard, service) = session(script, vec![fault]);
    assert_refused(&heard, "1 GiB");
    assert_eq!(service.connections().len(), 1);
}

/// Corruption that comes each time is tried three times in a row, whatever `max-reconnects` allows.
#[test]
fn broken_framing_on_every_connection_is_an_error() {
    let raw = FaultKind::Raw(vec![0xc2, 0]);
    let fault = Fault::each(raw, Trigger::Audio(Duration::from_millis(200)));
    let service = service(Options {
        recogniser: Recogniser::Scripted(Script::default().step(At::Ack, Send::Json(ACK.into()))),
        faults: vec![fault],
        ..Options::default()
    });
    let mut rig = Rig::new(sink(&service));
    rig.play();
    rig.push(&[0; 48_000], 20);
    // Without the end of the stream: the loss alone has to be the error.
    let heard = rig.listen_until(|message| message.type_() == gst::MessageType::Error);
    let error = &heard.errors()[0];
    assert!(error.error.matches(gst::ResourceError::Write), "{error:?}");
    assert!(error.error.message().contains("corrupt"), "{error:?}");
    let details = error.details.as_ref().expect("details");
    assert_eq!(details.get("retryable"), Ok(true), "{details:?}");
    assert_eq!(reconnects(&heard), 3);
    assert_eq!(service.connections().len(), 4);
}

/// A peer that breaks the framing instead of answering never spoke the protocol: it is not tried again.
#[test]
fn broken_framing_in_place_of_the_answer_is_refused() {
    for (case, bytes) in broken_frames() {
        let service = service(Options {
            faults: vec![Fault::once(FaultKind::Raw(bytes), Trigger::Ack)],
            ..Options::default()
        });
        service.hold(Gate::Ack);
        let heard = Rig::new(sink(&service)).run(&[0; 48_000], 20);
        assert_refused(&heard, case);
        assert_eq!(service.connections().len(), 1, "{case}: tried again");
    }
}

/// The code says more than the body: it counts, whatever becomes of that.
#[test]
fn an_error_frame_without_a_readable_body_has_its_code() {
    let code = 45_000_001u32.to_be_bytes();
    let bomb = sized(&gzip(&vec![b' '; (16 << 20) + 1]));
    for (case, compression, rest) in [
        ("no gzip", 1, sized(b"no gzip")),
        ("half of gzip", 1, sized(&gzip(b"no such resource")[..20])),
        ("a bomb", 1, bomb),
        ("a size that is too large", 0, vec![0, 0, 1, 0, b'x']),
        ("a size that is too small", 0, vec![0, 0, 0, 1, b'x', b'y']),
        ("half a size", 0, vec![0, 0]),
        ("no size", 0, vec![]),
        ("too large", 0, sized(&vec![b' '; (16 << 20) + 1])),
    ] {
        let bytes = frame(0xf, 0, compression, &[&code[..], &rest].concat());
        let heard = around(Send::Frame(bytes));
        let error = &heard.errors()[0];
        assert!(
            error.error.matches(gst::ResourceError::Settings),
            "{case}: {error:?}"
        );
        let details = error.details.as_ref().expect("details");
        assert_eq!(details.get("code"), Ok(45_000_001u32), "{case}");
        assert_eq!(details.get("message"), Ok(""), "{case}");
        assert_ends_once(&heard.transcripts());
    }
}

/// Between two fragments a character may be cut in two.
#[test]
fn a_text_that_is_cut_inside_a_character_is_skipped() {
    let raw = vec![0x01, 1, 0xe9, 0x80, 2, 0x9b, 0xa8];
    let fault = Fault::once(
        FaultKind::Raw(raw),
        Trigger::Audio(Duration::from_millis(600)),
    );
    let script = Script::responses([(400, BEFORE)], AFTER);
    let (heard, _service) = session(script, vec![fault]);
    assert_unharmed(&heard, "a character in two");
}

/// Fragments are sound, be they ever so small; pings may come between them.
#[test]
fn fragments_are_put_together() {
    let whole = response(AFTER.as_bytes());
    let mut raw = Vec::new();
    for (n, byte) in whole.iter().enumerate() {
        let opcode = if n == 0 { 2 } else { 0 };
        let last = if n + 1 == whole.len() { 0x80 } else { 0 };
        raw.extend_from_slice(&[opcode | last, 1, *byte, 0x89, 0]);
    }
    let fault = Fault::once(
        FaultKind::Raw(raw),
        Trigger::Audio(Duration::from_millis(600)),
    );
    let script = Script::responses([(400, BEFORE)], "{}");
    let (heard, _service) = session(script, vec![fault]);
    assert_unharmed(&heard, "fragments");
}
