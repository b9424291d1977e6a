//! Queries on the pads, latency above all, and events from downstream.

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::imp::VolcAsrTranscriber;
use crate::element::caps;
use crate::sync::lock;

impl VolcAsrTranscriber {
    pub(super) fn sink_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        let serialized = query.is_serialized();
        match query.view_mut() {
            gst::QueryViewMut::Caps(q) => {
                let rate = self.runs.rate(&self.settings);
                let caps = caps::accepted(rate, q.filter_owned().as_ref());
                q.set_result(&caps);
                true
            }
            // Text has no use for memory that audio is in.
            gst::QueryViewMut::Allocation(_) => false,
            // It would reach downstream before the text that waits, and beside the task.
            _ if serialized => false,
            _ => gst::Pad::query_default(pad, Some(&*self.obj()), query),
        }
    }

    pub(super) fn src_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        let gst::QueryViewMut::Latency(q) = query.view_mut() else {
            return gst::Pad::query_default(pad, Some(&*self.obj()), query);
        };
        let mut upstream = gst::query::Latency::new();
        if !self.sink_pad.peer_query(&mut upstream) {
            return false;
        }
        let (live, mut min, mut max) = upstream.result();
        // Responses do not wait.
        if live && *pad == self.src_pad {
            let own = gst::ClockTime::from_mseconds(lock(&self.text).latency.into());
            min += own;
            max = max.map(|max| max.saturating_add(own));
        }
        q.set(live, min, max);
        true
    }

    pub(super) fn src_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        // The pipeline has distributed its latency: upstream's may be another one.
        let distributed = event.type_() == gst::EventType::Latency;
        // Behind a bin's pad, the pad itself keeps its peer.
        if event.type_() == gst::EventType::Reconfigure {
            match *pad == self.src_pad {
                true => self.output.relinked(),
                false => self.apply_live(),
            }
        }
        let handled = gst::Pad::event_default(pad, Some(&*self.obj()), event);
        if distributed {
            self.update_latency();
        }
        handled
    }

    /// Asks upstream for its latency, which words may be late by as well.
    pub(super) fn update_latency(&self) {
        let mut upstream = gst::query::Latency::new();
        let answered = self.sink_pad.peer_query(&mut upstream);
        let (live, min, _) = upstream.result();
        let own = lock(&self.text).latency();
        let latency = (answered && live).then(|| own.saturating_add(min.into()));
        self.output.set_latency(latency);
    }
}
