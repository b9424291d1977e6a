//! The recogniser of one connection.

use crate::{
    marks::{FoundMark, Reader},
    options::Recogniser,
    pocketsphinx::{Hypothesis, Listener},
    scripted::Player,
    transcript::{Transcript, Word},
};
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::Notify;

/// One connection's recogniser.
pub(crate) enum SessionRecogniser {
    Silent,
    Marks(Marks),
    Scripted(Player),
    Pocketsphinx(Listener),
}

impl SessionRecogniser {
    /// # Errors
    /// The recogniser can't be had; the text says what to do.
    pub(crate) fn new(
        recogniser: &Recogniser,
        rate: u32,
        connection: usize,
    ) -> Result<Self, String> {
        Ok(match recogniser {
            Recogniser::Silent => Self::Silent,
            Recogniser::Marks { spikes } => Self::Marks(Marks::new(rate, *spikes)),
            Recogniser::Scripted(script) => Self::Scripted(Player::new(script, connection)),
            Recogniser::Pocketsphinx => {
                Self::Pocketsphinx(Listener::new(rate).map_err(|e| e.to_string())?)
            }
        })
    }

    /// Takes audio.
    pub(crate) fn push(&mut self, pcm: &[u8], found: &mut Vec<FoundMark>) {
        match self {
            Self::Silent | Self::Scripted(_) => {}
            Self::Marks(marks) => marks.push(pcm, found),
            Self::Pocketsphinx(listener) => listener.push(pcm),
        }
    }

    /// No more audio comes.
    pub(crate) fn finish(&mut self, found: &mut Vec<FoundMark>) {
        match self {
            Self::Silent | Self::Scripted(_) => {}
            Self::Marks(marks) => marks.finish(found),
            Self::Pocketsphinx(listener) => listener.finish(),
        }
    }

    /// Brings the transcript up to what is known of the audio up to `position`; true once nothing
    /// more can come.
    pub(crate) fn update(&mut self, transcript: &mut Transcript, position: i64) -> bool {
        // Before its words are taken: those of an end that comes meanwhile are not forgotten.
        let worked = self.worked();
        match self {
            Self::Silent | Self::Scripted(_) => {}
            Self::Marks(marks) => {
                let due = marks.queue.partition_point(|(at, _)| *at <= position);
                let words = marks.queue.drain(..due);
                words.for_each(|(_, word)| transcript.word(word));
            }
            Self::Pocketsphinx(listener) => {
                for hypothesis in listener.take() {
                    match hypothesis {
                        Hypothesis::Guess(words) => transcript.guess(words),
                        Hypothesis::Words(words) => {
                            transcript.guess(Vec::new());
                            words.into_iter().for_each(|word| transcript.word(word));
                        }
                    }
                }
            }
        }
        transcript.advance(worked.map_or(position, |worked| worked.min(position)));
        worked.is_none()
    }

    /// Milliseconds that the recogniser has worked through, while it is still at work.
    pub(crate) fn worked(&self) -> Option<i64> {
        match self {
            Self::Pocketsphinx(listener) => listener.worked(),
            _ => None,
        }
    }

    /// Returns the script, if this plays one.
    pub(crate) fn script(&mut self) -> Option<&mut Player> {
        match self {
            Self::Scripted(player) => Some(player),
            _ => None,
        }
    }

    /// Whether more audio should wait.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, Self::Pocketsphinx(listener) if listener.is_full())
    }

    /// Returns the notification of results that come without a packet.
    pub(crate) fn notify(&self) -> Option<Arc<Notify>> {
        match self {
            Self::Pocketsphinx(listener) => Some(listener.notify()),
            _ => None,
        }
    }
}

/// Marks, read out of the samples and held until the answers have got to their end.
pub(crate) struct Marks {
    reader: Reader,
    rate: u32,
    spikes: bool,
    queue: VecDeque<(i64, Word)>,
}

impl Marks {
    fn new(rate: u32, spikes: bool) -> Self {
        Self {
            reader: Reader::default(),
            rate,
            spikes,
            queue: VecDeque::new(),
        }
    }

    fn push(&mut self, pcm: &[u8], found: &mut Vec<FoundMark>) {
        let first = found.len();
        self.reader.push(pcm, found);
        self.queue_up(&found[first..]);
    }

    fn finish(&mut self, found: &mut Vec<FoundMark>) {
        let first = found.len();
        self.reader.finish(found);
        self.queue_up(&found[first..]);
    }

    fn queue_up(&mut self, found: &[FoundMark]) {
        for mark in found {
            let (start, end) = mark.milliseconds(self.rate);
            let (start, end) = (start.cast_signed(), end.cast_signed());
            let times = if self.spikes {
                ((start + 100).min(end), (start + 180).min(end))
            } else {
                (start, end)
            };
            // Rounded down as the count of received audio is, so that it is due when its last
            // sample is there.
            let due = (mark.end * 1000 / u64::from(self.rate)).cast_signed();
            self.queue.push_back((
                due,
                Word {
                    text: mark.word(),
                    start: times.0,
                    end: times.1,
                    sound: (start, end),
                },
            ));
        }
    }
}
