//! A connection that is lost and restored: where the replay begins, and what it leaves out.
use super::script::table;
use super::*;

#[test]
fn where_a_replay_begins() {
    table(
        "
        # In the pause before the first speech that is not final
        // In the middle of a short pause; at most 400 ms into a long one.
        - 3000: One.@500-1000! / two@1260-2000  | 0 One. F / 1 two
          final                                 | 1000
          needed                                | 1130
          lose                                  | from 1130
        - 9000: One.@500-1000! / two@5000-6000  | 0 One. F / 1 two
          lose                                  | from 1400
        // At the origin without anything settled.
        - connect 10000
          3000: one@100-1000                    | 0 one
          final                                 | 10000
          lose                                  | from 10000
        // Never before what is settled, however early a start is.
        - 4000: One.@500-1000! / two three four five@950-3000 | 0 One. F / 1 two three four five
          lose                                                | from 1000

        # With nothing open, as far back as results may be late
        - needed                       | 0
          60000:                       |
          needed                       | 58000
          61000: One.@60000-60500!     | 0 One. F
          lose                         | from 60750
        - delay 20000
          14000:                       |
          needed                       | 0
          60000:                       |
          lose                         | from 40000

        # Before the first open utterance, also if a later one is settled
        single
        4000: one@500-1000 / Two.@2000-2500! / three@3000-3500     | 0 one / 1 Two. F / 2 three
        final                                                      | 0
        lose                                                       | from 0
        4000: One.@510-1000! / Two.@2000-2510! / Three.@3000-3500! | 0 One. F / 2 Three. F

        # A second loss begins at the same place
        - 3000: One.@500-1000! / two@2260-2500  | 0 One. F / 1 two
          lose                                  | from 1400
          lose                                  | from 1400
          100:                                  |
          lose                                  | from 1400
        // Also with nothing open, and as long as less is processed than of the lost one.
        - 9000: One.@500-1000!                  | 0 One. F
          lose                                  | from 7000
          500:                                  |
          lose                                  | from 7000
          2500:                                 |
          lose                                  | from 7500
        ",
    );
}

#[test]
fn where_the_window_has_moved_on() {
    table(
        "
        # Right behind what is settled it leaves out its tail
        6000: a b@500-1500 / Three.@2000-2500! / d@3500-4000  | 0 a b / 1 Three. F / 2 d
        lose 2530                                             | from 2900 / 0 a b U

        # Text without a start does not end: more may have been said since
        - 7000: One.@500-5000!                   | 0 One. F
          needed                                 | 5400
          9000: One.@500-5000! / two@-7000~      | 1 two
          lose 5150                              | from 5150
          2000 last: Two three.@100-2000         | 1 Two three. F
        - 30000: One.@500-5000!                  | 0 One. F
          needed                                 | 28000
          30000: One.@500-5000! / two@-29500~    | 1 two
          lose 27750                             | from 27750
          2000 last: Two three.@100-2000         | 1 Two three. F

        # Words before it end unconfirmed, and the rest comes again
        // At the very start of the connection the rest loses nothing.
        4000: one two, three four@1000-3000      | 0 one two, three four
        lose 2000                                | from 2000 / 0 one two, U
        times 0                                  | 1000-1720
        1000: three@0-360                        | 1 three
        2000 last: Three four.@0-1000            | 1 Three four. F
        shown                                    | one two, / Three four.

        # A word that it cuts can't be sent whole again: it ends with those before it
        2500: one two three@1000-2300[1000-1300 1500-1800 2000-2300]   | 0 one two three
        - lose 1400                              | from 1400 / 0 one U
          1500: two three@0-800                  | 1 two three
        - lose 1499                              | from 1499 / 0 one U
          1500: two three@0-800                  | 1 two three
        - lose 1501                              | from 1900 / 0 one two U
          1500: three@0-200                      | 1 three
        - lose 1799                              | from 1900 / 0 one two U
          1500: three@0-200                      | 1 three
        - lose 1950                              | from 1950 / 0 one two U
          1500: three@0-200                      | 1 three

        # Such a word is not in the way of the next
        4000: one two@1000-3000[1000-2400 2500-3000]   | 0 one two
        lose 2000                                | from 2450 / 0 one U
        2000: two@0-1000[60-140]                 | 1 two

        # An utterance with only an early start before it keeps its number
        3000: two@1172-2000[1532-1612]           | 0 two
        lose 1400                                | from 1400
        2000 last: Two.@100-600                  | 0 Two. F
        ",
    );
}

