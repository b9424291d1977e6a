//! The settings of a service: arguments of the program, and what only tests set.

use crate::{fault::Fault, lag::Lag, scripted::Script, tls::Identity};
use clap::{Parser, ValueEnum, builder::ArgPredicate};
use std::time::Duration;

/// The resource ids that exist; any other is refused with 400.
pub(crate) const RESOURCES: [&str; 4] = [
    "volc.seedasr.sauc.duration",
    "volc.seedasr.sauc.concurrent",
    "volc.bigasr.sauc.duration",
    "volc.bigasr.sauc.concurrent",
];

/// How the service behaves. The docs of fields that are arguments are the program's help.
#[derive(Clone, Debug, Parser)]
#[command(about = crate::cli::ABOUT)]
pub struct Options {
    /// The recogniser that turns audio into words
    #[arg(long, value_enum, default_value_t = Recogniser::Pocketsphinx)]
    pub recogniser: Recogniser,
    /// The script of `--recogniser scripted`: JSON, as docs/loopback.md describes it
    #[arg(long, value_name = "FILE", value_parser = Script::read)]
    #[arg(required_if_eq("recogniser", "scripted"))]
    pub script: Option<Script>,
    /// Port on 127.0.0.1; 0: a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// App keys that are accepted, by commas, together with any of the access keys
    #[arg(long = "app-key", value_name = "KEY", value_delimiter = ',')]
    #[arg(default_value = "app-1")]
    pub app_keys: Vec<String>,
    /// Access keys that are accepted, by commas
    #[arg(long = "access-key", value_name = "KEY", value_delimiter = ',')]
    #[arg(default_value = "secret-access-key")]
    pub access_keys: Vec<String>,
    /// API keys that are accepted, by commas
    #[arg(long = "api-key", value_name = "KEY", value_delimiter = ',')]
    #[arg(default_value = "secret-api-key")]
    pub api_keys: Vec<String>,
    /// Resource ids that are granted, by commas; other known ones are refused with 403
    #[arg(long, value_name = "ID", value_delimiter = ',', default_values = RESOURCES)]
    pub granted: Vec<String>,
    /// Sessions at a time; more get the 101, then error 45000292
    #[arg(long)]
    pub max_sessions: Option<usize>,
    /// Sessions in all; more get error 45000292 with a lifetime quota
    #[arg(long)]
    pub lifetime_sessions: Option<usize>,
    /// Time without a packet after which error 45000081 ends a session; pings do not count
    #[arg(long, value_parser = time, default_value = "8s")]
    pub idle_timeout: Duration,
    /// How far answers lag behind the audio: a range, or exactly; 400ms with --exact
    #[arg(long, value_name = "TIME[..TIME]", default_value = "368ms..1168ms")]
    #[arg(default_value_if("exact", ArgPredicate::IsPresent, "400ms"))]
    pub lag: Lag,
    /// Seed of the lag's jitter; seed and number of a connection decide its lags
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Measure the lag by time, not by position in the audio
    #[arg(long)]
    pub wall_lag: bool,
    /// Audio, at least, from one answer to the next (bigmodel_async)
    #[arg(long, value_parser = time, default_value = "0s")]
    pub answer_every: Duration,
    /// Say in each utterance's additions when it was first sent: sent_at, Unix time in ns
    #[arg(long)]
    pub sent_at: bool,
    /// Oddities to switch on, by commas: those that are not the default
    #[arg(long = "oddity", value_name = "ODDITY", value_delimiter = ',')]
    pub oddities: Vec<Oddity>,
    /// Switch off the oddities that are on by default
    #[arg(long)]
    pub exact: bool,
    /// Audio from the pause to the second pass (enable_nonstream)
    #[arg(long, value_parser = time, default_value = "0s")]
    pub second_pass_delay: Duration,
    /// Faults to inject, with their moments; see below
    #[arg(long = "fault", value_name = "FAULT", value_delimiter = ',')]
    pub faults: Vec<Fault>,
    /// Threads; more than one for many sessions
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Serve TLS with this certificate.
    #[arg(skip)]
    pub tls: Option<Identity>,
    /// Time from one ping of the service to the next.
    #[arg(skip = Duration::from_secs(5))]
    pub ping_interval: Duration,
    /// Write a line on stderr for what each connection did. Credentials are left out.
    #[arg(skip)]
    pub log: bool,
    /// Keep all audio in [`Connection::pcm`](crate::Connection::pcm).
    #[arg(skip = true)]
    pub record_audio: bool,
    /// Keep [`Connection::frames`](crate::Connection::frames), `responses` and `marks`. Off for
    /// thousands of long sessions.
    #[arg(skip = true)]
    pub record_frames: bool,
    /// The kernel's receive buffer of each connection, so that a client's writes block soon when
    /// the service hangs.
    #[arg(skip)]
    pub receive_buffer: Option<u32>,
}

