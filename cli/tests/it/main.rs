//! The program `volcasr`, run as a user runs it.

mod captions;
mod check;
mod many_inputs;
mod shown;
mod support;
