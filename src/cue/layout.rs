//! Which pieces make a cue, and which a line: dynamic programmes over the breaks, as Knuth and
//! Plass have it for paragraphs.

use std::ops::Range;

use super::text::{Break, Piece};
use super::times::Clock;
use super::{LONGEST, Style};

/// Cost of one more cue.
const CUE: u32 = 60;
/// Cost of a cue that is nearly empty; those that are a third full or more have none.
const SHORT: u32 = 60;

/// Returns the pieces of each cue.
pub(super) fn cues(pieces: &[Piece], style: Style, clock: &Clock) -> Vec<Range<usize>> {
    // For each piece, the least cost of the cues from it on, and the end of the first of them.
    let mut best: Vec<(u32, usize)> = vec![(u32::MAX, 0); pieces.len()];
    best.push((0, pieces.len()));
    for from in (0..pieces.len()).rev() {
        for to in (from + 1)..=fitting(&pieces[from..], style, clock) + from {
            let cost = cue_cost(&pieces[from..to], style).saturating_add(best[to].0);
            // The longest of those that cost as much.
            if cost <= best[from].0 {
                best[from] = (cost, to);
            }
        }
    }
    let mut cues = Vec::new();
    let mut from = 0;
    while from < pieces.len() {
        let to = best[from].1;
        cues.push(from..to);
        from = to;
    }
    cues
}

/// Returns how many pieces fit into one cue: at least one.
fn fitting(pieces: &[Piece], style: Style, clock: &Clock) -> usize {
    let (mut lines, mut taken) = (1, 0);
    let start = pieces.first().map_or(0, |piece| piece.column);
    for (count, piece) in pieces.iter().enumerate() {
        if taken > 0 && taken + piece.width > style.width {
            (lines, taken) = (lines + 1, 0);
        }
        taken += piece.width + piece.space;
        let lasts = clock.end(piece.end()).saturating_sub(clock.start(start));
        if count > 0 && (lines > style.lines || lasts > LONGEST) {
            return count;
        }
    }
    pieces.len()
}

fn cue_cost(pieces: &[Piece], style: Style) -> u32 {
    let after = pieces.last().map_or(Break::Sentence, |piece| piece.after);
    let cost = match after {
        Break::Sentence => 0,
        Break::Clause => 30,
        Break::Word => 100,
        Break::Character => 150,
        Break::Forced => 300,
    };
    let enough = (style.width * style.lines / 3).max(1);
    let missing = enough.saturating_sub(columns(pieces));
    let short = SHORT as usize * missing / enough;
    cost + CUE + u32::try_from(short).unwrap_or(SHORT)
}

/// Returns the columns of pieces that stand on one line.
fn columns(pieces: &[Piece]) -> usize {
    match (pieces.first(), pieces.last()) {
        (Some(first), Some(last)) => last.column + last.width - first.column,
        _ => 0,
    }
}

/// Returns the lines of a cue: as few as possible, and among those the best breaks.
pub(super) fn lines(text: &str, pieces: &[Piece], style: Style) -> Vec<String> {
    let least = least_lines(pieces, style);
    let even = columns(pieces) / least;
    let count = pieces.len();
    // For so many lines and from a piece on: the least cost, and the end of the first line.
    let mut best = vec![vec![(usize::MAX, count); count + 1]; least + 1];
    best[0][count].0 = 0;
    for lines in 1..=least {
        for from in 0..count {
            for to in (from + 1)..=count {
                let width = columns(&pieces[from..to]);
                if width > style.width && to > from + 1 {
                    break;
                }
                let (rest, _) = best[lines - 1][to];
                let own = break_cost(pieces[to - 1].after) * usize::from(to < count);
                let cost = rest.saturating_add(own + 2 * width.abs_diff(even));
                if cost < best[lines][from].0 {
                    best[lines][from] = (cost, to);
                }
            }
        }
    }
    let mut lines = Vec::with_capacity(least);
    let mut from = 0;
    for left in (1..=least).rev() {
        let to = best[left][from].1;
        if let (Some(first), Some(last)) = (pieces.get(from), pieces[..to].last()) {
            lines.push(text[first.from..last.to].to_owned());
        }
        from = to;
    }
    lines
}

fn break_cost(after: Break) -> usize {
    match after {
        Break::Sentence | Break::Clause => 0,
        Break::Word => 60,
        Break::Character => 80,
        Break::Forced => 120,
    }
}

/// Returns the lines of a text that is filled as it comes.
fn least_lines(pieces: &[Piece], style: Style) -> usize {
    let (mut lines, mut taken) = (1, 0);
    for piece in pieces {
        if taken > 0 && taken + piece.width > style.width {
            (lines, taken) = (lines + 1, 0);
        }
        taken += piece.width + piece.space;
    }
    lines
}
