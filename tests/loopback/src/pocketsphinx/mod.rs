//! Real speech, through GStreamer's `pocketsphinx` element.
//!
//! The element posts its hypothesis, and, at pauses of its own, the final one; it does not say when
//! a word was spoken. Times are therefore modelled: the words of a hypothesis are spread over the
//! parts of it that are loud ([`voice`]), by their length.

mod listener;
mod voice;

pub(crate) use listener::{Hypothesis, Listener, check};
