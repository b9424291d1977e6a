//! Frames that a connection sends: the request, audio again, audio for the first time, the
//! finish; at its pace, and numbered.

use std::time::Duration;

use bytes::Bytes;

use super::output::End;
use super::{Recognition, State};
use crate::session::BYTES_PER_SAMPLE;
use crate::session::connection::{Connection, REQUEST_SEQUENCE};
use crate::session::error::ConnectionError;
use crate::session::event::{Level, Note};
use crate::session::input::Input;
use crate::session::queue::{Boundary, Item};
use crate::session::rollover::{Rollover, Situation};
use crate::session::samples_to_time;

impl<E: ConnectionError> Recognition<E> {
    /// Returns the next frame to hand over to the socket. Call it when the socket can take one, and
    /// has nothing to be read before.
    pub fn poll_transmit(&mut self, now: Duration, input: &mut impl Input) -> Option<Bytes> {
        let State::Open(connection) = &mut self.state else {
            return None;
        };
        if connection.writes.is_failed() || connection.is_finishing() {
            return None;
        }
        if !connection.is_requested() {
            let json = self.settings.request.to_json();
            let frame = self.encoder.request(REQUEST_SEQUENCE, &json);
            connection.on_request(now);
            self.outputs.note(Level::Debug, Note::Request);
            return Some(self.transmit(frame));
        }
        let is_writing = connection.writes.is_active();
        // First, or a queue that is never empty would put it off without end.
        match self.rollover(now) {
            // Also between frames that go together. It waits until they are written.
            Some(_) if is_writing => return None,
            Some(Rollover::Replay) => {
                self.roll_over(now);
                return None;
            }
            // As in any other pause: what comes next opens another session.
            Some(Rollover::Drain) => self.pending_boundary = Some(Boundary::EndSession),
            None => {}
        }
        self.next_frame(now, input)
    }

    /// Returns audio that is sent again, then what waits, then the finish.
    fn next_frame(&mut self, now: Duration, input: &mut impl Input) -> Option<Bytes> {
        let State::Open(connection) = &mut self.state else {
            return None;
        };
        if !connection.may_send_audio(now) {
            return None;
        }
        // It has an arrival if it was not sent before.
        let (frame, sequence, start, end, arrived) =
            if let Some((start, pcm)) = self.stream.take_replay(now) {
                let end = start + (pcm.len() / BYTES_PER_SAMPLE) as u64;
                let sequence = connection.take_sequence();
                let frame = self.encoder.audio(sequence, &pcm);
                (frame, sequence, start, end, None)
            } else {
                let boundary = self.pending_boundary.map(Item::Boundary);
                match boundary.or_else(|| input.pop()) {
                    Some(Item::Audio(chunk)) => {
                        let (start, arrived) = (chunk.position, chunk.arrived);
                        let end = start + chunk.samples();
                        self.stream.on_new_audio(now, start, chunk.pcm(), arrived);
                        let sequence = connection.take_sequence();
                        let frame = self.encoder.audio_chunk(sequence, chunk.data);
                        (frame, sequence, start, end, Some(arrived))
                    }
                    Some(Item::Boundary(boundary)) => {
                        self.pending_boundary = Some(boundary);
                        return self.finish(now, input);
                    }
                    None => {
                        connection.on_nothing_to_send(now, input.end());
                        return None;
                    }
                }
            };
        let samples = connection.on_audio(now, end, arrived, self.settings.request.rate);
        let is_replay = arrived.is_none();
        self.outputs.counts.sent += samples;
        self.outputs.counts.replayed += if is_replay { samples } else { 0 };
        let note = Note::Audio {
            sequence,
            start,
            end,
            is_replay,
        };
        self.outputs.note(Level::Log, note);
        self.report_quiet(now);
        Some(self.transmit(frame))
    }

    fn transmit(&mut self, frame: Bytes) -> Bytes {
        self.outputs.counts.frames_sent += 1;
        self.outputs.counts.bytes_sent += frame.len() as u64;
        frame
    }

    fn finish(&mut self, now: Duration, input: &mut impl Input) -> Option<Bytes> {
        let State::Open(connection) = &mut self.state else {
            return None;
        };
        // A finish without audio would only draw an error.
        if !connection.has_sent_audio() {
            self.stream.finalize_unconfirmed();
            self.report_updates();
            self.on_connection_end(now, input, Ok(End::Finished));
            return None;
        }
        let sequence = connection.take_finish(now);
        self.outputs.note(Level::Debug, Note::Finish(sequence));
        let frame = self.encoder.finish(sequence);
        Some(self.transmit(frame))
    }

    /// Returns how the session is to continue on a new connection now, if it is.
    fn rollover(&self, now: Duration) -> Option<Rollover> {
        let State::Open(connection) = &self.state else {
            return None;
        };
        // With a boundary to complete it ends anyway.
        if !connection.is_acknowledged() || self.pending_boundary.is_some() {
            return None;
        }
        // The least limit first: what else counts takes longer to find out.
        let max = self.settings.limits.session?;
        if samples_to_time(connection.new_samples(), self.settings.request.rate) < max {
            return None;
        }
        let situation = self.situation(now, connection);
        Rollover::decide(max, situation)
    }

    fn situation(&self, now: Duration, connection: &Connection<E>) -> Situation {
        let rate = self.settings.request.rate;
        let time = |samples| samples_to_time(samples, rate);
        let tracker = &self.stream.tracker;
        let window = time(self.stream.replay_buffer.start());
        let words_have_times = !tracker.would_lose_untimed_words(window);
        // Nothing is open either while the service has not said anything yet.
        let has_answered = tracker.processed_until() > time(connection.origin());
        Situation {
            new_audio: time(connection.new_samples()),
            all_final: has_answered && !tracker.has_open(),
            words_have_times,
            answers_complete: if words_have_times {
                tracker.resolved_until() >= window
            } else {
                let sent = time(connection.sent());
                tracker.processed_until() + self.settings.result_delay >= sent
            },
            quiet_for: connection.quiet_for(now),
        }
    }

    /// Continues on a new connection as if this one were lost, but lets it end in good order.
    fn roll_over(&mut self, now: Duration) {
        let State::Open(connection) = &mut self.state else {
            return;
        };
        let finish = self.encoder.finish(connection.take_finish(now));
        self.outputs.note(Level::Info, Note::Rollover);
        self.stream.restart(self.stream.replay_buffer.start());
        self.report_updates();
        self.close(Some(finish));
        self.on_session_end();
    }
}
