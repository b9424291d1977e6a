//! Settings that can't be used fail READY → PAUSED, and the error names the property.

use crate::common::*;
use gst::ResourceError::Settings;
use gst::prelude::*;
use volcasr_loopback::Options;

/// A property that can't be used fails the state change, and the error names it.
#[test]
fn properties_that_cannot_be_used() {
    let text = |text: &str| text.to_value();
    #[rustfmt::skip]
    let cases: [(_, _, &[&str]); 5] = [
        ("uri", text("https://example.com/"), &["\"uri\"", "wss://"]),
        ("uri", text("wss://me:SESAME@127.0.0.1:1/api"), &["\"uri\""]),
        ("access-key", text("a\nb"), &["\"access-key\"", "header"]),
        ("rate", 22_050.to_value(), &["\"rate\"", "22050", "16000"]),
        ("proxy", text("http://me:SESAME@a:x"), &["\"proxy\"", "not the URI"]),
    ];
    for (name, value, parts) in cases {
        let (service, rig) = TestPipeline::start("");
        rig.sink.set_property_from_value(name, &value);
        let refused = rig.pipeline.set_state(gst::State::Paused);
        assert_eq!(refused, Err(gst::StateChangeError), "{name}");
        let log = rig.take();
        let errors = log.errors();
        assert_eq!(errors.len(), 1, "{errors:#?}");
        errors[0].assert_is(Settings, parts);
        let shown = rig.shown(&log);
        assert!(!shown.contains("SESAME"), "{shown}");
        assert!(!errors[0].is_retryable());
        assert!(log.progress().is_empty(), "it never began");
        assert!(service.connections().is_empty());
    }
}

/// A property without effect has one warning for each start, and the rest works.
#[test]
fn settings_without_effect_are_warned_about() {
    child::alone(|| {
        let service = service(Options::default());
        let properties = "language=en-US vad-segment-duration=3000";
        let sink = set(unpaced_sink(&service), properties);
        let logged = logged_warnings("volcasrsink");
        let mut rig = TestPipeline::new(sink);
        for _ in 0..2 {
            let warnings = rig.speak(2).warnings();
            let named = warnings.iter().map(|warning| {
                warning.assert_is(Settings, &[]);
                let details = warning.details.as_ref().expect("details");
                assert_eq!(details.name(), "volcasr-setting");
                let name = details.get::<String>("property").expect("a name");
                assert!(warning.error.message().contains(&name), "{warning:?}");
                name
            });
            let named: Vec<_> = named.collect();
            assert_eq!(named, ["language", "vad-segment-duration"]);
            let logged = std::mem::take(&mut *logged.lock().expect("no panic"));
            for (warning, line) in warnings.iter().zip(&logged) {
                assert!(line.contains(warning.error.message()), "{logged:?}");
            }
            assert_eq!(logged.len(), 2, "{logged:?}");
            rig.go(gst::State::Ready);
        }
    });
}

/// A property that waits for the next start is logged; one that works at once is not.
#[test]
fn late_writes_are_logged() {
    child::alone(|| {
        let service = service(Options::default());
        const AT_ONCE: &str = "interim-results post-tags post-responses";
        const TEXT: &str =
            "interim-results post-tags post-responses latency lateness language-code";
        for (category, element, at_once, late) in [
            (
                "volcasrsink",
                sink(&service),
                AT_ONCE,
                "access-key finish-timeout",
            ),
            (
                "volcasrtranscriber",
                transcriber(&service),
                TEXT,
                "finish-timeout grouping",
            ),
        ] {
            let warnings = logged_warnings(category);
            let write = || {
                for name in at_once.split(' ').chain(late.split(' ')) {
                    let value = match name {
                        "access-key" => "secret-access-key".to_value(),
                        name => element.property_value(name),
                    };
                    element.set_property_from_value(name, &value);
                }
            };
            let mut rig = TestPipeline::new(element.clone());
            write();
            rig.begin(&speech(1).0, 100);
            rig.listen_until(is_transcript);
            write();
            rig.go(gst::State::Ready);
            write();
            let logged = warnings.lock().expect("no panic").clone();
            let expected = late
                .split(' ')
                .map(|name| format!("{name} applies from the next change from READY to PAUSED on"));
            assert_eq!(logged, expected.collect::<Vec<_>>());
        }
    });
}

/// The application writes it as soon as it gets the message of the start.
#[test]
fn what_works_at_once_works_while_it_starts() {
    let (_service, mut rig) = TestPipeline::start("");
    let sink = rig.sink.downgrade();
    rig.bus.set_sync_handler(move |_, message| {
        if let gst::MessageView::Progress(progress) = message.view()
            && progress.get().0 == gst::ProgressType::Start
            && let Some(sink) = sink.upgrade()
        {
            sink.set_property("interim-results", false);
            sink.set_property("post-tags", false);
            sink.set_property("post-responses", true);
        }
        gst::BusSyncReply::Pass
    });
    let log = rig.speak(2);
    assert_eq!(log.transcripts(), log.finals());
    assert!(log.tags().is_empty());
    assert!(!log.structures("volcasr-response").is_empty());
}
