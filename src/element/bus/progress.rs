//! The progress `connect`: each start gets one end, also if several threads post. Only a start that
//! is still being posted when the run ends gets none.

use std::sync::atomic::{AtomicBool, Ordering};

use super::post_message;

/// The progress of one run: whether it is under way.
#[derive(Debug, Default)]
pub(crate) struct ConnectProgress(AtomicBool);

impl ConnectProgress {
    /// Posts the start. Called once. A run that ends meanwhile posts no end: that would come before
    /// the start, or behind READY.
    pub fn start(&self, element: &gst::Element) {
        let text = "Connecting to the recognition service";
        post(element, gst::ProgressType::Start, text);
        self.0.store(true, Ordering::SeqCst);
    }

    /// Posts `text`, unless the progress is over.
    pub fn update(&self, element: &gst::Element, text: &str) {
        if self.0.load(Ordering::SeqCst) {
            post(element, gst::ProgressType::Continue, text);
        }
    }

    /// Posts the end, unless it was posted before.
    pub fn end(&self, element: &gst::Element, kind: gst::ProgressType, text: &str) {
        if self.0.swap(false, Ordering::SeqCst) {
            post(element, kind, text);
        }
    }
}

fn post(element: &gst::Element, kind: gst::ProgressType, text: &str) {
    let message = gst::message::Progress::builder(kind, "connect", text);
    post_message(element, message.src(element).build());
}
