//! From events to messages: what each is to the application.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use super::{messages, tags};
use crate::client::{ClientError, Event};
use crate::element::CAT;
use crate::element::bus::errors::{self, Identity};
use crate::element::ineffective::Ineffective;
use crate::element::timeline::{Timeline, Times};
use crate::protocol::text::sanitize;
use crate::session::transcript::Update;

/// State of the progress `connect`. Each start gets exactly one end, in this order, whichever threads
/// post them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connecting {
    /// Not begun, or over.
    Idle,
    /// Its start is being posted.
    Starting,
    /// Its end is to be posted.
    UnderWay,
    /// Canceled while its start was being posted: the thread that posts the start posts the end, too.
    Canceled,
}

/// The ids of a connection, for the vendor's support.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    /// `X-Api-Connect-Id`: ours.
    pub connect: Option<String>,
    /// `X-Tt-Logid`: the service's.
    pub log: Option<String>,
}

/// What the posting of one run needs to know.
pub(crate) struct Posting {
    pub timeline: Mutex<Timeline>,
    identity: Identity,
    pub interim: AtomicBool,
    pub tags: AtomicBool,
    tags_failed: AtomicBool,
    connecting: Mutex<Connecting>,
    /// Utterances, by stream and number, that were posted and are not final.
    announced: Mutex<BTreeSet<(u32, u32)>>,
    /// Of the current or last connection of this run.
    ids: Mutex<Ids>,
    /// The same of any run, for the element's properties.
    last_ids: Arc<Mutex<Ids>>,
}

impl Posting {
    pub fn new(timeline: Timeline, identity: Identity, last_ids: Arc<Mutex<Ids>>) -> Self {
        Posting {
            timeline: Mutex::new(timeline),
            identity,
            interim: AtomicBool::new(true),
            tags: AtomicBool::new(true),
            tags_failed: AtomicBool::new(false),
            connecting: Mutex::new(Connecting::Idle),
            announced: Mutex::default(),
            ids: Mutex::default(),
            last_ids,
        }
    }

    pub fn timeline(&self) -> MutexGuard<'_, Timeline> {
        self.timeline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `text` without the credentials.
    pub fn redact(&self, text: &str) -> String {
        self.identity.redact(text)
    }

    pub fn forget_announced(&self) {
        self.announced().clear();
    }

    fn announced(&self) -> MutexGuard<'_, BTreeSet<(u32, u32)>> {
        self.announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the progress `connect`.
    pub fn starting(&self, element: &gst::Element) {
        *self.connecting() = Connecting::Starting;
        progress(
            element,
            gst::ProgressType::Start,
            "Connecting to the recognition service",
        );
        if !self.goes_from(Connecting::Starting, Connecting::UnderWay) {
            *self.connecting() = Connecting::UnderWay;
            self.canceled(element);
        }
    }

    fn connecting(&self) -> MutexGuard<'_, Connecting> {
        self.connecting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes from one state to another, unless it is in a third one. Returns whether it did.
    fn goes_from(&self, from: Connecting, to: Connecting) -> bool {
        let mut state = self.connecting();
        let is_there = *state == from;
        if is_there {
            *state = to;
        }
        is_there
    }

    /// Ends the progress, if it has not ended, because nobody waits for it any more.
    pub fn canceled(&self, element: &gst::Element) {
        if !self.goes_from(Connecting::Starting, Connecting::Canceled) {
            self.end_progress(
                element,
                gst::ProgressType::Canceled,
                "Connecting was canceled",
            );
        }
    }

    fn end_progress(&self, element: &gst::Element, end: gst::ProgressType, text: &str) {
        if self.goes_from(Connecting::UnderWay, Connecting::Idle) {
            progress(element, end, text);
        }
    }

