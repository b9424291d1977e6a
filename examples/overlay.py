#!/usr/bin/python3
"""Burns captions into a picture, at the time at which they are spoken.

    overlay.py talk.mp4                          a file or a URI, in a window, with its sound
    overlay.py talk.mp4 --output captioned.mkv   into a file: mkv, webm or mp4
    overlay.py                                   camera and microphone, in a window, until Ctrl-C
    overlay.py --output captioned.mkv            the same into a file

Words are known only after they were said. So a file is played twice: first its sound alone, as fast as the service takes
it, which gives the captions; then it is shown with them. A live picture can't be: it is shown --delay seconds late, with what
is known of its words by then. A frame's caption is chosen by the frame's own time in both.

Needs PyGObject with GStreamer's overrides (python3-gi, python3-gst-1.0, gir1.2-gst-plugins-base-1.0), textoverlay
(gstreamer1.0-x), and the plugin where GStreamer finds it (GST_PLUGIN_PATH). Credentials and, if it is not to be the
default, the service's address come from the environment: VOLCENGINE_APP_ID and VOLCENGINE_ACCESS_KEY or
VOLCENGINE_API_KEY, and VOLCASR_URI.
"""

import argparse
import os
import signal
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstPbutils", "1.0")
from gi.repository import GLib, Gst, GstPbutils

try:
    # Newer GLib has it in a namespace of its own.
    gi.require_version("GLibUnix", "2.0")
    from gi.repository import GLibUnix

    unix_signal_add = GLibUnix.signal_add
except (ImportError, ValueError, AttributeError):
    unix_signal_add = GLib.unix_signal_add

# What each kind of file may hold, the best first; the first that is installed is taken.
CONTAINERS = {
    ".mkv": (
        "matroskamux",
        ["x264enc speed-preset=veryfast", "vp8enc deadline=1 cpu-used=8", "theoraenc", "jpegenc"],
        ["opusenc", "vorbisenc", "flacenc"],
    ),
    ".webm": ("webmmux", ["vp8enc deadline=1 cpu-used=8", "vp9enc deadline=1 cpu-used=8"], ["opusenc", "vorbisenc"]),
    ".mp4": (
        "mp4mux",
        ["x264enc speed-preset=veryfast", "openh264enc ! h264parse", "avenc_mpeg4"],
        ["avenc_aac", "fdkaacenc", "voaacenc", "opusenc", "lamemp3enc"],
    ),
}
# A caption stays a little, and is cut into pieces that fit on the screen.
HOLD = Gst.SECOND // 2
LONGEST = 80
# The last words are waited for by the sink itself, six times finish-timeout at most.
PATIENCE = 70
OVERLAY = "textoverlay name=overlay font-desc=\"Sans 20\" valignment=bottom shaded-background=true wait-text=false"


# Of a program that was interrupted.
INTERRUPTED = 130
EXIT_STATUSES = """\
Ctrl-C and SIGTERM end it in good order: the last words still come, and a file can be played as far as it got. A second one
quits at once.

exit status:
    0  the whole input has its captions; or a live picture was ended
    1  failure; standard error says why
    2  the command line can't be used
  130  a file was not played to its end; interrupted before the picture, there is no output, later on it is cut short.
       Or a second Ctrl-C
"""


class Problem(Exception):
    """Something that the user can mend."""


class Interrupted(Exception):
    """Not the end that the input would have had."""


def pieces(transcript):
    """An utterance as captions: (start, end, text), cut between words where it is long."""
    known, start = transcript.has_field("running-time"), None
    if not known or not transcript["text"]:
        return []
    begin = transcript["running-time"]
    end = begin + (transcript["duration"] if transcript.has_field("duration") else 0)
    cut, text = [], ""
    for word in transcript["words"]:
        timed = word.has_field("running-time")
        if timed and len(text) + len(word["text"]) > LONGEST:
            cut.append((start if start is not None else begin, word["running-time"], text.strip()))
            start, text = None, ""
        if timed and start is None:
            start = word["running-time"]
        text += word["text"]
    cut.append((start if start is not None else begin, end, text.strip() or transcript["text"]))
    return cut


class Captions:
    """What was said when. Written by the main loop, read by the thread that draws."""

    def __init__(self):
        self.lock = threading.Lock()
        self.utterances = {}

    def take(self, transcript):
        key = (transcript["stream"], transcript["utterance"])
        with self.lock:
            # It replaces what this utterance said before; an empty one is withdrawn.
            self.utterances[key] = pieces(transcript)

    def at(self, time):
        """The caption of a frame: of those that cover its time, the one that began last."""
        with self.lock:
            spoken = [piece for cut in self.utterances.values() for piece in cut]
        covering = [(start, text) for start, end, text in spoken if start <= time < end + HOLD]
        return max(covering)[1] if covering else ""


