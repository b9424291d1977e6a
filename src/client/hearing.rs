//! What comes on a connection: frames to responses to utterances.

use std::time::Duration;

use super::driver::Driver;
use super::error::ClientError;
use super::event::{Event, Level};
use super::live::{End, Live};
use crate::protocol::compression::InflateError;
use crate::protocol::failure::Failure;
use crate::protocol::frame::{self, Compression, FrameError, ServerFrame, ServerKind};
use crate::protocol::response::{Content, Response};
use crate::session::exchange::Exchange;
use crate::session::response_check::ResponseCheck;
use crate::session::samples_to_time;

/// What is needed may move back a little with a start that is revised, by 140 ms in recorded traffic; so much more is kept for that.
const KEPT: Duration = Duration::from_millis(250);
/// So many messages in a row that can't be read are more than a slip.
const MAX_NONSENSE: u32 = 16;
/// How much more than was sent the service may claim to have heard: a share, and an allowance.
const COUNTING: (f64, Duration) = (1.1, Duration::from_secs(1));

impl Driver {
    pub(super) fn on_frame(
        &mut self,
        bytes: &[u8],
        exchange: &mut Exchange,
        live: &mut Live,
    ) -> Result<Option<End>, ClientError> {
        let frame = match frame::decode(bytes) {
            Ok(frame) => frame,
            Err(error @ FrameError::TooLarge(_)) => {
                return Err(ClientError::Protocol(error.to_string()));
            }
            Err(error) => return self.skip(&error, exchange, live),
        };
        // Answers come uncompressed as a rule, even to a client that compresses.
        let mut inflater = match frame.compression {
            Compression::Gzip => Some(self.inflater.take().unwrap_or_default()),
            Compression::None => None,
        };
        let payload = match &mut inflater {
            Some(inflater) => frame.unpack(inflater),
            None => Ok(frame.payload),
        };
        let result = match payload {
            Ok(payload) => self.on_payload(&frame, payload, exchange, live),
            // The code says more than any body.
            Err(_) if frame.is_error() => self.on_payload(&frame, &[], exchange, live),
            Err(error @ InflateError::TooLarge) => Err(ClientError::Protocol(error.to_string())),
            Err(error) => self.skip(&error, exchange, live),
        };
        self.inflater = inflater.or(self.inflater.take());
        result
    }

    fn on_payload(
        &mut self,
        frame: &ServerFrame<'_>,
        payload: &[u8],
        exchange: &mut Exchange,
        live: &mut Live,
    ) -> Result<Option<End>, ClientError> {
        if let ServerKind::Error { code } = frame.kind {
            return Err(self.failure(Failure::from_error_frame(code, payload)));
        }
        // Unasked for, it is an end in the middle: what was not worked through is to be heard again.
        let last = frame.last && exchange.is_finish_written();
        let mut cache = std::mem::take(&mut self.prefix_cache);
        let read = match cache.decode(payload, self.tracker.repeated()) {
            Ok(response) if response.code.is_some() => Ok(response.code),
            Ok(response) => {
                live.nonsense = 0;
                if !exchange.is_acknowledged() {
                    self.on_ack(&response);
                }
                let unknown = self.response_check.on_response(response.content());
                self.tell_unknown(unknown);
                exchange.heard(self.now());
                self.on_response(&response, last, live);
                Ok(None)
            }
            Err(error) => Err(error),
        };
        if let Ok(None) = read {
            cache.remember(payload, self.tracker.repeated());
        }
        self.prefix_cache = cache;
        match read {
            Ok(None) => {}
            Ok(Some(code)) => return Err(self.failure(Failure::from_error_frame(code, payload))),
            Err(error) => return self.skip(&error, exchange, live),
        }
        if self.wants_responses()
            && let Ok(json) = std::str::from_utf8(payload)
        {
            let secrets = &self.config.secrets;
            self.emit(Event::Response {
                session: self.session - 1,
                json: match secrets.occur_in(json) {
                    true => secrets.redact(json),
                    false => json.to_owned(),
                },
            });
        }
        match (frame.last, last) {
            (true, true) => {
                self.log(Level::Debug, format_args!("the final response is there"));
                Ok(Some(End::Finished))
            }
            (true, false) => Err(ClientError::Closed {
                code: 1000,
                reason: "a final response before the finish".into(),
            }),
            _ => Ok(None),
        }
    }

