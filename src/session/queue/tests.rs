use proptest::prelude::*;

use super::*;

const NOW: Duration = Duration::ZERO;

fn pcm(samples: std::ops::Range<u16>) -> Vec<u8> {
    samples.flat_map(u16::to_le_bytes).collect()
}

/// Returns the number of samples of each chunk that is ready.
fn lengths(queue: &mut Queue) -> Vec<u64> {
    std::iter::from_fn(|| queue.pop())
        .filter_map(|item| match item {
            Item::Audio(chunk) => Some(chunk.samples()),
            Item::Boundary(_) => None,
        })
        .collect()
}

/// Of a chunk's duration, the pushes, the chunks that are ready, and the rest behind a boundary.
#[test]
fn buffers_of_any_size_become_chunks_of_one() {
    for (chunk, pushes, ready, rest) in [
        (10, &[9][..], &[][..], &[9][..]),
        (10, &[9, 1], &[10], &[]),
        (10, &[7, 7, 7], &[10, 10], &[1]),
        (10, &[35], &[10, 10, 10], &[5]),
        // Without a chunk duration, a buffer is a chunk, of two seconds at most.
        (0, &[3, 7], &[3, 7], &[]),
        (0, &[60_000], &[24_000, 24_000, 12_000], &[]),
    ] {
        let mut queue = Queue::new(chunk, 12_000);
        for &samples in pushes {
            queue.push(&pcm(0..samples), NOW);
        }
        assert_eq!(lengths(&mut queue), ready, "{chunk} {pushes:?}");
        assert_eq!(queue.has_audio(), !rest.is_empty(), "{chunk} {pushes:?}");
        queue.push_boundary(Boundary::EndSession);
        assert_eq!(lengths(&mut queue), rest, "{chunk} {pushes:?}");
    }
}

/// A busy driver is woken once a chunk; an idle one opens a session for the first piece.
#[test]
fn the_first_piece_wakes_an_idle_driver() {
    let mut queue = Queue::new(10, 24_000);
    assert_eq!(queue.poll_work(NOW), Work::Nothing(None));
    assert!(queue.push(&pcm(0..2), NOW));
    assert!(!queue.push(&pcm(2..4), NOW));
    assert_eq!(queue.poll_work(NOW), Work::Audio);
    queue.flush_partial();
    queue.pop();
    assert!(!queue.push(&pcm(4..6), NOW));
    assert!(queue.push(&pcm(6..14), NOW), "a chunk is complete");
}

#[test]
fn a_session_lasts_from_its_first_audio_to_a_boundary() {
    let mut queue = Queue::new(10, 24_000);
    assert!(!queue.is_session_open());
    queue.push(&pcm(0..15), NOW);
    queue.pop();
    assert!(queue.is_session_open());
    queue.close_session();
    assert!(queue.is_session_open(), "there is audio for it");
    queue.push_boundary(Boundary::EndSession);
    assert!(!queue.is_session_open());
    queue.push(&pcm(0..10), NOW);
    while queue.pop().is_some() {}
    assert!(queue.is_session_open(), "all of it is on its way");
    queue.close_session();
    assert!(!queue.is_session_open());
    queue.push(&pcm(0..10), NOW);
    queue.clear();
    assert!(!queue.is_session_open());
}

#[test]
fn a_buffer_beyond_the_limit_waits_for_whole_chunks_only() {
    let mut queue = Queue::new(10, 24_000);
    assert!(queue.has_space(1000, 30), "nothing waits");
    queue.push(&pcm(0..15), NOW);
    assert!(queue.has_space(15, 30));
    assert!(!queue.has_space(16, 30));
    queue.pop();
    assert_eq!(queue.waiting(), 5);
    assert!(queue.has_space(1000, 30), "only a part of a chunk waits");
    assert!(queue.has_space(5, 3), "and it can be filled up");
}

/// An operation on a queue.
#[derive(Debug, Clone)]
enum Step {
    Push(u64),
    Seal,
    EndSession,
    NewStream,
    Pop,
    Drop,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0u64..40).prop_map(Step::Push),
        2 => Just(Step::Seal),
        1 => Just(Step::EndSession),
        1 => Just(Step::NewStream),
        8 => Just(Step::Pop),
        3 => Just(Step::Drop),
        1 => prop::bool::weighted(0.1)
            .prop_map(|clear| if clear { Step::Clear } else { Step::Pop }),
    ]
}

/// A model of the queue: samples, each with its own number, and boundaries; the part of it that is
/// ready; and the position of the next chunk.
#[derive(Default)]
struct Model {
    waiting: VecDeque<Result<u16, Boundary>>,
    stream: u32,
    next: u64,
}

