//! A connection that is lost and restored: each clause.
use super::*;

pub(super) fn restart(stream: &mut Stream, window: u64) -> Duration {
    let (begin, updates) = stream.restart(window);
    assert_eq!(brief(&updates), []);
    begin
}

// 1: where to begin.

#[test]
fn begins_in_the_middle_of_a_short_pause() {
    let mut stream = Stream::full();
    stream.hear(
        3000,
        &[said("One.", 500, 1000).definite(), said("two", 1260, 2000)],
    );
    assert_eq!(stream.tracker.final_until(), ms(1000));
    assert_eq!(stream.tracker.replay_needed_from(), ms(1130));
    assert_eq!(restart(&mut stream, 0), ms(1130));
}

#[test]
fn begins_at_most_400_ms_into_a_long_pause() {
    let mut stream = Stream::full();
    stream.hear(
        9000,
        &[said("One.", 500, 1000).definite(), said("two", 5000, 6000)],
    );
    assert_eq!(restart(&mut stream, 0), ms(1400));
}

#[test]
fn begins_at_the_origin_without_anything_settled() {
    let mut stream = Stream::full();
    stream.connect(ms(10_000));
    stream.hear(3000, &[said("one", 100, 1000)]);
    assert_eq!(stream.tracker.final_until(), ms(10_000));
    assert_eq!(restart(&mut stream, 0), ms(10_000));
}

#[test]
fn begins_two_seconds_before_the_end_with_nothing_open() {
    let mut stream = Stream::full();
    assert_eq!(stream.tracker.replay_needed_from(), ms(0));
    stream.hear(60_000, &[]);
    assert_eq!(stream.tracker.replay_needed_from(), ms(58_000));
    stream.hear(61_000, &[said("One.", 60_000, 60_500).definite()]);
    assert_eq!(restart(&mut stream, 0), ms(60_750));
}

#[test]
fn begins_earlier_for_a_service_that_is_slow_to_tell() {
    let mut stream = Stream::lagging(ms(20_000));
    stream.connect(ms(0));
    stream.hear(14_000, &[]);
    assert_eq!(stream.tracker.replay_needed_from(), ms(0));
    stream.hear(60_000, &[]);
    assert_eq!(restart(&mut stream, 0), ms(40_000));
}

#[test]
fn the_replay_starts_before_the_first_open_utterance() {
    let mut stream = Stream::single();
    let list = [
        said("one", 500, 1000),
        said("Two.", 2000, 2500).definite(),
        said("three", 3000, 3500),
    ];
    stream.hear(4000, &list);
    assert_eq!(stream.tracker.final_until(), ms(0));
    let begin = restart(&mut stream, 0);
    assert_eq!(begin, ms(0));
    stream.connect(begin);
    let again = said;
    let list = [
        again("One.", 510, 1000).definite(),
        again("Two.", 2000, 2510).definite(),
        again("Three.", 3000, 3500).definite(),
    ];
    assert_eq!(
        brief(&stream.hear(4000, &list)),
        [(0, "One.", "F"), (2, "Three.", "F")]
    );
}

#[test]
fn never_begins_before_what_is_settled() {
    let mut stream = Stream::full();
    // A start that is early: before the end of the one before.
    stream.hear(
        4000,
        &[
            said("One.", 500, 1000).definite(),
            said("two three four five", 950, 3000),
        ],
    );
    assert_eq!(restart(&mut stream, 0), stream.tracker.final_until());
}

#[test]
fn a_second_loss_begins_at_the_same_place() {
    let mut stream = Stream::full();
    stream.hear(
        3000,
        &[said("One.", 500, 1000).definite(), said("two", 2260, 2500)],
    );
    let begin = restart(&mut stream, 0);
    assert_eq!(begin, ms(1400));
    stream.connect(begin);
    assert_eq!(restart(&mut stream, 0), begin);
    stream.connect(begin);
    stream.hear(100, &[]);
    assert_eq!(restart(&mut stream, 0), begin);
}

// 2: the window has moved on.

#[test]
fn a_window_that_begins_right_behind_what_is_settled_leaves_its_tail_out() {
    let mut stream = Stream::full();
    stream.hear(
        6000,
        &[
            said("one two", 500, 1500),
            said("Three.", 2000, 2500).definite(),
            said("four", 3500, 4000),
        ],
    );
    let (begin, updates) = stream.restart(2530);
    assert_eq!(begin, ms(2900));
    assert_eq!(brief(&updates), [(0, "one two", "U")]);
}

