//! Answers of a session: the ack, interim results, the final response, errors.

use super::{MAX_ERRORS, Out, Phase, Session};
use crate::{
    options::{Endpoint, Oddity},
    pocketsphinx::Listener,
    request::Refusal,
    scripted::{At, Send},
    service::Gate,
    transcript::{News, milliseconds},
};

impl Session {
    pub(super) fn ack(&mut self) {
        if self.ack_by.take().is_none() {
            return;
        }
        let scripted = self.script.as_mut().map(|script| script.until(At::Ack));
        if let Some(scripted) = scripted.filter(|scripted| !scripted.is_empty()) {
            return self.scripted(scripted);
        }
        let json = self.answers.ack();
        match self.answers.endpoint {
            Endpoint::Async => self.response(Gate::Ack, None, json),
            Endpoint::Bigmodel | Endpoint::Nostream => self.numbered(Gate::Ack, json),
        }
    }

    fn numbered(&mut self, gate: Gate, json: String) {
        self.response(gate, Some(self.counter), json);
        self.counter += 1;
    }

    fn response(&mut self, gate: Gate, sequence: Option<i32>, json: String) {
        self.out.push_back(Out::Response(gate, sequence, json));
    }

    /// Brings the transcript up to what is known of the audio up to `position`; true once nothing
    /// more can come.
    fn update(&mut self, position: i64) -> bool {
        let Some(transcript) = &mut self.transcript else {
            return false;
        };
        if let Some(marks) = &mut self.reader {
            marks.until(position).for_each(|word| transcript.word(word));
        }
        // Before its words are taken: those of an end that comes meanwhile are not forgotten.
        let worked = self.listener.as_ref().and_then(Listener::worked);
        if let Some(listener) = &self.listener {
            listener.update(transcript);
        }
        transcript.advance(worked.map_or(position, |worked| worked.min(position)));
        worked.is_none()
    }

    /// Responds with what is known up to `position`; `packet`: it is the answer to a packet.
    pub(super) fn respond(&mut self, position: i64, packet: bool) {
        if self.script.is_some() {
            return;
        }
        self.update(position);
        let received = self.received();
        let endpoint = self.answers.endpoint;
        let Some(transcript) = &mut self.transcript else {
            return;
        };
        // `audio_info.duration` is ahead of the text, as recorded. By the wall clock it is not:
        // there a fast client's audio would be ahead of the text by any time, and at most 1168 ms
        // are recorded.
        let is_ahead = endpoint == Endpoint::Bigmodel || !self.lag.is_exact();
        if is_ahead && !self.options.wall_lag {
            let worked = self.listener.as_ref().and_then(Listener::worked);
            let duration = received.min(worked.unwrap_or(i64::MAX));
            transcript.duration = transcript.duration.max(duration);
        }
        let every = milliseconds(self.options.answer_every);
        let is_silent = match endpoint {
            Endpoint::Async => every > 0 && position < self.answered.saturating_add(every),
            Endpoint::Bigmodel | Endpoint::Nostream => !packet,
        };
        if is_silent {
            return;
        }
        let news = transcript.news();
        if endpoint == Endpoint::Async && news.is_none() {
            return;
        }
        let mut blank = None;
        // Documented: no text before 15 s of audio or the last packet.
        let json = if endpoint == Endpoint::Nostream && transcript.position < 15_000 {
            self.answers.empty(transcript.position)
        } else {
            let blanks = self.options.has(Oddity::Blank);
            blank = blanks.then(|| self.answers.blank(self.answered));
            self.answers
                .answer(transcript, news == Some(News::Prefetch))
        };
        self.answered = position;
        for json in blank.into_iter().chain([json]) {
            self.numbered(Gate::Responses, json);
        }
    }

    /// The final response, if the recogniser has said all.
    pub(super) fn conclude(&mut self) {
        let received = self.received();
        if !self.update(received) {
            return self.respond(received, false);
        }
        if let Some(transcript) = &mut self.transcript {
            transcript.finish();
            let json = self.answers.answer(transcript, false);
            self.last(json);
        }
    }

    fn last(&mut self, json: String) {
        self.over();
        self.response(Gate::Final, Some(self.counter), json);
        self.out.push_back(Out::Close(1000));
    }

    pub(super) fn scripted(&mut self, sends: Vec<Send>) {
        for send in sends {
            match send {
                Send::Json(json) => self.numbered(Gate::Responses, json),
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

    /// Ends the session with an error frame that says this.
    pub(super) fn fail(&mut self, (code, text): &Refusal) {
        if self.errors >= MAX_ERRORS {
            return;
        }
        self.errors += 1;
        // From one connection to the next, too: most have one error.
        let form = match self.options.has(Oddity::ErrorBodies) {
            true => (self.errors + self.number) % 3,
            false => 0,
        };
        let body = match form {
            1 => text.clone(),
            2 => serde_json::json!({ "message": text }).to_string(),
            _ => serde_json::json!({ "error": text }).to_string(),
        };
        self.fail_with(*code, body);
    }

    /// Ends the session with an error frame of exactly this body.
    pub(crate) fn fail_with(&mut self, code: u32, body: String) {
        self.out.push_back(Out::Error(code, body));
        self.over();
    }

    fn over(&mut self) {
        self.phase = Phase::Over;
        (self.reader, self.listener, self.script) = (None, None, None);
        self.unanswered.clear();
    }
}
