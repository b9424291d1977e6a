//! Ensures that a recognition ends, even if its input stalls or fails.

use std::mem;
use std::time::{Duration, Instant};

use super::Recognition;
use super::stall::Stall;
use crate::failure::Failure;
use crate::news::News;

/// How long an input that has failed may still give what it has.
const REST: Duration = Duration::from_secs(2);
/// How long a failed input without any audio so far may still begin: audio may be on its way.
const START: Duration = Duration::from_millis(1100);
/// The same for one that has a track: its decoder may be slow.
const FIRST_AUDIO: Duration = Duration::from_secs(6);
/// Time beyond `finish-timeout` that the program takes to end in good order, stopping included.
const GRACE: Duration = Duration::from_millis(2400);
/// The element waits for the last words for at most so many times `finish-timeout`.
const MOST_WAITS: u32 = 6;

/// Interval of looks at state that no message reports.
pub const REFRESH: Duration = Duration::from_millis(250);

/// Watches one recognition.
pub struct Guard {
    began: Instant,
    stall: Stall,
    limit: Duration,
    /// The input has failed, and what was read of it is still recognised.
    failure: Option<(Failure, Instant)>,
    is_finishing: bool,
    /// The film can't be read any further, but its words can.
    film_failure: Option<Failure>,
    /// All text had left the element at the last look.
    was_said: bool,
    /// The end was asked for; it has to be there by then.
    deadline: Option<Instant>,
    /// Progress of a film that is written, and since when it is so far.
    written: (u64, Instant),
}

impl Guard {
    /// Begins; an input that gives nothing for longer than `limit` has failed.
    pub fn new(limit: Duration) -> Self {
        Guard {
            began: Instant::now(),
            stall: Stall::new(limit),
            limit,
            failure: None,
            is_finishing: false,
            film_failure: None,
            was_said: false,
            deadline: None,
            written: (0, Instant::now()),
        }
    }

    /// Returns what a message means for the program. An error of the input waits until what was
    /// read before it is recognised.
    pub fn take(&mut self, message: &gst::Message, recognition: &Recognition) -> Option<News> {
        if recognition.is_salvaged(message) {
            let failure = self.failure.take();
            return failure.map(|(failure, _)| News::Failed(failure));
        }
        let picture = recognition.picture();
        if is_undecoded(message) && picture.is_some() {
            return None;
        }
        match News::of(message, |source| recognition.is_sink(source))? {
            News::Transcript(mut transcript) => {
                transcript.count_from(recognition.begin());
                Some(News::Transcript(transcript))
            }
            // The one who reads for the words meets the same a little later, or never.
            News::InputFailed(failure) if picture.is_some_and(|own| own.reads(message.src())) => {
                self.film_failure.get_or_insert(failure);
                recognition.salvage();
                None
            }
            // No more is written: nothing is gained by the rest of the words.
            News::InputFailed(failure) if picture.is_some_and(|own| own.has(message.src())) => {
                Some(News::Failed(failure))
            }
            News::InputFailed(failure) => {
                self.failure.get_or_insert((failure, Instant::now()));
                recognition.salvage();
                None
            }
            News::Ended => {
                let failure = self.failure.take().map(|(failure, _)| failure);
                let failure = failure.or_else(|| self.film_failure.take());
                Some(failure.map_or(News::Ended, News::Failed))
            }
            news => Some(news),
        }
    }

    /// Returns what follows from the time that has passed. To be called several times a second.
    pub fn look(&mut self, recognition: &Recognition) -> Option<News> {
        let now = Instant::now();
        if let Some(picture) = recognition.picture() {
            let idle = self.watch_film(now, picture.progress(), recognition.is_said());
            if self.deadline.is_none() && self.stall.is_over(idle) {
                return Some(News::Failed(self.stood_still()));
            }
        }
        // By the second look, the last words have come.
        let is_said = mem::replace(&mut self.was_said, recognition.is_said());
        if let Some(failure) = self.film_failure.take_if(|_| is_said) {
            return Some(News::Failed(failure));
        }
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Some(News::Late);
        }
        let moment = recognition.moment();
        let idle = self.stall.look(now - self.began, moment);
        if let Some((_, since)) = &self.failure {
            let most = recognition.finish_timeout() * MOST_WAITS + REST + GRACE;
            let waited = now - *since;
            if !moment.has_ended && !self.is_finishing && idle >= REST && waited >= REST {
                self.is_finishing = true;
                recognition.finish();
            }
            let most_empty = if recognition.is_linked() {
                FIRST_AUDIO
            } else {
                START
            };
            let is_empty = moment.received.is_zero() && (moment.has_ended || waited >= most_empty);
            if is_empty || is_said || waited > most + moment.queued {
                return self
                    .failure
                    .take()
                    .map(|(failure, _)| News::Failed(failure));
            }
            return None;
        }
        if self.deadline.is_none() && self.stall.is_over(idle) {
            return Some(News::Failed(self.stalled(recognition)));
        }
        None
    }

    /// Returns how long nothing has been written, though only that is still to come. An encoder may
    /// be slow: each step of it moves the deadline.
    fn watch_film(&mut self, now: Instant, progress: u64, is_said: bool) -> Duration {
        let has_moved = progress != self.written.0;
        if let Some(deadline) = self.deadline.as_mut().filter(|_| has_moved) {
            *deadline = (*deadline).max(now + GRACE);
        }
        if has_moved || !is_said {
            self.written = (progress, now);
        }
        now - self.written.1
    }

    fn stood_still(&self) -> Failure {
        let seconds = self.limit.as_secs();
        Failure {
            text: format!("nothing of the picture was written for {seconds} s"),
            hint: Some("--stall-timeout sets how long that may take; 0: for ever".to_owned()),
            ..Failure::default()
        }
    }

    fn stalled(&self, recognition: &Recognition) -> Failure {
        let seconds = self.limit.as_secs();
        let text = match recognition.received().is_zero() {
            true => format!("the input has given no sound within {seconds} s"),
            false => format!("the input has given nothing for {seconds} s, and has not ended"),
        };
        Failure {
            text,
            hint: Some("--stall-timeout sets how long that may take; 0: for ever".to_owned()),
            ..Failure::default()
        }
    }

    /// Ends the recognition in good order, and soon.
    pub fn end(&mut self, recognition: &Recognition) {
        recognition.end();
        let limit = recognition.finish_timeout() + GRACE;
        self.deadline = Some(Instant::now() + limit);
    }

    /// Whether the end was asked for.
    pub fn is_ending(&self) -> bool {
        self.deadline.is_some()
    }
}

/// Whether a decoder is missing, which comes with its caps. Where it counts, the source says so in
/// fewer words.
fn is_undecoded(message: &gst::Message) -> bool {
    let gst::MessageView::Warning(warning) = message.view() else {
        return false;
    };
    warning.error().matches(gst::StreamError::CodecNotFound)
}
