//! Strict gzip: exactly one member, complete, with nothing behind it, its checksum and size right.

use flate2::{Crc, Decompress, FlushDecompress, Status};
use std::cell::RefCell;
use thiserror::Error;

/// What a payload may inflate to.
const LIMIT: usize = 16 * 1024 * 1024;

/// Why a payload is not the gzip that it is marked as.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum GzipError {
    /// It ends early, or is empty. The text is the live service's, as users report it.
    #[error("EOF")]
    Eof,
    #[error("gzip: invalid header")]
    Header,
    #[error("flate: corrupt input")]
    Corrupt,
    #[error("gzip: invalid checksum")]
    Checksum,
    #[error("gzip: {0} bytes after the member")]
    Trailing(usize),
    #[error("gzip: inflates to more than {LIMIT} bytes")]
    Limit,
}

thread_local! {
    // An inflater is 40 KiB that would otherwise be allocated and cleared for each of thousands of frames a second.
    static INFLATER: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

pub(crate) fn member(bytes: &[u8]) -> Result<Vec<u8>, GzipError> {
    let body = skip_header(bytes)?;
    INFLATER.with_borrow_mut(|inflater| {
        inflater.reset(false);
        let mut out = Vec::with_capacity((body.len() * 2).clamp(256, LIMIT));
        loop {
            let input = body
                .get(usize::try_from(inflater.total_in()).unwrap_or(usize::MAX)..)
                .unwrap_or_default();
            let before = (inflater.total_in(), out.len());
            match inflater.decompress_vec(input, &mut out, FlushDecompress::None) {
                Err(_) => return Err(GzipError::Corrupt),
                Ok(_) if out.len() > LIMIT => return Err(GzipError::Limit),
                Ok(Status::StreamEnd) => break,
                Ok(_) if out.len() == out.capacity() => out.reserve(out.len().max(256)),
                Ok(_) if before == (inflater.total_in(), out.len()) => return Err(GzipError::Eof),
                Ok(_) => {}
            }
        }
        let used = usize::try_from(inflater.total_in()).unwrap_or(usize::MAX);
        let (trailer, rest) = body
            .get(used..)
            .and_then(|t| t.split_first_chunk::<8>())
            .ok_or(GzipError::Eof)?;
        let mut crc = Crc::new();
        crc.update(&out);
        let said = u64::from_le_bytes(*trailer);
        if said != u64::from(crc.sum()) | u64::from(crc.amount()) << 32 {
            return Err(GzipError::Checksum);
        }
        if !rest.is_empty() {
            return Err(GzipError::Trailing(rest.len()));
        }
        Ok(out)
    })
}

fn skip_header(bytes: &[u8]) -> Result<&[u8], GzipError> {
    let (head, mut rest) = bytes.split_first_chunk::<10>().ok_or(GzipError::Eof)?;
    if head[..3] != [0x1f, 0x8b, 8] || head[3] & 0xe0 != 0 {
        return Err(GzipError::Header);
    }
    let flags = head[3];
    if flags & 0x04 != 0 {
        let (length, tail) = rest.split_first_chunk::<2>().ok_or(GzipError::Eof)?;
        rest = tail
            .get(usize::from(u16::from_le_bytes(*length))..)
            .ok_or(GzipError::Eof)?;
    }
    for text in [0x08, 0x10] {
        if flags & text != 0 {
            let end = rest.iter().position(|&b| b == 0).ok_or(GzipError::Eof)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & 0x02 != 0 {
        rest = rest.get(2..).ok_or(GzipError::Eof)?;
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, GzBuilder, write::GzEncoder};
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn round_trip_of_nothing_little_and_much() {
        for size in [0, 1, 9600, 3_000_000] {
            let plain: Vec<u8> = (0..size)
                .map(|i: u32| i.wrapping_mul(2_654_435_761).to_be_bytes()[0] & 0x0f)
                .collect();
            assert_eq!(member(&gzip(&plain)).unwrap(), plain);
        }
        let zeros = vec![0; 5_000_000];
        assert_eq!(member(&gzip(&zeros)).unwrap(), zeros);
    }

    #[test]
    fn names_and_comments_are_skipped() {
        let mut encoder = GzBuilder::new()
            .filename("a")
            .comment("b")
            .extra(vec![1, 2])
            .write(Vec::new(), Compression::fast());
        encoder.write_all(b"x").unwrap();
        assert_eq!(member(&encoder.finish().unwrap()).unwrap(), b"x");
    }

    #[test]
    fn anything_but_one_whole_member_is_refused() {
        let whole = gzip(b"some audio");
        assert_eq!(member(&[]), Err(GzipError::Eof));
        assert_eq!(member(b"0123456789abc"), Err(GzipError::Header));
        for cut in 1..whole.len() {
            assert!(member(&whole[..cut]).is_err(), "cut at {cut}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert_eq!(member(&longer), Err(GzipError::Trailing(1)));
        let mut damaged = whole.clone();
        let at = damaged.len() - 8;
        damaged[at] ^= 1;
        assert_eq!(member(&damaged), Err(GzipError::Checksum));
        let bomb = gzip(&vec![0; LIMIT + 1]);
        assert_eq!(member(&bomb).err(), Some(GzipError::Limit));
    }
}
