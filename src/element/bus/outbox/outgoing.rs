//! A message to post, and which other message makes it needless.

use crate::client::Event;
use crate::element::bus::errors::Report;

/// A message to post.
pub(crate) enum OutgoingMessage {
    /// The run begins to connect.
    Connecting,
    /// The run can't start.
    Failed(Report),
    /// An event of the client.
    Event(Event),
    /// The warning that audio was dropped because the queue was full.
    Dropped(Report),
    /// A warning that no flush discards.
    Warning(Report),
    /// Downstream has refused text, and no buffer takes that upstream.
    Refused(gst::FlowError),
    /// A property has another value, of which those who listen are told.
    Changed(&'static str),
    /// Makes the job panic.
    #[cfg(test)]
    Panic,
}

impl OutgoingMessage {
    /// Returns about how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        let heap = match self {
            Self::Event(Event::Transcript { update, .. }) => update.bytes(),
            Self::Event(Event::Response { json, .. }) => json.len(),
            _ => 0,
        };
        size_of::<Self>() + heap
    }

    /// Whether a flush discards it.
    pub fn is_discarded_by_flush(&self) -> bool {
        match self {
            Self::Event(event) => event.is_discarded_by_flush(),
            Self::Dropped(_) => true,
            Self::Connecting
            | Self::Failed(_)
            | Self::Warning(_)
            | Self::Refused(_)
            | Self::Changed(_) => false,
            #[cfg(test)]
            Self::Panic => false,
        }
    }

    /// Whether the application can do without it: an interim text, which another follows, or a
    /// response.
    pub fn is_droppable(&self) -> bool {
        match self {
            Self::Event(Event::Transcript { update, .. }) => !update.is_final,
            Self::Event(Event::Response { .. }) => true,
            _ => false,
        }
    }

    /// Whether `next` makes this one needless: an interim text is replaced by the next text of its
    /// utterance.
    pub fn is_superseded_by(&self, next: &Self) -> bool {
        match (self, next) {
            (
                Self::Event(Event::Transcript { stream, update, .. }),
                Self::Event(Event::Transcript {
                    stream: next_stream,
                    update: next,
                    ..
                }),
            ) => !update.is_final && stream == next_stream && update.number == next.number,
            (
                Self::Event(Event::Settled { stream, .. }),
                Self::Event(Event::Settled {
                    stream: next_stream,
                    ..
                }),
            ) => stream == next_stream,
            (Self::Changed(property), Self::Changed(next)) => property == next,
            _ => false,
        }
    }
}