#[test]
fn words_before_the_window_end_unconfirmed_and_the_rest_comes_again() {
    let mut stream = Stream::full();
    // Words at 1000, 1640, 2280, 2920.
    stream.hear(4000, &[said("one two, three four", 1000, 3000)]);
    let (begin, updates) = stream.restart(2000);
    assert_eq!(begin, ms(2000));
    assert_eq!(brief(&updates), [(0, "one two,", "U")]);
    assert_eq!(
        (updates[0].start, updates[0].end),
        (Some(ms(1000)), Some(ms(1720)))
    );
    stream.connect(begin);
    // It begins at the very start of the connection, and loses nothing.
    let updates = stream.hear(1000, &[said("three", 0, 360)]);
    assert_eq!(brief(&updates), [(1, "three", "")]);
    let updates = stream.hear_last(2000, &[said("Three four.", 0, 1000)]);
    assert_eq!(brief(&updates), [(1, "Three four.", "F")]);
    assert_eq!(stream.transcript(), ["one two,", "Three four."]);
}

#[test]
fn a_word_that_the_window_cuts_is_not_in_the_way_of_the_next() {
    let mut stream = Stream::full();
    let mut long = said("one two", 1000, 3000);
    long.words = vec![("one".into(), 1000, 2400), ("two".into(), 2500, 3000)];
    stream.hear(4000, &[long]);
    let (begin, updates) = stream.restart(2000);
    assert_eq!(brief(&updates), [(0, "one", "U")]);
    stream.connect(begin);
    let mut rest = said("two", 0, 1000);
    rest.words = vec![("two".into(), 60, 140)];
    assert_eq!(brief(&stream.hear(2000, &[rest])), [(1, "two", "")]);
}

#[test]
fn an_utterance_with_only_an_early_start_before_the_window_keeps_its_number() {
    let mut stream = Stream::full();
    let mut early = said("two", 1172, 2000);
    early.words = vec![("two".into(), 1532, 1612)];
    stream.hear(3000, &[early]);
    let (begin, updates) = stream.restart(1400);
    assert_eq!((begin, brief(&updates)), (ms(1400), vec![]));
    stream.connect(begin);
    assert_eq!(
        brief(&stream.hear_last(2000, &[said("Two.", 100, 600)])),
        [(0, "Two.", "F")]
    );
}

#[test]
fn without_timed_words_it_ends_whole_and_the_window_moves_to_its_end() {
    let mut stream = Stream::full();
    let bare = |text, start, end| Said::bare(text, Some((start, end)));
    stream.hear(
        9000,
        &[
            bare("one", 1000, 3000),
            bare("two", 2900, 4000),
            bare("three", 5000, 6000),
        ],
    );
    let (begin, updates) = stream.restart(2000);
    // Also from within the pause after it, as after a settled one.
    assert_eq!(begin, ms(4400));
    assert_eq!(brief(&updates), [(0, "one", "U"), (1, "two", "U")]);
    assert!(stream.tracker.has_open());
}

