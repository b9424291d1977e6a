//! Waits of the task that pushes.

use std::sync::{Arc, mpsc};
use std::thread;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// The audio may come while the task waits already: that ends its wait without a limit.
#[test]
fn text_leaves_where_the_audio_is_held_up_after_the_task_began_to_wait() {
    let output = Arc::new(Output::new());
    output.start();
    let (waits, waiting) = mpsc::channel();
    let (leaves, left) = mpsc::channel();
    let task = Arc::clone(&output);
    thread::spawn(move || {
        let now = || {
            let _ = waits.send(());
            None
        };
        loop {
            match task.step(now, || true) {
                Step::Again => {}
                step => return leaves.send(step),
            }
        }
    });
    waiting.recv_timeout(PATIENCE).expect("a task");
    for end in (100..=2000).step_by(100) {
        output.audio(Duration::from_millis(end));
    }
    match left.recv_timeout(PATIENCE).expect("something to leave") {
        Step::Act(Action::Gap { start, duration }) => {
            assert_eq!(start, Duration::ZERO);
            assert_eq!(duration, Duration::from_secs(2) - STARVED_MARGIN);
        }
        step => panic!("{step:?}"),
    }
}
