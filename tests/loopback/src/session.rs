//! One session: packets in, answers out. No socket; time comes in as a value.

mod respond;

use crate::{
    answer::Answers,
    audio::Samples,
    codes,
    frame::{self, AUDIO, ClientFrame, REQUEST},
    lag::SessionLag,
    marks::FoundMark,
    options::{Endpoint, Oddity, Options, Recogniser},
    pocketsphinx::Listener,
    recogniser::Marks,
    request::{self, RATES, Refusal},
    scripted::{At, Player},
    service::Gate,
    transcript::Transcript,
};
use serde_json::Value;
use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};
use tokio::{sync::Notify, time::Instant};

/// Upper bound on the errors of a session, most of which answer misnumbered packets after the end:
/// they fill no socket.
const MAX_ERRORS: usize = 4;

/// How long a late ack waits for audio.
const LATE_ACK: Duration = Duration::from_secs(1);

/// How far the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Request,
    Audio,
    /// The finish came; the recogniser is still at work, or the lag runs.
    Finishing,
    /// After an error frame or the final response.
    Over,
}

/// Something to send.
#[derive(Debug, PartialEq)]
pub(crate) enum Out {
    /// A response, with its number and JSON. The gate tells its kind.
    Response(Gate, Option<i32>, String),
    Error(u32, String),
    Binary(Vec<u8>),
    Text(String),
    Close(u16),
}

/// The kind of a packet that was taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PacketKind {
    Request,
    Audio,
    /// The finish, with what audio it carried.
    Finish,
}

pub(crate) struct Session {
    options: Arc<Options>,
    number: usize,
    phase: Phase,
    /// A refusal known since the upgrade. It comes instead of the ack.
    refusal: Option<String>,
    packets: i32,
    /// The number of the next answer.
    counter: i32,
    /// Bytes of audio that came, in any format.
    pub(crate) audio_bytes: u64,
    samples: Option<Samples>,
    pub(crate) request_json: Option<Value>,
    pub(crate) marks: Vec<FoundMark>,
    pub(crate) out: VecDeque<Out>,
    answers: Answers,
    lag: SessionLag,
    /// The position of the last answer, in milliseconds.
    answered: i64,
    transcript: Option<Transcript>,
    /// The recogniser: marks, pocketsphinx, or neither.
    reader: Option<Marks>,
    listener: Option<Listener>,
    /// The script that answers in the recogniser's place.
    script: Option<Player>,
    /// The ack is due: with the first audio, but not later than this, as clients may wait for it.
    ack_by: Option<Instant>,
    /// Notifies of results that come without a packet.
    pub(crate) news: Arc<Notify>,
    idle_since: Instant,
    errors: usize,
    /// By the wall clock: what had come, and when it may be answered. The last is the finish's.
    unanswered: VecDeque<(Instant, i64)>,
}

impl fmt::Display for Session {
    /// The endpoint and the audio that was announced.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.answers.endpoint.path();
        f.write_str(path.rsplit('/').next().unwrap_or(path))?;
        let mut samples = self.samples.iter();
        samples.try_for_each(|samples| write!(f, ", {samples}"))
    }
}

/// A packet that can't be decoded.
fn undecodable(text: &str) -> Refusal {
    (codes::PACKET, format!("decode ws request failed: {text}"))
}

impl Session {
    pub(crate) fn new(
        options: Arc<Options>,
        endpoint: Endpoint,
        log_id: String,
        number: usize,
        refusal: Option<String>,
    ) -> Self {
        let script = options.script.as_ref();
        Self {
            script: script.map(|script| Player::new(script, number)),
            answers: Answers {
                endpoint,
                log_id,
                options: options.clone(),
                count: 0,
                blanks: 0,
            },
            lag: SessionLag::new(options.lag, options.seed, number),
            answered: 0,
            options,
            number,
            phase: Phase::Request,
            refusal,
            packets: 0,
            counter: 1,
            audio_bytes: 0,
            samples: None,
            request_json: None,
            marks: Vec::new(),
            out: VecDeque::new(),
            transcript: None,
            reader: None,
            listener: None,
            ack_by: None,
            news: Arc::default(),
            idle_since: Instant::now(),
            errors: 0,
            unanswered: VecDeque::new(),
        }
    }

    /// Milliseconds of audio that have come, as the service counts them.
    pub(crate) fn received(&self) -> i64 {
        self.samples.as_ref().map_or(0, Samples::received)
    }

    /// Whether an error frame or the final response has ended it.
    pub(crate) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Whether more audio should wait.
    pub(crate) fn is_full(&self) -> bool {
        self.listener.as_ref().is_some_and(Listener::is_full)
    }

    /// Takes one packet. The frame comes back with its payload, for the record, when it could be
    /// decoded.
    pub(crate) fn packet(
        &mut self,
        bytes: &[u8],
        now: Instant,
    ) -> (Option<PacketKind>, Option<(ClientFrame, Vec<u8>)>) {
        self.idle_since = now;
        self.packets = self.packets.saturating_add(1);
        let decoded = frame::decode(bytes, now.into());
        let taken = match &decoded {
            Ok((frame, payload)) => self.take(frame, payload, now),
            Err(_) if self.is_over() => Ok(None),
            Err(error) => Err(undecodable(error)),
        };
        let kind = taken.unwrap_or_else(|refusal| {
            self.fail(&refusal);
            None
        });
        (kind, decoded.ok())
    }

