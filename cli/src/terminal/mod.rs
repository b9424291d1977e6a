//! Text on a terminal: [`screen`] rewrites lines in place, [`wrap`] breaks them, [`bar`] draws how
//! far something is.

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
