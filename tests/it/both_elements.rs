//! One list of cases for both elements: tests of the sink that run with a transcriber in its place.
//! At each end its text pad has pushed the words of the messages. Others run again with a sink
//! that has `async=false`.

use crate::common::child;
use crate::common::text::with_transcriber;

macro_rules! cases {
    ($($module:ident: $($test:ident)*;)*) => {
        $(mod $module {
            $(#[test]
            fn $test() {
                super::with_transcriber(crate::$module::$test);
            })*
        })*
    };
}

cases! {
    errors:
        each_cause_has_its_error;
    reconnect:
        at_any_moment
        what_was_open_ends_unconfirmed_before_the_error
        what_is_settled_is_not_sent_again;
    proxies:
        words_come_through
        encrypted_end_to_end;
    sessions:
        the_session_is_finished_and_the_next_buffer_opens_another
        a_session_ends_at_a_settled_pause;
    buffers:
        another_segment_s_times_are_no_jitter
        a_gap_becomes_silence_or_an_end
        a_long_gap_posts_its_words
        odd_bytes_and_flags_of_empty_buffers;
    streams:
        a_new_stream_without_an_end
        a_relinked_stream_goes_on;
    times:
        a_segment_maps_to_stream_and_running_time
        without_a_timeline_there_is_the_stream_s_own;
    pause:
        while_a_send_is_blocked
        the_end_comes_in_paused
        during_the_drain;
    states:
        at_each_moment
        a_hundred_cycles_leave_nothing_behind;
}

/// Only the element knows of the preroll, so these are the modules about its streaming thread and
/// its states.
const STREAMING: [&str; 9] = [
    "buffers::",
    "finish::",
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
    child::without_preroll(&STREAMING, &SKIP);
}
