//! Invented streams: a small service recognises words, lists them with the oddities of the real
//! one, and is lost.
use std::collections::{BTreeMap, BTreeSet};

use super::speech::{Dice, EARLY, Sound, fixed, random_sounds};
use super::*;

/// Choices of a service. The rules must hold for all of them.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub single: bool,
    /// One growing utterance until the final response cuts it.
    pub merged: bool,
    pub words: bool,
    /// From a word's end to the response that has it, at least.
    pub lag: i64,
    /// How much longer it may be, another time for each response.
    pub jitter: i64,
    /// Silence after which a sentence is settled.
    pub window: i64,
    /// A second pass settles that much later, a different time for each sentence.
    pub second_pass: i64,
    /// In how many of a hundred longer pauses within a sentence each connection, for itself, begins
    /// another one.
    pub cuts: i64,
    /// How many times in a hundred steps the connection is lost, or ended in good order.
    pub losses: u64,
    pub rollovers: u64,
    /// How much sent audio can be sent again.
    pub replay: i64,
    pub seed: u64,
}

struct Connection {
    id: u64,
    origin: i64,
    /// End of the audio of which its responses have the words.
    covered_until: i64,
    /// Sentences, by their first word, that were listed as definite, in `single` mode.
    listed: BTreeSet<usize>,
}

pub(super) struct Model {
    service: Service,
    dice: Dice,
    sounds: Vec<Sound>,
    connection: Connection,
    stream: Stream,
    /// Words that left the window before they were recognised: their loss is no fault.
    gone: BTreeSet<usize>,
    /// The window may have cut a word.
    word_cut: bool,
}

/// Where a sentence may be cut between two words, from the start and from the end of the one to the
/// start of the other: what looks like 260 ms, and so long that the middle of the first lies before
/// that of the pause.
const MIN_PAUSE: (i64, i64) = (80 + 260 + EARLY, 170);

/// Upper bound on how late the start of a word may be reported.
const MAX_JITTER: i64 = 30;

/// How far what a replay needs may begin too late: a start may be revised.
const MAX_START_REVISION: Duration = Duration::from_secs(1);

