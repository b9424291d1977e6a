#!/usr/bin/env python3
"""Shows that transcriberbin takes volcasrtranscriber: words, closed captions, and an error.

    transcriberbin.py RECORDING

It needs the plugins rsclosedcaption (0.15) and rstextwrap, GStreamer 1.24 or later, and a service
in the environment: `scripts/matrix transcriberbin` sees to all of that. Ends with 0 if all came.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

# Longer than the recording, its latencies and a slow machine take.
DEADLINE_S = 90

LAUNCH = """
    transcriberbin name=bin mux-method=cea708 latency=4000
        cc-caps="closedcaption/x-cea-708,format=cc_data"
    videotestsrc name=video ! video/x-raw,width=320,height=240,framerate=30/1 ! bin.sink_video
    filesrc location="{recording}" ! wavparse ! audioconvert ! audioresample
        ! audio/x-raw,rate=48000 ! bin.sink_audio
    bin.src_audio ! queue ! fakesink name=audio signal-handoffs=true sync=true
    bin.src_video ! queue ! ccextractor name=extract ! queue ! fakesink name=picture sync=true
    extract.caption ! queue ! tee name=captions
    captions. ! queue ! appsink name=cea708 emit-signals=true sync=false async=false
    captions. ! queue ! ccconverter ! closedcaption/x-cea-608,format=raw
        ! cea608tott ! appsink name=cea608 emit-signals=true sync=false async=false
"""


class Run:
    """One run of the pipeline, and what came of it."""

    def __init__(self, recording, **properties):
        self.subtitles = []
        self.captions = []
        self.caption_caps = ""
        self.audio_buffers = 0
        self.warnings = []
        self.audio_after_warning = 0
        self.pipeline = Gst.parse_launch(LAUNCH.format(recording=recording))
        self.transcriber = Gst.ElementFactory.make("volcasrtranscriber")
        for name, value in properties.items():
            self.transcriber.set_property(name, value)
        self.bin = self.pipeline.get_by_name("bin")
        pad = self.bin.get_static_pad("sink_audio")
        pad.set_property("transcriber", self.transcriber)
        languages = Gst.Structure.new_from_string("languages, transcript=(string)identity;")
        pad.set_property("subtitle-languages", languages)
        # The picture ends about when the sound does, with time for the last words.
        self.pipeline.get_by_name("video").set_property("num-buffers", 30 * 12)
        self.pipeline.get_by_name("audio").connect("handoff", self.on_audio)
        self.pipeline.get_by_name("cea708").connect("new-sample", self.on_cea708)
        self.pipeline.get_by_name("cea608").connect("new-sample", self.on_cea608)
        self.bin.connect("pad-added", self.on_pad)
        for pad in self.bin.pads:
            self.on_pad(self.bin, pad)
        self.loop = GLib.MainLoop()
        self.failure = None
        # Without captions not every sink sees an end: sound and picture do.
        self.playing = {"audio", "picture"}
        for name in sorted(self.playing):
            sink = self.pipeline.get_by_name(name).get_static_pad("sink")
            sink.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self.on_event, name)

    def on_pad(self, _bin, pad):
        """Links the subtitles; other new pads stay as they are."""
        if pad.get_name() != "src_subtitle_transcript" or pad.is_linked():
            return
        sink = Gst.ElementFactory.make("appsink")
        for name, value in {"emit-signals": True, "sync": False, "async": False}.items():
            sink.set_property(name, value)
        sink.connect("new-sample", self.on_subtitle)
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def on_audio(self, _sink, _buffer, _pad):
        self.audio_buffers += 1
        if self.warnings:
            self.audio_after_warning += 1

    def on_event(self, _pad, info, name):
        if info.get_event().type == Gst.EventType.EOS:
            self.playing.discard(name)
        return Gst.PadProbeReturn.OK

    def on_subtitle(self, sink):
        self.subtitles.append(text(sink.emit("pull-sample")))
        return Gst.FlowReturn.OK

    def on_cea708(self, sink):
        self.caption_caps = sink.emit("pull-sample").get_caps().to_string()
        return Gst.FlowReturn.OK

    def on_cea608(self, sink):
        self.captions.append(text(sink.emit("pull-sample")))
        return Gst.FlowReturn.OK

    def on_message(self, _bus, message):
        if message.type == Gst.MessageType.WARNING:
            details = message.parse_warning_details()
            if details is not None and details.get_name() == "volcasr-error":
                self.warnings.append((message.parse_warning()[0].message, details.to_string()))
        elif message.type == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            self.failure = f"{message.src.get_path_string()}: {error.message} ({debug})"
            self.loop.quit()
        elif message.type == Gst.MessageType.EOS:
            self.loop.quit()

    def play(self):
        """Plays it to its end, and gives itself back."""
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)
        self.pipeline.set_state(Gst.State.PLAYING)
        deadline = GLib.timeout_add_seconds(DEADLINE_S, self.on_deadline)
        over = GLib.timeout_add(200, self.on_look)
        self.loop.run()
        for source in (deadline, over):
            GLib.source_remove(source)
        self.pipeline.set_state(Gst.State.NULL)
        return self

    def on_look(self):
        """Ends a run that goes on without captions, which has no EOS of its own."""
        if not self.playing and self.audio_after_warning:
            self.loop.quit()
        return True

    def on_deadline(self):
        self.failure = f"no end within {DEADLINE_S} s"
        self.loop.quit()
        return True


def text(sample):
    buffer = sample.get_buffer()
    return buffer.extract_dup(0, buffer.get_size()).decode("utf-8", "replace").strip("\0 \n")


def check(what, holds, shown):
    print(f"{'ok' if holds else 'FAILED'}: {what}: {shown}")
    return holds


def stand_in():
    """Gives transcriberbin the default transcriber without which 0.15.4 comes up unusable."""
    if Gst.ElementFactory.find("awstranscriber") is None:
        ours = Gst.ElementFactory.find("volcasrtranscriber").load().get_element_type()
        Gst.Element.register(None, "awstranscriber", Gst.Rank.NONE, ours)


def main(recording):
    Gst.init(None)
    stand_in()
    words = Run(recording).play()
    spoken = " ".join(word for word in words.subtitles if word)
    seen = " ".join(words.captions)
    refused = Run(recording, **{"access-key": "wrong"}).play()
    return all(
        [
            check("it played to its end", words.failure is None, words.failure),
            check("words in src_subtitle_transcript", len(spoken.split()) > 3, spoken),
            check("captions in the video", "x-cea-708" in words.caption_caps, words.caption_caps),
            check("words in the captions", len(seen.split()) > 3, seen),
            check("a refusal is no end", refused.failure is None, refused.failure),
            check("but a warning, with our details", bool(refused.warnings), refused.warnings),
            check("the sound goes on", refused.audio_after_warning > 10, refused.audio_buffers),
        ]
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(not main(sys.argv[1]))
