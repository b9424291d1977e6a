//! Answers of a session: the ack, interim results, the final response.

use super::{Out, Phase, Session};
use crate::{
    options::{Endpoint, Oddity},
    scripted::Send,
    service::Gate,
    transcript::News,
};

impl Session {
    pub(super) fn ack(&mut self) {
        if self.ack_by.take().is_none() {
            return;
        }
        let player = self.recogniser.script();
        let scripted = player.map(|player| player.ack()).unwrap_or_default();
        if !scripted.is_empty() {
            return self.scripted(scripted);
        }
        let sequence = (self.answers.endpoint != Endpoint::Async).then(|| self.number());
        self.out.push_back(Out::Response {
            gate: Gate::Ack,
            sequence,
            json: self.answers.ack(),
        });
    }

    fn number(&mut self) -> i32 {
        self.counter += 1;
        self.counter - 1
    }

    /// Whether `audio_info.duration` is ahead of the text, as recorded. By the wall clock it is
    /// not: there a fast client's audio would be ahead of the text by any time, and at most 1168 ms
    /// are recorded.
    fn duration_is_all_received(&self) -> bool {
        let ahead = self.answers.endpoint == Endpoint::Bigmodel || !self.lag.is_exact();
        ahead && !self.options.wall_lag
    }

    /// Responds with what is known up to `position`; `packet`: it is the answer to a packet.
    pub(super) fn respond(&mut self, position: i64, packet: bool) {
        let received = self.received();
        let all_received = self.duration_is_all_received();
        let Some(transcript) = &mut self.transcript else {
            return;
        };
        if self.recogniser.script().is_some() {
            return;
        }
        self.recogniser.update(transcript, position);
        if all_received {
            let worked = self.recogniser.worked().unwrap_or(i64::MAX);
            transcript.duration = transcript.duration.max(received.min(worked));
        }
        let endpoint = self.answers.endpoint;
        let every = i64::try_from(self.options.answer_every.as_millis()).unwrap_or(i64::MAX);
        let early = every > 0 && position < self.answered.saturating_add(every);
        let is_silent = match endpoint {
            Endpoint::Async => early,
            Endpoint::Bigmodel | Endpoint::Nostream => !packet,
        };
        if is_silent {
            return;
        }
        let news = transcript.news();
        let mut blank = None;
        let json = match endpoint {
            Endpoint::Async if news == News::Nothing => return,
            // Documented: no text before 15 s of audio or the last packet.
            Endpoint::Nostream if transcript.position < 15_000 => {
                self.answers.empty(transcript.position)
            }
            _ => {
                let blanks = self.options.has(Oddity::Blank);
                blank = blanks.then(|| self.answers.blank(self.answered));
                self.answers.answer(transcript, news == News::Prefetch)
            }
        };
        self.answered = position;
        blank.into_iter().for_each(|blank| self.answer(blank));
        self.answer(json);
    }

    fn answer(&mut self, json: String) {
        let sequence = Some(self.number());
        self.out.push_back(Out::Response {
            gate: Gate::Responses,
            sequence,
            json,
        });
    }

    /// The final response, if the recogniser has said all.
    pub(super) fn conclude(&mut self) {
        let received = self.received();
        let Some(transcript) = &mut self.transcript else {
            return;
        };
        if !self.recogniser.update(transcript, received) {
            self.respond(received, false);
            return;
        }
        transcript.finish();
        let json = self.answers.answer(transcript, false);
        self.last(json);
    }

    fn last(&mut self, json: String) {
        self.over();
        self.out.push_back(Out::Response {
            gate: Gate::Final,
            sequence: Some(self.counter),
            json,
        });
        self.out.push_back(Out::Close(1000));
    }

    pub(super) fn scripted(&mut self, sends: Vec<Send>) {
        for send in sends {
            match send {
                Send::Json(json) => self.answer(json),
                Send::Last(json) => self.last(json),
                Send::Frame(bytes) => self.out.push_back(Out::Binary(bytes)),
                Send::Text(text) => self.out.push_back(Out::Text(text)),
                Send::Error(code, body) => self.fail_with(code, body),
                Send::Close(code) => {
                    self.phase = Phase::Over;
                    self.out.push_back(Out::Close(code));
                }
            }
        }
    }
}
