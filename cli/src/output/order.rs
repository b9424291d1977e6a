//! Utterances in the order of speech. They become final roughly in it, but a second pass or a
//! restored connection can settle a later one first, and what is written to a file can't be moved.

use std::collections::BTreeMap;

use super::transcript::Transcript;

/// Holds final utterances back while one that was said before them is still open.
#[derive(Debug, Default)]
pub struct Order {
    stream: u32,
    open: BTreeMap<u32, Transcript>,
    /// In the order of speech.
    held: Vec<Transcript>,
}

impl Order {
    /// Takes what came, and gives the final ones whose turn it is. Withdrawn ones are left out.
    pub fn take(&mut self, transcript: Transcript) -> Vec<Transcript> {
        // An utterance that is open when a flush ends its stream never gets a final.
        let mut ready = if transcript.stream == self.stream {
            Vec::new()
        } else {
            self.finish()
        };
        self.stream = transcript.stream;
        if transcript.is_final {
            self.open.remove(&transcript.utterance);
            if transcript.has_text() {
                let place = self.held.iter().position(|held| transcript.is_before(held));
                self.held
                    .insert(place.unwrap_or(self.held.len()), transcript);
            }
        } else {
            self.open.insert(transcript.utterance, transcript);
        }
        let free = self
            .held
            .iter()
            .take_while(|held| !self.open.values().any(|open| open.is_before(held)))
            .count();
        ready.extend(self.held.drain(..free));
        ready
    }

    /// Returns the utterances held back, at the end. Those that are still open are forgotten.
    pub fn finish(&mut self) -> Vec<Transcript> {
        self.open.clear();
        std::mem::take(&mut self.held)
    }

    /// Returns the utterances not given out yet, held back or open, in the order of speech.
    pub fn pending(&self) -> Vec<&Transcript> {
        let mut pending: Vec<&Transcript> = self.held.iter().collect();
        for open in self.open.values().filter(|open| open.has_text()) {
            let place = pending.iter().position(|other| open.is_before(other));
            pending.insert(place.unwrap_or(pending.len()), open);
        }
        pending
    }
}

#[cfg(test)]
mod tests;
