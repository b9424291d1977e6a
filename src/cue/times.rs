//! Times of a text's columns: those of its words, and shares between them.

use std::time::Duration;

use super::text::Placed;

/// Speed at which a text without an end is taken to be read.
const COLUMNS_PER_SECOND: u64 = 15;

/// Times at places of a text. Both only grow.
pub(super) struct Clock(Vec<Knot>);

#[derive(Clone, Copy)]
struct Knot {
    column: usize,
    time: Duration,
}

impl Clock {
    /// A clock for a text of `columns` columns. The times of `words` are moved by `shift`.
    pub fn new(
        start: Duration,
        end: Option<Duration>,
        columns: usize,
        words: &[Placed<'_>],
        shift: Duration,
    ) -> Self {
        let mut clock = Clock(Vec::with_capacity(2 * words.len() + 2));
        let mut add = |column: usize, time: Duration| {
            let time = clock
                .0
                .last()
                .map_or(time, |last: &Knot| time.max(last.time));
            clock.0.push(Knot { column, time });
        };
        let moved = |time: Option<Duration>| time.map(|time| time.saturating_add(shift));
        // Words that lie before or behind the utterance are wrong about that, not it about itself.
        let within = |time: Duration| end.map_or(time, |end| time.min(end.max(start)));
        add(0, start);
        for (at, placed) in words.iter().enumerate() {
            let (Some(begins), Some(ends)) = (moved(placed.word.start), moved(placed.word.end))
            else {
                continue;
            };
            // Punctuation and spaces up to the next word are this one's.
            let next = words.get(at + 1).map_or(columns, |next| next.column);
            add(placed.column, within(begins));
            add(next, within(ends));
        }
        let reading = Duration::from_millis(columns as u64 * 1000 / COLUMNS_PER_SECOND);
        let end = end.filter(|end| *end > start);
        add(columns, end.unwrap_or(start.saturating_add(reading)));
        clock
    }

    /// Returns the time at which what begins at this column is spoken.
    pub fn start(&self, column: usize) -> Duration {
        let after = self.0.partition_point(|knot| knot.column <= column);
        self.between(after, column)
    }

    /// Returns the time at which what ends at this column has been spoken.
    pub fn end(&self, column: usize) -> Duration {
        let after = self.0.partition_point(|knot| knot.column < column);
        match self.0.get(after) {
            Some(knot) if knot.column == column => knot.time,
            _ => self.between(after, column),
        }
    }

    /// Returns the time of a column between the knot at `after` and the one before.
    fn between(&self, after: usize, column: usize) -> Duration {
        let before = after.checked_sub(1).and_then(|before| self.0.get(before));
        match (before, self.0.get(after)) {
            (Some(from), Some(to)) if column > from.column => {
                let share = |nanos: u128| {
                    nanos * (column - from.column) as u128 / (to.column - from.column) as u128
                };
                let nanos = share((to.time - from.time).as_nanos());
                let whole = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
                from.time
                    .saturating_add(Duration::new(whole, (nanos % 1_000_000_000) as u32))
            }
            (Some(knot), _) | (None, Some(knot)) => knot.time,
            (None, None) => Duration::ZERO,
        }
    }
}
