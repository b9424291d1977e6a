//! Text on a terminal: [`screen`] rewrites lines in place, [`wrap`] breaks them, [`bar`] is a
//! progress bar.

pub mod bar;
pub mod screen;
pub mod wrap;

#[cfg(test)]
mod tests;

use screen::Size;

/// Size of the terminal.
pub fn size() -> Size {
    let (columns, rows) =
        terminal_size::terminal_size().map_or((80, 24), |(columns, rows)| (columns.0, rows.0));
    Size {
        columns: columns.into(),
        rows: rows.into(),
    }
}

/// Returns a line as standard error shows it: on a terminal it is broken between words.
pub fn on_stderr(line: &str) -> Vec<String> {
    use std::io::IsTerminal;
    match std::io::stderr().is_terminal() {
        true => kept(line),
        false => vec![line.to_owned()],
    }
}

/// Returns a line that stays on the terminal, broken between words. The last column stays empty, as
/// in what is drawn below it.
pub fn kept(line: &str) -> Vec<String> {
    wrap::wrap(line, size().columns.saturating_sub(1).max(2))
}

/// Whether standard output is a terminal that can be drawn on.
pub fn can_draw() -> bool {
    use std::io::IsTerminal;
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stdout().is_terminal() && !is_dumb
}

/// Whether text may have colours; see <https://no-color.org>.
pub fn has_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
