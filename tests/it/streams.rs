//! The end of a stream, and one stream after the other.

use crate::common::pad_harness::{PadHarness, ms};
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::marks::Mark;
use volcasr_loopback::{Gate, Options, Service};

/// A sink that plays and has no stream yet.
fn playing(service: &Service) -> PadHarness {
    let harness = PadHarness::held(sink(service));
    harness.go(gst::State::Playing);
    harness
}

fn begin(harness: &PadHarness, id: &str) {
    assert!(harness.begin(id));
    harness.segment_at(0, 0);
}

/// Begins a stream, and pushes two sentences.
fn say(harness: &PadHarness, id: &str, first: u32) -> (Vec<u8>, Vec<Mark>) {
    begin(harness, id);
    let said = speech_from(first, 2);
    harness.push_all(0, &said.0, 100);
    said
}

/// The stream `number` alone, all of it, and as it should be.
fn assert_stream(log: &[Transcript], number: u32, id: &str, marks: &[Mark]) {
    let mut own = log.to_vec();
    own.retain(|transcript| transcript.stream == number);
    let is_own = |t: &Transcript| t.session == 0 && t.stream_id.as_deref() == Some(id);
    assert!(own.iter().all(is_own), "{own:#?}");
    own.retain(|transcript| transcript.is_final);
    let numbers: Vec<_> = own.iter().map(|t| t.utterance).collect();
    assert_eq!(numbers, [0, 1], "{own:#?}");
    assert_eq!(marks_of(&own), expected(marks, 0));
    assert!(own.iter().all(|t| !t.unconfirmed));
}

/// A stream ends where another begins, even if both have the same ID; one without audio leaves at
/// most a number out. The old stream ends in the background, its words come first, and audio of the
/// new one waits.
#[test]
pub fn a_new_stream_without_an_end() {
    // The streams, and which of them have audio.
    let cases = [
        (&["first", "second"][..], [0, 1]),
        (&["same", "same", "same", "same"], [1, 3]),
        (&["same", "same", "empty", "second"], [1, 3]),
    ];
    for ((ids, [old, new]), number) in cases.into_iter().zip([1, 1, 2]) {
        let case = format!("{ids:?}");
        let service = service(Options::default());
        service.hold(Gate::Final);
        let harness = playing(&service);
        ids[..old].iter().for_each(|id| begin(&harness, id));
        let first = say(&harness, ids[old], 0);
        ids[old + 1..new].iter().for_each(|id| begin(&harness, id));
        let second = say(&harness, ids[new], 100);
        until_connection(&service, |c| c.finish_at.is_some());
        // One connection at a time.
        assert_eq!(service.connections().len(), 1, "{case}");
        service.release(Gate::Final);
        let log = harness.end();
        log.assert_no_errors(&case);
        let transcripts = log.transcripts();
        let is_sorted = transcripts.is_sorted_by_key(|t| t.stream);
        assert!(is_sorted, "{case}: {transcripts:#?}");
        assert_ends_once(&transcripts);
        assert_stream(&transcripts, 0, ids[old], &first.1);
        assert_stream(&transcripts, number, ids[new], &second.1);
        let connections = service.connections();
        assert_eq!(connections.len(), 2, "{case}: no session without audio");
        assert!(connections[0].final_at.is_some());
        assert!(connections[1].accepted_at >= connections[0].final_at);
        for (connection, (pcm, _)) in connections.iter().zip([first, second]) {
            assert!(*connection.pcm == pcm, "{case}: the audio differs");
        }
    }
}

/// A pad that is linked again may send its sticky events again: nothing new begins.
#[test]
pub fn a_relinked_stream_goes_on() {
    let service = service(Options::default());
    let harness = playing(&service);
    let (pcm, marks) = speech_from(0, 2);
    let (before, behind) = pcm.split_at(pcm.len() / 9600 * 4800);
    begin(&harness, "first");
    harness.push_all(0, before, 100);
    let sink = harness.pad.peer().expect("a link");
    harness.pad.unlink(&sink).expect("a link");
    harness.pad.link(&sink).expect("the same pads");
    // GStreamer itself leaves out an event that is there.
    let start = harness.pad.sticky_event::<gst::event::StreamStart>(0);
    let seqnum = start.expect("a stream").seqnum();
    let again = gst::event::StreamStart::builder("first").seqnum(seqnum);
    assert!(harness.pad.push_event(again.build()));
    harness.segment_at(0, 0);
    harness.push_all(before.len() as u64 / 48, behind, 100);
    let transcripts = harness.end().transcripts();
    let is_one = transcripts.iter().all(|t| t.stream == 0);
    assert!(is_one, "{transcripts:#?}");
    assert_stream(&transcripts, 0, "first", &marks);
    assert_eq!(service.connections().len(), 1);
    if let Some(text) = &harness.text {
        let events = text::events(&text.out());
        let starts = events.iter().filter(|name| *name == "stream-start");
        assert_eq!(starts.count(), 1, "{events:?}");
    }
}

/// EOS waits for the last words, also those of the stream before, whose end was not waited for.
#[test]
fn an_empty_stream_at_the_end() {
    let service = service(Options::default());
    service.hold(Gate::Final);
    let harness = playing(&service);
    let (_, marks) = say(&harness, "first", 0);
    begin(&harness, "empty");
    begin(&harness, "another");
    let mut log = BusLog::default();
    assert!(beside(
        || harness.eos(),
        || {
            until_connection(&service, |c| c.finish_at.is_some());
            // Other messages may come then, but not EOS.
            while let Some(message) = harness.bus.timed_pop(ms(300)) {
                log.messages.push(message);
            }
            assert!(!log.saw_eos());
            service.release(Gate::Final);
        }
    ));
    log.add(harness.listen());
    assert_stream(&log.transcripts(), 0, "first", &marks);
    assert_ends_once(&log.transcripts());
    assert!(log.saw_eos());
    assert!(harness.take().transcripts().is_empty());
    assert_eq!(service.connections().len(), 1, "no session without audio");
}

/// The base class of 1.22 lets nothing by after an end, a new stream as little as a buffer: a flush
/// or READY comes first. That of 1.26 goes on with the new stream.
#[test]
fn a_new_stream_after_the_end() {
    let service = service(Options::default());
    let harness = playing(&service);
    let (_, marks) = say(&harness, "first", 0);
    assert_stream(&harness.end().transcripts(), 0, "first", &marks);
    let (major, minor, ..) = gst::version();
    let (id, number) = if (major, minor) >= (1, 26) {
        ("second", 1)
    } else {
        let again = gst::event::StreamStart::new("second");
        harness.pad.push_event(again);
        let flow = harness.pad.push(harness.buffer(Some(0), &[0; 9600]));
        assert_eq!(flow, Err(gst::FlowError::Error));
        harness.flush();
        // The flush began one, and the other id another.
        ("third", 2)
    };
    let (_, marks) = say(&harness, id, 100);
    assert_stream(&harness.end().transcripts(), number, id, &marks);
    assert_eq!(service.connections().len(), 2);
}
