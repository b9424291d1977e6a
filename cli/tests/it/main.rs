//! The program `volcasr`, run as a user runs it.

mod batch_outputs;
mod burn_in;
mod captions;
mod check;
mod inputs;
mod interrupted;
mod live_inputs;
mod many_inputs;
mod options;
mod outputs;
mod serve;
mod shown;
mod support;
