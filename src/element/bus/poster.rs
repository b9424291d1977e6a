//! Messages, warnings and the error that events of the client become.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use gst::prelude::*;

use super::errors::{self, ErrorContext, Ids, Report};
use super::progress::ConnectProgress;
use super::{messages, post_message, tags, warnings};
use crate::client::{ClientError, Event};
use crate::element::settings::Posts;
use crate::element::timeline::Timeline;
use crate::protocol::text::sanitize;
use crate::session::transcript::Update;
use crate::sync::lock;

/// Posts the messages of one run.
pub(crate) struct BusPoster {
    /// Category of the element's log.
    pub category: gst::DebugCategory,
    timeline: Mutex<Timeline>,
    context: ErrorContext,
    pub posts: Mutex<Posts>,
    /// The failure to make a tag was logged.
    tags_failed: AtomicBool,
    pub progress: ConnectProgress,
    /// Utterances that were posted and are not final, by stream and number.
    open: Mutex<BTreeSet<(u32, u32)>>,
    /// Ids of the run's current or last connection.
    ids: Mutex<Ids>,
    /// Ids of the element's current or last connection, in any run: its properties.
    last_ids: Arc<Mutex<Ids>>,
}

impl BusPoster {
    pub fn new(
        category: gst::DebugCategory,
        timeline: Timeline,
        context: ErrorContext,
        posts: Posts,
        last_ids: Arc<Mutex<Ids>>,
    ) -> Self {
        BusPoster {
            category,
            timeline: Mutex::new(timeline),
            context,
            posts: Mutex::new(posts),
            tags_failed: AtomicBool::new(false),
            progress: ConnectProgress::default(),
            open: Mutex::default(),
            ids: Mutex::default(),
            last_ids,
        }
    }

