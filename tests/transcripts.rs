//! What is posted for a response: messages, their fields and their order, tags, and what turns them off.

mod common;

use common::*;
use gst::prelude::*;
use serde_json::{Value, json};
use volcasr_loopback::{Options, Recogniser, Script, Service};

/// A service that says just this: responses by milliseconds of audio, and the final one.
fn scripted(responses: &[(u64, Value)], last: Value) -> Service {
    let responses: Vec<(u64, String)> = responses
        .iter()
        .map(|(at, response)| (*at, response.to_string()))
        .collect();
    let responses = responses
        .iter()
        .map(|(at, response)| (*at, response.as_str()));
    service(Options {
        recogniser: Recogniser::Scripted(Script::responses(responses, &last.to_string())),
        ..Options::default()
    })
}

/// A response of so much audio with these utterances.
fn response(duration: u64, utterances: Value) -> Value {
    json!({"audio_info": {"duration": duration}, "result": {"utterances": utterances}})
}

fn utterance(definite: bool, times: (u64, u64), text: &str) -> Value {
    json!({"definite": definite, "start_time": times.0, "end_time": times.1, "text": text})
}

/// Two seconds of audio.
fn audio() -> Vec<u8> {
    vec![0; 2 * 48_000]
}

/// The messages in short: `0 text`, a full stop behind what is final, a question mark behind what is unconfirmed.
fn told(heard: &Heard) -> Vec<String> {
    let short = |t: &Transcript| {
        let end = match (t.is_final, t.unconfirmed) {
            (true, true) => "?",
            (true, false) => ".",
            (false, _) => "",
        };
        format!("{} {}{end}", t.utterance, t.text)
    };
    heard.transcripts().iter().map(short).collect()
}

/// One sentence that grows, is withdrawn or settled, and one behind it.
fn conversation() -> Service {
    scripted(
        &[
            (
                200,
                response(200, json!([utterance(false, (100, 200), "he")])),
            ),
            (
                400,
                response(400, json!([utterance(false, (100, 400), "hello")])),
            ),
            // The same, with times alone revised: no news.
            (
                600,
                response(600, json!([utterance(false, (80, 420), "hello")])),
            ),
            (
                800,
                response(800, json!([utterance(true, (80, 420), "Hello.")])),
            ),
            (
                1000,
                response(
                    1000,
                    json!([
                        utterance(true, (80, 420), "Hello."),
                        utterance(false, (900, 1000), "you")
                    ]),
                ),
            ),
            (
                1200,
                response(
                    1200,
                    json!([
                        utterance(true, (80, 420), "Hello."),
                        utterance(true, (900, 1000), "")
                    ]),
                ),
            ),
            (
                1400,
                response(
                    1400,
                    json!([
                        utterance(true, (80, 420), "Hello."),
                        utterance(false, (1300, 1400), "world")
                    ]),
                ),
            ),
        ],
        response(
            2000,
            json!([
                utterance(true, (80, 420), "Hello."),
                utterance(true, (1300, 1500), "World.")
            ]),
        ),
    )
}

#[test]
fn interim_and_final_and_withdrawn() {
    let service = conversation();
    let heard = Rig::new(sink(&service)).run(&audio(), 100);
    assert_eq!(
        told(&heard),
        [
            "0 he",
            "0 hello",
            "0 Hello..",
            "1 you",
            "1 .",
            "2 world",
            "2 World.."
        ]
    );
    assert_ends_once(&heard.transcripts());
    assert_eq!(heard.tags(), ["Hello.", "World."]);
}

/// Final ones only, and nothing of what nobody has heard of.
#[test]
fn without_interim_results() {
    let service = conversation();
    let sink = sink(&service);
    sink.set_property("interim-results", false);
    let heard = Rig::new(sink).run(&audio(), 100);
    assert_eq!(told(&heard), ["0 Hello..", "2 World.."]);
    assert_eq!(heard.tags(), ["Hello.", "World."]);
}

#[test]
fn without_tags() {
    let service = conversation();
    let sink = sink(&service);
    sink.set_property("post-tags", false);
    let heard = Rig::new(sink).run(&audio(), 100);
    assert!(heard.tags().is_empty());
    assert_eq!(heard.finals().len(), 3);
}

