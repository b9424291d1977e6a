//! Messages of the elements as types, for programs that link this library.

use std::collections::BTreeMap;

/// Name of the structure that holds one utterance.
pub(crate) const TRANSCRIPT: &str = "volcasr-transcript";

/// One utterance as it stands, from an element message `volcasr-transcript`.
///
/// Recognition revises until the end: keep one for each [`stream`](Self::stream) and
/// [`utterance`](Self::utterance), and replace it.
///
/// ```
/// use gstvolcasr::Transcript;
///
/// # gst::init()?;
/// # let structure = gst::Structure::builder("volcasr-transcript")
/// #     .field("text", "Good day.").field("final", true).field("unconfirmed", false)
/// #     .field("utterance", 0u32).field("stream", 0u32).field("session", 0u32)
/// #     .field("timestamp", 100_000_000u64).field("duration", 400_000_000u64)
/// #     .field("words", gst::Array::new([
/// #         gst::Structure::builder("word").field("text", "Good day.").build(),
/// #     ]))
/// #     .build();
/// # let message = gst::message::Element::new(structure);
/// if let Some(transcript) = Transcript::from_message(&message)
///     && transcript.is_final
/// {
///     assert_eq!(transcript.text, "Good day.");
///     assert_eq!(transcript.times.timestamp, Some(gst::ClockTime::from_mseconds(100)));
///     assert_eq!(transcript.words.len(), 1);
/// }
/// # Ok::<(), gst::glib::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transcript {
    /// The text, which replaces the last one of this utterance. Empty: the utterance is withdrawn.
    pub text: String,
    /// Whether it is the last message for this utterance.
    pub is_final: bool,
    /// Whether it is final although the service did not confirm it.
    pub unconfirmed: bool,
    /// Number of the utterance in its stream, by first appearance.
    pub utterance: u32,
    /// Number of the stream.
    pub stream: u32,
    /// Id of the STREAM_START event that the stream began with.
    pub stream_id: Option<String>,
    /// Number of the session in its stream.
    pub session: u32,
    /// Place of the utterance.
    pub times: Times,
    /// Words, which give the text when they are joined.
    pub words: Vec<Word>,
    /// Further results by name, as the service has them: `speaker_id`, `emotion` and others.
    pub attributes: BTreeMap<String, String>,
}

/// One word of a [`Transcript`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Word {
    /// The word with the spaces and punctuation after it.
    pub text: String,
    /// Place of the word.
    pub times: Times,
}

/// Times of an utterance or a word in the pipeline, each where it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Times {
    /// Start, as buffers' timestamps count.
    pub timestamp: Option<gst::ClockTime>,
    /// Start in the stream time: the place in a file.
    pub stream_time: Option<gst::ClockTime>,
    /// Start in the running time: when the pipeline plays it.
    pub running_time: Option<gst::ClockTime>,
    /// Length of the audio.
    pub duration: Option<gst::ClockTime>,
}

/// Reason why a structure is no [`Transcript`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TranscriptError {
    /// It has another name, which is given.
    #[error("a structure named \"{0}\" is no \"volcasr-transcript\"")]
    Name(String),
    /// A field that is always there is missing or has another type.
    #[error("the field \"{0}\" is missing or has another type")]
    Field(&'static str),
}

impl Transcript {
    /// Reads the transcript that a message holds. Returns `None` for other messages.
    pub fn from_message(message: &gst::MessageRef) -> Option<Self> {
        match message.view() {
            gst::MessageView::Element(element) => element.structure()?.try_into().ok(),
            _ => None,
        }
    }
}

impl TryFrom<&gst::StructureRef> for Transcript {
    type Error = TranscriptError;

    fn try_from(structure: &gst::StructureRef) -> Result<Self, TranscriptError> {
        if structure.name() != TRANSCRIPT {
            return Err(TranscriptError::Name(structure.name().to_string()));
        }
        let words: gst::ArrayRef = field(structure, "words")?;
        let attributes = structure.get::<&gst::StructureRef>("attributes").ok();
        Ok(Transcript {
            text: field(structure, "text")?,
            is_final: field(structure, "final")?,
            unconfirmed: field(structure, "unconfirmed")?,
            utterance: field(structure, "utterance")?,
            stream: field(structure, "stream")?,
            stream_id: structure.get("stream-id").ok(),
            session: field(structure, "session")?,
            times: Times::of(structure),
            words: words.iter().map(Word::of).collect::<Result<_, _>>()?,
            attributes: attributes
                .into_iter()
                .flat_map(gst::StructureRef::iter)
                .filter_map(|(name, value)| Some((name.to_string(), value.get().ok()?)))
                .collect(),
        })
    }
}

