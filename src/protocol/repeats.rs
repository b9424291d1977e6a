//! What a response repeats of the one before it, passed over without being read again.
//!
//! A `full` response of an hour lists some hundred settled sentences, word by word, and a sentence that changes. Whoever follows
//! the responses says how many utterances at the beginning of the list are of no use any more; of those, length and
//! fingerprint are kept. While the next payload has the same bytes there, only what follows them is parsed.

use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;

use super::response::{Response, ResponseError};

/// What the last response began with. One for each connection.
#[derive(Debug, Default)]
pub struct Repeats {
    known: Option<Known>,
    /// The response before last began with it, too.
    again: bool,
    /// The payload without what is known of it.
    news: Vec<u8>,
}

/// The beginning of a list of utterances, in bytes from behind its bracket.
#[derive(Debug)]
struct Known {
    utterances: usize,
    length: usize,
    fingerprint: u64,
}

impl Repeats {
    /// Capacity that is kept from response to response: what is new is some kilobytes, as a rule.
    const KEEP: usize = 1 << 14;

    /// Reads an unpacked payload like [`Response::decode`]. If the first `settled` utterances are those that [`keep`](Self::keep)
    /// was told of, byte by byte, they and the text of all are left out, and [`Response::repeated`] says so.
    ///
    /// # Errors
    /// As [`Response::decode`] has them; but what is left out is not looked at.
    pub fn decode<'a>(
        &'a mut self,
        payload: &'a [u8],
        settled: usize,
    ) -> Result<Response<'a>, ResponseError> {
        if self.news.capacity() > Self::KEEP {
            self.news = Vec::new();
        }
        self.again = self.abridge(payload, settled).is_some();
        if !self.again {
            return Response::decode(payload);
        }
        let mut response = Response::decode(&self.news)?;
        response.repeated = settled;
        Ok(response)
    }

    /// The first `settled` utterances of the payload that was decoded last need not be read again.
    pub fn keep(&mut self, payload: &[u8], settled: usize) {
        let before = self.known.take().filter(|known| {
            // Else they have another end, or no end that is known.
            self.again && known.utterances <= settled
        });
        self.known = match before {
            Some(known) if known.utterances == settled => Some(known),
            before => known(payload, before.as_ref(), settled),
        };
    }

    /// Puts the payload without what is known of it into `news`; none: something differs.
    fn abridge(&mut self, payload: &[u8], settled: usize) -> Option<()> {
        let known = self.known.as_ref()?;
        let head = Head::of(payload)?;
        let (same, rest) = payload.get(head.list..)?.split_at_checked(known.length)?;
        if known.utterances != settled || fingerprint(same) != known.fingerprint {
            return None;
        }
        let mut after = Scanner { bytes: rest, at: 0 };
        if after.eat(b',') && after.peek() == Some(b']') {
            // Nothing follows the comma: the parser has something to say about that.
            return None;
        } else if after.at == 0 && after.peek() != Some(b']') {
            return None;
        }
        self.news.clear();
        let text = head.text.unwrap_or(head.list..head.list);
        self.news.extend_from_slice(&payload[..text.start]);
        self.news.extend_from_slice(&payload[text.end..head.list]);
        self.news.extend_from_slice(&rest[after.at..]);
        Some(())
    }
}

/// The beginning of the list in a sound payload, `before` and what has come to it; none: it is not as plain as it should be.
fn known(payload: &[u8], before: Option<&Known>, utterances: usize) -> Option<Known> {
    let list = payload.get(Head::of(payload)?.list..)?;
    let mut scanner = Scanner {
        bytes: list,
        at: before.map_or(0, |known| known.length),
    };
    for number in before.map_or(0, |known| known.utterances)..utterances {
        if number > 0 && !scanner.eat(b',') {
            return None;
        }
        // What is no object, or has no fields, is no utterance either and does not count.
        let at = scanner.at;
        if !scanner.eat(b'{') || scanner.peek() != Some(b'"') {
            return None;
        }
        scanner.at = at;
        scanner.value()?;
    }
    (utterances > 0).then(|| Known {
        utterances,
        length: scanner.at,
        fingerprint: fingerprint(&list[..scanner.at]),
    })
}

