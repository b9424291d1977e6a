//! All endpoints, whole and current results, one pass and two, with every oddity of the service:
//! each word is heard exactly once, in order, at its time.

use std::time::Duration;

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::marks::{Layout, Mark};
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

/// One way to use the service.
#[derive(Clone, Debug)]
struct Way {
    endpoint: Endpoint,
    exact: bool,
    oddities: Vec<Oddity>,
    second_pass_delay: Duration,
    /// Word times of 80 ms.
    spikes: bool,
    properties: Vec<(&'static str, &'static str)>,
}

impl Way {
    fn new(endpoint: Endpoint, properties: &[(&'static str, &'static str)]) -> Self {
        Way {
            endpoint,
            exact: true,
            oddities: Vec::new(),
            second_pass_delay: Duration::ZERO,
            spikes: false,
            properties: properties.to_vec(),
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

    /// Returns this way, and it with all oddities, without and with spikes for times.
    fn odd(&self) -> [Self; 3] {
        let odd = self.with(None);
        let spikes = Way {
            spikes: true,
            ..odd.clone()
        };
        [self.clone(), odd, spikes]
    }

    fn hear(&self) -> (BusLog, Vec<Mark>) {
        let service = service(Options {
            recogniser: Recogniser::Marks {
                spikes: self.spikes,
            },
            exact: self.exact,
            oddities: self.oddities.clone(),
            second_pass_delay: self.second_pass_delay,
            ..Options::default()
        });
        let sink = sink_for(&service.uri_for(self.endpoint));
        sink.set_property("max-speed", 0.0);
        for (name, value) in &self.properties {
            sink.set_property_from_str(name, value);
        }
        let (pcm, marks) = speech(SENTENCES);
        let log = TestPipeline::new(sink).run(&pcm, 100);
        assert!(log.errors().is_empty(), "{self:?}: {:?}", log.errors());
        log.assert_no_warnings(format!("{self:?}"));
        assert!(log.saw_eos());
        assert_ends_once(&log.transcripts());
        (log, marks)
    }

    /// Every word in its place, in utterances that end confirmed.
    fn assert_heard(&self) -> BusLog {
        let (log, marks) = self.hear();
        let mut finals = log.finals();
        assert!(
            finals.iter().all(|t| !t.unconfirmed),
            "{self:?}: {finals:#?}"
        );
        finals.sort_by_key(|t| t.timestamp);
        let expected: Vec<_> = expected(&marks, 0)
            .into_iter()
            .map(|(number, start, end)| match self.spikes {
                true => (number, start + 100, start + 180),
                false => (number, start, end),
            })
            .collect();
        assert_eq!(marks_of(&finals), expected, "{self:?}");
        for transcript in &finals {
            let words: String = transcript
                .words
                .iter()
                .map(|word| word.text.as_str())
                .collect();
            assert_eq!(words, transcript.text);
        }
        log
    }
}

#[test]
fn bigmodel_async() {
    for result_type in ["full", "single"] {
        for way in Way::new(Endpoint::Async, &[("result-type", result_type)]).odd() {
            let log = way.assert_heard();
            assert_eq!(log.finals().len() as u64, SENTENCES, "{way:?}");
            assert!(
                log.transcripts().len() as u64 > 2 * SENTENCES,
                "interim results"
            );
        }
    }
}

/// One answer for each packet.
#[test]
fn bigmodel() {
    for result_type in ["full", "single"] {
        for way in Way::new(Endpoint::Bigmodel, &[("result-type", result_type)]).odd() {
            let log = way.assert_heard();
            assert_eq!(log.finals().len() as u64, SENTENCES, "{way:?}");
        }
    }
}

/// Nothing for 15 s, then all that was settled.
#[test]
fn bigmodel_nostream() {
    for result_type in ["full", "single"] {
        let properties = [("result-type", result_type), ("language", "en-US")];
        for way in Way::new(Endpoint::Nostream, &properties).odd() {
            let log = way.assert_heard();
            assert_eq!(log.finals().len() as u64, SENTENCES, "{way:?}");
        }
    }
}

/// As recorded: one utterance grows until the final response cuts it.
#[test]
fn without_an_end_window() {
    for endpoint in [Endpoint::Async, Endpoint::Bigmodel, Endpoint::Nostream] {
        for way in Way::new(endpoint, &[("end-window-size", "0")]).odd() {
            let log = way.assert_heard();
            let transcripts = log.transcripts();
            let early = transcripts.iter().position(|t| t.is_final);
            let rest = early.map_or(0, |early| transcripts.len() - early);
            assert!(
                rest as u64 <= SENTENCES + 1,
                "nothing is final before the end"
            );
        }
    }
}

/// The second pass replaces the first one's words, late and in another order.
#[test]
fn two_passes() {
    for result_type in ["full", "single"] {
        for (delay, out_of_order) in [(600, false), (0, true), (900, true)] {
            let properties = [("enable-nonstream", "true"), ("result-type", result_type)];
            for mut way in Way::new(Endpoint::Async, &properties).odd() {
                way.second_pass_delay = Duration::from_millis(delay);
                way.oddities
                    .extend(out_of_order.then_some(Oddity::OutOfOrder));
                let log = way.assert_heard();
                for transcript in log.finals() {
                    let attributes = transcript.attributes.expect("attributes");
                    assert_eq!(
                        attributes.get::<String>("source").as_deref(),
                        Ok("two_pass")
                    );
                }
            }
        }
    }
}

/// The marks in texts, which have no times.
fn numbers(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    texts
        .into_iter()
        .flat_map(|text| {
            text.split_whitespace()
                .map(|word| word.trim_end_matches('.').to_lowercase())
                .collect::<Vec<_>>()
        })
        .collect()
}

fn assert_texts(way: &Way) -> BusLog {
    let (log, marks) = way.hear();
    let expected: Vec<String> = marks
        .iter()
        .map(|mark| format!("m{}", mark.number))
        .collect();
    let finals = log.finals();
    assert_eq!(
        numbers(finals.iter().map(|t| t.text.clone())),
        expected,
        "{way:?}"
    );
    for transcript in &finals {
        assert!(transcript.words.is_empty());
        assert_eq!((transcript.timestamp, transcript.duration), (None, None));
    }
    assert_eq!(numbers(log.tags()), expected, "{way:?}");
    log
}

/// Only texts: one utterance for the whole session, and nothing final before its end.
#[test]
fn without_utterances() {
    for endpoint in [Endpoint::Async, Endpoint::Bigmodel, Endpoint::Nostream] {
        for way in &Way::new(endpoint, &[("show-utterances", "false")]).odd()[..2] {
            let log = assert_texts(way);
            assert_eq!(log.finals().len(), 1, "{way:?}");
            assert!(!log.finals()[0].unconfirmed, "{way:?}");
        }
        let way = Way::new(endpoint, &[]).with(Some(Oddity::TextOnly));
        assert_eq!(assert_texts(&way).finals().len(), 1, "{way:?}");
    }
}

/// The text begins anew with each sentence: each is one of its own, the last the only one that is
/// confirmed.
#[test]
fn texts_that_begin_anew() {
    for endpoint in [Endpoint::Async, Endpoint::Bigmodel] {
        for properties in [
            &[("show-utterances", "false")][..],
            &[("show-utterances", "false"), ("result-type", "single")],
        ] {
            let way = Way::new(endpoint, properties).with(Some(Oddity::TextResets));
            let finals = assert_texts(&way).finals();
            assert_eq!(finals.len() as u64, SENTENCES, "{way:?}");
        }
    }
}

/// Sentences that follow each other by 260 ms, short ones, and ones that go on for half a minute.
#[test]
fn other_manners_of_speaking() {
    let speakers = [
        Layout {
            sentence: 1,
            length: 80,
            every: 80,
            pause: 260,
            ..Layout::default()
        },
        Layout {
            sentence: 60,
            length: 300,
            every: 480,
            pause: 900,
            noise: true,
            ..Layout::default()
        },
        Layout {
            lead: 0,
            sentence: 2,
            length: 100,
            every: 110,
            pause: 2000,
            ..Layout::default()
        },
    ];
    for layout in speakers {
        for window in ["200", "800"] {
            let service = service(Options {
                oddities: ODDITIES.to_vec(),
                ..Options::default()
            });
            let sink = sink(&service);
            sink.set_property("max-speed", 0.0);
            sink.set_property_from_str("end-window-size", window);
            let length = 40_000_u64.next_multiple_of(layout.period());
            let (pcm, marks) = layout.sentences(length / layout.period());
            let log = TestPipeline::new(sink).run(&pcm, 20);
            assert!(log.errors().is_empty(), "{:?}", log.errors());
            assert_ends_once(&log.transcripts());
            assert_eq!(
                marks_of(&log.finals()),
                expected(&marks, 0),
                "{layout:?} {window}"
            );
        }
    }
}
