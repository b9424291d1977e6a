//! Positions of one stream: how far audio was sent, processed, and is final.
use std::time::Duration;

use super::span::Axis;
use crate::protocol::response::Response;

/// State of the connection whose responses are read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Link {
    #[default]
    None,
    Open,
    Lost,
}

/// Positions on the stream's axis. What was processed was sent before.
#[derive(Debug, Default)]
pub(super) struct Progress {
    max_result_delay: Duration,
    link: Link,
    origin: Duration,
    /// End of the audio that any connection was sent.
    sent: Duration,
    /// How far the service has processed this connection's audio.
    processed_until: Duration,
    /// The last response had text and no duration.
    is_undated: bool,
    /// Start of the audio that this connection received. What ends before it is a repeat.
    replay_start: Duration,
    /// Everything before this position is final: where the stream or a finished connection ended.
    final_until: Duration,
    /// Interim results are held until the service has processed the audio up to this position.
    held_until: Duration,
}

impl Progress {
    pub fn new(max_result_delay: Duration) -> Self {
        Self {
            max_result_delay,
            ..Self::default()
        }
    }

    /// Begins a connection. Returns whether it restores a lost one.
    pub fn connect(&mut self, origin: Duration) -> bool {
        let restores = self.link == Link::Lost;
        if !restores {
            self.final_until = self.final_until.max(origin);
            self.replay_start = origin;
            self.release();
        }
        self.link = Link::Open;
        self.origin = origin;
        self.processed_until = origin;
        self.is_undated = false;
        self.sent = self.sent.max(origin);
        restores
    }

    /// Takes in a response. `sent` is the end of the audio sent so far.
    pub fn advance(&mut self, response: &Response<'_>, sent: Duration) {
        self.sent = self.sent.max(sent);
        let ends = response.utterances.iter().flatten().filter_map(|u| u.end);
        if let Some(duration) = response.duration.or_else(|| ends.max()) {
            let processed = self.origin.saturating_add(duration).min(self.sent);
            self.processed_until = self.processed_until.max(processed);
        }
        let has_text = response.text.is_some() || response.utterances.is_some();
        self.is_undated = has_text && response.duration.is_none();
    }

    /// Ends a lost connection; the next one is sent the audio from `begin` on. If it `holds`
    /// interim results, it does so until text of all that was processed must have come.
    pub fn lose(&mut self, begin: Duration, holds: bool) {
        // Text without a duration may be of all that was sent.
        let processed = match self.is_undated {
            true => self.sent,
            false => self.processed_until,
        };
        let until = processed.saturating_add(self.max_result_delay);
        self.held_until = match holds {
            true => self.held_until.max(until),
            false => Duration::ZERO,
        };
        self.link = Link::Lost;
        self.replay_start = begin;
    }

    /// Ends the connection: no more results are expected from it.
    pub fn close(&mut self) {
        self.processed_until = self.sent;
        self.final_until = self.final_until.max(self.sent);
        self.release();
        self.link = Link::None;
    }

    /// Holds interim results no longer.
    pub fn release(&mut self) {
        self.held_until = Duration::ZERO;
    }

    pub fn holds(&self) -> bool {
        self.processed_until < self.held_until
    }

    pub fn is_connected(&self) -> bool {
        self.link == Link::Open
    }

    pub fn axis(&self) -> Axis {
        Axis {
            origin: self.origin,
            processed_until: self.processed_until,
        }
    }

    pub fn sent(&self) -> Duration {
        self.sent
    }

    pub fn processed_until(&self) -> Duration {
        self.processed_until
    }

    /// Returns the position before which all words are known: later ones do not come.
    pub fn known_until(&self) -> Duration {
        self.known_at(self.processed_until)
    }

    /// Returns the position before which all words are known once the service has processed the
    /// audio up to `processed`.
    pub fn known_at(&self, processed: Duration) -> Duration {
        processed.saturating_sub(self.max_result_delay)
    }

    pub fn replay_start(&self) -> Duration {
        self.replay_start
    }

    pub fn final_until(&self) -> Duration {
        self.final_until
    }
}
