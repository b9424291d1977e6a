//! How a connection is had: ahead of the audio, again after a failure, and until when.

use super::{script, scripts};

#[test]
fn the_connection_is_made_ahead_and_the_session_with_the_first_audio() {
    script(
        "0 start         | preconnect
        30 ready         | Ready
        900 audio 200    | connect<10900
        950 connected    | request
        960 say -        | open 0, audio 2-2 0-200",
    );
}

/// The first piece of a chunk opens it, so that it is there when the chunk is complete.
#[test]
fn less_than_a_chunk_opens_a_session() {
    script(
        "0 start         | preconnect
        30 ready         | Ready
        50 audio 20      | connect<10050
        60 connected     | request
        70 say -         | open 0
        80 audio 180     | audio 2-2 0-200",
    );
}

#[test]
fn audio_waits_half_a_second_for_the_answer() {
    script(
        "0 audio 400     | preconnect, connect<10000
        20 ready         | Ready
        30 connected     | request
        530 timeout      | audio 2-3 0-400
        600 say -        | open 0
        650 audio 200    | audio 4-4 400-600",
    );
}

#[test]
fn the_handshake_and_the_answer_are_due_within_the_connect_timeout() {
    script(
        "set connect 3000
        0 audio 200      | preconnect, connect<3000
        3000 late        | retry 1 +250 from 0: no answer 3000
        3250 timeout     | connect<6250
        3300 connected   | request
        3800 timeout     | audio 2-2 0-200
        6250 timeout     | close, retry 2 +500 from 0: no answer 3000
        6750 timeout     | connect<9750",
    );
}

#[test]
fn attempts_in_a_row_have_a_growing_backoff_and_an_end() {
    script(
        "set reconnects 2
        0 audio 200      | preconnect, connect<10000
        0 refused soon   | retry 1 +250 from 0: network
        250 timeout      | connect<10250
        250 refused soon | retry 2 +500 from 0: network
        750 timeout      | connect<10750
        750 refused soon | failed: network",
    );
}

/// The network is tried again without audio, and each failure is reported.
#[test]
fn a_failure_ahead_of_the_audio_is_tried_again() {
    script(
        "set reconnects 2
        0 start          | preconnect
        10 refused soon  | retry 1 +250 from 0: network
        260 timeout      | preconnect
        270 refused soon | retry 2 +500 from 0: network
        500 audio 200    |
        770 timeout      | connect<10770
        780 ready        | Ready
        790 connected    | request",
    );
    script(
        "set reconnects 1
        0 start          | preconnect
        10 refused soon  | retry 1 +250 from 0: network
        260 timeout      | preconnect
        270 refused soon | failed: network",
    );
}

/// A connection that waited for audio may have died, which says nothing of the service.
#[test]
fn a_stale_connection_is_replaced_at_once() {
    script(
        "0 start          | preconnect
        10 ready          | Ready
        3000 audio 200    | connect<13000
        3010 refused stale | connect<13000
        3020 ready        |
        3030 refused stale | retry 1 +250 from 0: network",
    );
    // One that was made for the session is not.
    script(
        "0 audio 200      | preconnect, connect<10000
        20 ready          | Ready
        30 refused stale  | retry 1 +250 from 0: network",
    );
}

#[test]
fn a_connection_that_no_audio_comes_for_is_closed() {
    script(
        "0 start          | preconnect
        30 ready          | Ready
        4030 timeout      | discard
        9000 audio 200    | connect<19000",
    );
}

#[test]
fn the_next_connection_waits_for_the_end_of_the_one_before() {
    script(
        "0 slow           | preconnect
        0 audio 200       | connect<10000
        10 connected      | request
        20 say -          | open 0, audio 2-2 0-200
        30 closed 1011    | close, lost 1 +250 from 0: closed 1011
        280 timeout       |
        900 close-done    | connect<10900",
    );
}

#[test]
fn a_flush_discards_the_attempt_but_not_the_backoff() {
    script(
        "0 audio 200      | preconnect, connect<10000
        10 flush          | cancel, preconnect
        20 audio 200      | connect<10020
        30 refused later  | retry 1 +1000 from 0: network
        40 flush          |
        50 audio 200      |
        1030 timeout      | connect<11030
        1040 connected    | request
        1050 say -        | open 0, audio 2-2 0-200",
    );
}

/// The next connection is a preconnect again: it is discarded if unused, and replaced if stale.
#[test]
fn a_flush_before_the_handshake_begins_a_preconnect() {
    scripts(
        "0 start           | preconnect
        10 ready           | Ready
        50 audio 200       | connect<10050
        50 flush           | cancel, preconnect
        60 ready           |",
        [
            "4060 timeout       | discard",
            "3000 audio 200     | connect<13000
            3010 refused stale | connect<13000",
        ],
    );
}

#[test]
fn the_owner_can_end_it_at_any_time() {
    script("0 abort | preconnect, failed: network");
    script(
        "0 audio 200      | preconnect, connect<10000
        5 abort           | cancel, failed: network",
    );
    script(
        "session 200
        30 say 200 a@0-200 | 0 a
        40 abort          | close, 0 a U, failed: network
        50 audio 200      |
        60 flush          |",
    );
}
