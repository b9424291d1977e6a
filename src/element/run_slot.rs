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

    /// Returns whether the slot is [closed](Self::close).
    pub fn is_closed(&self) -> bool {
        lock(&self.slot).closed
    }

    /// Allows runs again.
    pub fn open(&self) {
        lock(&self.slot).closed = false;
    }

    /// Ends the run, and allows no other until [`open`](Self::open).
    pub fn close(&self, element: &gst::Element) {
        lock(&self.slot).closed = true;
        self.stop(element);
    }

    /// Starts a run, like [`Run::start`]. None: the slot is closed. The caller opens the run's
    /// outbox; if the slot is closed before, nothing is posted.
    pub fn start(
        &self,
        category: gst::DebugCategory,
        element: &gst::Element,
        settings: &Settings,
        listener: Option<Arc<dyn Listener>>,
    ) -> Option<Arc<Run>> {
        if self.is_closed() {
            return None;
        }
        let ids = self.ids.clone();
        let run = Arc::new(Run::start(category, element, settings, ids, listener));
        let mut slot = lock(&self.slot);
        if slot.closed {
            return None;
        }
        *lock(&self.last) = Totals::default();
        slot.run = Some(run.clone());
        Some(run)
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

    /// Logs that a property was set too late for the run that there is. The caller has set it.
    pub fn warn_if_late(
        &self,
        category: gst::DebugCategory,
        element: &gst::Element,
        property: &glib::ParamSpec,
    ) {
        let is_live = property.flags().contains(gst::PARAM_FLAG_MUTABLE_PLAYING);
        if !is_live && self.get().is_some() {
            let name = property.name();
            gst::warning!(
                category,
                obj = element,
                "{name} applies from the next change from READY to PAUSED on"
            );
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
    use std::thread;

    use super::*;

    /// Starts a run that fails at once: for a setting, or for a port without a server.
    fn start(slot: &RunSlot, pipeline: &gst::Pipeline, uri: &str) -> Option<Arc<Run>> {
        let mut settings = Settings::default();
        settings.set("uri", &uri.to_value());
        settings.set("api-key", &"sesame-sesame".to_value());
        settings.set("max-reconnects", &0u32.to_value());
        slot.start(*gst::CAT_DEFAULT, pipeline.upcast_ref(), &settings, None)
    }

    const UNUSABLE: &str = "http://127.0.0.1";
    const REFUSES: &str = "ws://127.0.0.1:1/v3/sauc/bigmodel";

    /// A change of state fails for wrong settings, not for a network that fails as fast.
    #[test]
    fn a_run_that_the_network_fails_did_connect() {
        gst::init().expect("GStreamer");
        let pipeline = gst::Pipeline::new();
        let slot = RunSlot::default();
        for (uri, connects) in [(UNUSABLE, false), (REFUSES, true)] {
            let run = start(&slot, &pipeline, uri).expect("an open slot");
            while !run.client.has_failed() {
                thread::yield_now();
            }
            assert_eq!(run.connects, connects, "{uri}");
            slot.stop(pipeline.upcast_ref());
        }
    }

    /// READY may come while a run starts, and promises that nothing is posted after it.
    #[test]
    fn a_run_whose_slot_is_closed_posts_nothing() {
        gst::init().expect("GStreamer");
        let pipeline = gst::Pipeline::new();
        let bus = pipeline.bus().expect("a bus");
        let slot = RunSlot::default();
        for uri in [UNUSABLE, REFUSES] {
            slot.open();
            let run = start(&slot, &pipeline, uri).expect("an open slot");
            slot.close(pipeline.upcast_ref());
            assert!(start(&slot, &pipeline, uri).is_none());
            run.outbox.open();
            run.client.stop();
            assert!(bus.pop().is_none());
            slot.open();
            let run = start(&slot, &pipeline, uri).expect("an open slot");
            run.outbox.open();
            let wanted = [gst::MessageType::Error];
            let error = bus.timed_pop_filtered(gst::ClockTime::from_seconds(60), &wanted);
            assert!(error.is_some());
            slot.close(pipeline.upcast_ref());
        }
    }
}
