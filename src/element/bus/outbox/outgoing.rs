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
    pub fn belongs_to_audio(&self) -> bool {
        match self {
            Post::Event(event) => event.belongs_to_audio(),
            Post::Dropped { .. } => true,
            Post::Backwards | Post::Ineffective(_) => false,
            #[cfg(test)]
            Post::Panic => false,
        }
    }

    /// Whether one post can stand for this and `next`, and which if that is not `next` itself: interim texts
    /// give way to their successors, and losses add up.
    pub fn merged_with(&self, next: &Post) -> Option<Option<Post>> {
        match (self, next) {
            (
                Post::Event(Event::Transcript { stream, update, .. }),
                Post::Event(Event::Transcript {
                    stream: next_stream,
                    update: next,
                    ..
                }),
            ) => (!update.is_final && stream == next_stream && update.number == next.number)
                .then_some(None),
            (Post::Dropped { times, lost }, Post::Dropped { lost: more, .. }) => {
                Some(Some(Post::Dropped {
                    times: *times,
                    lost: *lost + *more,
                }))
            }
            _ => None,
        }
    }
}
