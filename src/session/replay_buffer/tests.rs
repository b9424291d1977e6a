use proptest::prelude::*;

use super::*;

/// Audio whose samples are their own positions.
fn audio(start: u64, samples: u64) -> Vec<u8> {
    (start..start + samples)
        .flat_map(|p| (p as u16).to_le_bytes())
        .collect()
}

fn positions((start, pcm): &(u64, Bytes)) -> Vec<u64> {
    let values: Vec<u64> = pcm
        .chunks(2)
        .map(|b| u64::from(u16::from_le_bytes([b[0], b[1]])))
        .collect();
    assert_eq!(values.first(), Some(start));
    values
}

fn replayed(buffer: &mut ReplayBuffer) -> Vec<u64> {
    std::iter::from_fn(|| buffer.replay())
        .flat_map(|chunk| positions(&chunk))
        .collect()
}

fn filled(limit: u64) -> ReplayBuffer {
    let mut buffer = ReplayBuffer::new(limit);
    for i in 0..5 {
        buffer.push(i * 10, &audio(i * 10, 10), Duration::from_millis(i));
    }
    buffer
}

#[test]
fn silence_is_known_as_such_as_far_as_it_is_kept() {
    let mut history = ReplayBuffer::new(40);
    for (start, sample) in [(0, 0i16), (10, -33), (20, 32), (30, -32), (40, 0)] {
        history.push(start, &sample.to_le_bytes().repeat(10), Duration::ZERO);
    }
    for (from, silent) in [(9, false), (10, false), (19, false), (20, true), (50, true)] {
        assert_eq!(history.is_silent_from(from), silent, "{from}");
    }
    history.trim_before(30);
    assert!(!history.is_silent_from(29), "out of the window");
    assert!(history.is_silent_from(30));
    assert!(ReplayBuffer::new(0).is_silent_from(0), "nothing was sent");
}

#[test]
fn a_second_rewind_gives_up_the_first() {
    let mut buffer = filled(100);
    buffer.rewind(5);
    buffer.replay();
    buffer.rewind(48);
    assert_eq!(replayed(&mut buffer), [48, 49]);
    buffer.rewind(50);
    assert!(!buffer.replaying());
    assert!(buffer.replay().is_none());
}

#[test]
fn the_limit_drops_the_oldest() {
    let mut buffer = filled(25);
    assert_eq!((buffer.start(), buffer.len_samples), (25, 25));
    assert_eq!(
        [buffer.last(0), buffer.last(20), buffer.last(30)],
        [50, 30, 25]
    );
    buffer.rewind(0);
    assert_eq!(replayed(&mut buffer), (25..50).collect::<Vec<_>>());
    // One chunk longer than the limit.
    buffer.push(50, &audio(50, 60), Duration::ZERO);
    assert_eq!((buffer.start(), buffer.len_samples), (85, 25));
}

#[test]
fn with_a_limit_of_zero_only_arrival_times_are_kept() {
    let mut buffer = filled(0);
    assert_eq!((buffer.start(), buffer.len_samples), (50, 0));
    buffer.rewind(0);
    assert!(!buffer.replaying());
    assert_eq!(buffer.arrival_time(15), Some(Duration::from_millis(1)));
}

#[test]
fn a_position_arrived_with_the_chunk_that_completes_it() {
    let mut buffer = filled(100);
    assert_eq!(buffer.arrival_time(0), None);
    assert_eq!(buffer.arrival_time(1), Some(Duration::ZERO));
    assert_eq!(buffer.arrival_time(10), Some(Duration::ZERO));
    assert_eq!(buffer.arrival_time(11), Some(Duration::from_millis(1)));
    assert_eq!(buffer.arrival_time(50), Some(Duration::from_millis(4)));
    assert_eq!(buffer.arrival_time(51), None);
    buffer.trim_before(20);
    assert_eq!(buffer.arrival_time(20), None);
    assert_eq!(buffer.arrival_time(21), Some(Duration::from_millis(2)));
}

#[test]
fn holes_are_stepped_over_and_overlaps_left_out() {
    let mut buffer = ReplayBuffer::new(100);
    buffer.push(0, &audio(0, 4), Duration::ZERO);
    buffer.push(8, &audio(8, 4), Duration::ZERO);
    buffer.push(10, &audio(10, 4), Duration::ZERO);
    buffer.push(3, &audio(3, 4), Duration::ZERO);
    buffer.rewind(5);
    assert_eq!(replayed(&mut buffer), (8..14).collect::<Vec<_>>());
    assert_eq!(buffer.arrival_time(6), None);
}

#[test]
fn arrivals_are_bounded() {
    let mut buffer = ReplayBuffer::new(10);
    for i in 0..MAX_ARRIVALS as u64 + 10 {
        buffer.push(i, &audio(i, 1), Duration::ZERO);
    }
    assert_eq!(buffer.arrivals.len(), MAX_ARRIVALS);
    assert_eq!(buffer.arrival_time(10), None);
    assert!(buffer.arrival_time(11).is_some());
}

proptest! {
    /// A replay gives exactly the samples that the window holds from the rewind point on.
    #[test]
    fn a_replay_gives_the_window(
        sizes in prop::collection::vec(0u64..40, 0..40),
        trims in prop::collection::vec(0u64..800, 0..40),
        limit in 0u64..200,
        rewind in 0u64..800,
    ) {
        let mut buffer = ReplayBuffer::new(limit);
        let (mut end, mut start) = (0, 0);
        for (i, &size) in sizes.iter().enumerate() {
            buffer.push(end, &audio(end, size), Duration::ZERO);
            end += size;
            start = start.max(end.saturating_sub(limit));
            if let Some(&trim) = trims.get(i) {
                let trim = trim.min(end);
                buffer.trim_before(trim);
                start = start.max(trim);
            }
            prop_assert!(buffer.len_samples <= limit);
            prop_assert_eq!(buffer.start(), start);
        }
        buffer.rewind(rewind);
        prop_assert_eq!(replayed(&mut buffer), (rewind.max(start)..end).collect::<Vec<_>>());
    }

    /// A replay steps over nothing that is trimmed meanwhile.
    #[test]
    fn a_replay_has_no_holes(
        sizes in prop::collection::vec(1u64..40, 1..40),
        trims in prop::collection::vec(prop::option::of(0u64..2000), 0..60),
        limit in 1u64..400,
        rewind in 0u64..800,
    ) {
        let mut buffer = ReplayBuffer::new(limit);
        let mut end = 0;
        for size in sizes {
            buffer.push(end, &audio(end, size), Duration::ZERO);
            end += size;
        }
        buffer.rewind(rewind);
        let mut next = buffer.next_replay().unwrap_or(end);
        let mut trims = trims.into_iter();
        loop {
            if let Some(Some(trim)) = trims.next() {
                buffer.trim_before(trim);
            }
            let Some(chunk) = buffer.replay() else { break };
            let sent = positions(&chunk);
            prop_assert_eq!(sent.first(), Some(&next));
            next += sent.len() as u64;
        }
        prop_assert_eq!(next, end);
    }
}
