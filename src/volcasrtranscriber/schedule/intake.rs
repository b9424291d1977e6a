//! Input of the schedule: utterances as they stand, what is settled, and barriers.

use std::collections::VecDeque;
use std::time::Duration;

use super::{
    Barrier, Cutter, Open, Part, Ready, SHORTEST_GAP, Schedule, Unit, Utterance, group, push, style,
};

impl<E> Schedule<E> {
    /// Divides what is known from what follows, which leaves when all before it has: after
    /// [`done`](Self::done) and [`posted`](Self::posted) with this token. `end`: the end of the
    /// audio so far.
    pub fn barrier(&mut self, token: u64, end: Option<Duration>) {
        let barrier = Barrier {
            token,
            end,
            done: self.failed,
            posted: self.failed,
        };
        if let Some(part) = self.parts.back_mut() {
            part.barrier = Some(barrier);
        }
        self.parts.push_back(Part::new());
        if self.failed {
            self.input = self.parts.len() - 1;
        }
    }

    /// The last words before a barrier are here: what comes now is behind it.
    pub fn done(&mut self, token: u64) {
        let found = self.parts.iter_mut().position(|part| {
            let found = part
                .barrier
                .as_mut()
                .filter(|barrier| barrier.token == token);
            found.map(|barrier| barrier.done = true).is_some()
        });
        if let Some(index) = found.filter(|index| *index >= self.input) {
            self.input = index + 1;
            self.cutter = Cutter::new(style(self.unit));
        }
    }

    /// The messages before a barrier are posted.
    pub fn posted(&mut self, token: u64) {
        for barrier in self
            .parts
            .iter_mut()
            .filter_map(|part| part.barrier.as_mut())
        {
            barrier.posted |= barrier.token <= token;
        }
    }

    /// No more text comes: what waits for it need not.
    pub fn fail(&mut self) {
        self.failed = true;
        for part in &mut self.parts {
            part.open.clear();
            if let Some(barrier) = &mut part.barrier {
                (barrier.done, barrier.posted) = (true, true);
            }
        }
        self.input = self.parts.len() - 1;
    }

    /// Takes up an utterance as it stands.
    pub fn utterance(&mut self, utterance: Utterance) {
        let early = self.unit == Unit::Word && self.latency.is_some();
        let Some(part) = self.parts.get_mut(self.input) else {
            return;
        };
        if !utterance.is_final {
            let owed = if early {
                let (number, words) = (utterance.number, &utterance.words);
                part.early.owed(number, words, self.floor).into()
            } else {
                VecDeque::new()
            };
            let (start, speaker) = (utterance.start, utterance.speaker);
            part.open.insert(
                utterance.number,
                Open {
                    start,
                    speaker,
                    owed,
                },
            );
            return;
        }
        part.open.remove(&utterance.number);
        let next = part.open.values().filter_map(|open| open.start).min();
        let left = match self.unit {
            Unit::Word => part.early.settle(&utterance, self.floor),
            _ => utterance.words.clone(),
        };
        let any = !utterance.text.trim().is_empty();
        let texts = match self.unit {
            Unit::Word => left.clone(),
            Unit::Utterance => group::whole(&utterance, self.position)
                .into_iter()
                .collect(),
            Unit::Cue(_) => group::cues(&mut self.cutter, &utterance, next),
        };
        let items = match self.unit {
            Unit::Word => Vec::new(),
            _ => left,
        };
        let speaker = utterance.speaker;
        if let Some(speaker) = speaker.clone().filter(|_| any) {
            push(part, &mut self.bytes, Ready::Speaker(speaker));
        }
        for item in items {
            push(part, &mut self.bytes, Ready::Item(item, speaker.clone()));
        }
        for text in texts {
            if self.unit == Unit::Word {
                push(
                    part,
                    &mut self.bytes,
                    Ready::Item(text.clone(), speaker.clone()),
                );
            }
            push(part, &mut self.bytes, Ready::Text(text));
        }
        if any {
            push(part, &mut self.bytes, Ready::Final);
        }
        if let Some(end) = utterance.end {
            push(part, &mut self.bytes, Ready::Gap(end));
        }
    }

    /// Nothing that is said before `until` changes any more, and all of it is here.
    pub fn settled(&mut self, until: Duration) {
        let Some(part) = self.parts.get_mut(self.input) else {
            return;
        };
        if let Some(Ready::Gap(end)) = part.ready.back_mut() {
            *end = until.max(*end);
        } else if until > self.position + SHORTEST_GAP {
            part.ready.push_back(Ready::Gap(until));
        }
    }
}
