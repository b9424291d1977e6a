//! A connection that is lost, at any moment and in any way, is restored: every word once, in order, at its time.

use std::time::Duration;

use crate::common::faults::*;
use crate::common::script::{response, utterance};
use crate::common::*;
use gst::prelude::*;
use serde_json::json;
use volcasr_loopback::{At, FaultKind, Gate, Options, Recogniser, Script, Send, Service};

const SENTENCES: u64 = 4;

/// What ends a session wherever it strikes.
const LOSSES: [&str; 8] = [
    "reset",
    "drop",
    "close:1000",
    "close:1011",
    r#"error:45000081:{"error":"[Timeout waiting next packet] session has ended"}"#,
    r#"error:45000292:{"error":"quota exceeded for types: concurrency"}"#,
    "error:55000031",
    "error:55000007:plain text",
];

/// One loss at `when`, with plain words and with spikes: everything holds that should.
fn lose(losses: &[&str], when: &str) {
    let cases: Vec<_> = losses
        .iter()
        .flat_map(|loss| {
            [
                (format!("{loss}@{when}"), false),
                (format!("{loss}@{when}"), true),
            ]
        })
        .collect();
    at_once(&cases, |(fault, spikes)| {
        let service = service(faulty(&[fault], *spikes));
        run(&service, fault, *spikes, 1);
    });
}

fn run(service: &Service, case: &str, spikes: bool, losses: usize) -> Heard {
    let sink = quick_sink(service);
    let mut rig = Rig::new(sink.clone());
    let (pcm, marks) = unfinished(SENTENCES);
    let heard = rig.run(&pcm, 20);
    assert_whole(&heard, &marks, spikes, case);
    assert_warned(&heard, losses, case);
    assert_fresh(service, case);
    // Lost before the service had answered at all, a connection is no session.
    let sessions = service.inspect(|all| all.iter().filter(|c| c.ack_at.is_some()).count() as u64);
    assert_eq!(stat(&sink, "sessions"), sessions, "{case}");
    assert_eq!(stat(&sink, "reconnects"), sessions - 1, "{case}");
    let last = heard.finals().last().map(|last| u64::from(last.session));
    assert_eq!(last, Some(sessions - 1), "{case}");
    let audio = |name| stat(&sink, name);
    assert_eq!(
        audio("audio-sent"),
        audio("audio-received") + audio("audio-replayed"),
        "{case}"
    );
    heard
}

#[test]
fn in_the_handshake() {
    lose(
        &["http:429", "http:500", "http:502:<html>", "http:503"],
        "handshake",
    );
}

/// The line that was dialled ahead may have died meanwhile: that is no loss, but when a fresh one dies it is.
#[test]
fn in_the_handshake_without_an_answer() {
    at_once(&["reset", "drop"], |what| {
        let faults = [format!("{what}@handshake#1"), format!("{what}@handshake#2")];
        let service = service(faulty(&[&faults[0], &faults[1]], false));
        let mut rig = Rig::new(quick_sink(&service));
        rig.play();
        rig.listen_until(is_ready);
        let (pcm, marks) = unfinished(SENTENCES);
        rig.push(&pcm, 20);
        rig.end();
        let heard = rig.listen();
        assert_whole(&heard, &marks, false, what);
        assert_warned(&heard, 1, what);
        assert_eq!(service.connections().len(), 3, "{what}");
    });
}

#[test]
fn before_the_ack() {
    lose(&LOSSES, "ack");
}

#[test]
fn in_a_mark() {
    lose(&LOSSES, "2900ms");
}

/// The words of a sentence have been told, and it is not settled.
#[test]
fn between_the_marks_of_a_sentence() {
    lose(&LOSSES, "3800ms");
}

#[test]
fn in_a_pause() {
    lose(&LOSSES, "4600ms");
}

#[test]
fn in_the_finish() {
    // With 1000 the service ends a session in good order, if without its last words.
    let losses: Vec<_> = LOSSES
        .into_iter()
        .filter(|loss| *loss != "close:1000")
        .collect();
    lose(&losses, "finish");
}

#[test]
fn again_and_again() {
    let faults = [
        "http:503@handshake#1",
        "reset@2900ms#2",
        "drop@900ms#3",
        "close:1011@ack#4",
        "error:55000031@5s#5",
        "close:1011@finish#6",
        "reset@finish#7",
    ];
    at_once(&[false, true], |&spikes| {
        let service = service(faulty(&faults, spikes));
        run(&service, "again and again", spikes, faults.len());
    });
}

