//! Checks of the messages that a schedule must post, and of those that it must not.

use super::common::Transcript;
use super::marks::{Marks, Places};
use super::plan::Schedule;
use super::record::{Fed, Life, Played};

/// How the error begins that a stream without any answer ends with: whether a session had been open
/// before, or the service never answered at all.
const UNANSWERED: [&str; 2] = [
    "The connection to the service was lost for good",
    "No session with the service",
];

/// Asserts everything. Returns the marks that were checked, by kind.
pub fn check(schedule: &Schedule, played: &Played) -> Marks {
    let mut marks = Marks::default();
    let last = played.lives.len() - 1;
    for (number, life) in played.lives.iter().enumerate() {
        let checked = Checked {
            schedule,
            played,
            life,
        };
        if checked.got_no_answer() {
            continue;
        }
        checked.messages(number == last);
        for (number, cut) in cut_streams(life).into_iter().enumerate() {
            Places::new(&checked, number).check(cut, &mut marks);
        }
        schedule.text.iter().for_each(|pad| checked.text(pad));
    }
    // Each of these took the last words of one session with it.
    let is_explained = marks.gone.len() <= closed_early(played);
    assert!(is_explained, "gone, from these on: {:?}", marks.gone);
    marks
}

/// Connections that the service closed as if all text had been sent.
fn closed_early(played: &Played) -> usize {
    let early = |fault: &&String| *fault == "close 1000";
    played.faults.iter().filter(early).count()
}

/// One life of a schedule.
pub struct Checked<'a> {
    pub schedule: &'a Schedule,
    pub played: &'a Played,
    pub life: &'a Life,
}

impl Checked<'_> {
    /// Whether final text may be missing, and a warning says so.
    fn gives_up(&self) -> bool {
        self.schedule.sink.forgets() || closed_early(self.played) > 0
    }

    /// Whether the life ended as documented where last words may be missing and the service never
    /// answered for its stream: with one error, so that it is not taken for a silent stream.
    fn got_no_answer(&self) -> bool {
        let [error] = self.life.errors.as_slice() else {
            return false;
        };
        let last = self.life.fed.len().saturating_sub(1) as u32;
        self.gives_up()
            && (UNANSWERED.iter().any(|is| error.starts_with(is)) || self.names_a_fault(error))
            && self.life.transcripts.iter().all(|s| s.stream < last)
    }

    /// Whether an error says what struck last: "error 45000292" by its number, "HTTP 503" by its
    /// own.
    fn names_a_fault(&self, error: &str) -> bool {
        let number = |fault: &String| fault.split_whitespace().nth(1).map(str::to_owned);
        let mut numbers = self.played.faults.iter().filter_map(number);
        numbers.any(|number| number.len() >= 3 && error.contains(&number))
    }

    /// Whether the element was not used at all: a transcriber begins with the first buffer, and its
    /// statistics are those of the life before.
    fn is_unused(&self) -> bool {
        self.schedule.text.is_some() && self.life.is_empty()
    }

    /// The messages of a stream.
    pub fn transcripts(&self, stream: usize) -> impl Iterator<Item = &Transcript> {
        let all = self.life.transcripts.iter();
        all.filter(move |transcript| transcript.stream as usize == stream)
    }

    /// Asserts that the progress began and ended once, or that READY overtook all messages of a
    /// transcriber, whose first one another thread posts. It may do so behind EOS as well: where a
    /// flush has discarded everything, that waits for no service.
    fn progress(&self) {
        let life = self.life;
        let is_overtaken = || life.transcripts.is_empty() && life.warnings.is_empty();
        let is_right = match life.progress.as_slice() {
            [] => self.is_unused() || self.schedule.text.is_some() && is_overtaken(),
            [gst::ProgressType::Start, end] => *end != gst::ProgressType::Start,
            _ => false,
        };
        assert!(is_right, "progress: {:?}", life.progress);
    }

    fn messages(&self, last: bool) {
        let life = self.life;
        assert!(life.errors.is_empty(), "errors: {:?}", life.errors);
        assert!(life.ended || !last, "no end");
        assert!(life.late.is_empty(), "after the end: {:?}", life.late);
        self.progress();
        let streams: Vec<_> = life.transcripts.iter().map(|s| s.stream).collect();
        assert!(streams.is_sorted(), "streams in this order: {streams:?}");
        self.warnings(last);
        for cut in &life.cuts {
            let mut behind = life.transcripts[cut.transcripts_before..].iter();
            let late = behind.find(|s| s.stream <= cut.stream);
            assert!(late.is_none(), "after its stream was cut: {late:?}");
        }
        let cut = cut_streams(life);
        for (number, fed) in life.fed.iter().enumerate() {
            let transcripts: Vec<_> = self.transcripts(number).collect();
            self.stream(fed, &transcripts, cut[number]);
        }
    }

    fn stream(&self, fed: &Fed, transcripts: &[&Transcript], cut: bool) {
        for s in transcripts {
            assert_eq!(
                s.stream_id.as_ref(),
                Some(&fed.id),
                "of another stream: {s:?}"
            );
            assert!(!s.unconfirmed || self.gives_up(), "unconfirmed: {s:?}");
        }
        let sessions: Vec<_> = transcripts.iter().map(|s| s.session).collect();
        assert!(sessions.is_sorted(), "sessions in this order: {sessions:?}");
        each_ends_once(transcripts, cut);
        never_shrinks(transcripts);
    }

    /// Only what was disturbed, or dropped, is warned about.
    fn warnings(&self, last: bool) {
        let mut reconnects = 0;
        let mut dropped = 0;
        for warning in &self.life.warnings {
            let explained = match &*warning.name {
                "volcasr-reconnect" => {
                    reconnects += 1;
                    reconnects <= self.played.disturbed
                }
                "volcasr-dropped" => {
                    dropped += warning.duration.unwrap_or(0);
                    self.schedule.sink.drops()
                }
                name => name == "volcasr-finish-timeout" && self.gives_up(),
            };
            assert!(explained, "without a reason: {warning:?}");
        }
        // Each is rounded to a nanosecond.
        let rounding = self.life.warnings.len() as u64;
        let counted = self.life.dropped.unwrap_or(0);
        let is_counted = last && self.life.cuts.is_empty() && !self.is_unused();
        let agree = !is_counted || counted.abs_diff(dropped) <= rounding;
        assert!(agree, "dropped {counted}, warned about {dropped}");
    }
}

