//! What a pipeline posted, as the tests look at it.

use gst::prelude::*;

use super::LONG;

/// One `volcasr-transcript` message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    pub text: String,
    pub is_final: bool,
    pub unconfirmed: bool,
    pub utterance: u32,
    pub stream: u32,
    pub stream_id: Option<String>,
    pub session: u32,
    pub timestamp: Option<u64>,
    pub stream_time: Option<u64>,
    pub running_time: Option<u64>,
    pub duration: Option<u64>,
    pub words: Vec<Word>,
    pub attributes: Option<gst::Structure>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word {
    pub text: String,
    pub timestamp: Option<u64>,
    pub stream_time: Option<u64>,
    pub running_time: Option<u64>,
    pub duration: Option<u64>,
}

impl Transcript {
    pub fn parse(message: &gst::MessageRef) -> Option<Self> {
        let gst::MessageView::Element(_) = message.view() else {
            return None;
        };
        let s = message
            .structure()
            .filter(|s| s.name() == "volcasr-transcript")?;
        let words = s.get::<gst::Array>("words").expect("words");
        Some(Transcript {
            text: s.get("text").expect("text"),
            is_final: s.get("final").expect("final"),
            unconfirmed: s.get("unconfirmed").expect("unconfirmed"),
            utterance: s.get("utterance").expect("utterance"),
            stream: s.get("stream").expect("stream"),
            stream_id: s.get("stream-id").ok(),
            session: s.get("session").expect("session"),
            timestamp: s.get("timestamp").ok(),
            stream_time: s.get("stream-time").ok(),
            running_time: s.get("running-time").ok(),
            duration: s.get("duration").ok(),
            words: words
                .iter()
                .map(|word| {
                    let word = word.get::<gst::Structure>().expect("a word");
                    Word {
                        text: word.get("text").expect("text"),
                        timestamp: word.get("timestamp").ok(),
                        stream_time: word.get("stream-time").ok(),
                        running_time: word.get("running-time").ok(),
                        duration: word.get("duration").ok(),
                    }
                })
                .collect(),
            attributes: s.get("attributes").ok(),
        })
    }
}

/// What the bus said until the end.
#[derive(Debug, Default)]
pub struct Heard {
    pub messages: Vec<gst::Message>,
}

impl Heard {
    pub fn transcripts(&self) -> Vec<Transcript> {
        self.messages
            .iter()
            .filter_map(|message| Transcript::parse(message))
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

    pub fn errors(&self) -> Vec<Report> {
        self.messages
            .iter()
            .filter_map(|message| match message.view() {
                gst::MessageView::Error(error) => Some(Report {
                    error: error.error(),
                    debug: error.debug().map(String::from),
                    details: error.details().map(|details| details.to_owned()),
                    source: message.src().map(|source| source.name().into()),
                }),
                _ => None,
            })
            .collect()
    }

    pub fn warnings(&self) -> Vec<Report> {
        self.messages
            .iter()
            .filter_map(|message| match message.view() {
                gst::MessageView::Warning(warning) => Some(Report {
                    error: warning.error(),
                    debug: warning.debug().map(String::from),
                    details: warning.details().map(|details| details.to_owned()),
                    source: message.src().map(|source| source.name().into()),
                }),
                _ => None,
            })
            .collect()
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

/// Everything that is posted until EOS or an error, both included.
pub fn listen(bus: &gst::Bus) -> Heard {
    listen_until(bus, |message| {
        matches!(
            message.type_(),
            gst::MessageType::Eos | gst::MessageType::Error
        )
    })
}

/// Everything that is posted until the first message that `is_last`, it included.
pub fn listen_until(bus: &gst::Bus, is_last: impl Fn(&gst::Message) -> bool) -> Heard {
    let mut heard = Heard::default();
    loop {
        let message = bus.timed_pop(gst::ClockTime::try_from(LONG).expect("short"));
        let message = message.unwrap_or_else(|| panic!("nothing more came: {heard:#?}"));
        let last = is_last(&message);
        heard.messages.push(message);
        if last {
            return heard;
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
