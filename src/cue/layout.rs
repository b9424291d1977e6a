//! Division of fragments into cues and lines: dynamic programmes over the breaks, as Knuth and
//! Plass have it for paragraphs.

use std::ops::Range;

use super::text::{Break, Fragment};
use super::times::Clock;
use super::{LONGEST, Style};

/// Cost of one more cue.
const CUE: u32 = 60;
/// Cost of a cue that is nearly empty; those that are a third full or more have none.
const SHORT: u32 = 60;

/// Returns the fragments of each cue.
pub(super) fn cues(fragments: &[Fragment], style: Style, clock: &Clock) -> Vec<Range<usize>> {
    // For each fragment, the least cost of the cues from it on, and the end of the first of them.
    let mut best: Vec<(u32, usize)> = vec![(u32::MAX, 0); fragments.len()];
    best.push((0, fragments.len()));
    for from in (0..fragments.len()).rev() {
        for to in (from + 1)..=fitting(&fragments[from..], style, clock) + from {
            let cost = cue_cost(&fragments[from..to], style).saturating_add(best[to].0);
            // The longest of those that cost as much.
            if cost <= best[from].0 {
                best[from] = (cost, to);
            }
        }
    }
    let mut cues = Vec::new();
    let mut from = 0;
    while from < fragments.len() {
        let to = best[from].1;
        cues.push(from..to);
        from = to;
    }
    cues
}

/// Returns how many fragments fit into one cue: at least one.
fn fitting(fragments: &[Fragment], style: Style, clock: &Clock) -> usize {
    let (mut lines, mut taken) = (1, 0);
    let start = fragments.first().map_or(0, |fragment| fragment.column);
    for (count, fragment) in fragments.iter().enumerate() {
        if taken > 0 && taken + fragment.width > style.width {
            (lines, taken) = (lines + 1, 0);
        }
        taken += fragment.width + fragment.space;
        let lasts = clock.end(fragment.end()).saturating_sub(clock.start(start));
        if count > 0 && (lines > style.lines || lasts > LONGEST) {
            return count;
        }
    }
    fragments.len()
}

fn cue_cost(fragments: &[Fragment], style: Style) -> u32 {
    let after = fragments
        .last()
        .map_or(Break::Sentence, |fragment| fragment.after);
    let cost = match after {
        Break::Sentence => 0,
        Break::Clause => 30,
        Break::Word => 100,
        Break::Character => 150,
        Break::Forced => 300,
    };
    let enough = (style.width * style.lines / 3).max(1);
    let missing = enough.saturating_sub(columns(fragments));
    let short = SHORT as usize * missing / enough;
    cost + CUE + u32::try_from(short).unwrap_or(SHORT)
}

/// Returns the columns of fragments that stand on one line.
fn columns(fragments: &[Fragment]) -> usize {
    match (fragments.first(), fragments.last()) {
        (Some(first), Some(last)) => last.column + last.width - first.column,
        _ => 0,
    }
}

/// Returns the lines of a cue: as few as possible, and among those the best breaks.
pub(super) fn lines(text: &str, fragments: &[Fragment], style: Style) -> Vec<String> {
    let least = least_lines(fragments, style);
    let even = columns(fragments) / least;
    let count = fragments.len();
    // By number of lines and first fragment: the least cost, and the end of the first line.
    let mut best = vec![vec![(usize::MAX, count); count + 1]; least + 1];
    best[0][count].0 = 0;
    for lines in 1..=least {
        for from in 0..count {
            for to in (from + 1)..=count {
                let width = columns(&fragments[from..to]);
                if width > style.width && to > from + 1 {
                    break;
                }
                let (remaining, _) = best[lines - 1][to];
                let own = break_cost(fragments[to - 1].after) * usize::from(to < count);
                let cost = remaining.saturating_add(own + 2 * width.abs_diff(even));
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
        if let (Some(first), Some(last)) = (fragments.get(from), fragments[..to].last()) {
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
fn least_lines(fragments: &[Fragment], style: Style) -> usize {
    let (mut lines, mut taken) = (1, 0);
    for fragment in fragments {
        if taken > 0 && taken + fragment.width > style.width {
            (lines, taken) = (lines + 1, 0);
        }
        taken += fragment.width + fragment.space;
    }
    lines
}
