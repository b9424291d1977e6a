//! What the user sets, and what becomes of it on READY → PAUSED: checked, completed from the
//! environment, and kept as one snapshot.

use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use serde_json::{Map, Value};

use crate::client::{Config, Credentials, Endpoint, is_field_value, without_secrets};
use crate::protocol::frame;
use crate::protocol::request::{self, Request, parse_context};
use crate::session::exchange::Limits;

pub(super) const DEFAULT_URI: &str = "wss://openspeech.bytedance.com/api/v3/sauc/bigmodel_async";
pub(super) const DEFAULT_UID: &str = "gst-volcasrsink";

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
    pub uri: String,
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
    pub extra_request: Option<gst::Structure>,
    pub interim_results: bool,
    pub post_tags: bool,
    pub post_responses: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            uri: DEFAULT_URI.into(),
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
            "uri" => $apply!($settings.uri),
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
            "uri" => without_secrets(&self.uri).to_value(),
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

fn not_empty(value: String) -> Option<String> {
    let trimmed = value.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// The variables that stand in for properties.
#[derive(Clone, Default)]
pub(super) struct Environment {
    pub app_id: Option<String>,
    pub access_key: Option<String>,
    pub api_key: Option<String>,
}

impl Environment {
    pub fn read() -> Self {
        let read = |name| std::env::var(name).ok().and_then(not_empty);
        Environment {
            app_id: read("VOLCENGINE_APP_ID"),
            access_key: read("VOLCENGINE_ACCESS_KEY"),
            api_key: read("VOLCENGINE_API_KEY"),
        }
    }
}

/// A setting that can't be used. Never repeats a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("property \"{property}\": {problem}")]
pub(super) struct SettingsError {
    pub property: &'static str,
    pub problem: String,
}

impl SettingsError {
    fn new(property: &'static str, problem: impl ToString) -> Self {
        SettingsError {
            property,
            problem: problem.to_string(),
        }
    }
}

impl Settings {
    /// Checks everything, and completes the credentials from `environment`.
    pub fn to_config(&self, environment: &Environment) -> Result<Config, SettingsError> {
        let endpoint = Endpoint::parse(&self.uri, self.allow_insecure)
            .map_err(|error| SettingsError::new("uri", error))?;
        let ms = |ms: u32| Duration::from_millis(ms.into());
        let some_ms = |limit: u32| (limit > 0).then(|| ms(limit));
        if self.resource_id.trim().is_empty() || !is_field_value(&self.resource_id) {
            let problem =
                "must be one of the service's resource ids, such as volc.seedasr.sauc.duration";
            return Err(SettingsError::new("resource-id", problem));
        }
        Ok(Config {
            endpoint,
            credentials: self.credentials(environment)?,
            resource_id: self.resource_id.trim().to_owned(),
            request: self.request()?,
            compression: match self.compression {
                Compression::Gzip => frame::Compression::Gzip,
                Compression::None => frame::Compression::None,
            },
            limits: Limits {
                connect: ms(self.connect_timeout),
                idle: some_ms(self.idle_timeout),
                finish: ms(self.finish_timeout),
                session: some_ms(self.max_session_time),
            },
            chunk: ms(self.chunk_duration),
            max_reconnects: self.max_reconnects,
            replay: ms(self.replay_time),
            max_queue: ms(self.max_queue_time),
            max_speed: self.max_speed,
        })
    }

    /// A property beats any variable; among properties, or among variables, the API key beats the
    /// pair.
    fn credentials(&self, environment: &Environment) -> Result<Credentials, SettingsError> {
        let pair = |app: &Option<String>, access: &Option<String>| {
            let app_key = app
                .clone()
                .or_else(|| environment.app_id.clone())
                .ok_or_else(|| {
                    SettingsError::new(
                        "app-key",
                        "missing: set it, or VOLCENGINE_APP_ID in the environment",
                    )
                })?;
            let access_key = access
                .clone()
                .or_else(|| environment.access_key.clone())
                .ok_or_else(|| {
                    let problem = "missing: set it, or VOLCENGINE_ACCESS_KEY in the environment";
                    SettingsError::new("access-key", problem)
                })?;
            Ok(Credentials::Pair {
                app_key,
                access_key,
            })
        };
        let credentials = if let Some(key) = &self.api_key {
            Credentials::Key(key.clone())
        } else if self.app_key.is_some() || self.access_key.is_some() {
            pair(&self.app_key, &self.access_key)?
        } else if let Some(key) = &environment.api_key {
            Credentials::Key(key.clone())
        } else if environment.app_id.is_some() || environment.access_key.is_some() {
            pair(&None, &None)?
        } else {
            let problem = "no credentials: set VOLCENGINE_API_KEY (new console) or VOLCENGINE_APP_ID and \
                           VOLCENGINE_ACCESS_KEY (old console) in the environment, or the properties api-key, or \
                           app-key and access-key";
            return Err(SettingsError::new("api-key", problem));
        };
        let check = |property, value: &str| {
            if is_field_value(value) {
                Ok(())
            } else {
                Err(SettingsError::new(
                    property,
                    "holds a character that can't be sent in a header",
                ))
            }
        };
        match &credentials {
            Credentials::Key(key) => check("api-key", key)?,
            Credentials::Pair {
                app_key,
                access_key,
            } => {
                check("app-key", app_key)?;
                check("access-key", access_key)?;
            }
        }
        Ok(credentials)
    }

    fn request(&self) -> Result<Request, SettingsError> {
        let rate = match self.rate {
            16_000 => 16_000,
            24_000 => 24_000,
            other => {
                return Err(SettingsError::new(
                    "rate",
                    format!("{other} is neither 24000 nor 16000"),
                ));
            }
        };
        let some = |value: u32| (value > 0).then_some(value);
        let text = |value: &Option<String>| value.clone().and_then(not_empty);
        let context = text(&self.context)
            .map(|context| parse_context(&context))
            .transpose();
        let extra = self
            .extra_request
            .as_ref()
            .map(|extra| to_json(extra))
            .transpose();
        Ok(Request {
            uid: self.uid.clone(),
            rate,
            language: text(&self.language),
            model_name: self.model_name.clone(),
            enable_itn: self.enable_itn,
            enable_punc: self.enable_punc,
            enable_ddc: self.enable_ddc,
            show_utterances: self.show_utterances,
            enable_nonstream: self.enable_nonstream,
            result_type: match self.result_type {
                ResultType::Full => request::ResultType::Full,
                ResultType::Single => request::ResultType::Single,
            },
            end_window_size: some(self.end_window_size),
            force_to_speech_time: some(self.force_to_speech_time),
            vad_segment_duration: some(self.vad_segment_duration),
            hotwords: self.hotwords.clone(),
            context: context.map_err(|error| SettingsError::new("context", error))?,
            boosting_table_id: text(&self.boosting_table_id),
            boosting_table_name: text(&self.boosting_table_name),
            correct_table_id: text(&self.correct_table_id),
            correct_table_name: text(&self.correct_table_name),
            enable_speaker_info: self.enable_speaker_info,
            extra: extra
                .map_err(|problem| SettingsError::new("extra-request", problem))?
                .unwrap_or_default(),
        })
    }
}

/// A structure's fields as a JSON object, each with the type that it has.
fn to_json(structure: &gst::StructureRef) -> Result<Map<String, Value>, String> {
    structure
        .iter()
        .map(|(name, value)| Ok((name.to_string(), value_to_json(name, value)?)))
        .collect()
}

fn value_to_json(name: &str, value: &glib::Value) -> Result<Value, String> {
    let items = |items: &[glib::SendValue]| {
        items
            .iter()
            .map(|item| value_to_json(name, item))
            .collect::<Result<Vec<_>, _>>()
    };
    let number = |value: f64| {
        serde_json::Number::from_f64(value)
            .map(Value::Number)
            .ok_or(format!("field \"{name}\" is not finite"))
    };
    if let Ok(value) = value.get::<Option<String>>() {
        Ok(value.map_or(Value::Null, Value::from))
    } else if let Ok(value) = value.get::<bool>() {
        Ok(value.into())
    } else if let Ok(value) = value.get::<i32>() {
        Ok(value.into())
    } else if let Ok(value) = value.get::<u32>() {
        Ok(value.into())
    } else if let Ok(value) = value.get::<i64>() {
        Ok(value.into())
    } else if let Ok(value) = value.get::<u64>() {
        Ok(value.into())
    } else if let Ok(value) = value.get::<f64>() {
        number(value)
    } else if let Ok(value) = value.get::<f32>() {
        number(value.into())
    } else if let Ok(value) = value.get::<gst::Structure>() {
        Ok(Value::Object(to_json(&value)?))
    } else if let Ok(value) = value.get::<gst::Array>() {
        Ok(Value::Array(items(value.as_slice())?))
    } else if let Ok(value) = value.get::<gst::List>() {
        Ok(Value::Array(items(value.as_slice())?))
    } else {
        Err(format!(
            "field \"{name}\" has the type {}, which JSON has not",
            value.type_()
        ))
    }
}

#[cfg(test)]
mod tests;