/// What was sent again is the unsettled part, not everything.
#[test]
fn what_is_settled_is_not_sent_again() {
    let service = service(faulty(&["reset@9s"], false));
    let sink = quick_sink(&service);
    let (pcm, marks) = unfinished(SENTENCES);
    let heard = Rig::new(sink.clone()).run(&pcm, 20);
    assert_whole(&heard, &marks, false, "settled");
    let replayed = stat(&sink, "audio-replayed");
    // The third sentence was settled at 7700 + 800 ms at the latest.
    assert!(replayed > 0 && replayed < 3_000_000_000, "{replayed}");
    let from = warnings_of(&heard, "volcasr-reconnect")[0]
        .get::<u64>("timestamp")
        .expect("a place");
    // In the pause between the third sentence (to 6700 ms) and the fourth (from 8000 ms), and beyond its reported end.
    assert!((6_700_000_000..8_000_000_000).contains(&from), "{from}");
}

/// Interim results: what stands on the screen is not taken back while the new connection catches up.
#[test]
fn text_that_was_shown_stays() {
    at_once(&[false, true], |&spikes| {
        let service = service(faulty(&["reset@9100ms"], spikes));
        let sink = quick_sink(&service);
        let layout = volcasr_loopback::marks::Layout {
            sentence: 16,
            ..Default::default()
        };
        let (pcm, marks) = layout.sentences(2);
        let heard = Rig::new(sink).run(&pcm, 20);
        assert_whole(&heard, &marks, spikes, "a long sentence");
        let sessions: std::collections::BTreeSet<_> = heard
            .transcripts()
            .iter()
            .filter(|t| t.utterance == 0 && t.text.split_whitespace().count() > 3)
            .map(|t| t.session)
            .collect();
        assert_eq!(
            Vec::from_iter(sessions),
            [0, 1],
            "both had a part in the first utterance"
        );
    });
}

/// The pipeline is held while the connection is restored, and the end of the stream waits behind the last buffer: words
/// come in PAUSED, the last ones and the end with PLAYING.
#[test]
fn the_end_comes_in_paused() {
    let cases: Vec<_> = [true, false]
        .into_iter()
        .flat_map(|is_async| [4000u32, 300, 0].map(|idle| (is_async, idle)))
        .collect();
    at_once(&cases, |&(is_async, idle)| {
        let case = format!("async={is_async} idle-timeout={idle}");
        let service = service(faulty(
            &["reset@2900ms#1", "http:503@handshake#2", "drop@900ms#3"],
            false,
        ));
        let sink = quick_sink(&service);
        sink.set_property("async", is_async);
        sink.set_property("idle-timeout", idle);
        let mut rig = Rig::new(sink.clone());
        let (pcm, marks) = unfinished(SENTENCES);
        rig.play();
        rig.push(&pcm, 20);
        let mut heard = rig.listen_until(|m| m.type_() == gst::MessageType::Warning);
        rig.end();
        let all = rig.time_of(&pcm).nseconds();
        eventually("all is taken", || stat(&sink, "audio-received") == all);
        rig.pipeline.set_state(gst::State::Paused).expect("PAUSED");
        eventually("it is restored twice", || stat(&sink, "reconnects") >= 2);
        rig.pipeline
            .set_state(gst::State::Playing)
            .expect("PLAYING");
        heard.messages.extend(rig.listen().messages);
        assert_whole(&heard, &marks, false, &case);
        assert_warned(&heard, 3, &case);
        assert!(
            service.inspect(|all| all.iter().all(|c| c.errors.is_empty())),
            "{case}"
        );
    });
}