    /// Posts what an event is to the application. While that is more than one message, `wanted` is asked
    /// whether the rest is.
    pub fn event(&self, element: &gst::Element, event: Event, wanted: &dyn Fn() -> bool) {
        match event {
            Event::Ready => {
                gst::debug!(CAT, obj = element, "the network is ready");
                self.end_progress(element, gst::ProgressType::Complete, "The network is ready");
            }
            Event::Ids { connect_id, log_id } => {
                let ids = Ids {
                    connect: Some(connect_id),
                    log: log_id,
                };
                *self.ids.lock().unwrap_or_else(PoisonError::into_inner) = ids.clone();
                self.notify_ids(element, ids);
            }
            Event::Transcript {
                stream,
                session,
                update,
            } => {
                self.transcript(element, stream, session, &update);
                // The application may take its time with the message, and flush meanwhile.
                if update.is_final && !update.text.is_empty() && wanted() {
                    self.tag(element, &update.text);
                }
            }
            Event::Response { session, json } => {
                post(element, messages::response(&json, session));
            }
            Event::Settled { stream, until } => self.timeline().forget(stream, until),
            Event::Reconnecting {
                lost,
                error,
                attempt,
                pause,
                stream,
                from,
            } => {
                let what = if lost {
                    "The connection was lost and is being restored"
                } else {
                    "No session yet, trying again"
                };
                self.reconnecting(element, what, &error, (attempt, pause), (stream, from));
            }
            Event::FinishTimedOut { waited, error } => {
                self.finish_timed_out(element, waited, error.as_ref());
            }
            Event::SampleRateMismatch { counted, sent } => {
                self.counts_differently(element, counted, sent);
            }
            Event::NotUnderstood { responses } => {
                let text = format!(
                    "None of {responses} responses of the service holds anything that this element can read. Check \
                     that the property uri names a v3/sauc endpoint; post-responses shows what they hold."
                );
                let error = glib::Error::new(gst::StreamError::Decode, &text);
                warn(element, error, None, messages::unreadable(responses));
            }
            // The outbox sees to these.
            Event::Failed { .. } | Event::BoundaryDone { .. } => {}
        }
    }

    fn transcript(&self, element: &gst::Element, stream: u32, session: u32, update: &Update) {
        let key = (stream, update.number);
        if update.is_final {
            // Whoever never heard of it need not be told that it is withdrawn.
            if !self.announced().remove(&key) && update.text.is_empty() {
                return;
            }
        } else {
            if !self.interim.load(Ordering::Relaxed) {
                return;
            }
            self.announced().insert(key);
        }
        let structure = messages::transcript(&self.timeline(), stream, session, update);
        gst::debug!(CAT, obj = element, "{}", Line(stream, update));
        gst::log!(CAT, obj = element, "{structure}");
        post(element, structure);
    }

    fn tag(&self, element: &gst::Element, text: &str) {
        if !self.tags.load(Ordering::Relaxed) {
            return;
        }
        match tags::list(text) {
            Ok(tags) => {
                let message = gst::message::Tag::builder(tags).src(element).build();
                // Without a bus there is nobody to tell.
                let _ = element.post_message(message);
            }
            Err(error) => {
                if !self.tags_failed.swap(true, Ordering::Relaxed) {
                    gst::warning!(CAT, obj = element, "no tags \"transcript\": {error}");
                }
            }
        }
    }

    fn reconnecting(
        &self,
        element: &gst::Element,
        what: &str,
        error: &ClientError,
        (attempt, pause): (u32, Duration),
        (stream, from): (u32, Duration),
    ) {
        let times = self.timeline().times(stream, Some(from), None);
        let details = errors::details(error, &self.identity, &self.ids());
        let details = messages::reconnect(details, attempt, pause, times);
        let error = self.identity.redact(&error.to_string());
        let text = format!(
            "{what} in {} ms (try {attempt}): {error}",
            pause.as_millis()
        );
        let connecting = *self.connecting();
        if connecting == Connecting::UnderWay {
            progress(element, gst::ProgressType::Continue, &text);
        }
        warn(
            element,
            glib::Error::new(gst::ResourceError::Write, &text),
            None,
            details,
        );
    }

    fn counts_differently(&self, element: &gst::Element, counted: Duration, sent: Duration) {
        let way_out = match self.identity.other_rate() {
            Some(rate) => format!("Try the property rate={rate}"),
            None => "Check that the property uri names a v3/sauc endpoint".into(),
        };
        let text = format!(
            "The service has worked through more audio than was sent: it seems to count at another rate. {way_out}."
        );
        let error = glib::Error::new(gst::StreamError::Format, &text);
        warn(element, error, None, messages::rate(counted, sent));
    }

    fn finish_timed_out(
        &self,
        element: &gst::Element,
        waited: Duration,
        error: Option<&ClientError>,
    ) {
        let cause = error.map(|error| self.identity.redact(&error.to_string()));
        let why = match &cause {
            Some(cause) => format!(": {cause}"),
            None => String::new(),
        };
        let text = format!(
            "The service did not confirm the last words, for which this element waited {} ms{why}. What was heard last \
             was posted as final and unconfirmed. The properties finish-timeout and max-reconnects say how long to wait, and \
             how often to ask again.",
            waited.as_millis()
        );
        let error = glib::Error::new(gst::ResourceError::Read, &text);
        warn(
            element,
            error,
            cause.as_deref(),
            messages::finish_timeout(waited),
        );
    }

