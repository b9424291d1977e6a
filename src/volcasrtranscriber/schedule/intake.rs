//! Input of the schedule: utterances as they stand, what is settled, and barriers.

use std::time::Duration;

use super::{
    Barrier, Cutter, Effect, Open, Part, Ready, SHORTEST_GAP, Schedule, Unit, Utterance, group,
    style,
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

    /// Marks the schedule failed: drops open text and opens all barriers.
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

    /// Appends an event to the part that the text which comes belongs to.
    pub fn event_of_text(&mut self, event: E) {
        self.push(self.input, Ready::Event(event, Effect::Unchanged));
    }

    /// Takes up an utterance as it stands.
    pub fn utterance(&mut self, utterance: Utterance) {
        let Some(part) = self.parts.get_mut(self.input) else {
            return;
        };
        if !utterance.is_final {
            let (number, words) = (utterance.number, &utterance.words);
            // Some responses leave out words: guessed times would drop some of them, and double
            // others.
            let timed = part.open.get(&number).is_some_and(|open| open.has_times);
            if timed && !utterance.has_times {
                return;
            }
            let open = Open {
                has_times: utterance.has_times,
                start: utterance.start,
                owed: part.early.owed(number, words, self.floor).into(),
                speaker: utterance.speaker,
            };
            part.open.insert(number, open);
            return;
        }
        part.open.remove(&utterance.number);
        let (owed, mut places) = part.early.finish(&utterance, self.floor);
        // When the service splits an utterance, the open rest still lists the words of the finished
        // part until its next update.
        for (_, open) in part.open.range_mut(..utterance.number) {
            open.owed.retain(|word| !places.take_word(word));
        }
        let next = part.open.values().filter_map(|open| open.start).min();
        let any = !utterance.text.trim().is_empty();
        let end = utterance.end;
        let utterance = match owed.len() == utterance.words.len() {
            true => utterance,
            false => Utterance {
                speaker: utterance.speaker,
                ..group::joined(owed)
            },
        };
        self.ready(utterance, next);
        if any {
            self.push(self.input, Ready::Final);
        }
        if let Some(end) = end {
            self.push(self.input, Ready::Gap(end));
        }
    }

    /// Lets what an utterance says leave, in its units. The next one begins at `next`.
    fn ready(&mut self, utterance: Utterance, next: Option<Duration>) {
        let part = self.input;
        let texts = match self.unit {
            Unit::Word => utterance.words.clone(),
            Unit::Utterance => Vec::from_iter(group::whole(&utterance, self.position)),
            Unit::Cue(_) => group::cues(&mut self.cutter, &utterance, next),
        };
        let Utterance { speaker, words, .. } = utterance;
        if let Some(speaker) = speaker.clone().filter(|_| !texts.is_empty()) {
            self.push(part, Ready::Speaker(speaker));
        }
        if self.unit == Unit::Word {
            for word in texts {
                self.push_word(part, word, speaker.clone());
            }
            return;
        }
        for word in words {
            self.push(part, Ready::Item(word, speaker.clone()));
        }
        for text in texts {
            self.push(part, Ready::Text(text));
        }
    }

    /// No more audio comes, maybe because something downstream waits for text: what was said before
    /// `until` leaves as it stands.
    pub fn starve(&mut self, until: Duration) {
        let input = self.input;
        let Some(part) = self
            .parts
            .get_mut(input)
            .filter(|part| part.barrier.is_none())
        else {
            return;
        };
        let mut due_texts = Vec::new();
        for (number, open) in &mut part.open {
            let due = open
                .owed
                .iter()
                .take_while(|word| word.end <= until)
                .count();
            let words: Vec<_> = open.owed.drain(..due).collect();
            for word in &words {
                part.early.on_pushed(*number, word);
            }
            if !words.is_empty() {
                due_texts.push(Utterance {
                    speaker: open.speaker.clone(),
                    ..group::joined(words)
                });
            }
        }
        for utterance in due_texts {
            self.ready(utterance, None);
        }
        self.settled(until);
    }

    /// Returns whether text up to `until` is missing, and nothing but more audio brings it.
    pub fn is_starving(&self, until: Duration) -> bool {
        let part = self.parts.get(self.input);
        self.latency.is_none()
            && self.input == 0
            && self.position < until
            && part.is_some_and(|part| part.barrier.is_none() && part.ready.is_empty())
    }

    /// No text is to be expected before `until`. A word that comes all the same begins behind that.
    /// In a live pipeline `latency` alone decides how long text is waited for.
    pub fn quiet(&mut self, until: Duration) {
        if self.latency.is_none() {
            self.settled(until);
        }
    }

    /// Nothing that is said before `until` changes any more, and all of it is here.
    pub fn settled(&mut self, until: Duration) {
        // The time of its end may be that of the sample behind it, in another segment.
        let part = self.parts.get(self.input);
        let end = part.and_then(|part| part.barrier?.end);
        let until = end.map_or(until, |end| until.min(end));
        if !self.extend(self.input, until) && until > self.position + SHORTEST_GAP {
            self.push(self.input, Ready::Gap(until));
        }
    }
}
