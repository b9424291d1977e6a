//! Configuration of one run: the user's settings, checked.

use std::fmt;
use std::time::Duration;

use super::credentials::Credentials;
use super::net::endpoint::Endpoint;
use super::net::proxy::Proxy;
use super::secrets::Secrets;
use crate::protocol::frame::Compression;
use crate::protocol::request::Request;
use crate::session::queue::MAX_CHUNK;
use crate::session::settings::{Limits, Settings};

/// Settings of one run, which every reconnection uses.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the service.
    pub endpoint: Endpoint,
    /// Proxy on the way there.
    pub proxy: Option<Proxy>,
    /// Credentials of the user.
    pub credentials: Credentials,
    /// Secrets to redact: the credentials, and the proxy's login.
    pub secrets: Secrets,
    /// Product that the account has bought.
    pub resource_id: String,
    /// Request that opens a session. Its rate is the audio's.
    pub request: Request,
    /// Compression of the frames that are sent.
    pub compression: Compression,
    /// Time limits.
    pub limits: Limits,
    /// How audio is sent, and sent again.
    pub sending: Sending,
}

/// How audio is sent, and sent again.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    /// Audio in a frame; zero: a frame for every buffer.
    pub chunk: Duration,
    /// Upper bound on attempts in a row.
    pub max_reconnects: u32,
    /// Sent audio without final text that is kept for a replay.
    pub replay: Duration,
    /// Audio that may wait to be sent.
    pub max_queue: Duration,
    /// Speed of a backlog as a multiple of real time; 0: no limit.
    pub max_speed: f64,
}

/// Delay of results after the audio: twice the largest one in recorded traffic.
const RESULT_DELAY: Duration = Duration::from_secs(2);
/// Delay at `bigmodel_nostream`, which is documented to send results after some fifteen seconds. It
/// reports the audio as processed long before.
const NOSTREAM_DELAY: Duration = Duration::from_secs(20);

/// Summary for the log. Names the kind of credentials, never their values.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = self.proxy.as_ref();
        let proxy = proxy.map_or_else(String::new, |proxy| format!(" by {proxy}"));
        let credentials = match self.credentials {
            Credentials::Pair { .. } => "an app key and an access key",
            Credentials::Key(_) => "an API key",
        };
        write!(
            f,
            "{}{proxy} with {credentials}, resource {}, {} Hz in frames of {} ms",
            self.endpoint,
            self.resource_id,
            self.request.rate,
            self.sending.chunk.as_millis()
        )
    }
}

impl Config {
    /// Returns how long after the service reports audio as processed its results may arrive.
    fn result_delay(&self) -> Duration {
        // A response covers whole frames.
        let least = RESULT_DELAY.max(RESULT_DELAY / 2 + self.max_chunk());
        let sending = &self.sending;
        match self.endpoint.name() {
            // It reports all received audio as processed: the faster that is sent, the later its
            // results seem.
            "bigmodel" if sending.max_speed == 0.0 => sending.replay.max(least),
            "bigmodel" => {
                let late = RESULT_DELAY.mul_f64(sending.max_speed.clamp(1.0, 1000.0));
                late.min(sending.replay).max(least)
            }
            _ if self.answers_at_end() => NOSTREAM_DELAY,
            _ => least,
        }
    }

    fn answers_at_end(&self) -> bool {
        self.endpoint.name().ends_with("_nostream")
    }

    /// Returns what recognition goes by.
    pub(super) fn session_settings(&self) -> Settings {
        let result_delay = self.result_delay();
        Settings {
            request: self.request.clone(),
            compression: self.compression,
            limits: self.limits,
            max_chunk: self.max_chunk(),
            max_reconnects: self.sending.max_reconnects,
            replay: self.sending.replay,
            // A rollover needs the audio that may still hold words, and as much for responses
            // under way.
            replay_window: self.sending.replay.max(result_delay + RESULT_DELAY),
            result_delay,
            answers_at_end: self.answers_at_end(),
            max_speed: self.sending.max_speed,
        }
    }

    /// Returns the audio of the largest frame.
    fn max_chunk(&self) -> Duration {
        match self.sending.chunk {
            Duration::ZERO => MAX_CHUNK,
            chunk => chunk,
        }
    }
}

#[cfg(test)]
mod tests;
