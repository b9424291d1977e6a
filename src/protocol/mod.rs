//! The v3/sauc wire protocol: bytes and JSON to types and back, without sockets, clocks or
//! GStreamer.
//!
//! | file | holds |
//! |---|---|
//! | [`frame`] | the binary frame: header, sequence, size, payload; encoder and strict decoder |
//! | [`compression`] | gzip, both ways, bounded |
//! | [`request`] | the JSON of the first frame, which says what a session asks for |
//! | [`response`] | the service's answers, read tolerantly and without copies |
//! | [`prefix_cache`] | skips the part of a response that is the same as in the one before |
//! | [`utterance`] | an utterance of a response: words, times, attributes |
//! | `tolerant_json` | JSON readers for absent and mistyped fields |
//! | [`failure`] | error frames and HTTP refusals: cause and retry |
//! | `error_body` | the message and code in an error's body |
//! | [`text`] | text of a peer, made safe for a log |
//!
//! Frames are read strictly and responses tolerantly. A frame whose sizes and checksums are wrong
//! can't be trusted: what is read from it could be anything. A response's fields are optional, one
//! by one: the service leaves them out, renames and retypes them from release to release, and one
//! odd field must not lose a sentence.

pub mod compression;
mod error_body;
pub mod failure;
pub mod frame;
pub mod prefix_cache;
pub mod request;
pub mod response;
pub mod text;
mod tolerant_json;
pub mod utterance;

/// Upper bound on a frame's payload in bytes, on the wire and inflated: 16 MiB.
///
/// A peer that sends more is broken or hostile. The longest regular payload, a `full` response near
/// the end of a session of ten minutes, has a few megabytes.
pub const MAX_PAYLOAD: usize = 16 << 20;
