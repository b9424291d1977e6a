//! The loop: messages, Ctrl-C and a clock in, captions out.

use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, LocalBoxStream};
use gst::glib;

use super::display::Display;
use super::fonts;
use super::status::Status;
use crate::failure::{Failure, eprintln};
use crate::interrupt::{interrupts, resizes};
use crate::news::{FINISH_TIMEOUT, News, Warning, Warnings};
use crate::output::files::Files;
use crate::output::film::Film;
use crate::output::order::Order;
use crate::output::transcript::Transcript;
use crate::pipeline::Recognition;
use crate::pipeline::guard::{Guard, REFRESH};
use crate::terminal::on_stderr;

/// How it ended.
pub enum Ending {
    /// All words are there and confirmed.
    Whole,
    /// It ended, but not all words are confirmed, or not all audio was recognised.
    Lacking,
    /// By a second Ctrl-C.
    Quit,
}

enum Event {
    Message(gst::Message),
    Interrupt,
    Resize,
    Refresh,
}

/// A recognition and where its words go.
pub struct Captions {
    recognition: Recognition,
    guard: Guard,
    display: Display,
    files: Files,
    order: Order,
    status: Status,
    warnings: Warnings,
    unconfirmed: usize,
    /// Only errors are reported.
    is_quiet: bool,
    /// The last words did not come in time, or the film was cut.
    is_cut: bool,
    /// The picture with captions.
    film: Option<Film>,
    /// Everything has come to its end, the film too.
    has_ended: bool,
    /// A letter of the captions was looked up in the fonts.
    knows_fonts: bool,
    /// Why standard output came to its end before the files did, but for a reader that is gone.
    lost: Option<Failure>,
}

impl Captions {
    pub fn new(
        recognition: Recognition,
        display: Display,
        (files, film): (Files, Option<Film>),
        name: Option<String>,
        stall_limit: Duration,
        is_quiet: bool,
    ) -> Self {
        let level = display.is_live().then(|| recognition.watch_level());
        Captions {
            status: Status::new(name, level),
            recognition,
            guard: Guard::new(stall_limit),
            display,
            files,
            order: Order::default(),
            warnings: Warnings::default(),
            unconfirmed: 0,
            is_quiet,
            is_cut: false,
            film,
            has_ended: false,
            knows_fonts: false,
            lost: None,
        }
    }

    /// Runs until the end, whichever it is. Nothing here waits but for the next event.
    pub async fn listen(&mut self) -> Result<Ending, Failure> {
        let messages = self.recognition.messages()?.map(Event::Message);
        let signals = stream::select(interrupts().map(|()| Event::Interrupt), self.clock());
        let mut events = stream::select(messages, signals);
        self.recognition.start();
        while let Some(event) = events.next().await {
            let news = match event {
                Event::Message(message) => match self.guard.take(&message, &self.recognition) {
                    Some(news) => Some(news),
                    None => continue,
                },
                Event::Interrupt if self.guard.is_ending() => return Ok(Ending::Quit),
                // No audio came, and the input may hang.
                Event::Interrupt if self.recognition.received().is_zero() => break,
                Event::Interrupt => {
                    self.status.end();
                    self.guard.end(&self.recognition);
                    None
                }
                Event::Refresh => {
                    self.status.look(&self.recognition);
                    self.guard.look(&self.recognition)
                }
                Event::Resize => None,
            };
            match news {
                Some(News::Transcript(transcript)) => self.receive(transcript)?,
                Some(News::Connect(progress)) => self.status.connect(progress),
                Some(News::Track(line)) => self.note(&line)?,
                Some(News::Warning(warning)) => self.warn(&warning)?,
                Some(News::InputFailed(failure) | News::Failed(failure)) => return Err(failure),
                Some(News::Late) => {
                    self.is_cut = true;
                    self.note("warning: the last words did not come in time")?;
                    break;
                }
                Some(News::Ended) => {
                    self.has_ended = true;
                    break;
                }
                None => (),
            }
            self.show(&[])?;
        }
        Ok(Ending::Whole)
    }

    /// Writes what is held back, leaves the terminal in order, and reports what is lacking.
    pub fn close(mut self, listened: Result<Ending, Failure>) -> Result<Ending, Failure> {
        let held = self.order.finish();
        let written = self.keep(&held).and_then(|()| self.clear());
        let shown = self.display.finish();
        let shown = self.shown(shown);
        let mut notes: Vec<String> = self
            .warnings
            .repeated()
            .map(|(kind, count)| format!("{kind}: {count} times in all"))
            .collect();
        if self.unconfirmed > 0 {
            notes.push(format!("unconfirmed utterances: {}", self.unconfirmed));
        }
        let film = self.complete_film(listened.is_ok(), &mut notes);
        let dropped = self.recognition.dropped();
        if !dropped.is_zero() {
            notes.push(format!("audio that was dropped: {dropped:.1}"));
        }
        let missing = match (&listened, self.guard.is_ending()) {
            (Ok(Ending::Whole), false) => self.recognition.missing(),
            _ => None,
        };
        notes.extend(missing.map(crate::pipeline::extent::note));
        for note in notes.iter().filter(|_| !self.is_quiet) {
            eprintln(&format!("warning: {note}"));
        }
        // Ctrl-C before any audio is no result, nor is a service that was not waited for.
        let is_whole = listened.is_ok() && self.has_ended;
        let finished = self.files.finish(is_whole);
        let ending = listened?;
        written?;
        finished?;
        film?;
        shown?;
        self.lost.take().map_or(Ok(()), Err)?;
        let is_lacking = self.unconfirmed > 0
            || !self.has_ended
            || self.is_cut
            || missing.is_some()
            || !dropped.is_zero()
            // Nothing was open, but there might have been words.
            || self.warnings.has(FINISH_TIMEOUT);
        Ok(match ending {
            Ending::Whole if is_lacking => Ending::Lacking,
            ending => ending,
        })
    }

