//! Programs, output and options that the pages show: they are what the project really says and takes.

use std::error::Error;
use std::time::Duration;

use gst::prelude::*;
use serde_json::json;
use volcasr_loopback::{At, Options, Recogniser, Script, Send, Service};

use crate::common::program::python_with_gst;
use crate::common::skip::skip;
use crate::documents::page::{self, Block};
use crate::documents::shell::Shell;
use crate::documents::{PAGES, text};

/// What stands in the pages, to be compiled: between the lines that name a page and the next one.
#[allow(dead_code)]
fn shown(
    message: &gst::Message,
    service_sink: impl Fn() -> gst::Element,
) -> Result<(), Box<dyn Error>> {
    let sink = service_sink();
    // README.md
    if let Some(transcript) = gstvolcasr::Transcript::from_message(message) {
        println!(
            "{} {}",
            if transcript.is_final { "✓" } else { "…" },
            transcript.text
        );
    }
    // docs/applications.md
    if let Some(transcript) = gstvolcasr::Transcript::from_message(message) {
        let mark = if transcript.is_final { "✓" } else { "…" };
        println!("{mark} {}", transcript.text);
    }
    // docs/pipelines.md
    sink.emit_by_name::<()>("finish", &[]);
    // docs/presets.md
    let sink = gst::ElementFactory::make("volcasrsink").build()?;
    let preset = sink
        .dynamic_cast_ref::<gst::Preset>()
        .expect("volcasrsink has presets");
    preset.load_preset("captions")?;
    sink.set_property("end-window-size", 500u32);
    // -
    let sink = service_sink();
    // docs/loopback.md
    let service = Service::start(Options {
        faults: vec!["reset@3s".parse()?],
        ..Options::default()
    })?;
    sink.set_property("uri", service.uri());
    // -
    Ok(())
}

fn blocks(page: &str, language: &str) -> Vec<Block> {
    let (mut blocks, _) = page::read(&text(page));
    blocks.retain(|block| block.language == language);
    blocks
}

/// Without the spaces, which are rustfmt's to place.
fn squeezed(code: &str) -> String {
    code.split_whitespace().collect()
}

#[test]
fn programs_in_rust_are_compiled() {
    let source = include_str!("snippets.rs");
    for page in PAGES {
        for block in blocks(page, "rust") {
            let from = source.split(&format!("    // {page}\n")).nth(1);
            let code = from.and_then(|from| from.split("\n    // ").next());
            assert_eq!(
                code.map(squeezed),
                Some(squeezed(&block.text)),
                "{page}:{}",
                block.line
            );
        }
    }
}

/// A pipeline, for the programs in Python that read a bus.
const TALK: &str = "pipeline = Gst.parse_launch(
    'filesrc location=talk.wav ! wavparse ! audioconvert ! audioresample ! volcasrsink')";

/// The pipeline's run to its end.
const LOOP: &str = "loop = GLib.MainLoop()
bus.connect('message::eos', lambda *_: loop.quit())
bus.connect('message::error', lambda *_: loop.quit())
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)";

/// What stands before and behind each program in Python, and what it must say.
const PYTHON: [(&str, &str, &str, &str); 8] = [
    (
        "README.md",
        TALK,
        LOOP,
        "✓ Good day.",
    ),
    ("docs/applications.md", TALK, LOOP, "✓ Good day."),
    (
        "docs/applications.md",
        "import threading",
        "stream = open('talk.wav', 'rb')
stream.read(44)
threading.Thread(target=feed, args=[stream]).start()
pipeline.set_state(Gst.State.PLAYING)
pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
print(pipeline.get_by_name('volcasrsink0').get_property('stats'))
pipeline.set_state(Gst.State.NULL)",
        "utterances=(guint64)1",
    ),
    (
        "docs/applications.md",
        "pipeline = Gst.parse_launch('filesrc location=talk.wav ! wavparse ! audioconvert ! audioresample ! \
         opusenc ! rtpopuspay ! identity name=webrtc')
webrtc = pipeline.get_by_name('webrtc')",
        "on_pad_added(webrtc, webrtc.get_static_pad('src'))
pipeline.set_state(Gst.State.PLAYING)
end = Gst.MessageType.EOS | Gst.MessageType.ERROR
said = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, end | Gst.MessageType.TAG)
while said.type == Gst.MessageType.TAG and 'transcript' not in said.parse_tag().to_string():
    said = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, end | Gst.MessageType.TAG)
print(said.get_structure().to_string())
pipeline.set_state(Gst.State.NULL)",
        "Good",
    ),
    (
        "docs/messages.md",
        "transcript = Gst.Structure.new_from_string(
    'volcasr-transcript, attributes=(structure)[attributes, speaker_id=(string)2]')
message = Gst.Message.new_application(None, transcript)",
        "print('speaker', speaker)",
        "speaker 2",
    ),
    (
        "docs/pipelines.md",
        "sink = Gst.ElementFactory.make('volcasrsink')",
        "print('emitted')",
        "emitted",
    ),
    (
        "docs/pipelines.md",
        "pipeline = Gst.parse_launch('filesrc location=talk.wav ! wavparse ! volcasrsink')",
        "print(event.has_name('volcasr/finish'))",
        "True",
    ),
    (
        "docs/presets.md",
        "",
        "print(sink.get_property('end-window-size'), sink.get_property('chunk-duration'))",
        "500 100",
    ),
];

