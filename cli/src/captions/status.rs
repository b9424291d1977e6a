//! The line at the bottom: connection, input, level, position, latency.

use std::sync::Arc;

use gst::ClockTime;

use crate::output::transcript::Transcript;
use crate::pipeline::Recognition;
use crate::pipeline::level::Level;
use crate::terminal::bar::{bar, part, time};
use crate::terminal::wrap::{head, width};

/// A bar that is shorter says nothing.
const SHORTEST_BAR: usize = 8;
const LONGEST_BAR: usize = 30;
/// Columns of the space before a bar, its brackets, and the percents behind it.
const AROUND_BAR: usize = 11;
/// Columns of the level, and what its first one stands for.
const LEVEL_BAR: usize = 6;
const FAINTEST_DB: f64 = -48.0;
/// A name of an input is cut to a part of the line, from so many columns on.
const SHORTEST_NAME: usize = 12;

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

/// State of the recognition, for the status line.
#[derive(Debug, Default)]
pub struct Status {
    connection: Connection,
    /// Why the connection is not there.
    reason: Option<String>,
    /// Name of the input, and what measures it.
    name: Option<String>,
    meter: Option<Arc<Level>>,
    level: Option<usize>,
    is_ending: bool,
    position: Option<ClockTime>,
    duration: Option<ClockTime>,
    latency: Option<ClockTime>,
    /// Up to there words were recognised.
    recognised: ClockTime,
    /// Up to there a picture with captions was written.
    written: Option<ClockTime>,
    /// All words are there, and only the picture is to come.
    is_writing: bool,
}

impl Status {
    /// Begins; `name` is the input's, `meter` measures its loudness.
    pub fn new(name: Option<String>, meter: Option<Arc<Level>>) -> Self {
        Status {
            name,
            meter,
            ..Status::default()
        }
    }

    /// An utterance has come.
    pub fn receive(&mut self, transcript: &Transcript) {
        let end = transcript.times.end().map(ClockTime::from_nseconds);
        self.recognised = self.recognised.max(end.unwrap_or_default());
    }

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
    pub fn reconnect(&mut self, attempt: u32, reason: Option<String>) {
        self.reason = reason.or(self.reason.take());
        if !matches!(self.connection, Connection::Connecting { .. }) {
            self.connection = Connection::Reconnecting { attempt };
        }
    }

    /// The stream has been asked to end.
    pub fn end(&mut self) {
        self.is_ending = true;
    }

    /// Looks at state that no message reports. To be called several times a second.
    pub fn look(&mut self, recognition: &Recognition) {
        let stats = recognition.stats();
        self.connection = match (stats.get("connected"), self.connection) {
            (Ok(true), _) => {
                self.reason = None;
                Connection::Connected
            }
            // Finished in good order after a while without audio.
            (_, Connection::Connected) => Connection::Ready,
            (_, other) => other,
        };
        let latency = stats.get("result-latency-last").unwrap_or(0);
        self.latency = (latency > 0).then_some(ClockTime::from_nseconds(latency));
        if self.name.is_none() {
            self.name = recognition.device_name();
        }
        self.level = self.meter.as_ref().map(|meter| bars(meter.take()));
        self.position = recognition.position().or(self.position);
        self.duration = recognition.duration();
        self.written = recognition.picture().and(self.position);
        self.is_writing = recognition.is_said();
    }

    /// The line, at most `columns` wide if that is enough for the state alone. What does not fit is
    /// left out, the least important first.
    pub fn line(&self, columns: usize) -> String {
        let mut line = self.state(columns);
        let mut add = |part: String| {
            let fits = width(&line) + 3 + width(&part) <= columns;
            if fits {
                line = format!("{line}   {part}");
            }
            fits
        };
        if let Some(reason) = &self.reason {
            let room = columns.saturating_sub(width(&self.state(columns)) + 3);
            add(head(reason, room));
            return line;
        }
        if let Some(position) = self.position {
            add(match self.duration {
                Some(duration) => format!("{} / {}", time(position), time(duration)),
                None => time(position),
            });
        }
        if let Some(level) = self.level.filter(|_| self.duration.is_none()) {
            add(format!(
                "[{}{}]",
                "=".repeat(level),
                " ".repeat(LEVEL_BAR - level)
            ));
        }
        let latency = self.latency.map(|latency| {
            let seconds = latency.mseconds() as f64 / 1000.0;
            format!("latency {seconds:.2} s")
        });
        // Of a file, the progress says more than the latency.
        let bar_room = |line: &str| {
            let room = columns.saturating_sub(width(line) + AROUND_BAR);
            (room >= SHORTEST_BAR).then_some(room.min(LONGEST_BAR))
        };
        let part = self.part();
        if let Some(latency) = latency {
            let longer = format!("{line}   {latency}");
            let has_room = width(&longer) <= columns;
            let costs_bar =
                part.is_some() && bar_room(&longer).is_none() && bar_room(&line).is_some();
            if has_room && !costs_bar {
                line = longer;
            }
        }
        if let (Some(part), Some(room)) = (part, bar_room(&line)) {
            line = format!("{line}   {}", bar(part, room));
        }
        line
    }