impl Word {
    fn of(word: &gst::glib::SendValue) -> Result<Self, TranscriptError> {
        let word = word.get::<&gst::StructureRef>();
        let word = word.map_err(|_| TranscriptError::Field("words"))?;
        Ok(Word {
            text: field(word, "text")?,
            times: Times::of(word),
        })
    }
}

impl Times {
    fn of(structure: &gst::StructureRef) -> Self {
        let time = |name| {
            structure
                .get::<u64>(name)
                .ok()
                .map(gst::ClockTime::from_nseconds)
        };
        Times {
            timestamp: time("timestamp"),
            stream_time: time("stream-time"),
            running_time: time("running-time"),
            duration: time("duration"),
        }
    }

    /// Adds the fields of a structure.
    pub(crate) fn add_to(self, builder: gst::structure::Builder) -> gst::structure::Builder {
        let nanos = |time: Option<gst::ClockTime>| time.map(gst::ClockTime::nseconds);
        builder
            .field_if_some("timestamp", nanos(self.timestamp))
            .field_if_some("stream-time", nanos(self.stream_time))
            .field_if_some("running-time", nanos(self.running_time))
            .field_if_some("duration", nanos(self.duration))
    }
}

/// Returns a field that is always there.
fn field<'a, T: gst::glib::value::FromValue<'a>>(
    structure: &'a gst::StructureRef,
    name: &'static str,
) -> Result<T, TranscriptError> {
    let value = structure.get(name);
    value.map_err(|_| TranscriptError::Field(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A transcript without the field `left_out`.
    fn structure(left_out: &str) -> gst::Structure {
        gst::init().expect("GStreamer");
        let text = "volcasr-transcript, text=\"Hello, world.\", final=true, unconfirmed=false, \
                    utterance=(uint)3, stream=(uint)2, stream-id=id, session=(uint)1, \
                    timestamp=(guint64)5, duration=(guint64)6, attributes=[attributes, \
                    speaker_id=(string)1], words=<[word, text=\"Hello, \", \
                    running-time=(guint64)7]>;";
        let mut structure: gst::Structure = text.parse().expect("a structure");
        structure.remove_field(left_out);
        structure
    }

    #[test]
    fn every_field_is_read() {
        let nanos = |nanos| Some(gst::ClockTime::from_nseconds(nanos));
        let expected = Transcript {
            text: "Hello, world.".into(),
            is_final: true,
            unconfirmed: false,
            utterance: 3,
            stream: 2,
            stream_id: Some("id".into()),
            session: 1,
            times: Times {
                timestamp: nanos(5),
                duration: nanos(6),
                ..Times::default()
            },
            words: vec![Word {
                text: "Hello, ".into(),
                times: Times {
                    running_time: nanos(7),
                    ..Times::default()
                },
            }],
            attributes: BTreeMap::from([("speaker_id".into(), "1".into())]),
        };
        let structure = structure("");
        assert_eq!(Transcript::try_from(&*structure), Ok(expected.clone()));
        let message = gst::message::Element::new(structure);
        assert_eq!(Transcript::from_message(&message), Some(expected));
    }

    #[test]
    fn a_missing_field_is_named_or_left_out() {
        for name in "text final unconfirmed utterance stream session words".split(' ') {
            let error = Transcript::try_from(&*structure(name));
            assert_eq!(error, Err(TranscriptError::Field(name)));
        }
        for name in ["stream-id", "timestamp", "duration", "attributes"] {
            assert!(Transcript::try_from(&*structure(name)).is_ok(), "{name}");
        }
        let other = gst::Structure::new_empty("volcasr-response");
        let error = TranscriptError::Name("volcasr-response".into());
        assert_eq!(Transcript::try_from(&*other), Err(error));
        assert_eq!(Transcript::from_message(&gst::message::Eos::new()), None);
    }
}
