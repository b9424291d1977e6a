//! One stream of audio as the service sees it. No sockets, no GStreamer; time comes in as a value.
pub mod history;
pub mod transcript;
