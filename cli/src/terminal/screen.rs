//! A few lines at the bottom of a terminal that are rewritten in place, below text that stays.

use std::io::{self, Write};

use super::wrap::{head, rows, tail};

/// Interim text is limited to so many lines: its newest words.
const MOST_LINES: usize = 4;

/// The terminal's size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

/// How wide a status may be: behind it is room for the ^C that the terminal itself writes.
pub fn status_columns(size: Size) -> usize {
    size.columns.saturating_sub(3)
}

/// A terminal, and what of it is ours to rewrite.
pub struct Screen<W> {
    out: W,
    /// Whether interim text may be dim; see <https://no-color.org>.
    colour: bool,
    /// The lines that were drawn last and are to be rewritten. The cursor is behind the last one.
    drawn: Vec<String>,
    latest: Option<(Size, Vec<String>, String)>,
}

impl<W: Write> Screen<W> {
    pub fn new(out: W, colour: bool) -> Self {
        Screen {
            out,
            colour,
            drawn: Vec::new(),
            latest: None,
        }
    }

    /// Keeps the texts of `kept` for good, and draws the interim text and the status below them.
    pub fn draw(
        &mut self,
        size: Size,
        kept: &[String],
        interim: &str,
        status: &str,
    ) -> io::Result<()> {
        let most = MOST_LINES.min(size.rows.saturating_sub(1));
        // The last column stays empty: terminals differ in where the cursor is behind it.
        let columns = size.columns.saturating_sub(1).max(1);
        self.draw_below(size, kept, tail(interim, columns, most), status)
    }

    /// The same with lines that are cut, not wrapped.
    pub fn draw_lines(
        &mut self,
        size: Size,
        kept: &[String],
        lines: &[String],
        status: &str,
    ) -> io::Result<()> {
        let columns = size.columns.saturating_sub(1).max(1);
        let most = size.rows.saturating_sub(1);
        let lines = lines.iter().take(most).map(|line| head(line, columns));
        self.draw_below(size, kept, lines.collect(), status)
    }

    fn draw_below(
        &mut self,
        size: Size,
        kept: &[String],
        mut lines: Vec<String>,
        status: &str,
    ) -> io::Result<()> {
        let latest = (size, lines.clone(), status.to_owned());
        if kept.is_empty() && self.latest.as_ref() == Some(&latest) {
            return Ok(());
        }
        // All in one write, or a reader in between would see half of it.
        let mut text = self.erasure(size);
        for kept in kept {
            text.push_str(kept);
            text.push('\n');
        }
        let (dim, plain) = if self.colour {
            ("\x1b[2m", "\x1b[0m")
        } else {
            ("", "")
        };
        for line in &lines {
            text.push_str(&format!("{dim}{line}{plain}\n"));
        }
        lines.push(head(status, status_columns(size)));
        text.extend(lines.last().map(String::as_str));
        self.drawn = lines;
        self.latest = Some(latest);
        self.write(&text)
    }

    /// Takes away what would be rewritten; the texts that were kept stay.
    pub fn clear(&mut self, size: Size) -> io::Result<()> {
        let text = self.erasure(size);
        self.drawn.clear();
        self.latest = None;
        self.write(&text)
    }

    /// To the first of our lines, and everything from there on erased. A terminal that has become
    /// narrower has broken them into more.
    fn erasure(&self, size: Size) -> String {
        let rows = self.drawn.iter().map(|line| rows(line, size.columns));
        match rows.sum::<usize>() {
            0 => String::new(),
            1 => "\r\x1b[J".to_owned(),
            rows => format!("\r\x1b[{}A\x1b[J", rows - 1),
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}
