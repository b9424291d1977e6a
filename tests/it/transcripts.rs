//! Messages and tags for a response: their fields, their order, and the properties that turn them
//! off.

use crate::common::script::*;
use crate::common::*;
use gst::glib;
use gst::prelude::*;
use gst::tags::{CustomTag, Tag};
use serde_json::{Value, json};
use volcasr_loopback::Service;

/// Returns the messages in brief, in their order: `0 text` for an utterance, with a full stop
/// behind final text and a question mark behind unconfirmed text, then `tag text` for its tag.
fn in_brief(log: &BusLog) -> String {
    let brief = |message: &gst::Message| match message.view() {
        gst::MessageView::Element(_) => {
            let t = Transcript::from_message(message)?;
            let end = match (t.is_final, t.unconfirmed) {
                (true, true) => "?",
                (true, false) => ".",
                (false, _) => "",
            };
            Some(format!("{} {}{end}", t.utterance, t.text))
        }
        gst::MessageView::Tag(tag) => {
            assert!(message.src().is_some_and(|src| src.is::<gst::Element>()));
            let tags = tag.tags();
            assert_eq!(tags.n_tags(), 1);
            let text = tags.generic("transcript")?.get::<String>().ok()?;
            Some(format!("tag {text}"))
        }
        gst::MessageView::Eos(_) => Some("eos".to_owned()),
        _ => None,
    };
    let brief: Vec<String> = log.messages.iter().filter_map(brief).collect();
    brief.join(",")
}

/// A sentence that grows and gets final, a word that is withdrawn, and another sentence.
fn conversation() -> Service {
    let done = utterance(true, (80, 420), "Hello.");
    let lists = [
        json!([utterance(false, (100, 200), "he")]),
        json!([utterance(false, (100, 400), "hello")]),
        // Only the times have changed: no message.
        json!([utterance(false, (80, 420), "hello")]),
        json!([done]),
        json!([done, utterance(false, (900, 1000), "you")]),
        json!([done, utterance(true, (900, 1000), "")]),
        json!([done, utterance(false, (1300, 1400), "world")]),
    ];
    let responses = (1..)
        .zip(lists)
        .map(|(n, list)| (n * 200, response(n * 200, list)));
    let responses: Vec<_> = responses.collect();
    let last = json!([done, utterance(true, (1300, 1500), "World.")]);
    scripted(&responses, response(2000, last))
}

/// The JSON of the messages that hold responses, with their sessions.
fn responses(log: &BusLog) -> Vec<(String, u32)> {
    let responses = log.structures("volcasr-response").into_iter();
    let fields = |s: &gst::StructureRef| Some((s.get("json").ok()?, s.get("session").ok()?));
    responses.map(|s| fields(s).expect("its fields")).collect()
}

/// A tag follows the message that it belongs to, and all are there before EOS. The service's own
/// words come as they came, behind what they led to.
#[test]
fn properties_choose_what_is_posted() {
    let all = "0 he,0 hello,0 Hello..,tag Hello.,1 you,1 .,2 world,2 World..,tag World.,eos";
    for (properties, posted, has_responses) in [
        ("", all, false),
        // Only final utterances are posted, and no end of one that was withdrawn.
        (
            "interim-results=false",
            "0 Hello..,tag Hello.,2 World..,tag World.,eos",
            false,
        ),
        (
            "post-tags=false",
            "0 he,0 hello,0 Hello..,1 you,1 .,2 world,2 World..,eos",
            false,
        ),
        ("post-responses=true", all, true),
    ] {
        let service = conversation();
        let log = TestPipeline::at(&service, properties).run(&audio(), 100);
        assert_eq!(in_brief(&log), posted, "{properties}");
        let answers = service.connections()[0].responses.clone();
        assert_eq!(answers.len(), 9, "the ack, seven responses, the final one");
        let sent = answers.iter().map(|answer| (answer.to_string(), 0));
        let sent = sent.filter(|_| has_responses);
        assert_eq!(responses(&log), sent.collect::<Vec<_>>(), "{properties}");
    }
}

/// Waits for the message with this text.
fn until(rig: &TestPipeline, text: &str) -> BusLog {
    rig.listen_for(|t| t.text == text)
}

