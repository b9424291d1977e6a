//! What waits to be posted, and when that is too much.

use std::collections::VecDeque;
use std::thread::ThreadId;

use super::outgoing::Post;

/// With more than this waiting, an interim text gives way to its successor.
const CROWDED: usize = 64;
/// With so many waiting, or so many bytes, no more is read from the network until half of them are posted.
///
/// An honest service is ten minutes ahead of an application's handler then.
const CONGESTED: Load = Load {
    posts: 1024,
    bytes: 8 << 20,
};

/// What waits, about.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    posts: usize,
    bytes: usize,
}

/// The posts of one outbox, and how it stands with them.
pub(crate) struct Queue {
    /// With the epoch that each belongs to.
    posts: VecDeque<(u64, Post)>,
    pub epoch: u64,
    pub delivering: Option<Delivery>,
    /// Bytes of `posts`.
    bytes: usize,
    /// The client was told to hear no more for now.
    pub congested: bool,
    /// A job is at work, or must not begin yet.
    pub busy: bool,
    pub closed: bool,
}

/// Something is on its way to the bus.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    /// The thread on which the application's sync handler sees it.
    pub by: ThreadId,
    /// It speaks of audio: a flush takes it back.
    pub audio: bool,
}

impl Load {
    fn half(self) -> Load {
        Load {
            posts: self.posts / 2,
            bytes: self.bytes / 2,
        }
    }

    fn is_below(self, other: Load) -> bool {
        self.posts < other.posts && self.bytes < other.bytes
    }
}

impl Queue {
    /// Nothing waits, and no job may begin yet.
    pub fn new() -> Self {
        Queue {
            posts: VecDeque::new(),
            epoch: 0,
            delivering: None,
            bytes: 0,
            congested: false,
            busy: true,
            closed: false,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.posts.is_empty()
    }

    /// Whether it was congested and is no longer.
    pub fn is_relieved(&mut self) -> bool {
        let relieved = self.congested && self.load().is_below(CONGESTED.half());
        self.congested &= !relieved;
        relieved
    }

    fn load(&self) -> Load {
        Load {
            posts: self.posts.len(),
            bytes: self.bytes,
        }
    }

    /// Appends, in place of what need not be posted any more.
    pub fn push(&mut self, epoch: u64, mut post: Post) {
        if self.posts.len() >= CROWDED
            && let Some((_, last)) = self.posts.back()
            && let Some(merged) = last.merged_with(&post)
        {
            self.bytes -= last.bytes();
            self.posts.pop_back();
            post = merged.unwrap_or(post);
        }
        self.bytes += post.bytes();
        self.posts.push_back((epoch, post));
        self.congested |= !self.load().is_below(CONGESTED);
    }

    pub fn pop(&mut self) -> Option<(u64, Post)> {
        let (epoch, post) = self.posts.pop_front()?;
        self.bytes -= post.bytes();
        Some((epoch, post))
    }

    pub fn retain(&mut self, keep: impl Fn(&Post) -> bool) {
        self.posts.retain(|(_, post)| keep(post));
        self.bytes = self.posts.iter().map(|(_, post)| post.bytes()).sum();
    }
}
