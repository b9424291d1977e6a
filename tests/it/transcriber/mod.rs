//! `volcasrtranscriber`: text on a pad, and everything that goes with it.

mod consumers;
mod downstream;
mod inspect;
mod life;
mod live;
mod parts;
mod ready;

use std::sync::Arc;

use gst::prelude::*;
use volcasr_loopback::{Options, Service};

use crate::common::pad_harness::PadHarness;
use crate::common::*;

/// A transcriber with these properties that plays, at a service of marks.
fn playing(properties: &str) -> (Service, PadHarness) {
    let service = service(Options::default());
    let harness = PadHarness::new(set(transcriber(&service), properties));
    (service, harness)
}

fn pad(harness: &PadHarness, name: &str) -> gst::Pad {
    harness.sink.static_pad(name).expect("a pad")
}

/// Handles such messages on the thread that posts them. Messages do not get to the bus.
fn on_message(
    harness: &Arc<PadHarness>,
    is_it: impl Fn(&gst::Message) -> bool + Send + Sync + 'static,
    handle: impl Fn(&Arc<PadHarness>) + Send + Sync + 'static,
) {
    let weak = Arc::downgrade(harness);
    harness.bus.set_sync_handler(move |_, message| {
        if is_it(message)
            && let Some(harness) = weak.upgrade()
        {
            handle(&harness);
        }
        gst::BusSyncReply::Drop
    });
}
