//! Stops a pipeline, even one that hangs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use gst::prelude::*;

/// How long the program waits for a pipeline to stop: an input may hang in the network.
const LIMIT: Duration = Duration::from_secs(2);
/// A pipeline did not stop in time: the program waits for no other one, for each would add to it.
static HANGS: AtomicBool = AtomicBool::new(false);

/// Stops a pipeline for good. Who starts it holds `is_stopped` meanwhile.
pub fn stop(pipeline: &gst::Pipeline, is_stopped: &Arc<Mutex<bool>>) {
    let limit = match HANGS.load(Ordering::Relaxed) {
        true => Duration::ZERO,
        false => LIMIT,
    };
    let (stopped, wait) = mpsc::channel();
    let (pipeline, is_stopped) = (pipeline.clone(), is_stopped.clone());
    std::thread::spawn(move || {
        *is_stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        // To NULL never fails for a pipeline that is going away.
        let _ = pipeline.set_state(gst::State::Null);
        let _ = stopped.send(());
    });
    if wait.recv_timeout(limit).is_err() {
        HANGS.store(true, Ordering::Relaxed);
    }
}
