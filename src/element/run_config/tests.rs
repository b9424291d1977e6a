//! The configuration that properties and variables make.

mod credentials;

use gst::prelude::*;

use super::*;
use crate::element::settings::*;

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

/// Each property that can be set is kept, and can be read unless it is a secret.
#[test]
fn every_property_is_kept() {
    let (mut kept, mut default) = (settings(&[]), Settings::default());
    for pspec in specs() {
        let name = pspec.name();
        let value = other(&pspec);
        kept.set(name, &value);
        if pspec.flags().contains(glib::ParamFlags::READABLE) {
            let read = text_of(&kept.get(name));
            assert_eq!(read, text_of(&value), "{name}");
            assert_ne!(read, text_of(&default.get(name)), "{name}");
        }
    }
    let secrets = [
        &kept.service.app_key,
        &kept.service.access_key,
        &kept.service.api_key,
    ];
    assert!(
        secrets
            .iter()
            .all(|secret| secret.as_deref() == Some("other"))
    );
}

/// Returns a value other than the default.
fn other(pspec: &glib::ParamSpec) -> glib::Value {
    let texts = "other|true|false|17|none|no|single|<one, two>|request, a=1".split('|');
    let kind = pspec.value_type();
    let mut values = texts.filter_map(|text| glib::Value::deserialize(text, kind).ok());
    let other = values.find(|value| text_of(value) != text_of(pspec.default_value()));
    other.unwrap_or_else(|| panic!("no value for {}", pspec.name()))
}

/// Returns a value as text. GStreamer can't format a structure that is not set.
fn text_of(value: &glib::Value) -> Option<String> {
    let is_unset = matches!(value.get::<Option<gst::Structure>>(), Ok(None));
    (!is_unset).then(|| format!("{value:?}"))
}

#[test]
fn zero_empty_texts_and_null_mean_never_or_not_sent() {
    let zeros = [
        "end-window-size",
        "force-to-speech-time",
        "vad-segment-duration",
        "idle-timeout",
        "max-session-time",
    ];
    let texts = [
        "language",
        "context",
        "boosting-table-id",
        "boosting-table-name",
        "correct-table-id",
        "correct-table-name",
    ];
    let request = Request {
        end_window_size: None,
        ..Request::default()
    };
    for empty in [Some(""), Some(" "), None] {
        // A value that was set before is taken back.
        let set = texts.map(|name| (name, "{}".to_value()));
        let zeros = zeros.map(|name| (name, 0u32.to_value()));
        let texts = texts.map(|name| (name, empty.to_value()));
        let extra = |value: Option<gst::Structure>| ("extra-request", value.to_value());
        let extra = [
            extra(Some(gst::Structure::new_empty("request"))),
            extra(None),
        ];
        let config = config(&[&set[..], &zeros, &texts, &extra].concat()).expect("not set");
        assert_eq!((config.limits.idle, config.limits.session), (None, None));
        assert_eq!(config.request, request, "{empty:?}");
    }
    let key = [
        ("api-key", "key".to_value()),
        ("api-key", None::<String>.to_value()),
    ];
    assert_eq!(settings(&key).service.api_key, None);
}

#[test]
fn an_unusable_property_is_named() {
    gst::init().expect("GStreamer");
    let half = gst::Fraction::new(1, 2);
    let request = |value: glib::SendValue| {
        (
            "extra-request",
            gst::Structure::from_iter("request", [("odd", value)]).to_value(),
        )
    };
    let inner = gst::Structure::builder("inner").field("odd", half).build();
    for (property, value) in [
        ("rate", 22_050.to_value()),
        ("uri", "".to_value()),
        ("uri", "https://example.com/".to_value()),
        ("uri", "ws://example.com/".to_value()),
        ("uri", "wss://me:hunter2@example.com/".to_value()),
        ("resource-id", "".to_value()),
        ("resource-id", "  ".to_value()),
        ("resource-id", "two\nlines".to_value()),
        ("context", "{".to_value()),
        ("context", "[]".to_value()),
        ("context", r#"{"hotwords":"a"}"#.to_value()),
        // Types that JSON lacks.
        request(half.to_send_value()),
        request(f64::NAN.to_send_value()),
        request(f32::INFINITY.to_send_value()),
        request(gst::Array::new([half]).to_send_value()),
        request(inner.to_send_value()),
    ] {
        let text = format!("{value:?}");
        let error = config(&[(property, value)]).expect_err("it can't be used");
        assert_eq!(error.property, property, "{text}");
        let said = error.to_string();
        assert!(said.contains(&format!("\"{property}\"")), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert_eq!(
            said.contains("\"odd\""),
            property == "extra-request",
            "{said}"
        );
    }
    let insecure = [
        ("uri", "ws://example.com/".to_value()),
        ("allow-insecure", true.to_value()),
    ];
    assert!(config(&insecure).is_ok());
}

/// The property, the variable, and the host or a part of the error.
#[test]
fn a_uri_comes_from_the_property_else_the_environment_else_the_default() {
    let [one, two, bad] = ["ws://127.0.0.1:1/", "ws://127.0.0.1:2/", "http://a/"].map(Some);
    let (default, variable) = ("openspeech.bytedance.com", "VOLCASR_URI");
    for (property, uri, expected) in [
        (None, None, Ok(default)),
        (None, one, Ok("127.0.0.1:1")),
        (two, one, Ok("127.0.0.1:2")),
        (Some(DEFAULT_URI), bad, Ok(default)),
        (None, bad, Err(variable)),
        (None, Some("ws://192.0.2.1/"), Err(variable)),
        (bad, None, Err("wss://")),
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
