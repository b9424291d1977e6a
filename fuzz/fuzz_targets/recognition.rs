//! Any sequence of inputs to the state machine: sequence numbers have no hole, each utterance and
//! stream ends once, deadlines end, and after a failure there is nothing more.
#![no_main]

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use gstvolcasr::protocol::failure::{Cause, Retry};
use gstvolcasr::protocol::frame::Compression;
use gstvolcasr::protocol::request::{Request, ResultType};
use gstvolcasr::session::error::{ConnectionError, SessionError};
use gstvolcasr::session::event::Event;
use gstvolcasr::session::queue::{Boundary, Queue};
use gstvolcasr::session::recognition::{Action, Output, Recognition};
use gstvolcasr::session::settings::{Limits, Settings};
use libfuzzer_sys::fuzz_target;

/// Bytes after which the socket takes no more until they are written.
const BATCH: usize = 32 * 1024;

#[derive(Debug)]
struct Error {
    retry: Retry,
    cause: Option<Cause>,
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Failure(failure) => Error {
                retry: failure.retry(),
                cause: Some(failure.cause),
            },
            SessionError::Protocol(_) => Error::network(Retry::Never),
            _ => Error::network(Retry::Soon),
        }
    }
}

impl ConnectionError for Error {
    fn retry(&self) -> Retry {
        self.retry
    }

    fn cause(&self) -> Option<Cause> {
        self.cause
    }

    fn is_stale_connection(&self) -> bool {
        self.retry == Retry::Soon
    }
}

impl Error {
    fn network(retry: Retry) -> Self {
        Error { retry, cause: None }
    }
}

