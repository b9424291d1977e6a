//! Downstream that is flushed.

use gst::prelude::*;

use crate::common::pad_harness::{PadHarness, Segment};
use crate::common::text::Out;
use crate::common::*;

/// Upstream sends them once: those that waited for the last words before a flush are stored.
#[test]
fn a_flush_keeps_the_sticky_events_that_wait() {
    let service = service(faults::faulty(&["hang@finish*"], false));
    let harness = PadHarness::new(transcriber(&service));
    let (pcm, _) = speech(1);
    harness.push_all(0, &pcm, 100);
    let group = gst::GroupId::next();
    let start = gst::event::StreamStart::builder("second")
        .group_id(group)
        .build();
    assert!(harness.pad.push_event(start));
    harness.flush_start();
    harness.flush_stop();
    let src = harness.sink.static_pad("src").expect("a pad");
    let start = src.sticky_event::<gst::event::StreamStart>(0);
    assert_eq!(start.and_then(|start| start.group_id()), Some(group));
    assert!(src.sticky_event::<gst::event::Segment>(0).is_none());
    assert!(harness.segment(&Segment::new()));
    let text = harness.text.as_ref().expect("a transcriber");
    text.until("the second stream", |out| {
        let second = out.iter().position(|out| match out {
            Out::Event(event) => match event.view() {
                gst::EventView::StreamStart(start) => start.group_id() == Some(group),
                _ => false,
            },
            _ => false,
        });
        second.is_some_and(|at| {
            let kinds = out[at..].iter().filter_map(|out| match out {
                Out::Event(event) => Some(event.type_()),
                _ => None,
            });
            use gst::EventType::{Caps, Segment, StreamStart};
            kinds.take(3).eq([StreamStart, Caps, Segment])
        })
    });
}
