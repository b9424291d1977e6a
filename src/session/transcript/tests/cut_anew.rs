//! A new connection settles a part of an open utterance under a number of its own: no word is
//! shown twice.
use super::script::table;

#[test]
fn a_settled_part_of_an_open_utterance_is_left_out() {
    table(
        "
        # Of the replay and of an unconfirmed end
        // Words at 182, 3155, 6128 and 9101. The new connection cuts off the first, and the rest
        // keeps the number; another loss cuts off the second.
        single
        9500: one two three four@182-9182          | 0 one two three four
        lose                                       | from 0
        5000: One.@171-316! / two@3050-3250        | 1 One. F
        // From the pause before the second, not from where the first ends: its tail would be a word
        // once more.
        lose                                       | from 716
        6284: Two.@2384-2584! / three@5284-5584    | 2 Two. F
        // Also when it is too long ago to be compared.
        - lose                                     | from 3700
          lose                                     | from 3700
          lose                                     | from 3700
        - finalize                                 | 0 three four U
          shown                                    | One. / Two. / three four
        // An end by the window leaves it out as well.
        - restart 7000                             | from 7000 / 0 three U

        # A settled word with an early start is a part: less than half lies in the open one
        single
        5000: one two three@1090-4000              | 0 one two three
        lose                                       | from 0
        3000: One.@1000-1168![1088-1168] / two@2500-2700   | 1 One. F
        lose                                       | from 1568
        finalize                                   | 0 two three U

        # One that begins with an open word has it: neither half of that lies in it nor its middle
        single
        2600: one@1090-1294[1214-1294] / two three@1800-2337   | 0 one / 1 two three
        lose                                                   | from 0
        5000: One two three.@1256-2337!                        | 1 One two three. F / 0 F

        # The words before a shared one stay
        single
        2600: zero one@1000-1294[1080-1160 1214-1294] / two three@1800-2337  \
            | 0 zero one / 1 two three
        lose                                                   | from 0
        5000: One two three.@1256-2337!                        | 1 One two three. F
        finalize                                               | 0 zero U

        # Also while the other one is open: it has all words
        single
        2600: one@1090-1294[1214-1294] / two three@1800-2337   | 0 one / 1 two three
        5000: One two three.@1256-2337                         | 1 One two three. / 0 F

        # One whose words are all settled is withdrawn, and nothing is replayed for it
        // The one before ends with its first word, the one after begins with its second.
        single
        9000: zero@4000-4766 / one two@5964-6598 / four@7427-8000  | 0 zero / 1 one two / 2 four
        lose                                                       | from 0
        9000: Zero one.@4000-6054! / Two four.@6529-8000!  \
            | 0 Zero one. F / 2 Two four. F / 1 F
        lose                                                       | from 8400
        ",
    );
}

#[test]
fn an_utterance_that_only_touches_a_settled_one_keeps_its_words() {
    table(
        "
        # A start may be early: before the end of the one before
        4000: One.@500-1000! / two three four five@950-3000  | 0 One. F / 1 two three four five
        finalize                                             | 1 two three four five U

        # In fast speech the next word begins where a shared one might
        4000: One two.@500-1000![500-580 920-1000] / three four@990-2000[1010-1090 1920-2000]  \
            | 0 One two. F / 1 three four
        finalize                                             | 1 three four U

        # A start may be so early that it lies in the words before, and both end together
        9000: one two three@500-3000 / Yes@2700-3140[3060-3140] / four five@4000-8000  \
            | 0 one two three / 1 Yes / 2 four five
        - finalize                                 | 0 one two three U / 1 Yes U / 2 four five U
        - restart 3500                             | from 3540 / 0 one two three U / 1 Yes U
        ",
    );
}
