//! The progress `connect`: each start gets exactly one end, whichever threads post the two.

use std::sync::Mutex;

use super::post_message;
use crate::sync::lock;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Not begun, or over.
    #[default]
    Idle,
    /// The start is being posted.
    Starting,
    /// The start is posted, the end is not.
    Running,
    /// Canceled while the start was being posted. The thread that posts the start posts the end.
    Canceled,
}

/// State of the progress, shared by the threads that post.
#[derive(Debug, Default)]
pub(crate) struct ConnectProgress(Mutex<State>);

impl ConnectProgress {
    /// Posts the start.
    pub fn start(&self, element: &gst::Element) {
        *lock(&self.0) = State::Starting;
        let text = "Connecting to the recognition service";
        post(element, gst::ProgressType::Start, text);
        if !self.transition(State::Starting, State::Running) {
            *lock(&self.0) = State::Running;
            self.cancel(element);
        }
    }

    /// Posts `text`, unless the progress is over.
    pub fn update(&self, element: &gst::Element, text: &str) {
        let state = *lock(&self.0);
        if state == State::Running {
            post(element, gst::ProgressType::Continue, text);
        }
    }

    /// Posts the end, unless it was posted before.
    pub fn end(&self, element: &gst::Element, kind: gst::ProgressType, text: &str) {
        if self.transition(State::Running, State::Idle) {
            post(element, kind, text);
        }
    }

    /// Ends the progress because the element stops.
    pub fn cancel(&self, element: &gst::Element) {
        if !self.transition(State::Starting, State::Canceled) {
            let text = "Connecting was canceled";
            self.end(element, gst::ProgressType::Canceled, text);
        }
    }

    /// Changes the state if it is `from`. Returns whether it was.
    fn transition(&self, from: State, to: State) -> bool {
        let mut state = lock(&self.0);
        let is_from = *state == from;
        if is_from {
            *state = to;
        }
        is_from
    }
}

fn post(element: &gst::Element, kind: gst::ProgressType, text: &str) {
    let message = gst::message::Progress::builder(kind, "connect", text);
    post_message(element, message.src(element).build());
}