impl Model {
    fn samples(&self) -> u64 {
        self.waiting.iter().filter(|entry| entry.is_ok()).count() as u64
    }

    /// Takes the item that comes next.
    fn take(&mut self, item: &Item) {
        match item {
            Item::Audio(chunk) => {
                assert!(chunk.samples() > 0, "a chunk of nothing");
                for sample in chunk.pcm().as_chunks().0 {
                    let sample = u16::from_le_bytes(*sample);
                    assert_eq!(self.waiting.pop_front(), Some(Ok(sample)));
                }
                self.next += chunk.samples();
            }
            Item::Boundary(boundary) => {
                assert_eq!(self.waiting.pop_front(), Some(Err(*boundary)));
                if let Boundary::NewStream { stream } = boundary {
                    (self.stream, self.next) = (*stream, 0);
                }
            }
        }
    }

    /// Drops the oldest samples, but no boundaries before them.
    fn lose(&mut self, dropped: Dropped) {
        let first = self.waiting.iter().position(Result::is_ok).expect("audio");
        let new_stream = self
            .waiting
            .range(..first)
            .rev()
            .find_map(|entry| match entry {
                Err(Boundary::NewStream { stream }) => Some((*stream, 0)),
                _ => None,
            });
        let place = new_stream.unwrap_or((self.stream, self.next));
        assert_eq!((dropped.stream, dropped.position), place);
        assert!(dropped.samples > 0);
        for _ in 0..dropped.samples {
            assert!(matches!(self.waiting.remove(first), Some(Ok(_))));
        }
        let end = Some(&Err(Boundary::EndSession));
        if first > 0 && self.waiting.get(first - 1) == end && self.waiting.get(first) == end {
            self.waiting.remove(first);
        }
    }
}

/// A program may finish the session behind each buffer while nothing can be sent.
#[test]
fn ends_of_sessions_do_not_pile_up() {
    let mut queue = Queue::new(10, 24_000);
    for first in 1..1000 {
        queue.push(&pcm(first..first + 10), NOW);
        queue.push_boundary(Boundary::EndSession);
        while !queue.has_space(0, 50) {
            queue.drop_oldest().expect("audio");
        }
    }
    assert!(queue.entries.len() < 20, "{}", queue.entries.len());
}

proptest! {
    /// No sample is lost but the dropped ones, none comes twice, and
    /// positions have no hole.
    #[test]
    fn samples_come_once_in_order_and_in_their_place(
        chunk in prop_oneof![Just(0u64), 1u64..20],
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let (mut queue, mut model) = (Queue::new(chunk, 24_000), Model::default());
        let (mut sample, mut streams) = (1u16, 0);
        for step in steps {
            match step {
                Step::Push(samples) => {
                    let end = sample + samples as u16;
                    queue.push(&pcm(sample..end), NOW);
                    model.waiting.extend((sample..end).map(Ok));
                    sample = end;
                }
                Step::Seal => queue.flush_partial(),
                Step::EndSession => {
                    queue.push_boundary(Boundary::EndSession);
                    if model.waiting.back() != Some(&Err(Boundary::EndSession)) {
                        model.waiting.push_back(Err(Boundary::EndSession));
                    }
                }
                Step::NewStream => {
                    streams += 1;
                    let boundary = Boundary::NewStream { stream: streams };
                    queue.push_boundary(boundary);
                    model.waiting.push_back(Err(boundary));
                }
                Step::Pop => {
                    let is_audio = queue.front_is_audio();
                    let is_ready = is_audio || matches!(model.waiting.front(), Some(Err(_)));
                    prop_assert_eq!(queue.is_ready(), is_ready);
                    let item = queue.pop();
                    prop_assert_eq!(item.is_some(), is_ready);
                    if let Some(item) = item {
                        prop_assert_eq!(matches!(item, Item::Audio(_)), is_audio);
                        model.take(&item);
                    }
                }
                Step::Drop => {
                    if let Some(dropped) = queue.drop_oldest() {
                        model.lose(dropped);
                    }
                }
                Step::Clear => {
                    queue.clear();
                    model.waiting.clear();
                    model.next = 0;
                }
            }
            prop_assert_eq!(queue.waiting(), model.samples());
            prop_assert_eq!(queue.has_audio(), model.samples() > 0);
            prop_assert_eq!(queue.next, model.next);
        }
        queue.flush_partial();
        while let Some(item) = queue.pop() {
            model.take(&item);
        }
        prop_assert_eq!(model.waiting.len(), 0, "lost");
    }
}
