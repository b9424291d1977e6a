//! The messages of a pipeline, as the tests read them.

use std::fmt::Display;

use gst::prelude::*;

use volcasr_loopback::marks::Mark;

use super::{LONG_TIME, assert_ends_once, expected, marks_of};

pub use gstvolcasr::{Transcript, Word};

/// Messages of a bus, in order.
#[derive(Debug, Default)]
pub struct BusLog {
    pub messages: Vec<gst::Message>,
}

impl BusLog {
    pub fn transcripts(&self) -> Vec<Transcript> {
        self.messages
            .iter()
            .filter_map(|message| Transcript::from_message(message))
            .collect()
    }

    pub fn finals(&self) -> Vec<Transcript> {
        let mut all = self.transcripts();
        all.retain(|transcript| transcript.is_final);
        all
    }

    /// The texts of the tag `transcript`, in order.
    pub fn tags(&self) -> Vec<String> {
        self.messages
            .iter()
            .filter_map(|message| match message.view() {
                gst::MessageView::Tag(tag) => tag.tags().generic("transcript")?.get().ok(),
                _ => None,
            })
            .collect()
    }

    /// The structures of this name, in order.
    pub fn structures(&self, name: &str) -> Vec<&gst::StructureRef> {
        let all = self
            .messages
            .iter()
            .filter_map(|message| message.structure());
        all.filter(|structure| structure.name() == name).collect()
    }

    pub fn errors(&self) -> Vec<Report> {
        self.reports(gst::MessageType::Error)
    }

    pub fn warnings(&self) -> Vec<Report> {
        self.reports(gst::MessageType::Warning)
    }

    /// Adds what came later.
    pub fn add(&mut self, later: BusLog) {
        self.messages.extend(later.messages);
    }

    /// Asserts that nothing went wrong, and that each utterance ends once.
    #[track_caller]
    pub fn assert_clean(&self) {
        self.assert_clean_in("");
    }

    #[track_caller]
    pub fn assert_clean_in(&self, case: impl Display) {
        self.assert_no_errors(&case);
        self.assert_no_warnings(&case);
        assert_ends_once(&self.transcripts());
    }

    /// Asserts that there was no error, and that the final words are the marks, moved by `offset`
    /// milliseconds.
    #[track_caller]
    pub fn assert_said(&self, marks: &[Mark], offset: u64) {
        self.assert_said_in("", marks, offset);
    }

    #[track_caller]
    pub fn assert_said_in(&self, case: impl Display, marks: &[Mark], offset: u64) {
        self.assert_no_errors(&case);
        assert_ends_once(&self.transcripts());
        assert_eq!(marks_of(&self.finals()), expected(marks, offset), "{case}");
    }

    /// Asserts that there is no error; `case` is for the message.
    #[track_caller]
    pub fn assert_no_errors(&self, case: impl Display) {
        let errors = self.errors();
        assert!(errors.is_empty(), "{case}: {errors:?}");
    }

    /// Asserts that there is no warning; `case` is for the message.
    #[track_caller]
    pub fn assert_no_warnings(&self, case: impl Display) {
        let warnings = self.warnings();
        assert!(warnings.is_empty(), "{case}: {warnings:?}");
    }

    fn reports(&self, kind: gst::MessageType) -> Vec<Report> {
        let messages = self.messages.iter().filter(|m| m.type_() == kind);
        let report = |message: &gst::Message| {
            let (error, debug, details) = match message.view() {
                gst::MessageView::Error(m) => (m.error(), m.debug(), m.details()),
                gst::MessageView::Warning(m) => (m.error(), m.debug(), m.details()),
                _ => return None,
            };
            Some(Report {
                error,
                debug: debug.map(String::from),
                details: details.map(|details| details.to_owned()),
                source: message.src().map(|source| source.name().into()),
            })
        };
        messages.filter_map(report).collect()
    }

    /// The progress messages of the code `connect`.
    pub fn progress(&self) -> Vec<gst::ProgressType> {
        self.messages
            .iter()
            .filter_map(|message| match message.view() {
                gst::MessageView::Progress(progress) => Some(progress.get().0),
                _ => None,
            })
            .collect()
    }

    pub fn saw_eos(&self) -> bool {
        self.messages
            .iter()
            .any(|message| message.type_() == gst::MessageType::Eos)
    }
}

/// Returns the messages until EOS or an error, both included.
pub fn listen(bus: &gst::Bus) -> BusLog {
    listen_until(bus, |message| {
        matches!(
            message.type_(),
            gst::MessageType::Eos | gst::MessageType::Error
        )
    })
}

/// Returns the messages until the first that `is_last`, it included.
pub fn listen_until(bus: &gst::Bus, is_last: impl Fn(&gst::Message) -> bool) -> BusLog {
    let mut log = BusLog::default();
    loop {
        let message = bus.timed_pop(LONG_TIME);
        let message = message.unwrap_or_else(|| panic!("nothing more came: {log:#?}"));
        let last = is_last(&message);
        log.messages.push(message);
        if last {
            return log;
        }
    }
}

/// An error or a warning.
#[derive(Debug)]
pub struct Report {
    pub error: gst::glib::Error,
    pub debug: Option<String>,
    pub details: Option<gst::Structure>,
    pub source: Option<String>,
}

impl Report {
    /// Asserts its domain and code, and that its text has these parts.
    #[track_caller]
    pub fn assert_is<E>(&self, error: E, parts: &[&str])
    where
        E: gst::glib::error::ErrorDomain,
    {
        assert!(self.error.matches(error), "{self:?}");
        for part in parts {
            assert!(self.error.message().contains(part), "no {part} in {self:?}");
        }
    }

    /// Returns one of its details, if there is such a number.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.details.as_ref()?.get(name).ok()
    }

    pub fn is_retryable(&self) -> bool {
        let details = self.details.as_ref().expect("details");
        assert_eq!(details.name(), "volcasr-error");
        details.get("retryable").expect("a flag")
    }
}

/// Whether an utterance ends with this message.
pub fn is_final(message: &gst::Message) -> bool {
    Transcript::from_message(message).is_some_and(|t| t.is_final)
}

pub fn is_transcript(message: &gst::Message) -> bool {
    Transcript::from_message(message).is_some()
}

pub fn is_warning(message: &gst::Message) -> bool {
    message.type_() == gst::MessageType::Warning
}

pub fn is_error(message: &gst::Message) -> bool {
    message.type_() == gst::MessageType::Error
}
