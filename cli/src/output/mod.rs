//! Output of a recognition: utterances in the order of speech, and files of them.
//!
//! [`transcript`] is one utterance, [`order`] puts them into the order of speech, [`streams`]
//! streams on one axis of time, [`mod@format`] names what they can be written as, [`writer`]
//! writes them, [`place`] is where to, [`files`] are the files of one input, [`film`] is its
//! picture with captions.

pub mod files;
pub mod film;
pub mod format;
pub mod order;
pub mod place;
pub mod streams;
pub mod transcript;
pub mod writer;
