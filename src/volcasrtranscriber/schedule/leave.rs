//! Output of the schedule: in order, when it is ready or due, and the gaps between.

use std::time::Duration;

use super::{
    Action, Effect, GAP_EVERY, GAP_LEAD, Item, Ready, SHORTEST_TEXT, Schedule, Unit, Word, size,
};

impl<E> Schedule<E> {
    /// Returns what is to be done now. The schedule forgets an action once returned; the caller
    /// must perform it.
    pub fn next(&mut self, now: Option<Duration>) -> Action<E> {
        loop {
            let Some(part) = self.parts.front_mut() else {
                return Action::Wait(None);
            };
            if let Some(ready) = part.ready.pop_front() {
                self.bytes = self.bytes.saturating_sub(size(&ready));
                if let Some(action) = self.leave(ready, now) {
                    return action;
                }
                continue;
            }
            let ends = part
                .barrier
                .filter(|barrier| barrier.done && barrier.posted);
            if let Some(barrier) = ends {
                if let Some(action) = barrier.end.and_then(|end| self.gap(end)) {
                    return action;
                }
                self.parts.pop_front();
                self.input = self.input.saturating_sub(1);
                continue;
            }
            match self.latency.zip(now) {
                Some((latency, now)) => match self.due(latency, now) {
                    Some(action) => return action,
                    None => continue,
                },
                None => return Action::Wait(None),
            }
        }
    }

    /// Lets something leave. None: it is nothing for downstream.
    fn leave(&mut self, ready: Ready<E>, now: Option<Duration>) -> Option<Action<E>> {
        match ready {
            Ready::Text(word) => Some(self.text(word, now)),
            Ready::Item(word, speaker) => Some(Action::Item(self.item(&word, speaker))),
            Ready::Speaker(speaker) => self.change_speaker(Some(speaker)),
            Ready::Final => Some(Action::Final),
            Ready::Gap(end) => self.gap(end),
            Ready::Event(event, effect) => {
                if effect != Effect::Unchanged {
                    // The service names the speakers of another session anew.
                    self.speaker = None;
                }
                match effect {
                    Effect::Unchanged => {}
                    Effect::NoSegment => self.origin = None,
                    Effect::Segment(origin) => {
                        self.origin = Some(origin);
                        self.floor = origin.position;
                        self.position = origin.position;
                        self.discont = true;
                    }
                }
                Some(Action::Event(event))
            }
        }
    }

    /// A buffer, or the gap before it.
    fn text(&mut self, word: Word, now: Option<Duration>) -> Action<E> {
        if word.start > self.position {
            let gap = self.gap(word.start);
            if let Some((part, gap)) = self.parts.front_mut().zip(gap) {
                let text = Ready::Text(word);
                self.bytes += size(&text);
                part.ready.push_front(text);
                return gap;
            }
        }
        let start = word.start.max(self.floor);
        let remaining = match self.unit {
            Unit::Word => word.end.saturating_sub(start),
            // Late ones stay as long, and the next one follows them.
            _ => word.end.saturating_sub(word.start),
        };
        let duration = remaining.max(SHORTEST_TEXT);
        let end = start.saturating_add(duration);
        self.floor = if self.unit == Unit::Word { start } else { end };
        self.position = self.position.max(end);
        let due = self
            .latency
            .zip(self.origin)
            .map(|(latency, origin)| origin.running(word.start).saturating_add(latency));
        let late = now.zip(due).map(|(now, due)| now.saturating_sub(due));
        Action::Text {
            text: word.text,
            start,
            duration,
            discont: std::mem::take(&mut self.discont),
            late: late.unwrap_or_default(),
        }
    }

    /// The gap up to `end`, unless everything up to there has left.
    fn gap(&mut self, end: Duration) -> Option<Action<E>> {
        let start = self.position;
        let duration = end.checked_sub(start).filter(|gap| !gap.is_zero())?;
        self.position = end;
        self.floor = end;
        Some(Action::Gap { start, duration })
    }

    fn change_speaker(&mut self, speaker: Option<String>) -> Option<Action<E>> {
        let speaker = speaker.filter(|speaker| self.speaker.as_ref() != Some(speaker))?;
        self.speaker = Some(speaker.clone());
        Some(Action::Speaker(speaker))
    }

    fn item(&self, word: &Word, speaker: Option<String>) -> Item {
        let origin = self.origin.unwrap_or_default();
        let running = origin.running(word.start);
        Item {
            speaker,
            text: word.text.clone(),
            running,
            duration: origin.running(word.end).saturating_sub(running),
        }
    }

    /// Returns the gap that is due, or the wait for the next word or gap. Returns `None`
    /// when a word that is not final was due: it is ready now.
    fn due(&mut self, latency: Duration, now: Duration) -> Option<Action<E>> {
        let Some(origin) = self.origin else {
            return Some(Action::Wait(None));
        };
        let part = self.parts.front_mut()?;
        let first = part
            .open
            .iter()
            .filter_map(|(number, open)| Some((open.owed.front()?.start, *number)))
            .min()
            .filter(|_| self.unit == Unit::Word);
        let due = first.map(|(start, _)| origin.running(start).saturating_add(latency));
        if let Some((_, number)) = first.filter(|_| due.is_some_and(|due| due <= now)) {
            let open = part.open.get_mut(&number)?;
            let word = open.owed.pop_front()?;
            let speaker = open.speaker.clone();
            part.early.on_pushed(number, &word);
            if let Some(speaker) = speaker.clone() {
                self.push(0, Ready::Speaker(speaker));
            }
            self.push_word(0, word, speaker);
            return None;
        }
        // Up to where no word can come any more, but not over one that waits for its time.
        let lead = GAP_LEAD.min(latency / 2);
        let empty = (now + lead).saturating_sub(latency);
        let until = origin.position_at(empty);
        let until = first.map_or(until, |(start, _)| until.min(start));
        if until >= self.position.saturating_add(GAP_EVERY) {
            return self.gap(until);
        }
        let next_gap = origin.running(self.position.saturating_add(GAP_EVERY));
        let next_gap = next_gap.saturating_add(latency).saturating_sub(lead);
        let next_gap = next_gap.max(now + Duration::from_millis(1));
        let blocked = first.is_some_and(|(start, _)| start < self.position + GAP_EVERY);
        let wake = match due {
            Some(due) if blocked => due,
            Some(due) => due.min(next_gap),
            None => next_gap,
        };
        Some(Action::Wait(Some(wake)))
    }
}
