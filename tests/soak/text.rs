//! The text pad of a transcriber, and its rules under all faults: each mark that was posted as
//! final leaves once, in order; PTS never fall within a segment, and gaps cover the rest.

use gst::glib;
use gst::prelude::*;
use volcasr_loopback::Oddity;

use super::common::text::{Out, Stretch, TextLog, in_order, with_transcriber};
use super::common::{Transcript, number_of};
use super::dice::Dice;
use super::marks::{REVISION, SPIKE};
use super::plan::Schedule;
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
    is_due: bool,
}

impl TextPad {
    pub fn new(dice: &mut Dice) -> Self {
        TextPad {
            grouping: dice.pick(&["word", "word", "word", "utterance", "cue"]),
            latency: dice.pick(&[0, 200, 1000, 4000, 4000]),
            speed: dice.pick(&[1, 10, 20, 40]),
            is_due: dice.percent(85),
        }
    }

    pub fn element(&self, settings: &Settings, uri: &str) -> gst::Element {
        let element = with_transcriber(|| settings.element(uri));
        element.set_property_from_str("grouping", self.grouping);
        element.set_property("latency", self.latency);
        element
    }
}

/// The player's part of a text pad.
pub struct TextRig {
    log: TextLog,
    /// Where segments begin at the clock's time.
    due: Option<glib::WeakRef<gst::Pipeline>>,
}

impl TextRig {
    pub fn new(
        pad: &TextPad,
        is_live: bool,
        pipeline: &gst::Pipeline,
        element: &gst::Element,
    ) -> Self {
        if is_live {
            let clock = glib::Object::new::<gst::SystemClock>();
            let now = clock.time();
            clock.set_calibration(now, now, pad.speed, 1);
            pipeline.use_clock(Some(&clock));
        }
        TextRig {
            log: TextLog::attach(pipeline, element).expect("a text pad"),
            due: (is_live && pad.is_due).then(|| pipeline.downgrade()),
        }
    }

    /// The running time at which a segment begins, in milliseconds, if that is the clock's.
    pub fn now(&self) -> Option<u64> {
        let pipeline = self.due.as_ref()?.upgrade()?;
        Some(pipeline.current_running_time()?.mseconds())
    }

    /// Takes what came out so far.
    pub fn take(&self) -> Vec<Out> {
        std::mem::take(&mut self.log.out.lock().expect("no panic"))
    }
}

/// Checks what came out in one life. `cut`: which of its streams were cut short.
pub fn check(pad: &TextPad, schedule: &Schedule, life: &Life, cut: &[bool]) -> Result<(), String> {
    let checked = Checked {
        pad,
        schedule,
        life,
    };
    let stretches = in_order(&life.out)?;
    let pushed = checked
        .pushed(&stretches, cut)
        .map_err(|failure| format!("{failure}\n  {:#?}", life.out))?;
    for (number, mut pushed) in pushed.into_iter().enumerate().filter(|(n, _)| !cut[*n]) {
        let mut posted = checked.posted(number as u32);
        if schedule.is_out_of_order() {
            // Words may leave before an earlier utterance is final.
            pushed.sort_unstable();
            posted.sort_unstable();
        }
        if pushed != posted {
            let out = &life.out;
            return Err(format!(
                "stream {number}: pushed {pushed:?}, posted {posted:?}\n  {out:#?}"
            ));
        }
    }
    Ok(())
}

struct Checked<'a> {
    pad: &'a TextPad,
    schedule: &'a Schedule,
    life: &'a Life,
}

