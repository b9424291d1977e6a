//! The command `transcribe`: many inputs at once, a transcript file for each.
//!
//! In reading order: this file has the command line and the loop, [`job`] one input, [`names`]
//! what its file is called.

mod job;
mod names;

use std::cell::Cell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};
use gst::glib;

use crate::failure::{self, Failure};
use crate::interrupt::interrupts;
use crate::options::ServiceOptions;
use crate::recognition;
use crate::writer::Format;
use job::{Done, Job};

const MORE: &str = "\
Credentials come from the environment: VOLCENGINE_APP_ID and VOLCENGINE_ACCESS_KEY, or VOLCENGINE_API_KEY.

A transcript is called like its input, with as much of the input's path as tells it from the others. It appears when it
is whole: with --skip-existing, a job that was interrupted goes on where it stopped. An input whose audio was not
recognised to its end has failed and leaves no transcript. An input that fails does not stop the others.

Exit status:
    0  every input has its transcript
    1  at least one failed; standard error says which, and why
    2  the command line can't be used
    3  every input has its transcript, but some hold words that the service did not confirm; the line of each says
       so. --skip-existing leaves them as they are: delete one to have it done again
  130  Ctrl-C";

/// Options of the command.
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub struct Arguments {
    /// Files or URIs
    #[arg(required = true)]
    inputs: Vec<String>,
    /// Where the transcripts go
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// What they are written as
    #[arg(long, value_enum, default_value_t = Format::Txt)]
    format: Format,
    /// How many inputs at once; the service may grant fewer sessions
    #[arg(long, default_value = "4", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Leave inputs alone whose transcript is there
    #[arg(long)]
    skip_existing: bool,
    #[command(flatten)]
    service: ServiceOptions,
}

/// Runs the command to its end.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    recognition::init()?;
    // Once, not as the failure of each input.
    if let Err(error) = arguments.service.check() {
        failure::usage(&error);
    }
    let dir = &arguments.dir;
    std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut jobs: Vec<Job> = names::unique(&arguments.inputs)
        .into_iter()
        .map(|(input, name)| Job {
            input: input.to_owned(),
            transcript: dir.join(format!("{name}.{}", arguments.format.extension())),
            format: arguments.format,
        })
        .collect();
    let all = jobs.len();
    if arguments.skip_existing {
        jobs.retain(|job| !job.transcript.exists());
    }
    let tally = Tally {
        skipped: all - jobs.len(),
        all,
        ..Tally::default()
    };
    let tally = glib::MainContext::default().block_on(work(tally, jobs, arguments))?;

    println(&tally.summary())?;
    for (input, failure) in &tally.failures {
        eprintln!("failed: {input}: {failure}");
    }
    Ok(if tally.is_interrupted {
        ExitCode::from(130)
    } else if !tally.failures.is_empty() {
        ExitCode::from(1)
    } else if tally.unconfirmed > 0 {
        ExitCode::from(3)
    } else {
        ExitCode::SUCCESS
    })
}

/// Does the jobs, some at a time, until all are done or Ctrl-C. A job that is dropped stops and leaves nothing behind.
async fn work(mut tally: Tally, jobs: Vec<Job>, arguments: &Arguments) -> Result<Tally, Failure> {
    let is_interrupted = Cell::new(false);
    let interrupt = interrupts().into_future().map(|_| is_interrupted.set(true));
    let mut outcomes = stream::iter(jobs)
        .map(async |job| {
            let outcome = job.run(&arguments.service).await;
            (job, outcome)
        })
        .buffer_unordered(arguments.jobs.into())
        .take_until(interrupt)
        .boxed_local();
    while let Some((job, outcome)) = outcomes.next().await {
        println(&tally.count(&job, outcome))?;
    }
    drop(outcomes);
    tally.is_interrupted = is_interrupted.get();
    Ok(tally)
}

/// How it goes.
#[derive(Default)]
struct Tally {
    all: usize,
    skipped: usize,
    succeeded: usize,
    /// Of these, the ones with words that the service did not confirm.
    unconfirmed: usize,
    failures: Vec<(String, Failure)>,
    is_interrupted: bool,
}

impl Tally {
    /// Counts what has become of one input, and gives the line that tells it.
    fn count(&mut self, job: &Job, outcome: Result<Done, Failure>) -> String {
        let told = match outcome {
            Ok(done) => {
                self.succeeded += 1;
                self.unconfirmed += usize::from(!done.is_confirmed());
                format!("{} → {}: {done}", job.input, job.transcript.display())
            }
            Err(failure) => {
                let told = format!("{}: failed: {}", job.input, failure.text);
                self.failures.push((job.input.clone(), failure));
                told
            }
        };
        let finished = self.skipped + self.succeeded + self.failures.len();
        format!("[{finished}/{}] {told}", self.all)
    }

    fn summary(&self) -> String {
        let unfinished = self.all - self.skipped - self.succeeded - self.failures.len();
        let mut summary = format!("{} of {} transcribed", self.succeeded, self.all);
        for (count, what) in [
            (self.skipped, "already there"),
            (self.failures.len(), "failed"),
            (self.unconfirmed, "with unconfirmed words"),
            (unfinished, "not finished"),
        ] {
            if count > 0 {
                summary += &format!(", {count} {what}");
            }
        }
        summary
    }
}

fn println(line: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{line}").map_err(Failure::of_stdout)
}
