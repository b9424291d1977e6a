//! A connection that is lost and restored: numbers, and interim results that are held.
use std::slice::from_ref;

use super::restore::restart;
use super::*;

#[test]
fn interim_results_are_held_until_their_text_reaches_as_far() {
    let mut stream = Stream::full();
    stream.hear(
        3000,
        &[
            said("One.", 500, 1000).definite(),
            said("two three four", 1260, 2900),
        ],
    );
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    let again = |text: &str, end: i64| said(text, 130, end - 1130);
    assert_eq!(brief(&stream.hear(700, &[again("two", 1500)])), []);
    assert_eq!(brief(&stream.hear(1869, &[again("two three", 2400)])), []);
    let updates = stream.hear(1870, &[again("two three four", 2900)]);
    assert_eq!(brief(&updates), []);
    let updates = stream.hear(2000, &[again("two three four five", 3100)]);
    assert_eq!(brief(&updates), [(1, "two three four five", "")]);
    assert_eq!(updates[0].start, Some(ms(1260)));
}

/// Text comes up to two seconds after the service reports its audio as processed.
#[test]
fn text_that_lags_does_not_go_back() {
    let shown = |stream: &mut Stream| {
        stream.hear(9000, &[said("a b c d", 1000, 8000)]);
        let begin = restart(stream, 0);
        stream.connect(begin);
        assert_eq!(brief(&stream.hear(9000, &[said("a b", 1000, 4000)])), []);
        assert_eq!(
            brief(&stream.hear(10_900, &[said("a b c", 1000, 7900)])),
            []
        );
    };
    let mut stream = Stream::full();
    shown(&mut stream);
    let updates = stream.hear(10_950, &[said("A b c d", 1000, 8000)]);
    assert_eq!(brief(&updates), [(0, "A b c d", "")]);

    let mut stream = Stream::full();
    shown(&mut stream);
    let updates = stream.hear(10_950, &[said("A b c.", 1000, 7900).definite()]);
    assert_eq!(brief(&updates), [(0, "A b c.", "F")]);

    // Text that has not come after two seconds does not come.
    let mut stream = Stream::full();
    shown(&mut stream);
    let updates = stream.hear(11_000, &[said("a b c", 1000, 7900)]);
    assert_eq!(brief(&updates), [(0, "a b c", "")]);
}

/// The end of a word that was just recognised is up to 140 ms late.
#[test]
fn a_beginning_of_the_shown_text_is_held_however_late_it_ends() {
    let shown = || {
        let mut stream = Stream::full();
        stream.hear(3000, &[said("One, two", 1000, 1380)]);
        let begin = restart(&mut stream, 0);
        stream.connect(begin);
        stream
    };
    for (text, held) in [
        ("one", true),
        ("One.", true),
        ("one two", false),
        ("12", false),
        ("one to", false),
    ] {
        let updates = shown().hear(1500, &[said(text, 1140, 1400)]);
        assert_eq!(updates.is_empty(), held, "{text}");
    }
}

#[test]
fn without_ends_the_longer_text_reaches_farther() {
    let mut stream = Stream::full();
    stream.hear_text(9000, "The rain has stopped", false);
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    assert_eq!(brief(&stream.hear_text(9500, "The rain has", false)), []);
    let updates = stream.hear_text(10_000, "The rain has stopped.", false);
    assert_eq!(brief(&updates), [(0, "The rain has stopped.", "")]);
}

#[test]
fn text_without_a_duration_is_held_too() {
    let mut stream = Stream::full();
    stream.hear_text(3000, "The rain", false);
    stream.sent = ms(5000);
    let undated = r#"{"result":{"text":"The rain has stopped"}}"#;
    assert_eq!(
        brief(&stream.raw(undated, false)),
        [(0, "The rain has stopped", "")]
    );
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    // It may lie anywhere in the audio that was sent.
    let updates = stream.hear_text(3500, "The rain has", false);
    assert_eq!(brief(&updates), []);
    let updates = stream.hear_text(5000, "The rain has stopped. Let", false);
    assert_eq!(brief(&updates), [(0, "The rain has stopped. Let", "")]);
}

