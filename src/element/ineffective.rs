//! Settings that have no effect beside the others, or that the service is known to refuse.
//!
//! They are warned about once as a run begins: the run may still do what the user needs.

use std::ops::RangeInclusive;

use crate::client::Config;

/// Values of `end_window_size` that the service takes: documentation says 300, 200 is in use.
const END_WINDOW: RangeInclusive<u32> = 200..=5000;

/// A setting to warn about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ineffective {
    /// The property's name.
    pub property: &'static str,
    /// The reason and the way out, for the user.
    pub text: String,
}

/// Returns the settings in `config` that will not do what they were set for.
pub(crate) fn ineffective(config: &Config) -> Vec<Ineffective> {
    let request = &config.request;
    let endpoint = config.endpoint.name();
    let mut found = Vec::new();
    let mut warn = |property, text| found.push(Ineffective { property, text });
    if request.language.is_some() && matches!(endpoint, "bigmodel" | "bigmodel_async") {
        let text = format!(
            "The property language has no effect at the endpoint {endpoint}: the one that takes it \
             is bigmodel_nostream"
        );
        warn("language", text);
    }
    if request.enable_nonstream && matches!(endpoint, "bigmodel" | "bigmodel_nostream") {
        let text = format!(
            "The property enable-nonstream has no effect at the endpoint {endpoint}: the one with \
             a second pass is bigmodel_async"
        );
        warn("enable-nonstream", text);
    }
    if let (Some(_), Some(window)) = (request.vad_segment_duration, request.end_window_size) {
        let text = format!(
            "The property vad-segment-duration has no effect beside end-window-size={window}: \
             set end-window-size=0 too"
        );
        warn("vad-segment-duration", text);
    }
    if let Some(window) = request
        .end_window_size
        .filter(|ms| !END_WINDOW.contains(ms))
    {
        let text = format!(
            "The property end-window-size={window} is outside the range that the service takes: \
             200 to 5000"
        );
        warn("end-window-size", text);
    }
    if endpoint == "bigmodel" && config.resource_id.starts_with("volc.seedasr.") {
        let text = format!(
            "The resource-id {} is known to be refused at the endpoint bigmodel: use the endpoint \
             bigmodel_async, or a resource-id that begins with volc.bigasr",
            config.resource_id
        );
        warn("resource-id", text);
    }
    found
}

#[cfg(test)]
mod tests {
    use gst::prelude::*;

    use super::*;
    use crate::element::run_config::Environment;
    use crate::element::settings::Settings;

    fn warned(endpoint: &str, properties: &[(&str, gst::glib::Value)]) -> Vec<&'static str> {
        let uri = format!("wss://openspeech.bytedance.com/api/v3/{endpoint}");
        let mut settings = Settings::default();
        let service = [("uri", uri.to_value()), ("api-key", "key".to_value())];
        for (name, value) in service.iter().chain(properties) {
            settings.set(name, value);
        }
        let config = settings.to_config(&Environment::default());
        let found = ineffective(&config.expect("settings"));
        found.iter().map(|found| found.property).collect()
    }

    #[test]
    fn settings_without_effect_are_found_and_no_others() {
        gst::init().expect("GStreamer");
        let language = || ("language", "en-US".to_value());
        let second_pass = || ("enable-nonstream", true.to_value());
        let vad = || ("vad-segment-duration", 3000u32.to_value());
        let window = |ms: u32| ("end-window-size", ms.to_value());
        let older = || ("resource-id", "volc.bigasr.sauc.duration".to_value());
        let (asynchronous, every) = ("sauc/bigmodel_async", "sauc/bigmodel");
        let nostream = "sauc/bigmodel_nostream";
        for (endpoint, properties, expected) in [
            (asynchronous, &[][..], &[][..]),
            (asynchronous, &[language()], &["language"]),
            (every, &[language(), older()], &["language"]),
            (nostream, &[language()], &[]),
            ("plan/sauc/bigmodel_async?x=1", &[language()], &["language"]),
            ("plan/sauc/bigmodel_nostream?x=1", &[language()], &[]),
            ("other", &[language(), second_pass()], &[]),
            (asynchronous, &[second_pass()], &[]),
            (every, &[second_pass(), older()], &["enable-nonstream"]),
            (nostream, &[second_pass()], &["enable-nonstream"]),
            (asynchronous, &[vad()], &["vad-segment-duration"]),
            (asynchronous, &[vad(), window(0)], &[]),
            (asynchronous, &[window(199)], &["end-window-size"]),
            (asynchronous, &[window(200)], &[]),
            (asynchronous, &[window(5000)], &[]),
            (asynchronous, &[window(5001)], &["end-window-size"]),
            (every, &[], &["resource-id"]),
            (nostream, &[], &[]),
            (every, &[older()], &[]),
        ] {
            let found = warned(endpoint, properties);
            assert_eq!(found, expected, "{endpoint}, {properties:?}");
        }
    }
}
