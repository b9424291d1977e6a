//! The v3/sauc wire protocol: bytes and JSON to types and back. No sockets, no clocks, no GStreamer.
//!
//! | file | holds |
//! |---|---|
//! | [`frame`] | the binary frame: header, sequence, size, payload; encoder and strict decoder |
//! | [`compression`] | gzip, both ways, bounded, with state that is kept from frame to frame |
//! | [`request`] | what a session asks for, as the JSON of the first frame |
//! | [`response`] | what the service answers, read with tolerance and without copies |
//! | [`prefix_cache`] | the part of a response that the one before it had, passed over |
//! | [`utterance`] | the part of a response that matters most: words, times, attributes |
//! | `tolerant_json` | the JSON readers behind those and `failure`: a wrong type is an absent field |
//! | [`failure`] | error frames and HTTP refusals: what they mean, and whether to try again |
//! | `error_body` | the text that comes with them |
//! | [`text`] | a peer's words, made safe for a log |
//!
//! What is strict and what is tolerant follows from who can mend it. Sizes and checksums are checked to the
//! byte, because a frame read wrongly puts words into somebody's mouth. The fields of a response are
//! each optional, because the service leaves them out, renames and retypes them from release to
//! release, and one odd field is no reason to lose a sentence.

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

/// Most bytes that a frame's payload may have, on the wire and inflated: 16 MiB.
///
/// A peer that sends more is broken or hostile. The longest honest payload, a `full` response near the
/// end of a session of ten minutes, has a few megabytes.
pub const MAX_PAYLOAD: usize = 16 << 20;
