//! Tables of the rules on a virtual clock. See [`script`] for how to read them.

mod arbitrary;
mod connecting;
mod finishing;
mod harness;
mod idling;
mod receiving;
mod rolling_over;
mod sending;
mod words;

use harness::Harness;

/// Runs a script: `time input | what must follow`, in milliseconds, one step a line. Lines with
/// `set name value` come first; a time that is left out is that of the line before.
///
/// A step must find no deadline before its time; `timeout` must find one at exactly its time. What
/// follows is compared as a whole, separated by commas:
///
/// - `preconnect`, `discard`, `connect<T`, `cancel`, `close`, `drain`: actions. `connect` has until
///   T; `drain` closes behind a finish.
/// - `request`, `audio N-M A-B`, `again N-M A-B`, `finish N`: frames with their numbers, and the
///   time on the axis; `again` was sent before.
/// - `Ready`, `open N`, `done N`, `settled T`: events. `open` is the first answer of session N.
/// - `N text`, `N text F`, `N text U`: utterance N as interim, final, or unconfirmed.
/// - `retry N +T from A: why`: try N follows after T, from A on. `lost` if there was a session.
/// - `unconfirmed after T: why`, `failed: why`, `failed lost: why`: the end of the wait for the
///   final response, and of everything.
///
/// Audio comes in chunks of 200 ms. What is handed over is written at once unless `hold` was
/// before, and a close is done at once unless `slow` was.
fn script(text: &str) {
    let mut harness = Harness::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        harness.line(line);
    }
}
