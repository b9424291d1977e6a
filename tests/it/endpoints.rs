//! All endpoints, whole and current results, one pass and two, with oddities of the service: each
//! word is reported exactly once, in order, at its time. The soak mixes them with faults.

use std::time::Duration;

use crate::common::faults::expected_words;
use crate::common::*;
use volcasr_loopback::{Endpoint, Oddity, Options, Recogniser};

/// More than the 15 s that `bigmodel_nostream` is silent for.
const SENTENCES: u64 = 6;

/// All at once, but for those that change what is asked for, or leave out all utterances.
const ODDITIES: [Oddity; 5] = [
    Oddity::EmptyDefinite,
    Oddity::ResultList,
    Oddity::Blank,
    Oddity::LateAck,
    Oddity::Gzip,
];

/// Content of the final messages.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Has {
    /// Every word at its time.
    Words,
    /// That, and the words are those of the second pass.
    SecondPass,
    /// Texts, in so many utterances.
    Texts(usize),
}

/// Endpoints, properties, an oddity besides, and what comes of it.
type Row = (&'static [Endpoint], &'static str, Option<Oddity>, Has);

const ASYNC: &[Endpoint] = &[Endpoint::Async];
const INTERIM: &[Endpoint] = &[Endpoint::Async, Endpoint::Bigmodel];
const ALL: &[Endpoint] = &[Endpoint::Async, Endpoint::Bigmodel, Endpoint::Nostream];

#[rustfmt::skip]
const ROWS: [Row; 11] = [
    (ALL, "result-type=full", None, Has::Words),
    (ALL, "result-type=single", None, Has::Words),
    // One utterance grows until the final response cuts it.
    (ALL, "end-window-size=0", None, Has::Words),
    // Late, and in another order.
    (ASYNC, "enable-nonstream=true result-type=full", None, Has::SecondPass),
    (ASYNC, "enable-nonstream=true result-type=single", None, Has::SecondPass),
    (ASYNC, "enable-nonstream=true result-type=full", Some(Oddity::OutOfOrder), Has::SecondPass),
    (ASYNC, "enable-nonstream=true result-type=single", Some(Oddity::OutOfOrder), Has::SecondPass),
    (ALL, "show-utterances=false", None, Has::Texts(1)),
    (ALL, "", Some(Oddity::TextOnly), Has::Texts(1)),
    // Where the text begins anew with each sentence, each is an utterance.
    (INTERIM, "show-utterances=false result-type=full", Some(Oddity::TextResets), Has::Texts(6)),
    (INTERIM, "show-utterances=false result-type=single", Some(Oddity::TextResets), Has::Texts(6)),
];

#[test]
fn each_way_gives_each_word_once() {
    for (endpoints, properties, oddity, has) in ROWS {
        for &endpoint in endpoints {
            for others in [&[][..], &ODDITIES] {
                let oddities = others.iter().copied().chain(oddity).collect();
                check(endpoint, properties, oddities, has);
            }
        }
    }
}

/// Runs a session. With oddities word times are spikes of 80 ms; without, the service is exact.
fn check(endpoint: Endpoint, properties: &str, oddities: Vec<Oddity>, has: Has) {
    let case = format!("{endpoint:?} {properties} {oddities:?}");
    let spikes = !oddities.is_empty();
    let service = service(Options {
        recogniser: Recogniser::marks(spikes),
        exact: !spikes,
        oddities,
        second_pass_delay: Duration::from_millis(900),
        ..Options::default()
    });
    let sink = set(sink_for(&service.uri_for(endpoint)), "max-speed=0");
    let (pcm, marks) = speech(SENTENCES);
    let log = TestPipeline::new(set(sink, properties)).run(&pcm, 100);
    log.assert_clean_in(&case);
    let mut finals = log.finals();
    let all = log.transcripts();
    if endpoint == Endpoint::Async {
        let interim = all.len() - finals.len();
        assert!(interim > finals.len(), "{case}: {interim} interim");
    }
    if properties == "end-window-size=0" {
        let ends_last = all.is_sorted_by_key(|t| t.is_final);
        assert!(ends_last, "{case}: {all:#?}");
    }
    // A text that another one follows is not confirmed.
    let unconfirmed = match has {
        Has::Texts(count) => count - 1,
        _ => 0,
    };
    let found = finals.iter().filter(|t| t.unconfirmed).count();
    assert_eq!(found, unconfirmed, "{case}: {finals:#?}");
    if let Has::Texts(count) = has {
        let numbers = |texts: &[String]| {
            let words = texts.iter().flat_map(|text| text.split_whitespace());
            words.map(number_of).collect::<Vec<_>>()
        };
        let expected: Vec<_> = marks.iter().map(|mark| mark.number).collect();
        let texts: Vec<_> = finals.iter().map(|t| t.text.clone()).collect();
        assert_eq!((numbers(&texts), texts.len()), (expected, count), "{case}");
        assert_eq!(numbers(&log.tags()), numbers(&texts), "{case}");
        let untimed = |t: &Transcript| t.words.is_empty() && t.times.timestamp.is_none();
        assert!(finals.iter().all(untimed), "{case}: {finals:#?}");
        return;
    }
    finals.sort_by_key(|t| t.times.timestamp);
    assert_eq!(marks_of(&finals), expected_words(&marks, spikes), "{case}");
    for transcript in &finals {
        let words: String = transcript.words.iter().map(|word| &*word.text).collect();
        assert_eq!(words, transcript.text, "{case}");
        let source = transcript.attributes.get("source").map(String::as_str);
        assert_eq!(source == Some("two_pass"), has == Has::SecondPass, "{case}");
    }
}
