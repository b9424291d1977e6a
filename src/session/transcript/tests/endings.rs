//! How utterances end, and responses without a list (rules 5 to 9).
use super::script::table;

#[test]
fn rule_5_definite_entries_and_those_of_the_final_response_end() {
    table(
        "
        # An empty definite ends its match
        // Nothing is settled there: it may turn out to be speech after all.
        500: @100-200!~    |
        1500: uh@500-1000   | 0 uh
        2000: @500-1000!~   | 0 F
        2000: @500-1000!~   |
        3000: Yes@500-1000  | 1 Yes

        # The final response settles all that it lists
        1500: one@500-1000                       | 0 one
        3000 last: One@500-1000 / two@2000-2500   | 0 One F / 1 two F
        final                                     | 3000
        needed                                    | 3000
        ",
    );
}

#[test]
fn rule_6_an_open_one_covered_by_others_is_withdrawn() {
    table(
        "
        # By another that has its words
        4000: one@500-1000 / two three@1300-3000  | 0 one / 1 two three
        4000: one two three@500-3000              | 1 one two three / 0 F
        shown                                     | one two three

        # Also where neither has words
        4000: one@500-1000~ / two three@1300-3000~  | 0 one / 1 two three
        4000: one two three@500-3000~               | 1 one two three / 0 F

        # Half is not enough: by overlap of half the shorter they are the same
        single
        2000: one@500-1500                        | 0 one
        4000: two three@1000-3500                 | 0 two three

        # Absence means nothing
        single
        2000: one@500-1500 / two@1600-3000        | 0 one / 1 two
        4000: two@1050-3000                       |
        4000: two@1050-3000                       |

        # Two speakers at once stay
        2000: Hello there@0-1000 / Good morning@100-1100   | 0 Hello there / 1 Good morning
        3000: Hello there@0-1000! / Good morning@100-1100  | 0 Hello there F
        ",
    );
}

#[test]
fn rule_7_the_final_response_ends_what_it_leaves_out() {
    table(
        "
        # In full it withdraws that
        - 4000: one@500-1000 / uh@2100-2400    | 0 one / 1 uh
          4000 last: One.@500-1000!            | 0 One. F / 1 F
        // Also if it lists settled ones only.
        - 4000: One.@500-1000! / uh@2100-2400  | 0 One. F / 1 uh
          4000 last: One.@500-1000!            | 1 F

        # Otherwise it ends unconfirmed
        - 4000: one@500-1000                   | 0 one
          4000 last:                           | 0 one U
        - single
          4000: one@500-1000 / two@2100-2400   | 0 one / 1 two
          4000 last: Two.@2100-2400            | 1 Two. F / 0 one U
        ",
    );
}

#[test]
fn rule_8_without_utterances_the_text_is_one() {
    table(
        "
        # It grows
        1000 text: The                          | 0 The
        ? json: {}                              |
        1000 text: The                          |
        1100 text:                              |
        2000 text: The rain                     | 0 The rain
        3000 last-text: The rain has stopped.   | 0 The rain has stopped. F
        words 0                                 |
        times 0                                 | -

        # A text that begins anew is another
        1000 text: The rain has stopped.        | 0 The rain has stopped.
        - 2000 text: Let us                     | 0 The rain has stopped. U / 1 Let us
          2000 text: Let                        | 1 Let
          2000 text: bet                        | 1 bet
          2000 last-text:                       | 1 bet U
        // A short text ends like the other one by chance.
        - 2000 text: Red                        | 0 The rain has stopped. U / 1 Red

        # Characters count, not bytes
        1000 text: 今天天气好                   | 0 今天天气好
        2000 text: oh no                        | 0 oh no

        # Once utterances were listed, their sum is not another
        500 text: The                           | 0 The
        1000: The rain@300-900                  | 0 The rain
        2000 text: The rain has                 |
        2000 last-text: The rain has stopped.   | 0 The rain has stopped. F
        ",
    );
}

