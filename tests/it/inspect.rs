//! The output of `gst-inspect-1.0`: each property as it is documented in docs/properties.md.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::*;
use gst::glib;
use gst::prelude::*;

/// Type of a property, with its default and its range.
enum Holds {
    Text(Option<&'static str>),
    Secret,
    Id,
    Flag(bool),
    Uint(u32, u32),
    Int(i32, i32, i32),
    Double(f64, f64, f64),
    /// The nicks in their order; the first is the default.
    Choice(&'static [&'static str]),
    Words,
    Structure,
    Stats,
}

use Holds::*;

const ANY: u32 = u32::MAX;
/// The service takes signed numbers.
const SIGNED: u32 = i32::MAX as u32;

/// Every property of the element's own.
const PROPERTIES: &[(&str, Holds)] = &[
    (
        "uri",
        Text(Some(
            "wss://openspeech.bytedance.com/api/v3/sauc/bigmodel_async",
        )),
    ),
    ("app-key", Secret),
    ("access-key", Secret),
    ("api-key", Secret),
    ("resource-id", Text(Some("volc.seedasr.sauc.duration"))),
    ("uid", Text(Some("gst-volcasrsink"))),
    ("allow-insecure", Flag(false)),
    ("proxy", Text(None)),
    ("proxy-id", Secret),
    ("proxy-pw", Secret),
    ("connect-timeout", Uint(10_000, ANY)),
    ("finish-timeout", Uint(10_000, ANY)),
    ("idle-timeout", Uint(4000, ANY)),
    ("max-session-time", Uint(600_000, ANY)),
    ("max-reconnects", Uint(10, ANY)),
    ("replay-time", Uint(120_000, ANY)),
    ("max-queue-time", Uint(30_000, ANY)),
    ("leaky", Choice(&["auto", "no", "downstream"])),
    ("max-speed", Double(10.0, 0.0, f64::MAX)),
    ("rate", Int(24_000, 16_000, 24_000)),
    ("chunk-duration", Uint(200, 2000)),
    ("compression", Choice(&["gzip", "none"])),
    ("model-name", Text(Some("bigmodel"))),
    ("enable-itn", Flag(true)),
    ("enable-punc", Flag(true)),
    ("enable-ddc", Flag(true)),
    ("show-utterances", Flag(true)),
    ("enable-nonstream", Flag(false)),
    ("result-type", Choice(&["full", "single"])),
    ("language", Text(None)),
    ("end-window-size", Uint(800, SIGNED)),
    ("force-to-speech-time", Uint(0, SIGNED)),
    ("vad-segment-duration", Uint(0, SIGNED)),
    ("hotwords", Words),
    ("context", Text(None)),
    ("boosting-table-id", Text(None)),
    ("boosting-table-name", Text(None)),
    ("correct-table-id", Text(None)),
    ("correct-table-name", Text(None)),
    ("enable-speaker-info", Flag(false)),
    ("ssd-version", Text(Some("200"))),
    ("extra-request", Structure),
    ("interim-results", Flag(true)),
    ("post-tags", Flag(true)),
    ("post-responses", Flag(false)),
    ("stats", Stats),
    ("log-id", Id),
    ("connect-id", Id),
];

/// Properties that can be changed while the pipeline plays.
const LIVE: [&str; 3] = ["interim-results", "post-tags", "post-responses"];

/// Times whose names do not say so.
const TIMES: [&str; 10] = [
    "connect-timeout",
    "finish-timeout",
    "idle-timeout",
    "max-session-time",
    "replay-time",
    "max-queue-time",
    "chunk-duration",
    "end-window-size",
    "force-to-speech-time",
    "vad-segment-duration",
];

fn element() -> gst::Element {
    init();
    gst::ElementFactory::make("volcasrsink")
        .build()
        .expect("the element")
}

/// The properties that the element's own class has installed.
fn own_properties(element: &gst::Element) -> BTreeMap<String, glib::ParamSpec> {
    element
        .list_properties()
        .into_iter()
        .filter(|pspec| pspec.owner_type() == element.type_())
        .map(|pspec| (pspec.name().to_owned(), pspec))
        .collect()
}

fn downcast<T: glib::ParamSpecType>(pspec: &glib::ParamSpec) -> T {
    pspec
        .clone()
        .downcast()
        .unwrap_or_else(|pspec| panic!("{} is a {}", pspec.name(), pspec.type_()))
}

