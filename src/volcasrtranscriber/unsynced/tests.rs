//! Streams of the responses.

use std::sync::Arc;

use super::*;

/// Returns a pad, and the names of what goes through.
fn recorder() -> (gst::Pad, Arc<Mutex<Vec<String>>>) {
    let sink = gst::Pad::builder(gst::PadDirection::Sink)
        .chain_function(|_, _, _| Ok(gst::FlowSuccess::Ok))
        .event_function(|_, _, _| true)
        .build();
    let left = Arc::new(Mutex::new(Vec::new()));
    let log = left.clone();
    let mask = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    sink.add_probe(mask, move |_, info| {
        let name = match info.event() {
            Some(event) => match event.view() {
                gst::EventView::StreamStart(start) => start.stream_id().replace("/unsynced", ""),
                _ => event.type_().name().to_string(),
            },
            None => "response".to_owned(),
        };
        lock(&log).push(name);
        gst::PadProbeReturn::Ok
    });
    (sink, left)
}

/// Takes steps, and returns what leaves at each `leave`. `waiting N`: so many streams wait for
/// their barriers.
fn run(steps: &str) -> String {
    gst::init().expect("GStreamer");
    let (direction, presence) = (gst::PadDirection::Src, gst::PadPresence::Always);
    let caps = gst::Caps::new_empty_simple("application/x-json");
    let template = gst::PadTemplate::new("unsynced_src", direction, presence, &caps);
    let template = template.expect("a template");
    let unsynced = Unsynced::new(gst::Pad::from_template(&template));
    let (sink, left) = recorder();
    for pad in [&sink, &unsynced.pad] {
        pad.set_active(true).expect("a new pad");
    }
    unsynced.pad.link(&sink).expect("free pads");
    for step in steps.split(", ") {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        match verb {
            "start" => {
                let start = gst::event::StreamStart::new(rest);
                let gst::EventView::StreamStart(start) = start.view() else {
                    unreachable!()
                };
                let is_first = unsynced
                    .pad
                    .sticky_event::<gst::event::StreamStart>(0)
                    .is_none();
                unsynced.stream_start(start, is_first);
            }
            "barrier" => unsynced.barrier(rest.parse().expect("a token")),
            "done" => unsynced.done(rest.parse().expect("a token")),
            "waiting" => assert_eq!(lock(&unsynced.state).next.len().to_string(), rest),
            "response" => unsynced.response("{}"),
            "eos" => unsynced.eos(gst::Seqnum::next()),
            "end" => unsynced.end(),
            "flush" => {
                unsynced.pad.push_event(gst::event::FlushStart::new());
                unsynced.stop();
                unsynced.pad.push_event(gst::event::FlushStop::new(true));
                unsynced.reset();
            }
            "leave" => {
                while !lock(&unsynced.state).waiting.is_empty() {
                    unsynced.push_next(|| None);
                }
                lock(&left).push("|".to_owned());
            }
            other => panic!("no such step: {other}"),
        }
    }
    let left = lock(&left).join(" ");
    left.trim_end_matches(" |").to_owned()
}

#[test]
fn responses_leave_in_their_own_stream() {
    for (steps, left) in [
        (
            "start A, response, leave, start B, response, leave",
            "A caps segment response | B caps segment response",
        ),
        (
            "start A, response, eos, end, leave, flush, start B, response, leave",
            "A caps segment response eos | B caps segment response",
        ),
        (
            "start A, response, leave, flush, response, leave",
            "A caps segment response | caps segment response",
        ),
        // Responses and the end of the stream before wait, or are still to come.
        (
            "start A, response, leave, response, eos, start B, end, response, leave",
            "A caps segment response | response eos B caps segment response",
        ),
        (
            "start A, barrier 1, start B, response, done 1, response, leave",
            "A caps segment response B caps segment response",
        ),
        (
            "start A, barrier 1, start B, barrier 2, start C, done 1, response, done 2, \
             response, leave",
            "A B caps segment response C caps segment response",
        ),
        // A stream without audio has no responses, and its place is the next one's.
        (
            "start A, barrier 1, start B, start C, waiting 1, barrier 2, start D, start E, \
             waiting 2, done 1, response, leave",
            "A C caps segment response",
        ),
        (
            "start A, barrier 1, start B, flush, response, leave",
            "A B caps segment response",
        ),
        // The first response of the next stream overtakes the end.
        (
            "start A, response, eos, start B, response, end, response, leave",
            "A caps segment response B caps segment response response",
        ),
        // Without a response.
        (
            "start A, eos, start B, eos, end, end, leave",
            "A caps segment eos B caps segment eos",
        ),
    ] {
        assert_eq!(run(steps), left, "{steps}");
    }
}

#[test]
fn the_stream_of_what_waits_is_known_when_older_entries_are_dropped() {
    let many = "response, ".repeat(MAX_WAITING);
    let left = run(&format!(
        "start A, response, leave, start B, {many}{many}leave"
    ));
    let expected = " response".repeat(MAX_WAITING);
    assert_eq!(
        left,
        format!("A caps segment response | B caps segment{expected}")
    );
}
