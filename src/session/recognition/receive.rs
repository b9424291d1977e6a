//! Reaction to messages, and to what the socket reports.

use std::time::Duration;

use super::output::{End, Output};
use super::{Recognition, State};
use crate::protocol::response::{Content, Response};
use crate::session::decoder::Decoded;
use crate::session::error::{ConnectionError, SessionError};
use crate::session::event::{Event, Level, Note};
use crate::session::queue::QueueAccess;
use crate::session::samples_to_time;

/// How much more audio than was sent the service may report as processed: a share, and an
/// allowance.
const RATE_MISMATCH: (f64, Duration) = (1.1, Duration::from_secs(1));

impl<E: ConnectionError> Recognition<E> {
    /// A binary message came. With `wants_json`, a response is reported as it is, too.
    pub fn handle_message(
        &mut self,
        now: Duration,
        input: &mut impl QueueAccess,
        message: &[u8],
        wants_json: bool,
    ) {
        let State::Open(connection) = &mut self.state else {
            return;
        };
        connection.on_message(now);
        let acknowledged = connection.is_acknowledged();
        let finish_written = connection.is_finish_written();
        let repeated = self.stream.tracker.repeated();
        // The closure needs all of the machine.
        let mut decoder = std::mem::take(&mut self.decoder);
        let decoded = decoder.decode(
            message,
            repeated,
            acknowledged,
            |response, payload, last| {
                // Unasked for, it is an end in the middle: the rest is to be sent again.
                self.on_response(response, now, last && finish_written);
                if wants_json {
                    self.report_json(payload);
                }
                self.stream.tracker.repeated()
            },
        );
        self.decoder = decoder;
        let end = match decoded {
            Decoded::Response { last: false } => return,
            Decoded::Response { last: true } if finish_written => {
                self.outputs.note(Level::Debug, Note::FinalResponse);
                Ok(End::Finished)
            }
            Decoded::Response { last: true } => Err(SessionError::Closed {
                code: 1000,
                reason: "a final response before the finish".into(),
            }),
            Decoded::Failure(failure) => Err(SessionError::Failure(failure)),
            Decoded::Protocol(error) => Err(SessionError::Protocol(error)),
            Decoded::Ignored(error) => {
                let level = self.decoder.on_ignored();
                self.outputs.note(level, Note::IgnoredMessage(error));
                self.check_content(Content::Unknown);
                return;
            }
        };
        self.on_connection_end(now, input, end.map_err(E::from));
    }

    /// A text message came, which is not part of the protocol.
    pub fn handle_text(&mut self, length: usize) {
        let level = self.decoder.on_ignored();
        self.outputs.note(level, Note::IgnoredText(length));
    }

    /// Everything that was handed over is with the kernel.
    pub fn handle_written(&mut self, now: Duration) {
        let State::Open(connection) = &mut self.state else {
            return;
        };
        if let Some(latency) = connection.on_written(now) {
            self.outputs.counts.sends.add(latency);
        }
        if connection.is_finish_written() {
            self.retries.on_finish_written(now);
        }
    }

    /// Nothing more can be written. What the peer said before may say why.
    pub fn handle_write_failed(&mut self, now: Duration, error: E) {
        if let State::Open(connection) = &mut self.state {
            connection.on_write_failed(now, error);
        }
    }

    /// Nothing more will come.
    pub fn handle_read_failed(&mut self, now: Duration, input: &mut impl QueueAccess, error: E) {
        if let State::Open(connection) = &mut self.state {
            let error = connection.writes.take_error().unwrap_or(error);
            self.on_connection_end(now, input, Err(error));
        }
    }

    /// The peer closed.
    pub fn handle_peer_closed(
        &mut self,
        now: Duration,
        input: &mut impl QueueAccess,
        code: u16,
        reason: String,
    ) {
        let State::Open(connection) = &self.state else {
            return;
        };
        let end = match code == 1000 && connection.is_finish_written() {
            true => {
                self.outputs.note(Level::Info, Note::ClosedWithoutFinal);
                Ok(End::ClosedWithoutFinal)
            }
            false => Err(SessionError::Closed { code, reason }.into()),
        };
        self.on_connection_end(now, input, end);
    }

    fn on_response(&mut self, response: &Response<'_>, now: Duration, last: bool) {
        let State::Open(connection) = &mut self.state else {
            return;
        };
        let is_first = !connection.is_acknowledged();
        connection.on_response(now);
        let sent = self.stream.replay_buffer.position() - connection.replayed.start;
        if is_first {
            self.on_acknowledged(response, now);
        }
        self.check_content(response.content());
        self.check_sample_rate(response.duration, sent);
        let stream = &mut self.stream;
        let (before, sent) = (stream.tracker.processed_until(), stream.position());
        stream
            .tracker
            .respond(response, sent, last, &mut stream.updates);
        let effect = stream.on_response(now, before);
        self.outputs.counts.responses += 1;
        if let Some(latency) = effect.latency {
            self.outputs.counts.results.add(latency);
        }
        self.report_updates();
        if effect.is_new {
            self.retries.on_progress();
        }
        if let Some(until) = effect.final_until {
            let stream = self.stream.number;
            self.outputs.report(Event::Settled { stream, until });
        }
        self.report_quiet(now);
    }

    /// The first answer on a connection.
    fn on_acknowledged(&mut self, response: &Response<'_>, now: Duration) {
        let session = self.stream.sessions;
        self.stream.on_session_open(now);
        let is_reconnect = std::mem::take(&mut self.is_reconnect) && session > 0;
        let counts = &mut self.outputs.counts;
        counts.sessions += 1;
        counts.reconnects += u64::from(is_reconnect);
        let log_id = response.log_id.as_deref().map(str::to_owned);
        let open = Output::SessionOpen { session, log_id };
        self.outputs.outputs.push_back(open);
    }

    fn check_content(&mut self, content: Content) {
        let unreadable = self.stream.response_check.on_response(content);
        self.outputs.report_unreadable(unreadable);
    }

    /// Reports once that the service's clock runs so much faster than the audio, of which `samples`
    /// were sent, that it must count at another rate.
    fn check_sample_rate(&mut self, counted: Option<Duration>, samples: u64) {
        let sent = samples_to_time(samples, self.settings.request.rate);
        let (share, allowance) = RATE_MISMATCH;
        if let Some(counted) = counted
            && counted > sent.mul_f64(share)
            && counted > sent + allowance
        {
            self.outputs.on_rate_mismatch(counted, sent);
        }
    }

    fn report_json(&mut self, payload: &[u8]) {
        if let Ok(json) = std::str::from_utf8(payload) {
            self.outputs.report(Event::Response {
                session: self.stream.sessions.saturating_sub(1),
                json: json.to_owned(),
            });
        }
    }
}
