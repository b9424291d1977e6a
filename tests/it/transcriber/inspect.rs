//! The output of `gst-inspect-1.0 volcasrtranscriber`.

use std::collections::BTreeMap;

use crate::common::*;
use crate::inspect::own_properties;
use gst::glib;
use gst::prelude::*;

const PAGE: &str = include_str!("../../../docs/transcriber.md");

fn properties(factory: &str) -> BTreeMap<String, glib::ParamSpec> {
    own_properties(&element(factory))
}

/// Of the same name is the same property, but for what the sink's base class has.
#[test]
fn the_service_s_properties_are_those_of_the_sink() {
    let own = properties("volcasrtranscriber");
    for (name, sink) in properties("volcasrsink") {
        let other = own.get(&name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(other.type_(), sink.type_(), "{name}");
        assert_eq!(other.flags(), sink.flags(), "{name}");
        assert_eq!(other.blurb(), sink.blurb(), "{name}");
        let (other, sink) = (other.default_value(), sink.default_value());
        // A null one can't be written down.
        if sink.type_() != gst::Structure::static_type() {
            assert_eq!(format!("{other:?}"), format!("{sink:?}"), "{name}");
        }
    }
}

/// Bins look for these types and set them without asking.
#[test]
fn its_own_properties_have_the_types_that_bins_look_for() {
    let service = properties("volcasrsink");
    let mut own = properties("volcasrtranscriber");
    own.retain(|name, _| !service.contains_key(name));
    let table = own.values().map(|pspec| {
        let default = match pspec.default_value().get::<Option<String>>() {
            Ok(text) => text.unwrap_or_else(|| "none".to_owned()),
            Err(_) => pspec.default_value().serialize().expect("text").to_string(),
        };
        format!("{} {} {default}", pspec.name(), pspec.value_type().name())
    });
    let expected = [
        "cue-lines guint 2",
        "cue-width guint 42",
        "grouping GstVolcasrTranscriberGrouping word",
        "language-code gchararray none",
        "latency guint 4000",
        "lateness guint 0",
        "max-observed-delay guint 0",
    ];
    assert_eq!(table.collect::<Vec<_>>(), expected);
    for (name, pspec) in &own {
        assert!(PAGE.contains(&format!("`{name}`")), "{name} is not there");
        let blurb = pspec.blurb().expect("a blurb");
        assert!(!blurb.ends_with('.') && blurb.len() > 20, "{name}: {blurb}");
        let writable = pspec.flags().contains(glib::ParamFlags::WRITABLE);
        assert_eq!(writable, name != "max-observed-delay", "{name}");
        let live = pspec.flags().contains(gst::PARAM_FLAG_MUTABLE_PLAYING);
        let is_live = ["latency", "lateness", "language-code"].contains(&&**name);
        assert_eq!(live, is_live, "{name}");
    }
}

#[test]
fn it_introduces_itself_with_three_pads() {
    init();
    let factory = gst::ElementFactory::find("volcasrtranscriber").expect("registered");
    assert_eq!(factory.metadata("klass"), Some("Audio/Text/Filter/Network"));
    let pads = factory.static_pad_templates();
    let pads = pads
        .iter()
        .map(|pad| format!("{} {}", pad.name_template(), pad.caps()));
    let mut pads: Vec<String> = pads.collect();
    pads.sort();
    let kinds = [
        "sink audio/",
        "src text/x-raw, format=(string)utf8",
        "unsynced_src application/x-json",
    ];
    assert_eq!(pads.len(), kinds.len(), "{pads:?}");
    for (pad, kind) in pads.iter().zip(kinds) {
        assert!(pad.starts_with(kind), "{pad}");
    }
}

/// `presets::` has the rest.
#[test]
fn the_page_names_the_presets() {
    for name in ["overlay", "subtitles", "captions"] {
        assert!(PAGE.contains(&format!("`{name}`")) || PAGE.contains(&format!("@preset={name}")));
    }
}
