//! Each clause of how responses become utterances.
use std::slice::from_ref;

use super::*;

#[test]
fn new_changed_and_final_are_reported_but_times_alone_are_not() {
    let mut stream = Stream::full();
    assert_eq!(
        brief(&stream.hear(500, &[said("The", 732, 812)])),
        [(0, "The", "")]
    );
    assert_eq!(brief(&stream.hear(700, &[said("The", 592, 672)])), []);
    assert_eq!(
        brief(&stream.hear(900, &[said("The rain", 592, 1200)])),
        [(0, "The rain", "")]
    );
    assert_eq!(
        brief(&stream.hear(900, &[said("The rain", 592, 1200).source("stream")])),
        [(0, "The rain", "")]
    );
    assert_eq!(
        brief(&stream.hear(900, &[said("The rain", 592, 1200).source("stream")])),
        []
    );
    let updates = stream.hear(
        2000,
        &[said("The rain", 600, 1210).source("stream").definite()],
    );
    assert_eq!(brief(&updates), [(0, "The rain", "F")]);
    assert_eq!(
        (updates[0].start, updates[0].end),
        (Some(ms(600)), Some(ms(1210)))
    );
    assert_eq!(
        updates[0].attributes,
        [("source".to_owned(), "stream".to_owned())]
    );
}

#[test]
fn times_are_on_the_axis_of_the_stream() {
    let mut stream = Stream::full();
    stream.connect(ms(60_000));
    let updates = stream.hear(2000, &[said("The rain", 592, 1200)]);
    assert_eq!(
        (updates[0].start, updates[0].end),
        (Some(ms(60_592)), Some(ms(61_200)))
    );
    assert_eq!(updates[0].words[0].start, Some(ms(60_592)));
    assert_eq!(updates[0].words[1].end, Some(ms(61_200)));
    assert_eq!(stream.tracker.processed_until(), ms(62_000));
}

#[test]
fn the_words_of_a_final_have_its_last_times() {
    let mut stream = Stream::full();
    stream.hear(900, &[said("The rain", 732, 1300)]);
    stream.hear(900, &[said("The rain", 592, 1160)]);
    let updates = stream.give_up();
    assert_eq!(updates[0].words[0].start, Some(ms(592)));
    assert_eq!(updates[0].words[1].end, Some(ms(1160)));
}

// Rule 1.

#[test]
fn rule_1_empty_entries_that_are_not_definite_are_ignored() {
    let mut stream = Stream::full();
    let placeholder = Said::bare("", Some((-1, -1)));
    assert_eq!(brief(&stream.hear(500, from_ref(&placeholder))), []);
    assert_eq!(
        brief(&stream.hear(900, &[said("The rain", 592, 1200), placeholder.clone()])),
        [(0, "The rain", "")]
    );
    assert_eq!(brief(&stream.hear(900, from_ref(&placeholder))), []);
    assert_eq!(
        brief(&stream.hear(900, &[Said::bare(" \n", Some((592, 1200)))])),
        []
    );
    // It is not something that the final response lists, either.
    assert_eq!(
        brief(&stream.hear_last(900, &[placeholder])),
        [(0, "The rain", "U")]
    );
}

#[test]
fn rule_1_an_absent_start_is_its_first_words() {
    let mut stream = Stream::full();
    let json = r#"{"result":{"utterances":[
        {"text":"The rain","end_time":1200,"words":[
        {"text":"The"},{"text":"rain","start_time":900,"end_time":980}]}]}}"#;
    stream.sent = ms(2000);
    assert_eq!(stream.raw(json, false)[0].start, Some(ms(900)));
}

/// Speech from the first sample on, as `bigmodel_async` tells it: without its zeros.
#[test]
fn rule_1_absent_zeros_are_zeros() {
    let utterance = r#"{"end_time":500,"text":"a b","words":[{"end_time":80,"text":"a"},
        {"start_time":300,"end_time":500,"text":"b"}]}"#;
    let json =
        format!(r#"{{"audio_info":{{"duration":600}},"result":{{"utterances":[{utterance}]}}}}"#);
    let mut stream = Stream::full();
    let mut updates = Vec::new();
    let response = Response::decode(json.as_bytes()).unwrap();
    stream
        .tracker
        .respond(&response, ms(1000), false, &mut updates);
    assert_eq!(
        (updates[0].start, updates[0].end),
        (Some(ms(0)), Some(ms(500)))
    );
    assert_eq!(updates[0].words[0].start, Some(ms(0)));
    assert_eq!(updates[0].words[1].start, Some(ms(300)));
}

