//! Values of the properties, with their defaults.

use std::time::Duration;

use gst::glib;

use crate::client::Sending;
use crate::protocol::request::Request;
use crate::session::settings::Limits;

pub(crate) const DEFAULT_URI: &str = "wss://openspeech.bytedance.com/api/v3/sauc/bigmodel_async";

/// Resource ids that an account can buy, by documentation.
pub(crate) const RESOURCE_IDS: [&str; 4] = [
    "volc.seedasr.sauc.duration",
    "volc.seedasr.sauc.concurrent",
    "volc.bigasr.sauc.duration",
    "volc.bigasr.sauc.concurrent",
];

/// Handling of audio when the queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstVolcasrSinkLeaky")]
pub enum Leaky {
    /// Drops in a live pipeline, blocks in others.
    #[default]
    #[enum_value(
        name = "Auto: downstream when the pipeline is live, else no",
        nick = "auto"
    )]
    Auto,
    /// Blocks the pipeline.
    #[enum_value(name = "No: block the pipeline", nick = "no")]
    No,
    /// Drops the oldest audio.
    #[enum_value(
        name = "Downstream: drop the oldest audio that waits",
        nick = "downstream"
    )]
    Downstream,
}

/// Compression of the frames that are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstVolcasrSinkCompression")]
pub enum Compression {
    /// Fewer bytes.
    #[default]
    #[enum_value(name = "Gzip: fewer bytes, more CPU time", nick = "gzip")]
    Gzip,
    /// Less CPU time.
    #[enum_value(name = "None: the least CPU time", nick = "none")]
    None,
}

/// Utterances that a response lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstVolcasrSinkResultType")]
pub enum ResultType {
    /// The whole session.
    #[default]
    #[enum_value(
        name = "Full: all utterances of the session, in every response",
        nick = "full"
    )]
    Full,
    /// Those that change.
    #[enum_value(name = "Single: only the current utterances", nick = "single")]
    Single,
}

/// URI of the service, if it is not that of the environment or the default. An empty one is an
/// error: the default would lead to another service.
#[derive(Clone, Default)]
pub(crate) struct ServiceUri(pub Option<String>);

/// URI of the proxy. Empty: no proxy; `None`: the environment's.
#[derive(Clone, Default)]
pub(crate) struct ProxyUri(pub Option<String>);

/// The values of the properties.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Fields of the request that are sent as they are set.
    pub request: Request,
    /// The language of the request is not the user's own choice: a bin may have set it.
    pub language_is_implied: bool,
    pub rate: i32,
    pub result_type: ResultType,
    pub context: Option<String>,
    pub extra_request: Option<gst::Structure>,
    pub service: Service,
    pub proxy: ProxySettings,
    pub limits: Limits,
    pub sending: Sending,
    pub leaky: Leaky,
    pub posts: Posts,
}

/// The service, and what it asks for.
#[derive(Clone)]
pub(crate) struct Service {
    pub uri: ServiceUri,
    pub allow_insecure: bool,
    pub app_key: Option<String>,
    pub access_key: Option<String>,
    pub api_key: Option<String>,
    pub resource_id: String,
    pub compression: Compression,
}

/// The proxy on the way to the service.
#[derive(Clone, Default)]
pub(crate) struct ProxySettings {
    pub uri: ProxyUri,
    pub id: Option<String>,
    pub password: Option<String>,
}

/// Kinds of messages that are posted beside those that always are. They can change at any time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posts {
    pub interim: bool,
    pub tags: bool,
    /// The client also reports responses that only a pad wants.
    pub responses: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Settings {
            request: Request {
                ssd_version: Some("200".into()),
                ..Request::default()
            },
            language_is_implied: false,
            rate: 24_000,
            result_type: ResultType::default(),
            context: None,
            extra_request: None,
            service: Service {
                uri: ServiceUri::default(),
                allow_insecure: false,
                app_key: None,
                access_key: None,
                api_key: None,
                resource_id: RESOURCE_IDS[0].into(),
                compression: Compression::default(),
            },
            proxy: ProxySettings::default(),
            limits: Limits {
                connect: seconds(10),
                idle: Some(seconds(4)),
                finish: seconds(10),
                session: Some(seconds(600)),
            },
            sending: Sending {
                chunk: Duration::from_millis(200),
                max_reconnects: 10,
                replay: seconds(120),
                max_queue: seconds(30),
                max_speed: 10.0,
            },
            leaky: Leaky::default(),
            posts: Posts {
                interim: true,
                tags: true,
                responses: false,
            },
        }
    }
}
