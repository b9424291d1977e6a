//! Marks: sounds that carry their own number, so that a test can tell which audio arrived.
//!
//! A mark is a run of blocks of 10 ms. Each block begins with two magic samples and a header
//! (number of the mark, index of the block, count of blocks, length of a block, check), and is
//! filled up with a pattern that follows from number and index. So a mark that is cut, doubled,
//! reordered or altered by a single sample is found as another word (`~12` for `m12`), as a real
//! recogniser gets half a word wrong.
//!
//! - [`Layout`] says where marks lie and makes the samples.
//! - `Reader` finds them again, at any alignment and in pieces of any size.

/// First sample of each block. Neither headers nor patterns reach it.
const MAGIC_A: i16 = 0x6d31;
const MAGIC_B: i16 = 0x52a7;
/// Samples before the pattern: two of magic, two of number, index, count, length, check.
const HEADER: usize = 8;

/// Ten milliseconds of a mark.
#[derive(Clone, Copy)]
struct Block {
    number: u32,
    index: u16,
    count: u16,
    /// In samples.
    length: u16,
}

impl Block {
    /// Its header, as values of 12 bits.
    fn header(self) -> [i16; HEADER] {
        let high = (self.number >> 12) as u16;
        let fields = [
            high,
            self.number as u16,
            self.index,
            self.count,
            self.length,
        ];
        let [a, b, c, d, e] = fields.map(|field| field & 0xfff);
        let sum = |sum: u16, field| (sum.rotate_left(3) ^ field) & 0xfff;
        let check = [a, b, c, d, e].into_iter().fold(0x5a5, sum);
        let [a, b, c, d, e, check] = [a, b, c, d, e, check].map(|f| 0x1000 + f.cast_signed());
        [MAGIC_A, MAGIC_B, a, b, c, d, e, check]
    }

    /// Reads a header, if it is one.
    fn of(header: &[i16; HEADER]) -> Option<Self> {
        let field = |at: usize| header[at].wrapping_sub(0x1000).cast_unsigned();
        let block = Self {
            number: u32::from(field(2)) << 12 | u32::from(field(3)),
            index: field(4),
            count: field(5),
            length: field(6),
        };
        (usize::from(block.length) >= HEADER && block.header() == *header).then_some(block)
    }

    /// The samples behind the header. Their size is between 1024 and 3071, so that they are neither
    /// silence nor header.
    fn pattern(self) -> impl Iterator<Item = i16> {
        (HEADER as u32..u32::from(self.length)).map(move |k| {
            let seed = self.number.wrapping_mul(0x9e37_79b1) ^ (u32::from(self.index) << 16 | k);
            let hash = seed.wrapping_mul(0x85eb_ca6b);
            let size = 1024 + ((hash >> 20) as i16 & 0x7ff);
            if hash & 0x8000 == 0 { size } else { -size }
        })
    }
}

/// One mark of a [`Layout`]: its number and its place in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its number: the recogniser says `m` and this.
    pub number: u32,
    /// Milliseconds from the first sample to the mark's first.
    pub start: u64,
    /// Milliseconds from the first sample to the first after the mark.
    pub end: u64,
}

/// An endless sequence of marks: groups of some (a sentence), then a pause. All times are
/// milliseconds.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Samples a second; a multiple of 1000 for exact times.
    pub rate: u32,
    /// Silence before the first mark.
    pub lead: u64,
    /// The length of a mark; a multiple of 10.
    pub length: u64,
    /// From one mark's start to the next within a sentence; not less than `length`.
    pub every: u64,
    /// Marks in a sentence.
    pub sentence: u64,
    /// From the last mark's end to the next sentence. More than `end_window_size` for it to be
    /// settled.
    pub pause: u64,
    /// The first mark's number. Numbers have 24 bits.
    pub first: u32,
}

impl Default for Layout {
    /// 24 kHz, 300 ms marks every 500 ms in sentences of three, 1300 ms pauses, 200 ms of silence
    /// first.
    fn default() -> Self {
        Self {
            rate: 24_000,
            lead: 200,
            length: 300,
            every: 500,
            sentence: 3,
            pause: 1300,
            first: 0,
        }
    }
}

