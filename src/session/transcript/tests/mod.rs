//! A consumer that checks every update.
mod arbitrary;
mod cut_anew;
mod endings;
mod held;
mod invented;
mod left_out;
mod limits;
mod model;
mod repeats;
mod restore;
mod rules;
mod script;
mod speech;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{TranscriptTracker, Update};
use crate::protocol::prefix_cache::PrefixCache;
use crate::protocol::request::ResultType;
use crate::protocol::response::Response;
use crate::session::tests::{Utterance, ms, response, result, timed};

/// A tracker, and the utterances as an application sees them.
#[derive(Debug)]
pub(super) struct Stream {
    pub tracker: TranscriptTracker,
    /// A tracker that reads settled utterances each time. It must give the same updates.
    plain: TranscriptTracker,
    prefix_cache: PrefixCache,
    pub origin: u64,
    pub sent: Duration,
    /// The last update of each number.
    pub latest: BTreeMap<u32, Update>,
    updates: Vec<Update>,
}

impl Stream {
    pub(super) fn new(result_type: ResultType) -> Self {
        Self::with_delay(result_type, ms(2000))
    }

    /// A stream of a service with this result delay.
    pub(super) fn with_delay(result_type: ResultType, delay: Duration) -> Self {
        let [tracker, plain] = [(); 2].map(|()| {
            let mut tracker = TranscriptTracker::new(result_type, delay);
            tracker.connect(Duration::ZERO);
            tracker
        });
        Self {
            tracker,
            plain,
            prefix_cache: PrefixCache::default(),
            origin: 0,
            sent: Duration::ZERO,
            latest: BTreeMap::new(),
            updates: Vec::new(),
        }
    }

    pub(super) fn full() -> Self {
        Self::new(ResultType::Full)
    }

    pub(super) fn single() -> Self {
        Self::new(ResultType::Single)
    }

    pub(super) fn connect(&mut self, origin: Duration) {
        self.origin = origin.as_millis() as u64;
        self.tracker.connect(origin);
        self.plain.connect(origin);
    }

    /// A response after `duration` of the connection's audio, which is all that was sent.
    pub(super) fn respond(
        &mut self,
        duration: impl Into<Option<u64>>,
        result: &Value,
        last: bool,
    ) -> Vec<Update> {
        let duration = duration.into();
        if let Some(duration) = duration {
            self.sent = self.sent.max(ms(self.origin + duration));
        }
        self.raw(&response(duration, result), last)
    }

    pub(super) fn raw(&mut self, json: &str, last: bool) -> Vec<Update> {
        let mut updates = Vec::new();
        let response = Response::decode(json.as_bytes()).unwrap();
        self.plain.respond(&response, self.sent, last, &mut updates);
        let settled = self.tracker.repeated();
        let response = self.prefix_cache.decode(json.as_bytes(), settled).unwrap();
        self.tracker
            .respond(&response, self.sent, last, &mut self.updates);
        self.prefix_cache
            .remember(json.as_bytes(), self.tracker.repeated());
        assert_eq!(self.updates, updates);
        assert_eq!(self.tracker.processed_until(), self.plain.processed_until());
        self.take()
    }

    pub(super) fn restart(&mut self, window: u64) -> (Duration, Vec<Update>) {
        let begin = self.tracker.restart(ms(window), &mut self.updates);
        assert_eq!(begin, self.plain.restart(ms(window), &mut Vec::new()));
        (begin, self.take())
    }

    pub(super) fn finalize(&mut self) -> Vec<Update> {
        self.tracker.finalize_unconfirmed(&mut self.updates);
        self.plain.finalize_unconfirmed(&mut Vec::new());
        self.take()
    }

    /// Checks the rules that each update keeps.
    fn take(&mut self) -> Vec<Update> {
        for update in &self.updates {
            let known = self.latest.len() as u32;
            assert!(update.number <= known, "{update:?} skips {known}");
            if let Some(before) = self.latest.get(&update.number) {
                assert!(!before.is_final, "{update:?} after {before:?}");
                let news = |u: &Update| (u.text.clone(), u.attributes.clone(), u.is_final);
                assert_ne!(news(before), news(update), "no news");
            } else {
                assert!(!update.text.is_empty(), "{update:?} is new");
            }
            assert!(update.is_final || !update.text.is_empty(), "{update:?}");
            assert!(update.is_final || !update.unconfirmed, "{update:?}");
            assert!(
                update.end.is_none_or(|end| update.start <= Some(end)),
                "{update:?}"
            );
            if !update.words.is_empty() {
                let joined: String = update.words.iter().map(|w| w.text.as_str()).collect();
                assert_eq!(joined, update.text);
            }
            self.latest.insert(update.number, update.clone());
        }
        assert_eq!(
            self.tracker.has_open(),
            self.latest.values().any(|u| !u.is_final)
        );
        assert!(self.tracker.final_until() <= self.tracker.replay_needed_from());
        assert_eq!(
            self.tracker.replay_needed_from(),
            self.plain.replay_needed_from()
        );
        std::mem::take(&mut self.updates)
    }

    /// Returns the text so far, sorted by time as an application would.
    pub(super) fn transcript(&self) -> Vec<&str> {
        let mut shown: Vec<_> = self
            .latest
            .values()
            .filter(|u| !u.text.is_empty())
            .collect();
        shown.sort_by_key(|u| (u.start, u.number));
        shown.iter().map(|u| u.text.as_str()).collect()
    }
}