/// Such a zero is a start like any other, and may revise an earlier one.
#[test]
fn rule_1_absent_zeros_revise_a_start() {
    let mut stream = Stream::full();
    stream.connect(ms(5000));
    stream.hear(400, &[said("a", 140, 300)]);
    let json = r#"{"result":{"utterances":[
        {"definite":true,"end_time":300,"text":"A.","words":[{"end_time":300,"text":"A"}]}]}}"#;
    let updates = stream.raw(json, false);
    assert_eq!(brief(&updates), [(0, "A.", "F")]);
    assert_eq!(updates[0].start, Some(ms(5000)));
    assert_eq!(updates[0].words[0].start, Some(ms(5000)));
}

#[test]
fn rule_1_an_absent_start_is_the_end_of_the_one_before() {
    let mut stream = Stream::full();
    stream.connect(ms(5000));
    let json = r#"{"result":{"utterances":[
        {"text":"One","end_time":1200},{"text":"Two","end_time":2000},
        {"text":"Three","end_time":1900}]}}"#;
    stream.sent = ms(9000);
    let updates = stream.raw(json, false);
    let times: Vec<_> = updates.iter().map(|u| (u.start, u.end)).collect();
    let at = |start: u64, end: u64| (Some(ms(5000 + start)), Some(ms(5000 + end)));
    // Sorted by start, the third begins where it ends, before the second's end.
    assert_eq!(times, [at(0, 1200), at(1200, 2000), at(1900, 1900)]);
}

#[test]
fn rule_1_an_absent_end_is_its_last_words() {
    let mut stream = Stream::full();
    stream.sent = ms(2000);
    let json = r#"{"result":{"utterances":[
        {"text":"The rain","start_time":500,"words":[{"text":"The","start_time":520,"end_time":600},
        {"text":"rain","start_time":900,"end_time":980}]},{"text":"stops","start_time":1500}]}}"#;
    let updates = stream.raw(json, false);
    assert_eq!(updates[0].end, Some(ms(980)));
    // Not reported: it is only known to lie before where the service has worked to.
    assert_eq!(updates[1].end, None);
}

// Rule 2.

#[test]
fn rule_2_settled_ones_come_again_and_are_skipped() {
    let mut stream = Stream::full();
    let one = said("One.", 500, 1000).definite();
    assert_eq!(
        brief(&stream.hear(2000, from_ref(&one))),
        [(0, "One.", "F")]
    );
    let again = [
        said("One, revised.", 380, 1190).definite(),
        said("Two", 2100, 2400),
    ];
    assert_eq!(brief(&stream.hear(3000, &again)), [(1, "Two", "")]);
    // Nor is it open again when it is not definite any more.
    assert_eq!(
        brief(&stream.hear(3000, &[said("One", 500, 1000), said("Two", 2100, 2400)])),
        []
    );
}

#[test]
fn rule_2_sentences_260_ms_apart_are_two() {
    let mut stream = Stream::full();
    let yes = |at| said("Yes.", at, at + 80).definite();
    let list = [yes(500), yes(840), yes(1180)];
    let updates = stream.hear(2000, &list);
    assert_eq!(
        brief(&updates),
        [(0, "Yes.", "F"), (1, "Yes.", "F"), (2, "Yes.", "F")]
    );
    assert_eq!(brief(&stream.hear(2100, &list)), []);
    // And when they come one by one.
    let mut stream = Stream::full();
    for i in 1..=3 {
        assert_eq!(stream.hear(2000, &list[..i]).len(), 1);
    }
}

#[test]
fn rule_2_in_single_mode_too() {
    let mut stream = Stream::single();
    stream.hear(2000, &[said("One.", 500, 1000).definite()]);
    assert_eq!(
        brief(&stream.hear(2000, &[said("One.", 500, 1000).definite()])),
        []
    );
    assert_eq!(
        brief(&stream.hear(3000, &[said("Two", 2100, 2400)])),
        [(1, "Two", "")]
    );
}

// Rule 3.

#[test]
fn rule_3_words_inside_settled_speech_are_lost() {
    let mut stream = Stream::full();
    stream.hear(2000, &[said("One two.", 500, 1000).definite()]);
    let grown = said("One two. Three four.", 500, 3000);
    let updates = stream.hear(3500, from_ref(&grown));
    // Words at 500, 1306, 2112, 2918; the second is beyond 1000 + 200.
    assert_eq!(brief(&updates), [(1, "two. Three four.", "")]);
    assert_eq!(
        (updates[0].start, updates[0].end),
        (Some(ms(1306)), Some(ms(2998)))
    );
    assert_eq!(brief(&stream.hear(3500, from_ref(&grown))), []);
    let updates = stream.hear(3500, &[grown.clone().definite()]);
    assert_eq!(brief(&updates), [(1, "two. Three four.", "F")]);
    // By now all of it is settled, in two pieces.
    assert_eq!(brief(&stream.hear(3500, &[grown.definite()])), []);
}