#[test]
fn programs_in_python_run() {
    let all: Vec<_> = PAGES
        .iter()
        .flat_map(|page| {
            blocks(page, "python")
                .into_iter()
                .map(|block| (*page, block))
        })
        .collect();
    assert_eq!(
        all.iter().map(|(page, _)| *page).collect::<Vec<_>>(),
        PYTHON.map(|(page, ..)| page)
    );
    if let Err(missing) = python_with_gst() {
        return skip(&missing);
    }
    for ((page, block), (_, before, behind, expected)) in all.iter().zip(PYTHON) {
        let shell = Shell::new(&format!("python-{page}"));
        let program = format!(
            "import os, sys\nimport gi\ngi.require_version('Gst', '1.0')\nfrom gi.repository import GLib, Gst\nGst.init(None)\n\
             {before}\n{}\n{behind}\n",
            block.text
        );
        let said = shell.python(&program, block.line);
        assert!(said.contains(expected), "{page}:{}: {said}", block.line);
    }
}

/// They are parts of the example, which tests/transcribe.rs compiles and runs.
#[test]
fn programs_in_c_are_parts_of_the_example() {
    let example = squeezed(&text("examples/transcribe.c"));
    for page in PAGES {
        for block in blocks(page, "c") {
            let found = example.contains(&squeezed(&block.text));
            assert!(found, "{page}:{}", block.line);
        }
    }
}

/// A line of the log without what differs from run to run: numbers, ids, addresses, what was said.
fn shape(line: &str) -> Option<String> {
    let level = ["INFO", "DEBUG", "WARN"]
        .into_iter()
        .find(|level| line.split_whitespace().any(|word| word == *level))?;
    let (_, rest) = line.split_once("<volcasrsink0> ")?;
    let mut quoted = rest.split('"');
    let unquoted: Vec<&str> = quoted.by_ref().step_by(2).collect();
    let words = unquoted.join("Q");
    let words: Vec<&str> = words
        .split_whitespace()
        .map(
            |word| match word.contains("://") || word.contains(|c: char| c.is_ascii_digit()) {
                true => "#",
                false => word,
            },
        )
        .collect();
    Some(format!("{level} {}", words.join(" ")))
}

/// Each line of the log that docs/pipelines.md shows comes when a connection is lost and restored.
#[test]
fn the_log_is_as_shown() {
    let utterance = |definite| {
        json!({"audio_info": {"duration": 600}, "result": {"utterances": [
            {"definite": definite, "start_time": 100, "end_time": 500, "text": "Good day."}]}})
        .to_string()
    };
    let script = Script::default()
        .step(
            At::Audio(Duration::from_millis(600)),
            Send::Json(utterance(false)),
        )
        .step(At::Finish, Send::Last(utterance(true)));
    let service = Service::start(Options {
        recogniser: Recogniser::Scripted(script),
        faults: vec!["reset@1s".parse().expect("a fault")],
        ..Options::default()
    });
    let mut shell = Shell::new("log");
    let story = "GST_DEBUG=volcasrsink:5 gst-launch-1.0";
    let mut block = blocks("docs/pipelines.md", "sh")
        .into_iter()
        .find(|block| block.text.starts_with(story))
        .expect("the command");
    block.text = format!(
        "unset VOLCENGINE_APP_ID VOLCENGINE_ACCESS_KEY\nexport VOLCENGINE_API_KEY=secret-api-key\n{}",
        block.text
    );
    let said = shell.against(service.expect("a free port"), &block);
    let lines: Vec<String> = said.lines().filter_map(shape).collect();
    let sample = &blocks("docs/pipelines.md", "text")[0].text;
    for line in sample.lines() {
        let line = line.split('…').next().unwrap_or(line);
        let shape = shape(line).unwrap_or_else(|| panic!("{line}"));
        assert!(
            lines.iter().any(|said| said.starts_with(&shape)),
            "{shape}: {lines:#?}"
        );
    }
}

/// What docs/loopback.md promises: a warning, and no word missing or twice.
pub fn assert_every_mark_once(at: &str, said: &str) {
    assert!(
        said.contains("volcasr-reconnect"),
        "{at}: no warning\n{said}"
    );
    let finals = said
        .lines()
        .filter(|line| line.contains("volcasr-transcript") && line.contains("final=(boolean)true"));
    let texts =
        finals.filter_map(|line| line.split("text=(string)").nth(1)?.split(", final=").next());
    let marks: Vec<usize> = texts
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()))
        .filter_map(|word| word.trim_start_matches(['M', 'm']).parse().ok())
        .collect();
    assert!(marks.len() > 5, "{at}: {said}");
    assert_eq!(marks, (0..marks.len()).collect::<Vec<_>>(), "{at}: {said}");
}

/// The options in its tables are ones that the service takes.
#[test]
fn the_service_takes_what_its_page_shows() {
    let page = text("docs/loopback.md");
    let mut count = 0;
    for row in page.lines().filter(|line| line.starts_with('|')) {
        for code in row.split('`').skip(1).step_by(2) {
            let options = match code.split_once(' ') {
                Some((option, value)) if option.starts_with("--") && value != "SECONDS" => {
                    vec![option, value.trim_matches('\'')]
                }
                None if [
                    "refuse-24000",
                    "misread-24000",
                    "out-of-order",
                    "text-only",
                    "text-resets",
                    "blank",
                    "empty-definite",
                    "late-ack",
                    "result-list",
                ]
                .contains(&code) =>
                {
                    vec!["--oddity", code]
                }
                _ => continue,
            };
            count += 1;
            if let Err(error) = volcasr_loopback::cli::parse(&options) {
                panic!("{options:?}: {error}");
            }
        }
    }
    assert!(count > 20, "{count}");
}
