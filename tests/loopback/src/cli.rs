//! The program.

use crate::{
    Options, Recogniser, Service,
    marks::Layout,
    stderr,
    tls::{Authority, Identity},
};
use clap::{Parser, ValueEnum};
use std::{
    error::Error,
    fs,
    io::{self, Write},
    path::PathBuf,
};

pub(crate) const ABOUT: &str = "A v3/sauc speech recognition service on 127.0.0.1, as strict and \
    as odd as the real one is known to be";

const FAULTS: &str = "\
FAULTS: --fault WHAT[:ARGUMENT]@WHEN[#N|*], a list by commas or several options.
  WHAT  reset | drop | close:CODE | error:CODE[:BODY] | http:STATUS[:BODY] | hang | delay:TIME |
        trickle:TIME[:COUNT] (one byte each TIME) | no-final | text:TEXT | ping:COUNT |
        bytes:HEX (a binary message) | raw:HEX (on the socket)
  WHEN  accept | handshake | ack | 3s (of audio) | wall:3s (since accept) | finish
  #N    on the N-th connection only; *: on every one; neither: once, on the first that gets there
  Examples: reset@3s   http:503@handshake,close:1011@2s   error:45000292@ack   hang@1s
            no-final@finish#1

The endpoint follows the path of the URI: /api/v3/sauc/bigmodel_async, /bigmodel,
/bigmodel_nostream.
The first line on stdout is the URI. Ctrl-C ends the service.";

/// Arguments of the program.
#[derive(Debug, Parser)]
#[command(name = "loopback", after_help = FAULTS)]
pub struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Serve TLS with a certificate made now
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "good")]
    tls: Option<Certificate>,
    /// Write the certificate to trust here, for SSL_CERT_FILE
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca_file: Option<PathBuf>,
    /// Write this many seconds of marks to stdout (S16LE, 24 kHz, mono) and end: input for
    /// `--recogniser marks`
    #[arg(long, value_name = "SECONDS")]
    write_marks: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Certificate {
    Good,
    Expired,
    SelfSigned,
    WrongHost,
}

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Returns the options that these arguments stand for.
///
/// # Errors
/// The arguments can't be used, or ask for help, which is then the text.
pub fn parse(arguments: &[&str]) -> std::result::Result<Options, String> {
    Arguments::try_parse_from([&["loopback"], arguments].concat())
        .map_err(|error| error.to_string())
        .and_then(|arguments| options(arguments).map_err(|error| error.to_string()))
}

/// Runs the program: prints the URI, and serves until it is killed.
///
/// # Errors
/// The service can't be started, or the marks can't be written.
pub fn serve(arguments: Arguments) -> std::result::Result<(), String> {
    let run = match arguments.write_marks {
        Some(seconds) => write_marks(seconds),
        None => run(arguments),
    };
    run.map_err(|error| error.to_string())
}

fn run(arguments: Arguments) -> Result<()> {
    let options = options(arguments)?;
    let hints = credentials(&options);
    let talks = options.recogniser == Recogniser::Pocketsphinx;
    let service = Service::start(options)?;
    if talks {
        stderr::keep_for_lines()?;
    }
    stderr::line(format_args!(
        "loopback: for a client in another terminal:\n  export VOLCASR_URI={}\n{hints}",
        service.uri()
    ));
    println!("{}", service.uri());
    io::stdout().flush()?;
    loop {
        // Ctrl-C is the signal's default: the process ends.
        std::thread::park();
    }
}

/// The lines that export the credentials. Values that were given as arguments are not shown.
fn credentials(options: &Options) -> String {
    let default = Options::default();
    let shown = |option, given: &[String], default: &[String]| match given == default {
        true => default.concat(),
        false => format!("... # as {option} says"),
    };
    let app = shown("--app-key", &options.app_keys, &default.app_keys);
    let access = shown("--access-key", &options.access_keys, &default.access_keys);
    let key = shown("--api-key", &options.api_keys, &default.api_keys);
    format!(
        "  export VOLCENGINE_APP_ID={app}\n  export VOLCENGINE_ACCESS_KEY={access}\n\
         instead of the last two, an API key will do:\n  export VOLCENGINE_API_KEY={key}"
    )
}

fn write_marks(seconds: u64) -> Result<()> {
    let (layout, mut stdout) = (Layout::default(), io::stdout().lock());
    let mut parts = (0..seconds).map(|second| layout.part(second * 1000, (second + 1) * 1000));
    let written = parts.try_for_each(|part| stdout.write_all(&part));
    match written.and_then(|()| stdout.flush()) {
        // The reader has had enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

fn options(arguments: Arguments) -> Result<Options> {
    let authority = Authority::new()?;
    let tls = arguments.tls.map(|kind| match kind {
        Certificate::Good => authority.good(),
        Certificate::Expired => authority.expired(),
        Certificate::WrongHost => authority.wrong_host(),
        Certificate::SelfSigned => Identity::self_signed(),
    });
    if let Some(path) = arguments.ca_file {
        fs::write(&path, authority.pem()).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(Options {
        tls: tls.transpose()?,
        log: true,
        // A program has no use for the record.
        record_audio: false,
        record_frames: false,
        ..arguments.options
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lag, Oddity};

    #[test]
    fn arguments_become_options() {
        let arguments = "--recogniser=spikes --fault reset@3s,close:1011@1s* --granted=a,b \
                         --fault=http:503@handshake --exact --oddity=late-ack,misread-24000";
        let options = parse(&arguments.split_whitespace().collect::<Vec<_>>()).unwrap();
        assert_eq!(options.recogniser, Recogniser::Spikes);
        assert_eq!((options.faults.len(), options.granted.len()), (3, 2));
        assert!(options.exact && options.lag == Lag::EXACT);
        assert_eq!(options.oddities, [Oddity::LateAck, Oddity::Misread24000]);
        assert_eq!(parse(&[]).unwrap().lag, Lag::RECORDED);
        for (option, value, part) in [
            ("--recogniser", "scripted", "--script"),
            ("--fault", "reset@soon", "unknown WHEN"),
            ("--script", "/nonexistent", "--script"),
            ("--idle-timeout", "8", "8s"),
            ("--lag", "2s..1s", "longer"),
        ] {
            let error = parse(&[option, value]).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
