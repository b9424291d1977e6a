//! The request of a session: every property in its field, with its JSON type.

use std::collections::BTreeSet;

use crate::common::*;
use crate::inspect::page;
use gst::prelude::*;
use serde_json::{Value, json};
use volcasr_loopback::{Connection, Options, Service};

/// As the reference client sends it, and `end_window_size`.
const DEFAULT: &str = concat!(
    r#"{"user":{"uid":"gst-volcasrsink"},"#,
    r#""audio":{"format":"pcm","codec":"raw","rate":24000,"bits":16,"channel":1},"#,
    r#""request":{"model_name":"bigmodel","enable_itn":true,"enable_punc":true,"enable_ddc":true,"#,
    r#""show_utterances":true,"enable_nonstream":false,"end_window_size":800}}"#
);

fn default() -> Value {
    serde_json::from_str(DEFAULT).expect("JSON")
}

/// Starts a session with `sink` and gives what it asked for.
fn request_of(service: &Service, sink: gst::Element) -> Value {
    let before = service.connections().len();
    let mut rig = TestPipeline::new(sink);
    rig.begin(&[0; 9600], 200);
    let has_asked = |all: &[Connection]| all[before..].iter().any(|c| c.request.is_some());
    assert!(service.wait(LONG, has_asked));
    let mut asked = service.connections().split_off(before).into_iter();
    asked.find_map(|c| c.request).expect("a request")
}

/// The sink of a launch line, as a user types it.
fn launched(service: &Service, properties: &str) -> gst::Element {
    init();
    let line = format!(
        "appsrc name=src ! volcasrsink name=sink sync=false uri={} \
         app-key=app-1 access-key=secret-access-key {properties}",
        service.uri()
    );
    let pipeline = gst::parse::launch(&line).expect(properties);
    let pipeline = pipeline.downcast::<gst::Pipeline>().expect("a pipeline");
    let sink = pipeline.by_name("sink").expect("the sink");
    pipeline.remove(&sink).expect("it is there");
    sink
}

#[test]
fn the_default_is_exactly_the_documented_one() {
    let service = service(Options::default());
    assert_eq!(request_of(&service, sink(&service)), default());
}