    fn take(
        &mut self,
        frame: &ClientFrame,
        payload: &[u8],
        now: Instant,
    ) -> Result<Option<PacketKind>, Refusal> {
        let is_last = frame.is_last();
        let expected = if is_last { -self.packets } else { self.packets };
        if let Some(number) = frame.sequence.filter(|&number| number != expected) {
            return Err(undecodable(&format!(
                "unable to decode V1 protocol message: autoAssignedSequence ({expected}) \
                 mismatch sequence in request ({number})"
            )));
        }
        let (code, text) = match (frame.message_type, self.phase) {
            (_, Phase::Over) => return Ok(None),
            (REQUEST, Phase::Request) => return self.request(payload, is_last, now).map(Some),
            (AUDIO, Phase::Audio) => return self.audio(payload, is_last, now).map(Some),
            (AUDIO, Phase::Request) => {
                let text = "payload unmarshal: no request object before data";
                (codes::NO_REQUEST, text)
            }
            (AUDIO, _) => (codes::PACKET, "packet after the last packet"),
            _ => {
                let text = "invalid parameters: repeated request object";
                (codes::PARAMETERS, text)
            }
        };
        Err((code, text.to_owned()))
    }

    fn request(&mut self, json: &[u8], is_last: bool, now: Instant) -> Result<PacketKind, Refusal> {
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
        let request = request::check(&json, rates, self.answers.endpoint == Endpoint::Async)?;
        let rate = match request.rate {
            24_000 if self.options.has(Oddity::Misread24000) => 16_000,
            rate => rate,
        };
        match self.options.recogniser {
            Recogniser::Silent | Recogniser::Scripted => {}
            Recogniser::Marks => self.reader = Some(Marks::new(rate, false)),
            Recogniser::Spikes => self.reader = Some(Marks::new(rate, true)),
            Recogniser::Pocketsphinx => {
                let listener = Listener::new(rate, self.news.clone());
                self.listener = Some(listener.map_err(|text| (codes::INTERNAL, text))?);
            }
        }
        self.samples = Samples::new(&request, rate);
        self.phase = Phase::Audio;
        self.ack_by = Some(now + LATE_ACK);
        if self.samples.is_none() || !self.options.has(Oddity::LateAck) {
            self.ack();
        }
        if self.samples.is_none() {
            // Recorded: the ack comes before this refusal.
            let text = "[Invalid audio format] OperatorWrapper Process failed: unsupported format";
            return Err((codes::FORMAT, format!("{text} {}", request.format)));
        }
        self.transcript = Some(Transcript::new(request, &self.options));
        Ok(PacketKind::Request)
    }

    fn audio(
        &mut self,
        payload: &[u8],
        is_last: bool,
        now: Instant,
    ) -> Result<PacketKind, Refusal> {
        self.audio_bytes += payload.len() as u64;
        if let Some(samples) = &mut self.samples {
            let pcm = samples.of(payload);
            if let Some(marks) = &mut self.reader {
                self.marks.extend(marks.read(&pcm, is_last));
            }
            if let Some(listener) = &mut self.listener {
                listener.push(&pcm, is_last);
            }
        }
        self.ack();
        let received = self.received();
        if let Some(script) = &mut self.script {
            let audio = Duration::from_millis(received.cast_unsigned());
            let sends = script.until(At::Audio(audio));
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
        match self.script.as_mut().map(Player::finish) {
            Some(Some(sends)) => self.scripted(sends),
            None if self.options.wall_lag => self.answer_later(now),
            _ => self.conclude(),
        }
        Ok(PacketKind::Finish)
    }

    /// A message that is no binary one.
    pub(crate) fn text_message(&mut self) {
        if !self.is_over() {
            self.fail(&undecodable("not a binary message"));
        }
    }

    /// When no packet has come for too long.
    fn idle_end(&self) -> Option<Instant> {
        let waits = matches!(self.phase, Phase::Request | Phase::Audio);
        waits.then(|| self.idle_since + self.options.idle_timeout)
    }

    /// When [`tick`](Self::tick) wants to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let unanswered = self.unanswered.front().map(|(at, _)| *at);
        let all = [self.idle_end(), unanswered, self.ack_by];
        all.into_iter().flatten().min()
    }

    /// Time has passed, or the recogniser has news.
    pub(crate) fn tick(&mut self, now: Instant) {
        while let Some(&(_, received)) = self.unanswered.front().filter(|(at, _)| *at <= now) {
            self.unanswered.pop_front();
            if self.phase == Phase::Audio || !self.unanswered.is_empty() {
                self.respond(received, false);
            }
        }
        if self.ack_by.is_some_and(|at| at <= now) {
            self.ack();
        }
        if self.idle_end().is_some_and(|at| at <= now) {
            let text = format!(
                "[Timeout waiting next packet] waiting next packet timeout: {:.6} seconds, \
                 session has ended",
                self.options.idle_timeout.as_secs_f64()
            );
            self.fail(&(codes::TIMEOUT, text));
        }
        match self.phase {
            Phase::Audio if self.listener.is_some() && !self.options.wall_lag => {
                let known = self.lag.known(self.received());
                self.respond(known, false);
            }
            // A script has said what it has to say.
            Phase::Finishing if self.unanswered.is_empty() && self.script.is_none() => {
                self.conclude();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
