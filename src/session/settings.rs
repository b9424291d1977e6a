//! The user's settings, as far as the rules of recognition need them.

use std::time::Duration;

use crate::protocol::frame::Compression;
use crate::protocol::request::Request;

/// The user's time limits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the start of a connection to the answer to the request.
    pub connect: Duration,
    /// Silence of the input after which a session is finished.
    pub idle: Option<Duration>,
    /// Wait for the final response.
    pub finish: Duration,
    /// Audio after which a session continues on a new connection.
    pub session: Option<Duration>,
}

/// Settings of one element, the same for all its connections.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Content of the request. Its rate is the audio's.
    pub request: Request,
    /// Compression of what is sent.
    pub compression: Compression,
    /// Time limits.
    pub limits: Limits,
    /// Audio of the largest frame: an answer may lag this much behind what was sent.
    pub max_chunk: Duration,
    /// Upper bound on attempts in a row.
    pub max_reconnects: u32,
    /// Audio that may be sent again after a loss.
    pub replay: Duration,
    /// Audio that is kept, for a rollover as well.
    pub replay_window: Duration,
    /// Results may arrive this long after the service reports the audio as processed.
    pub result_delay: Duration,
    /// Results may come as late as the final response, beyond `result_delay`.
    pub answers_at_end: bool,
    /// Speed at which a backlog is sent, in units of real time; 0: no limit.
    pub max_speed: f64,
}
