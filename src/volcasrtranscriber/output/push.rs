//! Pushes of the task, and how downstream took them.

use std::time::Duration;

use gst::prelude::*;

use super::{Step, TextPad};
use crate::sync::lock;
use crate::volcasrtranscriber::CAT;
use crate::volcasrtranscriber::schedule::{Action, Item};

/// Result of one round of the task.
pub(in crate::volcasrtranscriber) enum RoundResult {
    /// The task goes on.
    Fine,
    /// EOS has left.
    Ended,
    /// The longest delay grew.
    Late,
    /// The task is to pause, for a flush or a stop.
    Stopped,
    /// Downstream has failed, and no element upstream would post the error. EOS waits until it is
    /// posted: by the run's outbox, as the task holds the pad's stream lock.
    Failed(gst::FlowError),
}

impl TextPad {
    /// One round of the task. `is_sent`: the service has been sent the audio that came.
    pub fn push_next(
        &self,
        (sink, src): (&gst::Pad, &gst::Pad),
        now: impl Fn() -> Option<Duration>,
        is_sent: impl Fn() -> bool,
    ) -> RoundResult {
        match self.step(now, is_sent) {
            Step::Pause => RoundResult::Stopped,
            Step::Again => RoundResult::Fine,
            Step::Act(action) => self.act(sink, src, action),
        }
    }

    fn act(&self, sink: &gst::Pad, src: &gst::Pad, action: Action<gst::Event>) -> RoundResult {
        match action {
            Action::Text {
                text,
                start,
                duration,
                discont,
                late,
            } => {
                gst::debug!(CAT, obj = src, "{start:?} for {duration:?}: {text:?}");
                let mut buffer = gst::Buffer::from_slice(text.into_bytes());
                if let Some(buffer) = buffer.get_mut() {
                    buffer.set_pts(clock_time(start));
                    buffer.set_duration(clock_time(duration));
                    if discont {
                        buffer.set_flags(gst::BufferFlags::DISCONT);
                    }
                }
                let links = lock(&self.state).downstream.links;
                return self.after(src.push(buffer), links, late);
            }
            Action::Gap { start, duration } => {
                let gap =
                    gst::event::Gap::builder(clock_time(start)).duration(clock_time(duration));
                src.push_event(gap.build());
            }
            Action::Item(item) => {
                sink.push_event(gst::event::CustomUpstream::new(new_item(&item)));
            }
            Action::Speaker(speaker) => {
                let change = gst::Structure::builder("rstranscribe/speaker-change")
                    .field("speaker", Some(speaker))
                    .build();
                src.push_event(gst::event::CustomDownstream::new(change));
            }
            Action::Final => {
                let end = gst::Structure::new_empty("rstranscribe/final-transcript");
                src.push_event(gst::event::CustomDownstream::new(end));
            }
            Action::Event(event) => {
                if event.type_() == gst::EventType::Eos {
                    return self.end(src, event);
                }
                gst::debug!(CAT, obj = src, "{event:?}");
                src.push_event(event);
            }
            Action::Wait(_) => {}
        }
        RoundResult::Fine
    }

    /// Pushes EOS, or holds it until an error of downstream is posted that no buffer took upstream.
    fn end(&self, src: &gst::Pad, eos: gst::Event) -> RoundResult {
        let held = lock(&self.state).downstream.hold(eos);
        match held {
            Ok(eos) => {
                gst::debug!(CAT, obj = src, "{eos:?}");
                src.push_event(eos);
                RoundResult::Ended
            }
            Err(error) => error.map_or(RoundResult::Fine, RoundResult::Failed),
        }
    }

    /// Takes up what downstream made of a buffer, which was linked for the time `links` then.
    fn after(
        &self,
        flow: Result<gst::FlowSuccess, gst::FlowError>,
        links: u64,
        late: Duration,
    ) -> RoundResult {
        let mut state = lock(&self.state);
        if state.stopped {
            return RoundResult::Stopped;
        }
        let result = match state.downstream.answers(flow, links) {
            Some(error) => RoundResult::Failed(error),
            None if flow.is_ok() && late > state.max_delay && late.as_millis() > 0 => {
                state.max_delay = late;
                RoundResult::Late
            }
            None => RoundResult::Fine,
        };
        drop(state);
        self.changed.notify_all();
        result
    }
}

fn new_item(item: &Item) -> gst::Structure {
    gst::Structure::builder("rstranscribe/new-item")
        .field("speaker", item.speaker.as_deref())
        .field("content", item.text.as_str())
        .field("running-time", clock_time(item.running))
        .field("duration", clock_time(item.duration))
        .build()
}

fn clock_time(time: Duration) -> gst::ClockTime {
    gst::ClockTime::try_from(time).unwrap_or(gst::ClockTime::MAX)
}
