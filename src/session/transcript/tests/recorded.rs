//! Sequences with the oddities of recorded traffic.
use super::script::{described, script};
use super::*;

/// Twenty responses with one growing utterance: its start 732 in the first and 592 from then on,
/// its last word's times moving back, the same text repeated; then two definite ones.
#[test]
fn one_growing_utterance_becomes_two() {
    let mut stream = Stream::full();
    let text: Vec<&str> = "the rain has stopped let us go for a walk"
        .split(' ')
        .collect();
    let mut reported = 0;
    for i in 0..20 {
        let count = (i / 2 + 1).min(text.len());
        let start = if i == 0 { 732 } else { 592 };
        let end = 1000 + 420 * count as i64 - 140 * (i as i64 % 2);
        let mut now = timed(&text[..count].join(" "), start, end);
        if i == 19 {
            now = timed("The rain has stopped. Let us go for a walk.", start, end);
        }
        let updates = stream.respond(500 * (i as u64 + 1), &[now]);
        assert!(updates.iter().all(|u| u.number == 0 && !u.is_final));
        reported += updates.len();
    }
    // Ten texts, and the last one with its punctuation.
    assert_eq!(reported, 11);
    let list = [
        timed("The rain has stopped.", 592, 2400).definite(),
        timed("Let us go for a walk.", 2660, 5192).definite(),
    ];
    let updates = stream.respond_last(10_250, &list);
    // The number stays with the larger part.
    assert_eq!(
        described(&updates),
        ["1 The rain has stopped. F", "0 Let us go for a walk. F"]
    );
    assert_eq!(
        stream.transcript(),
        ["The rain has stopped.", "Let us go for a walk."]
    );
}

#[test]
fn repeated_text_with_only_prefetch_new_is_no_news() {
    let mut stream = Stream::full();
    stream.sent = ms(5000);
    let json = |odd: &str| {
        format!(
            r#"{{"audio_info":{{"duration":2580}},"result":{{{odd}"text":"The rain","utterances":[
            {{"definite":false,"start_time":172,"end_time":2581,"text":"The rain","words":[
            {{"start_time":532,"end_time":612,"text":"The"}},
            {{"start_time":-1,"end_time":-1,"text":" "}},
            {{"start_time":2501,"end_time":2581,"text":"rain"}}]}}]}}}}"#
        )
    };
    let updates = stream.raw(&json(""), false);
    assert_eq!(described(&updates), ["0 The rain"]);
    assert_eq!(updates[0].words[0].text, "The ");
    assert_eq!(updates[0].end, Some(ms(2580)));
    assert_eq!(stream.tracker.processed_until(), ms(2580));
    for odd in [r#""prefetch":true,"#, r#""last_stream_duration":80,"#] {
        assert_eq!(stream.raw(&json(odd), false), []);
    }
}

#[test]
fn two_passes_with_a_growing_list() {
    script(
        "1200: there rain@592-1100#a  | 0 there rain
        2600: there rain stopped@592-2000#a  | 0 there rain stopped
        3400: The rain stopped.@592-2050!#b / let@3100-3300#a  | 0 The rain stopped. F / 1 let
        5200: The rain stopped.@592-2050!#b / Let us go.@3080-4100!#b / @-  | 1 Let us go. F
        5400 last: The rain stopped.@592-2050!#b / Let us go.@3080-4100!#b  |",
    );
}

#[test]
fn marks_with_spikes_for_times() {
    // Sounds of 400 ms, every 660 ms, each an utterance whose times are the spike of 80 ms at its
    // start.
    let mut stream = Stream::full();
    let mut list = Vec::new();
    for i in 0..50i64 {
        let at = 300 + i * 660;
        list.push(timed(&format!("mark{i}."), at, at + 80));
        let updates = stream.respond(at as u64 + 400, &list);
        assert_eq!(updates.len(), 1, "{updates:?}");
        let last = list.len() - 1;
        list[last].definite = true;
        let updates = stream.respond(at as u64 + 600, &list);
        assert_eq!(updates.len(), 1, "{updates:?}");
    }
    assert_eq!(stream.transcript().len(), 50);
}
