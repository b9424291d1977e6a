//! Progress of a batch, as text.

use std::path::PathBuf;
use std::time::Duration;

use super::job::{Done, Job};
use crate::failure::Failure;
use crate::terminal::bar::{bar, part, time};

/// Columns of a job's bar.
const BAR: usize = 20;

/// How it goes.
#[derive(Default)]
pub struct Tally {
    pub all: usize,
    pub skipped: usize,
    /// Files in directories whose ending is none of sound or video.
    pub left_out: usize,
    pub succeeded: usize,
    /// Of these, the ones with words that the service did not confirm, or cut short.
    pub lacking: usize,
    pub failures: Vec<(String, Failure)>,
    /// No more jobs are begun.
    pub is_interrupted: bool,
}

impl Tally {
    /// Counts what has become of one input, and returns the line that reports it.
    pub fn count(&mut self, job: &Job, outcome: Result<Done, Failure>) -> String {
        let report = match outcome {
            Ok(done) => {
                let paths: Vec<&PathBuf> = match &done.left {
                    // It has neither succeeded nor failed.
                    Some(left) => left.iter().collect(),
                    None => {
                        self.succeeded += 1;
                        self.lacking += usize::from(!done.is_whole());
                        job.targets.iter().map(|(path, _)| path).collect()
                    }
                };
                let names = paths.iter().map(|path| path.display().to_string());
                let names: Vec<String> = names.collect();
                match names.is_empty() {
                    true => format!("{}: {done}", job.input),
                    false => format!("{} → {}: {done}", job.input, names.join(", ")),
                }
            }
            Err(failure) => {
                let report = format!("{}: failed: {}", job.input, failure.text);
                self.failures.push((job.input.clone(), failure));
                report
            }
        };
        format!("[{}/{}] {report}", self.finished(), self.all)
    }

    /// Inputs for which nothing is left to do.
    pub fn finished(&self) -> usize {
        self.skipped + self.succeeded + self.failures.len()
    }

    /// A line for each job that runs, and one for the whole.
    pub fn lines<'a>(
        &self,
        running: impl Iterator<Item = &'a Job>,
        pause: Option<Duration>,
    ) -> (Vec<String>, String) {
        let lines: Vec<String> = running.map(line).collect();
        let mut whole = format!("[{}/{}] {} running", self.finished(), self.all, lines.len());
        if !self.failures.is_empty() {
            whole += &format!(", {} failed", self.failures.len());
        }
        if self.is_interrupted {
            whole += ", waiting for the last words; Ctrl-C quits";
        } else if let Some(pause) = pause {
            whole += &format!(
                ", the service has no room: {} s",
                pause.as_millis().div_ceil(1000)
            );
        }
        (lines, whole)
    }

    /// The last line.
    pub fn summary(&self) -> String {
        let mut summary = format!("{} of {} transcribed", self.succeeded, self.all);
        for (count, what) in [
            (self.skipped, "already there"),
            (self.failures.len(), "failed"),
            (self.lacking, "with unconfirmed words or cut short"),
            (self.all - self.finished(), "not finished"),
            (self.left_out, "of other endings left out"),
        ] {
            if count > 0 {
                summary += &format!(", {count} {what}");
            }
        }
        summary
    }
}

fn line(job: &Job) -> String {
    let name = job.input.rsplit('/').next().unwrap_or(&job.input);
    let name = crate::failure::one_line(name);
    match job.progress.get() {
        None => format!("  {name}"),
        Some((position, None)) => format!("  {}  {name}", time(position)),
        Some((position, Some(length))) => format!(
            "  {}  {} / {}  {name}",
            bar(part(position, length), BAR),
            time(position),
            time(length)
        ),
    }
}
