//! Messages: failures, what can't be read, and what the service gets wrong.
use super::table;

#[test]
fn messages() {
    table(
        "
        # The code of an error decides about the next attempt, and that of a close does not
        session 400
        - 30 error 45000000                     | close, failed lost: error 45000000
        - 30 error 45000001                     | close, failed lost: error 45000001
        - 30 error 45000292 types: concurrency  | close, lost 1 +1000 from 0: error 45000292
        - 30 error 45000292 types: x_lifetime   | close, failed lost: error 45000292
        - 30 error 55000031                     | close, lost 1 +1000 from 0: error 55000031
        - 30 error 55000007                     | close, lost 1 +250 from 0: error 55000007
        - 30 closed 1000                        | close, lost 1 +250 from 0: closed 1000
        - 30 closed 1005                        | close, lost 1 +250 from 0: closed 1005
        - 30 closed 1011                        | close, lost 1 +250 from 0: closed 1011

        # The first error counts
        session 400
        - 30 error 45000151   | close, failed lost: error 45000151
          31 error 55000031   |
          32 reset            |
        - 30 error 55000031   | close, lost 1 +1000 from 0: error 55000031
          31 error 45000001   |

        # The first message must be readable
        0 audio 200       | preconnect, connect<10000
        10 connected      | request
        20 garbage        | close, failed: protocol

        # Of the later ones, fifteen unreadable in a row are skipped, and more are too many
        session 400
        30 times 15 garbage  |
        31 say 400 a@0-300   | 0 a
        32 times 15 garbage  |
        33 garbage           | close, 0 a U, failed lost: protocol

        # Texts are skipped
        session 400
        30 text             |
        40 say 400 a@0-300  | 0 a

        # A service that counts much more audio is reported once
        session 400
        30 say 1400    |
        40 say 1500    | rate mismatch
        50 say 1600    |

        # What comes on no connection is ignored
        0 say 400 a@0-300   | preconnect
        10 error 45000001   |
        20 closed 1000      |
        30 reset            |
        40 written          |
        50 connected        |
        ",
    );
}

/// `bigmodel_async` says nothing during silence, which is taken to be processed as it sounds.
#[test]
fn audio_without_text_is_quiet_once_results_of_it_would_be_there() {
    table(
        "
        # Quiet is up to open text, or as far as the results may be late
        session 8000
        2000 show-quiet      |
        2010 audio 200       | audio 42-42 8000-8200
        3020 audio 200       | audio 43-43 8200-8400, quiet 1000
        3520 say 2000        |
        4520 audio 200       | audio 44-44 8400-8600
        4620 audio 200       | audio 45-45 8600-8800, quiet 1100
        4700 say 4800        | quiet 2800
        5000 say 5000 a@2900-4700 | 0 a, quiet 2900
        7000 audio 200       | audio 46-46 8800-9000
        7100 say 6000 A@2900-4700! | 0 A F, settled 4700, quiet 4700
        7200 reset           | close, lost 1 +250 from 5100: network
        7450 timeout         | connect<17450
        7460 connected       | request
        7500 say -           | open 1, again 2-21 5100-9000
        9000 audio 200       | audio 22-22 9000-9200
        9700 audio 200       | audio 23-23 9200-9400, quiet 5300

        # Quiet is never behind what was sent
        session 400
        1000 show-quiet      |
        3500 audio 2200      | audio 4-12 400-2200, quiet 200, audio 13-13 2200-2400, quiet 400, \
            audio 14-14 2400-2600, quiet 600

        # Nothing is quiet where the service answers at the end
        set at-end x
        session 8000
        30 show-quiet        |
        3020 say 6000        |
        ",
    );
}
