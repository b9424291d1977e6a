//! What a response repeats of the one before it, passed over without being read again.
//!
//! A `full` response of an hour lists some hundred settled sentences, word by word, and a sentence that changes. Whoever follows
//! the responses says how many utterances at the beginning of the list are of no use any more; of those, length and
//! fingerprint are kept. While the next payload has the same bytes there, only what follows them is parsed.

mod scanner;

use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;

use scanner::Scanner;

use super::response::{Response, ResponseError};

/// What the last response began with. One for each connection.
#[derive(Debug, Default)]
pub struct PrefixCache {
    prefix: Option<Prefix>,
    /// The response before last began with it, too.
    last_hit: bool,
    /// The payload without what is known of it.
    stripped: Vec<u8>,
}

/// The beginning of a list of utterances, in bytes from behind its bracket.
#[derive(Debug)]
struct Prefix {
    utterances: usize,
    length: usize,
    fingerprint: u64,
}

impl PrefixCache {
    /// Capacity that is kept from response to response: what is new is some kilobytes, as a rule.
    const KEEP: usize = 1 << 14;

    /// Reads an unpacked payload like [`Response::decode`]. If the first `settled` utterances are those that [`remember`](Self::remember)
    /// was told of, byte by byte, they and the text of all are left out, and [`Response::repeated`] says so.
    ///
    /// # Errors
    /// As [`Response::decode`] has them; but what is left out is not looked at.
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

    /// The first `settled` utterances of the payload that was decoded last need not be read again.
    pub fn remember(&mut self, payload: &[u8], settled: usize) {
        let before = self.prefix.take().filter(|known| {
            // Else they have another end, or no end that is known.
            self.last_hit && known.utterances <= settled
        });
        self.prefix = match before {
            Some(known) if known.utterances == settled => Some(known),
            before => known(payload, before.as_ref(), settled),
        };
    }

    /// Puts the payload without what is known of it into `stripped`; none: something differs.
    fn strip_known_prefix(&mut self, payload: &[u8], settled: usize) -> Option<()> {
        let known = self.prefix.as_ref()?;
        let head = Header::of(payload)?;
        let (same, rest) = payload.get(head.list..)?.split_at_checked(known.length)?;
        if known.utterances != settled || fingerprint(same) != known.fingerprint {
            return None;
        }
        let mut after = Scanner::new(rest);
        if after.expect_byte(b',') && after.peek() == Some(b']') {
            // Nothing follows the comma: the parser has something to say about that.
            return None;
        } else if after.at == 0 && after.peek() != Some(b']') {
            return None;
        }
        self.stripped.clear();
        let text = head.text.unwrap_or(head.list..head.list);
        self.stripped.extend_from_slice(&payload[..text.start]);
        self.stripped
            .extend_from_slice(&payload[text.end..head.list]);
        self.stripped.extend_from_slice(&rest[after.at..]);
        Some(())
    }
}

/// The beginning of the list in a sound payload, `before` and what has come to it; none: it is not as plain as it should be.
fn known(payload: &[u8], before: Option<&Prefix>, utterances: usize) -> Option<Prefix> {
    let list = payload.get(Header::of(payload)?.list..)?;
    let mut scanner = Scanner::new(list);
    scanner.at = before.map_or(0, |known| known.length);
    for number in before.map_or(0, |known| known.utterances)..utterances {
        if number > 0 && !scanner.expect_byte(b',') {
            return None;
        }
        // What is no object, or has no fields, is no utterance either and does not count.
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

/// What comes before the utterances.
struct Header {
    /// Behind the bracket of `result.utterances`.
    list: usize,
    /// Between the quotes of `result.text`.
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
                    // An empty one ends at once.
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

/// A hash of megabytes in no time. Two texts that differ in one word of eight bytes never have the same; a peer that looks for two
/// that have changes nobody's words but its own.
fn fingerprint(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    // Four at a time, because each step waits for the one before it.
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