#[test]
fn text_of_a_connection_without_any_duration_is_held_too() {
    let mut stream = Stream::full();
    stream.sent = ms(4000);
    stream.raw(r#"{"result":{"text":"The rain, has"}}"#, false);
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    let updates = stream.hear_text(5900, "The rain", false);
    assert_eq!(brief(&updates), []);
    let updates = stream.hear_text(6000, "The rain", false);
    assert_eq!(brief(&updates), [(0, "The rain", "")]);
}

#[test]
fn a_response_with_a_duration_says_how_far_all_before_it_went() {
    let mut stream = Stream::full();
    stream.hear_text(3000, "The rain", false);
    stream.sent = ms(9000);
    stream.raw(r#"{"result":{"text":"The rain has"}}"#, false);
    stream.hear_text(4000, "The rain has stopped", false);
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    let updates = stream.hear_text(4000, "The rain has stopped.", false);
    assert_eq!(brief(&updates), [(0, "The rain has stopped.", "")]);
}

#[test]
fn a_service_that_never_tells_a_duration_is_not_waited_for() {
    let mut stream = Stream::full();
    stream.sent = ms(5000);
    stream.raw(r#"{"result":{"text":"The rain has"}}"#, false);
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    let updates = stream.raw(r#"{"result":{"text":"The rain has stopped"}}"#, false);
    assert_eq!(brief(&updates), [(0, "The rain has stopped", "")]);
}

#[test]
fn the_held_text_is_posted_when_the_connection_is_lost_for_good() {
    let mut stream = Stream::full();
    stream.hear(3000, &[said("two three four", 1260, 2900)]);
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    stream.hear(1000, &[said("two", 1260, 1340)]);
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    // Still held: the first connection had processed 3000 ms.
    assert_eq!(
        brief(&stream.hear(1500, &[said("two three", 1260, 2000)])),
        []
    );
    assert_eq!(brief(&stream.give_up()), [(0, "two three four", "U")]);
}

#[test]
fn finals_are_not_held() {
    let mut stream = Stream::full();
    stream.hear(9000, &[said("one", 500, 1000), said("two", 5000, 6000)]);
    let begin = restart(&mut stream, 0);
    assert_eq!(begin, ms(0));
    stream.connect(begin);
    let one = said("One.", 500, 1000).definite();
    assert_eq!(
        brief(&stream.hear(2000, from_ref(&one))),
        [(0, "One.", "F")]
    );
    let updates = stream.hear_last(6000, &[one, said("Two", 5000, 6000)]);
    assert_eq!(brief(&updates), [(1, "Two", "F")]);
}

#[test]
fn with_nothing_open_nothing_is_held() {
    let mut stream = Stream::full();
    stream.hear(9000, &[said("One.", 500, 1000).definite()]);
    let begin = restart(&mut stream, 0);
    assert_eq!(begin, ms(7000));
    stream.connect(begin);
    assert_eq!(
        brief(&stream.hear(1000, &[said("two", 300, 700)])),
        [(1, "two", "")]
    );
}

#[test]
fn a_new_cut_while_held_is_not_doubled() {
    let mut stream = Stream::full();
    stream.hear(6000, &[said("one two three four", 592, 4252)]);
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    // Two open ones now: the second would show the words again that the first still has.
    let list = [said("one two", 600, 2000), said("three", 2400, 2600)];
    assert_eq!(brief(&stream.hear(3000, &list)), []);
    let list = [said("one two", 600, 2000), said("three four", 2400, 4256)];
    let updates = stream.hear(6000, &list);
    assert_eq!(brief(&updates), [(1, "one two", ""), (0, "three four", "")]);
}

/// Processed to 40 s, one utterance open from 15 s on, lost; the next connection is at 16.9 s, and
/// cuts it at 16 s.
fn cut_shorter(list: &[Said]) -> Stream {
    let mut stream = Stream::full();
    stream.hear(14_000, &[said("Zero.", 500, 13_000).definite()]);
    let zero = said("Zero.", 500, 13_000).definite();
    stream.hear(40_000, &[zero, said("a b c d e f g h", 15_000, 39_000)]);
    let begin = restart(&mut stream, 0);
    assert_eq!(begin, ms(13_400));
    stream.connect(begin);
    stream.hear(2000, &[]);
    stream.hear(3500, list);
    assert!(stream.tracker.replay_needed_from() <= stream.tracker.processed_until());
    stream
}

/// The speech after the cut belongs to no utterance now, so the next connection must recognise it.
#[test]
fn an_utterance_that_is_cut_shorter_leaves_no_hole() {
    let first = said("A b.", 1600, 2600).definite();
    let mut stream = cut_shorter(std::slice::from_ref(&first));
    let begin = restart(&mut stream, 0);
    assert!(begin < ms(17_000), "{begin:?}");

    // Where its rest was recognised already, no word of it is cut.
    let mut stream = cut_shorter(&[first, said("c", 2800, 2880)]);
    let begin = restart(&mut stream, 0);
    assert_eq!(begin, ms(16_100));
    stream.connect(begin);
    let updates = stream.hear(1000, &[said("c d", 100, 600)]);
    assert_eq!(
        brief(&updates),
        [(2, "c d", "")],
        "nothing stands that it could take back"
    );
    let updates = stream.hear_last(24_000, &[said("C d e f g h.", 100, 22_900)]);
    assert_eq!(brief(&updates), [(2, "C d e f g h.", "F")]);
    assert_eq!(stream.transcript(), ["Zero.", "A b.", "C d e f g h."]);
}

#[test]
fn an_utterance_that_is_taken_back_leaves_no_hole() {
    let mut stream = cut_shorter(&[Said::bare("", Some((1600, 2600))).definite()]);
    assert_eq!(stream.latest[&1].text, "");
    let begin = restart(&mut stream, 0);
    assert!(begin < ms(17_000), "{begin:?}");
}

/// The rest of the first is held because of the second, which is still open: it is not cut by
/// another loss.
#[test]
fn held_text_survives_another_loss() {
    let mut stream = Stream::full();
    let list = [said("a b c", 15_000, 20_000), said("x y", 35_000, 39_000)];
    stream.hear(40_000, &list);
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    let list = [
        said("A b.", 15_000, 16_000).definite(),
        said("c", 16_200, 16_280),
    ];
    assert_eq!(brief(&stream.hear(16_900, &list)), [(0, "A b.", "F")]);
    assert_eq!(restart(&mut stream, 0), ms(16_100));
}

#[test]
fn entries_that_end_before_the_replay_are_dropped() {
    let mut stream = Stream::full();
    let list = [said("One.", 500, 1000).definite(), said("two", 5000, 6000)];
    stream.hear(9000, &list);
    let begin = restart(&mut stream, 0);
    assert_eq!(begin, ms(1400));
    // Audio before it is not requested. If it is sent all the same, speech that ends in it is a
    // repeat.
    stream.connect(ms(0));
    let list = [
        said("hm", 1100, 1390).definite(),
        said("Two.", 5000, 6000).definite(),
    ];
    assert_eq!(brief(&stream.hear(9000, &list)), [(1, "Two.", "F")]);
}

#[test]
fn a_final_response_speaks_for_the_lost_connection_too() {
    let open = || {
        let mut stream = Stream::full();
        stream.hear(9000, &[said("one", 500, 1000), said("two", 5000, 6000)]);
        stream
    };
    let mut stream = open();
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    let updates = stream.hear_last(9000, &[said("One.", 500, 1000).definite()]);
    assert_eq!(brief(&updates), [(0, "One.", "F"), (1, "", "F")]);

    let mut stream = Stream::single();
    stream.hear(9000, &[said("one", 500, 1000), said("two", 5000, 6000)]);
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    let updates = stream.hear_last(9000, &[said("One.", 500, 1000).definite()]);
    assert_eq!(brief(&updates), [(0, "One.", "F"), (1, "two", "U")]);
}