#[test]
fn every_property_is_as_documented() {
    let own = own_properties(&element());
    let documented: BTreeSet<&str> = PROPERTIES.iter().map(|(name, _)| *name).collect();
    let there: BTreeSet<&str> = own.keys().map(String::as_str).collect();
    assert_eq!(there, documented);
    for (name, holds) in PROPERTIES {
        let pspec = &own[*name];
        match holds {
            Text(default) => {
                let default = default.map(glib::GString::from);
                assert_eq!(pspec.value_type(), glib::Type::STRING, "{name}");
                let value = pspec.default_value().get::<Option<glib::GString>>();
                assert_eq!(value.expect("a string"), default, "{name}");
            }
            Secret | Id => {
                assert_eq!(pspec.value_type(), glib::Type::STRING, "{name}");
                let value = pspec.default_value().get::<Option<glib::GString>>();
                assert_eq!(value.expect("a string"), None, "{name}");
            }
            Flag(default) => {
                let pspec = downcast::<glib::ParamSpecBoolean>(pspec);
                assert_eq!(pspec.default_value(), *default, "{name}");
            }
            Uint(default, maximum) => {
                let pspec = downcast::<glib::ParamSpecUInt>(pspec);
                let range = (pspec.default_value(), pspec.minimum(), pspec.maximum());
                assert_eq!(range, (*default, 0, *maximum), "{name}");
            }
            Int(default, minimum, maximum) => {
                let pspec = downcast::<glib::ParamSpecInt>(pspec);
                let range = (pspec.default_value(), pspec.minimum(), pspec.maximum());
                assert_eq!(range, (*default, *minimum, *maximum), "{name}");
            }
            Double(default, minimum, maximum) => {
                let pspec = downcast::<glib::ParamSpecDouble>(pspec);
                let range = (pspec.default_value(), pspec.minimum(), pspec.maximum());
                assert_eq!(range, (*default, *minimum, *maximum), "{name}");
            }
            Choice(nicks) => {
                let pspec = downcast::<glib::ParamSpecEnum>(pspec);
                let class = pspec.enum_class();
                let values: Vec<_> = class.values().iter().map(|value| value.nick()).collect();
                assert_eq!(values, *nicks, "{name}");
                let default = class.value(pspec.default_value_as_i32());
                assert_eq!(default.map(|value| value.nick()), Some(nicks[0]), "{name}");
            }
            Words => {
                let pspec = downcast::<gst::ParamSpecArray>(pspec);
                let word = pspec.element_spec().map(|word| word.value_type());
                assert_eq!(word, Some(glib::Type::STRING), "{name}");
            }
            Structure | Stats => {
                assert_eq!(pspec.value_type(), gst::Structure::static_type(), "{name}");
            }
        }
    }
}

#[test]
fn secrets_can_only_be_written_and_results_only_read() {
    for (name, pspec) in own_properties(&element()) {
        let (_, holds) = PROPERTIES
            .iter()
            .find(|(known, _)| *known == name)
            .expect("a known property");
        let access = pspec.flags() & glib::ParamFlags::READWRITE;
        let expected = match holds {
            Secret => glib::ParamFlags::WRITABLE,
            Id | Stats => glib::ParamFlags::READABLE,
            _ => glib::ParamFlags::READWRITE,
        };
        assert_eq!(access, expected, "{name}");
        if access.contains(glib::ParamFlags::WRITABLE) {
            let live = pspec.flags().contains(gst::PARAM_FLAG_MUTABLE_PLAYING);
            assert_eq!(live, LIVE.contains(&name.as_str()), "{name}");
            let ready = pspec.flags().contains(gst::PARAM_FLAG_MUTABLE_READY);
            assert_ne!(live, ready, "{name}: says when it is taken up");
        }
    }
}

/// Readable properties have the defaults of their specification.
#[test]
fn a_new_element_has_the_defaults() {
    let element = element();
    for (name, pspec) in own_properties(&element) {
        if !pspec.flags().contains(glib::ParamFlags::READABLE) || name == "stats" {
            continue;
        }
        let value = element.property_value(&name);
        match name.as_str() {
            "hotwords" => {
                let words = value.get::<gst::Array>().expect("an array");
                assert!(words.is_empty(), "{name}");
            }
            "extra-request" => {
                let extra = value.get::<Option<gst::Structure>>();
                assert_eq!(extra.expect("a structure"), None, "{name}");
            }
            _ => {
                let default = pspec.default_value();
                assert_eq!(format!("{value:?}"), format!("{default:?}"), "{name}");
            }
        }
    }
}

