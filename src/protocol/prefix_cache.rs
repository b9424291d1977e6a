//! Skips what a response repeats of the one before it.
//!
//! A `full` response of an hour lists some hundred final sentences, word by word, and one that
//! changes. The caller states how many utterances at the beginning of the list it needs no more.
//! Their length and fingerprint are kept. While the next payload has the same bytes there, only the
//! rest is parsed.
//!
//! Decoding all of it takes some twenty times as long for ten minutes of `full` (105 kB), with the
//! list as raw values (`&RawValue`) or without: finding a value's end costs as much as reading it.

mod scanner;

use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;

use scanner::Scanner;

use super::response::{Response, ResponseError};

/// Beginning of the last response. One for each connection.
#[derive(Debug, Default)]
pub struct PrefixCache {
    prefix: Option<Prefix>,
    /// Whether the last response began with `prefix`.
    last_hit: bool,
    /// Payload without the known prefix, kept for its capacity.
    stripped: Vec<u8>,
}

/// Beginning of a list of utterances, in bytes from behind its bracket.
#[derive(Debug)]
struct Prefix {
    utterances: usize,
    length: usize,
    fingerprint: u64,
}

impl PrefixCache {
    /// Capacity that is kept between responses. The new part of one has some kilobytes, as a rule.
    const KEEP: usize = 1 << 14;

    /// Reads an uncompressed payload like [`Response::decode`]. Leaves out the first `settled`
    /// utterances and the text of all, if these utterances are, byte by byte, those of the last
    /// [`remember`](Self::remember). [`Response::repeated`] then tells their number.
    ///
    /// # Errors
    /// Those of [`Response::decode`]; the part that is left out is not checked.
    pub fn decode<'a>(
        &'a mut self,
        payload: &'a [u8],
        settled: usize,
    ) -> Result<Response<'a>, ResponseError> {
        if self.stripped.capacity() > Self::KEEP {
            self.stripped = Vec::new();
        }
        self.last_hit = self.strip_known_prefix(payload, settled).is_some();
        if !self.last_hit {
            return Response::decode(payload);
        }
        let mut response = Response::decode(&self.stripped)?;
        response.repeated = settled;
        Ok(response)
    }

    /// Notes that the first `settled` utterances of the last decoded payload need not be read
    /// again.
    pub fn remember(&mut self, payload: &[u8], settled: usize) {
        let before = self.prefix.take().filter(|prefix| {
            // Otherwise they end elsewhere, or at an unknown place.
            self.last_hit && prefix.utterances <= settled
        });
        self.prefix = match before {
            Some(prefix) if prefix.utterances == settled => Some(prefix),
            before => prefix(payload, before.as_ref(), settled),
        };
    }

    /// Puts the payload without its known prefix into `stripped`. Returns `None` if anything
    /// differs.
    fn strip_known_prefix(&mut self, payload: &[u8], settled: usize) -> Option<()> {
        let prefix = self.prefix.as_ref()?;
        let header = Header::of(payload)?;
        let (same, rest) = payload
            .get(header.list..)?
            .split_at_checked(prefix.length)?;
        if prefix.utterances != settled || fingerprint(same) != prefix.fingerprint {
            return None;
        }
        let mut after = Scanner::new(rest);
        if after.expect_byte(b',') && after.peek() == Some(b']') {
            // Nothing follows the comma, which the parser reports.
            return None;
        } else if after.at == 0 && after.peek() != Some(b']') {
            return None;
        }
        self.stripped.clear();
        let text = header.text.unwrap_or(header.list..header.list);
        self.stripped.extend_from_slice(&payload[..text.start]);
        self.stripped
            .extend_from_slice(&payload[text.end..header.list]);
        self.stripped.extend_from_slice(&rest[after.at..]);
        Some(())
    }
}

/// Returns the prefix of `utterances` utterances of a valid payload, starting from the shorter
/// prefix `before`. Returns `None` where the list is not as regular as it should be.
fn prefix(payload: &[u8], before: Option<&Prefix>, utterances: usize) -> Option<Prefix> {
    let list = payload.get(Header::of(payload)?.list..)?;
    let mut scanner = Scanner::new(list);
    scanner.at = before.map_or(0, |prefix| prefix.length);
    for number in before.map_or(0, |prefix| prefix.utterances)..utterances {
        if number > 0 && !scanner.expect_byte(b',') {
            return None;
        }
        // An element that is no object, or has no fields, is no utterance and does not count.
        let at = scanner.at;
        if !scanner.expect_byte(b'{') || scanner.peek() != Some(b'"') {
            return None;
        }
        scanner.at = at;
        scanner.skip_value()?;
    }
    (utterances > 0).then(|| Prefix {
        utterances,
        length: scanner.at,
        fingerprint: fingerprint(&list[..scanner.at]),
    })
}

/// Part of a payload before its utterances.
struct Header {
    /// Position behind the bracket of `result.utterances`.
    list: usize,
    /// Range between the quotes of `result.text`.
    text: Option<Range<usize>>,
}

impl Header {
    fn of(payload: &[u8]) -> Option<Self> {
        let mut scanner = Scanner::new(payload);
        let mut text = None;
        let mut inside = false;
        scanner.expect_byte(b'{').then_some(())?;
        loop {
            let key = scanner.skip_string()?;
            scanner.expect_byte(b':').then_some(())?;
            match (&payload[key], scanner.peek()?) {
                (b"result", b'{') if !inside => {
                    inside = true;
                    text = None;
                    scanner.expect_byte(b'{');
                    // An empty object ends at once.
                    if scanner.peek()? == b'"' {
                        continue;
                    }
                }
                (b"utterances", b'[') if inside => {
                    scanner.expect_byte(b'[');
                    let list = scanner.at;
                    return Some(Self { list, text });
                }
                (b"text", b'"') if inside => text = scanner.skip_string(),
                _ => scanner.skip_value()?,
            }
            if inside && scanner.expect_byte(b'}') {
                inside = false;
            }
            scanner.expect_byte(b',').then_some(())?;
        }
    }
}

/// Hashes megabytes in a fraction of a millisecond. Texts that differ in one word of eight bytes
/// never have the same hash. A peer that looks for a collision changes only its own results.
fn fingerprint(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    // Four lanes, because each step depends on the one before it.
    let mut lanes = [1, 2, 3, 4].map(|seed: u64| seed.wrapping_mul(ODD));
    let (blocks, tail) = bytes.as_chunks::<32>();
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
            *lane = (lane.rotate_left(29) ^ u64::from_le_bytes(*word)).wrapping_mul(ODD);
        }
    }
    let mut hasher = DefaultHasher::new();
    for lane in lanes {
        hasher.write_u64(lane);
    }
    hasher.write(tail);
    hasher.finish()
}

#[cfg(test)]
mod tests;