/// A tag follows the message that it belongs to, and all are there before EOS.
#[test]
fn tags_follow_their_messages() {
    let service = conversation();
    let heard = Rig::new(sink(&service)).run(&audio(), 100);
    let order: Vec<String> = heard
        .messages
        .iter()
        .filter_map(|message| match message.view() {
            gst::MessageView::Element(_) => Transcript::parse(message)
                .filter(|t| t.is_final)
                .map(|t| format!("message {}", t.text)),
            gst::MessageView::Tag(tag) => {
                assert!(message.src().is_some_and(|src| src.is::<gst::Element>()));
                let tags = tag.tags();
                assert_eq!(tags.n_tags(), 1);
                let text = tags.generic("transcript")?.get::<String>().ok()?;
                Some(format!("tag {text}"))
            }
            gst::MessageView::Eos(_) => Some("eos".to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(
        order,
        [
            "message Hello.",
            "tag Hello.",
            "message ",
            "message World.",
            "tag World.",
            "eos"
        ]
    );
}

#[test]
fn the_message_has_the_documented_fields() {
    let words = json!([
        {"start_time": 100, "end_time": 180, "text": "hello"},
        {"start_time": -1, "end_time": -1, "text": " "},
        {"start_time": 300, "end_time": 380, "text": "world"},
    ]);
    let additions = json!({"speaker_id": "1", "emotion": "happy", "speech_rate": "3.5"});
    let both = json!([
        {"definite": true, "start_time": 100, "end_time": 400, "text": "\u{201c}Hello, world!\u{201d}", "words": words,
         "additions": additions},
        {"definite": true, "start_time": 1000, "end_time": 1400, "text": "Plain."},
    ]);
    let service = scripted(&[], response(2000, both));
    let mut rig = Rig::new(sink(&service));
    let heard = rig.run(&audio(), 100);
    let structures: Vec<&gst::StructureRef> = heard
        .messages
        .iter()
        .filter_map(|message| message.structure())
        .filter(|s| s.name() == "volcasr-transcript")
        .collect();
    let fields = |n: usize| {
        let mut fields: Vec<String> = structures[n].fields().map(|f| f.to_string()).collect();
        fields.sort_unstable();
        fields
    };
    let mut documented = vec![
        "attributes",
        "duration",
        "final",
        "running-time",
        "session",
        "stream",
        "stream-id",
        "stream-time",
        "text",
        "timestamp",
        "unconfirmed",
        "utterance",
        "words",
    ];
    assert_eq!(fields(0), documented);
    documented.remove(0);
    assert_eq!(fields(1), documented, "no attributes");
    for (field, expected) in [
        ("text", String::static_type()),
        ("final", bool::static_type()),
        ("unconfirmed", bool::static_type()),
        ("utterance", u32::static_type()),
        ("stream", u32::static_type()),
        ("session", u32::static_type()),
        ("stream-id", String::static_type()),
        ("timestamp", u64::static_type()),
        ("stream-time", u64::static_type()),
        ("running-time", u64::static_type()),
        ("duration", u64::static_type()),
        ("words", gst::Array::static_type()),
        ("attributes", gst::Structure::static_type()),
    ] {
        let value = structures[0].value(field).expect(field);
        assert_eq!(value.type_(), expected, "{field}");
    }
    let finals = heard.finals();
    let texts: Vec<&str> = finals[0]
        .words
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    assert_eq!(texts, ["\u{201c}Hello, ", "world!\u{201d}"]);
    let attributes = finals[0].attributes.as_ref().expect("attributes");
    assert_eq!(attributes.name(), "attributes");
    for (name, value) in [
        ("speaker_id", "1"),
        ("emotion", "happy"),
        ("speech_rate", "3.5"),
    ] {
        assert_eq!(
            attributes.get::<String>(name).as_deref(),
            Ok(value),
            "{name}"
        );
    }
    assert_eq!(attributes.n_fields(), 3);
    assert!(finals[1].words.is_empty());
    let stream_id = rig.source.static_pad("src").and_then(|pad| pad.stream_id());
    assert_eq!(
        finals[0].stream_id.as_deref(),
        stream_id.as_ref().map(|id| id.as_str())
    );
    assert_eq!(
        (finals[0].stream, finals[0].session, finals[0].utterance),
        (0, 0, 0)
    );
}

/// A change of attributes is news; their order is not. Names that GStreamer could not take are left out.
#[test]
fn attributes_are_news() {
    let said = |additions: &str| {
        let text = format!(
            r#"{{"audio_info":{{"duration":200}},"result":{{"utterances":[{{"definite":false,"start_time":1,
                "end_time":200,"text":"hello","additions":{additions}}}]}}}}"#
        );
        serde_json::value::RawValue::from_string(text).expect("JSON")
    };
    let responses = [
        said(r#"{"source":"stream","speaker_id":"0"}"#),
        said(r#"{"speaker_id":"0","source":"stream"}"#),
        said(r#"{"speaker_id":"1","source":"stream","1st":"x","with space":"x","é":"x","":"x"}"#),
    ];
    let script = Script::responses(
        (1..)
            .map(|n| n * 200)
            .zip(responses.iter().map(|r| r.get())),
        r#"{"audio_info":{"duration":2000},"result":{"utterances":[{"definite":true,"start_time":1,"end_time":200,
            "text":"hello","additions":{"source":"two_pass"}}]}}"#,
    );
    let service = service(Options {
        recogniser: Recogniser::Scripted(script),
        ..Options::default()
    });
    let heard = Rig::new(sink(&service)).run(&audio(), 100);
    let attributes: Vec<String> = heard
        .transcripts()
        .iter()
        .map(|t| {
            let attributes = t.attributes.as_ref().expect("attributes");
            let mut all: Vec<String> = attributes
                .iter()
                .map(|(name, value)| format!("{name}={}", value.get::<&str>().expect("a string")))
                .collect();
            all.sort_unstable();
            all.join(" ")
        })
        .collect();
    assert_eq!(
        attributes,
        [
            "source=stream speaker_id=0",
            "source=stream speaker_id=1",
            "source=two_pass"
        ]
    );
}

