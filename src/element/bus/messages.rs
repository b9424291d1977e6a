//! Structures of the element messages and of warnings' details.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use crate::element::timeline::{Timeline, Times};
use crate::message::TRANSCRIPT;
use crate::session::transcript::{Update, Word};
use crate::sync::lock;

/// Makes `volcasr-transcript`: one utterance as it stands.
pub(crate) fn transcript(
    timeline: &Timeline,
    stream: u32,
    session: u32,
    update: &Update,
) -> gst::Structure {
    let words = update
        .words
        .iter()
        .map(|word| self::word(timeline, stream, word));
    let mut attributes = update
        .attributes
        .iter()
        .filter_map(|(name, value)| Some((field_name(name)?, value.to_send_value())))
        .peekable();
    let attributes = attributes
        .peek()
        .is_some()
        .then(|| gst::Structure::from_iter("attributes", attributes));
    let builder = gst::Structure::builder(TRANSCRIPT)
        .field("text", update.text.as_str())
        .field("final", update.is_final)
        .field("unconfirmed", update.unconfirmed)
        .field("utterance", update.number)
        .field("stream", stream)
        .field_if_some("stream-id", timeline.id(stream))
        .field("session", session);
    let times = timeline.times(stream, update.start, update.end);
    times
        .add_to(builder)
        .field("words", gst::Array::new(words))
        .field_if_some("attributes", attributes)
        .build()
}

fn word(timeline: &Timeline, stream: u32, word: &Word) -> gst::Structure {
    let builder = gst::Structure::builder("word").field("text", word.text.as_str());
    let times = timeline.times(stream, word.start, word.end);
    times.add_to(builder).build()
}

/// Upper bound on different attribute names in the process: the documentation has some ten.
const MAX_ATTRIBUTES: usize = 256;

/// Names of fields that came from the service. GLib keeps such names for ever, so they are bounded.
struct FieldNames(BTreeSet<&'static str>);

impl FieldNames {
    /// Returns `name` as a field's name, unless it is invalid or one too many.
    fn get(&mut self, name: &str) -> Option<&'static str> {
        if let Some(name) = self.0.get(name) {
            return Some(name);
        }
        if self.0.len() == MAX_ATTRIBUTES || !is_field_name(name) {
            return None;
        }
        let name = glib::Quark::from_str(name).as_str().as_str();
        self.0.insert(name);
        Some(name)
    }
}

fn field_name(name: &str) -> Option<&'static str> {
    static NAMES: Mutex<FieldNames> = Mutex::new(FieldNames(BTreeSet::new()));
    lock(&NAMES).get(name)
}

/// Whether GStreamer accepts the name; it asserts on others.
fn is_field_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"/-_.:+".contains(&byte))
}

/// Makes `volcasr-response`: a response as it came.
pub(crate) fn response(json: &str, session: u32) -> gst::Structure {
    gst::Structure::builder("volcasr-response")
        .field("json", json)
        .field("session", session)
        .build()
}

/// Makes `volcasr-dropped`: audio that was not recognised, and its place.
pub(crate) fn dropped(times: Times, lost: Duration) -> gst::Structure {
    let times = Times {
        duration: lost.try_into().ok(),
        ..times
    };
    let builder = gst::Structure::builder("volcasr-dropped");
    times.add_to(builder).build()
}

/// Makes `volcasr-reconnect`: another connection is tried after `pause`, and replays the audio from
/// `times` on.
pub(crate) fn reconnect(
    details: gst::Structure,
    attempt: u32,
    pause: Duration,
    times: Times,
) -> gst::Structure {
    let times = Times {
        duration: None,
        ..times
    };
    let builder = gst::Structure::builder("volcasr-reconnect");
    times
        .add_to(builder)
        .field("attempt", attempt)
        .field("pause", nanos(pause))
        .field("error", details)
        .build()
}

/// Makes `volcasr-finish-timeout`: the final response did not come.
pub(crate) fn finish_timeout(waited: Duration) -> gst::Structure {
    gst::Structure::builder("volcasr-finish-timeout")
        .field("waited", nanos(waited))
        .build()
}

/// Makes `volcasr-setting`: a property that has no effect.
pub(crate) fn setting(property: &str) -> gst::Structure {
    gst::Structure::builder("volcasr-setting")
        .field("property", property)
        .build()
}

/// Makes `volcasr-rate`: the service counts more audio than it was sent.
pub(crate) fn rate(counted: Duration, sent: Duration) -> gst::Structure {
    gst::Structure::builder("volcasr-rate")
        .field("counted", nanos(counted))
        .field("sent", nanos(sent))
        .build()
}

/// Makes `volcasr-unreadable`: none of a session's responses could be read.
pub(crate) fn unreadable(responses: u32) -> gst::Structure {
    gst::Structure::builder("volcasr-unreadable")
        .field("responses", responses)
        .build()
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