/// All three work at once, while the pipeline plays.
#[test]
fn they_can_be_turned_on_and_off_while_playing() {
    let service = conversation();
    let mut rig = TestPipeline::at(&service, "");
    let pcm = audio();
    let to = |ms: usize| ms * 48;
    rig.begin(&pcm[..to(200)], 100);
    let mut log = until(&rig, "he");
    rig.sink.set_property("interim-results", false);
    rig.sink.set_property("post-responses", true);
    rig.push(&pcm[to(200)..to(800)], 100);
    let next = until(&rig, "Hello.");
    assert_eq!(
        in_brief(&next),
        "0 Hello..",
        "no interim results in between"
    );
    log.add(next);
    rig.sink.set_property("interim-results", true);
    rig.push(&pcm[to(800)..to(1000)], 100);
    log.add(until(&rig, "you"));
    rig.sink.set_property("post-tags", false);
    rig.push(&pcm[to(1000)..to(1200)], 100);
    log.add(until(&rig, ""));
    rig.sink.set_property("post-responses", false);
    rig.push(&pcm[to(1200)..], 100);
    log.add(rig.end());
    let all = "0 he,0 Hello..,tag Hello.,1 you,1 .,2 world,2 World..,eos";
    assert_eq!(in_brief(&log), all);
    assert_ends_once(&log.transcripts());
}

/// A change of attributes is news; their order is not. Names that GStreamer could not take are left
/// out.
#[test]
fn attributes_are_news() {
    let said = |at, definite, additions: Value| {
        let mut utterance = utterance(definite, (1, 200), "hello");
        utterance["additions"] = additions;
        (at, response(at, json!([utterance])))
    };
    let odd = json!({"speaker_id": "1", "source": "stream",
        "1st": "x", "with space": "x", "é": "x", "": "x"});
    let responses = [
        said(200, false, json!({"source": "stream", "speaker_id": "0"})),
        said(400, false, json!({"speaker_id": "0", "source": "stream"})),
        said(600, false, odd),
    ];
    let (_, last) = said(2000, true, json!({"source": "two_pass"}));
    let service = scripted(&responses, last);
    let log = TestPipeline::new(sink(&service)).run(&audio(), 100);
    let of = |t: &Transcript| {
        let texts = t
            .attributes
            .iter()
            .map(|(name, text)| format!("{name}={text}"));
        texts.collect::<Vec<_>>().join(" ")
    };
    let attributes: Vec<String> = log.transcripts().iter().map(of).collect();
    let streams = ["source=stream speaker_id=0", "source=stream speaker_id=1"];
    assert_eq!(attributes, [&streams[..], &["source=two_pass"]].concat());
}

/// JSON may hold a character that no string of C can: what is said is not lost for it, nor is
/// anything else.
#[test]
fn a_zero_character_ends_nothing() {
    let odd = "a\0b";
    let said = json!([{
        "definite": true, "start_time": 100, "end_time": 900, "text": format!("{odd}, c."),
        "words": [
            {"start_time": 100, "end_time": 180, "text": odd},
            {"start_time": 300, "end_time": 380, "text": "c"},
        ],
        "additions": {"source": "x\0y", "na\0me": "z", "\0": "z"},
    }]);
    let mut last = response(2000, said);
    last["result"]["additions"] = json!({"log_id": odd});
    let service = scripted(&[], last);
    let log = TestPipeline::new(set(sink(&service), "post-responses=true")).run(&audio(), 100);
    log.assert_no_errors("the run");
    let finals = log.finals();
    assert_eq!(finals[0].text, "ab, c.");
    let words = finals[0].words.iter().map(|word| word.text.as_str());
    assert!(words.eq(["ab, ", "c."]), "{finals:?}");
    let attributes = [("source".to_owned(), "xy".to_owned())];
    assert_eq!(finals[0].attributes, attributes.into());
    assert_eq!(log.tags(), ["ab, c."]);
}

/// A tag of the same name that another part of the process has registered.
enum Count {}

impl Tag<'_> for Count {
    type TagType = u32;
    const TAG_NAME: &'static glib::GStr = glib::gstr!("transcript");
}

impl CustomTag<'_> for Count {
    const FLAG: gst::TagFlag = gst::TagFlag::Meta;
    const NICK: &'static glib::GStr = glib::gstr!("transcript");
    const DESCRIPTION: &'static glib::GStr = glib::gstr!("how many there are");
}

/// The words are in the messages all the same; that there are no tags is said once.
#[test]
fn no_tags_and_one_warning() {
    // Alone in its process: the registration lasts as long as the process.
    child::alone(|| {
        gst::init().expect("GStreamer");
        gst::tags::register::<Count>();
        let (_service, mut rig) = TestPipeline::start("");
        let warnings = logged_warnings("volcasrsink");
        let (pcm, marks) = speech(3);
        let log = rig.run(&pcm, 20);
        assert!(log.finals().len() > 1 && log.errors().is_empty());
        log.assert_said(&marks, 0);
        let is_tag = |message: &gst::Message| message.type_() == gst::MessageType::Tag;
        assert!(!log.messages.iter().any(is_tag));
        let warnings = warnings.lock().expect("no panic").clone();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("no tags"), "{warnings:?}");
    });
}
