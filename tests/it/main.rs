//! The integration tests, as one program: a module for each behaviour.

#[path = "../common/mod.rs"]
mod common;

mod both_elements;
mod buffers;
mod credentials;
mod documents;
mod endless;
mod endpoints;
mod errors;
mod finish;
mod flush;
mod handlers;
mod hostile;
mod inspect;
mod install;
mod negotiation;
mod pause;
mod presets;
mod progress;
mod proxies;
mod pulse;
mod queue;
mod reconnect;
mod request;
mod scripts;
mod secrets;
mod sending;
mod sessions;
mod settings;
mod states;
mod static_linking;
mod stats;
mod steps;
mod streams;
mod threads;
mod times;
mod tls;
mod transcribe;
mod transcriber;
mod transcripts;
mod unreachable;
