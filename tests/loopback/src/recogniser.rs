//! The recogniser of one connection: it turns audio into words.

use crate::{
    marks::{FoundMark, Reader},
    options::Recogniser,
    pocketsphinx::Listener,
    transcript::{Transcript, Word},
};
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::Notify;

/// One connection's recogniser.
pub(crate) trait Recognise: Send {
    /// Takes audio: S16LE, mono.
    fn push(&mut self, _pcm: &[u8], _found: &mut Vec<FoundMark>) {}

    /// No more audio comes.
    fn finish(&mut self, _found: &mut Vec<FoundMark>) {}

    /// Gives the transcript the words that are known of the audio up to `position`.
    fn update(&mut self, _transcript: &mut Transcript, _position: i64) {}

    /// Milliseconds that the recogniser has worked through, while it is still at work.
    fn worked(&self) -> Option<i64> {
        None
    }

    /// Whether more audio should wait.
    fn is_full(&self) -> bool {
        false
    }

    /// Returns the notification of results that come without a packet.
    fn notify(&self) -> Option<Arc<Notify>> {
        None
    }
}

/// # Errors
/// The recogniser can't be had; the text says what to do.
pub(crate) fn new(recogniser: &Recogniser, rate: u32) -> Result<Box<dyn Recognise>, String> {
    Ok(match recogniser {
        Recogniser::Silent | Recogniser::Scripted(_) => Box::new(Silent),
        Recogniser::Marks { spikes } => Box::new(Marks {
            reader: Reader::default(),
            rate,
            spikes: *spikes,
            queue: VecDeque::new(),
        }),
        Recogniser::Pocketsphinx => Box::new(Listener::new(rate)?),
    })
}

pub(crate) struct Silent;

impl Recognise for Silent {}

/// Marks, read out of the samples and held until the answers have got to their end.
struct Marks {
    reader: Reader,
    rate: u32,
    spikes: bool,
    queue: VecDeque<(i64, Word)>,
}

impl Recognise for Marks {
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

    fn update(&mut self, transcript: &mut Transcript, position: i64) {
        let due = self.queue.partition_point(|(at, _)| *at <= position);
        let words = self.queue.drain(..due);
        words.for_each(|(_, word)| transcript.word(word));
    }
}

impl Marks {
    fn queue_up(&mut self, found: &[FoundMark]) {
        for mark in found {
            let sound = mark.milliseconds(self.rate);
            let (start, end) = match self.spikes {
                true => ((sound.0 + 100).min(sound.1), (sound.0 + 180).min(sound.1)),
                false => sound,
            };
            // Rounded down as the count of received audio is, so that it is due when its last
            // sample is there.
            let due = (mark.end * 1000 / u64::from(self.rate)).cast_signed();
            let text = mark.word();
            self.queue.push_back((
                due,
                Word {
                    text,
                    start,
                    end,
                    sound,
                },
            ));
        }
    }
}
