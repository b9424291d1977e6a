//! The presets in `data/`: what each sets, that it is found by its name, and that its pipeline
//! posts words.
//!
//! Each test is a process of its own: GStreamer reads presets once, from places that the
//! environment names.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use crate::common::scratch::Scratch;
use crate::common::*;
use gst::glib;
use gst::prelude::*;
use volcasr_loopback::{Endpoint, Options};

const FILE: &str = include_str!("../../data/GstVolcasrSink.prs");
const OF_TEXT: &str = include_str!("../../data/GstVolcasrTranscriber.prs");
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
const NAMES: [&str; 4] = ["batch", "captions", "dictation", "meeting"];

type Values = BTreeMap<String, String>;

/// Runs `body` where the presets are those of `data/`, and no user's.
fn with_presets(body: impl FnOnce()) {
    let scratch = Scratch::new("presets");
    let home = scratch.path("");
    let set: [(&str, &OsStr); 2] = [
        ("GST_PRESET_PATH", DIRECTORY.as_ref()),
        ("XDG_DATA_HOME", home.as_os_str()),
    ];
    child::run(&set, &[], body);
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

fn key_file(text: &str) -> glib::KeyFile {
    let keys = glib::KeyFile::new();
    let read = keys.load_from_data(text, glib::KeyFileFlags::NONE);
    read.expect("a key file");
    keys
}

/// Returns the properties that a file sets in the preset `name`.
fn in_file(file: &str, name: &str) -> Values {
    let keys = key_file(file);
    let names = keys.keys(name).expect(name);
    let names = names.iter().filter(|key| !key.starts_with('_'));
    names
        .map(|key| (key.to_string(), keys.value(name, key).expect(key).into()))
        .collect()
}

/// Each line of the files is taken, by the property that it names, and nothing else changes.
#[test]
fn each_is_found_and_sets_what_its_file_says_and_nothing_else() {
    with_presets(|| {
        for (factory, file, names) in [
            ("volcasrsink", FILE, &NAMES[..]),
            (
                "volcasrtranscriber",
                OF_TEXT,
                &["captions", "overlay", "subtitles"],
            ),
        ] {
            let new = element(factory);
            let before = properties(&new);
            assert_eq!(presets(&new).preset_names(), names);
            for name in names {
                let element = element(factory);
                let comment = presets(&element).meta(name, "comment").expect(name);
                assert!(comment.len() > 20, "{name}: {comment}");
                load(&element, name);
                let mut expected = before.clone();
                for (property, value) in in_file(file, name) {
                    let before = expected.insert(property.clone(), value);
                    assert!(before.is_some(), "{name}: {property}");
                }
                assert_ne!(expected, before, "{name}");
                assert_eq!(properties(&element), expected, "{name}");
            }
            assert!(presets(&new).load_preset("none").is_err());
        }
    });
}

/// No preset sets a property that depends on the account, the place or the recording. Those for
/// live audio replace all of one another, and of `batch`.
#[test]
fn none_sets_what_is_the_users() {
    let keys = NAMES.map(|name| in_file(FILE, name).into_keys().collect::<Vec<_>>());
    let [batch, live @ ..] = &keys;
    assert!(live.iter().all(|keys| *keys == live[0]), "{keys:?}");
    assert!(live[0].iter().all(|key| batch.contains(key)), "{keys:?}");
    for property in "uri resource-id app-key access-key api-key language rate".split(' ') {
        assert!(!batch.contains(&property.to_owned()), "{property}");
    }
}

#[test]
fn the_files_are_of_this_version() {
    init();
    for (name, file) in [("volcasrsink", FILE), ("volcasrtranscriber", OF_TEXT)] {
        let keys = key_file(file);
        let said = |key| keys.value("_presets_", key).expect(key);
        assert_eq!(said("version"), env!("CARGO_PKG_VERSION"), "{name}");
        let factory = gst::ElementFactory::find(name).expect(name);
        let element = factory.load().expect(name).element_type();
        assert_eq!(said("element-name"), element.name(), "{name}");
    }
}

/// Every mark once, in order, at its time: against a service that refuses what it does not know.
/// The second pass is for `bigmodel_async`; the other two presets work everywhere.
#[test]
fn each_reaches_words() {
    with_presets(|| {
        let everywhere = &[Endpoint::Async, Endpoint::Bigmodel, Endpoint::Nostream][..];
        for name in NAMES {
            let has_second_pass = ["dictation", "meeting"].contains(&name);
            for &endpoint in &everywhere[..if has_second_pass { 1 } else { 3 }] {
                let case = format!("{name}, {endpoint:?}");
                let service = service(Options::default());
                let sink = unpaced_sink(&service);
                sink.set_property("uri", service.uri_for(endpoint));
                load(&sink, name);
                let log = TestPipeline::new(sink).speak(3);
                let interim = log.transcripts().iter().any(|t| !t.is_final);
                let has_interim = name != "batch" && endpoint != Endpoint::Nostream;
                assert_eq!(interim, has_interim, "{case}");
                let request = service.connections()[0].request.clone().expect("a request");
                let speakers = request["request"]["enable_speaker_info"].as_bool();
                assert_eq!(speakers, (name == "meeting").then_some(true), "{case}");
            }
        }
    });
}

/// GStreamer writes what can be read: a key that was set is not among it.
#[test]
fn a_saved_preset_holds_no_secret() {
    with_presets(|| {
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
