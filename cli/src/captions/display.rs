//! Standard output: a terminal is drawn on, anything else gets plain lines or JSON.

use std::io::{self, Stdout, Write};

use super::status::Status;
use crate::failure::one_line;
use crate::output::files::Standard;
use crate::output::format::Looks;
use crate::output::streams::Streams;
use crate::output::transcript::Transcript;
use crate::output::writer::{Writer, line};
use crate::terminal::screen::{Screen, status_columns};
use crate::terminal::wrap::join;
use crate::terminal::{can_draw, has_colour, kept, size};

/// Where captions are shown.
pub struct Display {
    kind: Kind,
    timestamps: bool,
    streams: Streams,
}

enum Kind {
    Live(Screen<Stdout>),
    Plain,
    Json,
    Format(Writer<Stdout>),
    Nothing,
}

impl Display {
    /// Chooses the display for standard output: its kind, and the output that was asked for.
    pub fn of_stdout(standard: Standard, looks: Looks) -> io::Result<Self> {
        let kind = match standard {
            Standard::Captions if can_draw() => Kind::Live(Screen::new(io::stdout(), has_colour())),
            Standard::Captions => Kind::Plain,
            Standard::Json => Kind::Json,
            Standard::Format(format) => Kind::Format(Writer::new(format, looks, io::stdout())?),
            Standard::Nothing => Kind::Nothing,
        };
        Ok(Display {
            kind,
            timestamps: looks.timestamps,
            streams: Streams::default(),
        })
    }

    /// Shows nothing more.
    pub fn close(&mut self) {
        self.kind = Kind::Nothing;
    }

    /// Whether anything but final utterances is shown.
    pub fn is_live(&self) -> bool {
        matches!(self.kind, Kind::Live(_))
    }

    /// Returns the line of an utterance as it came, for readers that replace what they have.
    pub fn json(&self, transcript: &Transcript) -> Option<String> {
        matches!(self.kind, Kind::Json)
            .then(|| serde_json::to_string(transcript).ok())
            .flatten()
    }

    /// Passes on the line of [`json`](Self::json).
    pub fn pass_on(&self, line: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()
    }

    /// Shows final utterances for good, and what may still change until the next time.
    pub fn show(
        &mut self,
        ready: &[Transcript],
        pending: &[&Transcript],
        status: &Status,
    ) -> io::Result<()> {
        // No control characters: what the service says must not steer the terminal.
        let shown: Vec<String> = ready
            .iter()
            .map(|transcript| {
                let place = self.streams.place(transcript).filter(|_| self.timestamps);
                line(transcript, &one_line(&transcript.text), place)
            })
            .collect();
        match &mut self.kind {
            Kind::Live(screen) => {
                let size = size();
                let kept: Vec<String> = shown.iter().flat_map(|line| kept(line)).collect();
                let pending: Vec<String> = pending
                    .iter()
                    .map(|transcript| line(transcript, &one_line(&transcript.text), None))
                    .collect();
                let pending = join(pending.iter().map(String::as_str));
                screen.draw(size, &kept, &pending, &status.line(status_columns(size)))
            }
            Kind::Plain => {
                let mut out = io::stdout().lock();
                for line in shown {
                    writeln!(out, "{line}")?;
                }
                out.flush()
            }
            Kind::Format(writer) => {
                for (place, transcript) in ready.iter().enumerate() {
                    let next = ready.get(place + 1).or(pending.first().copied());
                    writer.write(transcript, next)?;
                }
                Ok(())
            }
            Kind::Json | Kind::Nothing => Ok(()),
        }
    }

    /// Ends what is owed to a format.
    pub fn finish(&mut self) -> io::Result<()> {
        match &mut self.kind {
            Kind::Format(writer) => writer.finish(),
            Kind::Live(_) | Kind::Plain | Kind::Json | Kind::Nothing => Ok(()),
        }
    }

    /// Makes room for other output.
    pub fn clear(&mut self) -> io::Result<()> {
        match &mut self.kind {
            Kind::Live(screen) => screen.clear(size()),
            Kind::Plain | Kind::Json | Kind::Format(_) | Kind::Nothing => Ok(()),
        }
    }
}