class Player:
    """Runs one pipeline to its end."""

    def __init__(self, description, captions, live=False):
        self.captions = captions
        try:
            self.pipeline = Gst.parse_launch(description)
        except GLib.Error as error:
            raise Problem(error.message) from None
        self.loop = GLib.MainLoop()
        self.error = None
        self.quits = False
        self.ending = threading.Event()
        self.words_done = threading.Event()
        # So that the sink's own end is told, not only that of the whole pipeline.
        self.pipeline.set_property("message-forward", True)
        if overlay := self.pipeline.get_by_name("overlay"):
            pad = overlay.get_static_pad("video_sink")
            pad.add_probe(Gst.PadProbeType.BUFFER, self.draw, overlay, live)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)

    def draw(self, pad, info, overlay, live):
        # At the end a live picture's queue is emptied at once, but the last words take a moment.
        if live and self.ending.is_set():
            self.words_done.wait(PATIENCE)
        segment = pad.get_sticky_event(Gst.EventType.SEGMENT, 0).parse_segment()
        time = segment.to_running_time(Gst.Format.TIME, info.get_buffer().pts)
        # `silent` rather than an empty text: that would leave its shade.
        text = self.captions.at(time) if time != Gst.CLOCK_TIME_NONE else ""
        overlay.set_property("silent", not text)
        overlay.set_property("text", GLib.markup_escape_text(text, -1) if text else "")
        return Gst.PadProbeReturn.OK

    def on_message(self, _bus, message):
        structure = message.get_structure()
        if message.type == Gst.MessageType.ELEMENT and structure is not None:
            if structure.get_name() == "volcasr-transcript":
                self.captions.take(structure)
            elif structure.get_name() == "GstBinForwarded":
                inner = structure["message"]
                if inner.type == Gst.MessageType.EOS and inner.src.get_name() == "asr":
                    self.words_done.set()
        elif message.type == Gst.MessageType.WARNING:
            print("warning:", message.parse_warning()[0].message, file=sys.stderr)
        elif message.type == Gst.MessageType.ERROR:
            # The first error is the cause; what follows it are other elements' complaints about it.
            self.error = self.error or message.parse_error()[0].message
            self.loop.quit()
        elif message.type == Gst.MessageType.EOS:
            self.loop.quit()

    def end(self):
        """Ends the stream, not the program: the last words are still to come, and a file is still to be closed."""
        self.ending.set()
        self.pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_REMOVE

    def interrupt(self):
        if self.ending.is_set():
            self.quits = True
            self.loop.quit()
        else:
            self.end()
        return GLib.SOURCE_CONTINUE

    def run(self, seconds=None):
        """To the end, whichever it is; true when nobody has asked for it."""
        sources = [
            unix_signal_add(GLib.PRIORITY_DEFAULT, number, self.interrupt) for number in (signal.SIGINT, signal.SIGTERM)
        ]
        if seconds is not None:
            GLib.timeout_add(int(seconds * 1000), self.end)
        bus = self.pipeline.get_bus()
        if self.pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
            # The element at fault has posted the cause.
            message = bus.pop_filtered(Gst.MessageType.ERROR)
            self.error = message.parse_error()[0].message if message else "the pipeline does not start"
        else:
            self.loop.run()
        self.words_done.set()
        self.pipeline.set_state(Gst.State.NULL)
        bus.remove_signal_watch()
        for source in sources:
            GLib.source_remove(source)
        if self.quits:
            raise Interrupted
        if self.error:
            raise Problem(self.error)
        return not self.ending.is_set()


def installed(description):
    return all(Gst.ElementFactory.find(part.split()[0]) for part in description.split("!"))


def first(candidates, what, suffix):
    for candidate in candidates:
        if installed(candidate):
            return candidate
    names = ", ".join(candidate.split()[0] for candidate in candidates)
    raise Problem(f"no {what} encoder for {suffix} files is installed: one of {names} is needed")


def outputs(path, live):
    """The ends of the two branches, for a picture and for its sound, and what they flow into."""
    if path is None:
        # One hears oneself without it, and with an echo otherwise.
        return "autovideosink", None if live else "autoaudiosink", ""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in CONTAINERS:
        raise Problem(f"{path}: the name must end in one of {', '.join(CONTAINERS)}")
    mux, video, audio = CONTAINERS[suffix]
    if not installed(mux):
        raise Problem(f"{mux} is not installed")
    # The muxer waits for both, and where one of them ends earlier it is told so at the film's end only: until then the
    # other one, which is small by now, has to go somewhere.
    roomy = f"queue max-size-buffers=0 max-size-time=0 max-size-bytes={256 << 20}"
    return (
        f"{first(video, 'video', suffix)} ! {roomy} ! mux.",
        f"{first(audio, 'audio', suffix)} ! {roomy} ! mux.",
        f'{mux} name=mux ! filesink async={"false" if live else "true"} location="{quoted(path)}"',
    )