#[test]
fn every_property_has_a_nick_and_a_blurb_that_says_more() {
    for (name, pspec) in own_properties(&element()) {
        let nick = pspec.nick();
        assert!(!nick.is_empty() && nick != name, "{name}: nick {nick:?}");
        let blurb = pspec.blurb().unwrap_or_default();
        assert!(
            blurb.len() > nick.len() + 10,
            "{name}: the blurb {blurb:?} says no more than the nick"
        );
        assert!(!blurb.ends_with('.'), "{name}: {blurb}");
        if TIMES.contains(&name.as_str()) {
            assert!(blurb.contains("illiseconds"), "{name}: {blurb}");
        }
        if name.ends_with("-key") {
            assert!(blurb.contains("VOLCENGINE_"), "{name}: {blurb}");
        }
    }
}

#[test]
fn the_element_introduces_itself() {
    init();
    let factory = gst::ElementFactory::find("volcasrsink").expect("registered");
    assert_eq!(factory.rank(), gst::Rank::NONE);
    assert_eq!(factory.metadata("klass"), Some("Sink/Network/Audio"));
    let long_name = factory.metadata("long-name").unwrap_or_default();
    assert_eq!(long_name, "Volcengine speech recognition sink");
    for key in ["description", "author"] {
        assert!(factory.metadata(key).is_some_and(|s| s.len() > 10), "{key}");
    }
    let plugin = factory.plugin().expect("it comes from the plugin");
    assert_eq!(plugin.plugin_name(), "volcasr");
    assert_eq!(plugin.license(), "MPL-2.0");
    assert_eq!(plugin.package(), "gst-plugin-volcasr");
}

#[test]
fn the_pad_takes_one_format_at_two_rates() {
    let mut templates = element().pad_template_list().into_iter();
    let template = templates.next().expect("a template");
    assert!(templates.next().is_none(), "one pad");
    assert_eq!(template.name_template(), "sink");
    assert_eq!(template.direction(), gst::PadDirection::Sink);
    assert_eq!(template.presence(), gst::PadPresence::Always);
    let caps: gst::Caps =
        "audio/x-raw, format=S16LE, layout=interleaved, rate={24000,16000}, channels=1"
            .parse()
            .expect("caps");
    assert!(
        template.caps().is_strictly_equal(&caps),
        "{}",
        template.caps()
    );
}

/// The page's table: names, and defaults with their units, as the user reads them.
fn in_page() -> BTreeMap<String, String> {
    let section = include_str!("../../docs/properties.md");
    let table = section
        .lines()
        .skip_while(|line| !line.starts_with("| property"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut properties = BTreeMap::new();
    for row in table {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let (names, default) = (cells.next().expect("names"), cells.next());
        for name in names.split(", ") {
            let default = default.expect("a default").to_owned();
            let before = properties.insert(name.trim_matches('`').to_owned(), default);
            assert_eq!(before, None, "{name} stands there twice");
        }
    }
    properties
}

#[test]
fn the_page_lists_every_property_with_its_default() {
    let page = in_page();
    let own = own_properties(&element());
    assert_eq!(
        page.keys().collect::<Vec<_>>(),
        own.keys().collect::<Vec<_>>()
    );
    for (name, holds) in PROPERTIES {
        let expected = match holds {
            Text(None) | Words | Structure => String::new(),
            Text(Some(text)) => format!("`{text}`"),
            Choice(nicks) => format!("`{}`", nicks[0]),
            Flag(default) => default.to_string(),
            Uint(default, _) if TIMES.contains(name) => format!("{default} ms"),
            Uint(default, _) => default.to_string(),
            Int(default, ..) if *name == "rate" => format!("{default} Hz"),
            Int(default, ..) => default.to_string(),
            Double(default, ..) => format!("{default:.1}"),
            Id | Stats => "read-only".to_owned(),
            // No variable of their own: the proxy's URI has them.
            Secret if name.starts_with("proxy-") => String::new(),
            Secret => {
                assert!(page[*name].contains("VOLCENGINE_"), "{name}");
                continue;
            }
        };
        assert_eq!(page[*name], expected, "{name}");
    }
}