/// The window may begin as late as where a restart would have begun before.
#[test]
fn a_start_that_is_left_out_is_no_earlier_one() {
    let mut stream = Stream::full();
    let one = said("One.", 500, 1000).definite();
    stream.hear(6000, &[one.clone(), said("two three", 5000, 5900)]);
    let needed = stream.tracker.replay_needed_from();
    assert_eq!(needed, ms(1400));
    let list = format!(
        r#"{},{{"text":"two three four","definite":false,"end_time":6900}}"#,
        one.json()
    );
    stream.sent = ms(7000);
    let json =
        format!(r#"{{"audio_info":{{"duration":7000}},"result":{{"utterances":[{list}]}}}}"#);
    let updates = stream.raw(&json, false);
    assert_eq!(brief(&updates), [(1, "two three four", "")]);
    assert_eq!(updates[0].start, Some(ms(5000)));
    assert_eq!(stream.tracker.replay_needed_from(), needed);
    assert_eq!(restart(&mut stream, 1400), needed);
}

#[test]
fn an_utterance_wholly_before_the_window_ends() {
    let mut stream = Stream::full();
    stream.hear(9000, &[said("one two", 1000, 3000)]);
    let (begin, updates) = stream.restart(5000);
    assert_eq!(
        (begin, brief(&updates)),
        (ms(5000), vec![(0, "one two", "U")])
    );
}

#[test]
fn silence_that_leaves_the_window_is_no_loss() {
    let mut stream = Stream::full();
    stream.hear(
        9000,
        &[said("One.", 500, 1000).definite(), said("two", 5000, 6000)],
    );
    assert_eq!(restart(&mut stream, 4000), ms(4000));
}

#[test]
fn a_text_without_utterances_is_heard_again_from_the_start_or_ends_whole() {
    let mut stream = Stream::full();
    stream.hear_text(3000, "The rain has stopped", false);
    assert_eq!(restart(&mut stream, 0), ms(0));
    stream.connect(ms(0));
    assert_eq!(brief(&stream.hear_text(1000, "The", false)), []);
    assert_eq!(
        brief(&stream.hear_text(4000, "The rain has stopped. Let", false)),
        [(0, "The rain has stopped. Let", "")]
    );
    assert!(stream.tracker.would_lose_untimed_words(ms(1000)));
    assert!(
        !stream.tracker.would_lose_untimed_words(ms(0)),
        "all of it is heard"
    );
    assert!(
        !stream.tracker.would_lose_untimed_words(ms(4000)),
        "nothing of it is"
    );
    let (begin, updates) = stream.restart(1000);
    assert_eq!(
        (begin, brief(&updates)),
        (ms(4000), vec![(0, "The rain has stopped. Let", "U")])
    );
}

// 3: ends.

#[test]
fn between_connections_nothing_is_heard() {
    let mut stream = Stream::full();
    stream.hear(3000, &[said("one", 1260, 2900)]);
    restart(&mut stream, 0);
    assert_eq!(
        brief(&stream.hear(3100, &[said("one two", 1260, 3000)])),
        []
    );
    assert_eq!(brief(&stream.give_up()), [(0, "one", "U")]);
    stream.connect(ms(9000));
    assert_eq!(stream.tracker.final_until(), ms(9000));
}

#[test]
fn lost_during_the_finish_the_next_one_confirms() {
    let mut stream = Stream::full();
    stream.hear(
        3000,
        &[said("One.", 500, 1000).definite(), said("two", 1260, 2000)],
    );
    let begin = restart(&mut stream, 0);
    stream.connect(begin);
    let updates = stream.hear_last(1870, &[said("Two.", 130, 870).definite()]);
    assert_eq!(brief(&updates), [(1, "Two.", "F")]);
}

#[test]
fn memory_is_bounded_by_a_connection() {
    let mut stream = Stream::full();
    for connection in 0..20 {
        stream.connect(ms(connection * 100_000));
        let list: Vec<_> = (0..100)
            .map(|i| said("Yes.", i * 1000, i * 1000 + 500).definite())
            .collect();
        assert_eq!(stream.hear_last(100_000, &list).len(), 100);
        assert!(stream.tracker.settled.len() <= 102);
    }
}

#[test]
fn an_end_that_no_audio_has_reached_does_not_skip_what_comes() {
    let mut stream = Stream::full();
    stream.sent = ms(3000);
    stream.hear(3000, &[Said::bare("one", Some((1000, 1 << 32)))]);
    let (begin, updates) = stream.restart(2000);
    assert_eq!(brief(&updates), [(0, "one", "U")]);
    assert_eq!(begin, ms(3000));
}

/// Audio that leaves the window is settled, or so old that its words are known.
#[test]
fn the_window_gives_up_settled_or_old_audio() {
    let mut stream = Stream::full();
    stream.sent = ms(60_000);
    assert_eq!(
        stream.tracker.resolved_until(),
        ms(0),
        "nothing was answered"
    );
    stream.hear(9000, &[said("one two three", 500, 8900)]);
    assert_eq!(stream.tracker.replay_needed_from(), ms(0));
    assert_eq!(stream.tracker.resolved_until(), ms(7000));
    stream.hear(10_000, &[said("One two three.", 500, 9000).definite()]);
    assert_eq!(stream.tracker.resolved_until(), ms(9400));
}

/// Where the window has cut the utterance, its rest may be cut again.
#[test]
fn a_rest_that_is_cut_shorter_leaves_no_hole() {
    let mut stream = Stream::full();
    stream.hear(40_000, &[said("a b c d e f g h", 15_000, 39_000)]);
    let (begin, updates) = stream.restart(30_000);
    assert_eq!(brief(&updates), [(0, "a b c d e", "U")]);
    stream.connect(begin);
    let updates = stream.hear(4000, &[said("F.", 2000, 2500).definite()]);
    assert_eq!(brief(&updates), [(1, "F.", "F")]);
    assert!(stream.tracker.replay_needed_from() <= stream.tracker.processed_until());
    assert!(restart(&mut stream, 30_000) < begin + ms(4000));
}

#[test]
fn audio_behind_the_last_final_word_may_hold_more() {
    let one = || said("One.", 500, 1000);
    // What was listed, what was processed, and from where on words may be missing.
    for (list, processed, from) in [
        (vec![], 300, 300),
        (vec![], 900, 400),
        (vec![one().definite()], 1300, 1300),
        (vec![one().definite()], 2000, 1400),
        (vec![one().definite()], 60_000, 58_000),
        (vec![one()], 1100, 500),
        (vec![one()], 60_000, 500),
        (vec![one().definite(), said("two", 1100, 1300)], 1350, 1100),
    ] {
        let mut stream = Stream::full();
        stream.hear(processed, &list);
        assert_eq!(
            stream.tracker.unconfirmed_from(),
            ms(from),
            "{processed} {list:?}"
        );
        stream.hear_last(processed, &list);
        assert_eq!(stream.tracker.unconfirmed_from(), stream.sent, "confirmed");
    }
}