    /// Posts that audio was dropped.
    pub fn dropped(&self, element: &gst::Element, times: Times, lost: Duration) {
        let place = times.running_time.or(times.timestamp).unwrap_or_default();
        let text = format!(
            "{} ms of audio from {place} on were dropped: more than max-queue-time waits to be sent",
            lost.as_millis()
        );
        let error = glib::Error::new(gst::ResourceError::Write, &text);
        warn(element, error, None, messages::dropped(times, lost));
    }

    /// Posts that a setting has no effect.
    pub fn ineffective(&self, element: &gst::Element, found: &Ineffective) {
        let error = glib::Error::new(gst::ResourceError::Settings, &found.text);
        warn(element, error, None, messages::setting(found.property));
    }

    /// Posts that audio is being discarded because it is played backwards.
    pub fn backwards(&self, element: &gst::Element) {
        let text = "Audio that is played backwards can't be recognised, and is discarded";
        gst::warning!(CAT, obj = element, "{text}");
        let error = glib::Error::new(gst::StreamError::Format, text);
        let message = gst::message::Warning::builder_from_error(error)
            .src(element)
            .build();
        // Without a bus there is nobody to tell.
        let _ = element.post_message(message);
    }

    /// Posts the one error. In between `wanted` is asked whether it still is: the application may stop
    /// the element when it sees the progress end.
    pub fn failed(
        &self,
        element: &gst::Element,
        error: &ClientError,
        lost: bool,
        wanted: &dyn Fn() -> bool,
    ) {
        let report = errors::report(error, lost, &self.identity, &self.ids());
        gst::error!(CAT, obj = element, "{}", report.error.message());
        self.end_progress(element, gst::ProgressType::Error, report.error.message());
        if !wanted() {
            return;
        }
        let message = gst::message::Error::builder_from_error(report.error)
            .debug(&report.debug)
            .details(report.details)
            .src(element)
            .build();
        // Without a bus there is nobody to tell.
        let _ = element.post_message(message);
    }

    /// A connection has been made or refused.
    fn notify_ids(&self, element: &gst::Element, ids: Ids) {
        let mut last = self.last_ids.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *last, ids.clone());
        // An application reads the property in its handler.
        drop(last);
        if before.connect != ids.connect {
            element.notify("connect-id");
        }
        if before.log != ids.log {
            element.notify("log-id");
        }
    }

    fn ids(&self) -> Ids {
        self.ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// An update as a line for people: which utterance, where on the stream's axis, and its text as it is.
struct Line<'a>(u32, &'a Update);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line(stream, update) = self;
        let state = match (update.text.is_empty(), update.is_final, update.unconfirmed) {
            (true, ..) => "withdrawn",
            (_, true, true) => "final, unconfirmed",
            (_, true, false) => "final",
            _ => "interim",
        };
        write!(f, "stream {stream}, utterance {}, {state}", update.number)?;
        if let (Some(start), Some(end)) = (update.start, update.end) {
            write!(
                f,
                ", {:.2} s to {:.2} s",
                start.as_secs_f64(),
                end.as_secs_f64()
            )?;
        }
        // On one line, whatever the service puts into it.
        write!(f, ": \"{}\"", sanitize(&update.text))
    }
}

fn progress(element: &gst::Element, kind: gst::ProgressType, text: &str) {
    let message = gst::message::Progress::builder(kind, "connect", text)
        .src(element)
        .build();
    // Without a bus there is nobody to tell.
    let _ = element.post_message(message);
}

fn post(element: &gst::Element, structure: gst::Structure) {
    // Without a bus there is nobody to tell.
    let _ = element.post_message(
        gst::message::Element::builder(structure)
            .src(element)
            .build(),
    );
}

fn warn(element: &gst::Element, error: glib::Error, debug: Option<&str>, details: gst::Structure) {
    gst::warning!(CAT, obj = element, "{}", error.message());
    let builder = gst::message::Warning::builder_from_error(error)
        .details(details)
        .src(element);
    let message = match debug {
        Some(debug) => builder.debug(debug).build(),
        None => builder.build(),
    };
    // Without a bus there is nobody to tell.
    let _ = element.post_message(message);
}
