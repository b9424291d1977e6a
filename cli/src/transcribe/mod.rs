//! The command `transcribe`: many inputs at once, a transcript file for each.
//!
//! In reading order: this file has the command line, [`batch`] the loop, [`schedule`] which job is
//! begun when, [`job`] is one input, [`outputs`] its files, [`inputs`] what directories hold,
//! [`names`] what files are called, [`tally`] how far the batch is.

mod batch;
mod inputs;
mod job;
mod names;
mod outputs;
mod schedule;
mod tally;

use std::cell::Cell;
use std::path::PathBuf;
use std::process::ExitCode;

use gst::glib;
use gst::prelude::*;

use crate::devices;
use crate::failure::{self, Failure, one_line};
use crate::input::{self, Input, InputOptions};
use crate::output::files::{self, OutputOptions, Standard};
use crate::output::format::Format;
use crate::pipeline;
use crate::service::ServiceOptions;
use job::{Common, Job, Progress, Stream};
use tally::Tally;

const MORE: &str = "\
Examples:
  volcasr transcribe talks/                                 talk.txt … in this directory
  volcasr transcribe talks/*.mp3 -o out/ --format srt --jobs 8
  volcasr transcribe talks/ -o out/ --skip-existing         go on where it stopped
  volcasr transcribe talk.mkv -o talk.vtt -o talk.json      one file, two transcripts
  volcasr transcribe --device webcam -o meeting.txt         until Ctrl-C

A transcript is called like its input, with as much of the input's path as tells it from the others.
-o with a directory, existing or with a / at its end, is where they go, as with --dir; -o with a
file is for one input. A transcript appears when it is whole: with --skip-existing, a batch that was
interrupted goes on where it stopped. An input whose audio was not recognised to its end has failed
and leaves no transcript. An input that fails does not stop the others.

Ctrl-C and SIGTERM begin no more inputs. Those that run end with what was read, within
finish-timeout and 5 seconds, and leave what was recognised as talk.txt.part, which the next run
replaces. A second one quits at once, and leaves nothing of them. A device has no other end: its
transcript is whole.

Where the service has no room (too many sessions, a quota that is used up, HTTP 429, 5xx), a job
goes back to the end of the list, fewer run at once, and the pause before the next start grows up to
a minute. After half an hour without room the batch ends. Credentials that are refused and a setting
that the service refuses end it at once.

Exit status:
    0  every input has its transcript
    1  at least one failed; standard error says which, and why
    2  the command line can't be used
    3  every input has its transcript, but some hold words that the service did not confirm, or the
       file ended before its length says; the line of each says so. --skip-existing leaves them as
       they are: delete one to have it done again
  130  Ctrl-C before every input was done

Credentials come from the environment: VOLCENGINE_API_KEY, or VOLCENGINE_APP_ID and
VOLCENGINE_ACCESS_KEY.";

/// Options of the command.
#[derive(clap::Args)]
#[command(after_long_help = MORE)]
pub struct Arguments {
    /// Files, URIs, directories with files in them, or `-` for standard input
    #[arg(required_unless_present = "device")]
    inputs: Vec<String>,
    /// Where the transcripts go
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// How many inputs at once; the service may grant fewer sessions
    #[arg(long, default_value = "4", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Leave inputs alone whose transcript is there
    #[arg(long)]
    skip_existing: bool,
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    listening: InputOptions,
    #[command(flatten)]
    service: ServiceOptions,
}

/// Runs the command to its end.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    pipeline::init()?;
    // Once, not as the failure of each input.
    let checked = arguments.service.check().and_then(|()| plan(arguments));
    let (mut jobs, standard) = checked.unwrap_or_else(|error| failure::usage(&error));
    if let Err(error) = check_targets(&jobs) {
        failure::usage(&error);
    }
    for (path, _) in jobs.iter().flat_map(|job| &job.targets) {
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir).map_err(|error| Failure::of_path(dir, &error))?;
        }
    }
    let all = jobs.len();
    if arguments.skip_existing {
        let is_there = |job: &Job| job.targets.iter().all(|(path, _)| path.exists());
        jobs.retain(|job| job.targets.is_empty() || !is_there(job));
    }
    let tally = Tally {
        skipped: all - jobs.len(),
        all,
        ..Tally::default()
    };
    let common = Common {
        service: &arguments.service,
        listening: &arguments.listening,
        looks: arguments.output.looks,
        standard,
        is_short: Cell::new(false),
        is_interrupted: Cell::new(false),
    };
    let batch = batch::Batch::new(&jobs, &common, tally, arguments);
    let (tally, stopped) = glib::MainContext::default().block_on(batch.run())?;
    for (input, failure) in &tally.failures {
        eprintln!("failed: {input}: {failure}");
    }
    if let Some(failure) = stopped {
        return Err(failure);
    }
    Ok(if tally.is_interrupted && tally.finished() < tally.all {
        ExitCode::from(130)
    } else if !tally.failures.is_empty() {
        ExitCode::from(1)
    } else if tally.lacking > 0 {
        ExitCode::from(3)
    } else {
        ExitCode::SUCCESS
    })
}

/// Returns the jobs of the batch, and the output for standard output.
fn plan(arguments: &Arguments) -> Result<(Vec<Job>, Option<Stream>), String> {
    let device = arguments.listening.device.as_deref().map(devices::find);
    let device = device.transpose()?;
    let inputs = match &device {
        Some(_) if !arguments.inputs.is_empty() => return Err(input::ONE_SOURCE.to_owned()),
        Some(device) => vec![one_line(&device.display_name())],
        None => inputs::expand(&arguments.inputs)?,
    };
    let named = names::unique(&inputs);
    let (standard, directories, files) = destinations(arguments, named.len())?;
    let format = arguments.output.format.unwrap_or(Format::Txt);
    let jobs = named.into_iter().map(|(input, name)| {
        let name = format!("{name}.{}", format.extension());
        let own = directories.iter().map(|dir| (dir.join(&name), format));
        Job {
            input: input.to_owned(),
            device: device.clone(),
            targets: own.chain(files.iter().cloned()).collect(),
            progress: Progress::default(),
        }
    });
    Ok((jobs.collect(), standard))
}

/// Checks that no transcript is written over an input or over another one.
fn check_targets(jobs: &[Job]) -> Result<(), String> {
    let inputs = jobs
        .iter()
        .filter_map(|job| Input::open(&job.input).ok()?.path());
    let inputs: Vec<PathBuf> = inputs.collect();
    let targets = jobs.iter().flat_map(|job| &job.targets);
    files::check(targets.map(|(path, _)| path.as_path()), &inputs)
}

type Destinations = (Option<Stream>, Vec<PathBuf>, Vec<(PathBuf, Format)>);

/// Returns the output for standard output, the directories for files named like the inputs, and the
/// files of the only input.
fn destinations(arguments: &Arguments, inputs: usize) -> Result<Destinations, String> {
    let mut output = arguments.output.clone();
    let mut directories = output.take_directories();
    if output.output.is_empty() {
        if directories.is_empty() && !output.json {
            directories.push(arguments.dir.clone());
        }
        return Ok((output.json.then_some(Stream::Json), directories, Vec::new()));
    }
    let (standard, files) = output.resolve()?;
    let standard = match standard {
        Standard::Json => Some(Stream::Json),
        Standard::Format(format) => Some(Stream::Format(format)),
        Standard::Captions | Standard::Nothing => None,
    };
    let shared = match (files.first(), standard) {
        (Some((path, _)), _) => Some(format!("-o {}", path.display())),
        (None, Some(Stream::Format(_))) => Some("-o - with --format".to_owned()),
        _ => None,
    };
    match shared {
        Some(shared) if inputs > 1 => Err(format!(
            "{shared} is for one input, and there are {inputs}: name a directory, as in `-o out/ \
             --format srt`"
        )),
        _ => Ok((standard, directories, files)),
    }
}
