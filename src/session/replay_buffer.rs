//! What was sent and is not settled yet: the replay window, from which a lost connection is restored.
//!
//! Positions are samples on the stream's own axis, counted from its first. The window holds what was handed over in
//! [`push`](ReplayBuffer::push), less what [`trim_before`](ReplayBuffer::trim_before) found settled, and never more than its limit:
//! then the oldest goes, and a later restart begins at [`start`](ReplayBuffer::start) instead of where it would like to.
use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::BYTES_PER_SAMPLE;
use super::pcm_codec::CompressedPcm;

/// Arrival times are remembered for as many chunks, also where the window holds less: 13 minutes at 200 ms.
const MAX_ARRIVALS: usize = 4096;

/// Largest amplitude of silence, -60 dB: of a recording without sound, or of a closed noise gate.
/// A microphone's own noise is louder.
const SILENCE: u16 = 32;

/// The replay window over one stream's audio.
#[derive(Debug)]
pub struct ReplayBuffer {
    chunks: VecDeque<Chunk>,
    arrivals: VecDeque<Arrival>,
    limit: u64,
    len_samples: u64,
    /// Where the next audio would go: the end of what was pushed.
    end: u64,
    /// The next sample to send again, while a replay is under way.
    cursor: Option<u64>,
}

#[derive(Debug)]
struct Chunk {
    start: u64,
    /// The whole chunk, as it was sent.
    compressed: CompressedPcm,
    /// So many samples at its beginning are not in the window any more.
    skipped: u64,
}

impl Chunk {
    fn samples(&self) -> u64 {
        self.compressed.samples() as u64 - self.skipped
    }

    fn end(&self) -> u64 {
        self.start + self.samples()
    }

    /// Leaves what of it lies at `position` or later, where it is.
    fn cut_before(&mut self, position: u64) {
        let skip = self.before(position);
        self.start += skip;
        self.skipped += skip;
    }

    /// How many of its samples lie before `position`.
    fn before(&self, position: u64) -> u64 {
        position.saturating_sub(self.start).min(self.samples())
    }

    /// What of it lies at `position` or later, and where that begins.
    fn since(&self, position: u64) -> (u64, Bytes) {
        let skip = self.before(position);
        let pcm = Bytes::from(self.compressed.decompress());
        // Within the chunk's own length, which is a usize.
        let at = (self.skipped + skip) as usize * BYTES_PER_SAMPLE;
        (self.start + skip, pcm.slice(at..))
    }
}

#[derive(Debug)]
struct Arrival {
    start: u64,
    end: u64,
    at: Duration,
}

impl ReplayBuffer {
    /// An empty window that holds at most `limit` samples. With 0 nothing can be sent again; arrival times are kept all the same.
    pub fn new(limit: u64) -> Self {
        Self {
            chunks: VecDeque::new(),
            arrivals: VecDeque::new(),
            limit,
            len_samples: 0,
            end: 0,
            cursor: None,
        }
    }