/// JSON may hold a character that no string of C can: what is said is not lost for it, nor is anything else.
#[test]
fn a_zero_character_ends_nothing() {
    let odd = "a\0b";
    let said = json!([{
        "definite": true, "start_time": 100, "end_time": 900, "text": format!("{odd}, c."),
        "words": [{"start_time": 100, "end_time": 180, "text": odd}, {"start_time": 300, "end_time": 380, "text": "c"}],
        "additions": {"source": "x\0y", "na\0me": "z", "\0": "z"},
    }]);
    let mut last = response(2000, said);
    last["result"]["additions"] = json!({"log_id": odd});
    let service = scripted(&[], last);
    let sink = sink(&service);
    sink.set_property("post-responses", true);
    let heard = Rig::new(sink).run(&audio(), 100);
    assert!(heard.errors().is_empty(), "{:?}", heard.errors());
    assert!(heard.saw_eos());
    let finals = heard.finals();
    assert_eq!(finals[0].text, "ab, c.");
    let texts: Vec<&str> = finals[0]
        .words
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    assert_eq!(texts, ["ab, ", "c."]);
    let attributes = finals[0].attributes.as_ref().expect("attributes");
    assert_eq!(attributes.get::<String>("source").as_deref(), Ok("xy"));
    assert_eq!(attributes.n_fields(), 1, "{attributes}");
    assert_eq!(heard.tags(), ["ab, c."]);
}

/// The service's own words, as they came, behind what they led to.
#[test]
fn responses_as_they_came() {
    let service = conversation();
    let sink = sink(&service);
    sink.set_property("post-responses", true);
    let heard = Rig::new(sink).run(&audio(), 100);
    let posted: Vec<(String, u32)> = heard
        .messages
        .iter()
        .filter_map(|message| {
            message
                .structure()
                .filter(|s| s.name() == "volcasr-response")
        })
        .map(|s| {
            (
                s.get("json").expect("json"),
                s.get("session").expect("session"),
            )
        })
        .collect();
    let sent: Vec<(String, u32)> = service.connections()[0]
        .responses
        .iter()
        .map(|answer| (answer.json.to_string(), 0))
        .collect();
    assert_eq!(sent.len(), 9, "the ack, seven responses, the final one");
    assert_eq!(posted, sent);
    assert_eq!(told(&heard).len(), 7, "and the transcripts as ever");
}

#[test]
fn no_responses_unless_asked_for() {
    let service = conversation();
    let heard = Rig::new(sink(&service)).run(&audio(), 100);
    let names: Vec<&str> = heard
        .messages
        .iter()
        .filter_map(|message| message.structure())
        .map(|s| s.name().as_str())
        .filter(|name| name.starts_with("volcasr-") && *name != "volcasr-transcript")
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

/// Waits for the message with this text.
fn until(rig: &Rig, text: &str) -> Heard {
    rig.listen_until(|message| Transcript::parse(message).is_some_and(|t| t.text == text))
}

/// All three work at once, while the pipeline plays.
#[test]
fn they_can_be_turned_on_and_off_while_playing() {
    let service = conversation();
    let mut rig = Rig::new(sink(&service));
    let pcm = audio();
    let to = |ms: usize| ms * 48;
    rig.play();
    rig.push(&pcm[..to(200)], 100);
    let mut heard = until(&rig, "he");
    rig.sink.set_property("interim-results", false);
    rig.sink.set_property("post-responses", true);
    rig.push(&pcm[to(200)..to(800)], 100);
    let next = until(&rig, "Hello.");
    assert_eq!(told(&next), ["0 Hello.."], "no interim results in between");
    heard.messages.extend(next.messages);
    rig.sink.set_property("interim-results", true);
    rig.push(&pcm[to(800)..to(1000)], 100);
    heard.messages.extend(until(&rig, "you").messages);
    rig.sink.set_property("post-tags", false);
    rig.push(&pcm[to(1000)..to(1200)], 100);
    heard.messages.extend(until(&rig, "").messages);
    rig.sink.set_property("post-responses", false);
    rig.push(&pcm[to(1200)..], 100);
    rig.end();
    heard.messages.extend(rig.listen().messages);
    assert_eq!(
        told(&heard),
        ["0 he", "0 Hello..", "1 you", "1 .", "2 world", "2 World.."]
    );
    assert_eq!(heard.tags(), ["Hello."]);
    assert_ends_once(&heard.transcripts());
}