    fn state(&self, columns: usize) -> String {
        if self.is_writing {
            return "writing the video".to_owned();
        }
        let state = match self.connection {
            Connection::Starting => "starting".to_owned(),
            Connection::Connecting { attempt: 1 } => "connecting".to_owned(),
            Connection::Connecting { attempt } => format!("connecting, attempt {attempt}"),
            Connection::Ready => "waiting for audio".to_owned(),
            Connection::Connected => match &self.name {
                Some(name) => format!(
                    "listening to {}",
                    head(name, SHORTEST_NAME.max(columns / 4))
                ),
                None => "connected".to_owned(),
            },
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

    /// How much of the whole has been recognised, or written, from 0 to 1.
    fn part(&self) -> Option<f64> {
        Some(part(
            self.written.unwrap_or(self.recognised),
            self.duration?,
        ))
    }
}

/// Columns that stand for a peak in dB.
fn bars(peak: Option<f64>) -> usize {
    let part = peak.map_or(0.0, |peak| (1.0 - peak / FAINTEST_DB).clamp(0.0, 1.0));
    (part * LEVEL_BAR as f64).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening() -> Status {
        Status {
            connection: Connection::Connected,
            name: Some("talk.wav".into()),
            position: Some(ClockTime::from_seconds(61)),
            duration: Some(ClockTime::from_seconds(100)),
            latency: Some(ClockTime::from_mseconds(420)),
            recognised: ClockTime::from_seconds(50),
            level: Some(3),
            ..Status::default()
        }
    }

    #[test]
    fn as_much_as_fits() {
        let file = listening();
        let short = Status {
            duration: None,
            level: None,
            ..listening()
        };
        let microphone = Status {
            duration: None,
            ..listening()
        };
        let cases = [
            (&file, 20, "listening to talk.wav"),
            (&file, 40, "listening to talk.wav   1:01 / 1:40"),
            (
                &file,
                58,
                "listening to talk.wav   1:01 / 1:40   [######......]  50 %",
            ),
            (&short, 58, "listening to talk.wav   1:01   latency 0.42 s"),
            (
                &file,
                52,
                "listening to talk.wav   1:01 / 1:40   latency 0.42 s",
            ),
            (
                &file,
                74,
                "listening to talk.wav   1:01 / 1:40   latency 0.42 s   [######.....]  50 %",
            ),
            (
                &microphone,
                80,
                "listening to talk.wav   1:01   [===   ]   latency 0.42 s",
            ),
        ];
        for (status, columns, line) in cases {
            assert_eq!(status.line(columns), line, "{columns}");
        }
    }

    #[test]
    fn the_last_reason_while_it_connects() {
        let mut status = Status::default();
        status.connect(gst::ProgressType::Start);
        assert_eq!(status.line(80), "connecting");
        status.connect(gst::ProgressType::Continue);
        status.reconnect(1, Some("can't resolve \"asr.example\"".into()));
        assert_eq!(
            status.line(80),
            "connecting, attempt 2   can't resolve \"asr.example\""
        );
        assert_eq!(status.line(40), "connecting, attempt 2   can't resolve \"a");
        status.reconnect(2, None);
        assert!(status.line(80).contains("can't resolve"));
    }

    #[test]
    fn the_level_grows_with_the_peak() {
        let cases = [
            (None, 0),
            (Some(-60.0), 0),
            (Some(-47.0), 1),
            (Some(-24.0), 3),
            (Some(0.0), 6),
        ];
        for (peak, columns) in cases {
            assert_eq!(bars(peak), columns, "{peak:?}");
        }
    }
}
