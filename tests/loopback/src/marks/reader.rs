//! Finding marks in samples.

use super::{HEADER, MAGIC_A, header, pattern};

/// A mark, or a piece of one, that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundMark {
    /// The number it carries.
    pub number: u32,
    /// Whether all of it came, in order and unaltered.
    pub whole: bool,
    /// Its first sample, counted from the reader's first.
    pub start: u64,
    /// The first sample after it.
    pub end: u64,
}

impl FoundMark {
    /// The word: `m12`, or `~12` for less than a whole mark.
    pub(crate) fn word(&self) -> String {
        format!("{}{}", if self.whole { 'm' } else { '~' }, self.number)
    }

    /// Start and end in milliseconds at `rate`, rounded.
    pub(crate) fn milliseconds(&self, rate: u32) -> (u64, u64) {
        let ms = |samples: u64| (samples * 1000 + u64::from(rate) / 2) / u64::from(rate);
        (ms(self.start), ms(self.end))
    }
}

/// The samples of the block that is being read.
#[derive(Clone, Debug)]
struct Block {
    start: u64,
    /// Samples so far.
    k: usize,
    head: [i16; HEADER],
    number: u32,
    index: u16,
    count: u16,
    length: usize,
}

/// Blocks of one mark that followed each other.
#[derive(Clone, Debug)]
struct Run {
    /// Whole, as far as its first block shows.
    mark: FoundMark,
    next: u16,
}

/// Finds marks in a stream of samples, in pieces of any size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reader {
    position: u64,
    block: Option<Block>,
    run: Option<Run>,
}

impl Reader {
    /// Takes more samples (S16LE, whole ones), and adds what was found to `found`: a mark with its
    /// last sample.
    pub(crate) fn push(&mut self, pcm: &[u8], found: &mut Vec<FoundMark>) {
        let samples = pcm.as_chunks::<2>().0;
        let mut at = 0;
        while at < samples.len() {
            if self.block.is_none() && self.run.is_none() {
                // Nearly all samples are outside marks or refused by the first comparison: this is
                // what makes it cheap.
                let magic = MAGIC_A.to_le_bytes();
                let skip = samples[at..]
                    .iter()
                    .position(|s| *s == magic)
                    .unwrap_or(samples.len() - at);
                at += skip;
                self.position += skip as u64;
                if at == samples.len() {
                    break;
                }
            }
            self.sample(i16::from_le_bytes(samples[at]), found);
            at += 1;
            self.position += 1;
        }
    }

    /// The end of the audio: a mark that was under way is found as clipped.
    pub(crate) fn finish(&mut self, found: &mut Vec<FoundMark>) {
        self.end_block(found);
        self.end_run(false, found);
    }

    fn sample(&mut self, value: i16, found: &mut Vec<FoundMark>) {
        if let Some(block) = &mut self.block {
            if block.accepts(value) {
                block.k += 1;
                if block.k == block.length {
                    self.end_block(found);
                }
                return;
            }
            self.end_block(found);
        }
        if value == MAGIC_A {
            self.block = Some(Block::new(self.position));
        } else {
            self.end_run(false, found);
        }
    }

    /// Adds the block to its run. One that is damaged or cut ends the run; with a header it still
    /// says which mark it was.
    fn end_block(&mut self, found: &mut Vec<FoundMark>) {
        let Some(block) = self.block.take() else {
            return;
        };
        if block.k >= HEADER {
            let before = self.run.take_if(|run| run.continues(&block));
            self.end_run(false, found);
            let mut run = before.unwrap_or_else(|| Run::new(&block));
            run.mark.end = block.start + block.k as u64;
            run.next = block.index + 1;
            self.run = Some(run);
        }
        let complete = block.k >= HEADER && block.k == block.length;
        if !complete || block.index + 1 == block.count {
            self.end_run(complete, found);
        }
    }

    fn end_run(&mut self, complete: bool, found: &mut Vec<FoundMark>) {
        found.extend(self.run.take().map(|run| FoundMark {
            whole: run.mark.whole && complete,
            ..run.mark
        }));
    }
}

impl Run {
    fn new(block: &Block) -> Self {
        Self {
            mark: FoundMark {
                number: block.number,
                whole: block.index == 0,
                start: block.start,
                end: block.start,
            },
            next: block.index,
        }
    }

    fn continues(&self, block: &Block) -> bool {
        let mark = &self.mark;
        mark.end == block.start && mark.number == block.number && self.next == block.index
    }
}