impl Default for Options {
    /// The defaults of the program, but with the recogniser of marks and a record.
    fn default() -> Self {
        Self::parse_from(["", "--recogniser=marks"])
    }
}

impl Options {
    pub(crate) fn has(&self, oddity: Oddity) -> bool {
        self.oddities.contains(&oddity)
    }
}

fn time(text: &str) -> Result<Duration, &'static str> {
    crate::fault::duration(text).ok_or("a time such as 8s or 400ms is needed")
}

/// The recogniser: it turns audio into words. A script answers in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Recogniser {
    /// Real English speech, by GStreamer's element of that name
    Pocketsphinx,
    /// Numbers that are read out of the samples of a generated sound
    Marks,
    /// Marks with word times of 80 ms inside them
    Spikes,
    /// Answers from a file
    Scripted,
    /// No word is recognised
    Silent,
}

impl Recogniser {
    /// The recogniser of marks, with either kind of word times.
    pub fn marks(spikes: bool) -> Self {
        if spikes { Self::Spikes } else { Self::Marks }
    }
}

/// An oddity of the service that is not switched on by default.
///
/// Those that are on without [`Options::exact`] were seen in recorded traffic or reported by users;
/// their moments are modelled:
///
/// - A new utterance's start, and its last word's times, come 140 ms late at first; the next answer
///   corrects them. Each fifth answer leaves the open utterance's `start_time` out.
/// - The same text comes again with `prefetch` or `last_stream_duration`, once for each open
///   utterance, when nothing has changed for 200 ms.
/// - `{"definite":false,"start_time":-1,"end_time":-1,"text":""}` ends the list when no utterance
///   is open.
/// - Words of one space with −1 for both times stand between the words.
/// - An open utterance's end lies 1 ms past the duration when the sound reaches to it.
/// - With two-pass: a definite utterance has no `start_time`, and its end is 60 ms later than
///   before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Oddity {
    /// 24000 Hz is refused with 45000151
    #[value(name = "refuse-24000")]
    Refuse24000,
    /// 24000 Hz is taken for 16000: all times are half as long again
    #[value(name = "misread-24000")]
    Misread24000,
    /// Each second utterance's second pass comes before that of the utterance before it
    OutOfOrder,
    /// Definite utterances of the second pass have no words (result_type single)
    SecondPassWithoutWords,
    /// Never utterances, only text
    TextOnly,
    /// `text` begins anew with each utterance
    TextResets,
    /// A blank response before each answer: `{}`, an empty result, or an empty text, in turn
    Blank,
    /// An empty definite utterance after each definite one
    EmptyDefinite,
    /// The ack comes after the first audio, or after a second without any
    LateAck,
    /// `result` is a list, as documented
    ResultList,
    /// Case and punctuation of an open utterance change from answer to answer
    RevisedText,
    /// Answers without a new definite utterance lack, in turn, `audio_info`, `text`, and the open
    /// utterance's `words`
    AbsentFields,
    /// Errors are, in turn, JSON with `error`, plain text, and JSON with `message`
    ErrorBodies,
    /// Refusals are chunked, without a length
    ChunkedRefusals,
    /// Answers are compressed, as documented
    Gzip,
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
        let mut all = [Self::Async, Self::Bigmodel, Self::Nostream].into_iter();
        all.find(|endpoint| endpoint.path() == path)
    }
}