/// A property as on a command line, the place of its field, and what it holds then.
#[rustfmt::skip]
const FIELDS: &[(&str, &str, &str)] = &[
    ("uid=me", "/user/uid", r#""me""#),
    ("uid=\"\"", "/user/uid", r#""""#),
    ("rate=16000", "/audio/rate", "16000"),
    ("language=en-US", "/audio/language", r#""en-US""#),
    ("model-name=other", "/request/model_name", r#""other""#),
    ("enable-itn=false", "/request/enable_itn", "false"),
    ("enable-punc=false", "/request/enable_punc", "false"),
    ("enable-ddc=false", "/request/enable_ddc", "false"),
    ("show-utterances=false", "/request/show_utterances", "false"),
    ("enable-nonstream=true", "/request/enable_nonstream", "true"),
    ("result-type=single", "/request/result_type", r#""single""#),
    ("end-window-size=300", "/request/end_window_size", "300"),
    ("force-to-speech-time=1", "/request/force_to_speech_time", "1"),
    ("vad-segment-duration=3000", "/request/vad_segment_duration", "3000"),
    ("boosting-table-id=b1", "/request/corpus/boosting_table_id", r#""b1""#),
    ("boosting-table-name=热词", "/request/corpus/boosting_table_name", r#""热词""#),
    ("correct-table-id=c1", "/request/corpus/correct_table_id", r#""c1""#),
    ("correct-table-name=c2", "/request/corpus/correct_table_name", r#""c2""#),
    (r#"hotwords=<"deep\ learning","GStreamer">"#, "/request/corpus/context",
        r#""{\"hotwords\":[{\"word\":\"deep learning\"},{\"word\":\"GStreamer\"}]}""#),
    (r#"hotwords=<"深度学习","O'Brien">"#, "/request/corpus/context",
        r#""{\"hotwords\":[{\"word\":\"深度学习\"},{\"word\":\"O'Brien\"}]}""#),
    (r#"hotwords=<GStreamer>"#, "/request/corpus/context",
        r#""{\"hotwords\":[{\"word\":\"GStreamer\"}]}""#),
    (r#"context="{\"context_type\":\"dialog_ctx\"}""#, "/request/corpus/context",
        r#""{\"context_type\":\"dialog_ctx\"}""#),
    (r#"extra-request="request,accelerate_score=(int)10""#, "/request/accelerate_score", "10"),
    ("extra-request=request,accelerate_score=10", "/request/accelerate_score", "10"),
    (r#"extra-request="request,enable_lid=true""#, "/request/enable_lid", "true"),
    (r#"extra-request="request,output_zh_variant=traditional""#, "/request/output_zh_variant",
        r#""traditional""#),
    (r#"extra-request="request,ssd_version=(string)200""#, "/request/ssd_version", r#""200""#),
    (r#"extra-request="request,far=(gint64)9007199254740993""#, "/request/far", "9007199254740993"),
    (r#"extra-request="request,far=(uint)4294967295""#, "/request/far", "4294967295"),
    (r#"extra-request="request,far=(guint64)18446744073709551615""#, "/request/far",
        "18446744073709551615"),
    (r#"extra-request="request,share=(double)0.5""#, "/request/share", "0.5"),
    (r#"extra-request="request,share=(float)0.5""#, "/request/share", "0.5"),
    (r#"extra-request="request,none=(string)NULL""#, "/request/none", "null"),
    (r#"extra-request="request,list=(int)<1,2,3>""#, "/request/list", "[1,2,3]"),
    (r#"extra-request="request,list={a,b}""#, "/request/list", r#"["a","b"]"#),
    (r#"extra-request="request,inner=(structure)[inner,depth=(int)2,name=x]""#, "/request/inner",
        r#"{"depth":2,"name":"x"}"#),
    (r#"extra-request="request,enable_itn=false""#, "/request/enable_itn", "false"),
];

/// The lines of the page for further fields, as gst-launch-1.0 gets them from a shell.
#[test]
fn the_documented_lines_for_further_fields_send_them() {
    let page = include_str!("../../docs/properties.md");
    let rows = page.lines().filter_map(|row| {
        let mut cells = row.strip_prefix("| `")?.split("` | `extra-request='");
        Some((cells.next()?, cells.next()?.split_once("'`")?.0))
    });
    let service = service(Options::default());
    let mut count = 0;
    for (field, line) in rows {
        // A shell takes the quotes away, the parser of launch lines does not.
        let extra = format!("extra-request=\"{}\"", line.replace('"', "\\\""));
        let asked = request_of(&service, launched(&service, &extra));
        let sent = &asked["request"];
        let value = sent.get(field).or(sent["corpus"].get(field));
        assert!(value.is_some(), "{line}: {asked}");
        count += 1;
    }
    assert!(count > 10, "{count}");
}

#[test]
fn every_property_reaches_its_field_with_its_type() {
    let service = service(Options::default());
    for (property, place, value) in FIELDS {
        let asked = request_of(&service, launched(&service, property));
        let mut expected = default();
        let value = serde_json::from_str(value).expect("JSON");
        put(&mut expected, place, value);
        assert_eq!(asked, expected, "{property}");
    }
}

/// The page's column of fields: of each property, the field of the request that it fills.
#[test]
fn the_page_names_the_field_of_every_property() {
    let rows = page().into_iter();
    let documented: BTreeSet<(&str, String)> = rows
        .filter_map(|(name, _, field)| Some((name, field?.to_owned())))
        .filter(|(_, field)| !field.starts_with("X-Api-"))
        .collect();
    let properties = FIELDS.iter().filter_map(|(property, place, _)| {
        let (name, _) = property.split_once('=')?;
        Some((name, place.trim_start_matches('/').replace('/', ".")))
    });
    let properties = properties.filter(|(name, _)| *name != "extra-request");
    let mut sent: BTreeSet<_> = properties.collect();
    // `the_speaker_version_goes_with_speakers_only` tests these two.
    sent.insert(("enable-speaker-info", "request.enable_speaker_info".into()));
    sent.insert(("ssd-version", "request.ssd_version".into()));
    assert_eq!(documented, sent);
}

fn put(json: &mut Value, place: &str, value: Value) {
    let (above, key) = place.rsplit_once('/').expect("a place");
    if json.pointer(above).is_none() {
        put(json, above, json!({}));
    }
    json.pointer_mut(above).expect("just put there")[key] = value;
}

#[test]
fn the_speaker_version_goes_with_speakers_only() {
    let service = service(Options::default());
    #[rustfmt::skip]
    let cases = [
        ("enable-speaker-info=true", json!(true), json!("200")),
        ("enable-speaker-info=true ssd-version=300", json!(true), json!("300")),
        ("enable-speaker-info=true ssd-version=\"\"", json!(true), Value::Null),
        ("ssd-version=300", Value::Null, Value::Null),
    ];
    for (properties, enabled, version) in cases {
        let asked = request_of(&service, launched(&service, properties));
        let found = ["enable_speaker_info", "ssd_version"].map(|name| &asked["request"][name]);
        assert_eq!(found, [&enabled, &version], "{properties}");
    }
}
