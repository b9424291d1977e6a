//! The command `captions`: live captions in the terminal, and subtitle files beside them.
//!
//! In reading order: this file has the command line and the end, [`listen`] the loop, [`display`]
//! standard output, [`status`] the line below the captions, [`fonts`] whether a picture's captions
//! can be read.

mod display;
mod fonts;
mod listen;
mod status;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gst::glib;

use crate::failure::{self, Failure};
use crate::input::{Input, InputOptions};
use crate::output::files::{self, Files, OutputOptions};
use crate::output::film::Film;
use crate::output::place::part_of;
use crate::pipeline::encode::Container;
use crate::pipeline::{self, Recognition};
use crate::service::ServiceOptions;
use display::Display;
use listen::{Captions, Ending};

const MORE: &str = "\
Examples:
  volcasr captions                              the default microphone, until Ctrl-C
  volcasr captions talk.mkv -o talk.srt         a file, as fast as the service takes it
  volcasr captions --device webcam --speakers   one of those that `volcasr devices` lists
  ffmpeg -i talk.mkv -f ogg - | volcasr captions - --json
  volcasr captions rtsp://camera.example/audio
  volcasr captions talk.mkv --burn-in captioned.mp4

Ctrl-C ends the stream: the last words still come, within finish-timeout and 5 seconds. A second one
quits at once.

The files are written as it goes: each utterance when it is final, whole, and in the order of
speech. What they held before is overwritten with the first words, or at a good end without any. If
the reader of standard output goes, they are written on.
Times count from the input's first sample; several streams in a row follow one another. JSON has the
fields of the message volcasr-transcript (text, final, unconfirmed, utterance, stream, stream-id,
session, timestamp, stream-time, running-time, duration, words, attributes), those that are not
known left out; times are in nanoseconds.

--burn-in writes the video of a file anew, with the captions in its picture: as H.264, VP8 or
Theora, whichever is installed, with its sound as Opus, AAC or Vorbis. It takes as long as the
slower of service and encoder. The video appears when it is whole, and replaces what has its name
only then. After Ctrl-C it ends where its picture is.

Exit status:
    0  all words are confirmed
    1  failure; standard error says why
    2  the command line can't be used
    3  it ended, but some words are unconfirmed or did not come, audio was dropped, the file ended
       before its length says, or by Ctrl-C before any sound or the end of --burn-in's video
  130  a second Ctrl-C

Credentials come from the environment: VOLCENGINE_API_KEY, or VOLCENGINE_APP_ID and
VOLCENGINE_ACCESS_KEY.";

/// Options of the command.
#[derive(clap::Args)]
#[command(after_long_help = MORE)]
pub struct Arguments {
    /// A file, a URI, `-` for standard input, or a piece of a launch line that gives audio; without
    /// it, the default microphone
    input: Vec<String>,
    /// Read a file in real time, not as fast as the service takes it
    #[arg(long)]
    realtime: bool,
    /// Write a file's video with the captions in its picture: .mkv, .mp4, .webm or .ogv
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["realtime", "device"],
        help_heading = "The output"
    )]
    burn_in: Option<PathBuf>,
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    listening: InputOptions,
    #[command(flatten)]
    service: ServiceOptions,
}

/// Runs the command to its end.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let wrong = |error: String| -> ! { failure::usage(&error) };
    let (standard, files) = arguments
        .output
        .resolve()
        .unwrap_or_else(|error| wrong(error));
    pipeline::init()?;
    let input = Input::parse(&arguments.input, arguments.listening.device.as_deref());
    let input = input.unwrap_or_else(|error| wrong(error));
    let looks = arguments.output.looks;
    let (listening, service) = (&arguments.listening, &arguments.service);
    let recognition = match &arguments.burn_in {
        None => Recognition::new(&input, listening, service, arguments.realtime),
        Some(path) => {
            let container = film_of(&input, path).unwrap_or_else(|error| wrong(error));
            let encoding = container.encoding(|name| gst::ElementFactory::find(name).is_some())?;
            Recognition::with_picture(&input, listening, service, (&encoding, looks))
        }
    };
    let recognition = recognition.unwrap_or_else(|error| wrong(error));
    let film = arguments.burn_in.as_deref();
    let part = film.map(part_of);
    let outputs = files.iter().map(|(path, _)| path.as_path());
    let outputs = outputs.chain(film).chain(part.as_deref());
    if let Err(error) = files::check(outputs, &recognition.files()) {
        wrong(error);
    }
    let film = film.map(Film::create).transpose()?;
    if let Some((film, picture)) = film.as_ref().zip(recognition.picture()) {
        picture.write_to(film.part());
    }
    let files = Files::open(&files, looks)?;
    let display = Display::of_stdout(standard, looks).map_err(Failure::of_stdout)?;
    let mut captions = Captions::new(
        recognition,
        display,
        (files, film),
        input.name(),
        arguments.listening.stall_limit(),
        arguments.output.quiet,
    );
    let ending = glib::MainContext::default().block_on(captions.listen());
    Ok(match captions.close(ending)? {
        Ending::Whole => ExitCode::SUCCESS,
        Ending::Lacking => ExitCode::from(3),
        Ending::Quit => ExitCode::from(130),
    })
}

/// Returns the container of a film of this input, which is read twice for it.
fn film_of(input: &Input, path: &Path) -> Result<Container, String> {
    let container = Container::of_file(path)?;
    match input.path() {
        Some(file) if file.is_file() => Ok(container),
        _ => Err("--burn-in takes a file as its input: it is read twice".to_owned()),
    }
}
