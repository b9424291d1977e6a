//! Calls that must return at once, and calls that must not.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::LONG;

/// Duration of a call that waits for nothing. A busy machine may delay some of them, not all.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Durations of calls that must return at once, by their kind.
#[derive(Default)]
pub struct Calls(BTreeMap<&'static str, Vec<Duration>>);

impl Calls {
    /// Makes a call and asserts that it does not hang.
    pub fn time<R>(&mut self, what: &'static str, call: impl FnOnce() -> R) -> R {
        let began = Instant::now();
        let result = call();
        let took = began.elapsed();
        // Far longer than it takes, and far shorter than any time-out of the element.
        assert!(took < Duration::from_secs(2), "{what} took {took:?}");
        self.0.entry(what).or_default().push(took);
        result
    }

    /// Asserts that at least one call of each kind returned at once, and prints the longest.
    pub fn assert_at_once(&self, case: &str) {
        for (what, took) in &self.0 {
            let (least, most) = (took.iter().min(), took.iter().max());
            println!(
                "{case}, {what}: the longest of {} took {:?}",
                took.len(),
                most.unwrap_or(&Duration::ZERO)
            );
            assert!(
                least.is_some_and(|least| *least < AT_ONCE),
                "{case}, {what}: {took:?}"
            );
        }
    }
}

/// Has another thread set an element to READY, and waits for that, as an application's handler
/// does. Returns whether it did not hang.
pub fn is_ready_meanwhile(element: &gst::Element) -> bool {
    let (sets, set) = mpsc::channel();
    let element = element.clone();
    thread::spawn(move || {
        let _ = sets.send(element.set_state(gst::State::Ready));
    });
    matches!(set.recv_timeout(LONG), Ok(Ok(_)))
}

/// A door that handlers wait at.
#[derive(Clone, Default)]
pub struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    pub fn wait(&self) {
        let open = self.0.0.lock().expect("no panic");
        drop(self.0.1.wait_while(open, |open| !*open).expect("no panic"));
    }

    pub fn open(&self) {
        *self.0.0.lock().expect("no panic") = true;
        self.0.1.notify_all();
    }
}
