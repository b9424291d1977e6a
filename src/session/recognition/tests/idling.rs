//! Sessions without audio: the idle timeout, the service's own, and less than a chunk.
use super::table;

#[test]
fn the_idle_timeout() {
    table(
        "
        # A session without audio is finished, and the next audio opens another
        session 400
        30 say 400 a@0-300        | 0 a
        4400 timeout              | finish 4
        4450 last 400 A@0-300     | close, 0 A F, settled 400
        60000 audio 200           | connect<70000
        - 60010 connected         | request
          60020 say -             | open 1, audio 2-2 400-600
          60030 say 200 b@0-100!  | 1 b F, settled 500
        // Nothing was lost, so a failure is not reported as a loss.
        - 60010 refused later     | retry 1 +1000 from 400: network
          61010 timeout           | connect<71010

        # The timeout counts from the end of the audio
        session 400
        3000 audio 100   |
        4400 timeout     |
        6000 audio 100   | audio 4-4 400-600
        10100 timeout    | finish 5

        # Less than a chunk is sent before the finish
        0 audio 300     | preconnect, connect<10000
        10 connected     | request
        20 say -         | open 0, audio 2-2 0-200
        4300 timeout     | audio 3-3 200-300, finish 4

        # A remainder does not open a session at once, but is not forgotten
        0 start         | preconnect
        10 ready         | Ready
        20 refused soon  | retry 1 +250 from 0: network
        30 audio 50      |
        270 timeout      | connect<10270
        280 connected    | request
        290 say -        | open 0
        4290 timeout     | audio 2-2 0-50, finish 3

        # Without an idle timeout a session stays open
        set idle 0
        session 200
        90000 audio 200  | audio 3-3 200-400

        # A gap ends the session at once
        session 200
        30 end-session          | finish 3
        40 audio 200            |
        50 last 200 A@0-100     | close, connect<10050, 0 A F, settled 200
        60 connected            | request
        70 say -                | open 1, audio 2-2 200-400
        ",
    );
}

#[test]
fn the_service_s_own_idle_timeout() {
    table(
        "
        # It is no loss, unless there is audio
        set idle 0
        set reconnects 1
        session 200
        30 say 200 A@0-100!      | 0 A F, settled 100
        - 8000 error 45000081    | close
          9000 audio 200         | connect<19000
          9010 connected         | request
          9020 say -             | open 1, again 2-2 150-200, audio 3-3 200-400
          17000 error 45000081   | close
          18000 audio 200        | connect<28000
        // Shortly after audio it is one.
        - 300 error 45000081     | close, lost 1 +250 from 150: error 45000081
        // So it is at the end of a stream, which waits for words.
        - 7000 end 7             | finish 3
          8000 error 45000081    | close, lost 1 +250 from 150: error 45000081

        # Behind it, with nothing to send again, a gap opens no session
        set idle 0
        session 200
        30 say 200 A@0-200!      | 0 A F, settled 200
        8000 error 45000081      | close
        8500 silence 200         |

        # It leaves words open: their final text comes with the next audio, or at the stream's end
        set idle 0
        speaking
        8000 error 45000081      | close
        - 90000 audio 200        | connect<100000
          90010 connected        | request
          90020 say -            | open 1, again 2-3 0-400, audio 4-4 400-600
          90030 say 600 A@0-300! | 0 A F, settled 300
        - 90000 end 7            | connect<100000
          90010 connected        | request
          90020 say -            | open 1, again 2-3 0-400, finish 4
          90030 last 400 A@0-300 | close, 0 A F, settled 400, done 7
        ",
    );
}
