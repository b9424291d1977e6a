//! Responses whose settled start is skipped. [`Stream`] compares every update of every test with
//! those of a tracker that reads everything each time, also in `arbitrary`; these are the edge
//! cases.
use super::script::table;

#[test]
fn what_a_response_begins_with_again() {
    table(
        "
        # Settled sentences are passed over, from when they come again
        2000: One.@500-1500!                          | 0 One. F
        repeated                                      | 0
        3000: One.@500-1500! / two@2500-2900          | 1 two
        repeated                                      | 1
        4000: One.@500-1500! / Two.@2500-3500!        | 1 Two. F
        repeated                                      | 1
        4100: One.@500-1500! / Two.@2500-3500!        |
        repeated                                      | 2
        // Other words for a settled one are too late.
        4200: Another.@510-1490! / Two.@2500-3500!    |
        repeated                                      | 2
        connect 5000
        repeated                                      | 0

        # Without times the same words may be said again
        1000: One.@0-900! / Yes.@-!                   | 0 One. F / 1 Yes. F
        1500: One.@0-900! / Yes.@-!                   |
        repeated                                      | 1
        2000: One.@0-900! / Yes.@-! / Yes.@-!         | 2 Yes. F
        2500: One.@0-900! / Yes.@-! / Yes.@-!         |
        repeated                                      | 1

        # Placeholders alone list nothing: the text beside them is the utterance each time
        ? json: {\"utterances\":[{\"text\":\"\"}]}                           |
        ? json: {\"utterances\":[{\"text\":\"\"}],\"text\":\"one\"}          | 0 one
        ? json: {\"utterances\":[{\"text\":\"\"}],\"text\":\"one two\"}      | 0 one two
        ",
    );
}
