//! The command `captions`: live captions in the terminal, and subtitle files beside them.
//!
//! In reading order: this file has the command line and the end, [`listen`] the loop, [`screen`]
//! the terminal with [`wrap`] and [`status`], [`files`] the subtitle files.

mod display;
mod files;
mod listen;
mod screen;
mod status;
#[cfg(test)]
mod terminal_tests;

mod wrap;

use std::process::ExitCode;

use gst::glib;

use crate::failure::{self, Failure};
use crate::input::Input;
use crate::options::ServiceOptions;
use crate::recognition::{self, Recognition};
use display::Display;
use files::{FileOptions, Files};
use listen::{Captions, Ending};

const MORE: &str = "\
Credentials come from the environment: VOLCENGINE_APP_ID and VOLCENGINE_ACCESS_KEY, or VOLCENGINE_API_KEY.

Ctrl-C ends the stream: the last words still come. A second one quits at once.

The files are written as it goes: each utterance when it is final, whole, and in the order of speech. What they held
before is overwritten with the first words, or at a good end without any. Cue times are the place in the stream; several
streams in a row, as of concat, follow one another. JSON lines have the fields of the message volcasr-transcript (text, final, unconfirmed,
utterance, stream, stream-id, session, timestamp, stream-time, running-time, duration, words, attributes), those that
are not known left out; times are in nanoseconds.

Exit status:
    0  all words are confirmed
    1  failure; standard error says why
    2  the command line can't be used
    3  it ended, but some words are unconfirmed or did not come, or audio was dropped
  130  a second Ctrl-C";

/// Options of the command.
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub struct Arguments {
    /// A file, a URI, or a piece of a launch line that gives audio; without it, the default microphone
    input: Vec<String>,
    /// Read a file in real time, not as fast as the service takes it
    #[arg(long)]
    realtime: bool,
    #[command(flatten)]
    files: FileOptions,
    #[command(flatten)]
    service: ServiceOptions,
}

/// Runs the command to its end.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    recognition::init()?;
    let recognition = Input::parse(&arguments.input)
        .and_then(|input| Recognition::new(&input, &arguments.service, arguments.realtime))
        .unwrap_or_else(|error| failure::usage(&error));
    if let Err(error) = arguments.files.check(&recognition.files()) {
        failure::usage(&error);
    }
    let files = Files::open(&arguments.files)?;
    let mut captions = Captions::new(recognition, Display::of_stdout(), files);
    let ending = glib::MainContext::default().block_on(captions.listen());
    Ok(match captions.close(ending)? {
        Ending::Whole => ExitCode::SUCCESS,
        Ending::Lacking => ExitCode::from(3),
        Ending::Quit => ExitCode::from(130),
    })
}
