//! A driver without sockets, for scripts.

use std::time::Duration;

use super::words::{TestError, describe, error_frame, response};
use crate::protocol::frame::Compression;
use crate::protocol::request::{Request, ResultType};
use crate::session::error::SessionError;
use crate::session::event::{Event, Note};
use crate::session::queue::{Boundary, Queue};
use crate::session::recognition::{Action, Output, Recognition, State};
use crate::session::settings::{Limits, Settings};
use crate::session::tests::ms;
use crate::session::time_to_samples;

/// Bytes after which the socket takes no more until they are written, as in `client`.
const BATCH: usize = 32 * 1024;

/// Settings of the tests: 200 ms frames without compression, and the default limits. Each of `set`
/// is a name and a value, as in a script.
fn settings<'a>(set: impl IntoIterator<Item = &'a str>) -> Settings {
    let mut settings = Settings {
        request: Request::default(),
        compression: Compression::None,
        limits: Limits {
            connect: ms(10_000),
            idle: Some(ms(4000)),
            finish: ms(10_000),
            session: Some(ms(600_000)),
        },
        max_chunk: ms(200),
        max_reconnects: 10,
        replay: ms(120_000),
        replay_window: ms(120_000),
        result_delay: ms(2000),
        answers_at_end: false,
        max_speed: 0.0,
    };
    for setting in set {
        let (name, value) = setting.split_once(' ').expect("a name and a value");
        let number: u64 = value.parse().unwrap_or_default();
        let limits = &mut settings.limits;
        match name {
            "reconnects" => settings.max_reconnects = number as u32,
            "connect" => limits.connect = ms(number),
            "idle" => limits.idle = (number > 0).then(|| ms(number)),
            "finish" => limits.finish = ms(number),
            "session" => limits.session = (number > 0).then(|| ms(number)),
            "speed" => settings.max_speed = value.parse().expect("a number"),
            "replay" => {
                settings.replay = ms(number);
                settings.replay_window = ms(number.max(4000));
            }
            "rate" => settings.request.rate = number as u32,
            "at-end" => settings.answers_at_end = true,
            "single" => settings.request.result_type = ResultType::Single,
            "gzip" => settings.compression = Compression::Gzip,
            _ => panic!("no setting: {name}"),
        }
    }
    settings
}

/// The machine, and what a driver has beside it.
pub(super) struct Harness {
    pub settings: Settings,
    pub machine: Recognition<TestError>,
    input: Queue,
    pub now: Duration,
    is_open: bool,
    pub holds_writes: bool,
    /// Frames and bytes that were handed over.
    handed_over: (u64, u64),
    /// Bytes that were handed over, and are not written.
    unwritten: usize,
    /// They wait for `written`, and no more go with them.
    is_flushing: bool,
    closes_slowly: bool,
    shows_quiet: bool,
    followed: Vec<String>,
}

