//! The text pad of a transcriber, and its rules under all faults: each mark that was posted as
//! final leaves once, in order; PTS never fall within a segment, and gaps cover the rest.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use gst::glib;
use gst::prelude::*;
use volcasr_loopback::Oddity;

use super::check::{Checked, cut_streams};
use super::common::text::{Stretch, event_list, in_order, with_transcriber};
use super::common::{Rig, number_of};
use super::dice::Dice;
use super::marks::{REVISION, SPIKE};
use super::play::{HOUR, MS};
use super::record::{Fed, Life, Span};
use super::settings::Settings;

/// Settings of a transcriber alone, and the clock of its pipeline.
#[derive(Debug)]
pub struct TextPad {
    grouping: &'static str,
    /// In milliseconds. With a live source, words leave when it is over.
    latency: u32,
    /// Speed of the clock: audio comes faster than in life as well.
    speed: u64,
    /// With a live source, segments begin when they come, and not far ahead of the clock.
    pub is_due: bool,
    /// Time that downstream keeps each buffer, in milliseconds, until that adds up to
    /// [`MAX_HELD`].
    hold: u64,
}

/// The end of a stream waits for what is held.
const MAX_HELD: Duration = Duration::from_secs(3);

impl TextPad {
    pub fn new(dice: &mut Dice) -> Self {
        TextPad {
            grouping: dice.pick(&["word", "word", "word", "utterance", "cue"]),
            latency: dice.pick(&[0, 200, 1000, 4000, 4000]),
            speed: dice.pick(&[1, 10, 20, 40]),
            is_due: dice.percent(85),
            hold: dice.pick(&[0, 0, 5, 40, 300]),
        }
    }

    /// Makes a pipeline with the element, and a sink behind it.
    pub fn rig(&self, settings: &Settings, uri: &str) -> Rig {
        let element = with_transcriber(|| settings.element(uri));
        element.set_property_from_str("grouping", self.grouping);
        element.set_property("latency", self.latency);
        let rig = Rig::new(element);
        if settings.live {
            let clock = glib::Object::new::<gst::SystemClock>();
            let now = clock.time();
            clock.set_calibration(now, now, self.speed, 1);
            rig.pipeline.use_clock(Some(&clock));
        }
        let peer = rig.sink.static_pad("src").and_then(|pad| pad.peer());
        hold(&peer.expect("a sink"), Duration::from_millis(self.hold));
        rig
    }
}

/// Has a pad keep each buffer for a time, as an overlay does, until a flush or READY.
fn hold(pad: &gst::Pad, time: Duration) {
    let left = Mutex::new(MAX_HELD);
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, _| {
        let mut left = left.lock().expect("no panic");
        let began = Instant::now();
        let time = time.min(*left);
        while began.elapsed() < time && !pad.pad_flags().contains(gst::PadFlags::FLUSHING) {
            thread::sleep(Duration::from_millis(1));
        }
        *left = left.saturating_sub(began.elapsed().min(time));
        gst::PadProbeReturn::Ok
    });
}

/// Returns which streams were cut short. A flush or READY also discards text of those before its
/// own that waits for downstream.
fn cut_before_it_left(life: &Life) -> Vec<bool> {
    let mut cut = cut_streams(life);
    let mut cuts = life.cuts.iter();
    let mut leaving = String::new();
    // READY is no event, and comes last.
    for event in event_list(&life.out).map(Some).chain([None]) {
        match event.map(|event| event.view()) {
            Some(gst::EventView::StreamStart(start)) => leaving = start.stream_id().to_owned(),
            Some(gst::EventView::FlushStart(_)) | None => {
                let Some(last) = cuts.next().map(|cut| cut.stream as usize) else {
                    continue;
                };
                let is_it = |fed: &Fed| leaving == format!("{}/text", fed.id);
                let first = life.fed[..=last].iter().rposition(is_it);
                cut[first.unwrap_or(0)..=last].fill(true);
            }
            Some(_) => {}
        }
    }
    cut
}

