use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::client::event::Level;
use crate::client::{Client, WaitResult};

/// Returns the configuration for a service that refuses connections.
fn config() -> Config {
    Config::for_test(([127, 0, 0, 1], 1).into())
}

/// Panics on the first event, and remembers the others.
#[derive(Default)]
struct Clumsy {
    events: Mutex<Vec<String>>,
    has_panicked: AtomicBool,
}

impl EventHandler for Clumsy {
    fn handle(&self, _: u64, event: Event) {
        let first = !self.has_panicked.swap(true, Ordering::SeqCst);
        assert!(!first, "on purpose");
        let mut events = self.events.lock().expect("held shortly");
        events.push(format!("{event:?}"));
    }

    fn log(&self, _: Level, _: fmt::Arguments<'_>) {}
}

/// However the driver ends, no thread waits for it in vain.
#[test]
fn a_panic_is_a_failure_that_is_reported() {
    let handler = Arc::new(Clumsy::default());
    let client = Client::start(config(), handler.clone()).expect("threads");
    let began = std::time::Instant::now();
    while !client.has_failed() || handler.events.lock().expect("held shortly").is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    let seen = handler.events.lock().expect("held shortly").clone();
    assert_eq!(seen, ["Failed { error: Aborted(Internal), lost: true }"]);
    client.acknowledge_failure();
    assert!(matches!(client.wait_for(1, 0), WaitResult::Failed));
}
