//! The structure of an utterance's message.

use std::collections::BTreeSet;
use std::sync::Mutex;

use gst::glib;
use gst::prelude::*;

use crate::element::timeline::Timeline;
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

#[cfg(test)]
mod tests;