    /// Takes up audio that was sent for the first time: S16LE mono `pcm` whose first sample lies at `start`, and whose last reached
    /// the sink at `arrived` (any clock, as long as it is always the same). Chunks come in order; there may be holes between
    /// them, and what overlaps audio that is already here is left out. Not while [`replaying`](Self::replaying): the replay
    /// would send it once more.
    pub fn push(&mut self, start: u64, pcm: &[u8], arrived: Duration) {
        let mut chunk = Chunk {
            start,
            compressed: CompressedPcm::new(pcm),
            skipped: 0,
        };
        chunk.cut_before(self.end);
        if chunk.samples() == 0 {
            return;
        }
        self.end = chunk.end();
        if self.arrivals.len() == MAX_ARRIVALS {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back(Arrival {
            start: chunk.start,
            end: chunk.end(),
            at: arrived,
        });
        self.len_samples += chunk.samples();
        self.chunks.push_back(chunk);
        while self.len_samples > self.limit {
            let Some(first) = self.chunks.front() else {
                break;
            };
            self.cut_before(first.start + (self.len_samples - self.limit).min(first.samples()));
        }
    }

    /// Drops the audio before `position`, to the sample, and its arrival times: nothing will ask for it again. What a replay under
    /// way has yet to send stays: a hole in what the service hears would move all the times behind it.
    pub fn trim_before(&mut self, position: u64) {
        let position = self.cursor.map_or(position, |next| position.min(next));
        self.cut_before(position);
        while self.arrivals.front().is_some_and(|a| a.end <= position) {
            self.arrivals.pop_front();
        }
    }

    fn cut_before(&mut self, position: u64) {
        while let Some(first) = self.chunks.front_mut() {
            if first.start >= position {
                break;
            }
            let before = first.samples();
            first.cut_before(position);
            let rest = first.samples();
            self.len_samples -= before - rest;
            if rest > 0 {
                break;
            }
            self.chunks.pop_front();
        }
    }

    /// The first sample that can be sent again; with an empty window, the end of what was pushed.
    pub fn start(&self) -> u64 {
        self.chunks.front().map_or(self.end, |c| c.start)
    }

    /// Where the last so many samples begin that can be sent again.
    pub fn last(&self, samples: u64) -> u64 {
        self.start().max(self.end.saturating_sub(samples))
    }

    /// The end of what was pushed.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Begins a replay at `position`, or at the window's start where that is later. A replay under way is given up for it.
    pub fn rewind(&mut self, position: u64) {
        let position = position.max(self.start());
        self.cursor = (position < self.end).then_some(position);
    }

    /// The next audio to send again, with the position of its first sample: the chunks as they were pushed, the first one cut at
    /// the rewind point. It stays in the window until it is trimmed. `None` when there is nothing to send again.
    pub fn replay(&mut self) -> Option<(u64, Bytes)> {
        let cursor = self.cursor?;
        let index = self.chunks.partition_point(|c| c.end() <= cursor);
        let Some(chunk) = self.chunks.get(index) else {
            self.cursor = None;
            return None;
        };
        self.cursor = Some(chunk.end()).filter(|&next| next < self.end);
        Some(chunk.since(cursor))
    }

    /// The first sample that the replay under way will send next.
    pub fn next_replay(&self) -> Option<u64> {
        self.cursor
    }

    /// Whether a replay is under way.
    pub fn replaying(&self) -> bool {
        self.cursor.is_some()
    }

    /// Forgets all audio: it is settled. A replay under way is over.
    pub fn clear(&mut self) {
        self.cursor = None;
        self.trim_before(self.end);
    }

    /// Returns whether the audio from `position` on is silent, which holds no words. False where
    /// some of it is not in the window any more.
    pub fn is_silent_from(&self, position: u64) -> bool {
        let first = self.chunks.partition_point(|c| c.end() <= position);
        let mut later = self.chunks.range(first..);
        position >= self.start().min(self.end)
            && later.all(|chunk| {
                let (_, pcm) = chunk.since(position);
                let (samples, _) = pcm.as_chunks();
                samples
                    .iter()
                    .all(|s| i16::from_le_bytes(*s).unsigned_abs() <= SILENCE)
            })
    }

    /// When the audio that ends at `position` reached the sink. `None` where it is not known: never pushed, trimmed, or too long ago.
    pub fn arrival_time(&self, position: u64) -> Option<Duration> {
        let index = self.arrivals.partition_point(|a| a.end < position);
        self.arrivals
            .get(index)
            .filter(|a| a.start < position)
            .map(|a| a.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Samples whose values are their own positions.
    fn audio(start: u64, samples: u64) -> Vec<u8> {
        (start..start + samples)
            .flat_map(|p| (p as u16).to_le_bytes())
            .collect()
    }

    fn positions((start, pcm): &(u64, Bytes)) -> Vec<u64> {
        let values: Vec<u64> = pcm
            .chunks(2)
            .map(|b| u64::from(u16::from_le_bytes([b[0], b[1]])))
            .collect();
        assert_eq!(values.first(), Some(start));
        values
    }

    fn replayed(replay_buffer: &mut ReplayBuffer) -> Vec<u64> {
        std::iter::from_fn(|| replay_buffer.replay())
            .flat_map(|chunk| positions(&chunk))
            .collect()
    }

    fn filled(limit: u64) -> ReplayBuffer {
        let mut replay_buffer = ReplayBuffer::new(limit);
        for i in 0..5 {
            replay_buffer.push(i * 10, &audio(i * 10, 10), Duration::from_millis(i));
        }
        replay_buffer
    }

    #[test]
    fn a_replay_begins_at_the_sample_asked_for_and_keeps_the_window() {
        let mut replay_buffer = filled(100);
        replay_buffer.rewind(13);
        assert!(replay_buffer.replaying());
        assert_eq!(
            positions(&replay_buffer.replay().unwrap()),
            [13, 14, 15, 16, 17, 18, 19]
        );
        assert_eq!(replayed(&mut replay_buffer), (20..50).collect::<Vec<_>>());
        assert!(!replay_buffer.replaying());
        replay_buffer.rewind(0);
        assert_eq!(replayed(&mut replay_buffer), (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn silence_is_known_as_such_as_far_as_it_is_kept() {
        let mut history = ReplayBuffer::new(40);
        for (start, sample) in [(0, 0i16), (10, -33), (20, 32), (30, -32), (40, 0)] {
            history.push(start, &sample.to_le_bytes().repeat(10), Duration::ZERO);
        }
        for (from, silent) in [(9, false), (10, false), (19, false), (20, true), (50, true)] {
            assert_eq!(history.is_silent_from(from), silent, "{from}");
        }
        history.trim_before(30);
        assert!(!history.is_silent_from(29), "out of the window");
        assert!(history.is_silent_from(30));
        assert!(ReplayBuffer::new(0).is_silent_from(0), "nothing was sent");
    }

    #[test]
    fn a_second_rewind_gives_up_the_first() {
        let mut replay_buffer = filled(100);
        replay_buffer.rewind(5);
        replay_buffer.replay();
        replay_buffer.rewind(48);
        assert_eq!(replayed(&mut replay_buffer), [48, 49]);
        replay_buffer.rewind(50);
        assert!(!replay_buffer.replaying());
        assert!(replay_buffer.replay().is_none());
    }

    #[test]
    fn trimming_is_exact_and_leaves_a_replay_whole() {
        let mut replay_buffer = filled(100);
        replay_buffer.rewind(7);
        replay_buffer.trim_before(27);
        assert_eq!((replay_buffer.start(), replay_buffer.len_samples), (7, 43));
        assert_eq!(
            replay_buffer.replay().map(|chunk| positions(&chunk)),
            Some(vec![7, 8, 9])
        );
        replay_buffer.trim_before(27);
        assert_eq!(replay_buffer.start(), 10);
        assert_eq!(replayed(&mut replay_buffer), (10..50).collect::<Vec<_>>());
        replay_buffer.trim_before(27);
        assert_eq!((replay_buffer.start(), replay_buffer.len_samples), (27, 23));
        replay_buffer.trim_before(1000);
        assert_eq!((replay_buffer.start(), replay_buffer.len_samples), (50, 0));
    }

    #[test]
    fn the_limit_drops_the_oldest() {
        let mut replay_buffer = filled(25);
        assert_eq!((replay_buffer.start(), replay_buffer.len_samples), (25, 25));
        assert_eq!(
            [
                replay_buffer.last(0),
                replay_buffer.last(20),
                replay_buffer.last(30)
            ],
            [50, 30, 25]
        );
        replay_buffer.rewind(0);
        assert_eq!(replayed(&mut replay_buffer), (25..50).collect::<Vec<_>>());
        // One chunk longer than the limit.
        replay_buffer.push(50, &audio(50, 60), Duration::ZERO);
        assert_eq!((replay_buffer.start(), replay_buffer.len_samples), (85, 25));
    }

    #[test]
    fn without_a_limit_worth_the_name_only_arrivals_are_kept() {
        let mut replay_buffer = filled(0);
        assert_eq!((replay_buffer.start(), replay_buffer.len_samples), (50, 0));
        replay_buffer.rewind(0);
        assert!(!replay_buffer.replaying());
        assert_eq!(
            replay_buffer.arrival_time(15),
            Some(Duration::from_millis(1))
        );
    }

    #[test]
    fn a_position_arrived_with_the_chunk_that_completes_it() {
        let mut replay_buffer = filled(100);
        assert_eq!(replay_buffer.arrival_time(0), None);
        assert_eq!(replay_buffer.arrival_time(1), Some(Duration::ZERO));
        assert_eq!(replay_buffer.arrival_time(10), Some(Duration::ZERO));
        assert_eq!(
            replay_buffer.arrival_time(11),
            Some(Duration::from_millis(1))
        );
        assert_eq!(
            replay_buffer.arrival_time(50),
            Some(Duration::from_millis(4))
        );
        assert_eq!(replay_buffer.arrival_time(51), None);
        replay_buffer.trim_before(20);
        assert_eq!(replay_buffer.arrival_time(20), None);
        assert_eq!(
            replay_buffer.arrival_time(21),
            Some(Duration::from_millis(2))
        );
    }

    #[test]
    fn holes_are_stepped_over_and_overlaps_left_out() {
        let mut replay_buffer = ReplayBuffer::new(100);
        replay_buffer.push(0, &audio(0, 4), Duration::ZERO);
        replay_buffer.push(8, &audio(8, 4), Duration::ZERO);
        replay_buffer.push(10, &audio(10, 4), Duration::ZERO);
        replay_buffer.push(3, &audio(3, 4), Duration::ZERO);
        replay_buffer.rewind(5);
        assert_eq!(replayed(&mut replay_buffer), (8..14).collect::<Vec<_>>());
        assert_eq!(replay_buffer.arrival_time(6), None);
    }

    #[test]
    fn arrivals_are_bounded() {
        let mut replay_buffer = ReplayBuffer::new(10);
        for i in 0..MAX_ARRIVALS as u64 + 10 {
            replay_buffer.push(i, &audio(i, 1), Duration::ZERO);
        }
        assert_eq!(replay_buffer.arrivals.len(), MAX_ARRIVALS);
        assert_eq!(replay_buffer.arrival_time(10), None);
        assert!(replay_buffer.arrival_time(11).is_some());
    }

    proptest! {
        /// Whatever is pushed, trimmed and dropped: a replay gives exactly the samples from the rewind point on that the window holds.
        #[test]
        fn a_replay_gives_the_window(
            sizes in prop::collection::vec(0u64..40, 0..40),
            trims in prop::collection::vec(0u64..800, 0..40),
            limit in 0u64..200,
            rewind in 0u64..800,
        ) {
            let mut replay_buffer = ReplayBuffer::new(limit);
            let (mut end, mut start) = (0, 0);
            for (i, &size) in sizes.iter().enumerate() {
                replay_buffer.push(end, &audio(end, size), Duration::ZERO);
                end += size;
                start = start.max(end.saturating_sub(limit));
                if let Some(&trim) = trims.get(i) {
                    let trim = trim.min(end);
                    replay_buffer.trim_before(trim);
                    start = start.max(trim);
                }
                prop_assert!(replay_buffer.len_samples <= limit);
                prop_assert_eq!(replay_buffer.start(), start);
            }
            replay_buffer.rewind(rewind);
            prop_assert_eq!(replayed(&mut replay_buffer), (rewind.max(start)..end).collect::<Vec<_>>());
        }

        /// Whatever is trimmed meanwhile, a replay steps over nothing.
        #[test]
        fn a_replay_has_no_holes(
            sizes in prop::collection::vec(1u64..40, 1..40),
            trims in prop::collection::vec(prop::option::of(0u64..2000), 0..60),
            limit in 1u64..400,
            rewind in 0u64..800,
        ) {
            let mut replay_buffer = ReplayBuffer::new(limit);
            let mut end = 0;
            for size in sizes {
                replay_buffer.push(end, &audio(end, size), Duration::ZERO);
                end += size;
            }
            replay_buffer.rewind(rewind);
            let mut next = replay_buffer.next_replay().unwrap_or(end);
            let mut trims = trims.into_iter();
            loop {
                if let Some(Some(trim)) = trims.next() {
                    replay_buffer.trim_before(trim);
                }
                let Some(chunk) = replay_buffer.replay() else { break };
                let sent = positions(&chunk);
                prop_assert_eq!(sent.first(), Some(&next));
                next += sent.len() as u64;
            }
            prop_assert_eq!(next, end);
        }
    }
}