impl Checked<'_> {
    /// Asserts what came out in one life.
    pub fn text(&self, pad: &TextPad) {
        let life = self.life;
        let cut = cut_before_it_left(life);
        let stretches = in_order(&life.out).unwrap_or_else(|broken| panic!("{broken}"));
        let pushed = self.pushed(pad, &stretches, &cut);
        for (number, mut pushed) in pushed.into_iter().enumerate().filter(|(n, _)| !cut[*n]) {
            let finals = self
                .transcripts(number)
                .filter(|transcript| transcript.is_final);
            let text: Vec<&str> = finals.map(|transcript| &*transcript.text).collect();
            let text = text.join(" ");
            let mut posted: Vec<u32> = marks_of(&text).collect();
            let parts: Vec<u32> = text.split_whitespace().filter_map(part_of).collect();
            // A word that left before it was final may be recognised in part after a replay.
            pushed.retain(|mark| posted.contains(mark) || !parts.contains(mark));
            if self.schedule.is_out_of_order() {
                // Words may leave before an earlier utterance is final.
                pushed.sort_unstable();
                posted.sort_unstable();
            }
            assert_eq!(pushed, posted, "of stream {number}: {:#?}", life.out);
        }
    }

    /// Returns the marks that were pushed of each stream.
    fn pushed(&self, pad: &TextPad, stretches: &[Stretch], cut: &[bool]) -> Vec<Vec<u32>> {
        let fed = self.life.fed.iter().enumerate();
        let spans: Vec<(usize, Span)> = fed
            .flat_map(|(number, fed)| fed.segments.iter().map(move |span| (number, *span)))
            .collect();
        let mut pushed = vec![Vec::new(); self.life.fed.len()];
        let mut spans = spans.into_iter();
        let is_needed = |(stream, _): &(usize, Span)| !cut[*stream];
        for stretch in stretches {
            let (stream, span) = loop {
                let next = spans.next();
                let next = next.unwrap_or_else(|| panic!("a segment twice: {stretch:?}"));
                if next.1.start == stretch.start {
                    break next;
                }
                assert!(!is_needed(&next), "no segment: {next:?} before {stretch:?}");
            };
            self.stretch(pad, stretch, &self.life.fed[stream], &mut pushed[stream]);
            let end = span.end.saturating_sub(self.text_tolerance());
            let is_covered = cut[stream] || !self.schedule.sink.timed || stretch.covered >= end;
            assert!(is_covered, "nothing covers it up to {end}: {stretch:?}");
        }
        let missing = spans.find(is_needed);
        assert!(
            missing.is_none(),
            "no segment: {missing:?} in {:#?}",
            self.life.out
        );
        pushed
    }

    fn stretch(&self, pad: &TextPad, stretch: &Stretch, fed: &Fed, pushed: &mut Vec<u32>) {
        let ways = &self.schedule.ways;
        for text in &stretch.texts {
            let torn = text.text.split_whitespace().find(|word| !is_whole(word));
            assert!(torn.is_none(), "a torn or doubled word {torn:?}: {text:?}");
            for number in marks_of(&text.text) {
                let place = fed.marks.iter().find(|place| place.number == number);
                let place = place.unwrap_or_else(|| panic!("of another stream: {text:?}"));
                assert!(!pushed.contains(&number), "twice: {text:?}");
                let is_next = pushed.last().is_none_or(|last| *last <= number);
                let in_turn = is_next || self.schedule.is_out_of_order();
                assert!(in_turn, "out of turn: {text:?}");
                pushed.push(number);
                if !self.schedule.sink.timed {
                    continue;
                }
                let is_here = place.start / HOUR == stretch.start / HOUR;
                assert!(is_here, "in another segment: {text:?}");
                // Late text may begin later: PTS do not fall. Words without a time have their
                // share of the utterance.
                let spike = if ways.spikes { SPIKE.0 } else { 0 };
                let due = (place.start + spike).saturating_sub(self.text_tolerance());
                let timed = !ways.has(Oddity::TextOnly) && !ways.has(Oddity::AbsentFields);
                let is_due = pad.grouping != "word" || !timed || text.start >= due;
                assert!(is_due, "before {due}: {text:?}");
            }
        }
    }

    /// How far a time may be off that is pushed for the first time, in milliseconds.
    fn text_tolerance(&self) -> u64 {
        self.schedule.stamps.tolerance() + REVISION / MS + 1
    }
}

/// Returns whether a word is one that the service says: a mark, or `~` and the number of one that
/// it recognised in part.
fn is_whole(word: &str) -> bool {
    number_of(word) != u32::MAX || part_of(word).is_some()
}

fn part_of(word: &str) -> Option<u32> {
    let number = word.trim_end_matches(['.', ',']).strip_prefix('~')?;
    number.parse().ok()
}

/// Returns the whole marks in a text.
fn marks_of(text: &str) -> impl Iterator<Item = u32> {
    text.split_whitespace()
        .map(number_of)
        .filter(|number| *number != u32::MAX)
}
