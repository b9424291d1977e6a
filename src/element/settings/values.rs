//! Values of the properties, with their defaults.

use gst::glib;

use crate::protocol::request::Request;

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

/// The values of the properties.
#[derive(Clone)]
pub(crate) struct Settings {
    /// The language of the request is not the user's own choice: a bin may have set it.
    pub language_is_implied: bool,
    /// Fields of the request that are sent as they are set.
    pub request: Request,
    /// URI of the service, if it is not that of the environment or the default.
    pub uri: Option<String>,
    pub app_key: Option<String>,
    pub access_key: Option<String>,
    pub api_key: Option<String>,
    pub resource_id: String,
    pub allow_insecure: bool,
    pub proxy: Option<String>,
    pub proxy_id: Option<String>,
    pub proxy_pw: Option<String>,
    pub connect_timeout: u32,
    pub finish_timeout: u32,
    pub idle_timeout: u32,
    pub max_session_time: u32,
    pub max_reconnects: u32,
    pub replay_time: u32,
    pub max_queue_time: u32,
    pub leaky: Leaky,
    pub max_speed: f64,
    pub rate: i32,
    pub chunk_duration: u32,
    pub compression: Compression,
    pub result_type: ResultType,
    pub context: Option<String>,
    pub extra_request: Option<gst::Structure>,
    pub interim_results: bool,
    pub post_tags: bool,
    pub post_responses: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            language_is_implied: false,
            request: Request {
                ssd_version: Some("200".into()),
                ..Request::default()
            },
            uri: None,
            app_key: None,
            access_key: None,
            api_key: None,
            resource_id: "volc.seedasr.sauc.duration".into(),
            allow_insecure: false,
            proxy: None,
            proxy_id: None,
            proxy_pw: None,
            connect_timeout: 10_000,
            finish_timeout: 10_000,
            idle_timeout: 4_000,
            max_session_time: 600_000,
            max_reconnects: 10,
            replay_time: 120_000,
            max_queue_time: 30_000,
            leaky: Leaky::default(),
            max_speed: 10.0,
            rate: 24_000,
            chunk_duration: 200,
            compression: Compression::default(),
            result_type: ResultType::default(),
            context: None,
            extra_request: None,
            interim_results: true,
            post_tags: true,
            post_responses: false,
        }
    }
}
