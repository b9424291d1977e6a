#!/usr/bin/env python3
"""Prints what is said: interim words rewritten in place, final ones kept.

    transcribe.py                       the default microphone, until Ctrl-C
    transcribe.py talk.mp3              a file, or a URI
    transcribe.py audiotestsrc ! ...    any piece of a launch line that gives audio

Needs PyGObject with GStreamer's overrides (python3-gi, python3-gst-1.0), and the plugin where
GStreamer finds it (GST_PLUGIN_PATH). The environment gives credentials (VOLCENGINE_APP_ID and
VOLCENGINE_ACCESS_KEY, or VOLCENGINE_API_KEY) and, unless it is the default, the service's address
(VOLCASR_URI).
"""

import os
import signal
import sys
import unicodedata

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

try:
    # Newer GLib has it in a namespace of its own.
    gi.require_version("GLibUnix", "2.0")
    from gi.repository import GLibUnix

    unix_signal_add = GLibUnix.signal_add
except (ImportError, ValueError, AttributeError):
    unix_signal_add = GLib.unix_signal_add


def source(args):
    """The part of the pipeline before the conversion."""
    if not args:
        return "autoaudiosrc"
    if len(args) == 1 and Gst.uri_is_valid(args[0]):
        return f'uridecodebin uri="{args[0]}"'
    if len(args) == 1 and os.path.isfile(args[0]):
        return f'uridecodebin uri="{Gst.filename_to_uri(args[0])}"'
    if len(args) == 1 and len(args[0].split()) == 1 and Gst.ElementFactory.find(args[0]) is None:
        raise FileNotFoundError(f"no such file, nor an element of that name: {args[0]}")
    return " ".join(args)


def tail(text, columns):
    """The end of a text, as much as fits: what is wider than a line can't be erased as one."""
    for start in range(len(text), 0, -1):
        # A Chinese character takes two columns.
        columns -= 2 if unicodedata.east_asian_width(text[start - 1]) in "WF" else 1
        if columns < 0:
            return text[start:]
    return text


def show(transcript):
    """One transcript message. An interim one is replaced by the next; a final one stays."""
    text, final = transcript["text"], transcript["final"]
    terminal = sys.stdout.isatty()
    if terminal:
        # Back to the line's start, and erase it: an interim text can be shorter than the last.
        print("\r\x1b[K", end="")
    if final and text:
        print(text)
    elif not final and terminal:
        print(f"\x1b[2m{tail(text, os.get_terminal_size().columns - 1)}\x1b[0m", end="")
    sys.stdout.flush()


def main():
    args = sys.argv[1:]
    if args in (["-h"], ["--help"]):
        print(__doc__)
        return 0

    Gst.init(None)
    try:
        pipeline = Gst.parse_launch(f"{source(args)} ! audioconvert ! audioresample ! volcasrsink")
    except (FileNotFoundError, GLib.Error) as error:
        print("error:", getattr(error, "message", error), file=sys.stderr)
        return 1

    loop = GLib.MainLoop()
    errors = []

    def on_message(_bus, message):
        if message.type == Gst.MessageType.ELEMENT:
            structure = message.get_structure()
            if structure is not None and structure.get_name() == "volcasr-transcript":
                show(structure)
        elif message.type == Gst.MessageType.WARNING:
            print("warning:", message.parse_warning()[0].message, file=sys.stderr)
        elif message.type == Gst.MessageType.ERROR:
            # The first error is the cause; other elements' errors only follow from it.
            errors.append(message.parse_error()[0].message)
            loop.quit()
        elif message.type == Gst.MessageType.EOS:
            loop.quit()

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message)

    def on_interrupt():
        # Ctrl-C ends the stream, not the program: the last words are still to come. A second one
        # ends the program, since the handler is removed.
        pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_REMOVE

    unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, on_interrupt)

    if pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
        # The element at fault has posted the cause.
        message = bus.pop_filtered(Gst.MessageType.ERROR)
        errors.append(
            message.parse_error()[0].message if message else "the pipeline does not start"
        )
    else:
        loop.run()
    pipeline.set_state(Gst.State.NULL)
    if errors:
        print("error:", errors[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
