//! The service as a client sees it, over sockets.

mod acceptance;
mod behaviour;
mod client;
mod faults;
mod pocketsphinx;
#[path = "../../../common/skip.rs"]
mod skip;
mod strictness;