/// What comes before the utterances.
struct Head {
    /// Behind the bracket of `result.utterances`.
    list: usize,
    /// Between the quotes of `result.text`.
    text: Option<Range<usize>>,
}

impl Head {
    fn of(payload: &[u8]) -> Option<Self> {
        let mut scanner = Scanner {
            bytes: payload,
            at: 0,
        };
        let mut text = None;
        let mut inside = false;
        scanner.eat(b'{').then_some(())?;
        loop {
            let key = scanner.string()?;
            scanner.eat(b':').then_some(())?;
            match (&payload[key], scanner.peek()?) {
                (b"result", b'{') if !inside => {
                    inside = true;
                    text = None;
                    scanner.eat(b'{');
                    // An empty one ends at once.
                    if scanner.peek()? == b'"' {
                        continue;
                    }
                }
                (b"utterances", b'[') if inside => {
                    scanner.eat(b'[');
                    let list = scanner.at;
                    return Some(Self { list, text });
                }
                (b"text", b'"') if inside => text = scanner.string(),
                _ => scanner.value()?,
            }
            if inside && scanner.eat(b'}') {
                inside = false;
            }
            scanner.eat(b',').then_some(())?;
        }
    }
}

/// Steps over JSON that is sound. What it makes of any other is harmless: the parser sees all that is not known to be sound.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.bytes.get(self.at..)?;
        let spaces = rest.iter().take_while(|byte| b" \t\r\n".contains(byte));
        let spaces = spaces.count();
        rest.get(spaces).copied()
    }

    /// Steps over `byte` and the spaces before it, if it is next.
    fn eat(&mut self, byte: u8) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let spaces = rest.iter().take_while(|byte| b" \t\r\n".contains(byte));
        let spaces = spaces.count();
        let is_next = rest.get(spaces) == Some(&byte);
        if is_next {
            self.at += spaces + 1;
        }
        is_next
    }

    /// Steps over a string. Where it is, without its quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        self.eat(b'"').then_some(())?;
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let stop = rest
                .iter()
                .position(|&byte| byte == b'"' || byte == b'\\')?;
            if rest[stop] == b'"' {
                let end = self.at + stop;
                self.at = end + 1;
                return Some(start..end);
            }
            self.at += stop + 2;
        }
    }

    /// Steps over a value.
    fn value(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                open @ (b'{' | b'[') => {
                    self.eat(open);
                    depth += 1;
                }
                close @ (b'}' | b']') => {
                    self.eat(close);
                    depth = depth.checked_sub(1)?;
                }
                separator @ (b',' | b':') if depth > 0 => {
                    self.eat(separator);
                }
                b',' | b':' => return None,
                _ => {
                    let rest = self.bytes.get(self.at..)?;
                    self.at += rest.iter().position(|byte| b",:]}".contains(byte))?;
                }
            }
            if depth == 0 {
                return Some(());
            }
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
mod tests {
    use super::*;

    const ONE: &str =
        r#"{"text":"a, \"b\"","start_time":0,"end_time":900,"words":[{"text":"]}"}]}"#;
    const TWO: &str = r#" { "text" : "c" , "definite" : true } "#;

