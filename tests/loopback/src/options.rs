//! The settings of a service.

use crate::{fault::Fault, lag::Lag, scripted::Script, tls::Identity};
use std::time::Duration;

/// The resource ids that exist; any other is refused with 400.
pub(crate) const RESOURCES: [&str; 4] = [
    "volc.seedasr.sauc.duration",
    "volc.seedasr.sauc.concurrent",
    "volc.bigasr.sauc.duration",
    "volc.bigasr.sauc.concurrent",
];

/// How the service behaves. [`Default`] is the service as it is known; each field says what may
/// differ.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 for a free one.
    pub port: u16,
    /// App and access keys that are accepted together.
    pub pairs: Vec<(String, String)>,
    /// API keys that are accepted.
    pub api_keys: Vec<String>,
    /// Resource ids that the account has bought; any other that exists is refused with 403.
    pub granted_resources: Vec<String>,
    /// Sessions at a time; more get the 101 and then error 45000292 `quota exceeded for types:
    /// concurrency`.
    pub max_sessions: Option<usize>,
    /// Sessions ever; more get 45000292 `quota exceeded for types: audio_duration_lifetime`.
    pub lifetime_sessions: Option<usize>,
    /// Without a packet for so long the session ends with 45000081. Pings do not count.
    pub idle_timeout: Duration,
    /// How far answers lag behind the audio.
    pub lag: Lag,
    /// Seed of the jitter. Each connection's lags follow from it and from the connection's number.
    pub seed: u64,
    /// By which clock.
    pub lag_clock: LagClock,
    /// Compress answers, as is documented; recorded traffic shows them uncompressed.
    pub gzip_answers: bool,
    /// On `bigmodel_async`: so much audio at least from one answer to the next. For long streams,
    /// whose answers are long.
    pub answer_every: Duration,
    /// Each utterance, when first told, says in its `additions` when that was: `told_at`, Unix time
    /// in nanoseconds.
    pub told_at: bool,
    /// Time from one ping of the service to the next. Pings of clients do not count as packets.
    pub ping_interval: Duration,
    /// The recogniser that turns audio into words.
    pub recogniser: Recogniser,
    /// The oddities of its answers.
    pub quirks: Quirks,
    /// Says on stderr what each connection did, a line each. Credentials are left out.
    pub log: bool,
    /// Faults to inject.
    pub faults: Vec<Fault>,
    /// Serve TLS with this certificate.
    pub tls: Option<Identity>,
    /// Keep all audio in [`Connection::pcm`](crate::Connection::pcm).
    pub record_audio: bool,
    /// Keep [`Connection::frames`](crate::Connection::frames), `responses` and `heard`. Off for
    /// thousands of long sessions.
    pub record_frames: bool,
    /// Keep also each packet as it came, in [`ClientFrame::bytes`](crate::ClientFrame::bytes).
    pub record_bytes: bool,
    /// The kernel's receive buffer of each connection, so that a client's writes block soon when
    /// the service hangs.
    pub receive_buffer: Option<u32>,
    /// Threads of the service.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            pairs: vec![("app-1".into(), "secret-access-key".into())],
            api_keys: vec!["secret-api-key".into()],
            granted_resources: RESOURCES.map(String::from).to_vec(),
            max_sessions: None,
            lifetime_sessions: None,
            idle_timeout: Duration::from_secs(8),
            lag: Lag::RECORDED,
            seed: 0,
            lag_clock: LagClock::Audio,
            gzip_answers: false,
            answer_every: Duration::ZERO,
            told_at: false,
            ping_interval: Duration::from_secs(5),
            recogniser: Recogniser::Marks { spikes: false },
            quirks: Quirks::default(),
            log: false,
            faults: Vec::new(),
            tls: None,
            record_audio: true,
            record_frames: true,
            record_bytes: false,
            receive_buffer: None,
            threads: 1,
        }
    }
}

/// The clock by which answers lag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LagClock {
    /// Positions in the audio: an answer covers what came until `lag` before the latest sample,
    /// however fast it came. At real time this is the same as [`Wall`](Self::Wall); tests that send
    /// faster stay fast.
    Audio,
    /// Time: an answer comes `lag` after the audio that it covers.
    Wall,
}

