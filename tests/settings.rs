//! Settings that can't be used fail READY → PAUSED, and the error names the property.

mod common;

use common::*;
use gst::ResourceError::Settings;
use gst::prelude::*;
use volcasr_loopback::Options;

/// What can't be used fails the state change, and names the property.
#[test]
fn properties_that_cannot_be_used() {
    type Spoil = fn(&gst::Element);
    let cases: [(Spoil, &[&str]); 11] = [
        (
            |sink| sink.set_property("uri", "https://example.com/"),
            &["\"uri\"", "wss://"],
        ),
        (|sink| sink.set_property("uri", ""), &["\"uri\""]),
        (
            |sink| sink.set_property("uri", "ws://192.0.2.1/api"),
            &["\"uri\"", "wss://", "allow-insecure"],
        ),
        (
            |sink| sink.set_property("resource-id", " "),
            &["\"resource-id\"", "volc.seedasr.sauc.duration"],
        ),
        (
            |sink| sink.set_property("resource-id", "a\r\nX-Api-Key: b"),
            &["\"resource-id\""],
        ),
        (
            |sink| sink.set_property("access-key", "a\nb"),
            &["\"access-key\"", "header"],
        ),
        (
            |sink| sink.set_property("api-key", "a\nb"),
            &["\"api-key\"", "header"],
        ),
        (
            |sink| sink.set_property("rate", 22_050i32),
            &["\"rate\"", "22050", "24000", "16000"],
        ),
        (
            |sink| sink.set_property("context", "not JSON"),
            &["\"context\"", "JSON"],
        ),
        (
            |sink| sink.set_property("context", "[1]"),
            &["\"context\"", "object"],
        ),
        (
            |sink| {
                let extra = gst::Structure::builder("request")
                    .field("odd", gst::Fraction::new(1, 2))
                    .build();
                sink.set_property("extra-request", extra);
            },
            &["\"extra-request\"", "\"odd\""],
        ),
    ];
    for (spoil, parts) in cases {
        let service = service(Options::default());
        let sink = sink(&service);
        let bus = gst::Bus::new();
        sink.set_bus(Some(&bus));
        spoil(&sink);
        let refused = sink.set_state(gst::State::Paused);
        assert_eq!(refused, Err(gst::StateChangeError), "{parts:?}");
        let heard = Heard {
            messages: std::iter::from_fn(|| bus.pop()).collect(),
        };
        let errors = heard.errors();
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(errors[0].error.matches(Settings), "{errors:?}");
        for part in parts {
            let text = errors[0].error.message();
            assert!(text.contains(part), "no {part} in {text}");
        }
        let details = errors[0].details.as_ref().expect("details");
        assert_eq!(details.name(), "volcasr-error");
        assert_eq!(details.get::<bool>("retryable"), Ok(false));
        assert!(heard.progress().is_empty(), "it never began");
        sink.set_state(gst::State::Null).expect("NULL");
        assert!(service.connections().is_empty());
    }
}

/// With neither properties nor variables the error names both, and nobody is asked.
#[test]
fn missing_credentials() {
    const VARIABLES: [&str; 3] = [
        "VOLCENGINE_APP_ID",
        "VOLCENGINE_ACCESS_KEY",
        "VOLCENGINE_API_KEY",
    ];
    child::run("missing_credentials", &[], &VARIABLES, || {
        for (app, parts) in [
            (None, &["api-key", "app-key", "access-key"]),
            (
                Some("app-1"),
                &["\"access-key\"", "missing", "VOLCENGINE_ACCESS_KEY"],
            ),
        ] {
            let service = service(Options::default());
            let sink = sink(&service);
            sink.set_property("app-key", app);
            sink.set_property("access-key", None::<&str>);
            let rig = Rig::new(sink);
            let refused = rig.pipeline.set_state(gst::State::Playing);
            assert_eq!(refused, Err(gst::StateChangeError));
            let errors = rig.take().errors();
            assert_eq!(errors.len(), 1, "{errors:#?}");
            assert!(errors[0].error.matches(Settings), "{errors:?}");
            let text = errors[0].error.message();
            for part in parts {
                assert!(text.contains(part), "no {part} in {text}");
            }
            if app.is_none() {
                assert!(VARIABLES.iter().all(|name| text.contains(name)), "{text}");
            }
            assert!(service.connections().is_empty());
        }
    });
}

/// Null is the default.
#[test]
fn null_is_the_default() {
    let sink = sink_for("ws://127.0.0.1:1/");
    for name in ["uri", "resource-id", "uid", "model-name"] {
        let default = sink.find_property(name).expect("a property");
        sink.set_property(name, "something else");
        sink.set_property(name, None::<&str>);
        let value = sink.property_value(name);
        assert_eq!(
            value.get::<String>().ok(),
            default.default_value().get::<String>().ok(),
            "{name}"
        );
    }
}
