//! What a client is told once, when it starts.

use std::fmt;
use std::time::Duration;

use super::credentials::Credentials;
use super::net::endpoint::Endpoint;
use super::net::proxy::Proxy;
use super::secrets::Secrets;
use crate::protocol::frame::Compression;
use crate::protocol::request::Request;
use crate::session::exchange::Limits;

/// A snapshot of the user's settings; every reconnection uses the same.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the service is.
    pub endpoint: Endpoint,
    /// The proxy on the way there.
    pub proxy: Option<Proxy>,
    /// Who the user is.
    pub credentials: Credentials,
    /// Secrets to redact: the credentials, and the proxy's login.
    pub secrets: Secrets,
    /// What the account has bought.
    pub resource_id: String,
    /// What a session asks for. Its rate is the audio's.
    pub request: Request,
    /// Of what is sent.
    pub compression: Compression,
    /// The time limits.
    pub limits: Limits,
    /// Audio in one frame; zero: a frame for every buffer.
    pub chunk: Duration,
    /// Tries to connect in a row.
    pub max_reconnects: u32,
    /// How much sent, not yet settled audio is kept.
    pub replay: Duration,
    /// How much audio may wait to be sent.
    pub max_queue: Duration,
    /// Times real time; 0: no limit.
    pub max_speed: f64,
}

/// Recorded responses lag the audio by a second at most; this is twice that.
const RESULT_LATENCY: Duration = Duration::from_secs(2);
/// `bigmodel_nostream` is documented to keep what it hears to itself for about fifteen seconds. It claims to have worked meanwhile.
const NOSTREAM_LATENCY: Duration = Duration::from_secs(20);

/// What a log begins with. Names the kind of credentials, never their values.
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
            self.chunk.as_millis()
        )
    }
}

impl Config {
    /// How much sent audio is kept: what may be sent again when a connection is lost, and what a session that goes over to
    /// the next one always needs for that, which is what may still hold words, and as much for answers that are on their way.
    pub fn replay_window(&self) -> Duration {
        self.replay.max(self.result_latency() + RESULT_LATENCY)
    }

    /// How old the audio must be that the service claims to have worked through, until no more words of it come.
    pub fn result_latency(&self) -> Duration {
        match self.endpoint.name() {
            // It claims to have worked through whatever it has received: the faster that is sent, the further words lag.
            "bigmodel" if self.max_speed == 0.0 => self.replay.max(self.max_result_delay()),
            "bigmodel" => {
                let late = RESULT_LATENCY.mul_f64(self.max_speed.clamp(1.0, 1000.0));
                late.min(self.replay).max(self.max_result_delay())
            }
            name if name.ends_with("_nostream") => NOSTREAM_LATENCY,
            _ => self.max_result_delay(),
        }
    }

    /// How far a service that answers as it hears is behind at most.
    pub fn max_result_delay(&self) -> Duration {
        RESULT_LATENCY.max(RESULT_LATENCY / 2 + self.max_chunk())
    }

    /// How much audio one answer may be behind for no other reason than that it covers whole frames.
    pub fn max_chunk(&self) -> Duration {
        match self.chunk {
            // At most this much where buffers become frames.
            Duration::ZERO => Duration::from_secs(2),
            chunk => chunk,
        }
    }
}

#[cfg(test)]
impl Config {
    /// Of an unencrypted service at `address`, with limits of a second.
    pub(super) fn for_test(address: std::net::SocketAddr) -> Self {
        let second = Duration::from_secs(1);
        Config {
            endpoint: Endpoint {
                tls: false,
                host: address.ip().to_string(),
                port: address.port(),
                target: "/".into(),
            },
            proxy: None,
            credentials: Credentials::Key("key".into()),
            secrets: Secrets::default(),
            resource_id: "resource".into(),
            request: Request::default(),
            compression: Compression::None,
            limits: Limits {
                connect: second,
                idle: None,
                finish: second,
                session: None,
            },
            chunk: second,
            max_reconnects: 10,
            replay: second,
            max_queue: second,
            max_speed: 0.0,
        }
    }
}
