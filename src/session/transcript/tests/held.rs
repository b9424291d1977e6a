//! A connection that is lost and restored: numbers, and interim results that are held.
use super::script::table;

#[test]
fn interim_results_are_held_until_their_text_reaches_as_far() {
    table(
        "
        # As far as it was shown
        3000: One.@500-1000! / two three four@1260-2900   | 0 One. F / 1 two three four
        lose                                              | from 1130
        700: two@130-370                                  |
        1869: two three@130-1270                          |
        1870: two three four@130-1770                     |
        2000: two three four five@130-1970                | 1 two three four five
        times 1                                           | 1260-3100

        # Text comes up to two seconds after its audio is reported as processed
        9000: a b c d@1000-8000          | 0 a b c d
        lose                             | from 0
        9000: a b@1000-4000              |
        10900: a b c@1000-7900           |
        - 10950: A b c d@1000-8000       | 0 A b c d
        - 10950: A b c.@1000-7900!       | 0 A b c. F
        // Text that has not come after two seconds does not come.
        - 11000: a b c@1000-7900         | 0 a b c

        # A beginning of the shown text is held however late it ends: that may be up to 140 ms
        3000: One, two@1000-1380         | 0 One, two
        lose                             | from 0
        - 1500: one@1140-1400            |
        - 1500: One.@1140-1400           |
        - 1500: one two@1140-1400        | 0 one two
        - 1500: 12@1140-1400             | 0 12
        - 1500: one to@1140-1400         | 0 one to

        # Without ends the longer text reaches farther
        9000 text: The rain has stopped      | 0 The rain has stopped
        lose                                 | from 0
        9500 text: The rain has              |
        // One that begins anew is held too, until the final response.
        9600 text: Let us                    |
        - 10000 text: The rain has stopped.  | 0 The rain has stopped.
        - 10000 last-text: Let us            | 0 The rain has stopped U / 1 Let us F

        # Text without a duration may be of all the audio that was sent
        - 3000 text: The rain                | 0 The rain
          sent 5000
          ? text: The rain has stopped       | 0 The rain has stopped
          lose                               | from 0
          6900 text: The rain has            |
          7000 text: The rain has            | 0 The rain has
        // A connection without any duration.
        - sent 4000
          ? text: The rain has stopped       | 0 The rain has stopped
          lose                               | from 0
          5900 text: The rain has            |
          6000 text: The rain has            | 0 The rain has
        // Unless a duration followed; and longer text is not waited for.
        - sent 9000
          ? text: The rain                   | 0 The rain
          4000 text: The rain has stopped    | 0 The rain has stopped
          lose                               | from 0
          5900 text: The rain has            |
          6000 text: The rain has            | 0 The rain has
          ? text: The rain has stopped       | 0 The rain has stopped
          lose                               | from 0
          ? text: The rain has stopped. Let  | 0 The rain has stopped. Let
        ",
    );
}

#[test]
fn the_wait_has_an_end() {
    table(
        "
        # The answer to the request, with neither text nor duration, does not end the wait
        9000: a b c@1000-8000            | 0 a b c
        lose                             | from 0
        sent 20000
        ? json: {}                       |
        9000: a b@1000-4000              |

        # It is posted when the connection is lost for good: the first had processed 3000 ms
        3000: two three four@1260-2900   | 0 two three four
        lose                             | from 0
        1000: two@1260-1340              |
        lose                             | from 0
        1500: two three@1260-2000        |
        finalize                         | 0 two three four U

        # With nothing open nothing is held
        9000: One.@500-1000!             | 0 One. F
        lose                             | from 7000
        1000: two@300-700                | 1 two
        ",
    );
}

#[test]
fn finals_are_not_held() {
    table(
        "
        # A definite text is final at once, and so is each in the final response
        9000: one@500-1000 / two@5000-6000         | 0 one / 1 two
        lose                                       | from 0
        2000: One.@500-1000!                       | 0 One. F
        6000 last: One.@500-1000! / Two@5000-6000  | 1 Two F

        # The final response speaks for the lost connection too
        - 9000: one@500-1000 / two@5000-6000       | 0 one / 1 two
          lose                                     | from 0
          9000 last: One.@500-1000!                | 0 One. F / 1 F
        - single
          9000: one@500-1000 / two@5000-6000       | 0 one / 1 two
          lose                                     | from 0
          9000 last: One.@500-1000!                | 0 One. F / 1 two U
        ",
    );
}

#[test]
fn what_is_cut_anew_while_held() {
    table(
        "
        # Two open ones now: the second would show the words again that the first still has
        6000: one two three four@592-4252                | 0 one two three four
        lose                                             | from 0
        3000: one two@600-2000 / three@2400-2600         |
        6000: one two@600-2000 / three four@2400-4256    | 1 one two / 0 three four

        # An utterance that is cut shorter leaves no hole: its rest must be recognised again
        // Processed to 40 s, one utterance open from 15 s on, lost; the next connection is at
        // 13.4 s, and cuts it at 16 s.
        14000: Zero.@500-13000!                                   | 0 Zero. F
        40000: Zero.@500-13000! / a b c d e f g h@15000-39000     | 1 a b c d e f g h
        lose                                                      | from 13400
        2000:                                                     |
        - 3500: A b.@1600-2600!                                   | 1 A b. F
          lose                                                    | from 16400
        // It was taken back.
        - 3500: @1600-2600!~                                      | 1 F
          lose                                                    | from 14900
        // Where its rest was recognised already, no word of it is cut, and nothing stands that it
        // could take back.
        - 3500: A b.@1600-2600! / c@2800-2880                     | 1 A b. F
          lose                                                    | from 16100
          1000: c d@100-600                                       | 2 c d
          24000 last: C d e f g h.@100-22900                      | 2 C d e f g h. F
          shown                                                   | Zero. / A b. / C d e f g h.

        # The rest of the first is held because of the second, and not cut by another loss
        40000: a b c@15000-20000 / x y@35000-39000       | 0 a b c / 1 x y
        lose                                             | from 0
        16900: A b.@15000-16000! / c@16200-16280         | 0 A b. F
        lose                                             | from 16100

        # Speech that ends in audio before the replay, which is not requested, is a repeat
        9000: One.@500-1000! / two@5000-6000             | 0 One. F / 1 two
        restart                                          | from 1400
        connect 0                                        |
        9000: hm@1100-1390! / Two.@5000-6000!            | 1 Two. F
        ",
    );
}
