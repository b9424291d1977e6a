//! Streams in a row on one axis of time: the next may begin anew at zero.

use super::transcript::Transcript;

/// Places utterances of streams one after the other.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    stream: u32,
    /// Offset added to the times of `stream`, in nanoseconds.
    shift: u64,
    last_start: u64,
    last_end: u64,
}

impl Streams {
    /// Returns where an utterance begins, in nanoseconds; `None` if that is not known. A stream
    /// that begins anew goes on where it is played, or else behind the one before.
    pub fn place(&mut self, transcript: &Transcript) -> Option<u64> {
        let start = transcript.times.start()?;
        if transcript.stream != self.stream {
            self.stream = transcript.stream;
            let played = transcript.times.running_time.unwrap_or(0);
            self.shift = match start < self.last_start {
                true => played.max(self.last_end).saturating_sub(start),
                false => 0,
            };
        }
        let start = start.saturating_add(self.shift);
        let end = start.saturating_add(transcript.times.duration.unwrap_or(0));
        self.last_start = start;
        self.last_end = self.last_end.max(end);
        Some(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::transcript::Times;

    #[test]
    fn one_after_the_other() {
        // Stream, start, running time, and the place that it has.
        let cases = [
            (0, 200, Some(200), 200),
            (0, 5000, Some(5000), 5000),
            (1, 300, Some(8300), 8300),
            (1, 2000, Some(10_000), 10_000),
            (2, 100, None, 11_000),
            (2, 4000, None, 14_900),
            // After a seek: the place is a later one already.
            (3, 60_000, Some(500), 60_000),
        ];
        let mut streams = Streams::default();
        for (stream, start, running_time, place) in cases {
            let transcript = Transcript {
                stream,
                times: Times {
                    stream_time: Some(start),
                    running_time,
                    duration: Some(1000),
                    ..Times::default()
                },
                ..Transcript::default()
            };
            assert_eq!(streams.place(&transcript), Some(place), "{start}");
        }
    }
}
