//! The properties' values, by name.

use gst::glib;
use gst::prelude::*;

use crate::client::without_secrets;

pub(super) const DEFAULT_URI: &str = "wss://openspeech.bytedance.com/api/v3/sauc/bigmodel_async";
/// What an account can buy, by documentation.
pub(super) const RESOURCE_IDS: [&str; 4] = [
    "volc.seedasr.sauc.duration",
    "volc.seedasr.sauc.concurrent",
    "volc.bigasr.sauc.duration",
    "volc.bigasr.sauc.concurrent",
];
pub(super) const DEFAULT_UID: &str = "gst-volcasrsink";
pub(super) const DEFAULT_SSD_VERSION: &str = "200";

/// What happens to audio that there is no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstVolcasrSinkLeaky")]
pub enum Leaky {
    /// As the pipeline is: dropped in a live one, blocked in another.
    #[default]
    #[enum_value(
        name = "Auto: downstream when the pipeline is live, else no",
        nick = "auto"
    )]
    Auto,
    /// The pipeline waits.
    #[enum_value(name = "No: block the pipeline", nick = "no")]
    No,
    /// The oldest audio that waits is dropped.
    #[enum_value(
        name = "Downstream: drop the oldest audio that waits",
        nick = "downstream"
    )]
    Downstream,
}

/// Compression of what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstVolcasrSinkCompression")]
pub enum Compression {
    /// Fewer bytes.
    #[default]
    #[enum_value(name = "Gzip: fewer bytes, more CPU time", nick = "gzip")]
    Gzip,
    /// Less work.
    #[enum_value(name = "None: the least CPU time", nick = "none")]
    None,
}

/// What a response lists.
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
    /// What changes.
    #[enum_value(name = "Single: only the current utterances", nick = "single")]
    Single,
}

/// The properties' values.
#[derive(Clone)]
pub(super) struct Settings {
    /// None: that of the environment, or the default.
    pub uri: Option<String>,
    pub app_key: Option<String>,
    pub access_key: Option<String>,
    pub api_key: Option<String>,
    pub resource_id: String,
    pub uid: String,
    pub allow_insecure: bool,
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
    pub model_name: String,
    pub enable_itn: bool,
    pub enable_punc: bool,
    pub enable_ddc: bool,
    pub show_utterances: bool,
    pub enable_nonstream: bool,
    pub result_type: ResultType,
    pub language: Option<String>,
    pub end_window_size: u32,
    pub force_to_speech_time: u32,
    pub vad_segment_duration: u32,
    pub hotwords: Vec<String>,
    pub context: Option<String>,
    pub boosting_table_id: Option<String>,
    pub boosting_table_name: Option<String>,
    pub correct_table_id: Option<String>,
    pub correct_table_name: Option<String>,
    pub enable_speaker_info: bool,
    pub ssd_version: Option<String>,
    pub extra_request: Option<gst::Structure>,
    pub interim_results: bool,
    pub post_tags: bool,
    pub post_responses: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            uri: None,
            app_key: None,
            access_key: None,
            api_key: None,
            resource_id: "volc.seedasr.sauc.duration".into(),
            uid: DEFAULT_UID.into(),
            allow_insecure: false,
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
            model_name: "bigmodel".into(),
            enable_itn: true,
            enable_punc: true,
            enable_ddc: true,
            show_utterances: true,
            enable_nonstream: false,
            result_type: ResultType::default(),
            language: None,
            end_window_size: 800,
            force_to_speech_time: 0,
            vad_segment_duration: 0,
            hotwords: Vec::new(),
            context: None,
            boosting_table_id: None,
            boosting_table_name: None,
            correct_table_id: None,
            correct_table_name: None,
            enable_speaker_info: false,
            ssd_version: Some(DEFAULT_SSD_VERSION.into()),
            extra_request: None,
            interim_results: true,
            post_tags: true,
            post_responses: false,
        }
    }
}

