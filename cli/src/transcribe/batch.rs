//! The loop: jobs are begun, end, and are refused, until all are done. After Ctrl-C none is begun,
//! and those that run end with what was read; a second one drops them.

use std::io::{self, Stdout};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, FuturesUnordered};
use gst::glib;

use super::Arguments;
use super::job::{Common, Done, Job};
use super::schedule::{Next, Schedule, Verdict};
use super::tally::Tally;
use crate::failure::{Failure, Kind, eprintln, one_line, println};
use crate::interrupt::interrupts;
use crate::terminal::screen::Screen;
use crate::terminal::{can_draw, has_colour, kept, on_stderr, size};

/// Interval at which lines are drawn anew, and a pause is looked at.
const REFRESH: Duration = Duration::from_millis(250);

type Outcome = (usize, Result<Done, Failure>);

/// All jobs, and how they go.
pub struct Batch<'a> {
    jobs: &'a [Job],
    common: &'a Common<'a>,
    tally: Tally,
    schedule: Schedule,
    running: Vec<usize>,
    began: Instant,
    screen: Option<Screen<Stdout>>,
    /// Standard output is for lines about the jobs, else standard error is.
    has_stdout: bool,
    is_quiet: bool,
}

enum Event {
    Ended(Outcome),
    Interrupt,
    Refresh,
}

impl<'a> Batch<'a> {
    pub fn new(
        jobs: &'a [Job],
        common: &'a Common<'a>,
        tally: Tally,
        arguments: &Arguments,
    ) -> Self {
        let has_stdout = common.standard.is_for_people();
        let is_quiet = arguments.output.quiet;
        let is_drawn = has_stdout && !is_quiet && can_draw();
        Batch {
            jobs,
            common,
            tally,
            schedule: Schedule::new(jobs.len(), arguments.jobs.into()),
            running: Vec::new(),
            began: Instant::now(),
            screen: is_drawn.then(|| Screen::new(io::stdout(), has_colour())),
            has_stdout,
            is_quiet,
        }
    }

    /// Does the jobs. The second value is what ended the batch before all were done.
    pub async fn run(mut self) -> (Tally, Option<Failure>) {
        let mut signals = stream::select(
            interrupts().map(|()| Event::Interrupt),
            glib::interval_stream(REFRESH).map(|()| Event::Refresh),
        );
        let mut outcomes: FuturesUnordered<LocalBoxFuture<'a, Outcome>> = FuturesUnordered::new();
        let mut stopped = None;
        loop {
            while !self.tally.is_interrupted {
                match self.schedule.next(self.began.elapsed()) {
                    Next::Begin(job) => outcomes.push(self.begin(job)),
                    Next::Wait(_) => break,
                    Next::Done => return self.end(None),
                }
            }
            if self.tally.is_interrupted && outcomes.is_empty() {
                return self.end(None);
            }
            let event = match outcomes.is_empty() {
                true => signals.next().await,
                false => {
                    let ended = outcomes.next();
                    let signal = signals.next();
                    futures_util::pin_mut!(ended, signal);
                    match futures_util::future::select(ended, signal).await {
                        futures_util::future::Either::Left((outcome, _)) => {
                            outcome.map(Event::Ended)
                        }
                        futures_util::future::Either::Right((event, _)) => event,
                    }
                }
            };
            match event {
                Some(Event::Ended((job, outcome))) => {
                    stopped = self.ended(job, outcome).unwrap_or_else(Some);
                }
                // The second one.
                Some(Event::Interrupt) if self.tally.is_interrupted => break,
                Some(Event::Interrupt) => {
                    self.tally.is_interrupted = true;
                    self.common.is_interrupted.set(true);
                }
                Some(Event::Refresh) => stopped = self.refresh().err(),
                None => (),
            }
            if stopped.is_some() {
                break;
            }
        }
        // A job that is dropped stops and leaves nothing behind.
        drop(outcomes);
        self.end(stopped)
    }

    fn begin(&mut self, job: usize) -> LocalBoxFuture<'a, Outcome> {
        self.running.push(job);
        let (jobs, common) = (self.jobs, self.common);
        Box::pin(async move { (job, jobs[job].run(common).await) })
    }

    /// Takes what has become of a job; returns what ends the batch.
    fn ended(
        &mut self,
        job: usize,
        outcome: Result<Done, Failure>,
    ) -> Result<Option<Failure>, Failure> {
        self.running.retain(|running| *running != job);
        self.warn()?;
        let one = &self.jobs[job];
        one.progress.clear();
        let failure = match outcome {
            // It would come later.
            Err(failure) if failure.kind == Kind::Later && self.tally.is_interrupted => {
                return Ok(None);
            }
            Err(failure) if failure.kind == Kind::Later => failure,
            outcome => {
                let all = match &outcome {
                    Err(failure) if failure.kind == Kind::All => Some(failure.clone()),
                    _ => None,
                };
                self.schedule.ended();
                if all.is_none() {
                    let line = self.tally.count(one, outcome);
                    self.report(&line)?;
                }
                return Ok(all);
            }
        };
        match self.schedule.refused(job, self.began.elapsed()) {
            Verdict::Again { pause, at_once } => {
                let line = format!(
                    "{}: back to the end of the list: {}; at most {at_once} at once, the next in \
                     {} s",
                    one.input,
                    failure.text,
                    pause.as_millis().div_ceil(1000)
                );
                self.report(&line)?;
                Ok(None)
            }
            Verdict::GiveUp => Ok(Some(failure)),
        }
    }

    fn refresh(&mut self) -> Result<(), Failure> {
        if self.common.is_short.take() {
            self.schedule.is_short();
        }
        self.warn()?;
        self.draw(&[])
    }

    /// Reports warnings that have come: on standard error, above what is drawn.
    fn warn(&mut self) -> Result<(), Failure> {
        let notes = self.common.notes.take();
        if self.is_quiet || notes.is_empty() {
            return Ok(());
        }
        self.clear()?;
        notes
            .iter()
            .flat_map(|note| on_stderr(&one_line(note)))
            .for_each(|line| eprintln(&line));
        Ok(())
    }

    /// A line for good.
    fn report(&mut self, line: &str) -> Result<(), Failure> {
        let line = one_line(line);
        match (&self.screen, self.has_stdout) {
            _ if self.is_quiet => Ok(()),
            (Some(_), _) => self.draw(&kept(&line)),
            (None, true) => self.common.written(println(&line)),
            (None, false) => {
                eprintln(&line);
                Ok(())
            }
        }
    }

    fn draw(&mut self, kept: &[String]) -> Result<(), Failure> {
        let Some(screen) = &mut self.screen else {
            return Ok(());
        };
        let pause = self.schedule.pause(self.began.elapsed());
        let running = self.running.iter().map(|job| &self.jobs[*job]);
        let (lines, whole) = self.tally.lines(running, pause);
        screen
            .draw_lines(size(), kept, &lines, &whole)
            .map_err(Failure::of_stdout)
    }

    fn end(mut self, stopped: Option<Failure>) -> (Tally, Option<Failure>) {
        let cleared = self.clear();
        self.screen = None;
        let summary = self.tally.summary();
        let ended = cleared
            .and_then(|()| self.warn())
            .and_then(|()| self.report(&summary));
        (self.tally, stopped.or(ended.err()))
    }

    fn clear(&mut self) -> Result<(), Failure> {
        match &mut self.screen {
            Some(screen) => screen.clear(size()).map_err(Failure::of_stdout),
            None => Ok(()),
        }
    }
}