/// Which streams were cut short: the one that was fed, and those before it that were still to be
/// ended in the background. Of these, none has a transcript yet but the first.
pub fn cut_streams(life: &Life) -> Vec<bool> {
    let mut cut = vec![false; life.fed.len()];
    let mut first = 0;
    for end in &life.cuts {
        let before = life.transcripts[..end.transcripts_before].last();
        let latest = before.map_or(0, |s| s.stream);
        cut[first.max(latest) as usize..=end.stream as usize].fill(true);
        first = end.stream + 1;
    }
    cut
}

fn each_ends_once(transcripts: &[&Transcript], cut: bool) {
    let mut ended: Vec<bool> = Vec::new();
    for s in transcripts {
        let number = s.utterance as usize;
        assert!(number <= ended.len(), "numbers are left out before {s:?}");
        if number == ended.len() {
            ended.push(false);
        }
        let had_ended = std::mem::replace(&mut ended[number], s.is_final);
        assert!(!had_ended, "after its end: {s:?}");
    }
    let all_end = cut || !ended.contains(&false);
    assert!(all_end, "announced and not ended: {ended:?}");
}

/// Another session never takes back what was shown of an utterance, not even for a moment.
fn never_shrinks(transcripts: &[&Transcript]) {
    let words = |s: &Transcript| s.text.split_whitespace().count();
    for (at, s) in transcripts.iter().enumerate().filter(|(_, s)| !s.is_final) {
        let mut earlier = transcripts[..at].iter().rev();
        let before = earlier.find(|b| b.utterance == s.utterance);
        let shrinks = before.is_some_and(|b| b.session < s.session && words(b) > words(s));
        assert!(!shrinks, "shrunk: {before:?} to {s:?}");
    }
}
