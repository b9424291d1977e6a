//! All endpoints, whole and current results, one pass and two, with every oddity of the service:
//! each word is reported exactly once, in order, at its time.

use std::time::Duration;

use crate::common::faults::expected_words;
use crate::common::*;
use volcasr_loopback::marks::Mark;
use volcasr_loopback::{Endpoint, Oddity, Options, Recogniser};

/// More than the 15 s that `bigmodel_nostream` is silent for.
const SENTENCES: u64 = 6;
const ENDPOINTS: [Endpoint; 3] = [Endpoint::Async, Endpoint::Bigmodel, Endpoint::Nostream];

/// All at once, but for those that change what is asked for, or leave out all utterances.
const ODDITIES: [Oddity; 5] = [
    Oddity::EmptyDefinite,
    Oddity::ResultList,
    Oddity::Blank,
    Oddity::LateAck,
    Oddity::Gzip,
];

/// One way to use the service.
#[derive(Clone, Debug)]
struct Way {
    endpoint: Endpoint,
    properties: String,
    /// Oddities of the service; without any it is exact.
    oddities: Vec<Oddity>,
    second_pass_delay: Duration,
    /// Word times of 80 ms.
    spikes: bool,
}

impl Way {
    fn new(endpoint: Endpoint, properties: &str) -> Self {
        Way {
            endpoint,
            properties: properties.to_owned(),
            oddities: Vec::new(),
            second_pass_delay: Duration::ZERO,
            spikes: false,
        }
    }

    /// Returns this way with all oddities and one more.
    fn with(&self, oddity: Option<Oddity>) -> Self {
        Way {
            oddities: ODDITIES.into_iter().chain(oddity).collect(),
            ..self.clone()
        }
    }

    /// Returns this way, and it with all oddities and spikes for times.
    fn odd(&self) -> [Self; 2] {
        let odd = Way {
            spikes: true,
            ..self.with(None)
        };
        [self.clone(), odd]
    }

    fn run(&self) -> (BusLog, Vec<Mark>) {
        let spikes = self.spikes;
        let service = service(Options {
            recogniser: Recogniser::Marks { spikes },
            exact: self.oddities.is_empty(),
            oddities: self.oddities.clone(),
            second_pass_delay: self.second_pass_delay,
            ..Options::default()
        });
        let sink = set(sink_for(&service.uri_for(self.endpoint)), "max-speed=0");
        let (pcm, marks) = speech(SENTENCES);
        let log = TestPipeline::new(set(sink, &self.properties)).run(&pcm, 100);
        log.assert_clean_in(format!("{self:?}"));
        (log, marks)
    }

    /// Every word in its place, in utterances that end confirmed.
    fn assert_recognised(&self) -> BusLog {
        let (log, marks) = self.run();
        let mut finals = log.finals();
        let is_confirmed = finals.iter().all(|t| !t.unconfirmed);
        assert!(is_confirmed, "{self:?}: {finals:#?}");
        finals.sort_by_key(|t| t.times.timestamp);
        let words = expected_words(&marks, self.spikes);
        assert_eq!(marks_of(&finals), words, "{self:?}");
        for transcript in &finals {
            let words: String = transcript.words.iter().map(|word| &*word.text).collect();
            assert_eq!(words, transcript.text);
        }
        log
    }

    /// The marks in texts, which have no times.
    fn assert_texts(&self) -> Vec<Transcript> {
        let (log, marks) = self.run();
        let numbers = |texts: &[String]| {
            let words = texts.iter().flat_map(|text| text.split_whitespace());
            words.map(number_of).collect::<Vec<_>>()
        };
        let expected: Vec<_> = marks.iter().map(|mark| mark.number).collect();
        let finals = log.finals();
        let texts: Vec<_> = finals.iter().map(|t| t.text.clone()).collect();
        assert_eq!(numbers(&texts), expected, "{self:?}");
        assert_eq!(numbers(&log.tags()), expected, "{self:?}");
        let untimed = |t: &Transcript| t.words.is_empty() && t.times.timestamp.is_none();
        assert!(finals.iter().all(untimed), "{finals:#?}");
        finals
    }
}

/// With interim results; one answer for each packet; or nothing for 15 s, then all that was
/// settled.
#[test]
fn each_endpoint_recognises_the_words() {
    for endpoint in ENDPOINTS {
        for result_type in ["full", "single"] {
            for way in Way::new(endpoint, &format!("result-type={result_type}")).odd() {
                let log = way.assert_recognised();
                assert_eq!(log.finals().len() as u64, SENTENCES, "{way:?}");
                let is_interim = log.transcripts().len() as u64 > 2 * SENTENCES;
                assert!(is_interim || endpoint != Endpoint::Async, "{way:?}");
            }
        }
    }
}

/// As recorded: one utterance grows until the final response cuts it.
#[test]
fn without_an_end_window() {
    for endpoint in ENDPOINTS {
        for way in Way::new(endpoint, "end-window-size=0").odd() {
            let transcripts = way.assert_recognised().transcripts();
            let early = transcripts.iter().position(|t| t.is_final);
            let rest = early.map_or(0, |early| transcripts.len() - early) as u64;
            assert!(rest <= SENTENCES + 1, "nothing is final before the end");
        }
    }
}

/// The second pass replaces the first one's words, late and in another order.
#[test]
fn two_passes() {
    for result_type in ["full", "single"] {
        for (delay, oddity) in [(600, None), (900, Some(Oddity::OutOfOrder))] {
            let properties = format!("enable-nonstream=true result-type={result_type}");
            let way = Way::new(Endpoint::Async, &properties);
            for mut way in [way.clone(), way.with(oddity)] {
                way.second_pass_delay = Duration::from_millis(delay);
                way.spikes = !way.oddities.is_empty();
                for transcript in way.assert_recognised().finals() {
                    assert_eq!(transcript.attributes["source"], "two_pass");
                }
            }
        }
    }
}

/// Only texts: one utterance for the whole session, and nothing final before its end. Where the
/// text begins anew with each sentence, each is one.
#[test]
fn without_utterances() {
    for endpoint in ENDPOINTS {
        let text_only = Way::new(endpoint, "").with(Some(Oddity::TextOnly));
        let [plain, odd] = Way::new(endpoint, "show-utterances=false").odd();
        for way in [plain, odd, text_only] {
            let finals = way.assert_texts();
            assert_eq!(finals.len(), 1, "{way:?}");
            assert!(!finals[0].unconfirmed, "{way:?}");
        }
    }
    for endpoint in [Endpoint::Async, Endpoint::Bigmodel] {
        for result_type in ["full", "single"] {
            let properties = format!("show-utterances=false result-type={result_type}");
            let anew = Way::new(endpoint, &properties).with(Some(Oddity::TextResets));
            assert_eq!(anew.assert_texts().len() as u64, SENTENCES, "{anew:?}");
        }
    }
}
