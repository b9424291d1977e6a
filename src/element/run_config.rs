//! The configuration of a run: the settings, checked and completed from the environment.

use gst::glib;
use gst::glib::value::FromValue;
use serde_json::{Map, Value};

use crate::client::{
    Config, Credentials, Endpoint, Proxy, ProxyProperties, ProxyVariables, Secrets, choose_proxy,
    is_field_value,
};
use crate::element::bus::errors::Report;
use crate::element::settings::{Compression, DEFAULT_URI, ResultType, Settings, not_empty};
use crate::protocol::frame;
use crate::protocol::request::{self, Request, parse_context};

/// Variables that stand in for properties.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    pub uri: Option<String>,
    pub app_id: Option<String>,
    pub access_key: Option<String>,
    pub api_key: Option<String>,
    pub proxies: ProxyVariables,
}

impl Environment {
    pub fn read() -> Self {
        let read = |name| std::env::var(name).ok().and_then(not_empty);
        Environment {
            uri: read("VOLCASR_URI"),
            app_id: read("VOLCENGINE_APP_ID"),
            access_key: read("VOLCENGINE_ACCESS_KEY"),
            api_key: read("VOLCENGINE_API_KEY"),
            proxies: ProxyVariables::read(),
        }
    }
}

/// A setting that can't be used. Never repeats a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("property \"{property}\": {problem}")]
pub(crate) struct SettingsError {
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

    /// Makes the error that is posted.
    pub fn report(&self) -> Report {
        let problem = self.to_string();
        let text = format!("Can't start: {problem}");
        let details = gst::Structure::builder("volcasr-error")
            .field("message", problem)
            .field("retryable", false);
        Report::new(gst::ResourceError::Settings, &text).with(details)
    }
}

impl Settings {
    /// Checks the settings, and completes them from `environment`.
    pub fn to_config(&self, environment: &Environment) -> Result<Config, SettingsError> {
        let (uri, origin) = self.uri(environment);
        let uri_error = |error| SettingsError::new("uri", format!("{error}{origin}"));
        let endpoint = Endpoint::parse(uri, self.service.allow_insecure).map_err(uri_error)?;
        let resource_id = &self.service.resource_id;
        if resource_id.trim().is_empty() || !is_field_value(resource_id) {
            let problem =
                "must be one of the service's resource ids, such as volc.seedasr.sauc.duration";
            return Err(SettingsError::new("resource-id", problem));
        }
        let credentials = self.credentials(environment)?;
        let proxy = self.proxy(environment, &endpoint)?;
        Ok(Config {
            endpoint,
            secrets: Secrets::new(&credentials, proxy.as_ref()),
            proxy,
            credentials,
            resource_id: resource_id.trim().to_owned(),
            request: self.request()?,
            compression: match self.service.compression {
                Compression::Gzip => frame::Compression::Gzip,
                Compression::None => frame::Compression::None,
            },
            limits: self.limits,
            sending: self.sending,
        })
    }

