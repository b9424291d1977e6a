//! A v3/sauc speech recognition service on 127.0.0.1, as strict as the real one is known to be, and
//! with its known oddities.
//!
//! For tests and for people who build against the plugin without an account. It checks clients
//! independently: nothing here is shared with any client's code.
//!
//! ```no_run
//! use std::time::Duration;
//! use volcasr_loopback::{Options, Service};
//!
//! let service = Service::start(Options::default())?;
//! println!("{}", service.uri());
//! assert!(service.wait(Duration::from_secs(60), |all| all.iter().any(|c| c.final_at.is_some())));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! From bottom to top:
//! - `frame`, `request`, `audio`: what a client sent, decoded strictly;
//! - [`marks`], [`scripted`], `pocketsphinx` behind `recogniser`: what turns audio into words;
//! - `transcript`, `answer`: recognised words, cut into utterances, as the service's JSON;
//! - `session`: the rules, without sockets;
//! - `upgrade`, `wire`, `connection`, [`Service`]: the sockets;
//! - [`cli`]: the same as a program.
//!
//! Behaviour that is neither documented nor seen nor reported is modelled, and its place says so.
//! These are modelled above all: texts of errors whose place does not name a recording, the order
//! in which several mistakes of an upgrade are refused, the ranges that make invalid parameters,
//! the numbers of answers, and the exact moments of revisions.

mod answer;
mod audio;
pub mod cli;
pub mod codes;
mod connection;
mod fault;
mod frame;
mod lag;
pub mod marks;
mod options;
mod pocketsphinx;
mod recogniser;
mod record;
mod request;
pub mod scripted;
mod service;
mod session;
mod stderr;
pub mod tls;
mod transcript;
mod upgrade;
mod wire;

pub use fault::{Fault, FaultKind, Target, Trigger};
pub use frame::ClientFrame;
pub use lag::Lag;
pub use options::{Endpoint, Oddity, Options, Recogniser};
pub use record::{Connection, End};
pub use scripted::{At, Script, Send, Step};
pub use service::{Gate, Service};
pub use upgrade::HttpAnswer;
