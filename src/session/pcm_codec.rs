//! Lossless compression of the audio that is kept for a replay: speech to some 55 %, silence to
//! almost nothing.
//!
//! A thousand sessions hold seconds of audio each, which is needed only if a connection fails. The
//! method is that of lossless audio codecs: a linear predictor extrapolates two samples to the
//! third, and the residuals are stored bit-packed, in blocks, with as many bits as the largest one
//! of the block takes. That costs a tenth of gzip's time and leaves fewer bytes.

use std::cell::RefCell;

use bitpacking::{BitPacker, BitPacker4x};

use super::BYTES_PER_SAMPLE;

/// Number of samples that share a width.
const BLOCK: usize = BitPacker4x::BLOCK_LEN;

/// Compressed S16LE samples.
#[derive(Debug, Clone)]
pub struct CompressedPcm {
    /// For each whole block its width in bits and its residuals; then the remaining samples as they
    /// are.
    bytes: Box<[u8]>,
    samples: usize,
}

thread_local! {
    /// Output of the compression until its size is known, so that the result is allocated once.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl CompressedPcm {
    /// Compresses whole samples. Half a sample at the end is left out.
    pub fn new(pcm: &[u8]) -> Self {
        let samples = pcm.len() / BYTES_PER_SAMPLE;
        let blocks = pcm.chunks_exact(BLOCK * BYTES_PER_SAMPLE);
        let rest = blocks.remainder();
        let bytes = SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            let packer = BitPacker4x::new();
            let mut predictor = LinearPredictor::default();
            let mut compressed = [0; BLOCK * BYTES_PER_SAMPLE];
            for block in blocks {
                let (residuals, width) = predictor.residuals(block);
                let size = packer.compress(&residuals, &mut compressed, width);
                scratch.push(width);
                scratch.extend_from_slice(&compressed[..size]);
            }
            let (whole, _) = rest.as_chunks::<BYTES_PER_SAMPLE>();
            scratch.extend_from_slice(whole.as_flattened());
            Box::from(scratch.as_slice())
        });
        CompressedPcm { bytes, samples }
    }

    /// Returns the samples.
    pub fn decompress(&self) -> Vec<u8> {
        let mut pcm = Vec::with_capacity(self.samples * BYTES_PER_SAMPLE);
        let packer = BitPacker4x::new();
        let mut predictor = LinearPredictor::default();
        let mut bytes = &*self.bytes;
        let mut residuals = [0; BLOCK];
        for _ in 0..self.samples / BLOCK {
            let Some((&width, compressed)) = bytes.split_first() else {
                break;
            };
            let size = packer.decompress(compressed, &mut residuals, width);
            predictor.samples(&residuals, &mut pcm);
            bytes = &compressed[size..];
        }
        pcm.extend_from_slice(bytes);
        pcm
    }
}

/// Predictor of second order: the two samples before a block. Sums wrap around, so that signed
/// samples can be taken for unsigned ones.
#[derive(Default)]
struct LinearPredictor(u16, u16);

impl LinearPredictor {
    /// Returns the residuals of a block, zigzag-encoded, and the bits that the largest one takes.
    fn residuals(&mut self, block: &[u8]) -> ([u32; BLOCK], u8) {
        let mut samples = [0; BLOCK + 2];
        (samples[0], samples[1]) = (self.0, self.1);
        for (sample, bytes) in samples[2..].iter_mut().zip(block.as_chunks().0) {
            *sample = u16::from_le_bytes(*bytes);
        }
        let mut narrow = [0; BLOCK];
        let mut used = 0;
        // Without a dependence between its turns, this loop takes vector instructions.
        for ((zigzag, before), &sample) in
            narrow.iter_mut().zip(samples.windows(2)).zip(&samples[2..])
        {
            let residual = sample.wrapping_sub(predict(before[0], before[1]));
            *zigzag = (residual << 1) ^ (residual >> 15).wrapping_neg();
            used |= *zigzag;
        }
        (self.0, self.1) = (samples[BLOCK], samples[BLOCK + 1]);
        let width = u16::BITS - used.leading_zeros();
        (narrow.map(u32::from), width as u8)
    }

    /// Appends the samples that have these residuals.
    fn samples(&mut self, residuals: &[u32; BLOCK], pcm: &mut Vec<u8>) {
        for &zigzag in residuals {
            // 16 bits by construction.
            let zigzag = zigzag as u16;
            let residual = (zigzag >> 1) ^ (zigzag & 1).wrapping_neg();
            let sample = predict(self.0, self.1).wrapping_add(residual);
            (self.0, self.1) = (self.1, sample);
            pcm.extend_from_slice(&sample.to_le_bytes());
        }
    }
}

fn predict(before_last: u16, last: u16) -> u16 {
    last.wrapping_mul(2).wrapping_sub(before_last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pcm(samples: impl IntoIterator<Item = i16>) -> Vec<u8> {
        samples.into_iter().flat_map(i16::to_le_bytes).collect()
    }

    #[test]
    fn silence_takes_next_to_no_room() {
        let compressed = CompressedPcm::new(&pcm([0; 4800]));
        // 37 blocks, and half a one as it is.
        assert_eq!(
            (compressed.samples, compressed.bytes.len()),
            (4800, 37 + 128)
        );
    }

    #[test]
    fn a_tone_takes_half_and_noise_no_more_than_it_is() {
        let tone = (0..4800).map(|n| ((f64::from(n) * 0.05).sin() * 8000.0) as i16);
        assert!(CompressedPcm::new(&pcm(tone)).bytes.len() < 4800);
        let mut state = 1u32;
        let noise = (0..4800).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16
        });
        assert_eq!(CompressedPcm::new(&pcm(noise)).bytes.len(), 9600 + 37);
    }

    #[test]
    fn half_a_sample_is_left_out() {
        assert_eq!(CompressedPcm::new(&[1, 2, 3]).decompress(), [1, 2]);
        assert!(CompressedPcm::new(&[1]).decompress().is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            samples in prop::collection::vec(any::<i16>(), 0..700),
            quiet in 0u32..16,
        ) {
            let pcm = pcm(samples.into_iter().map(|sample| sample >> quiet));
            let compressed = CompressedPcm::new(&pcm);
            prop_assert_eq!(compressed.samples * BYTES_PER_SAMPLE, pcm.len());
            prop_assert!(compressed.bytes.len() <= pcm.len() + pcm.len() / 256);
            prop_assert_eq!(compressed.decompress(), pcm);
        }
    }
}
