//! Marks: sounds that carry their own number, so that a test can tell which audio arrived.
//!
//! A mark is a run of blocks of 10 ms. Each block begins with two magic samples and a header
//! (number of the mark, index of the block, count of blocks, length of a block, check), and is
//! filled up with a pattern that follows from number and index. So a mark that is cut, doubled,
//! reordered or altered by a single sample is found as another word (`~12` for `m12`), as a real
//! recogniser hears half a word wrongly.
//!
//! - [`Layout`] says where marks lie and makes the samples.
//! - `Reader` finds them again, at any alignment and in pieces of any size.

mod layout;
mod reader;

pub use layout::{Layout, Mark};
pub use reader::FoundMark;
pub(crate) use reader::Reader;

/// First sample of each block. Neither headers nor patterns reach it.
const MAGIC_A: i16 = 0x6d31;
const MAGIC_B: i16 = 0x52a7;
/// Samples before the pattern: two of magic, two of number, index, count, length, check.
const HEADER: usize = 8;

/// The header of a block, as values of 12 bits.
fn header(number: u32, index: u16, count: u16, length: u16) -> [i16; HEADER] {
    let fields = [
        (number >> 12) as u16 & 0xfff,
        number as u16 & 0xfff,
        index & 0xfff,
        count & 0xfff,
        length & 0xfff,
    ];
    let check = fields
        .iter()
        .fold(0x5a5, |sum: u16, f| (sum.rotate_left(3) ^ f) & 0xfff);
    let value = |field: u16| 0x1000 + field.cast_signed();
    [
        MAGIC_A,
        MAGIC_B,
        value(fields[0]),
        value(fields[1]),
        value(fields[2]),
        value(fields[3]),
        value(fields[4]),
        value(check),
    ]
}

/// The sample of the pattern at `k`; its size is between 1024 and 3071, so that it is neither
/// silence, noise nor header.
fn pattern(number: u32, index: u16, k: usize) -> i16 {
    let hash = (number.wrapping_mul(0x9e37_79b1) ^ (u32::from(index) << 16 | k as u32))
        .wrapping_mul(0x85eb_ca6b);
    let size = 1024 + ((hash >> 20) as i16 & 0x7ff);
    if hash & 0x8000 == 0 { size } else { -size }
}
