//! The presets in `data/`: what each sets, that it is found by its name, and that its pipeline
//! reaches words.
//!
//! Each test is a process of its own: GStreamer reads presets once, from places that the
//! environment names.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use crate::common::scratch::Scratch;
use crate::common::*;
use gst::glib;
use gst::prelude::*;
use volcasr_loopback::Options;

const FILE: &str = include_str!("../../data/GstVolcasrSink.prs");
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
const NAMES: [&str; 4] = ["batch", "captions", "dictation", "meeting"];

type Values = BTreeMap<String, String>;

/// Runs `body` where the presets are those of `data/`, and no user's.
fn with_presets(name: &str, body: impl FnOnce()) {
    let scratch = Scratch::new(name);
    let home = scratch.path("");
    let set: [(&str, &OsStr); 2] = [
        ("GST_PRESET_PATH", DIRECTORY.as_ref()),
        ("XDG_DATA_HOME", home.as_os_str()),
    ];
    child::run(module_path!(), name, &set, &[], body);
}

fn presets(sink: &gst::Element) -> &gst::Preset {
    sink.dynamic_cast_ref().expect("an interface")
}

fn load(sink: &gst::Element, name: &str) {
    presets(sink).load_preset(name).expect(name);
}

/// A property as a key file writes it; none for one that can't be written so, or not be set.
fn written(sink: &gst::Element, pspec: &glib::ParamSpec) -> Option<String> {
    let settable = pspec.flags().contains(glib::ParamFlags::READWRITE)
        && !["extra-request", "name", "parent"].contains(&pspec.name());
    let value = settable.then(|| sink.property_value(pspec.name()))?;
    value.serialize().ok().map(String::from)
}

fn properties(sink: &gst::Element) -> Values {
    sink.list_properties()
        .iter()
        .filter_map(|pspec| Some((pspec.name().to_owned(), written(sink, pspec)?)))
        .collect()
}

/// Returns the properties that the file sets in the preset `name`.
fn in_file(name: &str) -> Values {
    let keys = glib::KeyFile::new();
    keys.load_from_data(FILE, glib::KeyFileFlags::NONE)
        .expect("a key file");
    keys.keys(name)
        .expect(name)
        .iter()
        .filter(|key| !key.starts_with('_'))
        .map(|key| (key.to_string(), keys.value(name, key).expect(key).into()))
        .collect()
}

#[test]
fn all_are_found_with_a_word_on_each() {
    with_presets("all_are_found_with_a_word_on_each", || {
        let sink = element("volcasrsink");
        let preset = presets(&sink);
        assert_eq!(preset.preset_names(), NAMES);
        for name in NAMES {
            let comment = preset.meta(name, "comment").expect(name);
            assert!(comment.len() > 20, "{name}: {comment}");
        }
        assert!(preset.load_preset("none").is_err());
    });
}

/// Each line of the file is taken, by the property that it names, and nothing else changes.
#[test]
fn each_sets_what_its_file_says_and_nothing_else() {
    with_presets("each_sets_what_its_file_says_and_nothing_else", || {
        let before = properties(&element("volcasrsink"));
        for name in NAMES {
            let sink = element("volcasrsink");
            load(&sink, name);
            let said = in_file(name);
            assert!(said.len() > 5, "{name}: {said:?}");
            let mut expected = before.clone();
            for (property, value) in said {
                let before = expected.insert(property.clone(), value);
                assert!(before.is_some(), "{name}: {property}");
            }
            assert_eq!(properties(&sink), expected, "{name}");
        }
    });
}

/// No preset sets a property that depends on the account, the place or the recording.
#[test]
fn none_sets_what_is_the_users() {
    for name in NAMES {
        for property in "uri resource-id app-key access-key api-key language rate".split(' ') {
            assert!(!in_file(name).contains_key(property), "{name}: {property}");
        }
    }
}

