//! Length of a WAV file by its header: GStreamer's parser takes the file's size instead.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// As much as is read to find the header.
const HEAD: u64 = 4096;

/// Returns where a WAV file ends and how long its header says it is, if it is shorter than that.
pub fn missing(path: &Path) -> Option<(Duration, Duration)> {
    let file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).ok()?;
    cut(&head, size)
}

/// Returns the same from the first bytes of a file of this size.
fn cut(head: &[u8], size: u64) -> Option<(Duration, Duration)> {
    if !head.starts_with(b"RIFF") || head.get(8..12)? != b"WAVE" {
        return None;
    }
    let number = |at: usize| {
        let bytes = head.get(at..at + 4)?;
        Some(u64::from(u32::from_le_bytes(bytes.try_into().ok()?)))
    };
    let (mut at, mut rate) = (12, 0);
    loop {
        let length = number(at + 4)?;
        let begin = at + 8;
        match head.get(at..at + 4)? {
            b"fmt " => rate = number(begin + 8)?,
            b"data" => {
                // Who writes to a pipe does not know the length, and says the largest or none.
                let is_known = length > 0 && length < 0x7fff_0000;
                let there = size.saturating_sub(begin as u64);
                if !is_known || rate == 0 || there >= length {
                    return None;
                }
                let time = |bytes: u64| Duration::from_secs_f64(bytes as f64 / rate as f64);
                let (end, length) = (time(there), time(length));
                return (end + Duration::from_millis(100) < length).then_some((end, length));
            }
            _ => (),
        }
        at = begin + usize::try_from(length + length % 2).ok()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(data: u32) -> Vec<u8> {
        let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        wav.extend(24_000u32.to_le_bytes());
        wav.extend(48_000u32.to_le_bytes());
        wav.extend(b"\x02\0\x10\0LIST\x03\0\0\0abc\0data");
        wav.extend(data.to_le_bytes());
        wav
    }

    #[test]
    fn a_file_that_was_cut() {
        // Length by the header and bytes that are there; is a part missing?
        let cases = [
            (96_000, 96_000, false),
            (96_000, 96_002, false),
            (96_000, 48_000, true),
            (96_000, 95_000, false),
            (0, 48_000, false),
            (u32::MAX, 48_000, false),
        ];
        for (data, there, is_missing) in cases {
            let head = header(data);
            let found = cut(&head, head.len() as u64 + there);
            assert_eq!(found.is_some(), is_missing, "{data} {there}");
        }
        let head = header(96_000);
        let seconds = Duration::from_secs;
        assert_eq!(
            cut(&head, head.len() as u64 + 48_000),
            Some((seconds(1), seconds(2)))
        );
    }

    #[test]
    fn what_is_no_wav_file() {
        for bytes in [&b""[..], b"RIFF", b"RIFF\0\0\0\0AVI LIST", b"fLaC"] {
            assert_eq!(cut(bytes, 1000), None);
        }
        let mut endless = b"RIFF\0\0\0\0WAVEjunk".to_vec();
        endless.extend([0xff; 4]);
        assert_eq!(cut(&endless, 1000), None);
    }
}
