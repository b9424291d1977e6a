//! Text in columns of a terminal: Chinese characters take two.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// How many rows a terminal of so many columns breaks a line into. A wide character is not broken.
pub fn rows(line: &str, columns: usize) -> usize {
    let (mut rows, mut taken) = (1, 0);
    for character in line.chars() {
        let width = character.width().unwrap_or(0);
        if taken + width > columns && taken > 0 {
            (rows, taken) = (rows + 1, 0);
        }
        taken += width;
    }
    rows
}

/// The text in lines of at most `columns`, broken at spaces and beside wide characters, or else
/// anywhere.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        if !line.is_empty() && width(&line) + width(piece.trim_end()) > columns {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        for character in piece.chars() {
            // A piece that is longer than a line.
            if !character.is_whitespace() && width(&line) + character.width().unwrap_or(0) > columns
            {
                lines.push(std::mem::take(&mut line));
            }
            line.push(character);
        }
    }
    if !line.trim_end().is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// The last `rows` lines of the wrapped text; a mark stands for what is left out.
pub fn tail(text: &str, columns: usize, rows: usize) -> Vec<String> {
    // Not "…": to a terminal set up for Chinese it may be two columns wide.
    const LEFT_OUT: &str = "... ";
    let mut lines = wrap(text, columns);
    if lines.len() <= rows {
        return lines;
    }
    // Narrower by the mark, so that it fits before the first line that is kept.
    if columns > 2 * width(LEFT_OUT) {
        lines = wrap(text, columns - width(LEFT_OUT));
    }
    lines.drain(..lines.len().saturating_sub(rows));
    if columns > 2 * width(LEFT_OUT)
        && let Some(first) = lines.first_mut()
    {
        first.insert_str(0, LEFT_OUT);
    }
    lines
}

/// Texts in one: with spaces, but not between characters that are written without.
pub fn join<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut joined = String::new();
    for text in texts {
        let apart = joined.chars().next_back().zip(text.chars().next());
        if apart.is_some_and(|(last, first)| !(is_unspaced(last) && is_unspaced(first))) {
            joined.push(' ');
        }
        joined.push_str(text);
    }
    joined
}

/// As much of the text as fits.
pub fn head(text: &str, columns: usize) -> String {
    let mut taken = 0;
    text.chars()
        .take_while(|character| {
            taken += character.width().unwrap_or(0);
            taken <= columns
        })
        .collect()
}

/// Where a line may be broken: behind spaces, and on both sides of wide characters.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut last = None;
    for (at, character) in text.char_indices() {
        let may_break = match last {
            None => false,
            Some(last) => is_wide(last) || is_wide(character) || last == ' ' && character != ' ',
        };
        if may_break && character.width() != Some(0) {
            pieces.push(&text[from..at]);
            from = at;
        }
        last = Some(character);
    }
    pieces.push(&text[from..]);
    pieces
}

/// Chinese and Japanese, with their punctuation. Korean is as wide, but has spaces.
fn is_unspaced(character: char) -> bool {
    is_wide(character) && !matches!(character, '\u{1100}'..='\u{11FF}' | '\u{AC00}'..='\u{D7FF}')
}

fn is_wide(character: char) -> bool {
    character.width() == Some(2)
}
