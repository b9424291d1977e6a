//! The run of an element, and what is left of the last one.

use std::sync::{Arc, Mutex};

use gst::glib;
use gst::prelude::*;

use crate::element::bus::errors::Ids;
use crate::element::bus::outbox::Listener;
use crate::element::bus::stats::Totals;
use crate::element::run::Run;
use crate::element::settings::Settings;
use crate::sync::lock;

/// Returns the specifications of the properties that can only be read.
pub(crate) fn results() -> [glib::ParamSpec; 3] {
    let id = |name, nick, blurb| {
        glib::ParamSpecString::builder(name)
            .nick(nick)
            .blurb(blurb)
            .read_only()
            .build()
    };
    [
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb(
                "What was done so far: connections, frames, audio, latencies; times in nanoseconds",
            )
            .read_only()
            .build(),
        id(
            "log-id",
            "Log id",
            "The service's id of the current or last connection, which the vendor's support asks \
             for",
        ),
        id(
            "connect-id",
            "Connect id",
            "This element's id of the current or last connection",
        ),
    ]
}

/// The run of an element, while there is one.
#[derive(Default)]
pub(crate) struct RunSlot {
    slot: Mutex<Slot>,
    /// Totals of the last run, while there is none.
    last: Mutex<Totals>,
    /// Ids of the current or last connection.
    ids: Arc<Mutex<Ids>>,
}

#[derive(Default)]
struct Slot {
    run: Option<Arc<Run>>,
    /// No run may begin.
    closed: bool,
    /// Counts the times that the slot was opened: a start may take longer than it stays open.
    opened: u64,
}

impl Slot {
    /// Returns whether it was not closed since an opening.
    fn is_open(&self, opening: u64) -> bool {
        !self.closed && self.opened == opening
    }
}

impl RunSlot {
    pub fn get(&self) -> Option<Arc<Run>> {
        lock(&self.slot).run.clone()
    }

    /// Returns the rate of the audio that is taken, in hertz. The request names it, so one that is
    /// set during a run waits for the next.
    pub fn rate(&self, settings: &Mutex<Settings>) -> i32 {
        match self.get() {
            Some(run) => run.rate.cast_signed(),
            None => lock(settings).rate,
        }
    }

    /// Returns the number of the current opening, for [`start`](Self::start).
    pub fn opening(&self) -> u64 {
        lock(&self.slot).opened
    }

    /// Returns whether the slot is [closed](Self::close).
    pub fn is_closed(&self) -> bool {
        lock(&self.slot).closed
    }

    /// Allows runs again.
    pub fn open(&self) {
        let mut slot = lock(&self.slot);
        slot.closed = false;
        slot.opened += 1;
    }

    /// Ends the run, and allows no other until [`open`](Self::open).
    pub fn close(&self, element: &gst::Element) {
        lock(&self.slot).closed = true;
        self.stop(element);
    }

    /// Starts a run, like [`Run::start`], unless the slot was closed since `opening`.
    ///
    /// # Errors
    /// The cause is on the bus, or the slot was closed.
    pub fn start(
        &self,
        opening: u64,
        category: gst::DebugCategory,
        element: &gst::Element,
        settings: &Settings,
        listener: Option<Arc<dyn Listener>>,
    ) -> Result<Arc<Run>, gst::StateChangeError> {
        if !lock(&self.slot).is_open(opening) {
            return Err(gst::StateChangeError);
        }
        let run = Run::start(category, element, settings, self.ids.clone(), listener)?;
        let run = Arc::new(run);
        let taken = {
            let mut slot = lock(&self.slot);
            let open = slot.is_open(opening);
            if open {
                *lock(&self.last) = Totals::default();
                slot.run = Some(run.clone());
            }
            open
        };
        if !taken {
            run.stop(element);
            return Err(gst::StateChangeError);
        }
        Ok(run)
    }

    /// Ends the run, if there is one.
    pub fn stop(&self, element: &gst::Element) {
        let run = lock(&self.slot).run.take();
        if let Some(run) = run {
            let mut totals = run.totals();
            (totals.counts.connections.connected, totals.queued) = (false, 0);
            *lock(&self.last) = totals;
            run.stop(element);
        }
    }

    /// Returns the value of one of the [`results`], unless `name` is
    /// another property. `base` adds the base class's statistics.
    pub fn property(&self, name: &str, base: Option<&gst_base::BaseSink>) -> Option<glib::Value> {
        match name {
            "stats" => {
                let run = self.get();
                let totals = run.map_or_else(|| *lock(&self.last), |run| run.totals());
                Some(totals.structure(base).to_value())
            }
            "log-id" => Some(lock(&self.ids).log.to_value()),
            "connect-id" => Some(lock(&self.ids).connect.to_value()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another thread may come to it only when the element plays again.
    #[test]
    fn a_start_of_an_earlier_opening_begins_and_posts_nothing() {
        gst::init().expect("GStreamer");
        let pipeline = gst::Pipeline::new();
        let (slot, category) = (RunSlot::default(), *gst::CAT_DEFAULT);
        let start = |opening| {
            let mut settings = Settings::default();
            settings.set("uri", &"http://127.0.0.1".to_value());
            let run = slot.start(opening, category, pipeline.upcast_ref(), &settings, None);
            assert!(run.is_err());
        };
        let bus = pipeline.bus().expect("a bus");
        slot.open();
        let first = slot.opening();
        slot.close(pipeline.upcast_ref());
        start(first);
        slot.open();
        start(first);
        assert!(bus.pop().is_none());
        start(slot.opening());
        assert!(bus.pop().is_some());
    }
}
