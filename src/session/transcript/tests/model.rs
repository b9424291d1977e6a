//! Invented streams: a small service that hears words, lists them with the oddities of the real
//! one, and gets lost.
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// A word and its sound, on the axis.
#[derive(Debug, Clone, Copy)]
struct Sound {
    sentence: usize,
    start: i64,
    end: i64,
}

impl Sound {
    fn middle(&self) -> i64 {
        (self.start + self.end) / 2
    }
}

/// A service is free in these; the promises must hold for each.
#[derive(Debug, Clone)]
struct Service {
    single: bool,
    /// One growing utterance until the final response cuts it.
    merged: bool,
    words: bool,
    /// From a word's end to the response that has it, at least.
    lag: i64,
    /// How much longer it may be, another time for each response.
    jitter: i64,
    /// Silence after which a sentence is settled.
    window: i64,
    /// A second pass settles that much later, a different time for each sentence.
    second_pass: i64,
    /// In how many of a hundred longer pauses within a sentence each connection, for itself, begins
    /// another one.
    cuts: i64,
    /// How many times in a hundred steps the connection is lost, or ended in good order.
    losses: u64,
    rotations: u64,
    /// How much sent audio can be sent again.
    replay: i64,
    seed: u64,
}

/// Small and repeatable: proptest's own values would make a stream of this length slow to shrink.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % n.max(1)
    }

    fn percent(&mut self, n: u64) -> bool {
        (self.below(100) as u64) < n
    }
}

/// The same for each response of a connection, and different in the next one.
fn fixed(seed: u64, n: i64) -> i64 {
    Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).below(n)
}

struct Connection {
    id: u64,
    origin: i64,
    /// The audio of which its responses have the words.
    heard: i64,
    /// Sentences, by their first word, that were listed as definite, in `single` mode.
    told: BTreeSet<usize>,
}

struct Model {
    service: Service,
    dice: Dice,
    sounds: Vec<Sound>,
    connection: Connection,
    stream: Stream,
    /// Words that nobody can be blamed for: they left the window before they were heard.
    gone: BTreeSet<usize>,
    /// A word may have been cut by the window.
    cut: bool,
}

/// A reported start is at most so much before the sound.
const EARLY: i64 = 150;

/// Where a sentence may be cut between two words, from the start and from the end of the one to the
/// start of the other: what looks like 260 ms, and so long that the middle of the first lies before
/// that of the pause.
const CUT: (i64, i64) = (80 + 260 + EARLY, 170);

/// As the client keeps it for a start that is revised.
const KEPT: Duration = Duration::from_secs(1);

/// Sentences of up to `longest` words; reported ends are early, so that pauses between sentences
/// look like 260 ms and more.
fn speak(dice: &mut Dice, longest: i64) -> Vec<Sound> {
    let mut sounds = Vec::new();
    let mut at = 100 + dice.below(1500);
    for sentence in 0..2 + dice.below(7) as usize {
        for _ in 0..1 + dice.below(longest) {
            let end = at + 200 + dice.below(200);
            sounds.push(Sound {
                sentence,
                start: at,
                end,
            });
            at = end + 60 + dice.below(140);
        }
        let spike = sounds.last().map_or(0, |s: &Sound| s.start + 80);
        at = (at + EARLY).max(spike + 260 + EARLY)
            + if dice.percent(30) {
                dice.below(4000)
            } else {
                dice.below(900)
            };
    }
    sounds
}

impl Model {
    fn new(service: Service) -> Self {
        let mut dice = Dice(service.seed);
        // So long that a part of one is longer than what is kept behind it.
        let longest = if service.cuts > 0 { 40 } else { 5 };
        let sounds = speak(&mut dice, longest);
        let mode = if service.single {
            ResultType::Single
        } else {
            ResultType::Full
        };
        Self {
            service,
            dice,
            sounds,
            connection: Connection {
                id: 0,
                origin: 0,
                heard: 0,
                told: BTreeSet::new(),
            },
            stream: Stream::new(mode),
            gone: BTreeSet::new(),
            cut: false,
        }
    }

    fn jitter(&self, word: usize, kind: u64, n: i64) -> i64 {
        fixed(
            self.service.seed ^ (word as u64) << 8 ^ self.connection.id << 32 ^ kind << 60,
            n,
        )
    }