/// The input as a list of choices; at its end every choice is the first one.
struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn time(&mut self) -> Duration {
        Duration::from_millis(u64::from(self.byte()) * 25)
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    fn retry(&mut self) -> Retry {
        match self.byte() % 8 {
            0 => Retry::Never,
            1 => Retry::Limited,
            2 => Retry::Later,
            _ => Retry::Soon,
        }
    }

    fn settings(&mut self) -> Settings {
        let flags = self.byte();
        let is = |bit: u8| flags & 1 << bit != 0;
        let second = Duration::from_secs(1);
        let replay = if is(0) { Duration::ZERO } else { second * 120 };
        let request = Request {
            result_type: if is(1) {
                ResultType::Single
            } else {
                ResultType::Full
            },
            ..Request::default()
        };
        Settings {
            request,
            compression: if is(2) {
                Compression::Gzip
            } else {
                Compression::None
            },
            limits: Limits {
                connect: second * 10,
                idle: (!is(3)).then_some(second * 4),
                finish: second,
                session: is(4).then_some(second),
            },
            max_chunk: second / 5,
            max_reconnects: if is(5) { 2 } else { 10 },
            replay,
            replay_window: replay.max(second * 4),
            result_delay: second * 2,
            answers_at_end: is(7),
            max_speed: if is(6) { 2.0 } else { 0.0 },
        }
    }

    /// A response that can mostly be read.
    fn response(&mut self) -> Vec<u8> {
        let last = self.byte() % 8 == 0;
        let mut list = String::new();
        for number in 0..self.byte() % 4 {
            let (start, length) = (self.time().as_millis(), self.time().as_millis() / 4);
            let definite = self.byte() % 2 == 0;
            let comma = if number > 0 { "," } else { "" };
            let end = start + length;
            let times = format!(r#""start_time":{start},"end_time":{end}"#);
            list += &format!(
                r#"{comma}{{"text":"w{}",{times},"definite":{definite}}}"#,
                self.byte() % 4
            );
        }
        let duration = self.time().as_millis();
        let json = format!(
            r#"{{"audio_info":{{"duration":{duration}}},"result":{{"utterances":[{list}]}}}}"#
        );
        let mut frame = vec![0x11, if last { 0x92 } else { 0x90 }, 0x10, 0];
        frame.extend((json.len() as u32).to_be_bytes());
        frame.extend(json.as_bytes());
        frame
    }
}

/// The machine with what a driver has beside it, and what was seen of its output.
struct Driver {
    machine: Recognition<Error>,
    queue: Queue,
    now: Duration,
    is_connecting: bool,
    is_open: bool,
    /// Writes take time.
    holds_writes: bool,
    /// Bytes that were handed over, and are not written.
    unwritten: usize,
    /// They are on their way, and no more go with them.
    is_flushing: bool,
    /// Number of the connection's next frame; none behind the finish.
    sequence: Option<i32>,
    /// By flush, stream and number: whether it is final.
    utterances: BTreeMap<(u32, u32, u32), bool>,
    /// Tokens of the ends that are not done yet.
    ends: VecDeque<u64>,
    flushes: u32,
    failed: bool,
}

impl Driver {
    fn carry_out(&mut self) {
        loop {
            let (now, queue) = (self.now, &mut self.queue);
            if let Some(action) = self.machine.poll_action(now, queue) {
                match action {
                    Action::Connect { .. } => self.is_connecting = true,
                    Action::CancelHandshake => self.is_connecting = false,
                    Action::Close { finish } => {
                        assert!(std::mem::take(&mut self.is_open), "closed twice");
                        let unwritten = std::mem::take(&mut self.unwritten);
                        self.is_flushing = false;
                        if let Some(finish) = finish {
                            assert_eq!(unwritten, 0, "bytes before a finish");
                            self.check_sequence(&finish);
                            assert_eq!(self.sequence, None, "a finish");
                        }
                        self.machine.handle_closed();
                    }
                    Action::Preconnect | Action::Discard => {}
                }
            } else if self.is_open
                && !self.is_flushing
                && self.unwritten < BATCH
                && let Some(frame) = self.machine.poll_transmit(now, queue)
            {
                self.check_sequence(&frame);
                if self.holds_writes {
                    self.unwritten += frame.len();
                } else {
                    self.machine.handle_written(now);
                }
            } else {
                // A transmitted frame may ask for an action.
                if self.read_outputs() == 0 {
                    self.is_flushing = self.unwritten > 0;
                    return;
                }
            }
        }
    }

    fn check_sequence(&mut self, frame: &[u8]) {
        let sequence = frame[4..8].try_into().map(i32::from_be_bytes);
        let sequence = sequence.expect("four bytes");
        let due = self.sequence.expect("nothing follows the finish");
        assert_eq!(sequence.abs(), due, "a hole");
        self.sequence = (sequence > 0).then_some(due + 1);
    }

    fn read_outputs(&mut self) -> usize {
        let mut count = 0;
        while let Some(output) = self.machine.poll_output() {
            assert!(!self.failed, "after the failure: {output:?}");
            count += 1;
            match output {
                Output::Event(Event::Failed { .. }) => self.failed = true,
                Output::Event(Event::BoundaryDone { token }) => {
                    assert_eq!(self.ends.pop_front(), Some(token), "done");
                }
                Output::Event(Event::Transcript { stream, update, .. }) => {
                    let key = (self.flushes, stream, update.number);
                    let is_final = self.utterances.entry(key).or_default();
                    assert!(!*is_final, "after its end: {update:?}");
                    *is_final = update.is_final;
                }
                _ => {}
            }
        }
        count
    }

    fn wait(&mut self, until: Duration) {
        for _ in 0..500 {
            let Some(at) = self.machine.poll_timeout().filter(|at| *at <= until) else {
                self.now = self.now.max(until);
                return;
            };
            self.now = self.now.max(at);
            self.machine.handle_timeout(self.now, &mut self.queue);
            self.machine.handle_nothing_to_read();
            self.carry_out();
        }
        panic!("a deadline that never ends");
    }

    fn step(&mut self, choices: &mut Choices<'_>, number: u32) {
        let (now, machine, queue) = (self.now, &mut self.machine, &mut self.queue);
        match choices.byte() % 21 {
            0..=2 => {
                let length = choices.time();
                let samples = length.as_millis() as usize * 24;
                queue.push(&[choices.byte(), 0].repeat(samples), now);
            }
            3 => queue.push_boundary(match choices.byte() % 3 {
                0 => Boundary::EndSession,
                1 => {
                    let token = u64::from(number);
                    self.ends.push_back(token);
                    Boundary::EndOfStream { token }
                }
                _ => Boundary::NewStream { stream: number },
            }),
            4 => machine.handle_network_ready(now),
            5..=7 => {
                machine.handle_connected(now);
                // Otherwise it was not asked for, and is ignored.
                if std::mem::take(&mut self.is_connecting) {
                    self.is_open = true;
                    self.sequence = Some(1);
                }
            }
            8 => {
                self.is_connecting = false;
                machine.handle_connect_failed(now, queue, Error::network(choices.retry()));
            }
            9 => {
                self.is_connecting = false;
                let error = SessionError::ResponseTimeout(Duration::from_secs(10));
                machine.handle_connect_failed(now, queue, error.into());
            }
            10..=13 => machine.handle_message(now, queue, &choices.response(), true),
            14 => machine.handle_message(now, queue, choices.bytes(), false),
            15 => machine.handle_peer_closed(now, queue, 1000, String::new()),
            16 => machine.handle_read_failed(now, queue, Error::network(choices.retry())),
            17 => machine.handle_write_failed(now, Error::network(choices.retry())),
            18 => {
                queue.clear();
                machine.handle_flush();
                self.ends.clear();
                self.flushes += 1;
            }
            19 => {
                self.is_flushing = false;
                self.unwritten = 0;
                machine.handle_written(now);
            }
            _ => {
                let until = now + choices.time();
                self.wait(until);
            }
        }
        self.carry_out();
    }
}

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices(data);
    let mut driver = Driver {
        machine: Recognition::new(choices.settings(), 0.0),
        queue: Queue::new(4800, 24_000),
        now: Duration::ZERO,
        is_connecting: false,
        is_open: false,
        holds_writes: choices.byte() % 2 == 1,
        unwritten: 0,
        is_flushing: false,
        sequence: None,
        utterances: BTreeMap::new(),
        ends: VecDeque::new(),
        flushes: 0,
        failed: false,
    };
    let mut number = 0;
    while !choices.0.is_empty() {
        number += 1;
        driver.step(&mut choices, number);
    }
    driver.machine.handle_abort(Error::network(Retry::Never));
    driver.carry_out();
    assert!(driver.failed && driver.machine.poll_timeout().is_none());
    let flushes = driver.flushes;
    for (key, is_final) in &driver.utterances {
        assert!(*is_final || key.0 < flushes, "never ended: {key:?}");
    }
});
