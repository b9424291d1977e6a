//! The configuration that properties and variables make.

mod credentials;

use std::time::Duration;

use serde_json::json;

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
    if pspec.downcast_ref::<gst::ParamSpecArray>().is_some() {
        return gst::Array::new(["one", "two"]).to_value();
    }
    if pspec.value_type() == gst::Structure::static_type() {
        return gst::Structure::builder("request")
            .field("a", 1)
            .build()
            .to_value();
    }
    if let Ok(value) = default.get::<bool>() {
        (!value).to_value()
    } else if let Ok(value) = default.get::<u32>() {
        (value + 7).to_value()
    } else if let Ok(value) = default.get::<i32>() {
        (value - 7).to_value()
    } else if let Ok(value) = default.get::<f64>() {
        (value + 0.5).to_value()
    } else {
        "other".to_value()
    }
}

#[test]
fn the_snapshot_has_the_defaults() {
    let config = config(&[]).expect("the default");
    assert_eq!(
        config.endpoint,
        Endpoint::parse(DEFAULT_URI, false).expect("the default")
    );
    assert_eq!(config.request, Request::default());
    assert_eq!(config.limits.connect, Duration::from_secs(10));
    assert_eq!(config.limits.finish, Duration::from_secs(10));
    assert_eq!(config.limits.idle, Some(Duration::from_secs(4)));
    assert_eq!(config.limits.session, Some(Duration::from_secs(600)));
    assert_eq!(config.sending.chunk, Duration::from_millis(200));
    assert_eq!(config.sending.replay, Duration::from_secs(120));
    assert_eq!(config.sending.max_queue, Duration::from_secs(30));
    assert_eq!(
        (config.sending.max_reconnects, config.sending.max_speed),
        (10, 10.0)
    );
}

#[test]
fn zero_means_never_or_not_sent() {
    let names = [
        "end-window-size",
        "force-to-speech-time",
        "vad-segment-duration",
    ];
    let mut zeros: Vec<_> = names.map(|name| (name, 0u32.to_value())).into();
    zeros.push(("idle-timeout", 0u32.to_value()));
    zeros.push(("max-session-time", 0u32.to_value()));
    let config = config(&zeros).expect("zeros");
    assert_eq!((config.limits.idle, config.limits.session), (None, None));
    let request = config.request;
    assert_eq!(request.end_window_size, None);
    assert_eq!(request.force_to_speech_time, None);
    assert_eq!(request.vad_segment_duration, None);
}

#[test]
fn an_unusable_property_is_named() {
    assert_eq!(refused(&[("rate", 22_050.to_value())]).0, "rate");
    for uri in [
        "",
        "https://example.com/",
        "ws://example.com/",
        "wss://me:hunter2@example.com/",
    ] {
        let (property, text) = refused(&[("uri", uri.to_value())]);
        assert_eq!(property, "uri", "{uri}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    let insecure = [
        ("uri", "ws://example.com/".to_value()),
        ("allow-insecure", true.to_value()),
    ];
    assert!(config(&insecure).is_ok());
    for id in ["", "  ", "two\nlines"] {
        assert_eq!(refused(&[("resource-id", id.to_value())]).0, "resource-id");
    }
    for context in ["{", "[]", r#"{"hotwords":"a"}"#] {
        assert_eq!(refused(&[("context", context.to_value())]).0, "context");
    }
}

#[test]
fn a_uri_comes_from_the_property_else_the_environment_else_the_default() {
    let cases = [
        (None, None, Ok("openspeech.bytedance.com")),
        (None, some("ws://127.0.0.1:1/"), Ok("127.0.0.1:1")),
        (
            some("ws://127.0.0.1:2/"),
            some("ws://127.0.0.1:1/"),
            Ok("127.0.0.1:2"),
        ),
        (
            some(DEFAULT_URI),
            some("http://a/"),
            Ok("openspeech.bytedance.com"),
        ),
        (None, some("http://a/"), Err("VOLCASR_URI")),
        (None, some("ws://192.0.2.1/"), Err("VOLCASR_URI")),
        (some("http://a/"), None, Err("wss://")),
    ];
    for (property, variable, expected) in cases {
        let environment = Environment {
            uri: variable,
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

fn extra(structure: gst::Structure) -> Result<Config, SettingsError> {
    config(&[("extra-request", structure.to_value())])
}

#[test]
fn extra_fields_have_the_type_that_they_were_given() {
    gst::init().expect("GStreamer");
    let inner = gst::Structure::builder("inner")
        .field(
            "deep",
            gst::Structure::builder("deep").field("yes", true).build(),
        )
        .build();
    let structure = gst::Structure::builder("request")
        .field("int", -1)
        .field("uint", u32::MAX)
        .field("int64", i64::MIN)
        .field("uint64", u64::MAX)
        .field("float", 0.5f32)
        .field("double", 0.25)
        .field("text", "10")
        .field("nothing", None::<String>)
        .field("list", gst::List::new(["a"]))
        .field("array", gst::Array::new([inner.clone(), inner.clone()]))
        .field("inner", inner)
        .build();
    let deep = json!({"deep": {"yes": true}});
    assert_eq!(
        Value::Object(extra(structure).expect("JSON").request.extra),
        json!({
            "int": -1, "uint": u32::MAX, "int64": i64::MIN, "uint64": u64::MAX,
            "float": 0.5, "double": 0.25,
            "text": "10", "nothing": null, "list": ["a"], "array": [deep, deep], "inner": deep,
        })
    );
}

#[test]
fn a_type_that_json_lacks_is_refused_with_the_field_s_name() {
    gst::init().expect("GStreamer");
    let half = gst::Fraction::new(1, 2);
    let builder = || gst::Structure::builder("request");
    for structure in [
        builder().field("odd", half).build(),
        builder().field("odd", f64::NAN).build(),
        builder().field("odd", f32::INFINITY).build(),
        builder().field("odd", gst::Array::new([half])).build(),
        builder()
            .field("inner", builder().field("odd", half).build())
            .build(),
    ] {
        let error = extra(structure).expect_err("no JSON");
        assert_eq!(error.property, "extra-request");
        assert!(error.problem.contains("\"odd\""), "{error}");
    }
}

#[test]
fn null_takes_an_optional_setting_back() {
    let mut settings = settings(&[
        ("language", "en-US".to_value()),
        (
            "extra-request",
            gst::Structure::new_empty("request").to_value(),
        ),
        ("api-key", "key".to_value()),
    ]);
    settings.set("language", &None::<String>.to_value());
    settings.set("extra-request", &None::<gst::Structure>.to_value());
    settings.set("api-key", &None::<String>.to_value());
    assert_eq!(settings.request.language, None);
    assert_eq!(settings.extra_request, None);
    assert_eq!(settings.service.api_key, None);
}
