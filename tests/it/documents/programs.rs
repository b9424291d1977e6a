//! The programs that the pages show: those in Rust and C are compiled, those in Python run.

use std::error::Error;

use gst::prelude::*;
use volcasr_loopback::{Options, Service};

use super::page::{self, Block};
use super::readme::Shell;
use super::{pages, text};
use crate::common::program::{compile_c, python_with_gst};
use crate::common::skip::skip;

/// The programs in Rust, to be compiled.
#[allow(dead_code)]
fn shown(
    message: &gst::Message,
    service_sink: impl Fn() -> gst::Element,
) -> Result<(), Box<dyn Error>> {
    let sink = service_sink();
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
    Ok(())
}

/// The blocks of all pages in a language, with their places.
fn blocks(language: &str) -> Vec<(String, Block)> {
    let mut all = Vec::new();
    for page in pages() {
        let (blocks, _) = page::read(&text(&page));
        let blocks = blocks
            .into_iter()
            .filter(|block| block.language == language);
        all.extend(blocks.map(|block| (format!("{page}:{}", block.line), block)));
    }
    all
}

/// Without spaces, which are rustfmt's to place.
fn squeezed(code: &str) -> String {
    code.split_whitespace().collect()
}

/// They are parts of `shown`.
#[test]
fn programs_in_rust_are_compiled() {
    let source = squeezed(include_str!("programs.rs"));
    for (at, block) in blocks("rust") {
        assert!(source.contains(&squeezed(&block.text)), "{at}");
    }
}

/// Code before and behind the README's program in C.
const C: (&str, &str) = (
    r#"
#include <gst/gst.h>
#include <stdio.h>

static void
on_message (GstMessage * message)
{
"#,
    r#"
}

int
main (void)
{
  GstElement *pipeline;
  GstBus *bus;
  GstMessage *message;
  GstMessageType type;

  gst_init (NULL, NULL);
  pipeline = gst_parse_launch ("filesrc location=talk.wav ! wavparse ! audioconvert ! "
      "audioresample ! volcasrsink", NULL);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  do {
    message = gst_bus_timed_pop (bus, GST_CLOCK_TIME_NONE);
    type = GST_MESSAGE_TYPE (message);
    if (type == GST_MESSAGE_ELEMENT)
      on_message (message);
    gst_message_unref (message);
  } while (type != GST_MESSAGE_EOS && type != GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return 0;
}
"#,
);

/// Other programs than the README's are parts of the example, which `transcribe::` compiles and
/// runs.
#[test]
fn programs_in_c_are_compiled() {
    let all = blocks("c");
    let readme = all.iter().find(|(at, _)| at.starts_with("README.md:"));
    let (at, readme) = readme.expect("a program");
    let shell = Shell::new();
    let source = shell.path("shown.c");
    std::fs::write(&source, format!("{}{}{}", C.0, readme.text, C.1)).expect("a file");
    match compile_c(&source, &shell.path("shown")) {
        Ok(()) => assert!(shell.run("bash", "./shown", at).contains("✓ Good day.")),
        Err(missing) => skip(&missing),
    }
    let compiled = squeezed(&(readme.text.clone() + &text("examples/transcribe.c")));
    for (at, block) in &all {
        assert!(compiled.contains(&squeezed(&block.text)), "{at}");
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

/// Code before and behind each program in Python, and the output that must come.
const PYTHON: [(&str, &str, &str, &str); 8] = [
    (
        "README.md",
        TALK,
        "bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect('message::element', on_message)
loop = GLib.MainLoop()
bus.connect('message::eos', lambda *_: loop.quit())
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)",
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
end = Gst.MessageType.EOS | Gst.MessageType.ERROR
pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, end)
print(pipeline.get_by_name('volcasrsink0').get_property('stats'))
pipeline.set_state(Gst.State.NULL)",
        "utterances=(guint64)1",
    ),
    (
        "docs/applications.md",
        "pipeline = Gst.parse_launch('filesrc location=talk.wav ! wavparse ! \
         audioconvert ! audioresample ! \
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

/// Those of the translations are the same but for their comments.
#[test]
fn programs_in_python_run() {
    let mut all = blocks("python");
    all.retain(|(at, _)| !at.contains("zh-CN"));
    let pages: Vec<&str> = all
        .iter()
        .filter_map(|(at, _)| at.split(':').next())
        .collect();
    assert_eq!(pages, PYTHON.map(|(page, ..)| page));
    if let Err(missing) = python_with_gst() {
        return skip(&missing);
    }
    let shell = Shell::new();
    for ((at, block), (_, before, behind, expected)) in all.iter().zip(PYTHON) {
        let program = format!(
            "import os, sys\nimport gi\ngi.require_version('Gst', '1.0')\n\
             from gi.repository import GLib, Gst\nGst.init(None)\n{before}\n{}\n{behind}\n",
            block.text
        );
        let output = shell.run("/usr/bin/python3", &program, at);
        assert!(output.contains(expected), "{at}: {output}");
    }
}