    /// Closes the film and gives it its name, if it has come to an end in good order.
    fn complete_film(&mut self, is_good: bool, notes: &mut Vec<String>) -> Result<(), Failure> {
        let Some((film, picture)) = self.film.take().zip(self.recognition.picture()) else {
            return Ok(());
        };
        if !self.has_ended {
            self.is_cut = true;
            notes.extend(is_good.then(|| "the video has not come to an end, and is gone".into()));
            return Ok(());
        }
        picture.close();
        if self.guard.is_ending() {
            self.is_cut = true;
            let end = self.recognition.position().unwrap_or_default();
            notes.push(format!(
                "the video ends at {end:.1}, where it was interrupted"
            ));
        }
        film.complete()
    }

    fn receive(&mut self, transcript: Transcript) -> Result<(), Failure> {
        if transcript.is_final && transcript.unconfirmed && transcript.has_text() {
            self.unconfirmed += 1;
        }
        self.status.receive(&transcript);
        self.look_for_font(&transcript.text)?;
        let line = self.display.json(&transcript);
        let ready = self.order.take(transcript);
        self.keep(&ready)?;
        match line {
            Some(line) => {
                let shown = self.display.pass_on(&line);
                self.shown(shown)
            }
            None => Ok(()),
        }
    }

    /// Writes final utterances: to the files first, so that a reader of the screen finds them
    /// there.
    fn keep(&mut self, ready: &[Transcript]) -> Result<(), Failure> {
        if ready.is_empty() {
            return Ok(());
        }
        let pending = self.order.pending();
        for (place, transcript) in ready.iter().enumerate() {
            let next = ready.get(place + 1).or(pending.first().copied());
            self.files.write(transcript, next)?;
        }
        self.show(ready)
    }

    /// Warns once of letters that a picture can't show.
    fn look_for_font(&mut self, text: &str) -> Result<(), Failure> {
        if self.film.is_none() || self.knows_fonts {
            return Ok(());
        }
        let Some(letter) = fonts::rare_letter(text) else {
            return Ok(());
        };
        self.knows_fonts = true;
        match fonts::missing(letter) {
            Some(warning) => self.note(&warning),
            None => Ok(()),
        }
    }

    fn show(&mut self, ready: &[Transcript]) -> Result<(), Failure> {
        let pending = self.order.pending();
        let shown = self.display.show(ready, &pending, &self.status);
        self.shown(shown)
    }

    fn clear(&mut self) -> Result<(), Failure> {
        let shown = self.display.clear();
        self.shown(shown)
    }

    /// Takes what became of standard output. Where there are files, they are written on without it.
    fn shown(&mut self, shown: io::Result<()>) -> Result<(), Failure> {
        let Err(error) = shown else {
            return Ok(());
        };
        self.display.close();
        let is_gone = error.kind() == io::ErrorKind::BrokenPipe;
        let failure = Failure::of_stdout(error);
        if self.files.is_empty() && self.film.is_none() {
            return Err(failure);
        }
        if !self.is_quiet {
            eprintln(&format!("warning: {failure}; the files go on"));
        }
        self.lost = (!is_gone).then_some(failure);
        Ok(())
    }

    fn warn(&mut self, warning: &Warning) -> Result<(), Failure> {
        if let Some(attempt) = warning.attempt {
            self.status.reconnect(attempt, warning.reason.clone());
        }
        match self.warnings.take(warning) {
            Some(text) => self.note(&format!("warning: {text}")),
            None => Ok(()),
        }
    }

    /// A line for people, above what is drawn.
    fn note(&mut self, line: &str) -> Result<(), Failure> {
        if !self.is_quiet {
            self.clear()?;
            for line in on_stderr(line) {
                eprintln(&line);
            }
        }
        Ok(())
    }

    fn clock(&self) -> LocalBoxStream<'static, Event> {
        let ticks = glib::interval_stream(REFRESH).map(|()| Event::Refresh);
        match self.display.is_live() {
            true => stream::select(ticks, resizes().map(|()| Event::Resize)).boxed_local(),
            false => ticks.boxed_local(),
        }
    }
}