impl Block {
    fn new(start: u64) -> Self {
        let mut head = [0; HEADER];
        head[0] = MAGIC_A;
        Self {
            start,
            k: 1,
            head,
            number: 0,
            index: 0,
            count: 0,
            length: usize::MAX,
        }
    }

    fn accepts(&mut self, value: i16) -> bool {
        if self.k >= HEADER {
            return value == pattern(self.number, self.index, self.k);
        }
        self.head[self.k] = value;
        if self.k < HEADER - 1 {
            return true;
        }
        let field = |i: usize| self.head[i].wrapping_sub(0x1000).cast_unsigned();
        self.number = u32::from(field(2)) << 12 | u32::from(field(3));
        self.index = field(4);
        self.count = field(5);
        self.length = usize::from(field(6));
        self.length >= HEADER && self.head == header(self.number, self.index, self.count, field(6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::Layout;

    /// Reads all marks of a recording, in pieces of this size.
    fn read(pcm: &[u8], size: usize) -> Vec<FoundMark> {
        let (mut reader, mut found) = (Reader::default(), Vec::new());
        let pieces = pcm.chunks(size);
        pieces.for_each(|piece| reader.push(piece, &mut found));
        reader.finish(&mut found);
        found
    }

    #[test]
    fn every_mark_is_found_at_its_exact_time_at_both_rates() {
        for (rate, noise) in [(24_000, false), (16_000, true)] {
            let layout = Layout {
                rate,
                noise,
                first: 4090,
                ..Layout::default()
            };
            let (pcm, marks) = layout.sentences(40);
            let found = read(&pcm, pcm.len());
            assert!(found.iter().all(|found| found.whole));
            let found = found.iter().map(|found| {
                let (start, end) = found.milliseconds(rate);
                (found.number, start, end)
            });
            let expected = marks.iter().map(|mark| (mark.number, mark.start, mark.end));
            assert!(found.eq(expected));
        }
        // The rate that a listener takes it for scales the times only.
        let pcm = Layout::default().pcm(600);
        assert_eq!(read(&pcm, 480)[0].milliseconds(16_000), (300, 750));
    }

    #[test]
    fn pieces_of_any_size_are_read_and_made() {
        let layout = Layout {
            noise: true,
            ..Layout::default()
        };
        let pcm = layout.pcm(9000);
        let whole = read(&pcm, pcm.len());
        for size in [2, 14, 478, 480, 962, 9600] {
            assert_eq!(read(&pcm, size), whole, "{size}");
        }
        for position in [0, 1, 4799, 4800, 4801, 60_000, 100_003] {
            let mut part = vec![0; 20_002];
            layout.fill(position, &mut part);
            assert_eq!(part, pcm[position as usize * 2..][..20_002], "{position}");
        }
    }

    #[test]
    fn cut_doubled_reordered_and_altered_marks_are_other_words() {
        let pcm = Layout::default().pcm(1500);
        let between = |from: usize, to: usize| &pcm[from * 48..to * 48];
        let altered = |byte: usize| {
            let mut altered = pcm.clone();
            altered[byte] ^= 1;
            altered
        };
        let parts = |parts: &[(usize, usize)]| {
            let parts = parts.iter().map(|&(from, to)| between(from, to));
            parts.collect::<Vec<_>>().concat()
        };
        let sample_lost = [&pcm[..900 * 48], &pcm[900 * 48 + 2..]].concat();
        for (case, pcm, expected) in [
            ("whole", pcm.clone(), "m0 m1 m2"),
            ("begins late", parts(&[(205, 1500)]), "~0 m1 m2"),
            ("ends early", parts(&[(0, 1499)]), "m0 m1 ~2"),
            ("a sample lost", sample_lost, "m0 ~1 ~1 m2"),
            ("doubled", parts(&[(0, 1000), (600, 1500)]), "m0 m1 m1 m2"),
            ("stutter", parts(&[(0, 800), (780, 1500)]), "m0 ~1 ~1 m2"),
            (
                "swapped",
                parts(&[(0, 800), (810, 820), (800, 810), (820, 1500)]),
                "m0 ~1 ~1 ~1 ~1 m2",
            ),
            ("magic altered", altered(850 * 48), "m0 ~1"),
            ("header altered", altered(850 * 48 + 6), "m0 ~1"),
            ("pattern altered", altered(853 * 48), "m0 ~1"),
        ] {
            let words: Vec<String> = read(&pcm, 480).iter().map(FoundMark::word).collect();
            let words = words.join(" ");
            assert!(words.starts_with(expected), "{case}: {words}");
        }
    }
}