/// The next connection ends the open utterance earlier than the lost one would have: all behind that is heard again, whether it
/// goes on or is lost as well.
#[test]
fn an_utterance_that_is_cut_shorter_leaves_no_hole() {
    at_once(&[false, true], |&twice| {
        let (pcm, _) = speech(8);
        let pcm = &pcm[..20_000 * 48];
        let at = |ms| At::Audio(Duration::from_millis(ms));
        let json = |response: serde_json::Value| Send::Json(response.to_string());
        let whole = response(20_000, json!([utterance(false, (1000, 19_000), "a b c d")]));
        let cut = response(3000, json!([utterance(true, (1000, 2000), "A b.")]));
        let last = |shift: u64| {
            let c = utterance(true, (3000 - shift, 19_000 - shift), "C d.");
            Send::Last(response(20_000 - shift, json!([c])).to_string())
        };
        let mut script = Script::default()
            .step_on(1, at(20_000), json(whole))
            .step_on(1, at(20_000), Send::Close(1011))
            .step_on(2, at(3000), json(cut));
        if twice {
            script = script.step_on(2, at(5000), Send::Close(1011));
        }
        // The third begins in the pause behind what is settled.
        let script = script
            .step_on(2, At::Finish, last(0))
            .step_on(3, At::Finish, last(2400));
        let service = service(Options {
            recogniser: Recogniser::Scripted(script),
            ..Options::default()
        });
        let sink = sink(&service);
        // Each response lists what is current, so that what is settled need not be repeated.
        sink.set_property_from_str("result-type", "single");
        let mut rig = Rig::new(sink);
        rig.play();
        rig.push(pcm, 20);
        let mut heard = rig.listen_until(|m| m.type_() == gst::MessageType::Warning);
        rig.end();
        heard.messages.extend(rig.listen().messages);
        assert!(heard.errors().is_empty(), "{:?}", heard.errors());
        assert_ends_once(&heard.transcripts());
        let said: Vec<_> = heard
            .finals()
            .into_iter()
            .map(|f| (f.text, f.timestamp.map(|t| t / 1_000_000)))
            .collect();
        let expected = [
            ("A b.".to_owned(), Some(1000)),
            ("C d.".to_owned(), Some(3000)),
        ];
        assert_eq!(said, expected, "{twice}");
        let connections = service.connections();
        let last = connections.last().expect("the last one");
        let from = if twice { 2400 * 48 } else { 0 };
        assert_eq!(connections.len(), if twice { 3 } else { 2 });
        assert!(last.pcm[..] == pcm[from..], "{} bytes", last.audio_bytes);
    });
}

/// Text lags what the service has worked through: that is no reason to show less than before.
#[test]
fn interim_text_does_not_go_back() {
    let (pcm, _) = speech(8);
    let pcm = &pcm[..14_000 * 48];
    let at = |ms| At::Audio(Duration::from_millis(ms));
    let step = |duration, end, text: &str| {
        let utterance = utterance(false, (1000, end), text);
        Send::Json(response(duration, json!([utterance])).to_string())
    };
    let last = response(
        14_000,
        json!([utterance(true, (1000, 13_000), "A b c d e.")]),
    );
    let script = Script::default()
        .step_on(1, at(10_000), step(10_000, 9000, "a b c"))
        .step_on(1, at(10_000), Send::Close(1011))
        .step_on(2, at(8000), step(8000, 5000, "a"))
        .step_on(2, at(10_500), step(10_500, 8000, "a b"))
        .step_on(2, at(11_500), step(11_500, 10_400, "a b c d"))
        .step(At::Finish, Send::Last(last.to_string()));
    let service = service(Options {
        recogniser: Recogniser::Scripted(script),
        ..Options::default()
    });
    let mut rig = Rig::new(sink(&service));
    rig.play();
    rig.push(pcm, 20);
    let mut heard = rig.listen_until(|m| m.type_() == gst::MessageType::Warning);
    rig.end();
    heard.messages.extend(rig.listen().messages);
    assert!(heard.errors().is_empty(), "{:?}", heard.errors());
    let texts: Vec<_> = heard.transcripts().into_iter().map(|t| t.text).collect();
    assert_eq!(texts, ["a b c", "a b c d", "A b c d e."]);
}

/// The service is gone altogether, and comes back.
#[test]
fn nobody_listens_for_a_while() {
    let first = service(Options::default());
    let port = first.port();
    gone_for_a_while(first, || {
        service(Options {
            port,
            ..Options::default()
        })
    });
}

/// A pipeline that may wait waits, and loses nothing.
#[test]
fn the_pipeline_waits_meanwhile() {
    let service = service(Options::default());
    let sink = sink(&service);
    sink.set_property_from_str("leaky", "no");
    sink.set_property("max-queue-time", 1000u32);
    let (pcm, marks) = unfinished(SENTENCES);
    let mut rig = Rig::new(sink.clone());
    rig.play();
    rig.push(&pcm, 20);
    rig.end();
    assert!(service.wait(LONG, |all| all.iter().any(|c| c.audio_bytes > 50_000)));
    service.hold(Gate::Upgrade);
    assert!(service.inject(FaultKind::Reset));
    until_blocked(&sink, Duration::from_millis(700));
    assert!(stat(&sink, "audio-received") < rig.time_of(&pcm).nseconds());
    service.release(Gate::Upgrade);
    let heard = rig.listen();
    assert_whole(&heard, &marks, false, "waits");
    assert_warned(&heard, 1, "waits");
    assert_eq!(stat(&sink, "audio-dropped"), 0);
}