    /// Returns the service's URI, and its source for the text of an error.
    fn uri<'a>(&'a self, environment: &'a Environment) -> (&'a str, &'static str) {
        match (&self.service.uri.0, &environment.uri) {
            (Some(uri), _) => (uri, ""),
            (None, Some(uri)) => (uri, " (from VOLCASR_URI in the environment)"),
            (None, None) => (DEFAULT_URI, ""),
        }
    }

    /// Returns the proxy. The property beats the variables; id and password beat those in a URI.
    fn proxy(
        &self,
        environment: &Environment,
        endpoint: &Endpoint,
    ) -> Result<Option<Proxy>, SettingsError> {
        let properties = ProxyProperties {
            uri: self.proxy.uri.0.as_deref(),
            id: self.proxy.id.as_deref(),
            password: self.proxy.password.as_deref(),
        };
        choose_proxy(properties, &environment.proxies, endpoint)
            .map_err(|error| SettingsError::new("proxy", error))
    }

    /// Returns the credentials. Properties beat variables, and within each the API key beats the
    /// pair.
    fn credentials(&self, environment: &Environment) -> Result<Credentials, SettingsError> {
        let service = &self.service;
        let has_pair = service.app_key.is_some() || service.access_key.is_some();
        let variable = environment.api_key.as_ref().filter(|_| !has_pair);
        let api_key = service.api_key.as_ref().or(variable);
        let app_key = service.app_key.as_ref().or(environment.app_id.as_ref());
        let access_key = service.access_key.as_ref();
        let access_key = access_key.or(environment.access_key.as_ref());
        let checked = |property, key: &String| match is_field_value(key) {
            true => Ok(key.clone()),
            false => {
                let problem = "holds a character that can't be sent in a header";
                Err(SettingsError::new(property, problem))
            }
        };
        let (property, problem) = match (api_key, app_key, access_key) {
            (Some(key), ..) => return Ok(Credentials::Key(checked("api-key", key)?)),
            (None, Some(app_key), Some(access_key)) => {
                return Ok(Credentials::Pair {
                    app_key: checked("app-key", app_key)?,
                    access_key: checked("access-key", access_key)?,
                });
            }
            (None, None, None) => (
                "api-key",
                "no credentials: set VOLCENGINE_API_KEY (new console) or VOLCENGINE_APP_ID and \
                 VOLCENGINE_ACCESS_KEY (old console) in the environment, or the properties \
                 api-key, or app-key and access-key",
            ),
            (None, None, Some(_)) => (
                "app-key",
                "missing: set it, or VOLCENGINE_APP_ID in the environment",
            ),
            (None, Some(_), None) => (
                "access-key",
                "missing: set it, or VOLCENGINE_ACCESS_KEY in the environment",
            ),
        };
        Err(SettingsError::new(property, problem))
    }

    fn request(&self) -> Result<Request, SettingsError> {
        let mut request = self.request.clone();
        request.rate = match self.rate {
            16_000 => 16_000,
            24_000 => 24_000,
            other => {
                let problem = format!("{other} is neither 24000 nor 16000");
                return Err(SettingsError::new("rate", problem));
            }
        };
        request.result_type = match self.result_type {
            ResultType::Full => request::ResultType::Full,
            ResultType::Single => request::ResultType::Single,
        };
        if !request.enable_speaker_info {
            request.ssd_version = None;
        }
        let context = self.context.as_deref().map(parse_context).transpose();
        request.context = context.map_err(|error| SettingsError::new("context", error))?;
        if let Some(extra) = &self.extra_request {
            let unusable = |problem| SettingsError::new("extra-request", problem);
            request.extra = to_json(extra).map_err(unusable)?;
        }
        Ok(request)
    }
}

/// Converts a structure to a JSON object. Fields keep their types.
fn to_json(structure: &gst::StructureRef) -> Result<Map<String, Value>, String> {
    structure
        .iter()
        .map(|(name, value)| Ok((name.to_string(), value_to_json(name, value)?)))
        .collect()
}

fn value_to_json(name: &str, value: &glib::Value) -> Result<Value, String> {
    fn plain<'a, T: FromValue<'a> + Into<Value>>(value: &'a glib::Value) -> Option<Value> {
        value.get::<T>().ok().map(T::into)
    }
    let items = |items: &[glib::SendValue]| {
        let items = items.iter().map(|item| value_to_json(name, item));
        items.collect::<Result<_, _>>().map(Value::Array)
    };
    let single = |_| value.get::<f32>().map(f64::from);
    let float = value.get::<f64>().or_else(single);
    if let Some(value) = plain::<Option<String>>(value)
        .or_else(|| plain::<bool>(value))
        .or_else(|| plain::<i32>(value))
        .or_else(|| plain::<u32>(value))
        .or_else(|| plain::<i64>(value))
        .or_else(|| plain::<u64>(value))
    {
        Ok(value)
    } else if let Ok(number) = float {
        let number = serde_json::Number::from_f64(number).map(Value::Number);
        number.ok_or(format!("field \"{name}\" is not finite"))
    } else if let Ok(value) = value.get::<gst::Structure>() {
        to_json(&value).map(Value::Object)
    } else if let Ok(value) = value.get::<gst::Array>() {
        items(&value)
    } else if let Ok(value) = value.get::<gst::List>() {
        items(&value)
    } else {
        let kind = value.type_();
        Err(format!(
            "field \"{name}\" has the type {kind}, which JSON lacks"
        ))
    }
}

#[cfg(test)]
mod tests;