impl Layout {
    /// From one sentence's start to the next, in milliseconds.
    pub fn period(&self) -> u64 {
        (self.sentence - 1) * self.every + self.length + self.pause
    }

    /// The `n`-th mark, from 0.
    pub fn mark(&self, n: u64) -> Mark {
        let start = self.lead + n / self.sentence * self.period() + n % self.sentence * self.every;
        Mark {
            number: self.first + n as u32,
            start,
            end: start + self.length,
        }
    }

    /// All marks that end within the first `milliseconds`.
    pub fn marks(&self, milliseconds: u64) -> Vec<Mark> {
        let all = (0..).map(|n| self.mark(n));
        all.take_while(|mark| mark.end <= milliseconds).collect()
    }

    /// The first `milliseconds` as S16LE mono; the last mark may be cut.
    pub fn pcm(&self, milliseconds: u64) -> Vec<u8> {
        self.part(0, milliseconds)
    }

    /// The samples between two positions in milliseconds, without what comes before.
    pub(crate) fn part(&self, from: u64, to: u64) -> Vec<u8> {
        let sentence = from.saturating_sub(self.lead) / self.period();
        // Where the sentence begins, and nothing of another one reaches.
        let begin = sentence * self.period();
        let bytes = |ms: u64| ((ms - begin) * u64::from(self.rate) / 1000) as usize * 2;
        let mut pcm = Vec::with_capacity(bytes(to));
        for n in sentence * self.sentence.. {
            let mark = self.mark(n);
            if mark.start >= to {
                break;
            }
            pcm.resize(bytes(mark.start), 0);
            let count = (self.length / 10) as u16;
            for index in 0..count {
                let (number, length) = (mark.number, (self.rate / 100) as u16);
                let block = Block {
                    number,
                    index,
                    count,
                    length,
                };
                let samples = block.header().into_iter().chain(block.pattern());
                pcm.extend(samples.flat_map(i16::to_le_bytes));
            }
        }
        pcm.resize(bytes(to), 0);
        pcm.drain(..bytes(from));
        pcm
    }

    /// As many whole sentences as `sentences` says, the pause after the last included, with their
    /// marks.
    pub fn sentences(&self, sentences: u64) -> (Vec<u8>, Vec<Mark>) {
        let marks = (0..sentences * self.sentence).map(|n| self.mark(n));
        let pcm = self.pcm(self.lead + sentences * self.period());
        (pcm, marks.collect())
    }
}

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
    pub(crate) fn milliseconds(&self, rate: u32) -> (i64, i64) {
        let rate = u64::from(rate);
        let ms = |samples: u64| ((samples * 1000 + rate / 2) / rate).cast_signed();
        (ms(self.start), ms(self.end))
    }
}

/// Finds marks in a stream of samples, in pieces of any size.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// Samples before those that wait.
    position: u64,
    /// Samples that wait for the rest of their block.
    waiting: Vec<u8>,
    /// Blocks that followed each other, with the index of the one that is next. The mark is whole
    /// as far as its first block shows.
    run: Option<(FoundMark, u16)>,
    /// Marks found in this piece.
    found: Vec<FoundMark>,
}

impl Reader {
    /// Takes more samples (S16LE, whole ones), and returns what was found: a mark with its last
    /// sample. At the end of the audio, one that was under way is found as clipped.
    pub(crate) fn read(&mut self, pcm: &[u8], is_end: bool) -> Vec<FoundMark> {
        self.waiting.extend(pcm);
        let waiting = std::mem::take(&mut self.waiting);
        let mut rest = waiting.as_chunks::<2>().0;
        while !rest.is_empty() {
            // Nearly all samples are outside marks or refused by this comparison: it makes reading
            // cheap.
            let is_magic = |sample: &[u8; 2]| *sample == MAGIC_A.to_le_bytes();
            let outside = rest.iter().position(is_magic).unwrap_or(rest.len());
            if outside > 0 {
                self.end_run(false);
                self.pass(&mut rest, outside);
                continue;
            }
            let header = rest.first_chunk();
            let header = header.map(|header| header.map(i16::from_le_bytes));
            if header.is_none() && !is_end {
                break;
            }
            let Some(block) = header.as_ref().and_then(Block::of) else {
                self.end_run(false);
                self.pass(&mut rest, 1);
                continue;
            };
            let pairs = rest[HEADER..].iter().zip(block.pattern());
            let good = pairs.take_while(|(is, expected)| **is == expected.to_le_bytes());
            let good = HEADER + good.count();
            if good == rest.len() && good < usize::from(block.length) && !is_end {
                break;
            }
            self.add(block, good);
            self.pass(&mut rest, good);
        }
        if is_end {
            self.end_run(false);
        }
        self.waiting = rest.as_flattened().to_vec();
        std::mem::take(&mut self.found)
    }

