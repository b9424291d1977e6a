//! The loop: messages, Ctrl-C and a clock in, captions out.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, LocalBoxStream};
use gst::glib;

use super::display::Display;
use super::files::Files;
use super::status::Status;
use crate::failure::Failure;
use crate::interrupt::{interrupts, resizes};
use crate::news::{FINISH_TIMEOUT, News, Warning, Warnings};
use crate::order::Order;
use crate::recognition::Recognition;
use crate::transcript::Transcript;

/// How often position and latency are looked at.
const REFRESH: Duration = Duration::from_millis(250);

/// How it ended.
pub enum Ending {
    /// All words are there and confirmed.
    Whole,
    /// It ended, but not all words are confirmed, or not all audio was heard.
    Lacking,
    /// By a second Ctrl-C.
    Quit,
}

enum Event {
    Message(gst::Message),
    Interrupt,
    Refresh,
}

/// A recognition and where its words go.
pub struct Captions {
    recognition: Recognition,
    display: Display,
    files: Files,
    order: Order,
    status: Status,
    warnings: Warnings,
    unconfirmed: usize,
}

impl Captions {
    pub fn new(recognition: Recognition, display: Display, files: Files) -> Self {
        Captions {
            recognition,
            display,
            files,
            order: Order::default(),
            status: Status::default(),
            warnings: Warnings::default(),
            unconfirmed: 0,
        }
    }

    /// Runs until the end, whichever it is. Nothing here waits but for the next event.
    pub async fn listen(&mut self) -> Result<Ending, Failure> {
        let messages = self.recognition.messages()?.map(Event::Message);
        let signals = stream::select(
            interrupts().map(|()| Event::Interrupt),
            self.clock().map(|()| Event::Refresh),
        );
        let mut events = stream::select(messages, signals);
        self.recognition.start();
        while let Some(event) = events.next().await {
            match event {
                Event::Message(message) => match News::of(&message) {
                    Some(News::Transcript(transcript)) => self.hear(transcript)?,
                    Some(News::Connect(progress)) => self.status.connect(progress),
                    Some(News::Warning(warning)) => self.warn(&warning)?,
                    Some(News::Failed(failure)) => return Err(failure),
                    Some(News::Ended) => break,
                    None => continue,
                },
                Event::Interrupt if self.status.is_ending() => return Ok(Ending::Quit),
                Event::Interrupt => {
                    self.status.end();
                    self.recognition.end();
                }
                Event::Refresh => self.status.look(&self.recognition),
            }
            self.show(&[])?;
        }
        Ok(Ending::Whole)
    }

    /// Writes what is held back, leaves the terminal in order, and tells what is lacking.
    pub fn close(mut self, listened: Result<Ending, Failure>) -> Result<Ending, Failure> {
        let held = self.order.finish();
        let written = self.keep(&held).and_then(|()| self.clear());
        for (kind, count) in self.warnings.repeated() {
            eprintln!("warning: {kind}: {count} times in all");
        }
        if self.unconfirmed > 0 {
            eprintln!("warning: unconfirmed utterances: {}", self.unconfirmed);
        }
        let dropped = self.recognition.dropped();
        if !dropped.is_zero() {
            eprintln!("warning: audio that was dropped: {dropped:.1}");
        }
        let ending = listened?;
        written?;
        if let Ending::Whole = ending {
            self.files.complete()?;
        }
        let is_lacking = self.unconfirmed > 0
            || !dropped.is_zero()
            // Nothing was open, but who knows what would have come.
            || self.warnings.has(FINISH_TIMEOUT);
        Ok(match ending {
            Ending::Whole if is_lacking => Ending::Lacking,
            ending => ending,
        })
    }

    fn hear(&mut self, transcript: Transcript) -> Result<(), Failure> {
        if transcript.is_final && transcript.unconfirmed && transcript.has_text() {
            self.unconfirmed += 1;
        }
        let ready = self.order.take(transcript);
        self.keep(&ready)
    }

    /// What does not change any more: to the files first, so that whoever sees it finds it there.
    fn keep(&mut self, ready: &[Transcript]) -> Result<(), Failure> {
        if ready.is_empty() {
            return Ok(());
        }
        for transcript in ready {
            self.files.write(transcript)?;
        }
        self.show(ready)
    }

    fn show(&mut self, ready: &[Transcript]) -> Result<(), Failure> {
        let pending = self.order.pending();
        self.display
            .show(ready, &pending, &self.status)
            .map_err(Failure::of_stdout)
    }

    fn clear(&mut self) -> Result<(), Failure> {
        self.display.clear().map_err(Failure::of_stdout)
    }

    fn warn(&mut self, warning: &Warning) -> Result<(), Failure> {
        if let Some(attempt) = warning.attempt {
            self.status.reconnect(attempt);
        }
        if let Some(text) = self.warnings.take(warning) {
            self.clear()?;
            eprintln!("warning: {text}");
        }
        Ok(())
    }

    /// When to look at position and size; never, where nobody sees it.
    fn clock(&self) -> LocalBoxStream<'static, ()> {
        if self.display.is_live() {
            stream::select(glib::interval_stream(REFRESH), resizes()).boxed_local()
        } else {
            stream::pending().boxed_local()
        }
    }
}
