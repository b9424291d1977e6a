//! The line at the bottom: connection, position, latency.

use gst::ClockTime;

use super::wrap::width;
use crate::recognition::Recognition;

/// A bar that is shorter says nothing.
const SHORTEST_BAR: usize = 8;
const LONGEST_BAR: usize = 30;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Connection {
    #[default]
    Starting,
    /// The first one is on its way.
    Connecting {
        attempt: u32,
    },
    /// A session comes with the next audio.
    Ready,
    Connected,
    /// A lost one is being restored.
    Reconnecting {
        attempt: u32,
    },
}

/// What is known of the recognition.
#[derive(Debug, Default)]
pub struct Status {
    connection: Connection,
    is_ending: bool,
    position: Option<ClockTime>,
    duration: Option<ClockTime>,
    latency: Option<ClockTime>,
}

impl Status {
    /// The progress `connect`.
    pub fn connect(&mut self, progress: gst::ProgressType) {
        self.connection = match (progress, self.connection) {
            (gst::ProgressType::Start, _) => Connection::Connecting { attempt: 1 },
            (gst::ProgressType::Continue, Connection::Connecting { attempt }) => {
                Connection::Connecting {
                    attempt: attempt + 1,
                }
            }
            (gst::ProgressType::Complete, Connection::Connecting { .. }) => Connection::Ready,
            (_, other) => other,
        };
    }

    /// A lost connection is being restored.
    pub fn reconnect(&mut self, attempt: u32) {
        if !matches!(self.connection, Connection::Connecting { .. }) {
            self.connection = Connection::Reconnecting { attempt };
        }
    }

    /// The stream has been asked to end.
    pub fn end(&mut self) {
        self.is_ending = true;
    }

    /// Whether it has.
    pub fn is_ending(&self) -> bool {
        self.is_ending
    }

    /// What nobody tells of, and must be looked at now and then.
    pub fn look(&mut self, recognition: &Recognition) {
        let stats = recognition.stats();
        self.connection = match (stats.get("connected"), self.connection) {
            (Ok(true), _) => Connection::Connected,
            // Finished in good order after a while without audio.
            (_, Connection::Connected) => Connection::Ready,
            (_, other) => other,
        };
        let latency = stats.get("result-latency-last").unwrap_or(0);
        self.latency = (latency > 0).then_some(ClockTime::from_nseconds(latency));
        self.position = recognition.position().or(self.position);
        self.duration = recognition
            .duration()
            .filter(|duration| !duration.is_zero());
    }

    /// The line, at most `columns` wide if that is enough for the state alone.
    pub fn line(&self, columns: usize) -> String {
        let mut line = self.state();
        let mut add = |part: String| {
            if width(&line) + 3 + width(&part) <= columns {
                line = format!("{line}   {part}");
            }
        };
        if let Some(position) = self.position {
            add(match self.duration {
                Some(duration) => format!("{} / {}", time(position), time(duration)),
                None => time(position),
            });
        }
        if let Some(latency) = self.latency {
            add(format!(
                "latency {:.2} s",
                latency.mseconds() as f64 / 1000.0
            ));
        }
        let room = columns.saturating_sub(width(&line) + 11).min(LONGEST_BAR);
        match self.part() {
            Some(part) if room >= SHORTEST_BAR => format!("{line}   {}", bar(part, room)),
            _ => line,
        }
    }

    fn state(&self) -> String {
        let state = match self.connection {
            Connection::Starting => "starting".to_owned(),
            Connection::Connecting { attempt: 1 } => "connecting".to_owned(),
            Connection::Connecting { attempt } => format!("connecting, attempt {attempt}"),
            Connection::Ready => "waiting for audio".to_owned(),
            Connection::Connected => "connected".to_owned(),
            Connection::Reconnecting { attempt } => format!("reconnecting, attempt {attempt}"),
        };
        match (self.is_ending, self.connection) {
            (false, _) => state,
            (true, Connection::Reconnecting { .. } | Connection::Connecting { .. }) => {
                format!("waiting for the last words, {state}; Ctrl-C quits")
            }
            (true, _) => "waiting for the last words; Ctrl-C quits".to_owned(),
        }
    }

    /// How much of the whole has been read, from 0 to 1.
    fn part(&self) -> Option<f64> {
        let (position, duration) = (self.position?, self.duration?);
        Some((position.nseconds() as f64 / duration.nseconds() as f64).clamp(0.0, 1.0))
    }
}

fn bar(part: f64, columns: usize) -> String {
    let full = (part * columns as f64).round() as usize;
    // Lines and blocks would look better, but to a terminal set up for Chinese they may be two columns wide.
    format!(
        "[{}{}] {:3.0} %",
        "#".repeat(full),
        ".".repeat(columns.saturating_sub(full)),
        part * 100.0
    )
}

/// `1:02:03`, `2:03`.
fn time(time: ClockTime) -> String {
    let seconds = time.seconds();
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}:{seconds:02}"),
        (hours, minutes) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
