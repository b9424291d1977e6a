//! What waits to be posted, and when that is too much.

use std::collections::VecDeque;
use std::thread::ThreadId;

use super::outgoing::Post;

/// With more posts than this waiting, interim texts give way to their successors.
const COALESCE_ABOVE: usize = 64;
/// With more posts or bytes than this waiting, the oldest of those that can be done without are dropped.
const DROP_ABOVE: (usize, usize) = (1024, 8 << 20);
/// Upper bound on the bytes of what can't be dropped: hours of final results, or the largest response.
const MAX_BYTES: usize = 32 << 20;

/// The posts of one outbox, and how it stands with them.
pub(crate) struct Queue {
    /// With the epoch that each belongs to.
    posts: VecDeque<(u64, Post)>,
    pub epoch: u64,
    pub delivering: Option<Delivery>,
    /// Bytes of `posts`.
    bytes: usize,
    /// How many of `posts` can be dropped.
    droppable: usize,
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

impl Queue {
    /// Nothing waits, and no job may begin yet.
    pub fn new() -> Self {
        Queue {
            posts: VecDeque::new(),
            epoch: 0,
            delivering: None,
            bytes: 0,
            droppable: 0,
            busy: true,
            closed: false,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.posts.is_empty()
    }

    /// Appends, and drops what need not be posted any more. Returns false when more waits than is kept.
    pub fn push(&mut self, epoch: u64, post: Post) -> bool {
        if self.posts.len() >= COALESCE_ABOVE {
            if let Some((_, last)) = self.posts.back_mut()
                && last.absorb(&post)
            {
                return true;
            }
            if let Some(index) = self.predecessor(&post) {
                self.remove(index);
            }
        }
        if self.is_above(DROP_ABOVE) {
            self.drop_oldest();
            if post.is_droppable() && self.is_above(DROP_ABOVE) {
                return true;
            }
        }
        self.bytes += post.bytes();
        self.droppable += usize::from(post.is_droppable());
        self.posts.push_back((epoch, post));
        self.bytes <= MAX_BYTES
    }

    /// The post that need not be posted when `next` is. It is looked for among the latest only.
    fn predecessor(&self, next: &Post) -> Option<usize> {
        let first = self.posts.len().saturating_sub(DROP_ABOVE.0);
        let latest = self.posts.range(first..);
        let found = latest.rev().position(|(_, post)| post.gives_way_to(next))?;
        Some(self.posts.len() - 1 - found)
    }

    fn is_above(&self, (posts, bytes): (usize, usize)) -> bool {
        self.posts.len() >= posts || self.bytes >= bytes
    }

    /// Drops the oldest posts that can be done without, until half of the limit is free: this walks the
    /// whole queue, and must not do so for each post.
    fn drop_oldest(&mut self) {
        if self.droppable == 0 {
            return;
        }
        let (most, most_bytes) = (DROP_ABOVE.0 / 2, DROP_ABOVE.1 / 2);
        let (mut left, mut bytes) = (self.posts.len(), self.bytes);
        self.retain(|post| {
            let drops = post.is_droppable() && (left > most || bytes > most_bytes);
            if drops {
                left -= 1;
                bytes -= post.bytes();
            }
            !drops
        });
    }

    fn remove(&mut self, index: usize) -> Option<(u64, Post)> {
        let (epoch, post) = self.posts.remove(index)?;
        self.bytes -= post.bytes();
        self.droppable -= usize::from(post.is_droppable());
        Some((epoch, post))
    }

    pub fn pop(&mut self) -> Option<(u64, Post)> {
        self.remove(0)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&Post) -> bool) {
        self.posts.retain(|(_, post)| keep(post));
        self.bytes = self.posts.iter().map(|(_, post)| post.bytes()).sum();
        self.droppable = self
            .posts
            .iter()
            .filter(|(_, post)| post.is_droppable())
            .count();
    }
}

#[cfg(test)]
mod tests;
