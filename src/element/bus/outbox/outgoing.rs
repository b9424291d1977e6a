//! One thing to post, and what can stand for it.

use std::time::Duration;

use crate::client::Event;
use crate::element::ineffective::Ineffective;
use crate::element::timeline::Times;

/// One thing to post.
pub(crate) enum Post {
    /// What the client tells.
    Event(Event),
    /// Audio was dropped for want of room.
    Dropped { times: Times, lost: Duration },
    /// Audio came that is played backwards.
    Backwards,
    /// A setting has no effect.
    Ineffective(Ineffective),
    /// The job panics.
    #[cfg(test)]
    Panic,
}

impl Post {
    /// What it takes of the memory, about.
    pub fn bytes(&self) -> usize {
        let held = match self {
            Post::Event(Event::Transcript { update, .. }) => {
                let words: usize = update.words.iter().map(|word| word.text.len()).sum();
                let attributes = update.attributes.iter();
                let attributes: usize = attributes
                    .map(|(name, value)| name.len() + value.len())
                    .sum();
                update.text.len() + words + attributes + size_of_val(&update.words[..])
            }
            Post::Event(Event::Response { json, .. }) => json.len(),
            _ => 0,
        };
        size_of::<Post>() + held
    }

    /// Whether a flush takes it back.
    pub fn is_discarded_by_flush(&self) -> bool {
        match self {
            Post::Event(event) => event.is_discarded_by_flush(),
            Post::Dropped { .. } => true,
            Post::Backwards | Post::Ineffective(_) => false,
            #[cfg(test)]
            Post::Panic => false,
        }
    }

    /// Whether the application can do without it: an interim text, which another follows, or a response.
    pub fn is_droppable(&self) -> bool {
        match self {
            Post::Event(Event::Transcript { update, .. }) => !update.is_final,
            Post::Event(Event::Response { .. }) => true,
            _ => false,
        }
    }

    /// Whether this need not be posted when `next` is: interim texts give way to their successors.
    pub fn gives_way_to(&self, next: &Post) -> bool {
        match (self, next) {
            (
                Post::Event(Event::Transcript { stream, update, .. }),
                Post::Event(Event::Transcript {
                    stream: next_stream,
                    update: next,
                    ..
                }),
            ) => !update.is_final && stream == next_stream && update.number == next.number,
            (
                Post::Event(Event::Settled { stream, .. }),
                Post::Event(Event::Settled {
                    stream: next_stream,
                    ..
                }),
            ) => stream == next_stream,
            _ => false,
        }
    }

    /// Adds the loss in `next` to this one.
    pub fn absorb(&mut self, next: &Post) -> bool {
        match (self, next) {
            (Post::Dropped { lost, .. }, Post::Dropped { lost: more, .. }) => {
                *lost += *more;
                true
            }
            _ => false,
        }
    }
}