impl Model {
    pub fn new(service: Service) -> Self {
        let mut dice = Dice(service.seed);
        // So long that a part of one is longer than what is kept behind it.
        let longest = if service.cuts > 0 { 40 } else { 5 };
        let sounds = random_sounds(&mut dice, longest);
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
                covered_until: 0,
                listed: BTreeSet::new(),
            },
            stream: Stream::new(mode),
            gone: BTreeSet::new(),
            word_cut: false,
        }
    }

    fn jitter(&self, word: usize, kind: u64, n: i64) -> i64 {
        fixed(
            self.service.seed ^ (word as u64) << 8 ^ self.connection.id << 32 ^ kind << 60,
            n,
        )
    }

    /// The words of each sentence as this connection divides them, by the first one.
    fn sentences(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut sentences: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, sound) in self.sounds.iter().enumerate() {
            let before = index.checked_sub(1).map(|i| self.sounds[i]);
            let goes_on = before.is_some_and(|before| {
                before.sentence == sound.sentence
                    && (sound.start - before.start < MIN_PAUSE.0
                        || sound.start - before.end < MIN_PAUSE.1
                        || self.jitter(index, 3, 100) >= self.service.cuts)
            });
            match sentences.last_entry().filter(|_| goes_on) {
                Some(mut last) => last.get_mut().push(index),
                None => drop(sentences.insert(index, vec![index])),
            }
        }
        sentences
    }

    /// An utterance of these words as this connection lists it.
    fn utterance(&mut self, words: &[usize], definite: bool) -> Utterance {
        let origin = self.connection.origin;
        let mut spikes: Vec<(String, i64, i64)> = Vec::new();
        let mut text = String::new();
        for &word in words {
            let shout = !definite && self.dice.percent(5);
            let name = format!("{}{word}", if shout { "W" } else { "w" });
            if !text.is_empty() {
                let has_comma = self.dice.percent(10) && !definite;
                text += if has_comma { ", " } else { " " };
            }
            text += &name;
            let start =
                (self.sounds[word].start + self.jitter(word, 1, MAX_JITTER)).max(origin) - origin;
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
        if definite {
            text += ".";
        }
        if !self.service.words {
            spikes.clear();
        }
        Utterance {
            words: spikes,
            definite,
            ..Utterance::bare(&text, Some((start, end)))
        }
    }

    /// Lists the utterances of a response after `at`: the words that ended long enough before.
    fn list(&mut self, at: i64, last: bool) -> Vec<Utterance> {
        let lag = self.service.lag + self.dice.below(self.service.jitter);
        self.connection.covered_until = self.connection.covered_until.max(at - lag);
        let until = self.connection.covered_until;
        let mut sentences = self.sentences();
        for words in sentences.values_mut() {
            words.retain(|&word| {
                let sound = self.sounds[word];
                let is_covered = if last {
                    sound.middle() < at
                } else {
                    sound.end <= until
                };
                is_covered && sound.middle() >= self.connection.origin
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
            .sentences()
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
            if definite && self.service.single && !self.connection.listed.insert(sentence) {
                continue;
            }
            let definite = definite && !(last && self.dice.percent(20));
            list.push(self.utterance(&words, definite));
        }
        if self.dice.percent(20) {
            list.push(Utterance::bare("", Some((-1, -1))));
        }
        list
    }

    /// Words by how often they are shown.
    fn shown(&self) -> BTreeMap<usize, usize> {
        let mut shown = BTreeMap::new();
        for text in self.stream.transcript() {
            for word in text.split_whitespace() {
                *shown.entry(number(word)).or_default() += 1;
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
        self.stream.respond(duration, &result(&list), last);
        let needed = self
            .stream
            .tracker
            .replay_needed_from()
            .saturating_sub(MAX_START_REVISION)
            .as_millis() as i64;
        let shown = self.shown();
        // A replay skips nothing but what an earlier connection recognised. Where the window has
        // moved past speech, it may start earlier than necessary.
        for (word, sound) in self.sounds.iter().enumerate() {
            let is_skipped = sound.middle() >= at && sound.middle() < needed;
            assert!(
                self.word_cut || !is_skipped || shown.contains_key(&word),
                "w{word} would not be sent again"
            );
        }
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
        // Speech that has left the window may be worded differently: it ends in pieces.
        if self.word_cut {
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
        let before = self.shown();
        let (begin, _) = self.stream.restart(window);
        assert!(begin >= ms(window));
        if ms(window) <= needed {
            assert_eq!(begin, needed);
        } else {
            self.word_cut = true;
        }
        let begin = begin.as_millis() as i64;
        assert!(begin <= at.max(sent));
        let shown = self.shown();
        // Words that are not final are sent again from their start, as far as that is known.
        for word in before.keys().filter(|word| !shown.contains_key(word)) {
            assert!(
                begin <= self.sounds[*word].start + MAX_JITTER,
                "w{word} is cut"
            );
        }
        for (index, sound) in self.sounds.iter().enumerate() {
            if self.word_cut && sound.middle() < begin && !shown.contains_key(&index) {
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
            covered_until: origin,
            listed: BTreeSet::new(),
        };
        self.stream.connect(ms(origin as u64));
    }

    /// The whole stream, confirmed or not. What is shown then.
    pub fn run(mut self, confirmed: bool) {
        let end = self.sounds.last().map_or(0, |s| s.end) + 1500;
        let mut at = 0;
        for _ in 0..2000 {
            at += 50 + self.dice.below(450);
            if at >= end {
                break;
            }
            if self.dice.percent(self.service.losses) {
                at = self.lose(at);
            } else if self.dice.percent(self.service.rollovers) && ms(at as u64) >= self.stream.sent
            {
                // All audio that was sent is processed.
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
            // Each word once and in order, however connections cut sentences: while both were open,
            // a word might stand in two utterances (section 8: what was open may be cut anew), but
            // what is settled is recognised once. An utterance may lie around one that a second
            // pass settled before it.
            let mut texts: Vec<_> = self.stream.latest.values().flat_map(timed_texts).collect();
            texts.sort_by_key(|(start, _)| *start);
            let texts = texts.into_iter().flat_map(|(_, t)| t.split_whitespace());
            let order: Vec<usize> = texts.map(number).collect();
            assert!(order.is_sorted_by(|a, b| a < b), "{order:?}");
        } else {
            let before = self.shown();
            self.stream.finalize();
            // The last text of each word, and none under two numbers.
            let shown = self.shown();
            assert!(shown.keys().eq(before.keys()), "{shown:?} {before:?}");
            let doubled: Vec<_> = shown.iter().filter(|(_, count)| **count > 1).collect();
            assert!(doubled.is_empty(), "{doubled:?}");
        }
        assert!(self.stream.latest.values().all(|u| u.is_final));
    }
}

/// Returns the words with their starts or, without word times, the text with its own.
fn timed_texts(update: &Update) -> Vec<(Option<Duration>, &str)> {
    let words = update.words.iter().map(|w| (w.start, w.text.as_str()));
    match update.words.is_empty() {
        true => vec![(update.start, &update.text)],
        false => words.collect(),
    }
}

/// Returns the number of a word such as `w12,`.
fn number(word: &str) -> usize {
    let digits = word.trim_matches(|c: char| !c.is_ascii_digit());
    digits.parse().unwrap()
}
