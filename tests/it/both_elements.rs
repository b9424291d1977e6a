//! One list of cases for both elements: tests of the sink that run with a transcriber in its place.
//! At each end its text pad has had the words that the messages say.

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
    reconnect:
        at_any_moment
        what_is_settled_is_not_sent_again;
    rollover:
        a_session_ends_at_a_settled_pause
        the_next_session_may_be_lost;
    proxies:
        words_come_through
        encrypted_end_to_end;
    replay_window:
        a_window_that_has_moved_on_cuts_the_utterance;
    idle:
        a_long_buffer_is_no_pause
        the_session_is_finished_and_the_next_buffer_opens_another
        the_finish_of_a_pause_is_restored
        the_service_may_end_it_as_well;
    gaps:
        a_gap_becomes_silence_or_an_end
        a_long_gap_posts_its_words
        what_overlaps_is_recognised_once;
    streams:
        the_end_waits_for_the_last_words
        a_new_stream_without_an_end
        a_relinked_stream_goes_on;
    times:
        a_segment_maps_to_stream_and_running_time
        what_the_segment_leaves_out_is_clipped
        without_a_timeline_there_is_the_stream_s_own;
    pause:
        while_a_send_is_blocked
        for_longer_than_the_idle_timeout
        the_end_comes_in_paused
        during_the_drain;
    states:
        in_the_middle_of_speech
        waiting_for_an_answer
        blocked_in_a_send
        between_two_tries
        a_hundred_cycles_leave_nothing_behind;
    lost_for_good:
        what_was_open_ends_unconfirmed_before_the_error
        progress_begins_the_count_anew;
}
