//! The output of `gst-inspect-1.0`: each property as it is documented in docs/properties.md.

use std::collections::BTreeMap;

use crate::common::*;
use gst::glib;
use gst::prelude::*;

const URI: &str = "wss://openspeech.bytedance.com/api/v3/sauc/bigmodel_async";

/// Every property of the element's own: its type, with a range or the nicks of an enum, and its
/// default. The service takes signed numbers.
#[rustfmt::skip]
const PROPERTIES: [(&str, &str, &str); 48] = [
    ("uri", "text", URI),
    ("app-key", "secret", ""),
    ("access-key", "secret", ""),
    ("api-key", "secret", ""),
    ("resource-id", "text", "volc.seedasr.sauc.duration"),
    ("uid", "text", "gst-volcasrsink"),
    ("allow-insecure", "flag", "false"),
    ("proxy", "text", ""),
    ("proxy-id", "secret", ""),
    ("proxy-pw", "secret", ""),
    ("connect-timeout", "0..4294967295", "10000"),
    ("finish-timeout", "0..4294967295", "10000"),
    ("idle-timeout", "0..4294967295", "4000"),
    ("max-session-time", "0..4294967295", "600000"),
    ("max-reconnects", "0..4294967295", "10"),
    ("replay-time", "0..4294967295", "120000"),
    ("max-queue-time", "0..4294967295", "30000"),
    ("leaky", "auto, no, downstream", "auto"),
    ("max-speed", "0.0 and more", "10.0"),
    ("rate", "16000..24000", "24000"),
    ("chunk-duration", "0..2000", "200"),
    ("compression", "gzip, none", "gzip"),
    ("model-name", "text", "bigmodel"),
    ("enable-itn", "flag", "true"),
    ("enable-punc", "flag", "true"),
    ("enable-ddc", "flag", "true"),
    ("show-utterances", "flag", "true"),
    ("enable-nonstream", "flag", "false"),
    ("result-type", "full, single", "full"),
    ("language", "text", ""),
    ("end-window-size", "0..2147483647", "800"),
    ("force-to-speech-time", "0..2147483647", "0"),
    ("vad-segment-duration", "0..2147483647", "0"),
    ("hotwords", "words", ""),
    ("context", "text", ""),
    ("boosting-table-id", "text", ""),
    ("boosting-table-name", "text", ""),
    ("correct-table-id", "text", ""),
    ("correct-table-name", "text", ""),
    ("enable-speaker-info", "flag", "false"),
    ("ssd-version", "text", "200"),
    ("extra-request", "structure", ""),
    ("interim-results", "flag", "true"),
    ("post-tags", "flag", "true"),
    ("post-responses", "flag", "false"),
    ("stats", "result structure", ""),
    ("log-id", "result text", ""),
    ("connect-id", "result text", ""),
];

/// Properties that can be changed while the pipeline plays.
const MUTABLE_PLAYING: [&str; 3] = ["interim-results", "post-tags", "post-responses"];

/// The properties that the element's own class has installed.
pub fn own_properties(element: &gst::Element) -> BTreeMap<String, glib::ParamSpec> {
    let all = element.list_properties().into_iter();
    let own = all.filter(|pspec| pspec.owner_type() == element.type_());
    own.map(|pspec| (pspec.name().to_owned(), pspec)).collect()
}

/// Type and default of a property, as [`PROPERTIES`] has them.
fn described(pspec: &glib::ParamSpec) -> (String, String) {
    use glib::{ParamSpecDouble, ParamSpecEnum, ParamSpecInt, ParamSpecUInt};
    let default = pspec.default_value();
    if let Some(of) = pspec.downcast_ref::<ParamSpecUInt>() {
        let range = format!("{}..{}", of.minimum(), of.maximum());
        return (range, of.default_value().to_string());
    }
    if let Some(of) = pspec.downcast_ref::<ParamSpecInt>() {
        let range = format!("{}..{}", of.minimum(), of.maximum());
        return (range, of.default_value().to_string());
    }
    if let Some(of) = pspec.downcast_ref::<ParamSpecDouble>() {
        assert_eq!(of.maximum(), f64::MAX);
        let range = format!("{:.1} and more", of.minimum());
        return (range, format!("{:.1}", of.default_value()));
    }
    if let Some(of) = pspec.downcast_ref::<ParamSpecEnum>() {
        let class = of.enum_class();
        let nicks: Vec<_> = class.values().iter().map(|value| value.nick()).collect();
        let default = class.value(of.default_value_as_i32()).expect("a value");
        return (nicks.join(", "), default.nick().to_owned());
    }
    if let Ok(flag) = default.get::<bool>() {
        return ("flag".to_owned(), flag.to_string());
    }
    let is_array = pspec.is::<gst::ParamSpecArray>();
    let is_text = pspec.value_type() == glib::Type::STRING;
    let is_structure = pspec.value_type() == gst::Structure::static_type();
    assert!(is_array || is_text || is_structure, "{}", pspec.name());
    let kind = match pspec.flags() & glib::ParamFlags::READWRITE {
        glib::ParamFlags::WRITABLE => "secret",
        glib::ParamFlags::READABLE if is_text => "result text",
        glib::ParamFlags::READABLE => "result structure",
        _ if is_array => "words",
        _ if is_text => "text",
        _ => "structure",
    };
    let text = default.get::<Option<String>>().ok().flatten();
    (kind.to_owned(), text.unwrap_or_default())
}

