//! How a connection is made: ahead of the audio, again after a failure, and until when.
use super::table;

#[test]
fn a_connection_for_the_audio() {
    table(
        "
        # The connection is made ahead, and the session with the first audio
        0 start         | preconnect
        30 ready         | Ready
        900 audio 200    | connect<10900
        950 connected    | request
        960 say -        | open 0, audio 2-2 0-200

        # Less than a chunk opens a session, so that it is there when the chunk is complete
        0 start         | preconnect
        30 ready         | Ready
        50 audio 20      | connect<10050
        60 connected     | request
        70 say -         | open 0
        80 audio 180     | audio 2-2 0-200

        # Audio waits half a second for the answer
        0 audio 400     | preconnect, connect<10000
        20 ready         | Ready
        30 connected     | request
        530 timeout      | audio 2-3 0-400
        600 say -        | open 0
        650 audio 200    | audio 4-4 400-600

        # A connection that no audio comes for is closed
        0 start          | preconnect
        30 ready          | Ready
        4030 timeout      | discard
        9000 audio 200    | connect<19000

        # One that was closed while it waited for audio is replaced at once
        // That says nothing of the service.
        0 start            | preconnect
        10 ready           | Ready
        3000 audio 200     | connect<13000
        3010 refused stale | connect<13000
        3020 ready         |
        3030 refused stale | retry 1 +250 from 0: network

        # One that was made for the session is not
        0 audio 200      | preconnect, connect<10000
        20 ready          | Ready
        30 refused stale  | retry 1 +250 from 0: network

        # The next connection waits for the end of the one before
        0 slow           | preconnect
        0 audio 200       | connect<10000
        10 connected      | request
        20 say -          | open 0, audio 2-2 0-200
        30 closed 1011    | close, lost 1 +250 from 0: closed 1011
        280 timeout       |
        900 close-done    | connect<10900
        ",
    );
}

#[test]
fn attempts() {
    table(
        "
        # The handshake and the answer are due within the connect timeout
        set connect 3000
        0 audio 200      | preconnect, connect<3000
        3000 late        | retry 1 +250 from 0: no answer 3000
        3250 timeout     | connect<6250
        3300 connected   | request
        3800 timeout     | audio 2-2 0-200
        6250 timeout     | close, retry 2 +500 from 0: no answer 3000
        6750 timeout     | connect<9750

        # Attempts in a row have a growing backoff and an end
        set reconnects 2
        0 audio 200      | preconnect, connect<10000
        0 refused soon   | retry 1 +250 from 0: network
        250 timeout      | connect<10250
        250 refused soon | retry 2 +500 from 0: network
        750 timeout      | connect<10750
        750 refused soon | failed: network

        # The network is tried again without audio, and each failure is reported
        set reconnects 2
        0 start          | preconnect
        10 refused soon  | retry 1 +250 from 0: network
        260 timeout      | preconnect
        270 refused soon | retry 2 +500 from 0: network
        // With audio the next attempt is for it.
        - 500 audio 200    |
          770 timeout      | connect<10770
          780 ready        | Ready
          790 connected    | request
        - 770 timeout      | preconnect
          780 refused soon | failed: network
        ",
    );
}

#[test]
fn flushes_and_the_owner_s_end() {
    table(
        "
        # A flush discards the attempt but not the backoff
        0 audio 200      | preconnect, connect<10000
        10 flush          | cancel, preconnect
        20 audio 200      | connect<10020
        30 refused later  | retry 1 +1000 from 0: network
        40 flush          |
        50 audio 200      |
        1030 timeout      | connect<11030
        1040 connected    | request
        1050 say -        | open 0, audio 2-2 0-200

        # Nor the one after a lost session, with audio or ahead of it
        session 200
        30 reset          | close, lost 1 +250 from 0: network
        40 flush          |
        - 280 timeout     | preconnect
        - 50 audio 200    |
          280 timeout     | connect<10280

        # Before the handshake it begins a preconnect: discarded if unused, replaced if stale
        0 start              | preconnect
        10 ready             | Ready
        50 audio 200         | connect<10050
        50 flush             | cancel, preconnect
        60 ready             |
        - 4060 timeout       | discard
        - 3000 audio 200     | connect<13000
          3010 refused stale | connect<13000

        # The owner can end it at any time
        - 0 abort            | preconnect, failed: network
        - 0 audio 200        | preconnect, connect<10000
          5 abort            | cancel, failed: network
        - session 200
          30 say 200 a@0-200 | 0 a
          40 abort           | close, 0 a U, failed: network
          50 audio 200       |
          60 flush           |
        ",
    );
}