#[test]
fn what_the_window_can_t_split() {
    table(
        "
        # Without timed words an utterance ends whole, and the window moves to its end
        // Also from within the pause after it, as after a settled one.
        9000: one@1000-3000~ / two@2900-4000~ / three@3900-5000~ / four@6000-7000~  \
            | 0 one / 1 two / 2 three / 3 four
        lose 2000                                | from 5400 / 0 one U / 1 two U / 2 three U

        # A start that is left out is no earlier one, so the window begins as late as before
        6000: One.@500-1000! / two three@5000-5900    | 0 One. F / 1 two three
        needed                                        | 1400
        7000: One.@500-1000! / two three four@-6900   | 1 two three four
        times 1                                       | 5000-6900
        lose 1400                                     | from 1400

        # What lies before it ends if it is speech
        - 9000: one two@1000-3000                | 0 one two
          lose 5000                              | from 5000 / 0 one two U
        - 9000: One.@500-1000! / two@5000-6000   | 0 One. F / 1 two
          lose 4000                              | from 4000

        # A text without utterances is recognised again from the start, or ends whole
        3000 text: The rain has stopped          | 0 The rain has stopped
        lose                                     | from 0
        1000 text: The                           |
        4000 text: The rain has stopped. Let     | 0 The rain has stopped. Let
        // All of it is sent again; a part; nothing.
        loses-untimed 0                          | false
        loses-untimed 1000                       | true
        loses-untimed 4000                       | false
        lose 1000                                | from 4000 / 0 The rain has stopped. Let U

        # An end that no audio has reached does not skip what comes
        3000: one@1000-4294967296~               | 0 one
        lose 2000                                | from 3000 / 0 one U

        # The rest of what it cut may be cut again, and leaves no hole
        40000: a b c d e f g h@15000-39000       | 0 a b c d e f g h
        lose 30000                               | from 30000 / 0 a b c d e U
        4000: F.@2000-2500!                      | 1 F. F
        lose 30000                               | from 32900
        ",
    );
}

#[test]
fn audio_and_its_text() {
    table(
        "
        # The window gives up audio that is settled, or so old that its words are known
        sent 60000
        resolved                                 | 0
        9000: one two three@500-8900             | 0 one two three
        needed                                   | 0
        resolved                                 | 7000
        10000: One two three.@500-9000!          | 0 One two three. F
        resolved                                 | 9400

        # It is quiet up to open or expected text
        quiet 1000                               | 0
        quiet 5000                               | 3000
        4000: one@2500-3500 / two@3600-3900      | 0 one / 1 two
        quiet 4000                               | 2000
        quiet 9000                               | 2500
        4500: One.@2500-3500! / two@3600-3900    | 0 One. F
        quiet 4500                               | 3500
        quiet 9000                               | 3600
        lose                                     | from 3550
        quiet 9000                               | 3600

        # Behind the last final word it may hold more, up to the final response
        - 300:                                   |
          unconfirmed                            | 300
        - 900:                                   |
          unconfirmed                            | 400
        - 1300: One.@500-1000!                   | 0 One. F
          unconfirmed                            | 1300
        - 2000: One.@500-1000!                   | 0 One. F
          unconfirmed                            | 1400
        - 60000: One.@500-1000!                  | 0 One. F
          unconfirmed                            | 58000
        - 1100: One.@500-1000                    | 0 One.
          unconfirmed                            | 500
        - 60000: One.@500-1000                   | 0 One.
          unconfirmed                            | 500
        - 1350: One.@500-1000! / two@1100-1300   | 0 One. F / 1 two
          unconfirmed                            | 1100
        - 60000: One.@500-1000!                  | 0 One. F
          60000 last:                            |
          unconfirmed                            | 60000
        ",
    );
}

#[test]
fn memory_is_bounded_by_a_connection() {
    let mut stream = Stream::full();
    for connection in 0..20 {
        stream.connect(ms(connection * 100_000));
        let list: Vec<_> = (0..100)
            .map(|i| timed("Yes.", i * 1000, i * 1000 + 500).definite())
            .collect();
        assert_eq!(stream.respond(100_000, &result(&list), true).len(), 100);
        assert!(stream.tracker.utterances.settled().len() <= 102);
    }
}