/// Applies `$apply!` to the field that the property `$name` stands for.
macro_rules! with_field {
    ($settings:expr, $name:expr, $apply:ident) => {
        match $name {
            "resource-id" => $apply!($settings.resource_id),
            "uid" => $apply!($settings.uid),
            "allow-insecure" => $apply!($settings.allow_insecure),
            "connect-timeout" => $apply!($settings.connect_timeout),
            "finish-timeout" => $apply!($settings.finish_timeout),
            "idle-timeout" => $apply!($settings.idle_timeout),
            "max-session-time" => $apply!($settings.max_session_time),
            "max-reconnects" => $apply!($settings.max_reconnects),
            "replay-time" => $apply!($settings.replay_time),
            "max-queue-time" => $apply!($settings.max_queue_time),
            "leaky" => $apply!($settings.leaky),
            "max-speed" => $apply!($settings.max_speed),
            "rate" => $apply!($settings.rate),
            "chunk-duration" => $apply!($settings.chunk_duration),
            "compression" => $apply!($settings.compression),
            "model-name" => $apply!($settings.model_name),
            "enable-itn" => $apply!($settings.enable_itn),
            "enable-punc" => $apply!($settings.enable_punc),
            "enable-ddc" => $apply!($settings.enable_ddc),
            "show-utterances" => $apply!($settings.show_utterances),
            "enable-nonstream" => $apply!($settings.enable_nonstream),
            "result-type" => $apply!($settings.result_type),
            "language" => $apply!($settings.language),
            "end-window-size" => $apply!($settings.end_window_size),
            "force-to-speech-time" => $apply!($settings.force_to_speech_time),
            "vad-segment-duration" => $apply!($settings.vad_segment_duration),
            "context" => $apply!($settings.context),
            "boosting-table-id" => $apply!($settings.boosting_table_id),
            "boosting-table-name" => $apply!($settings.boosting_table_name),
            "correct-table-id" => $apply!($settings.correct_table_id),
            "correct-table-name" => $apply!($settings.correct_table_name),
            "enable-speaker-info" => $apply!($settings.enable_speaker_info),
            "ssd-version" => $apply!($settings.ssd_version),
            "extra-request" => $apply!($settings.extra_request),
            "interim-results" => $apply!($settings.interim_results),
            "post-tags" => $apply!($settings.post_tags),
            "post-responses" => $apply!($settings.post_responses),
            // GObject hands over only names that the class has registered.
            name => unreachable!("no such property: {name}"),
        }
    };
}

impl Settings {
    /// Sets a writable property. GObject has checked the type and the range.
    pub fn set(&mut self, name: &str, value: &glib::Value) {
        macro_rules! set {
            ($field:expr) => {
                if !assign(&mut $field, value) {
                    assign(&mut $field, &Settings::default().get(name));
                }
            };
        }
        match name {
            "uri" => self.uri = value.get().ok().flatten(),
            "app-key" => self.app_key = secret(value),
            "access-key" => self.access_key = secret(value),
            "api-key" => self.api_key = secret(value),
            "hotwords" => self.hotwords = strings(value),
            _ => with_field!(self, name, set),
        }
    }

    /// The value of a property that can be read and is set by the user.
    pub fn get(&self, name: &str) -> glib::Value {
        macro_rules! get {
            ($field:expr) => {
                $field.to_value()
            };
        }
        match name {
            // One with a secret in it is refused later on, but could be read from a dot dump before.
            "uri" => {
                let known = [&self.app_key, &self.access_key, &self.api_key];
                let known: Vec<&str> = known.into_iter().flatten().map(String::as_str).collect();
                without_secrets(self.uri.as_deref().unwrap_or(DEFAULT_URI), &known).to_value()
            }
            "hotwords" => {
                gst::Array::new(self.hotwords.iter().map(|word| word.to_send_value())).to_value()
            }
            _ => with_field!(self, name, get),
        }
    }
}

/// False: it is null, and the field can't be; such a property goes back to its default.
fn assign<T: for<'a> glib::value::FromValue<'a>>(field: &mut T, value: &glib::Value) -> bool {
    match value.get() {
        Ok(value) => {
            *field = value;
            true
        }
        Err(_) => false,
    }
}

/// Empty means not set, as with the variables.
fn secret(value: &glib::Value) -> Option<String> {
    value
        .get::<Option<String>>()
        .ok()
        .flatten()
        .and_then(not_empty)
}

fn strings(value: &glib::Value) -> Vec<String> {
    let Ok(array) = value.get::<gst::Array>() else {
        return Vec::new();
    };
    array
        .iter()
        .filter_map(|word| word.get::<String>().ok())
        .collect()
}

pub(super) fn not_empty(value: String) -> Option<String> {
    let trimmed = value.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}
