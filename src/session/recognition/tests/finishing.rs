//! The end of a stream: the finish, the wait for the final response, and what is lost without it.
use super::table;

#[test]
fn the_end_waits_for_the_final_response() {
    table(
        "
        # In good order
        speaking
        40 end 7            | finish 4
        90 last 400 A@0-350 | close, 0 A F, settled 400, done 7

        # Without audio the end is there at once
        - 0 end 7             | preconnect, done 7
        - session 200
          30 end 7            | finish 3
          40 last 200 A@0-100 | close, 0 A F, settled 200, done 7
          50 end 8            | done 8

        # Each response begins the wait anew, up to six times
        set finish 1000
        speaking
        40 end 7       | finish 4
        1000 say 400   |
        1900 say 400   |
        2800 say 400   |
        3700 say 400   |
        4600 say 400   |
        5500 say 400   |
        6040 timeout   | close, 0 a U, unconfirmed after 6000: nothing, done 7

        # A final response that does not come is asked for again
        set finish 1000
        speaking
        40 end 7              | finish 4
        1040 timeout          | close, lost 1 +250 from 0: no final 1000
        1290 timeout          | connect<finish
        1300 connected        | request
        1310 say -            | open 1, again 2-3 0-400, finish 4
        1350 last 400 A@0-350 | close, 0 A F, settled 400, done 7

        # It is sent once on a connection
        speaking
        40 end 7              | finish 4
        50 audio 200          |
        60 end-session        |
        70 say 400            |

        # What comes behind the end is another stream
        speaking
        40 end 7                | finish 4
        45 stream 1             |
        50 audio 200            |
        60 last 400 A@0-350     | close, connect<10060, 0 A F, settled 400, done 7
        70 connected            | request
        80 say -                | open 0, audio 2-2 0-200
        90 say 200 b@0-100!     | 0 b F, settled 100

        # A service that never answered with words is an error
        - set finish 1000
          set reconnects 0
          session 200
          25 say 200     |
          30 end 7       | finish 3
          1030 timeout   | close, failed lost: no final 1000
        // Another attempt would not help either, because nothing may be sent again.
        - set finish 1000
          set replay 0
          0 audio 200    | preconnect, connect<10000
          10 connected   | request
          20 end 7       |
          510 timeout    | audio 2-2 0-200, finish 3
          1510 timeout   | close, failed: no final 1000
        ",
    );
}

#[test]
fn losses_of_a_finish() {
    table(
        "
        # A finish that is not written is lost
        speaking
        35 hold               |
        // It waits behind audio that is being written.
        - 40 audio 200        | audio 4-4 400-600
          45 end 7            |
          50 reset            | close, lost 1 +250 from 0: network
          300 timeout         | connect<10300
          310 connected       | request
          320 say -           | open 1
          330 written         | again 2-4 0-600, finish 5
        // It is being written itself.
        - 40 end 7            | finish 4
          50 reset            | close, lost 1 +250 from 0: network
          300 timeout         | connect<10300
          310 connected       | request
          320 say -           | open 1
          330 written         | again 2-3 0-400, finish 4
        // Without another attempt that is an error, not an unconfirmed end.
        - set reconnects 0
          40 end 7            | finish 4
          50 reset            | close, 0 a U, failed lost: network

        # A loss behind the finish with nothing to send again leaves the last text
        set replay 0
        speaking
        40 end 7              | finish 4
        50 reset              | close, 0 a U, unconfirmed after 10: network, done 7

        # A loss behind the finish is restored also where no words came yet
        session 400
        30 say 400            |
        40 end 7              | finish 4
        50 reset              | close, lost 1 +250 from 0: network
        ",
    );
}

#[test]
fn losses_at_the_end() {
    table(
        "
        # A loss before the finish at the end of a stream is restored
        speaking
        35 reset              | close, lost 1 +250 from 0: network
        40 end 7              |
        285 timeout           | connect<10285
        290 connected         | request
        300 say -             | open 1, again 2-3 0-400, finish 4
        400 last 400 A@0-350  | close, 0 A F, settled 400, done 7

        # All attempts behind the finish have one deadline
        // The backoff takes at most half of what remains, so that an attempt is left.
        set finish 1000
        speaking
        40 end 7            | finish 4
        50 closed 1011      | close, lost 1 +250 from 0: closed 1011
        300 timeout         | connect<finish
        - 300 refused soon  | lost 2 +500 from 0: network
          800 timeout       | connect<finish
          800 refused later | lost 3 +2620 from 0: network
          3420 timeout      | connect<finish
          3420 refused soon | lost 4 +1310 from 0: network
          4730 timeout      | connect<finish
          6040 late         | 0 a U, unconfirmed after 6000: nothing, done 7
        // At the deadline none begins.
        - 5790 refused soon | lost 2 +250 from 0: network
          6040 timeout      | 0 a U, unconfirmed after 6000: nothing, done 7

        # After the last attempt the last text stands
        set reconnects 0
        speaking
        40 end 7            | finish 4
        50 closed 1011      | close, 0 a U, unconfirmed after 10: closed 1011, done 7

        # An error that another attempt cannot mend is final
        speaking
        40 end 7            | finish 4
        50 error 45000001   | close, 0 a U, failed lost: error 45000001

        # A session that ends in the middle is a loss
        speaking
        - 40 last 400 A@0-300  | close, 0 A, lost 1 +250 from 0: closed 1000
        - 40 closed 1000       | close, lost 1 +250 from 0: closed 1000
        - 40 say 400 A@0-300!  | 0 A F, settled 300
          50 closed 1000       | close, lost 1 +250 from 350: closed 1000
        ",
    );
}