#[test]
fn every_property_is_as_documented() {
    let own = own_properties(&element("volcasrsink"));
    let own = own.iter().map(|(name, pspec)| (&**name, described(pspec)));
    let expected =
        PROPERTIES.map(|(name, kind, default)| (name, (kind.to_owned(), default.to_owned())));
    assert_eq!(own.collect::<BTreeMap<_, _>>(), expected.into());
}

/// Secrets can only be written, and results only read. Readable ones of a new element have the
/// defaults of their specification.
#[test]
fn access_and_first_values() {
    let element = element("volcasrsink");
    let own = own_properties(&element);
    for (name, kind, _) in PROPERTIES {
        let flags = own[name].flags();
        let readable = flags.contains(glib::ParamFlags::READABLE);
        assert_eq!(readable, kind != "secret", "{name}");
        let writable = flags.contains(glib::ParamFlags::WRITABLE);
        assert_eq!(writable, !kind.starts_with("result"), "{name}");
        let live = flags.contains(gst::PARAM_FLAG_MUTABLE_PLAYING);
        assert_eq!(live, MUTABLE_PLAYING.contains(&name), "{name}");
        let ready = flags.contains(gst::PARAM_FLAG_MUTABLE_READY);
        assert_eq!(ready, writable && !live, "{name}: says when it is taken up");
        // Null and empty ones are not the same.
        if !["secret", "words", "structure", "result structure"].contains(&kind) {
            let value = element.property_value(name);
            let default = own[name].default_value();
            assert_eq!(format!("{value:?}"), format!("{default:?}"), "{name}");
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
    let mut templates = element("volcasrsink").pad_template_list().into_iter();
    let template = templates.next().expect("a template");
    assert!(templates.next().is_none(), "one pad");
    assert_eq!(template.name_template(), "sink");
    assert_eq!(template.direction(), gst::PadDirection::Sink);
    assert_eq!(template.presence(), gst::PadPresence::Always);
    let caps = "audio/x-raw, format=S16LE, layout=interleaved, rate={24000,16000}, channels=1";
    let caps: gst::Caps = caps.parse().expect("caps");
    let own = template.caps();
    assert!(own.is_strictly_equal(&caps), "{own}");
}

/// The page's table: of each property its default, as the user reads it, and its field.
pub fn page() -> Vec<(&'static str, &'static str, Option<&'static str>)> {
    let page = include_str!("../../docs/properties.md").lines();
    let table = page.skip_while(|line| !line.starts_with("| property"));
    let rows = table.skip(2).take_while(|line| line.starts_with('|'));
    let codes = |cell: &'static str| cell.split('`').skip(1).step_by(2);
    let properties = rows.flat_map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let (default, fields) = (cells[2], codes(cells[3]).map(Some));
        let named = codes(cells[1]).zip(fields.chain(std::iter::repeat(None)));
        named.map(move |(name, field)| (name, default, field))
    });
    properties.collect()
}

#[test]
fn the_page_lists_every_property_with_its_default() {
    let own = own_properties(&element("volcasrsink"));
    assert_eq!(page().len(), PROPERTIES.len());
    for (name, kind, default) in PROPERTIES {
        let mut rows = page().into_iter();
        let row = rows.find(|(of, ..)| *of == name);
        let (_, shown, _) = row.unwrap_or_else(|| panic!("no {name}"));
        let blurb = own[name].blurb().unwrap_or_default();
        let is_time = blurb.contains("illiseconds");
        let is_code = !default.is_empty() && (kind == "text" || kind.contains(", "));
        match kind {
            // No variable of their own: the proxy's URI has them.
            "secret" if name.starts_with("proxy-") => assert_eq!(shown, "", "{name}"),
            "secret" => assert!(shown.contains("VOLCENGINE_"), "{name}"),
            _ if kind.starts_with("result") => assert_eq!(shown, "read-only", "{name}"),
            _ if is_code => assert_eq!(shown, format!("`{default}`"), "{name}"),
            _ if is_time => assert_eq!(shown, format!("{default} ms"), "{name}"),
            _ if name == "rate" => assert_eq!(shown, format!("{default} Hz"), "{name}"),
            _ => assert_eq!(shown, default, "{name}"),
        }
    }
}