    /// The words of each sentence as this connection cuts them, by the first one.
    fn cut(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut cut: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, sound) in self.sounds.iter().enumerate() {
            let before = index.checked_sub(1).map(|i| self.sounds[i]);
            let goes_on = before.is_some_and(|before| {
                before.sentence == sound.sentence
                    && (sound.start - before.start < CUT.0
                        || sound.start - before.end < CUT.1
                        || self.jitter(index, 3, 100) >= self.service.cuts)
            });
            match cut.last_entry().filter(|_| goes_on) {
                Some(mut last) => last.get_mut().push(index),
                None => drop(cut.insert(index, vec![index])),
            }
        }
        cut
    }

    /// An utterance of these words as this connection lists it.
    fn utterance(&mut self, words: &[usize], definite: bool) -> Said {
        let origin = self.connection.origin;
        let mut spikes: Vec<(String, i64, i64)> = Vec::new();
        let mut text = String::new();
        for &word in words {
            let shout = !definite && self.dice.percent(5);
            let name = if shout {
                format!("W{word}")
            } else {
                format!("w{word}")
            };
            text += if text.is_empty() {
                ""
            } else if self.dice.percent(10) && !definite {
                ", "
            } else {
                " "
            };
            text += &name;
            let start = (self.sounds[word].start + self.jitter(word, 1, 30)).max(origin) - origin;
            spikes.push((name, start, start + 80));
        }
        // The last word's times move while it is not settled.
        if let (false, Some(last)) = (definite, spikes.last_mut()) {
            let back = self.dice.below(60);
            (last.1, last.2) = ((last.1 - back).max(0), (last.2 - back).max(80));
        }
        let early = self.jitter(words[0], 2, 100) + if definite { 0 } else { self.dice.below(50) };
        let start = (spikes[0].1 - early).max(0);
        let end = spikes.last().map_or(start, |s| s.2);
        Said {
            words: if self.service.words {
                spikes
            } else {
                Vec::new()
            },
            definite,
            ..Said::bare(
                &(text + if definite { "." } else { "" }),
                Some((start, end)),
            )
        }
    }

    /// What a response after `at` lists: every word that ended long enough before, cut into
    /// utterances.
    fn list(&mut self, at: i64, last: bool) -> Vec<Said> {
        let lag = self.service.lag + self.dice.below(self.service.jitter);
        self.connection.heard = self.connection.heard.max(at - lag);
        let until = self.connection.heard;
        let mut sentences = self.cut();
        for words in sentences.values_mut() {
            words.retain(|&word| {
                let sound = self.sounds[word];
                let heard = if last {
                    sound.middle() < at
                } else {
                    sound.end <= until
                };
                heard && sound.middle() >= self.connection.origin
            });
        }
        sentences.retain(|_, words| !words.is_empty());
        if self.service.merged && !last {
            let all: Vec<usize> = sentences.into_values().flatten().collect();
            return if all.is_empty() {
                Vec::new()
            } else {
                vec![self.utterance(&all, false)]
            };
        }
        let latest = sentences.keys().next_back().copied();
        let ends: BTreeMap<usize, i64> = self
            .cut()
            .into_iter()
            .map(|(first, words)| (first, self.sounds[words[words.len() - 1]].end))
            .collect();
        let mut list = Vec::new();
        for (sentence, words) in sentences {
            let end = ends[&sentence];
            let delay = fixed(
                self.service.seed ^ sentence as u64,
                self.service.second_pass,
            );
            let over = latest != Some(sentence) || until >= end + self.service.window;
            let definite = last || over && until >= end + delay;
            if definite && self.service.single && !self.connection.told.insert(sentence) {
                continue;
            }
            let definite = definite && !(last && self.dice.percent(20));
            list.push(self.utterance(&words, definite));
        }
        if self.dice.percent(20) {
            list.push(Said::bare("", Some((-1, -1))));
        }
        list
    }

    /// Words by how often they are shown.
    fn shown(&self) -> BTreeMap<usize, usize> {
        let mut shown = BTreeMap::new();
        for text in self.stream.transcript() {
            for word in text.split_whitespace() {
                let digits = word.trim_matches(|c: char| !c.is_ascii_digit());
                *shown.entry(digits.parse().unwrap()).or_default() += 1;
            }
        }
        shown
    }

    fn respond(&mut self, at: i64, last: bool) {
        let before = self.shown();
        let list = self.list(at, last);
        let duration = (at - self.connection.origin) as u64;
        if !last {
            let sent = ms((at + self.dice.below(600)) as u64);
            self.stream.sent = self.stream.sent.max(sent);
        }
        self.stream.listed(duration, &list, last);
        // What is sent again goes no faster than it is worked through here. Where the window has
        // moved past speech, it may begin earlier than it has to.
        let needed = self
            .stream
            .tracker
            .replay_needed_from()
            .saturating_sub(KEPT);
        assert!(self.cut || needed <= ms(at as u64), "a hole");
        let shown = self.shown();
        // Cut anew, a word may move from one utterance to the next, and stand in both until both
        // are settled.
        let cuts = self.service.cuts > 0;
        for (word, &count) in shown.iter().filter(|_| !cuts) {
            assert!(
                count < 2,
                "w{word} is doubled: {:#?}",
                self.stream.transcript()
            );
        }
        // What the window has moved past may be worded anew: it ends in pieces.
        if self.cut {
            return;
        }
        for word in before.keys().filter(|_| !cuts) {
            assert!(
                shown.contains_key(word),
                "w{word} shrank: {:#?}",
                self.stream.transcript()
            );
        }
    }

    fn lose(&mut self, at: i64) -> i64 {
        let sent = self.stream.sent.as_millis() as i64;
        let needed = self.stream.tracker.replay_needed_from();
        let window = (sent - self.service.replay).max(self.connection.origin) as u64;
        let (begin, _) = self.stream.restart(window);
        assert!(begin >= ms(window));
        if ms(window) <= needed {
            assert_eq!(begin, needed);
        } else {
            self.cut = true;
        }
        let begin = begin.as_millis() as i64;
        assert!(begin <= at.max(sent));
        let shown = self.shown();
        for (index, sound) in self.sounds.iter().enumerate() {
            if self.cut && sound.middle() < begin && !shown.contains_key(&index) {
                self.gone.insert(index);
            }
        }
        self.connect(begin);
        begin
    }

    fn connect(&mut self, origin: i64) {
        let id = self.connection.id + 1;
        self.connection = Connection {
            id,
            origin,
            heard: origin,
            told: BTreeSet::new(),
        };
        self.stream.connect(ms(origin as u64));
    }

    /// The whole stream, confirmed or not. What is shown then.
    fn run(mut self, confirmed: bool) {
        let end = self.sounds.last().map_or(0, |s| s.end) + 1500;
        let mut at = 0;
        for _ in 0..2000 {
            at += 50 + self.dice.below(450);
            if at >= end {
                break;
            }
            if self.dice.percent(self.service.losses) {
                at = self.lose(at);
            } else if self.dice.percent(self.service.rotations) && ms(at as u64) >= self.stream.sent
            {
                // All that was sent is worked through.
                self.stream.sent = ms(at as u64);
                self.respond(at, true);
                assert!(!self.stream.tracker.has_open());
                self.connect(at);
            } else if self.dice.percent(80) {
                self.respond(at, false);
            }
        }
        if confirmed {
            self.stream.sent = ms(end as u64);
            self.respond(end, true);
            let shown = self.shown();
            for word in 0..self.sounds.len() {
                assert!(
                    shown.contains_key(&word) || self.gone.contains(&word),
                    "w{word} is lost: {:#?}",
                    self.stream.transcript()
                );
            }
            let order: Vec<usize> = self
                .stream
                .transcript()
                .iter()
                .flat_map(|t| t.split_whitespace())
                .map(|w| {
                    w.trim_matches(|c: char| !c.is_ascii_digit())
                        .parse()
                        .unwrap()
                })
                .collect();
            // Each word once and in order, however connections cut sentences: while both were open,
            // a word might stand in two utterances (section 8: what was open may be cut anew), but
            // what is settled is recognised once.
            assert!(order.is_sorted_by(|a, b| a < b), "{order:?}");
        } else {
            let before = self.shown();
            self.stream.give_up();
            // The last that was heard of each, and nothing of it under two numbers.
            let shown = self.shown();
            assert!(shown.keys().eq(before.keys()), "{shown:?} {before:?}");
            let doubled: Vec<_> = shown.iter().filter(|(_, count)| **count > 1).collect();
            assert!(doubled.is_empty(), "{doubled:?}");
        }
        assert!(self.stream.latest.values().all(|u| u.is_final));
    }
}

