//! The end of a stream: the finish, the wait for the final response, and what is lost without it.

use super::{script, scripts};

/// A session of 400 ms of audio that the service has processed, with an open utterance.
const SPEAKING: &str = "
    session 400
    30 say 400 a@0-300  | 0 a
    ";

fn speaking(rest: &str) {
    script(&format!("set finish 1000\n{SPEAKING}{rest}"));
}

#[test]
fn the_end_waits_for_the_final_response() {
    speaking(
        "40 end 7           | finish 4
        90 last 400 A@0-350 | close, 0 A F, settled 400, done 7",
    );
}

#[test]
fn without_audio_the_end_is_there_at_once() {
    script("0 end 7 | preconnect, done 7");
    script(
        "session 200
        30 end 7            | finish 3
        40 last 200 A@0-100 | close, 0 A F, settled 200, done 7
        50 end 8            | done 8",
    );
}

#[test]
fn each_response_begins_the_wait_anew_up_to_six_times() {
    speaking(
        "40 end 7      | finish 4
        1000 say 400   |
        1900 say 400   |
        2800 say 400   |
        3700 say 400   |
        4600 say 400   |
        5500 say 400   |
        6040 timeout   | close, 0 a U, unconfirmed after 6000: nothing, done 7",
    );
}

#[test]
fn a_final_response_that_does_not_come_is_asked_for_again() {
    speaking(
        "40 end 7             | finish 4
        1040 timeout          | close, lost 1 +250 from 0: no final 1000
        1290 timeout          | connect<finish
        1300 connected        | request
        1310 say -            | open 1, again 2-3 0-400, finish 4
        1350 last 400 A@0-350 | close, 0 A F, settled 400, done 7",
    );
}

/// It waits behind audio that is being written, or is being written itself.
#[test]
fn a_finish_that_is_not_written_is_lost() {
    speaking(
        "35 hold              |
        40 audio 200          | audio 4-4 400-600
        45 end 7              |
        50 reset              | close, lost 1 +250 from 0: network
        300 timeout           | connect<10300
        310 connected         | request
        320 say -             | open 1
        330 written           | again 2-4 0-600, finish 5",
    );
    speaking(
        "35 hold              |
        40 end 7              | finish 4
        50 reset              | close, lost 1 +250 from 0: network
        300 timeout           | connect<10300
        310 connected         | request
        320 say -             | open 1
        330 written           | again 2-3 0-400, finish 4",
    );
}

/// The backoff takes at most half of what remains, so that an attempt is left.
#[test]
fn all_attempts_behind_the_finish_have_one_deadline() {
    speaking(
        "40 end 7          | finish 4
        50 closed 1011     | close, lost 1 +250 from 0: closed 1011
        300 timeout        | connect<finish
        300 refused soon   | lost 2 +500 from 0: network
        800 timeout        | connect<finish
        800 refused later  | lost 3 +2620 from 0: network
        3420 timeout       | connect<finish
        3420 refused soon  | lost 4 +1310 from 0: network
        4730 timeout       | connect<finish
        6040 late          | 0 a U, unconfirmed after 6000: nothing, done 7",
    );
}

#[test]
fn after_the_last_attempt_the_last_text_stands() {
    script(&format!(
        "set reconnects 0
        {SPEAKING}
        40 end 7       | finish 4
        50 closed 1011 | close, 0 a U, unconfirmed after 10: closed 1011, done 7"
    ));
}

#[test]
fn a_service_that_never_answered_with_words_is_an_error() {
    script(
        "set finish 1000
        set reconnects 0
        session 200
        25 say 200     |
        30 end 7       | finish 3
        1030 timeout   | close, failed lost: no final 1000",
    );
    // Another attempt would not help either, because nothing may be sent again.
    script(
        "set finish 1000
        set replay 0
        0 audio 200    | preconnect, connect<10000
        10 connected   | request
        20 end 7       |
        510 timeout    | audio 2-2 0-200, finish 3
        1510 timeout   | close, failed: no final 1000",
    );
}

#[test]
fn a_loss_before_the_finish_at_the_end_of_a_stream_is_restored() {
    speaking(
        "35 reset              | close, lost 1 +250 from 0: network
        40 end 7               |
        285 timeout            | connect<10285
        290 connected          | request
        300 say -              | open 1, again 2-3 0-400, finish 4
        400 last 400 A@0-350   | close, 0 A F, settled 400, done 7",
    );
}

#[test]
fn no_attempt_begins_at_the_deadline_of_all() {
    speaking(
        "40 end 7          | finish 4
        50 closed 1011     | close, lost 1 +250 from 0: closed 1011
        300 timeout        | connect<finish
        5790 refused soon  | lost 2 +250 from 0: network
        6040 timeout       | 0 a U, unconfirmed after 6000: nothing, done 7",
    );
}