impl Harness {
    pub fn new<'a>(set: impl IntoIterator<Item = &'a str>) -> Self {
        let settings = settings(set);
        let rate = settings.request.rate;
        Harness {
            machine: Recognition::new(settings.clone(), 0.0),
            input: Queue::new(time_to_samples(settings.max_chunk, rate), rate),
            settings,
            now: Duration::ZERO,
            is_open: false,
            holds_writes: false,
            handed_over: (0, 0),
            unwritten: 0,
            is_flushing: false,
            closes_slowly: false,
            shows_quiet: false,
            followed: Vec::new(),
        }
    }

    pub fn line(&mut self, line: &str) {
        if let Some(length) = line.strip_prefix("session ") {
            return self.session(length.parse().expect("a number"));
        }
        if line == "speaking" {
            self.session(400);
            return self.line("30 say 400 a@0-300 | 0 a");
        }
        let (step, expected) = line.split_once('|').unwrap_or((line, ""));
        let (time, input) = match step.trim().split_once(' ') {
            Some((time, input)) if time.parse::<u64>().is_ok() => (time.parse().ok(), input),
            _ => (None, step),
        };
        self.now = time.map_or(self.now, ms);
        let (input, now) = (input.trim(), self.now);
        if let Some((count, input)) = input.strip_prefix("times ").and_then(|i| i.split_once(' ')) {
            let count = count.parse().expect("a number");
            return (0..count).for_each(|_| self.line(&format!("{input} | {expected}")));
        }
        let due = self.machine.poll_timeout();
        if input == "timeout" {
            assert_eq!(due, Some(now), "the deadline at: {line}");
        } else if input != "quiet" {
            assert!(
                due.is_none_or(|at| at > now),
                "due at {due:?}, before: {line}"
            );
        }
        self.run(input);
        let followed = self.take().join(", ");
        assert_eq!(followed, expected.trim(), "after: {line}");
        let counts = self.machine.counts();
        let counted = (counts.frames_sent, counts.bytes_sent);
        assert_eq!(counted, self.handed_over, "counted after: {line}");
    }

    fn session(&mut self, length: u64) {
        let last = 1 + length / 200;
        self.line(&format!("0 audio {length} | preconnect, connect<10000"));
        self.line("10 connected | request");
        self.line(&format!("20 say - | open 0, audio 2-{last} 0-{length}"));
    }

    /// Takes what followed so far, in words.
    pub fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.followed)
    }

    /// Takes in one input, in words, and does what follows.
    pub fn run(&mut self, line: &str) {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let number = || rest.parse::<u64>().expect("a number");
        let (now, input, machine) = (self.now, &mut self.input, &mut self.machine);
        let rate = self.settings.request.rate;
        let network = |class: &str| TestError::Network(class.into());
        match command {
            "start" => {}
            "hold" => self.holds_writes = true,
            "slow" => self.closes_slowly = true,
            "audio" => push(input, rate, now, number(), 1000),
            "silence" if !input.is_session_open() => {}
            "silence" => push(input, rate, now, number(), 0),
            "end-session" => input.push_boundary(Boundary::EndSession),
            "end" => input.push_boundary(Boundary::EndOfStream { token: number() }),
            "stream" => {
                let stream = number() as u32;
                input.push_boundary(Boundary::NewStream { stream });
            }
            "ready" => machine.handle_network_ready(now),
            "connected" => {
                machine.handle_connected(now);
                self.is_open = matches!(machine.state, State::Open(_));
            }
            "refused" => machine.handle_connect_failed(now, input, network(rest)),
            "late" => {
                let error = SessionError::ResponseTimeout(self.settings.limits.connect);
                machine.handle_connect_failed(now, input, error.into());
            }
            "written" => {
                self.is_flushing = false;
                self.unwritten = 0;
                machine.handle_written(now);
            }
            "close-done" => machine.handle_closed(),
            "say" => machine.handle_message(now, input, &response(rest, false), false),
            "last" => machine.handle_message(now, input, &response(rest, true), false),
            "error" => machine.handle_message(now, input, &error_frame(rest), false),
            "garbage" => machine.handle_message(now, input, b"\x11\x90", false),
            "text" => machine.handle_text(5),
            "closed" => {
                machine.handle_peer_closed(now, input, number() as u16, String::new());
            }
            "reset" => machine.handle_read_failed(now, input, network("soon")),
            "write-failed" => machine.handle_write_failed(now, TestError::NotWritten),
            "show-quiet" => self.shows_quiet = true,
            "quiet" => machine.handle_nothing_to_read(),
            "timeout" => machine.handle_timeout(now, input),
            "flush" => {
                input.clear();
                machine.handle_flush();
            }
            "abort" => machine.handle_abort(network("never")),
            _ => panic!("no such input: {command}"),
        }
        self.carry_out();
    }

    /// Does what a driver does until it would wait.
    fn carry_out(&mut self) {
        let now = self.now;
        loop {
            let can_send = self.is_open && !self.is_flushing && self.unwritten < BATCH;
            let (machine, input) = (&mut self.machine, &mut self.input);
            if let Some(action) = machine.poll_action(now, input) {
                self.act(&action);
            } else if can_send && let Some(frame) = machine.poll_transmit(now, input) {
                match self.holds_writes {
                    true => self.unwritten += frame.len(),
                    false => machine.handle_written(now),
                }
                self.hand_over(&frame);
                self.report();
            } else {
                let has_more = !machine.outputs.actions.is_empty();
                self.report();
                if !has_more {
                    self.is_flushing = self.unwritten > 0;
                    return;
                }
            }
        }
    }

    fn hand_over(&mut self, frame: &[u8]) {
        self.handed_over.0 += 1;
        self.handed_over.1 += frame.len() as u64;
    }

    fn act(&mut self, action: &Action) {
        let text = match action {
            Action::Preconnect => "preconnect".into(),
            Action::Discard => "discard".into(),
            Action::Connect { until } => match self.machine.retries.finish_deadline() {
                Some(at) if at == *until => "connect<finish".into(),
                _ => format!("connect<{}", until.as_millis()),
            },
            Action::CancelHandshake => "cancel".into(),
            Action::Close { finish } => {
                let unwritten = std::mem::take(&mut self.unwritten);
                (self.is_open, self.is_flushing) = (false, false);
                if !self.closes_slowly {
                    self.machine.handle_closed();
                }
                match finish {
                    Some(finish) => {
                        assert_eq!(unwritten, 0, "bytes before a finish");
                        self.hand_over(finish);
                        let sequence = finish[4..8].try_into().map(i32::from_be_bytes);
                        format!("drain {}", -sequence.expect("four bytes"))
                    }
                    None => "close".into(),
                }
            }
        };
        self.followed.push(text);
    }

    /// Collects what the machine reports, in words.
    fn report(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            let text = match output {
                Output::SessionOpen { session, .. } => format!("open {session}"),
                Output::Event(Event::Quiet { .. }) if !self.shows_quiet => continue,
                Output::Event(event) => describe(&event),
                Output::Note(_, note) => match self.describe_frame(&note) {
                    Some(text) => text,
                    None => continue,
                },
            };
            self.followed.push(text);
        }
    }

    /// Describes a frame, together with the one before if both are audio of the same kind.
    fn describe_frame(&mut self, note: &Note) -> Option<String> {
        match note {
            Note::Request => Some("request".into()),
            Note::Finish(sequence) => Some(format!("finish {sequence}")),
            Note::Audio {
                sequence,
                start,
                end,
                is_replay,
            } => {
                let kind = if *is_replay { "again" } else { "audio" };
                let samples = u64::from(self.settings.request.rate) / 1000;
                let (start, end) = (start / samples, end / samples);
                let before = self.followed.last().and_then(|text| {
                    let parts: Vec<&str> = text.split([' ', '-']).collect();
                    let [before, first, last, from, to] = parts[..] else {
                        return None;
                    };
                    let follows = before == kind
                        && last.parse() == Ok(sequence - 1)
                        && to.parse() == Ok(start);
                    follows.then(|| format!("{kind} {first}-{sequence} {from}-{end}"))
                });
                if before.is_some() {
                    self.followed.pop();
                }
                Some(before.unwrap_or(format!("{kind} {sequence}-{sequence} {start}-{end}")))
            }
            _ => None,
        }
    }
}

/// Appends `length` milliseconds of audio, whose samples are all alike.
fn push(input: &mut Queue, rate: u32, now: Duration, length: u64, sample: i16) {
    let samples = time_to_samples(ms(length), rate) as usize;
    input.push(&sample.to_le_bytes().repeat(samples), now);
}
