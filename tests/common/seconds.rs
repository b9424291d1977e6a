//! Streams in seconds with one mark each, pushed by hand: the words show where each came to
//! stand.

use volcasr_loopback::Service;
use volcasr_loopback::marks::Layout;

use crate::common::pad_harness::PadHarness;
use crate::common::*;

/// A second with one mark from 300 ms to 600 ms.
pub fn second(number: u32) -> Vec<u8> {
    Layout {
        lead: 300,
        first: number,
        ..Layout::default()
    }
    .pcm(700)
    .into_iter()
    .chain(std::iter::repeat_n(0, 14_400))
    .collect()
}

/// Returns the words that [`second`]s at these times must give.
pub fn at(times: &[u64]) -> Vec<(u32, u64, u64)> {
    let mark = |(n, at): (usize, &u64)| (n as u32, at + 300, at + 600);
    times.iter().enumerate().map(mark).collect()
}

pub fn assert_recognised(harness: &PadHarness, times: &[u64]) -> BusLog {
    let log = harness.end();
    log.assert_clean();
    assert_eq!(marks_of(&log.finals()), at(times));
    log
}

/// Milliseconds of audio on each connection.
pub fn lengths(service: &Service) -> Vec<u64> {
    let sessions = service.connections();
    sessions.iter().map(|c| c.audio_bytes / 48).collect()
}
