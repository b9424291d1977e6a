//! The service as a client sees it, over sockets.

mod client;
mod connections;
mod faults;
mod pocketsphinx;
#[path = "../../../common/skip.rs"]
mod skip;
