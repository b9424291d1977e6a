//! Frames that a connection sends: the request, audio again, audio for the first time, the
//! finish; at its pace, and numbered.

use std::time::Duration;

use bytes::Bytes;

use super::output::End;
use super::{Recognition, State};
use crate::session::connection::REQUEST_SEQUENCE;
use crate::session::error::ConnectionError;
use crate::session::event::{Level, Note};
use crate::session::queue::{Boundary, Item, Queue, QueueAccess};
use crate::session::rollover::{Rollover, Situation};
use crate::session::samples_to_time;

impl<E: ConnectionError> Recognition<E> {
    /// Returns the next frame to hand over to the socket. Call it when the socket can take one, and
    /// has nothing to be read before.
    pub fn poll_transmit(&mut self, now: Duration, input: &mut impl QueueAccess) -> Option<Bytes> {
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
            // As at any end of a session: what comes next opens another session.
            Some(Rollover::AfterFinal) => self.pending_boundary = Some(Boundary::EndSession),
            None => {}
        }
        self.next_frame(now, input)
    }

    /// Returns audio that is sent again, then what waits, then the finish.
    fn next_frame(&mut self, now: Duration, input: &mut impl QueueAccess) -> Option<Bytes> {
        let State::Open(connection) = &mut self.state else {
            return None;
        };
        if !connection.may_send_audio(now) {
            return None;
        }
        let start = self.stream.replay_buffer.position();
        // It has an arrival if it was not sent before.
        let (sequence, frame, arrived) = if let Some(pcm) = self.stream.replay_buffer.replay() {
            let sequence = connection.take_sequence();
            (sequence, self.encoder.audio(sequence, &pcm), None)
        } else {
            let boundary = self.pending_boundary.map(Item::Boundary);
            match boundary.or_else(|| input.with(Queue::pop)) {
                Some(Item::Audio(chunk)) => {
                    self.stream.replay_buffer.push(chunk.pcm(), chunk.arrived);
                    let sequence = connection.take_sequence();
                    let frame = self.encoder.audio_chunk(sequence, chunk.data);
                    (sequence, frame, Some(chunk.arrived))
                }
                Some(Item::Boundary(boundary)) => {
                    self.pending_boundary = Some(boundary);
                    return self.finish(now, input);
                }
                None => {
                    connection.on_nothing_to_send(now, input.with(|queue| queue.end()));
                    return None;
                }
            }
        };
        let end = self.stream.replay_buffer.position();
        let length = samples_to_time(end - start, self.settings.request.rate);
        connection.on_audio(now, length, arrived);
        let is_replay = arrived.is_none();
        self.outputs.counts.sent += end - start;
        self.outputs.counts.replayed += if is_replay { end - start } else { 0 };
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

    /// Counts a frame that is handed over.
    fn transmit(&mut self, frame: Bytes) -> Bytes {
        self.outputs.counts.frames_sent += 1;
        self.outputs.counts.bytes_sent += frame.len() as u64;
        frame
    }

    fn finish(&mut self, now: Duration, input: &mut impl QueueAccess) -> Option<Bytes> {
        let State::Open(connection) = &mut self.state else {
            return None;
        };
        // A finish without audio would only draw an error.
        if self.stream.replay_buffer.position() <= connection.replayed.start {
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
        let max = self.settings.limits.session?;
        let time = |samples| samples_to_time(samples, self.settings.request.rate);
        let buffer = &self.stream.replay_buffer;
        let new_audio = time(buffer.end() - connection.replayed.end);
        if !Rollover::may_be_due(max, new_audio) {
            return None;
        }
        let tracker = &self.stream.tracker;
        let window = time(buffer.start());
        let words_have_times = !tracker.would_lose_untimed_words(window);
        // Nothing is open either while the service has not said anything yet.
        let has_progress = tracker.processed_until() > time(connection.replayed.start);
        let situation = Situation {
            new_audio,
            all_final: has_progress && !tracker.has_open(),
            words_have_times,
            answers_complete: if words_have_times {
                tracker.resolved_until() >= window
            } else {
                let sent = self.stream.position();
                tracker.processed_until() + self.settings.result_delay >= sent
            },
            since_last_message: connection.since_last_message(now),
        };
        Rollover::decide(max, situation)
    }

    /// Continues on a new connection as if this one were lost, but lets it end in good order.
    fn roll_over(&mut self, now: Duration) {
        let State::Open(connection) = &mut self.state else {
            return;
        };
        let finish = self.encoder.finish(connection.take_finish(now));
        let finish = self.transmit(finish);
        self.outputs.note(Level::Info, Note::Rollover);
        self.stream.restart(self.stream.replay_buffer.start());
        self.report_updates();
        self.close(Some(finish));
        self.on_session_end();
    }
}