    fn pass(&mut self, rest: &mut &[[u8; 2]], samples: usize) {
        *rest = &rest[samples..];
        self.position += samples as u64;
    }

    /// Adds a block to its run, of which so many samples are right. One that is damaged or cut ends
    /// the run; it still says which mark it was.
    fn add(&mut self, block: Block, good: usize) {
        let begins = FoundMark {
            number: block.number,
            whole: block.index == 0,
            start: self.position,
            end: self.position,
        };
        let continued = self.run.take_if(|(mark, next)| {
            (mark.number, mark.end, *next) == (block.number, begins.start, block.index)
        });
        self.end_run(false);
        let (mut mark, _) = continued.unwrap_or((begins, 0));
        mark.end += good as u64;
        self.run = Some((mark, block.index + 1));
        let complete = good == usize::from(block.length);
        if !complete || block.index + 1 == block.count {
            self.end_run(complete);
        }
    }

    fn end_run(&mut self, complete: bool) {
        if let Some((mut mark, _)) = self.run.take() {
            mark.whole &= complete;
            self.found.push(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads all marks of a recording, in pieces of this size.
    fn read(pcm: &[u8], size: usize) -> String {
        let mut reader = Reader::default();
        let mut found: Vec<_> = pcm
            .chunks(size)
            .flat_map(|piece| reader.read(piece, false))
            .collect();
        found.extend(reader.read(&[], true));
        let words: Vec<_> = found.iter().map(FoundMark::word).collect();
        words.join(" ")
    }

    #[test]
    fn cut_doubled_reordered_and_altered_marks_are_other_words() {
        let pcm = Layout::default().pcm(1500);
        let altered = |byte: usize| {
            let mut altered = pcm.clone();
            altered[byte] ^= 1;
            altered
        };
        let parts = |parts: &[(usize, usize)]| {
            let parts = parts.iter().map(|&(from, to)| &pcm[from * 48..to * 48]);
            parts.collect::<Vec<_>>().concat()
        };
        let sample_lost = [&pcm[..900 * 48], &pcm[900 * 48 + 2..]].concat();
        let swapped = parts(&[(0, 800), (810, 820), (800, 810), (820, 1500)]);
        for (case, pcm, expected) in [
            ("whole", pcm.clone(), "m0 m1 m2"),
            ("begins late", parts(&[(205, 1500)]), "~0 m1 m2"),
            ("ends early", parts(&[(0, 1499)]), "m0 m1 ~2"),
            ("a sample lost", sample_lost, "m0 ~1 ~1 m2"),
            ("doubled", parts(&[(0, 1000), (600, 1500)]), "m0 m1 m1 m2"),
            ("stutter", parts(&[(0, 800), (780, 1500)]), "m0 ~1 ~1 m2"),
            ("swapped", swapped, "m0 ~1 ~1 ~1 ~1 m2"),
            ("magic altered", altered(850 * 48), "m0 ~1"),
            ("header altered", altered(850 * 48 + 6), "m0 ~1"),
            ("pattern altered", altered(853 * 48), "m0 ~1"),
        ] {
            for size in [2, 14, 480, 962] {
                let words = read(&pcm, size);
                assert!(words.starts_with(expected), "{case}: {words}");
            }
        }
    }
}
