//! What a driver tells its owner.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::driver::Driver;
use super::error::ClientError;
use super::event::{Event, Level};
use crate::session::transcript::Update;

impl Driver {
    pub(super) fn tell_ready(&mut self) {
        if !self.told_ready {
            self.told_ready = true;
            self.emit(Event::Ready);
        }
    }

    pub(super) fn tell_ids(&self) {
        self.emit(Event::Ids {
            connect_id: self.connect_id.clone(),
            log_id: self.log_id.clone(),
        });
    }

    /// Reports that another connection is tried after `pause`, for the audio from `from` on.
    pub(super) fn tell_retry(&self, error: ClientError, pause: Duration, from: Duration) {
        self.emit(Event::Reconnecting {
            lost: self.restoring && self.session > 0,
            error,
            attempt: self.retries.attempt(),
            pause,
            stream: self.stream,
            from,
        });
    }

    pub(super) fn tell_updates(&mut self) {
        let (stream, session) = (self.stream, self.session.saturating_sub(1));
        let mut updates = std::mem::take(&mut self.updates);
        for mut update in updates.drain(..) {
            self.strike_out(&mut update);
            if update.is_final {
                self.shared.counters.update(|counts| counts.utterances += 1);
            }
            self.emit(Event::Transcript {
                stream,
                session,
                update,
            });
        }
        self.updates = updates;
    }

    /// Should the service repeat a secret, it goes no further. The words of such a text would tell it, too.
    fn strike_out(&self, update: &mut Update) {
        let secrets = &self.config.secrets;
        if secrets.occur_in(&update.text) {
            update.text = secrets.redact(&update.text);
            update.words.clear();
        }
        update
            .attributes
            .retain(|(name, _)| !secrets.occur_in(name));
        for (_, value) in &mut update.attributes {
            if secrets.occur_in(value) {
                *value = secrets.redact(value);
            }
        }
    }

    /// Warns that none of a session's responses could be read, if there is a number of them.
    pub(super) fn tell_unknown(&self, responses: Option<u32>) {
        if let Some(responses) = responses {
            self.emit(Event::NotUnderstood { responses });
        }
    }

    pub(super) fn emit(&self, event: Event) {
        self.handler.handle(self.epoch, event);
    }

    pub(super) fn log(&self, level: Level, line: fmt::Arguments<'_>) {
        self.handler.log(level, line);
    }

    pub(super) fn wants_responses(&self) -> bool {
        self.shared.wants_responses.load(Ordering::Relaxed)
    }
}