#[test]
fn rule_3_with_no_words_left_it_is_a_repeat() {
    let mut stream = Stream::full();
    stream.hear(2000, &[said("One two three.", 500, 1500).definite()]);
    let updates = stream.hear(
        2000,
        &[said("Two three", 950, 1600), said("Four", 1760, 1840)],
    );
    assert_eq!(brief(&updates), [(1, "Four", "")]);
}

#[test]
fn rule_3_without_timed_words_half_covered_is_a_repeat() {
    let mut stream = Stream::full();
    stream.hear(2000, &[Said::bare("One.", Some((500, 1000))).definite()]);
    assert_eq!(
        brief(&stream.hear(2000, &[Said::bare("One two", Some((500, 1500)))])),
        []
    );
    assert_eq!(
        brief(&stream.hear(2000, &[Said::bare("One two", Some((600, 1600)))])),
        [(1, "One two", "")]
    );
}

#[test]
fn rule_3_utterances_of_one_response_do_not_trim_each_other() {
    let mut stream = Stream::full();
    // Two speakers at once.
    let list = [
        said("Hello there.", 0, 1000).definite(),
        said("Good morning.", 400, 1600).definite(),
    ];
    assert_eq!(
        brief(&stream.hear(3000, &list)),
        [(0, "Hello there.", "F"), (1, "Good morning.", "F")]
    );
    assert_eq!(brief(&stream.hear(3000, &list)), []);
}

// Rule 4: also in `matching`.

#[test]
fn rule_4_a_revised_start_keeps_the_number() {
    let mut stream = Stream::full();
    stream.hear(900, &[said("The", 732, 812)]);
    let updates = stream.hear(1300, &[said("The rain", 592, 1200)]);
    assert_eq!(brief(&updates), [(0, "The rain", "")]);
}

#[test]
fn rule_4_lists_shrink_and_grow() {
    let mut stream = Stream::full();
    let (one, two) = (said("One", 500, 1000), said("Two", 2100, 2400));
    stream.hear(3000, &[one.clone(), two.clone()]);
    assert_eq!(brief(&stream.hear(3000, from_ref(&two))), []);
    assert_eq!(brief(&stream.hear(3000, &[])), []);
    assert_eq!(brief(&stream.hear(3000, from_ref(&one))), []);
    assert_eq!(
        brief(&stream.hear(4000, &[said("Two more", 2100, 2800)])),
        [(1, "Two more", "")]
    );
    assert_eq!(
        brief(&stream.hear(4000, &[one, said("Two more", 2100, 2800)])),
        []
    );
}

#[test]
fn rule_4_a_late_second_pass_out_of_order() {
    let mut stream = Stream::single();
    stream.hear(1500, &[said("won", 500, 1000).source("stream")]);
    stream.hear(3000, &[said("two", 2100, 2600).source("stream")]);
    let two = said("Two.", 2100, 2620).source("two_pass").definite();
    assert_eq!(brief(&stream.hear(4000, &[two])), [(1, "Two.", "F")]);
    assert_eq!(stream.tracker.final_until(), ms(0));
    let one = said("One.", 480, 1020).source("two_pass").definite();
    let three = said("three", 3600, 3900).source("stream");
    assert_eq!(
        brief(&stream.hear(4500, &[three, one])),
        [(0, "One.", "F"), (2, "three", "")]
    );
    assert_eq!(stream.tracker.final_until(), ms(2620));
    assert_eq!(stream.transcript(), ["One.", "Two.", "three"]);
}

#[test]
fn rule_4_without_times_by_order() {
    let mut stream = Stream::full();
    let bare = |text| Said::bare(text, None);
    stream.hear(1000, &[bare("one")]);
    stream.hear(2000, &[bare("one"), bare("two")]);
    let updates = stream.hear(3000, &[bare("One.").definite(), bare("two and")]);
    assert_eq!(brief(&updates), [(0, "One.", "F"), (1, "two and", "")]);
    assert_eq!((updates[0].start, updates[0].end), (None, None));
    let updates = stream.hear(
        4000,
        &[
            bare("One.").definite(),
            bare("Two.").definite(),
            bare("One."),
        ],
    );
    assert_eq!(brief(&updates), [(1, "Two.", "F"), (2, "One.", "")]);
    let list = [
        bare("One.").definite(),
        bare("Two.").definite(),
        bare("One.").definite(),
    ];
    assert_eq!(brief(&stream.hear_last(4000, &list)), [(2, "One.", "F")]);
}

#[test]
fn rule_4_times_that_come_late_are_taken_up() {
    let mut stream = Stream::full();
    stream.hear(1000, &[Said::bare("one", None)]);
    let updates = stream.hear(2000, &[said("one more", 300, 900)]);
    assert_eq!(brief(&updates), [(0, "one more", "")]);
    assert_eq!(updates[0].start, Some(ms(300)));
}