    fn payload(before: &str, list: &str, after: &str) -> Vec<u8> {
        format!(r#"{{"audio_info":{{"duration":1000}},"result":{{{before}"utterances":[{list}]{after}}}}}"#)
            .into_bytes()
    }

    /// The texts that are read, and how many were left out, of a payload behind another.
    fn read(first: &[u8], settled: usize, second: &[u8]) -> (Vec<String>, usize) {
        let mut repeats = Repeats::default();
        assert_eq!(repeats.decode(first, 0).expect("sound").repeated, 0);
        repeats.keep(first, settled);
        let response = repeats.decode(second, settled).expect("sound");
        let texts = response.utterances.iter().flatten();
        let texts = texts.map(|u| u.text.to_string()).collect();
        (texts, response.repeated)
    }

    #[test]
    fn what_is_the_same_is_left_out_whatever_else_changes() {
        let text = r#""text":"all of it, \\\" and more","#;
        let first = payload(text, ONE, "");
        let all = (vec!["a, \"b\"".to_owned(), "c".to_owned()], 0);
        let news = (vec!["c".to_owned()], 1);
        let both = format!("{ONE},{TWO}");
        assert_eq!(read(&first, 1, &payload("", &both, "")), news);
        assert_eq!(
            read(
                &first,
                1,
                &payload(r#""text":"x","additions":{"y":["z",1e5,{}]},"#, &both, "")
            ),
            news
        );
        assert_eq!(
            read(
                &first,
                1,
                &payload("", &format!("{ONE} , {TWO}"), r#","text":"late""#)
            ),
            news
        );
        assert_eq!(read(&first, 1, &first), (vec![], 1));
        assert_eq!(
            read(&first, 0, &payload("", &both, "")),
            all,
            "nothing is settled"
        );
        let revised = both.replacen("900", "901", 1);
        assert_eq!(read(&first, 1, &payload("", &revised, "")), all);
        assert_eq!(read(&first, 1, &payload("", TWO, "")).1, 0, "it is shorter");
        let spaced = payload("", &format!(" {both}"), "");
        assert_eq!(
            read(&first, 1, &spaced),
            all,
            "the same, but not the same bytes"
        );
    }

    #[test]
    fn what_is_not_plain_is_read_as_a_whole() {
        let twice = payload(
            r#""utterances":null,"#,
            ONE,
            r#","utterances":[{"text":"c"}]"#,
        );
        assert_eq!(read(&twice, 1, &twice), (vec!["c".to_owned()], 1));
        assert_eq!(read(&twice, 2, &twice).1, 0, "they are in two lists");
        for odd in ["null,", "{},", "[{}],", "\"x\","] {
            let first = payload("", &format!("{odd}{ONE}"), "");
            assert_eq!(read(&first, 1, &first).1, 0, "{odd}");
        }
        for odd in [
            r#"{"result":[{"utterances":[{"text":"c"}]}]}"#,
            r#"{"other":{"utterances":[{"text":"c"}]},"result":{"\u0075tterances":[{"text":"c"}]}}"#,
        ] {
            assert_eq!(
                read(odd.as_bytes(), 1, odd.as_bytes()),
                (vec!["c".to_owned()], 0)
            );
        }
        let behind =
            r#"{"result":{},"x":[{"utterances":[1]}],"result":{"utterances":[{"text":"c"}]}}"#;
        assert_eq!(read(behind.as_bytes(), 1, behind.as_bytes()).1, 1);
    }

    #[test]
    fn what_is_broken_stays_broken() {
        let first = payload("", ONE, "");
        let mut repeats = Repeats::default();
        for broken in [
            payload("", &format!("{ONE},"), ""),
            payload("", &format!("{ONE}{TWO}"), ""),
            payload("", &format!("{ONE}x"), ""),
            payload("nothing,", ONE, ""),
            first[..first.len() - 1].to_vec(),
            first[..first.len() - 3].to_vec(),
        ] {
            repeats.decode(&first, 0).expect("sound");
            repeats.keep(&first, 1);
            assert!(
                repeats.decode(&broken, 1).is_err(),
                "{}",
                String::from_utf8_lossy(&broken)
            );
        }
    }

    #[test]
    fn more_is_kept_as_more_settles_and_nothing_that_another_connection_said() {
        let both = payload("", &format!("{ONE},{TWO}"), "");
        let mut repeats = Repeats::default();
        repeats.decode(&both, 0).expect("sound");
        repeats.keep(&both, 1);
        assert_eq!(repeats.decode(&both, 1).expect("sound").repeated, 1);
        repeats.keep(&both, 2);
        assert_eq!(repeats.decode(&both, 2).expect("sound").repeated, 2);
        repeats.keep(&both, 2);
        assert_eq!(repeats.decode(&both, 0).expect("sound").repeated, 0);
        repeats.keep(&both, 0);
        assert_eq!(repeats.decode(&both, 2).expect("sound").repeated, 0);
    }

    #[test]
    fn every_byte_counts() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut seen = std::collections::BTreeSet::from([fingerprint(&bytes)]);
        for at in 0..bytes.len() {
            assert!(seen.insert(fingerprint(&bytes[..at])));
            let mut other = bytes.clone();
            other[at] ^= 0x80;
            assert!(seen.insert(fingerprint(&other)));
        }
        let mut swapped = bytes.clone();
        swapped.swap(3, 35);
        assert!(seen.insert(fingerprint(&swapped)));
    }
}
