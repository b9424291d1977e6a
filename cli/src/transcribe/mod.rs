//! The command `transcribe`: many inputs at once, a transcript file for each.
//!
//! In reading order: this file has the command line, [`batch`] the loop, [`schedule`] which job is
//! begun when, [`job`] is one input, [`outputs`] its files, [`inputs`] what directories hold,
//! [`names`] what files are called, [`tally`] its progress.

mod batch;
mod inputs;
mod job;
mod names;
mod outputs;
mod schedule;
mod tally;

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gst::glib;
use gst::prelude::*;

use crate::devices;
use crate::failure::{self, Failure, eprintln, one_line, println, uri_without_secrets};
use crate::input::{self, Input, InputOptions};
use crate::output::files::{self, OutputOptions, Standard};
use crate::output::format::Format;
use crate::output::place::part_of;
use crate::pipeline;
use crate::service::ServiceOptions;
use job::{Common, Job, Progress};
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
file is for one input. A transcript appears when it is whole, and replaces a file of its name only
where its place was named. With --skip-existing, a batch that was interrupted goes on where it
stopped; a line says which file stands for which input. An input whose audio was not recognised to
its end has failed and leaves no transcript. An input that fails does not stop the others. A
transcript that can't be written, as on a full disk, does.

From a directory, files with an ending of sound or video are taken, and the last line counts the
others.

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
    #[arg(required_unless_present = "device", value_parser = inputs::parser())]
    inputs: Vec<String>,
    /// Where the transcripts go; default: the current directory, where they replace no file
    #[arg(long)]
    dir: Option<PathBuf>,
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
    let (mut jobs, standard, left_out) = checked.unwrap_or_else(|error| failure::usage(&error));
    if let Err(error) = check_targets(&jobs, arguments) {
        failure::usage(&error);
    }
    for (path, _) in jobs.iter().flat_map(|job| &job.targets) {
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir).map_err(|error| Failure::of_path(dir, &error))?;
        }
    }
    let all = jobs.len();
    if arguments.skip_existing {
        jobs = without_existing(jobs, |line| match standard.is_for_people() {
            _ if arguments.output.quiet => Ok(()),
            true => println(line),
            false => {
                eprintln(line);
                Ok(())
            }
        })?;
    }
    let tally = Tally {
        skipped: all - jobs.len(),
        left_out,
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
        warnings: RefCell::default(),
        notes: RefCell::default(),
    };
    let batch = batch::Batch::new(&jobs, &common, tally, arguments);
    let (tally, stopped) = glib::MainContext::default().block_on(batch.run());
    for (input, failure) in &tally.failures {
        eprintln(&format!("failed: {input}: {failure}"));
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

/// Leaves jobs out whose transcripts are there, and says which: the name of a transcript may stand
/// for another input of the same name.
fn without_existing(
    jobs: Vec<Job>,
    report: impl Fn(&str) -> Result<(), Failure>,
) -> Result<Vec<Job>, Failure> {
    let mut left = Vec::new();
    for job in jobs {
        let mut paths = job.targets.iter().map(|(path, _)| path);
        if job.targets.is_empty() || !paths.all(|path| path.exists()) {
            left.push(job);
        } else {
            let names = job.target_names().join(", ");
            report(&one_line(&format!(
                "{} → {names}: already there",
                job.input
            )))?;
        }
    }
    Ok(left)
}

/// Jobs of the batch, output for standard output, and how many files in directories are no inputs.
type Plan = (Vec<Job>, Standard, usize);

fn plan(arguments: &Arguments) -> Result<Plan, String> {
    let device = arguments.listening.device.as_deref().map(devices::find);
    let device = device.transpose()?;
    let (inputs, left_out) = match &device {
        Some(_) if !arguments.inputs.is_empty() => return Err(input::ONE_SOURCE.to_owned()),
        Some(device) => (vec![one_line(&device.display_name())], 0),
        None => inputs::expand(&arguments.inputs)?,
    };
    let named = names::unique(&inputs);
    let (standard, directories, files) = destinations(arguments, named.len())?;
    let format = arguments.output.format.unwrap_or(Format::Txt);
    let jobs = named.into_iter().map(|(input, name)| {
        let name = format!("{name}.{}", format.extension());
        let own = directories.iter().map(|dir| (dir.join(&name), format));
        Job {
            address: input.to_owned(),
            input: uri_without_secrets(input),
            device: device.clone(),
            targets: own.chain(files.iter().cloned()).collect(),
            progress: Progress::default(),
        }
    });
    Ok((jobs.collect(), standard, left_out))
}

/// Checks that no transcript is written over an input or over another one, nor over any file where
/// no place was named.
fn check_targets(jobs: &[Job], arguments: &Arguments) -> Result<(), String> {
    let inputs = jobs
        .iter()
        .filter_map(|job| Input::open(&job.address).ok()?.path());
    let inputs: Vec<PathBuf> = inputs.collect();
    let targets = jobs.iter().flat_map(|job| &job.targets);
    let targets: Vec<&Path> = targets.map(|(path, _)| path.as_path()).collect();
    let parts: Vec<PathBuf> = targets
        .iter()
        .map(|path| part_of(&files::real(path)))
        .collect();
    let parts = parts.iter().map(PathBuf::as_path);
    files::check(targets.iter().copied().chain(parts), &inputs)?;
    let is_named = arguments.dir.is_some() || !arguments.output.output.is_empty();
    let found = targets.iter().find(|path| path.exists());
    match found.filter(|_| !is_named && !arguments.skip_existing) {
        Some(path) => Err(format!(
            "{}: it is there: --skip-existing leaves it and its input alone, --dir . replaces it",
            path.display()
        )),
        None => Ok(()),
    }
}

type Destinations = (Standard, Vec<PathBuf>, Vec<(PathBuf, Format)>);

/// Returns the output for standard output, the directories for files named like the inputs, and the
/// files of the only input.
fn destinations(arguments: &Arguments, inputs: usize) -> Result<Destinations, String> {
    let mut output = arguments.output.clone();
    let mut directories = output.take_directories();
    if output.output.is_empty() {
        if directories.is_empty() && !output.json {
            let here = || PathBuf::from(".");
            directories.push(arguments.dir.clone().unwrap_or_else(here));
        }
        let standard = match output.json {
            true => Standard::Json,
            false => Standard::Captions,
        };
        return Ok((standard, directories, Vec::new()));
    }
    let (standard, files) = output.resolve()?;
    let shared = match (files.first(), standard) {
        (Some((path, _)), _) => Some(format!("-o {}", path.display())),
        (None, Standard::Format(_)) => Some("-o - with --format".to_owned()),
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
