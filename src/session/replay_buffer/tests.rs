use proptest::prelude::*;

use super::*;

/// Audio whose samples are their own positions.
fn audio(start: u64, samples: u64) -> Vec<u8> {
    (start..start + samples)
        .flat_map(|p| (p as u16).to_le_bytes())
        .collect()
}

/// Returns what is left of a replay.
fn replayed(buffer: &mut ReplayBuffer) -> Vec<u64> {
    let chunks: Vec<Bytes> = std::iter::from_fn(|| buffer.replay()).collect();
    let pcm = chunks.concat();
    let samples = pcm.as_chunks().0.iter();
    samples.map(|s| u16::from_le_bytes(*s).into()).collect()
}

fn filled(limit: u64) -> ReplayBuffer {
    let mut buffer = ReplayBuffer::new(limit);
    for i in 0..5 {
        buffer.push(&audio(i * 10, 10), Duration::from_millis(i));
    }
    buffer
}

#[test]
fn silence_is_known_as_such_as_far_as_it_is_kept() {
    let mut history = ReplayBuffer::new(40);
    for sample in [0i16, -33, 32, -32, 0] {
        history.push(&sample.to_le_bytes().repeat(10), Duration::ZERO);
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
}

#[test]
fn the_last_samples_begin_within_the_window() {
    let buffer = filled(25);
    for (samples, start) in [(0, 50), (20, 30), (30, 25)] {
        assert_eq!(buffer.last(samples), start, "{samples}");
    }
}

/// Also where no audio is kept.
#[test]
fn a_position_arrived_with_the_chunk_that_completes_it() {
    let at = |buffer: &ReplayBuffer, position| {
        let time = buffer.arrival_time(position);
        time.map(|time| time.as_millis())
    };
    for limit in [0, 100] {
        let mut buffer = filled(limit);
        for (position, arrived) in [
            (0, None),
            (1, Some(0)),
            (10, Some(0)),
            (11, Some(1)),
            (50, Some(4)),
            (51, None),
        ] {
            assert_eq!(at(&buffer, position), arrived, "{position}, {limit}");
        }
        buffer.trim_before(20);
        assert_eq!((at(&buffer, 20), at(&buffer, 21)), (None, Some(2)));
    }
}

#[test]
fn arrivals_are_bounded() {
    let mut buffer = ReplayBuffer::new(10);
    for i in 0..MAX_ARRIVALS as u64 + 10 {
        buffer.push(&audio(i, 1), Duration::ZERO);
    }
    assert_eq!(buffer.chunks.len(), MAX_ARRIVALS);
    assert_eq!(buffer.arrival_time(10), None);
    assert!(buffer.arrival_time(11).is_some());
}

proptest! {
    /// A replay gives exactly the samples that the window holds from the rewind point on, and steps
    /// over nothing that is trimmed meanwhile.
    #[test]
    fn a_replay_gives_the_window_without_holes(
        pushes in prop::collection::vec((0u64..40, prop::option::of(0u64..800)), 0..40),
        later_trims in prop::collection::vec(prop::option::of(0u64..2000), 0..60),
        limit in 0u64..400,
        rewind in 0u64..800,
    ) {
        let mut buffer = ReplayBuffer::new(limit);
        let (mut end, mut start) = (0, 0);
        for (size, trim) in pushes {
            buffer.push(&audio(end, size), Duration::ZERO);
            end += size;
            start = start.max(end.saturating_sub(limit));
            if let Some(trim) = trim {
                let trim = trim.min(end);
                buffer.trim_before(trim);
                start = start.max(trim);
            }
            prop_assert_eq!((buffer.start(), buffer.end()), (start, end));
            let kept: usize = buffer.chunks.iter().filter(|c| c.audio.is_some()).count();
            let needed = buffer.chunks.iter().filter(|c| c.end > start).count();
            prop_assert_eq!(kept, needed, "audio beyond the limit");
        }
        buffer.rewind(rewind);
        let mut next = rewind.clamp(start, end);
        let mut trims = later_trims.into_iter();
        loop {
            if let Some(Some(trim)) = trims.next() {
                buffer.trim_before(trim);
            }
            prop_assert_eq!(buffer.position(), next);
            let Some(pcm) = buffer.replay() else { break };
            prop_assert_eq!(&pcm[..], audio(next, samples_in(pcm.len())));
            next += samples_in(pcm.len());
        }
        prop_assert_eq!(next, end);
    }
}