#[test]
fn rule_9_the_text_of_the_final_response_is_the_last_word() {
    table(
        "
        # It continues where the settled one ended
        4000: The rain has stopped.@500-2000!                | 0 The rain has stopped. F
        - 4500 last-text: The rain has stopped. Let us go.   | 1 Let us go. F
        - 4500 last-text: the rain has stopped               |

        # Or where the open one did, which it has in other words
        4000: The rain has stopped.@500-2000! / let us@2500-3000  \
            | 0 The rain has stopped. F / 1 let us
        - 4500 last-text: The rain has stopped. Let us go.   | 1 Let us go. F
        - 4500 last-text: The rain has stopped. Lettuce.     | 1 Lettuce. F
        - 4500 last-text: The rain has stopped.              | 1 F
        - 4500 last-text: Let us go.                         | 1 Let us go. F
        // The settled text is worded anew: there is no telling where the rest begins.
        - 4500 last-text: The train stopped. Let us go.      | 1 let us U
        - 4500 last-text:                                    | 1 let us U

        # Those that it repeats are utterances of their own
        4000: One.@500-1000! / two@1500-2000 / three@2500-3000  | 0 One. F / 1 two / 2 three
        - 4500 last-text: One. Two. Three four.              | 1 Two. F / 2 Three four. F
        - 4500 last-text: One. To three.                     | 2 To three. F / 1 F

        # It ends where the open one did, unless there is more of it
        4000: The rain.@500-2000! / let us@2500-3000         | 0 The rain. F / 1 let us
        - 4500 last-text: The rain. Let us.                  | 1 Let us. F
          times 1                                            | 2500-3000
        - 4500 last-text: The rain. Let us go.               | 1 Let us go. F
          times 1                                            | 2500-
        ",
    );
}

#[test]
fn rule_9_in_single_the_text_is_the_current_one_s() {
    table(
        "
        # With one open
        single
        1500: One.@500-1000!                   | 0 One. F
        2500: Two.@1500-2000!                  | 1 Two. F
        4000: let us@2500-3000                 | 2 let us
        - 4500 last-text: Let us go.           | 2 Let us go. F
        - 4500 last-text: Lettuce.             | 2 Lettuce. F
        - 4500 last-text: One. Two. Let us go. | 2 Let us go. F
        - 4500 last-text: Two. Let us go.      | 2 Let us go. F

        # With none open
        single
        1500: One.@500-1000!                   | 0 One. F
        2500: Two.@1500-2000!                  | 1 Two. F
        - 4500 last-text: Two.                 |
        - 4500 last-text: Two. Let us go.      | 2 Let us go. F
        - 4500 last-text: Let us go.           | 2 Let us go. F

        # Beside settled text that the current one may begin with
        single
        1500: Yes.@500-1000!                    | 0 Yes. F
        - 4000: Yes I know@2500-3000            | 1 Yes I know
          4500 last-text: Yes, I know.          | 1 Yes, I know. F
        - 4000: Yes@2500-3000                   | 1 Yes
          4500 last-text: Yes.                  | 1 Yes. F
        - 4000: Yes@2500-3000                   | 1 Yes
          4500 last-text: Yes. Yes.             | 1 Yes. F
        - 4000: let us@2500-3000 / go@3200-3700 | 1 let us / 2 go
          4500 last-text: Let us. Go on.        | 1 Let us. F / 2 Go on. F
        - 4000: let us@2500-3000 / go@3200-3700 | 1 let us / 2 go
          4500 last-text: Go on.                | 2 Go on. F / 1 let us U

        # Also by one character
        single
        1500: 好。@500-1000!                    | 0 好。 F
        - 4000: 好的@2500-3000                  | 1 好的
          4500 last-text: 好的，我们走。        | 1 好的，我们走。 F
        - 4000: 没有@2500-3000                  | 1 没有
          4500 last-text: 好的，我们走。        | 1 好的，我们走。 F
        ",
    );
}