fn service() -> impl Strategy<Value = Service> {
    let kind = (any::<bool>(), any::<bool>(), any::<bool>());
    let times = (
        (200i64..700, prop_oneof![Just(1i64), 1i64..1200]),
        500i64..1500,
        prop_oneof![Just(1i64), 1i64..3000],
    );
    let faults = (
        prop_oneof![Just(0u64), 1u64..20],
        prop_oneof![Just(0u64), 1u64..6],
    );
    (kind, times, faults, any::<u64>()).prop_map(|(kind, times, faults, seed)| Service {
        single: kind.0,
        merged: kind.1,
        words: kind.2,
        lag: times.0.0,
        jitter: times.0.1,
        window: times.1,
        second_pass: times.2,
        cuts: 0,
        losses: faults.0,
        rotations: faults.1,
        replay: 1 << 40,
        seed,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// With a window that holds everything: no word is ever shown twice, or not any more, and in
    /// the end all are there, in order.
    #[test]
    fn nothing_is_lost_or_doubled(service in service(), confirmed in any::<bool>()) {
        Model::new(service).run(confirmed);
    }

    /// With a window too short: what left it is not heard again, but what was shown of it stays.
    #[test]
    fn what_leaves_the_window_is_not_doubled(mut service in service(), replay in 500i64..5000) {
        service.words = true;
        service.replay = replay;
        Model::new(service).run(true);
    }
}

proptest! {
    // Each is a long stream.
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 100, ..ProptestConfig::default() })]

    /// Connections that cut sentences differently: what is settled in one may end in the middle of
    /// what was open in another. It comes back as another utterance, and in the end all are there,
    /// once and in order.
    #[test]
    fn what_is_cut_anew_is_not_lost(mut service in service(), cuts in 1i64..100, confirmed in any::<bool>()) {
        service.words = true;
        service.cuts = cuts;
        service.losses = service.losses.max(5);
        Model::new(service).run(confirmed);
    }
}
