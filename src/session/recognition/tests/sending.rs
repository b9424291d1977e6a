//! Frames: pace, numbers, what is sent again, and sockets that take nothing.
use super::table;

#[test]
fn the_pace() {
    table(
        "
        # A backlog and what is sent again keep their pace after a burst
        set speed 2
        0 audio 1800     | preconnect, connect<10000
        10 connected     | request
        20 say -         | open 0, audio 2-7 0-1200
        120 timeout      | audio 8-8 1200-1400
        220 timeout      | audio 9-9 1400-1600
        230 reset        | close, lost 1 +250 from 0: network
        480 timeout      | connect<10480
        490 connected    | request
        500 say -        | open 1, again 2-7 0-1200
        600 timeout      | again 8-8 1200-1400
        700 timeout      | again 9-9 1400-1600
        800 timeout      | audio 10-10 1600-1800

        # Audio in real time is never held up
        set speed 1
        session 200
        200 audio 200    | audio 3-3 200-400
        400 audio 200    | audio 4-4 400-600
        600 audio 200    | audio 5-5 600-800
        ",
    );
}

#[test]
fn sixteen_kilohertz() {
    table(
        "
        # Frames last as long as at 24 kHz, with fewer bytes
        // Of 6,400 bytes each, six go together.
        set rate 16000
        0 hold                 | preconnect
        0 audio 1600           | connect<10000
        10 connected           | request
        20 say -               | open 0
        30 written             | audio 2-7 0-1200
        40 written             | audio 8-9 1200-1600
        50 written             |
        60 say 400 A@0-300!    | 0 A F, settled 300
        70 reset               | close, lost 1 +250 from 350: network
        320 timeout            | connect<10320
        330 connected          | request
        340 say -              | open 1
        350 written            | again 2-7 350-1400
        360 written            | again 8-8 1400-1600
        ",
    );
}

#[test]
fn what_is_sent_again() {
    table(
        "
        # A lost connection is restored from the first speech that is not final
        session 1000
        30 say 1000 A@0-300! b@500-900 | 0 A F, 1 b, settled 300
        40 reset                       | close, lost 1 +250 from 400: network
        60 audio 200                   |
        290 timeout                    | connect<10290
        300 connected                  | request
        310 say -                      | open 1, again 2-4 400-1000, audio 5-5 1000-1200
        320 say 700 b@100-550          |
        330 say 800 B@100-550!         | 1 B F, settled 950

        # The count of attempts begins anew with an answer for audio that had none
        set reconnects 1
        session 400
        30 reset            | close, lost 1 +250 from 0: network
        280 timeout         | connect<10280
        290 connected       | request
        300 say -           | open 1, again 2-3 0-400
        310 say 400 a@0-300 | 0 a
        320 reset           | close, lost 1 +250 from 0: network
        570 timeout         | connect<10570
        580 connected       | request
        590 say -           | open 2, again 2-3 0-400
        600 say 400 a@0-300 |
        610 reset           | close, 0 a U, failed lost: network

        # Beginning later, because audio is no longer kept, does not reset it
        set reconnects 1
        set replay 0
        session 400
        30 reset            | close, lost 1 +250 from 400: network
        60 audio 400        |
        280 timeout         | connect<10280
        290 connected       | request
        300 say -           | open 1, audio 2-3 400-800
        310 reset           | close, failed lost: network

        # Without a replay what was open is unconfirmed
        set replay 0
        speaking
        40 reset            | close, 0 a U, lost 1 +250 from 400: network
        50 audio 200        |
        290 timeout         | connect<10290
        300 connected       | request
        310 say -           | open 1, settled 300, audio 2-2 400-600

        # A flush discards the stream
        speaking
        40 flush              | close, preconnect
        50 say 400 A@0-300!   |
        60 stream 1           |
        70 audio 200          | connect<10070
        80 connected          | request
        90 say -              | open 0, audio 2-2 0-200
        95 say 200 b@0-100!   | 0 b F, settled 100
        ",
    );
}

#[test]
fn sockets_that_take_nothing() {
    table(
        "
        # A peer that takes nothing is lost after ten seconds
        // One that answers is not gone, but must take a frame within a minute.
        set idle 0
        0 hold                | preconnect
        0 audio 400           | connect<10000
        10 connected          | request
        20 say -              | open 0
        30 written            | audio 2-3 0-400
        - 10030 timeout       | close, lost 1 +250 from 0: stalled 10000
        - 9000 say 10         |
          18000 say 10        |
          27000 say 10        |
          36000 say 10        |
          45000 say 10        |
          54000 say 10        |
          60030 timeout       | close, lost 1 +250 from 0: stalled 60000

        # After a failed write the socket is read: an error frame says more than the failure
        session 400
        30 write-failed          |
        35 audio 200             |
        - 40 error 45000001      | close, failed lost: error 45000001
        - 40 say 400 a@0-300     | 0 a
          50 reset               | close, lost 1 +250 from 0: not written
        // Nothing is there, and then the time is over.
        - 530 timeout            |
          530 quiet              |
          530 timeout            | close, lost 1 +250 from 0: not written
        // On a busy machine the time may be over before there was any to read. A peer that does
        // not stop then is left all the same.
        - 530 times 64 timeout   |
          530 timeout            | close, lost 1 +250 from 0: not written

        # No frame is due while it is read, also where its time passes
        set speed 2
        0 audio 1800     | preconnect, connect<10000
        10 connected     | request
        20 say -         | open 0, audio 2-7 0-1200
        30 write-failed  |
        530 timeout      |
        530 quiet        |
        530 timeout      | close, lost 1 +250 from 0: not written
        ",
    );
}
