//! The program.

use crate::{
    Fault, Lag, LagClock, Options, Quirks, Recogniser, Service,
    fault::duration,
    marks::Layout,
    scripted::Script,
    tls::{Authority, Identity},
};
use clap::{Parser, ValueEnum};
use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode, time::Duration};

const APP_KEY: &str = "app-1";
const ACCESS_KEY: &str = "secret-access-key";
const API_KEY: &str = "secret-api-key";

const FAULTS: &str = "\
FAULTS: --fault WHAT[:ARGUMENT]@WHEN[#N|*], a list by commas or several options.
  WHAT  reset | drop | close:CODE | error:CODE[:BODY] | http:STATUS[:BODY] | hang | delay:TIME |
        trickle:TIME[:COUNT] (one byte each TIME) | no-final | text:TEXT | bytes:HEX (a binary message) |
        raw:HEX (on the socket) | ping:COUNT
  WHEN  accept | handshake | ack | 3s (of audio) | wall:3s (since the connection was accepted) | finish
  #N    on the N-th connection only; *: on every one; neither: once, on the first that gets there
  Examples: reset@3s   http:503@handshake,close:1011@2s   error:45000292@ack   hang@1s   no-final@finish#1

The endpoint follows the path of the URI: /api/v3/sauc/bigmodel_async, /bigmodel, /bigmodel_nostream.
The first line on stdout is the URI. Ctrl-C ends the service.";