    pub fn timeline(&self) -> MutexGuard<'_, Timeline> {
        lock(&self.timeline)
    }

    /// Returns `text` with the credentials redacted.
    pub fn redact(&self, text: &str) -> String {
        self.context.redact(text)
    }

    /// Forgets the open utterances: a flush has discarded them.
    pub fn flush(&self) {
        lock(&self.open).clear();
    }

    /// Posts an event as one message or several. `wanted` tells between two whether a flush or a
    /// stop has discarded the rest.
    pub fn post_event(&self, element: &gst::Element, event: Event, wanted: &dyn Fn() -> bool) {
        match event {
            Event::NetworkReady => {
                gst::debug!(self.category, obj = element, "the network is ready");
                let kind = gst::ProgressType::Complete;
                self.progress.end(element, kind, "The network is ready");
            }
            Event::Ids { connect_id, log_id } => {
                let ids = Ids {
                    connect: Some(connect_id),
                    log: log_id,
                };
                *lock(&self.ids) = ids.clone();
                self.notify_ids(element, ids);
            }
            Event::Transcript {
                stream,
                session,
                update,
            } => {
                self.transcript(element, stream, session, &update);
                // The application's handler may take its time with the message, and flush.
                if update.is_final && !update.text.is_empty() && wanted() {
                    self.tag(element, &update.text);
                }
            }
            Event::Response { session, json } => {
                if lock(&self.posts).responses {
                    let response = gst::Structure::builder("volcasr-response")
                        .field("json", json)
                        .field("session", session);
                    post_structure(element, response.build());
                }
            }
            Event::Quiet { .. } => {}
            Event::Settled { stream, until } => self.timeline().forget(stream, until),
            Event::Reconnecting {
                lost,
                error,
                attempt,
                backoff,
                stream,
                from,
            } => {
                let times = self.timeline().times(stream, Some(from), None);
                let details = errors::details(&error, &self.context, &lock(&self.ids));
                let cause = self.redact(&error.to_string());
                let cause = (lost, &*cause, details);
                let report = warnings::reconnecting(cause, (attempt, backoff), times);
                self.progress.update(element, report.error.message());
                self.warn(element, report);
            }
            Event::FinishTimedOut { waited, error } => {
                let cause = error.map(|error| self.redact(&error.to_string()));
                self.warn(element, warnings::finish_timed_out(waited, cause));
            }
            Event::SampleRateMismatch { counted, sent } => {
                let rate = self.context.rate_to_try();
                self.warn(element, warnings::sample_rate_mismatch(counted, sent, rate));
            }
            Event::NotUnderstood { responses } => {
                self.warn(element, warnings::not_understood(responses));
            }
            // Handled by the outbox.
            Event::Failed { .. } | Event::BoundaryDone { .. } => {}
        }
    }

    fn transcript(&self, element: &gst::Element, stream: u32, session: u32, update: &Update) {
        let key = (stream, update.number);
        if update.is_final {
            // An utterance that was never posted needs no withdrawal.
            if !lock(&self.open).remove(&key) && update.text.is_empty() {
                return;
            }
        } else {
            if !lock(&self.posts).interim {
                return;
            }
            lock(&self.open).insert(key);
        }
        let structure = messages::transcript(&self.timeline(), stream, session, update);
        gst::debug!(self.category, obj = element, "{}", LogLine(stream, update));
        gst::log!(self.category, obj = element, "{structure}");
        post_structure(element, structure);
    }

    fn tag(&self, element: &gst::Element, text: &str) {
        if !lock(&self.posts).tags {
            return;
        }
        match tags::list(text) {
            Ok(tags) => {
                let message = gst::message::Tag::builder(tags).src(element).build();
                post_message(element, message);
            }
            Err(error) => {
                if !self.tags_failed.swap(true, Ordering::Relaxed) {
                    gst::warning!(
                        self.category,
                        obj = element,
                        "no tags \"transcript\": {error}"
                    );
                }
            }
        }
    }

    /// Posts that downstream has refused text.
    pub fn refused(&self, element: &gst::Element, error: gst::FlowError) {
        let report = errors::refused_downstream(error);
        gst::error!(self.category, obj = element, "{}", report.error.message());
        post_error(element, report);
    }

    /// Makes the error that ends the run. `lost` says that a session was open before.
    pub fn report(&self, error: &ClientError, lost: bool) -> Report {
        errors::report(error, lost, &self.context, &lock(&self.ids))
    }

    /// Posts the error that ends the run, and the end of the progress before it. `wanted` tells in
    /// between whether the application has stopped the element on seeing the progress end.
    pub fn failed(&self, element: &gst::Element, report: Report, wanted: &dyn Fn() -> bool) {
        let text = report.error.message();
        gst::error!(self.category, obj = element, "{text}");
        self.progress.end(element, gst::ProgressType::Error, text);
        if wanted() {
            post_error(element, report);
        }
    }

    /// Notifies the properties `connect-id` and `log-id` where they change.
    fn notify_ids(&self, element: &gst::Element, ids: Ids) {
        // Unlocked before the notification: an application reads the property in its handler.
        let before = std::mem::replace(&mut *lock(&self.last_ids), ids.clone());
        if before.connect != ids.connect {
            element.notify("connect-id");
        }
        if before.log != ids.log {
            element.notify("log-id");
        }
    }

    /// Posts a warning.
    pub fn warn(&self, element: &gst::Element, report: Report) {
        gst::warning!(self.category, obj = element, "{}", report.error.message());
        let message = gst::message::Warning::builder_from_error(report.error)
            .debug_if_some(report.debug.as_deref())
            .details_if_some(report.details);
        post_message(element, message.src(element).build());
    }
}

fn post_error(element: &gst::Element, report: Report) {
    let message = gst::message::Error::builder_from_error(report.error)
        .debug_if_some(report.debug.as_deref())
        .details_if_some(report.details);
    post_message(element, message.src(element).build());
}

/// An update as a line of the log: its utterance, its place on the stream's axis, its text.
struct LogLine<'a>(u32, &'a Update);

impl fmt::Display for LogLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogLine(stream, update) = self;
        let state = match (update.text.is_empty(), update.is_final, update.unconfirmed) {
            (true, ..) => "withdrawn",
            (_, true, true) => "final, unconfirmed",
            (_, true, false) => "final",
            _ => "interim",
        };
        write!(f, "stream {stream}, utterance {}, {state}", update.number)?;
        if let (Some(start), Some(end)) = (update.start, update.end) {
            let (start, end) = (start.as_secs_f64(), end.as_secs_f64());
            write!(f, ", {start:.2} s to {end:.2} s")?;
        }
        write!(f, ": \"{}\"", sanitize(&update.text))
    }
}

fn post_structure(element: &gst::Element, structure: gst::Structure) {
    let message = gst::message::Element::builder(structure);
    post_message(element, message.src(element).build());
}
