//! The configuration that properties and variables make.

mod credentials;

use gst::prelude::*;

use super::*;
use crate::element::settings::*;

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn environment(app_id: &str, access_key: &str, api_key: &str) -> Environment {
    let variable = |value: &str| not_empty(value.to_owned());
    Environment {
        uri: None,
        app_id: variable(app_id),
        access_key: variable(access_key),
        api_key: variable(api_key),
        ..Environment::default()
    }
}

/// Settings with these properties, as the application sets them.
fn settings(properties: &[(&str, glib::Value)]) -> Settings {
    gst::init().expect("GStreamer");
    let mut settings = Settings::default();
    for (name, value) in properties {
        settings.set(name, value);
    }
    settings
}

/// The configuration with these properties and credentials.
fn config(properties: &[(&str, glib::Value)]) -> Result<Config, SettingsError> {
    settings(properties).to_config(&environment("", "", "key"))
}

/// The property that is refused, and the text, which names it too.
fn refused(properties: &[(&str, glib::Value)]) -> (&'static str, String) {
    let error = config(properties).expect_err("it can't be used");
    let text = error.to_string();
    assert!(text.contains(&format!("\"{}\"", error.property)), "{text}");
    (error.property, text)
}

/// Each property that can be set is kept, and can be read unless it is a secret.
#[test]
fn every_property_is_kept() {
    let mut kept = settings(&[]);
    for pspec in specs() {
        let name = pspec.name();
        let value = other(&pspec);
        kept.set(name, &value);
        if pspec.flags().contains(glib::ParamFlags::READABLE) {
            let read = format!("{:?}", kept.get(name));
            assert_eq!(read, format!("{value:?}"), "{name}");
            if name != "extra-request" {
                assert_ne!(
                    read,
                    format!("{:?}", Settings::default().get(name)),
                    "{name}"
                );
            }
        }
    }
    let secrets = [
        &kept.service.app_key,
        &kept.service.access_key,
        &kept.service.api_key,
    ];
    assert!(secrets.iter().all(|secret| **secret == some("other")));
}

/// Returns a value other than the default.
fn other(pspec: &glib::ParamSpec) -> glib::Value {
    let default = pspec.default_value();
    if let Some(pspec) = pspec.downcast_ref::<glib::ParamSpecEnum>() {
        let class = pspec.enum_class();
        let last = class.values().last().expect("a value").value();
        return class.to_value(last).expect("it is one");
    }
    let changed = None
        .or_else(|| default.get().ok().map(|value: bool| (!value).to_value()))
        .or_else(|| default.get().ok().map(|value: u32| (value + 7).to_value()))
        .or_else(|| default.get().ok().map(|value: i32| (value - 7).to_value()))
        .or_else(|| {
            default
                .get()
                .ok()
                .map(|value: f64| (value + 0.5).to_value())
        });
    changed.unwrap_or_else(|| match pspec.value_type() {
        kind if kind == gst::Array::static_type() => gst::Array::new(["one", "two"]).to_value(),
        kind if kind == gst::Structure::static_type() => {
            let request = gst::Structure::builder("request").field("a", 1);
            request.build().to_value()
        }
        _ => "other".to_value(),
    })
}

#[test]
fn zero_means_never_or_not_sent() {
    let zeros = [
        "end-window-size",
        "force-to-speech-time",
        "vad-segment-duration",
        "idle-timeout",
        "max-session-time",
    ];
    let config = config(&zeros.map(|name| (name, 0u32.to_value()))).expect("zeros");
    assert_eq!((config.limits.idle, config.limits.session), (None, None));
    let request = Request {
        end_window_size: None,
        ..Request::default()
    };
    assert_eq!(config.request, request);
}

#[test]
fn an_unusable_property_is_named() {
    assert_eq!(refused(&[("rate", 22_050.to_value())]).0, "rate");
    for (property, value) in [
        ("uri", ""),
        ("uri", "https://example.com/"),
        ("uri", "ws://example.com/"),
        ("uri", "wss://me:hunter2@example.com/"),
        ("resource-id", ""),
        ("resource-id", "  "),
        ("resource-id", "two\nlines"),
        ("context", "{"),
        ("context", "[]"),
        ("context", r#"{"hotwords":"a"}"#),
    ] {
        let (named, text) = refused(&[(property, value.to_value())]);
        assert_eq!(named, property, "{value}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    let insecure = [
        ("uri", "ws://example.com/".to_value()),
        ("allow-insecure", true.to_value()),
    ];
    assert!(config(&insecure).is_ok());
}

#[test]
fn a_uri_comes_from_the_property_else_the_environment_else_the_default() {
    let (default, variable) = ("openspeech.bytedance.com", "VOLCASR_URI");
    // The property, the variable, and the host or a part of the error.
    for (property, uri, expected) in [
        (None, None, Ok(default)),
        (None, Some("ws://127.0.0.1:1/"), Ok("127.0.0.1:1")),
        (
            Some("ws://127.0.0.1:2/"),
            Some("ws://127.0.0.1:1/"),
            Ok("127.0.0.1:2"),
        ),
        (Some(DEFAULT_URI), Some("http://a/"), Ok(default)),
        (None, Some("http://a/"), Err(variable)),
        (None, Some("ws://192.0.2.1/"), Err(variable)),
        (Some("http://a/"), None, Err("wss://")),
    ] {
        let environment = Environment {
            uri: uri.map(str::to_owned),
            ..environment("", "", "key")
        };
        let config = settings(&[("uri", property.to_value())]).to_config(&environment);
        match (config, expected) {
            (Ok(config), Ok(host)) => assert_eq!(config.endpoint.host_header(), host),
            (Err(error), Err(part)) => {
                assert_eq!(error.property, "uri");
                assert!(error.to_string().contains(part), "{error}");
            }
            (config, expected) => panic!("{expected:?}: {config:?}"),
        }
    }
}

#[test]
fn empty_texts_are_not_set() {
    for name in [
        "language",
        "context",
        "boosting-table-id",
        "boosting-table-name",
        "correct-table-id",
        "correct-table-name",
    ] {
        for empty in ["", " "] {
            let config = config(&[(name, empty.to_value())]).expect("not set");
            assert_eq!(config.request, Request::default(), "{name}");
        }
    }
}

#[test]
fn a_type_that_json_lacks_is_refused_with_the_field_s_name() {
    gst::init().expect("GStreamer");
    let half = gst::Fraction::new(1, 2);
    let inner = gst::Structure::builder("inner").field("odd", half);
    for odd in [
        half.to_send_value(),
        f64::NAN.to_send_value(),
        f32::INFINITY.to_send_value(),
        gst::Array::new([half]).to_send_value(),
        inner.build().to_send_value(),
    ] {
        let structure = gst::Structure::from_iter("request", [("odd", odd)]);
        let (property, text) = refused(&[("extra-request", structure.to_value())]);
        assert_eq!(property, "extra-request");
        assert!(text.contains("\"odd\""), "{text}");
    }
}

#[test]
fn null_takes_an_optional_setting_back() {
    let request = gst::Structure::new_empty("request");
    let mut settings = settings(&[
        ("language", "en-US".to_value()),
        ("extra-request", request.to_value()),
        ("api-key", "key".to_value()),
    ]);
    settings.set("language", &None::<String>.to_value());
    settings.set("extra-request", &None::<gst::Structure>.to_value());
    settings.set("api-key", &None::<String>.to_value());
    assert_eq!(settings.request.language, None);
    assert_eq!(settings.extra_request, None);
    assert_eq!(settings.service.api_key, None);
}
