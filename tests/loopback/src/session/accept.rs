//! Packets that a session takes: the request, audio, the finish.

use super::{LATE_ACK, PacketKind, Phase, Session};
use crate::{
    audio::Samples,
    codes,
    options::{Endpoint, Oddity},
    recogniser::SessionRecogniser,
    request::{self, RATES, Request},
    transcript::Transcript,
};
use serde_json::Value;
use tokio::time::Instant;

impl Session {
    pub(super) fn request(&mut self, json: &[u8], is_last: bool, now: Instant) -> PacketKind {
        if let Some((code, text)) = self.refusal.take() {
            self.request_json = serde_json::from_slice(json).ok();
            return self.fail(code, &text);
        }
        if is_last {
            return self.fail(codes::EMPTY, "empty audio: the request is the last packet");
        }
        let json: Value = match serde_json::from_slice(json) {
            Ok(json) => json,
            Err(error) => {
                let text = format!("invalid parameters: request is no JSON: {error}");
                return self.fail(codes::PARAMETERS, &text);
            }
        };
        let rates = match self.options.has(Oddity::Refuse24000) {
            true => 16_000..=16_000,
            false => RATES,
        };
        let checked = request::check(&json, &rates, self.answers.endpoint == Endpoint::Async);
        self.request_json = Some(json);
        let request = match checked {
            Ok(request) => request,
            Err((code, text)) => return self.fail(code, &text),
        };
        self.rate = match request.rate {
            24_000 if self.options.has(Oddity::Misread24000) => 16_000,
            rate => rate,
        };
        let format = match &request.format {
            Ok(format) => *format,
            Err(format) => {
                let text = format!(
                    "[Invalid audio format] OperatorWrapper Process failed: \
                     unsupported format {format}"
                );
                // Recorded: the ack comes first.
                self.begin(request, now);
                self.ack();
                return self.fail(codes::FORMAT, &text);
            }
        };
        self.samples = Some(Samples::new(format, request.channels));
        match SessionRecogniser::new(&self.options.recogniser, self.rate, self.number) {
            Ok(recogniser) => self.recogniser = recogniser,
            Err(text) => return self.fail(codes::INTERNAL, &text),
        }
        self.begin(request, now);
        PacketKind::Request
    }

    fn begin(&mut self, request: Request, now: Instant) {
        self.phase = Phase::Audio;
        self.transcript = Some(Transcript::new(request, self.options.clone()));
        self.ack_due = true;
        if self.options.has(Oddity::LateAck) {
            self.ack_by = Some(now + LATE_ACK);
        } else {
            self.ack();
        }
    }

    pub(super) fn audio(&mut self, payload: &[u8], is_last: bool, now: Instant) -> PacketKind {
        self.audio_bytes += payload.len() as u64;
        if let Some(samples) = &mut self.samples {
            let samples = samples.of(payload);
            self.sample_bytes += samples.len() as u64;
            self.recogniser.push(&samples, &mut self.marks);
        }
        self.ack();
        let received = self.received();
        if let Some(player) = self.recogniser.script() {
            let sends = player.audio(received);
            self.scripted(sends);
        }
        if self.is_over() {
            return PacketKind::Audio;
        }
        if is_last {
            return self.finish(now);
        }
        if !self.options.wall_lag {
            let known = self.lag.known(received);
            self.respond(known, true);
        } else {
            let due = self.answer_due(now, received);
            self.unanswered.push_back((due, received));
            if self.answers.endpoint != Endpoint::Async {
                // One answer for each packet, with what may be known by now.
                self.respond(0, true);
            }
        }
        PacketKind::Audio
    }

    /// By the wall clock: when the text of this position is answered, in order.
    fn answer_due(&self, now: Instant, position: i64) -> Instant {
        let due = now + self.lag.at(position);
        self.unanswered
            .back()
            .map_or(due, |(before, _)| due.max(*before))
    }

    fn finish(&mut self, now: Instant) -> PacketKind {
        if self.audio_bytes == 0 {
            self.fail(codes::EMPTY, "empty audio");
            return PacketKind::Finish;
        }
        self.phase = Phase::Finishing;
        self.recogniser.finish(&mut self.marks);
        if let Some(player) = self.recogniser.script() {
            if let Some(sends) = player.finish() {
                self.scripted(sends);
                return PacketKind::Finish;
            }
        } else if self.options.wall_lag {
            self.finish_due = Some(self.answer_due(now, self.received()));
            return PacketKind::Finish;
        }
        self.conclude();
        PacketKind::Finish
    }
}