impl Checked<'_> {
    /// Returns the marks that were pushed of each stream.
    fn pushed(&self, stretches: &[Stretch], cut: &[bool]) -> Result<Vec<Vec<u32>>, String> {
        let fed = self.life.fed.iter().enumerate();
        let spans: Vec<(usize, Span)> = fed
            .flat_map(|(number, fed)| fed.segments.iter().map(move |span| (number, *span)))
            .collect();
        let mut pushed = vec![Vec::new(); self.life.fed.len()];
        let mut next = 0;
        for stretch in stretches {
            let is_it = |(_, span): &(usize, Span)| span.start == stretch.start;
            let Some(at) = spans[next..].iter().position(is_it) else {
                return Err(format!("a segment twice or out of turn: {stretch:?}"));
            };
            let left_out = &spans[next..next + at];
            if let Some(missing) = left_out.iter().find(|(stream, _)| !cut[*stream]) {
                return Err(format!("no segment: {missing:?}"));
            }
            let (stream, span) = spans[next + at];
            next += at + 1;
            self.stretch(stretch, stream, &mut pushed[stream])?;
            let end = span.end.saturating_sub(self.tolerance());
            if !cut[stream] && self.schedule.sink.timed && stretch.covered < end {
                let covered = stretch.covered;
                return Err(format!("nothing covers {covered} to {end}: {stretch:?}"));
            }
        }
        match spans[next..].iter().find(|(stream, _)| !cut[*stream]) {
            Some(missing) => Err(format!("no segment: {missing:?}")),
            None => Ok(pushed),
        }
    }

    fn stretch(
        &self,
        stretch: &Stretch,
        stream: usize,
        pushed: &mut Vec<u32>,
    ) -> Result<(), String> {
        let ways = &self.schedule.ways;
        let fed: &Fed = &self.life.fed[stream];
        for text in &stretch.texts {
            if let Some(word) = text.text.split_whitespace().find(|word| !is_whole(word)) {
                return Err(format!("a torn or doubled word {word:?}: {text:?}"));
            }
            for number in marks_of(&text.text) {
                let Some(place) = fed.marks.iter().find(|place| place.number == number) else {
                    return Err(format!("of another stream: {text:?}"));
                };
                if pushed.contains(&number) {
                    return Err(format!("twice: {text:?}"));
                }
                if !self.schedule.is_out_of_order()
                    && pushed.last().is_some_and(|last| *last > number)
                {
                    return Err(format!("out of turn: {text:?}"));
                }
                pushed.push(number);
                if !self.schedule.sink.timed {
                    continue;
                }
                if place.start / HOUR != stretch.start / HOUR {
                    return Err(format!("in another segment: {text:?}"));
                }
                // Late text may begin later: PTS do not fall. Words without a time have their
                // share of the utterance.
                let spike = if ways.spikes { SPIKE.0 } else { 0 };
                let due = (place.start + spike).saturating_sub(self.tolerance());
                let timed = !ways.has(Oddity::TextOnly) && !ways.has(Oddity::AbsentFields);
                if self.pad.grouping == "word" && timed && text.start < due {
                    return Err(format!("before {due}: {text:?}"));
                }
            }
        }
        Ok(())
    }

    /// Returns the marks of a stream's final utterances.
    fn posted(&self, stream: u32) -> Vec<u32> {
        let of_it = |transcript: &&Transcript| transcript.is_final && transcript.stream == stream;
        let transcripts = self.life.transcripts.iter().filter(of_it);
        transcripts
            .flat_map(|transcript| marks_of(&transcript.text))
            .collect()
    }

    /// How far a time may be off that is pushed for the first time, in milliseconds.
    fn tolerance(&self) -> u64 {
        self.schedule.stamps.tolerance() + REVISION / MS + 1
    }
}

/// Returns whether a word is one that the service says: a mark, or `~` and the number of one that
/// it recognised in part.
fn is_whole(word: &str) -> bool {
    let part = word.trim_end_matches(['.', ',']).strip_prefix('~');
    number_of(word) != u32::MAX || part.is_some_and(|number| number.parse::<u32>().is_ok())
}

/// Returns the whole marks in a text.
fn marks_of(text: &str) -> impl Iterator<Item = u32> {
    text.split_whitespace()
        .map(number_of)
        .filter(|number| *number != u32::MAX)
}