/// The recogniser: it turns audio into words.
#[derive(Clone, Debug)]
pub enum Recogniser {
    /// No word is ever recognised.
    Silent,
    /// Reads [`marks`](crate::marks) out of the samples. With `spikes`, words have times of 80 ms
    /// inside the mark, from 100 ms after its start, as the live service times words within longer
    /// sounds.
    Marks {
        /// Word times of 80 ms.
        spikes: bool,
    },
    /// Answers from a script.
    Scripted(Script),
    /// GStreamer's `pocketsphinx` element: real, if imperfect, English speech recognition.
    Pocketsphinx,
}

/// The oddities of answers. The default has what was seen in recorded traffic or reported by users,
/// at moments that are modelled; the fields say what else may be.
#[derive(Clone, Debug, Default)]
pub struct Quirks {
    /// Without the oddities that are recorded, which are these:
    ///
    /// - A new utterance's start, and its last word's times, come 140 ms late at first, and are put
    ///   right by the next answer. Each fifth answer leaves the open utterance's `start_time` out.
    /// - The same text comes again with `prefetch` or `last_stream_duration`, once for each open
    ///   utterance, when it has been quiet for 200 ms.
    /// - `{"definite":false,"start_time":-1,"end_time":-1,"text":""}` ends the list when nothing is
    ///   open.
    /// - Words of one space with −1 for both times stand between the words.
    /// - An open utterance's end lies 1 ms past the duration when the sound reaches to it.
    /// - With two-pass: a definite utterance has no `start_time`, and its end is 60 ms later than
    ///   before.
    pub exact: bool,
    /// With two-pass and `result_type` `single`: a definite utterance has no `words` either.
    pub second_pass_without_words: bool,
    /// An empty definite utterance follows each definite one.
    pub empty_definite: bool,
    /// `result` is a list of one, as documented; recorded traffic shows an object.
    pub result_list: bool,
    /// Only `text`, never utterances.
    pub text_only: bool,
    /// `text` begins anew with each utterance, and has only the current one.
    pub text_resets: bool,
    /// Before each answer a blank one comes: `{}`, `{"result":{}}`, or with an empty text and the
    /// position of the last answer as its duration, in turn.
    pub blank_responses: bool,
    /// The ack is sent only when the first audio has come, or after a second without any.
    pub late_ack: bool,
    /// `audio.rate` 24000 is refused with 45000151.
    pub refuse_24000: bool,
    /// Audio at 24000 is taken for 16000: all times and durations are half as long again.
    pub misread_24000: bool,
    /// With two-pass: audio from the pause to the second pass. Until then the utterance is not
    /// definite.
    pub second_pass_delay: Duration,
    /// With two-pass: each second utterance's second pass comes before that of the utterance before
    /// it.
    pub second_pass_out_of_order: bool,
    /// An open utterance's case and punctuation change from answer to answer.
    pub revised_text: bool,
    /// Answers that settle nothing leave out, in turn, `audio_info`, `text`, and the open
    /// utterance's `words`.
    pub absent_fields: bool,
    /// The bodies of errors are, in turn, `{"error":…}`, plain text, and `{"message":…}`.
    pub error_bodies: bool,
    /// Refusals are chunked, without a length.
    pub chunked_refusals: bool,
}

impl Quirks {
    /// An exact service, as one would wish it.
    #[must_use]
    pub fn none() -> Self {
        Self {
            exact: true,
            ..Self::default()
        }
    }
}

/// The three URIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `bigmodel_async`: an unnumbered ack, then an answer whenever the result changes.
    Async,
    /// `bigmodel`: one answer for every packet.
    Bigmodel,
    /// `bigmodel_nostream`: one answer for every packet, without text until 15 s of audio or the
    /// last packet.
    Nostream,
}

impl Endpoint {
    /// The path of its URI.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Async => "/api/v3/sauc/bigmodel_async",
            Self::Bigmodel => "/api/v3/sauc/bigmodel",
            Self::Nostream => "/api/v3/sauc/bigmodel_nostream",
        }
    }

    pub(crate) fn of_path(path: &str) -> Option<Self> {
        // The same service for keys of another plan.
        let path = path.replacen("/api/v3/plan/", "/api/v3/", 1);
        [Self::Async, Self::Bigmodel, Self::Nostream]
            .into_iter()
            .find(|e| e.path() == path)
    }
}
