//! What the programs `captions` and `many` share. In reading order:
//!
//! - [`options`], what the command line says about the service, and how it gets to the element;
//! - [`input`], microphone, file, URI, or a piece of a launch line;
//! - [`recognition`], the pipeline;
//! - [`news`], what its messages mean;
//! - [`transcript`], one utterance;
//! - [`order`], utterances in the order of speech;
//! - [`writer`], text, SubRip, WebVTT, JSON lines;
//! - [`failure`], what to tell when something goes wrong;
//! - [`interrupt`], Ctrl-C.

// Neither program needs all of it.
#![allow(dead_code)]

pub mod failure;
pub mod input;
pub mod interrupt;
pub mod news;
pub mod options;
pub mod order;
pub mod recognition;
pub mod transcript;
pub mod writer;
