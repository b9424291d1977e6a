//! Instant rate changes, which must not wait for the service.
//!
//! The base class takes its preroll lock for them without [`unlock`](gst_base::subclass::prelude::BaseSinkImpl::unlock),
//! as its own comment regrets: behind a `render` that waits for room the application's thread would
//! hang for as long as an outage takes. Nor can `render` give the lock away by `wait_preroll`: the base
//! class signals it on one of its two ways out only. So another thread does it, in order.

use std::collections::VecDeque;

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::CAT;
use super::imp::{VolcAsrSink, lock};

/// So many may wait; each is a click of somebody's.
const MOST: usize = 64;

/// What waits for the base class.
#[derive(Debug, Default)]
pub(super) struct RateChanges {
    waiting: VecDeque<gst::Event>,
    /// A thread is at it.
    running: bool,
}

impl VolcAsrSink {
    /// Has the base class handle an INSTANT_RATE_SYNC_TIME event as soon as it can. False: too many wait.
    pub(super) fn change_rate(&self, event: gst::Event) -> bool {
        let mut changes = lock(&self.rate_changes);
        if changes.waiting.len() >= MOST {
            gst::warning!(CAT, imp = self, "too many rate changes wait");
            return false;
        }
        changes.waiting.push_back(event);
        if !std::mem::replace(&mut changes.running, true) {
            drop(changes);
            self.obj().call_async(|sink| sink.imp().change_rates());
        }
        true
    }

    /// A flush ends what they were meant for.
    pub(super) fn forget_rate_changes(&self) {
        lock(&self.rate_changes).waiting.clear();
    }

    fn change_rates(&self) {
        loop {
            let mut changes = lock(&self.rate_changes);
            let Some(event) = changes.waiting.pop_front() else {
                changes.running = false;
                return;
            };
            drop(changes);
            self.parent_send_event(event);
        }
    }
}