/// A close in good order confirms nothing. What may hold words is sent again, once.
#[test]
fn a_close_without_a_final_response() {
    table(
        "
        # A close without a final response is a loss once
        set finish 1000
        speaking
        40 end 7         | finish 4
        50 closed 1000   | close, lost 1 +250 from 0: closed 1000
        300 timeout      | connect<finish
        310 connected    | request
        320 say -        | open 1, again 2-3 0-400, finish 4
        330 closed 1000  | close, 0 a U, unconfirmed after 290: closed 1000, done 7
        // And once at the next end.
        340 audio 200    | connect<10340
        350 connected    | request
        360 say -        | open 2, settled 400, audio 2-2 400-600
        370 end 8        | finish 3
        380 closed 1000  | close, lost 2 +500 from 400: closed 1000

        # A close in good order is never an error: noise without words looks the same
        set finish 1000
        set reconnects 1
        session 400
        30 say 400         |
        40 end 7           | finish 4
        50 closed 1000     | close, lost 1 +250 from 0: closed 1000
        300 timeout        | connect<finish
        - 310 refused soon | unconfirmed after 270: network, done 7
        - 6040 late        | unconfirmed after 6000: nothing, done 7
        - 310 connected    | request
          320 say -        | open 1, again 2-3 0-400, finish 4
          1320 timeout     | close, unconfirmed after 1280: no final 1000, done 7

        # A close is no error either where no attempt is left, or nothing may be sent again
        session 400
        30 say 400         |
        40 end 7           | finish 4
        - set reconnects 0
          50 closed 1000   | close, unconfirmed after 10: closed 1000, done 7
        - set replay 0
          50 closed 1000   | close, unconfirmed after 10: closed 1000, done 7

        # A close behind all words is an end
        // Behind the last final word only sound may hold another; 400 ms are the rest of that word.
        speaking
        40 say 400 A@0-300!  | 0 A F, settled 300
        - 50 audio 200       | audio 4-4 400-600
          60 say 600         |
          70 end 7           | finish 5
          80 closed 1000     | close, done 7
        - 50 silence 2000    | audio 4-13 400-2400
          60 say 2400        |
          70 end 7           | finish 14
          80 closed 1000     | close, done 7
        - 50 audio 2000      | audio 4-13 400-2400
          60 say 2400        |
          70 end 7           | finish 14
          80 closed 1000     | close, lost 1 +250 from 700: closed 1000

        # A close before all audio is processed is a loss
        session 1000
        30 say 400 A@0-300!  | 0 A F, settled 300
        40 end 7             | finish 7
        50 closed 1000       | close, lost 1 +250 from 350: closed 1000
        ",
    );
}

/// A session that ends in mid-stream is like the end of a stream.
#[test]
fn after_the_last_attempt_audio_that_waits_is_lost() {
    table(
        "
        # Audio behind the end would need another attempt, and there is none
        set reconnects 1
        speaking
        40 end-session      | finish 4
        50 closed 1011      | close, lost 1 +250 from 0: closed 1011
        300 timeout         | connect<10300
        - 310 refused soon  | 0 a U, unconfirmed after 270: network
        - 305 end 7         |
          310 refused soon  | 0 a U, unconfirmed after 270: network, done 7
        - 305 audio 200     |
          310 refused soon  | 0 a U, failed lost: network
        - 305 audio 20      |
          310 refused soon  | 0 a U, failed lost: network

        # Text that was given up is not restored with the audio behind it
        set reconnects 0
        speaking
        40 end-session      | finish 4
        50 closed 1011      | close, 0 a U, unconfirmed after 10: closed 1011
        60000 audio 200     | connect<70000
        60010 connected     | request
        60020 say -         | open 1, settled 400, audio 2-2 400-600

        # A service that closes in good order is there
        set reconnects 0
        speaking
        40 end-session      | finish 4
        45 audio 200        |
        50 closed 1000      | close, connect<10050, 0 a U, unconfirmed after 10: closed 1000
        ",
    );
}
