//! Packets that a session takes: the request, audio, the finish.

use super::{LATE_ACK, PacketKind, Phase, Session};
use crate::{
    audio::Samples,
    codes,
    options::{Endpoint, Oddity},
    recogniser::SessionRecogniser,
    request::{self, RATES, Refusal},
    transcript::Transcript,
};
use serde_json::Value;
use tokio::time::Instant;

impl Session {
    pub(super) fn request(
        &mut self,
        json: &[u8],
        is_last: bool,
        now: Instant,
    ) -> Result<PacketKind, Refusal> {
        let json: serde_json::Result<Value> = serde_json::from_slice(json);
        self.request_json = json.as_ref().ok().cloned();
        if let Some(text) = self.refusal.take() {
            return Err((codes::QUOTA, text));
        }
        if is_last {
            let text = "empty audio: the request is the last packet";
            return Err((codes::EMPTY, text.to_owned()));
        }
        let no_json = |error| format!("invalid parameters: request is no JSON: {error}");
        let json = json.map_err(|error| (codes::PARAMETERS, no_json(error)))?;
        let rates = match self.options.has(Oddity::Refuse24000) {
            true => 16_000..=16_000,
            false => RATES,
        };
        let request = request::check(&json, &rates, self.answers.endpoint == Endpoint::Async)?;
        let rate = match request.rate {
            24_000 if self.options.has(Oddity::Misread24000) => 16_000,
            rate => rate,
        };
        let recogniser = SessionRecogniser::new(&self.options.recogniser, rate, self.number);
        self.recogniser = recogniser.map_err(|text| (codes::INTERNAL, text))?;
        let (format, channels) = (request.format.clone(), request.channels);
        self.phase = Phase::Audio;
        self.transcript = Some(Transcript::new(request, self.options.clone()));
        self.ack_by = Some(now + LATE_ACK);
        if format.is_err() || !self.options.has(Oddity::LateAck) {
            self.ack();
        }
        // Recorded: the ack comes before this refusal.
        let format = format.map_err(|format| {
            let text = format!("OperatorWrapper Process failed: unsupported format {format}");
            (codes::FORMAT, format!("[Invalid audio format] {text}"))
        })?;
        self.samples = Some(Samples::new(format, channels, rate));
        Ok(PacketKind::Request)
    }

    pub(super) fn audio(
        &mut self,
        payload: &[u8],
        is_last: bool,
        now: Instant,
    ) -> Result<PacketKind, Refusal> {
        self.audio_bytes += payload.len() as u64;
        if let Some(samples) = &mut self.samples {
            self.recogniser.push(&samples.of(payload), &mut self.marks);
        }
        self.ack();
        let received = self.received();
        if let Some(player) = self.recogniser.script() {
            let sends = player.audio(received);
            self.scripted(sends);
        }
        if self.is_over() {
            return Ok(PacketKind::Audio);
        }
        if is_last {
            return self.finish(now);
        }
        if !self.options.wall_lag {
            let known = self.lag.known(received);
            self.respond(known, true);
        } else {
            self.answer_later(now);
            if self.answers.endpoint != Endpoint::Async {
                // One answer for each packet, with what may be known by now.
                self.respond(0, true);
            }
        }
        Ok(PacketKind::Audio)
    }

    /// By the wall clock: answers what has come by now when the lag is over, in order.
    fn answer_later(&mut self, now: Instant) {
        let received = self.received();
        let due = now + self.lag.at(received);
        let before = self.unanswered.back();
        let due = before.map_or(due, |(before, _)| due.max(*before));
        self.unanswered.push_back((due, received));
    }

    fn finish(&mut self, now: Instant) -> Result<PacketKind, Refusal> {
        if self.audio_bytes == 0 {
            return Err((codes::EMPTY, "empty audio".to_owned()));
        }
        self.phase = Phase::Finishing;
        self.recogniser.finish(&mut self.marks);
        if let Some(player) = self.recogniser.script() {
            match player.finish() {
                Some(sends) => self.scripted(sends),
                None => self.conclude(),
            }
        } else if self.options.wall_lag {
            self.answer_later(now);
        } else {
            self.conclude();
        }
        Ok(PacketKind::Finish)
    }
}
