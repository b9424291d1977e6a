//! Standard output: a terminal is drawn on, anything else gets plain lines.

use std::io::{self, IsTerminal, Stdout, Write};

use super::screen::{Screen, Size, status_columns};
use super::status::Status;
use super::wrap::join;
use crate::failure::one_line;
use crate::transcript::Transcript;

/// Where captions are shown.
pub enum Display {
    Live(Screen<Stdout>),
    Plain,
}

impl Display {
    pub fn of_stdout() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if io::stdout().is_terminal() && !is_dumb {
            Display::Live(Screen::new(io::stdout(), !is_set("NO_COLOR")))
        } else {
            Display::Plain
        }
    }

    /// Whether anything but final utterances is shown.
    pub fn is_live(&self) -> bool {
        matches!(self, Display::Live(_))
    }

    /// Shows final utterances for good, and what may still change until the next time.
    pub fn show(
        &mut self,
        ready: &[Transcript],
        pending: &[&Transcript],
        status: &Status,
    ) -> io::Result<()> {
        // No control characters: what the service says must not steer the terminal.
        let ready: Vec<String> = ready
            .iter()
            .map(|transcript| one_line(&transcript.text))
            .collect();
        match self {
            Display::Live(screen) => {
                let size = size();
                let pending: Vec<String> = pending
                    .iter()
                    .map(|transcript| one_line(&transcript.text))
                    .collect();
                let pending = join(pending.iter().map(String::as_str));
                screen.draw(size, &ready, &pending, &status.line(status_columns(size)))
            }
            Display::Plain => {
                let mut out = io::stdout().lock();
                for line in ready {
                    writeln!(out, "{line}")?;
                }
                out.flush()
            }
        }
    }

    /// Makes room for other output.
    pub fn clear(&mut self) -> io::Result<()> {
        match self {
            Display::Live(screen) => screen.clear(size()),
            Display::Plain => Ok(()),
        }
    }
}

fn size() -> Size {
    let (columns, rows) =
        terminal_size::terminal_size().map_or((80, 24), |(columns, rows)| (columns.0, rows.0));
    Size {
        columns: columns.into(),
        rows: rows.into(),
    }
}