    /// The first answer on a connection.
    fn on_ack(&mut self, response: &Response<'_>) {
        self.session += 1;
        self.response_check = ResponseCheck::default();
        let restored = std::mem::take(&mut self.restoring) && self.session > 1;
        self.shared.counters.update(|counts| {
            counts.connected = true;
            counts.sessions += 1;
            counts.reconnects += u64::from(restored);
        });
        if self.log_id.is_none()
            && let Some(log_id) = &response.log_id
        {
            self.log_id = self.config.secrets.id(log_id);
            self.tell_ids();
        }
        self.log(
            Level::Info,
            format_args!(
                "session {} is open, connect id {}, log id {}",
                self.session - 1,
                self.connect_id,
                self.log_id.as_deref().unwrap_or("unknown")
            ),
        );
    }

    fn on_response(&mut self, response: &Response<'_>, last: bool, live: &Live) {
        let rate = self.config.request.rate;
        let sent = samples_to_time(live.sent, rate);
        self.shared.counters.update(|counts| counts.responses += 1);
        self.watch_counting(
            response.duration,
            samples_to_time(live.sent - live.origin, rate),
        );
        let before = self.tracker.processed_until();
        self.tracker
            .respond(response, sent, last, &mut self.updates);
        let worked = self.tracker.processed_until();
        if worked > before {
            let position = crate::session::time_to_samples(worked, rate);
            if let Some(arrived) = self.replay_buffer.arrival_time(position) {
                let latency = self.now().saturating_sub(arrived);
                self.shared
                    .counters
                    .update(|counts| counts.latency(latency));
            }
        }
        // After the count: a reader of a message finds its latency in the figures.
        self.tell_updates();
        // Where this connection begins none may have answered before: that it begins is no answer.
        if worked > before && worked > self.answered {
            self.answered = worked;
            self.retries.on_progress();
        }
        let needed = self.tracker.replay_needed_from();
        let kept = needed.saturating_sub(KEPT);
        self.replay_buffer
            .trim_before(crate::session::time_to_samples(kept, rate));
        let until = self.tracker.final_until();
        if until > self.settled {
            self.settled = until;
            self.emit(Event::Settled {
                stream: self.stream,
                until,
            });
        }
    }

    /// Once: the service's clock runs so much faster than the audio that it must count at another
    /// rate.
    fn watch_counting(&mut self, counted: Option<Duration>, sent: Duration) {
        let Some(counted) = counted else { return };
        if !self.told_counting && counted > sent.mul_f64(COUNTING.0) && counted > sent + COUNTING.1
        {
            self.told_counting = true;
            self.emit(Event::SampleRateMismatch { counted, sent });
        }
    }

    /// What can't be read is logged and skipped, unless nothing else comes.
    fn skip(
        &mut self,
        error: &dyn std::error::Error,
        exchange: &Exchange,
        live: &mut Live,
    ) -> Result<Option<End>, ClientError> {
        live.nonsense += 1;
        if !exchange.is_acknowledged() || live.nonsense >= MAX_NONSENSE {
            return Err(ClientError::Protocol(error.to_string()));
        }
        self.log(live.ignores(), format_args!("ignored a message: {error}"));
        let unknown = self.response_check.on_response(Content::Unknown);
        self.tell_unknown(unknown);
        Ok(None)
    }

    fn failure(&self, mut failure: Failure) -> ClientError {
        failure.message = self.config.secrets.redact(&failure.message);
        failure.log_id = self.log_id.clone();
        failure.connect_id = Some(self.connect_id.clone());
        ClientError::Failure(Box::new(failure))
    }
}
