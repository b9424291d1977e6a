//! Sinks with `async=false`: what depends on the preroll holds without it, too.

use crate::common::child;

/// Only the element knows of the preroll, so these are the modules about its streaming thread and
/// its states.
const MODULES: [&str; 9] = [
    "buffers::",
    "finish_now::",
    "flush::",
    "handlers::",
    "pause::",
    "queue::",
    "states::",
    "streams::",
    "times::",
];

/// Tests that try both by themselves, the long one, and those with a transcriber, which does not
/// preroll.
const SKIP: [&str; 6] = [
    "while_a_send_is_blocked",
    "while_audio_flows",
    "the_end_comes_in_paused",
    "during_the_drain",
    "a_hundred_cycles",
    "both_elements::",
];

#[test]
fn streaming_and_states() {
    child::without_preroll(&MODULES, &SKIP);
}
