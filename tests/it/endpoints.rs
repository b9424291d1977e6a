//! All endpoints, whole and current results, one pass and two, with every oddity of the service:
//! each word is reported exactly once, in order, at its time.

use std::time::Duration;

use crate::common::faults::expected_words;
use crate::common::*;
use volcasr_loopback::marks::{Layout, Mark};
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
    exact: bool,
    oddities: Vec<Oddity>,
    second_pass_delay: Duration,
    /// Word times of 80 ms.
    spikes: bool,
    properties: String,
}

impl Way {
    fn new(endpoint: Endpoint, properties: &str) -> Self {
        Way {
            endpoint,
            exact: true,
            oddities: Vec::new(),
            second_pass_delay: Duration::ZERO,
            spikes: false,
            properties: properties.to_owned(),
        }
    }

    /// Returns this way with all oddities and one more.
    fn with(&self, oddity: Option<Oddity>) -> Self {
        Way {
            exact: false,
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
            exact: self.exact,
            oddities: self.oddities.clone(),
            second_pass_delay: self.second_pass_delay,
            ..Options::default()
        });
        let sink = set(sink_for(&service.uri_for(self.endpoint)), "max-speed=0");
        let (pcm, marks) = speech(SENTENCES);
        let log = TestPipeline::new(set(sink, &self.properties)).run(&pcm, 100);
        log.assert_clean_in(format!("{self:?}"));
        assert!(log.saw_eos());
        (log, marks)
    }

    /// Every word in its place, in utterances that end confirmed.
    fn assert_recognised(&self) -> BusLog {
        let (log, marks) = self.run();
        let mut finals = log.finals();
        assert!(
            finals.iter().all(|t| !t.unconfirmed),
            "{self:?}: {finals:#?}"
        );
        finals.sort_by_key(|t| t.timestamp);
        assert_eq!(
            marks_of(&finals),
            expected_words(&marks, self.spikes),
            "{self:?}"
        );
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
        let untimed = |t: &Transcript| t.words.is_empty() && t.timestamp.or(t.duration).is_none();
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
            let way = Way::new(endpoint, &format!("result-type={result_type}"));
            for way in way.odd() {
                let log = way.assert_recognised();
                assert_eq!(log.finals().len() as u64, SENTENCES, "{way:?}");
                let most = log.transcripts().len() as u64;
                assert!(
                    most > 2 * SENTENCES || endpoint != Endpoint::Async,
                    "interim results"
                );
            }
        }
    }
}

/// As recorded: one utterance grows until the final response cuts it.
#[test]
fn without_an_end_window() {
    for endpoint in ENDPOINTS {
        for way in Way::new(endpoint, "end-window-size=0").odd() {
            let log = way.assert_recognised();
            let transcripts = log.transcripts();
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
        for (delay, out_of_order) in [(600, false), (900, true)] {
            let properties = format!("enable-nonstream=true result-type={result_type}");
            for mut way in Way::new(Endpoint::Async, &properties).odd() {
                way.second_pass_delay = Duration::from_millis(delay);
                way.oddities
                    .extend(out_of_order.then_some(Oddity::OutOfOrder));
                for transcript in way.assert_recognised().finals() {
                    let attributes = transcript.attributes.expect("attributes");
                    assert_eq!(attributes.get::<&str>("source"), Ok("two_pass"));
                }
            }
        }
    }
}

/// Only texts: one utterance for the whole session, and nothing final before its end.
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
}

/// The text begins anew with each sentence: each is one of its own, the last the only one that is
/// confirmed.
#[test]
fn texts_that_begin_anew() {
    for endpoint in [Endpoint::Async, Endpoint::Bigmodel] {
        for result_type in ["full", "single"] {
            let properties = format!("show-utterances=false result-type={result_type}");
            let way = Way::new(endpoint, &properties).with(Some(Oddity::TextResets));
            assert_eq!(way.assert_texts().len() as u64, SENTENCES, "{way:?}");
        }
    }
}

/// Sentences that follow each other by 260 ms, short ones, and ones that go on for half a minute.
#[test]
fn other_manners_of_speaking() {
    let layout = |sentence, length, every, pause| Layout {
        sentence,
        length,
        every,
        pause,
        ..Layout::default()
    };
    let at_once = Layout {
        lead: 0,
        ..layout(2, 100, 110, 2000)
    };
    for layout in [layout(1, 80, 80, 260), layout(60, 300, 480, 900), at_once] {
        for window in ["200", "800"] {
            let service = service(Options {
                oddities: ODDITIES.to_vec(),
                ..Options::default()
            });
            let sink = set(unpaced_sink(&service), &format!("end-window-size={window}"));
            let length = 40_000_u64.next_multiple_of(layout.period());
            let (pcm, marks) = layout.sentences(length / layout.period());
            let log = TestPipeline::new(sink).run(&pcm, 20);
            log.assert_said_in(format_args!("{layout:?} {window}"), &marks, 0);
        }
    }
}