/// Each of the three replaces all of another that was loaded before.
#[test]
fn those_for_live_audio_replace_one_another() {
    let keys = |name| in_file(name).into_keys().collect::<Vec<_>>();
    assert_eq!(keys("captions"), keys("dictation"));
    assert_eq!(keys("captions"), keys("meeting"));
    let batch = in_file("batch");
    assert!(keys("captions").iter().all(|key| batch.contains_key(key)));
}

#[test]
fn the_files_are_of_this_version() {
    init();
    let transcriber = include_str!("../../data/GstVolcasrTranscriber.prs");
    for (name, file) in [("volcasrsink", FILE), ("volcasrtranscriber", transcriber)] {
        let keys = glib::KeyFile::new();
        keys.load_from_data(file, glib::KeyFileFlags::NONE)
            .expect("a key file");
        let said = |key| keys.value("_presets_", key).expect(key);
        assert_eq!(said("version"), env!("CARGO_PKG_VERSION"), "{name}");
        let factory = gst::ElementFactory::find(name).expect(name);
        let element = factory.load().expect(name).element_type();
        assert_eq!(said("element-name"), element.name(), "{name}");
    }
}

/// Every mark once, in order, at its time: against a service that refuses what it does not know.
#[test]
fn each_reaches_words() {
    with_presets("each_reaches_words", || {
        for name in NAMES {
            let service = service(Options::default());
            let sink = unpaced_sink(&service);
            load(&sink, name);
            let (pcm, marks) = speech(3);
            let log = TestPipeline::new(sink).run(&pcm, 100);
            assert!(log.saw_eos(), "{name}");
            log.assert_said_in(name, &marks, 0);
            let interim = log.transcripts().iter().any(|t| !t.is_final);
            assert_eq!(interim, name != "batch", "{name}");
            let request = service.connections()[0].request.clone().expect("a request");
            let speakers = request["request"]["enable_speaker_info"].as_bool();
            assert_eq!(speakers, (name == "meeting").then_some(true), "{name}");
        }
    });
}

/// The second pass is for `bigmodel_async`; the other two presets work everywhere.
#[test]
fn captions_and_batch_work_at_every_endpoint() {
    with_presets("captions_and_batch_work_at_every_endpoint", || {
        for name in ["captions", "batch"] {
            for endpoint in ["bigmodel", "bigmodel_nostream"] {
                let service = service(Options::default());
                let sink = unpaced_sink(&service);
                sink.set_property("uri", service.uri().replace("bigmodel_async", endpoint));
                load(&sink, name);
                let (pcm, marks) = speech(2);
                let log = TestPipeline::new(sink).run(&pcm, 100);
                log.assert_said_in(format_args!("{name}, {endpoint}"), &marks, 0);
            }
        }
    });
}

/// GStreamer writes what can be read: a key that was set is not among it.
#[test]
fn a_saved_preset_holds_no_secret() {
    with_presets("a_saved_preset_holds_no_secret", || {
        let sink = element("volcasrsink");
        load(&sink, "captions");
        for key in ["app-key", "access-key", "api-key"] {
            sink.set_property(key, "not-to-be-stored");
        }
        sink.set_property("end-window-size", 555u32);
        // GStreamer asserts on structures that are null.
        sink.set_property_from_str("extra-request", "request,accelerate_score=(int)10");
        let preset = presets(&sink);
        preset.save_preset("mine").expect("a directory of its own");
        let home = std::env::var_os("XDG_DATA_HOME").expect("set above");
        let file = std::path::Path::new(&home).join("gstreamer-1.0/presets/GstVolcasrSink.prs");
        let stored = std::fs::read_to_string(file).expect("what was saved");
        assert!(stored.contains("end-window-size=555"), "{stored}");
        assert!(!stored.contains("not-to-be-stored"), "{stored}");
        let other = element("volcasrsink");
        load(&other, "mine");
        assert_eq!(properties(&other), properties(&sink));
    });
}
