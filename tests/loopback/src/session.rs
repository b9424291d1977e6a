//! One session: packets in, answers out. No socket; time comes in as a value.

mod accept;
mod respond;

use crate::{
    answer::Answers,
    audio::Samples,
    codes,
    frame::{self, AUDIO, ClientFrame, REQUEST},
    lag::SessionLag,
    marks::FoundMark,
    options::{Endpoint, Oddity, Options},
    recogniser::SessionRecogniser,
    request::Refusal,
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
#[derive(Clone, Debug)]
pub(crate) enum Out {
    Response {
        /// The gate tells its kind.
        gate: Gate,
        sequence: Option<i32>,
        json: String,
    },
    Error {
        code: u32,
        body: String,
    },
    Binary(Vec<u8>),
    Text(String),
    Close(u16),
}

/// The kind of a packet that was read.
#[derive(Debug)]
pub(crate) enum PacketKind {
    /// A good request.
    Request,
    /// Audio that was taken.
    Audio,
    /// The finish, with what audio it carried.
    Finish,
    /// Nothing, or a mistake.
    Nothing,
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
    recogniser: SessionRecogniser,
    /// The ack is due: with the first audio, but not later than this, as clients may wait for it.
    ack_by: Option<Instant>,
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
        self.samples
            .iter()
            .try_for_each(|samples| write!(f, ", {samples}"))
    }
}

impl Session {
    pub(crate) fn new(
        options: Arc<Options>,
        endpoint: Endpoint,
        log_id: String,
        number: usize,
        refusal: Option<String>,
    ) -> Self {
        Self {
            answers: Answers::new(endpoint, log_id, options.clone()),
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
            recogniser: SessionRecogniser::Silent,
            ack_by: None,
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

    /// Whether reading should wait for the recogniser.
    pub(crate) fn is_full(&self) -> bool {
        self.recogniser.is_full()
    }

    /// Returns the notification to wait for beside packets and time.
    pub(crate) fn notify(&self) -> Option<Arc<Notify>> {
        self.recogniser.notify()
    }

    /// Takes one packet. The frame comes back with its payload, for the record, when it could be
    /// decoded.
    pub(crate) fn packet(
        &mut self,
        bytes: &[u8],
        now: Instant,
    ) -> (PacketKind, Option<(ClientFrame, Vec<u8>)>) {
        self.idle_since = now;
        self.packets = self.packets.saturating_add(1);
        let (frame, payload) = match frame::decode(bytes, now.into()) {
            Ok(frame) => frame,
            Err(error) => {
                if !self.is_over() {
                    self.decode_error(&error);
                }
                return (PacketKind::Nothing, None);
            }
        };
        let sign = if frame.is_last() { -1 } else { 1 };
        let expected = sign * self.packets;
        let packet = match frame.sequence.filter(|&number| number != expected) {
            Some(number) => {
                self.decode_error(&format!(
                    "unable to decode V1 protocol message: autoAssignedSequence ({expected}) \
                     mismatch sequence in request ({number})"
                ));
                PacketKind::Nothing
            }
            None if self.is_over() => PacketKind::Nothing,
            None => self
                .numbered(&frame, &payload, now)
                .unwrap_or_else(|(code, text)| {
                    self.fail(code, &text);
                    PacketKind::Nothing
                }),
        };
        (packet, Some((frame, payload)))
    }

    /// Takes a packet whose number is right.
    fn numbered(
        &mut self,
        frame: &ClientFrame,
        payload: &[u8],
        now: Instant,
    ) -> Result<PacketKind, Refusal> {
        let (code, text) = match (frame.message_type, self.phase) {
            (REQUEST, Phase::Request) => return self.request(payload, frame.is_last(), now),
            (AUDIO, Phase::Audio) => return self.audio(payload, frame.is_last(), now),
            (AUDIO, Phase::Request) => (
                codes::NO_REQUEST,
                "payload unmarshal: no request object before data",
            ),
            (AUDIO, _) => (codes::PACKET, "packet after the last packet"),
            _ => (
                codes::PARAMETERS,
                "invalid parameters: repeated request object",
            ),
        };
        Err((code, text.to_owned()))
    }

    /// A message that is no binary one.
    pub(crate) fn text_message(&mut self) {
        if !self.is_over() {
            self.decode_error("not a binary message");
        }
    }

    /// Ends the session with an error frame that says this.
    fn fail(&mut self, code: u32, text: &str) {
        self.errors += 1;
        // From one connection to the next, too: most have one error.
        let form = match self.options.has(Oddity::ErrorBodies) {
            true => (self.errors + self.number) % 3,
            false => 0,
        };
        let body = match form {
            1 => text.to_owned(),
            2 => serde_json::json!({ "message": text }).to_string(),
            _ => serde_json::json!({ "error": text }).to_string(),
        };
        self.fail_with(code, body);
    }

    /// Ends the session with an error frame of exactly this body.
    pub(crate) fn fail_with(&mut self, code: u32, body: String) {
        self.out.push_back(Out::Error { code, body });
        self.over();
    }

    fn over(&mut self) {
        self.phase = Phase::Over;
        self.recogniser = SessionRecogniser::Silent;
        self.unanswered.clear();
    }

    fn decode_error(&mut self, text: &str) {
        if self.errors < MAX_ERRORS {
            self.fail(codes::PACKET, &format!("decode ws request failed: {text}"));
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
        [self.idle_end(), unanswered, self.ack_by]
            .into_iter()
            .flatten()
            .min()
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
            self.fail(codes::TIMEOUT, &text);
        }
        // A script has said what it has to say.
        let is_scripted = self.recogniser.script().is_some();
        match self.phase {
            Phase::Audio if self.notify().is_some() && !self.options.wall_lag => {
                let known = self.lag.known(self.received());
                self.respond(known, false);
            }
            Phase::Finishing if self.unanswered.is_empty() && !is_scripted => self.conclude(),
            _ => {}
        }
    }
}
