//! Tables of the rules on a virtual clock. See [`table`] for how to read them.

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

/// Runs each case of a table, see [`crate::session::tests::table`]. A line is `time input | what
/// must follow`, in milliseconds; a time that is left out is that of the line before. `set name
/// value` counts from the beginning, wherever it stands.
///
/// `session N` stands for a beginning: N ms of audio come at 0, the connection is there at 10, the
/// service answers at 20, and all of the audio is sent. `speaking` is a session of 400 ms that the
/// service has processed at 30, with an open utterance.
///
/// Inputs:
///
/// - `audio N`, `silence N`: N ms arrive; silence only while a session is open. `end-session`, `end
///   TOKEN`, `stream N`: a boundary arrives; `end-session` ends the session.
/// - `ready`: the network is ready. `connected`, `refused CLASS`, `late`: the attempt succeeds,
///   fails with an error of that class (`soon`, `later`, `limited`, `never`, `stale`), or is not
///   done by its deadline. `close-done`: the end of the connection before is over.
/// - `times N INPUT`: that line N times.
/// - `say DURATION UTTERANCE…`, `last …`: a response, or the final one. It reports DURATION as
///   processed; `-` leaves that out. `A@0-300!~` is the utterance A from 0 to 300 ms of the
///   connection; `!` marks it as definite, `~` leaves out its word's times. By custom, a capital
///   is a text that is to become final.
/// - `error CODE TEXT`, `garbage`, `text`, `closed CODE`, `reset`: an error frame, a message that
///   can't be read, a text message, a close by the peer, a broken connection.
/// - `hold`, `written`, `write-failed`: writes take time from now on, those under way are done, or
///   one fails. Frames go together up to 32 KiB. `slow`: closes take time from now on, until
///   `close-done`.
/// - `timeout`: the deadline. `quiet`: there is nothing to read behind it.
/// - `flush`, `abort`, `start`: by the owner; `start` does nothing more. `show-quiet`: the script
///   has `quiet` events from now on.
///
/// Settings: `reconnects`, `connect`, `idle`, `finish`, `session`, `speed`, `replay`, `rate` with a
/// number; `single x`, `gzip x`, `at-end x`. Times are in milliseconds; 0 is none.
///
/// A step must find no deadline before its time; `timeout` must find one at exactly its time. What
/// follows is compared as a whole, separated by commas:
///
/// - `preconnect`, `discard`, `connect<T`, `cancel`, `close`, `drain N`: actions. `connect` has
///   until T, or until the deadline of all attempts behind a `finish`; `drain` closes behind a
///   finish with that number.
/// - `request`, `audio N-M A-B`, `again N-M A-B`, `finish N`: frames with their numbers, and the
///   time on the axis; `again` was sent before.
/// - `Ready`, `open N`, `done N`, `settled T`, `quiet T`: events. `open` is the first answer of
///   session N.
/// - `N text`, `N text F`, `N text U`: utterance N as interim, final, or unconfirmed.
/// - `retry N +T from A: why`: attempt N follows after T, from A on. `lost` if there was a session.
/// - `unconfirmed after T: why`, `failed: why`, `failed lost: why`: the end of the wait for the
///   final response, and of everything.
///
/// Audio comes in chunks of 200 ms. What is handed over is written at once unless `hold` was
/// before, and a close is done at once unless `slow` was.
fn table(text: &str) {
    crate::session::tests::table(text, |lines| {
        let mut harness = Harness::new(lines.iter().filter_map(|line| line.strip_prefix("set ")));
        for line in lines.iter().filter(|line| !line.starts_with("set ")) {
            harness.line(line);
        }
    });
}
