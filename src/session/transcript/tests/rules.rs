//! How utterances are listed (rules 1 to 4). Rule 4 is also in `matching`.
use super::script::table;

#[test]
fn news() {
    table(
        "
        # New, changed and final are reported, but times alone are not
        500: The@732-812                | 0 The
        700: The@592-672                |
        900: The rain@592-1200           | 0 The rain
        900: The rain@592-1200#stream    | 0 The rain
        900: The rain@592-1200#stream    |
        2000: The rain@600-1210!#stream  | 0 The rain F
        times 0                          | 600-1210
        attributes 0                     | source=stream

        # Times are on the axis of the stream
        connect 60000
        2000: The rain@592-1200  | 0 The rain
        times 0                  | 60592-61200
        words 0                  | The@60592-60672 / rain@61120-61200
        processed                | 62000

        # The words of a final have its last times
        900: The rain@732-1300  | 0 The rain
        900: The rain@592-1160   |
        finalize                 | 0 The rain U
        words 0                  | The@592-672 / rain@1080-1160
        ",
    );
}

#[test]
fn rule_1_empty_entries_and_absent_times() {
    table(
        "
        # Empty entries that are not definite are ignored
        500: @-                      |
        900: The rain@592-1200 / @-   | 0 The rain
        900: @-                       |
        900:   @592-1200~             |
        900 last: @-                  | 0 The rain U

        # Absent times are those of the words
        connect 5000
        400: x@140-300               | 0 x
        sent 9000
        // The start, where the first word has no times.
        - ?: The rain@-1200![- 900-980]     | 1 The rain F
          times 1                           | 5900-6200
          words 1                           | The@- / rain@5900-5980
        // Speech from the first sample on comes without its zeros: a start like any other.
        - ?: The rain@-1200![-80 900-980]   | 0 The rain F
          times 0                           | 5000-6200
          words 0                           | The@5000-5080 / rain@5900-5980
        // The end.
        - ?: rain@500-![900-980]            | 0 rain F
          times 0                           | 5500-5980

        # An absent start is the end of the one before; sorted, the third is before the second's end
        connect 5000
        4000: One@-1200 / Two@-2000 / Three@-1900  | 0 One / 1 Two / 2 Three
        times 0                                    | 5000-6200
        times 1                                    | 6200-7000
        times 2                                    | 6900-6900

        # An end that is not known is left out: it lies before where the service has worked to
        2000: stops@1500-  | 0 stops
        times 0            | 1500-

        # And before the next one, which is sent again after a loss
        4000: One.@500-! / two@2000-2500  | 0 One. F / 1 two
        final                             | 2000
        lose                              | from 2000
        ",
    );
}

#[test]
fn rule_2_settled_ones_come_again_and_are_skipped() {
    table(
        "
        # In full with the list, also revised or not definite any more
        2000: One.@500-1000!                             | 0 One. F
        3000: One, revised.@380-1190! / Two@2100-2400     | 1 Two
        3000: One@500-1000 / Two@2100-2400                |

        # In single by their times
        single
        2000: One.@500-1000!  | 0 One. F
        2000: One.@500-1000!  |
        3000: Two@2100-2400   | 1 Two

        # Sentences 260 ms apart are two, together or one by one
        - 2000: Yes.@500-580! / Yes.@840-920! / Yes.@1180-1260!  | 0 Yes. F / 1 Yes. F / 2 Yes. F
          2000: Yes.@500-580! / Yes.@840-920! / Yes.@1180-1260!  |
        - 2000: Yes.@500-580!                                    | 0 Yes. F
          2000: Yes.@500-580! / Yes.@840-920!                    | 1 Yes. F
          2000: Yes.@500-580! / Yes.@840-920! / Yes.@1180-1260!  | 2 Yes. F
        ",
    );
}

#[test]
fn rule_3_words_inside_settled_speech_are_lost() {
    table(
        "
        # By their middles: words at 500, 1306, 2112, 2918; the second is beyond 1000 + 200
        2000: One two.@500-1000!              | 0 One two. F
        3500: One two. Three four.@500-3000    | 1 two. Three four.
        times 1                                | 1306-2998
        3500: One two. Three four.@500-3000    |
        3500: One two. Three four.@500-3000!   | 1 two. Three four. F
        3500: One two. Three four.@500-3000!   |

        # With no words left it is a repeat
        2000: One two three.@500-1500!            | 0 One two three. F
        2000: Two three@950-1600 / Four@1760-1840  | 1 Four

        # Without timed words, half of it covered is enough
        2000: One.@500-1000!~    | 0 One. F
        2000: One two@500-1500~   |
        2000: One two@600-1600~   | 1 One two

        # Utterances of one response, of two speakers at once, do not trim each other
        3000: Hello there.@0-1000! / Good morning.@400-1600!  | 0 Hello there. F / 1 Good morning. F
        3000: Hello there.@0-1000! / Good morning.@400-1600!  |
        ",
    );
}

#[test]
fn rule_4_entries_continue_open_utterances() {
    table(
        "
        # Lists shrink and grow
        3000: One@500-1000 / Two@2100-2400       | 0 One / 1 Two
        3000: Two@2100-2400                       |
        3000:                                     |
        3000: One@500-1000                        |
        4000: Two more@2100-2800                  | 1 Two more
        4000: One@500-1000 / Two more@2100-2800   |

        # A second pass is late and out of order
        single
        1500: won@500-1000                                | 0 won
        3000: two@2100-2600                               | 1 two
        4000: Two.@2100-2620!#two_pass                    | 1 Two. F
        final                                             | 0
        4500: three@3600-3900 / One.@480-1020!#two_pass   | 0 One. F / 2 three
        final                                             | 2620
        shown                                             | One. / Two. / three

        # The second pass changes words where the list grows
        1200: there rain@592-1100                         | 0 there rain
        2600: there rain stopped@592-2000                 | 0 there rain stopped
        3400: The rain stopped.@592-2050! / let@3100-3300 | 0 The rain stopped. F / 1 let
        5200: The rain stopped.@592-2050! / Let us go.@3080-4100! / @-  | 1 Let us go. F

        # One growing utterance becomes two: the number stays with the larger part
        // As recorded: the first start is late, and the last word moves back.
        500: the@732-860                                        | 0 the
        1000: the@592-720                                       |
        1500: the rain@592-1840                                 | 0 the rain
        2000: the rain@592-1700                                 |
        9500: the rain has stopped let us go@592-5200           | 0 the rain has stopped let us go
        9900: The rain has stopped. Let us go.@592-5060         | 0 The rain has stopped. Let us go.
        10250 last: The rain has stopped.@592-2400! / Let us go.@2660-5192!  \
            | 1 The rain has stopped. F / 0 Let us go. F

        # Without times they continue by order
        1000: one@-                      | 0 one
        2000: one@- / two@-               | 1 two
        3000: One.@-! / two and@-         | 0 One. F / 1 two and
        times 0                           | -
        4000: One.@-! / Two.@-! / One.@-  | 1 Two. F / 2 One.
        4000 last: One.@-! / Two.@-! / One.@-! | 2 One. F

        # Times that come late are taken up
        1000: one@-               | 0 one
        2000: one more@300-900     | 0 one more
        times 0                    | 300-900
        ",
    );
}