/// A close in good order confirms nothing. What may hold words is sent again, once.
#[test]
fn a_close_without_a_final_response_is_a_loss_once() {
    speaking(
        "40 end 7        | finish 4
        50 closed 1000   | close, lost 1 +250 from 0: closed 1000
        300 timeout      | connect<finish
        310 connected    | request
        320 say -        | open 1, again 2-3 0-400, finish 4
        330 closed 1000  | close, 0 a U, unconfirmed after 290: closed 1000, done 7",
    );
}

/// Noise without words looks the same, so it is no error either, however the next connection ends.
#[test]
fn a_close_without_a_final_response_is_never_an_error() {
    let session = "set finish 1000
        session 400
        30 say 400       |
        40 end 7         | finish 4";
    let closed = "50 closed 1000 | close, lost 1 +250 from 0: closed 1000
        300 timeout      | connect<finish";
    scripts(
        &format!("set reconnects 1\n{session}\n{closed}"),
        [
            "310 refused soon | unconfirmed after 270: network, done 7",
            "6040 late        | unconfirmed after 6000: nothing, done 7",
            "310 connected    | request
            320 say -        | open 1, again 2-3 0-400, finish 4
            1320 timeout     | close, unconfirmed after 1280: no final 1000, done 7",
        ],
    );
    // No attempt is left, or nothing may be sent again.
    for set in ["reconnects 0", "replay 0"] {
        scripts(
            &format!("set {set}\n{session}"),
            ["50 closed 1000 | close, unconfirmed after 10: closed 1000, done 7"],
        );
    }
}

/// Behind the last final word only sound may hold another, and 400 ms are the rest of that word.
#[test]
fn a_close_without_a_final_response_but_with_all_words_is_an_end() {
    scripts(
        &format!("{SPEAKING}\n40 say 400 A@0-300! | 0 A F, settled 300"),
        [
            "50 audio 200        | audio 4-4 400-600
            60 say 600          |
            70 end 7            | finish 5
            80 closed 1000      | close, done 7",
            "50 silence 2000     | audio 4-13 400-2400
            60 say 2400         |
            70 end 7            | finish 14
            80 closed 1000      | close, done 7",
            "50 audio 2000       | audio 4-13 400-2400
            60 say 2400         |
            70 end 7            | finish 14
            80 closed 1000      | close, lost 1 +250 from 700: closed 1000",
        ],
    );
}

#[test]
fn a_close_in_good_order_with_unprocessed_audio_is_a_loss() {
    script(
        "session 1000
        30 say 400 A@0-300! | 0 A F, settled 300
        40 end 7           | finish 7
        50 closed 1000     | close, lost 1 +250 from 350: closed 1000",
    );
}

#[test]
fn a_session_that_ends_in_the_middle_is_a_loss() {
    speaking("40 last 400 A@0-300   | close, 0 A, lost 1 +250 from 0: closed 1000");
    speaking("40 closed 1000        | close, lost 1 +250 from 0: closed 1000");
}

#[test]
fn an_error_that_another_attempt_cannot_mend_is_final() {
    speaking(
        "40 end 7          | finish 4
        50 error 45000001  | close, 0 a U, failed lost: error 45000001",
    );
}

/// A session that ends in mid-stream is like the end of a stream. But audio behind it would need
/// another attempt, and there is none.
#[test]
fn after_the_last_attempt_audio_that_waits_is_lost() {
    let given_up = "0 a U, unconfirmed after 270: network";
    for (behind, follows) in [
        ("wait", given_up.to_owned()),
        ("end 7", format!("{given_up}, done 7")),
        ("audio 200", "0 a U, failed lost: network".into()),
        ("audio 20", "0 a U, failed lost: network".into()),
    ] {
        script(&format!(
            "set reconnects 1
            {SPEAKING}
            40 end-session   | finish 4
            45 {behind}      |
            50 closed 1011   | close, lost 1 +250 from 0: closed 1011
            300 timeout      | connect<10300
            310 refused soon | {follows}"
        ));
    }
    // Text that was given up is not restored with the audio behind it.
    script(&format!(
        "set reconnects 0
        {SPEAKING}
        40 end-session   | finish 4
        50 closed 1011   | close, 0 a U, unconfirmed after 10: closed 1011
        60000 audio 200  | connect<70000
        60010 connected  | request
        60020 say -      | open 1, settled 400, audio 2-2 400-600"
    ));
    // A service that closes in good order is there.
    script(&format!(
        "set reconnects 0
        {SPEAKING}
        40 end-session   | finish 4
        45 audio 200     |
        50 closed 1000   | close, connect<10050, 0 a U, unconfirmed after 10: closed 1000"
    ));
}

#[test]
fn what_comes_behind_the_end_is_another_stream() {
    speaking(
        "40 end 7                | finish 4
        45 stream 1              |
        50 audio 200             |
        60 last 400 A@0-350      | close, connect<10060, 0 A F, settled 400, done 7
        70 connected             | request
        80 say -                 | open 0, audio 2-2 0-200
        90 say 200 b@0-100!      | 0 b F, settled 100",
    );
}