/// A v3/sauc speech recognition service on 127.0.0.1, as strict and as odd as the real one is known
/// to be
#[derive(Debug, Parser)]
#[command(name = "loopback", after_help = FAULTS)]
pub struct Arguments {
    /// Port on 127.0.0.1; 0: a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The recogniser that turns audio into words
    #[arg(long, value_enum, default_value_t = RecogniserKind::Pocketsphinx)]
    recogniser: RecogniserKind,
    /// The script of `--recogniser scripted`: JSON, as described in the module `scripted`
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Faults to inject, with their moments; see below
    #[arg(long, value_name = "FAULT", value_delimiter = ',')]
    fault: Vec<Fault>,
    /// App key that is accepted, together with the access key
    #[arg(long, default_value = APP_KEY)]
    app_key: String,
    /// Access key that is accepted
    #[arg(long, default_value = ACCESS_KEY)]
    access_key: String,
    /// API key that is accepted
    #[arg(long, default_value = API_KEY)]
    api_key: String,
    /// Resource ids that are granted, by commas; other known ones are refused with 403. Default:
    /// all four known ones
    #[arg(long, value_delimiter = ',')]
    granted: Vec<String>,
    /// Sessions at a time, then error 45000292
    #[arg(long)]
    max_sessions: Option<usize>,
    /// Sessions ever, then error 45000292 of the other kind
    #[arg(long)]
    lifetime_sessions: Option<usize>,
    /// Without a packet for so long, error 45000081
    #[arg(long, value_parser = time, default_value = "8s")]
    idle_timeout: Duration,
    /// How far answers lag behind the audio: a range, or exactly. Default: 368ms..1168ms; 400ms if
    /// --exact
    #[arg(long, value_name = "TIME[..TIME]")]
    lag: Option<Lag>,
    /// Seed of the lag's jitter; the same seed draws the same lags
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Measure the lag by time, not by position in the audio
    #[arg(long)]
    wall_lag: bool,
    /// Compress answers
    #[arg(long)]
    gzip_answers: bool,
    /// So much audio at least from one answer to the next (bigmodel_async)
    #[arg(long, value_parser = time, default_value = "0s")]
    answer_every: Duration,
    /// Say in each utterance's additions when it is told: told_at, Unix time in ns
    #[arg(long)]
    told_at: bool,
    /// An oddity to switch on, by commas: those that are not the default
    #[arg(long, value_enum, value_delimiter = ',')]
    oddity: Vec<Quirk>,
    /// Switch off the oddities that are on by default
    #[arg(long)]
    exact: bool,
    /// How much audio after the pause the second pass comes (enable_nonstream)
    #[arg(long, value_parser = time, default_value = "0s")]
    second_pass_delay: Duration,
    /// Serve TLS with a certificate made now
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "good")]
    tls: Option<Certificate>,
    /// Write the certificate to trust here, for SSL_CERT_FILE
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca_file: Option<PathBuf>,
    /// Write so many seconds of marks to stdout (S16LE, 24 kHz, mono) and end: food for
    /// `--recogniser marks`
    #[arg(long, value_name = "SECONDS")]
    write_marks: Option<u64>,
    /// Threads; more than one for many sessions
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RecogniserKind {
    /// Real English speech, by GStreamer's element of that name
    Pocketsphinx,
    /// Numbers that are read out of the samples of a generated sound
    Marks,
    /// Marks with word times of 80 ms inside them
    Spikes,
    /// Answers from a file
    Scripted,
    /// Nothing is heard
    Silent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Quirk {
    /// 24000 Hz is refused with 45000151
    #[value(name = "refuse-24000")]
    Refuse24000,
    /// 24000 Hz is taken for 16000
    #[value(name = "misread-24000")]
    Misread24000,
    /// Second passes come out of order
    OutOfOrder,
    /// Never utterances, only text
    TextOnly,
    /// `text` begins anew with each utterance
    TextResets,
    /// Blank responses between the others
    Blank,
    /// The ack comes after the first audio
    LateAck,
    /// Empty definite utterances
    EmptyDefinite,
    /// `result` as a list
    ResultList,
    /// Case and punctuation of what is open change
    RevisedText,
    /// Fields are left out of answers, in turn
    AbsentFields,
    /// Definite utterances of the second pass have no words (result_type single)
    SecondPassWithoutWords,
    /// Errors as JSON, as text, and as other JSON
    ErrorBodies,
    /// Refusals in chunks, without a length
    ChunkedRefusals,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Certificate {
    Good,
    Expired,
    SelfSigned,
    WrongHost,
}

fn time(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| "a time such as 8s or 400ms is needed".to_owned())
}

/// Runs the program: prints the URI, and serves until it is killed.
pub fn main() -> ExitCode {
    match run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loopback: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the options that these arguments stand for.
///
/// # Errors
/// The arguments can't be used, or ask for help, which is then the text.
pub fn parse(arguments: &[&str]) -> Result<Options, String> {
    Arguments::try_parse_from([&["loopback"], arguments].concat())
        .map_err(|e| e.to_string())
        .and_then(options)
}

/// Runs the program with these arguments, of which the first is its name.
///
/// # Errors
/// The service can't be started, or the marks can't be written.
pub fn run<T: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = T>,
) -> Result<(), String> {
    serve(Arguments::parse_from(arguments))
}

/// Runs the program with arguments that another program has read, of which this is one command.
///
/// # Errors
/// The service can't be started, or the marks can't be written.
pub fn serve(arguments: Arguments) -> Result<(), String> {
    if let Some(seconds) = arguments.write_marks {
        return write_marks(seconds).map_err(|e| e.to_string());
    }
    let hints = credentials(&arguments);
    let mut options = options(arguments)?;
    options.log = true;
    let filtered = matches!(options.recogniser, Recogniser::Pocketsphinx);
    let service = Service::start(options).map_err(|e| e.to_string())?;
    if filtered {
        // Errors before this one would be lost in the pipe when the program ends.
        crate::stderr::filter().map_err(|e| e.to_string())?;
    }
    crate::stderr::line(format_args!(
        "loopback: for a client in another terminal:\n  export VOLCASR_URI={}\n{hints}",
        service.uri()
    ));
    println!("{}", service.uri());
    std::io::stdout().flush().map_err(|e| e.to_string())?;
    loop {
        // Ctrl-C is the signal's default: the process ends.
        std::thread::park();
    }
}

/// The lines that export the credentials. Values that were given as arguments are not shown.
fn credentials(arguments: &Arguments) -> String {
    let shown = |value: &str, default: &str, option: &str| match value == default {
        true => default.to_owned(),
        false => format!("... # as {option} says"),
    };
    let [app, access, key] = [
        shown(&arguments.app_key, APP_KEY, "--app-key"),
        shown(&arguments.access_key, ACCESS_KEY, "--access-key"),
        shown(&arguments.api_key, API_KEY, "--api-key"),
    ];
    format!(
        "  export VOLCENGINE_APP_ID={app}\n  export VOLCENGINE_ACCESS_KEY={access}\n\
         instead of the last two, an API key will do:\n  export VOLCENGINE_API_KEY={key}"
    )
}

fn write_marks(seconds: u64) -> std::io::Result<()> {
    let layout = Layout::default();
    let mut stdout = std::io::stdout().lock();
    let mut second = vec![0; layout.rate as usize * 2];
    for n in 0..seconds {
        layout.fill(n * u64::from(layout.rate), &mut second);
        stdout.write_all(&second)?;
    }
    stdout.flush()
}

#[expect(clippy::too_many_lines, reason = "one statement for each argument")]
fn options(arguments: Arguments) -> Result<Options, String> {
    let recogniser = match (arguments.recogniser, &arguments.script) {
        (RecogniserKind::Scripted, None) => {
            return Err("--recogniser scripted needs --script FILE".to_owned());
        }
        (RecogniserKind::Scripted, Some(path)) => {
            let text =
                std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            Recogniser::Scripted(
                Script::from_json(&text).map_err(|e| format!("{}: {e}", path.display()))?,
            )
        }
        (RecogniserKind::Pocketsphinx, _) => Recogniser::Pocketsphinx,
        (RecogniserKind::Marks, _) => Recogniser::Marks { spikes: false },
        (RecogniserKind::Spikes, _) => Recogniser::Marks { spikes: true },
        (RecogniserKind::Silent, _) => Recogniser::Silent,
    };
    let has = |oddity| arguments.oddity.contains(&oddity);
    let quirks = Quirks {
        empty_definite: has(Quirk::EmptyDefinite),
        result_list: has(Quirk::ResultList),
        text_only: has(Quirk::TextOnly),
        text_resets: has(Quirk::TextResets),
        blank_responses: has(Quirk::Blank),
        late_ack: has(Quirk::LateAck),
        refuse_24000: has(Quirk::Refuse24000),
        misread_24000: has(Quirk::Misread24000),
        second_pass_delay: arguments.second_pass_delay,
        second_pass_out_of_order: has(Quirk::OutOfOrder),
        second_pass_without_words: has(Quirk::SecondPassWithoutWords),
        revised_text: has(Quirk::RevisedText),
        absent_fields: has(Quirk::AbsentFields),
        error_bodies: has(Quirk::ErrorBodies),
        chunked_refusals: has(Quirk::ChunkedRefusals),
        ..if arguments.exact {
            Quirks::none()
        } else {
            Quirks::default()
        }
    };
    let default = Options::default();
    Ok(Options {
        port: arguments.port,
        pairs: vec![(arguments.app_key, arguments.access_key)],
        api_keys: vec![arguments.api_key],
        granted_resources: if arguments.granted.is_empty() {
            default.granted_resources.clone()
        } else {
            arguments.granted
        },
        max_sessions: arguments.max_sessions,
        lifetime_sessions: arguments.lifetime_sessions,
        idle_timeout: arguments.idle_timeout,
        lag: arguments.lag.unwrap_or(if arguments.exact {
            Lag::EXACT
        } else {
            default.lag
        }),
        seed: arguments.seed,
        lag_clock: if arguments.wall_lag {
            LagClock::Wall
        } else {
            LagClock::Audio
        },
        gzip_answers: arguments.gzip_answers,
        answer_every: arguments.answer_every,
        told_at: arguments.told_at,
        recogniser,
        quirks,
        faults: arguments.fault,
        tls: arguments
            .tls
            .map(|kind| identity(kind, arguments.ca_file.as_deref()))
            .transpose()?,
        // A program has no use for the record.
        record_audio: false,
        record_frames: false,
        threads: arguments.threads,
        ..default
    })
}

fn identity(kind: Certificate, ca_file: Option<&std::path::Path>) -> Result<Identity, String> {
    let made = || -> Result<(Identity, String), rcgen::Error> {
        let authority = Authority::new()?;
        let identity = match kind {
            Certificate::Good => authority.good(),
            Certificate::Expired => authority.expired(),
            Certificate::WrongHost => authority.wrong_host(),
            Certificate::SelfSigned => Identity::self_signed(),
        }?;
        Ok((identity, authority.pem()))
    };
    let (identity, pem) = made().map_err(|e| e.to_string())?;
    if let Some(path) = ca_file {
        std::fs::write(path, pem).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_become_options() {
        let options = parse(&[
            "--recogniser",
            "spikes",
            "--fault",
            "reset@3s,close:1011@1s*",
            "--fault=http:503@handshake",
            "--idle-timeout=200ms",
            "--oddity=late-ack,misread-24000",
            "--exact",
        ])
        .unwrap();
        assert!(matches!(
            options.recogniser,
            Recogniser::Marks { spikes: true }
        ));
        assert_eq!(options.faults.len(), 3);
        assert_eq!(options.idle_timeout, Duration::from_millis(200));
        assert!(options.quirks.late_ack && options.quirks.misread_24000 && options.quirks.exact);
    }

    #[test]
    fn mistakes_are_explained() {
        assert!(
            parse(&["--recogniser", "scripted"])
                .unwrap_err()
                .contains("--script")
        );
        assert!(
            parse(&["--fault", "reset@soon"])
                .unwrap_err()
                .contains("unknown WHEN")
        );
    }
}