def quoted(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


def look_into(uri):
    """Whether there are pictures and sound, and how long it is."""
    try:
        info = GstPbutils.Discoverer.new(30 * Gst.SECOND).discover_uri(uri)
    except GLib.Error as error:
        raise Problem(f"{uri}: {error.message}") from None
    return bool(info.get_video_streams()), bool(info.get_audio_streams()), info.get_duration()


def from_file(uri, output):
    video_end, audio_end, mux = outputs(output, live=False)
    has_video, has_audio, duration = look_into(uri)
    if not has_audio:
        raise Problem(f"{uri}: there is no sound in it")
    captions = Captions()
    source = f'uridecodebin uri="{quoted(uri)}"'
    # Interim words would be overwritten anyway.
    words = Player(f"{source} ! audioconvert ! audioresample ! volcasrsink name=asr sync=false interim-results=false", captions)
    if not words.run():
        raise Interrupted
    picture = "d. ! videoconvert"
    if not has_video:
        frames = max(1, duration * 25 // Gst.SECOND)
        picture = f"videotestsrc pattern=black num-buffers={frames} ! video/x-raw,width=640,height=360,framerate=25/1"
    film = Player(
        f"{source} name=d {mux} {picture} ! queue ! {OVERLAY} ! videoconvert ! {video_end} "
        f"d. ! audioconvert ! audioresample ! queue ! {audio_end}",
        captions,
    )
    if not film.run():
        raise Interrupted


def from_life(output, delay, test, seconds):
    video_end, audio_end, mux = outputs(output, live=True)
    video, audio = "autovideosrc", "autoaudiosrc"
    if test:
        video = (
            "videotestsrc is-live=true pattern=solid-color foreground-color=0xff203040 ! "
            "video/x-raw,width=640,height=360,framerate=25/1"
        )
        audio = "audiotestsrc is-live=true wave=ticks"
    # The queue tells the pipeline its delay, so the frames are not late; sync=false, or the words would be as late as they.
    # async=false: no sink waits to begin for another, which gets its first frame only after the delay.
    late = f"queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 min-threshold-time={int(delay * Gst.SECOND)}"
    sound = f"sound. ! {late} ! audioconvert ! audioresample ! {audio_end}" if audio_end else ""
    Player(
        f"{mux} {video} ! {late} ! videoconvert ! {OVERLAY} ! videoconvert ! {video_end} "
        f"{audio} ! tee name=sound sound. ! queue ! audioconvert ! audioresample ! volcasrsink name=asr sync=false async=false {sound}",
        Captions(),
        live=True,
    ).run(seconds)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXIT_STATUSES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", nargs="?", help="a file or a URI; without it: camera and microphone")
    parser.add_argument("--output", metavar="FILE", help="write a file (.mkv, .webm or .mp4) instead of opening a window")
    parser.add_argument("--delay", type=float, default=3, metavar="SECONDS", help="how late a live picture is shown (default: 3)")
    parser.add_argument("--test", action="store_true", help="a test picture and ticks instead of camera and microphone")
    parser.add_argument("--seconds", type=float, help="end a live picture after so long, instead of by Ctrl-C")
    arguments = parser.parse_args()
    if arguments.delay < 0 or (arguments.seconds is not None and arguments.seconds <= 0):
        parser.error("times must not be negative")

    Gst.init(None)
    try:
        for element, package in (("volcasrsink", "set GST_PLUGIN_PATH"), ("textoverlay", "Debian, Ubuntu: gstreamer1.0-x")):
            if Gst.ElementFactory.find(element) is None:
                raise Problem(f'GStreamer has no element "{element}" ({package})')
        if arguments.input is None:
            from_life(arguments.output, arguments.delay, arguments.test, arguments.seconds)
        else:
            uri = arguments.input
            if not Gst.uri_is_valid(uri):
                if not os.path.isfile(uri):
                    raise Problem(f"no such file: {uri}")
                uri = Gst.filename_to_uri(uri)
            from_file(uri, arguments.output)
    except (Interrupted, KeyboardInterrupt):
        return INTERRUPTED
    except Problem as problem:
        print("error:", problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
