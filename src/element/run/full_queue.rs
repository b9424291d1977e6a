//! A full queue: the wait for space, or audio that is dropped, and the report of that.

use gst::prelude::*;

use super::Run;
use crate::element::bus::outbox::OutgoingMessage;
use crate::element::bus::warnings;
use crate::element::drops::DroppedRange;
use crate::element::settings::Leaky;
use crate::session::queue::Dropped;
use crate::session::samples_to_time;

impl Run {
    /// Whether a buffer of this length has to wait for space in the queue: backpressure, unless the
    /// queue is leaky.
    pub fn must_wait(&self, samples: u64) -> bool {
        // First: it is decided here, where the query may block.
        !self.is_leaky() && !self.client.has_space(samples)
    }

    /// Makes space for `samples`.
    pub(super) fn drop_oldest(&self, samples: u64) {
        let mut streaming = self.streaming();
        let mut ranges = Vec::new();
        self.client.make_space(samples, |dropped: Dropped| {
            let mut timeline = self.outbox.poster.timeline();
            let (stream, position) = (dropped.stream, dropped.position);
            ranges.push(DroppedRange {
                stream,
                times: timeline.times_at(stream, position),
                samples: dropped.samples,
            });
            timeline.remove(stream, position, dropped.samples);
            if stream == streaming.stream {
                streaming.input.dropped(position, dropped.samples);
            }
        });
        let epoch = streaming.epoch;
        let reports = ranges.into_iter().map(|range| streaming.drops.add(range));
        let reports: Vec<_> = reports.collect();
        drop(streaming);
        for dropped in reports {
            self.report_dropped(epoch, dropped);
        }
    }

    /// Reports audio that was dropped in `epoch`.
    pub(super) fn report_dropped(&self, epoch: u64, dropped: Option<DroppedRange>) {
        if let Some(DroppedRange { times, samples, .. }) = dropped {
            let lost = samples_to_time(samples, self.rate);
            let warning = OutgoingMessage::Dropped(warnings::dropped(times, lost));
            self.outbox.enqueue_for(epoch, warning);
        }
    }

    /// Whether a full queue drops audio rather than block the pipeline. Decided once a stream.
    pub(super) fn is_leaky(&self) -> bool {
        if let Some(leaky) = self.streaming().leaky_resolved {
            return leaky;
        }
        let leaky = match self.leaky {
            Leaky::No => false,
            Leaky::Downstream => true,
            Leaky::Auto => self.is_live(),
        };
        self.streaming().leaky_resolved = Some(leaky);
        leaky
    }

    fn is_live(&self) -> bool {
        let element = self.element.upgrade();
        let Some(pad) = element.and_then(|element| element.static_pad("sink")) else {
            return false;
        };
        let mut query = gst::query::Latency::new();
        pad.peer_query(&mut query) && query.result().0
    }
}
