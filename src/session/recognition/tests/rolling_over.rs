//! Long sessions continue on a new connection.
use super::table;

#[test]
fn rollovers() {
    table(
        "
        # At a pause a session rolls over
        set session 1000
        session 1000
        30 say 1000 A@0-500!    | 0 A F, settled 500, drain 7, connect<10030
        40 connected            | request
        50 say -                | open 1, again 2-3 750-1000
        60 audio 200            | audio 4-4 1000-1200

        # What it sends again is kept beyond `replay-time` when the next connection fails
        set session 1000
        set replay 0
        session 1200
        30 say 1200 A@0-700!    | 0 A F, settled 700, drain 8, connect<10030
        40 refused soon         | lost 1 +250 from 950: network

        # Without a pause it does after half as much again
        set session 1000
        session 1400
        - 30 say 1400 a@0-1300  | 0 a
          40 audio 200          | audio 9-9 1400-1600, drain 10, connect<10040
          50 connected          | request
          60 say -              | open 1, again 2-9 0-1600
        // A second pass may make a later utterance final first. Its words are then sent again with
        // those that are still open, and come at slightly other times, but not twice.
        - 30 say 1400 a@0-500 B@600-1000! c@1050-1300 | 0 a, 1 B F, 2 c
          40 audio 200          | audio 9-9 1400-1600, drain 10, connect<10040
          50 connected          | request
          60 say -              | open 1, again 2-9 0-1600
          70 say 1600 A@0-480! B@620-1010! C@1060-1310! | 0 A F, 2 C F, settled 1310

        # Neither a queue that never runs dry nor a replay changes when
        // Audio that was sent again does not count, or one rollover would cause the next.
        set session 1000
        0 audio 4000            | preconnect, connect<10000
        10 connected            | request
        20 say -                | open 0, audio 2-9 0-1600, drain 10, connect<10020
        30 connected            | request
        40 say -                | open 1, again 2-9 0-1600, audio 10-17 1600-3200, drain 18, \
            connect<10040
        50 connected            | request
        ",
    );
}

#[test]
fn what_a_rollover_waits_for() {
    table(
        "
        # A service that is behind delays it until it is asked
        // The replay buffer has let go of audio whose answer is still to come.
        set session 5000
        set replay 0
        set idle 0
        session 8000
        9000 audio 200          | audio 42-42 8000-8200
        10020 audio 200         | finish 43
        10100 last 8200 A@0-900 | close, connect<20100, 0 A F, settled 8200
        10110 connected         | request
        10120 say -             | open 1, audio 2-2 8200-8400

        # Words without times would be cut at an unknown place: the final response is waited for
        set session 5000
        set replay 0
        session 8000
        30 say 8000 a@0-7900~      | 0 a, finish 42
        40 last 8000 A@0-7900~     | close, 0 A F, settled 8000
        // A gap before the next audio opens no session.
        50 silence 200             |
        60 audio 200               | connect<10060

        # Of a service that is behind, answers are waited for first
        set session 5000
        set replay 0
        session 8000
        30 say 5000 a@0-4900~      | 0 a
        40 say 6000 a@0-4900~      | finish 42

        # Also where they get times while the finish keeps its pace
        // The start moves back behind audio that is not kept any more.
        set session 1000
        set speed 2
        0 audio 2000               | preconnect, connect<10000
        10 connected               | request
        20 say -                   | open 0, audio 2-7 0-1200
        30 say 1200 A@0-300! b@1000-1150~ | 0 A F, 1 b, settled 300
        40 say 1200 A@0-300! b@350-1150~  |
        120 timeout                | audio 8-8 1200-1400
        220 timeout                | audio 9-9 1400-1600
        230 say 1600 A@0-300! B@350-1150! | 1 B F, settled 1150
        320 timeout                | finish 10

        # It waits for what is being written
        // It is due behind 1,200 ms. The batch has space for more, which must not go before the
        // finish.
        set session 800
        0 hold                  | preconnect
        0 audio 1600            | connect<10000
        10 connected            | request
        20 say -                | open 0
        30 written              | audio 2-5 0-800
        40 written              | audio 6-7 800-1200
        50 written              | drain 8, connect<10050
        60 connected            | request
        70 say -                | open 1
        80 written              | again 2-5 0-800

        # At the end of a stream there is none
        set session 1000
        session 1200
        25 end 7                | finish 8
        30 say 1200 A@0-700!    | 0 A F, settled 700
        40 last 1200 A@0-700!   | close, settled 1200, done 7
        ",
    );
}
