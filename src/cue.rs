//! Cues for a screen: an utterance in short lines, each shown while its words are spoken.
//!
//! The subtitle files of the programs and the text that an element hands to an overlay are cut
//! here, by the same rules:
//!
//! - A cue has at most [`Style::lines`] lines of [`Style::width`] columns. A CJK character takes
//!   two; in a text with Han or kana, so do `…`, `—`, `“` and the like, which scripts share. Lines
//!   are broken at punctuation, then between words; in CJK text between characters, but never
//!   before closing punctuation (kinsoku).
//! - A cue lasts at most [`LONGEST`]. It ends at the end of a sentence, else at a comma, else
//!   between words. Its times are those of its words; without them, its share of the utterance.
//! - It stays for [`HOLD`] after its last word, and for at least [`SHORTEST`], where the next cue
//!   leaves the room. Cues never overlap, and their order is that of the utterances.
//!
//! ```
//! use std::time::Duration;
//! use gstvolcasr::cue::{Cutter, Style, Utterance};
//!
//! let mut cutter = Cutter::new(Style::default());
//! let utterance = Utterance {
//!     text: "The rain has stopped, and the road to the north is open again.".into(),
//!     start: Some(Duration::from_secs(1)),
//!     end: Some(Duration::from_secs(4)),
//!     ..Utterance::default()
//! };
//! let cues = cutter.cut(&utterance, None);
//! assert_eq!(cues.len(), 1);
//! assert_eq!(cues[0].start, Duration::from_secs(1));
//! assert_eq!(
//!     cues[0].lines,
//!     ["The rain has stopped,", "and the road to the north is open again."]
//! );
//! ```

mod layout;
mod text;
mod times;
mod word;

use std::time::Duration;

use text::Fragment;
use times::Clock;

pub use word::Word;

/// Longest time that a cue is shown.
pub const LONGEST: Duration = Duration::from_secs(7);
/// Shortest time that a cue is shown, unless the next one has to begin.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// Time that a cue stays after its last word, unless the next one has to begin.
pub const HOLD: Duration = Duration::from_millis(500);
/// Time that a cue is shown even if the next one ought to have begun.
const FLOOR: Duration = Duration::from_millis(200);

/// Size of a cue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of a line; at least 2, as a CJK character has.
    pub width: usize,
    /// Lines of a cue; at least 1.
    pub lines: usize,
}

impl Default for Style {
    fn default() -> Self {
        Style {
            width: 42,
            lines: 2,
        }
    }
}

/// One utterance that does not change any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Utterance {
    /// All of its text.
    pub text: String,
    /// Time at which it begins. `None`: at the end of the one before.
    pub start: Option<Duration>,
    /// Time at which it ends. `None`: after the time that it takes to read it.
    pub end: Option<Duration>,
    /// Its words, in the text's order. Those that the text does not have are ignored.
    pub words: Vec<Word>,
    /// Speaker, if known. Each of its cues says the same.
    pub speaker: Option<String>,
}

/// Text for a screen, and the time for which it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// Time at which it appears.
    pub start: Duration,
    /// Time at which it disappears.
    pub end: Duration,
    /// Its lines: none of them is empty, or begins or ends with a space.
    pub lines: Vec<String>,
    /// The utterance's speaker.
    pub speaker: Option<String>,
}

/// Cuts utterances into cues, one utterance after the other.
#[derive(Clone, Debug)]
pub struct Cutter {
    style: Style,
    last_start: Duration,
    last_end: Duration,
    /// Added to the times of a stream that began anew.
    shift: Duration,
    /// A stream has begun: the time at which it is played, if known.
    begun: Option<Option<Duration>>,
}

impl Cutter {
    /// Returns a cutter of cues of this size. Sizes that hold no character are enlarged.
    pub fn new(style: Style) -> Self {
        Cutter {
            style: Style {
                width: style.width.max(2),
                lines: style.lines.max(1),
            },
            last_start: Duration::ZERO,
            last_end: Duration::ZERO,
            shift: Duration::ZERO,
            begun: None,
        }
    }

    /// Begins another stream, whose times may begin anew. If they do, its cues follow those of the
    /// stream before: from `played` on, if that is known and later.
    pub fn begin_stream(&mut self, played: Option<Duration>) {
        self.begun = Some(played);
    }

    /// Returns the cues of an utterance; none if it has no text that is visible.
    ///
    /// `next` is the time at which the next utterance begins, where that is known: the last cue
    /// ends by then.
    pub fn cut(&mut self, utterance: &Utterance, next: Option<Duration>) -> Vec<Cue> {
        let text = text::clean(&utterance.text);
        let words = text::find(&text, &utterance.words);
        let fragments = text::fragments(&text, self.style.width, &words);
        let Some(last) = fragments.last() else {
            return Vec::new();
        };
        self.move_stream(utterance.start);
        let shifted = |time: Option<Duration>| time.map(|time| time.saturating_add(self.shift));
        let start = shifted(utterance.start).unwrap_or(self.last_end);
        let clock = Clock::new(
            start,
            shifted(utterance.end),
            last.end(),
            &words,
            self.shift,
        );
        let ranges = layout::cues(&fragments, self.style, &clock);
        let starts = ranges
            .iter()
            .map(|range| clock.start(fragments[range.start].column));
        let nexts: Vec<Option<Duration>> =
            starts.skip(1).map(Some).chain([shifted(next)]).collect();
        let mut cues = Vec::with_capacity(ranges.len());
        for (range, next) in ranges.into_iter().zip(nexts) {
            let fragments = &fragments[range];
            let (start, end) = self.place(fragments, &clock, next);
            cues.push(Cue {
                start,
                end,
                lines: layout::lines(&text, fragments, self.style),
                speaker: utterance.speaker.clone(),
            });
        }
        cues
    }

    /// Takes up a stream that has begun, by its first utterance.
    fn move_stream(&mut self, start: Option<Duration>) {
        let Some(played) = self.begun.take() else {
            return;
        };
        self.shift = match start {
            Some(start) if start < self.last_start => {
                played.unwrap_or_default().max(self.last_end) - start
            }
            _ => Duration::ZERO,
        };
    }

    /// Returns the time for which a cue is shown, behind the one before and up to `next`.
    fn place(
        &mut self,
        fragments: &[Fragment],
        clock: &Clock,
        next: Option<Duration>,
    ) -> (Duration, Duration) {
        let spoken = match (fragments.first(), fragments.last()) {
            (Some(first), Some(last)) => (clock.start(first.column), clock.end(last.end())),
            _ => (self.last_end, self.last_end),
        };
        let start = spoken.0.max(self.last_end);
        let wanted = spoken.1.saturating_add(HOLD);
        let wanted = wanted.max(start.saturating_add(SHORTEST));
        let room = next.map_or(wanted, |next| wanted.min(next));
        let end = room.clamp(start.saturating_add(FLOOR), start.saturating_add(LONGEST));
        (self.last_start, self.last_end) = (start, end);
        (start, end)
    }
}

#[cfg(test)]
mod tests;
