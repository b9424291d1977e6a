#!/usr/bin/python3
"""Makes the pictures of the pages from real runs: docs/captions.svg, docs/overlay.png and
docs/transcriber.png.

    scripts/picture.py [--build DIRECTORY]

A service on 127.0.0.1 recognises recorded speech with pocketsphinx. docs/captions.svg is the
terminal of `volcasr captions` while it listens; docs/overlay.png is a frame of a video with the
captions of `volcasrtranscriber`, made by gst-launch-1.0 alone. docs/transcriber.png has a frame in
Chinese below it, whose words the service has from a script. Build `volcasr` and the plugin first;
--build names their directory, target/release by default. Needs gst-launch-1.0 with its base and
good plugins, textoverlay (gstreamer1.0-x), rsvgdec (gstreamer1.0-plugins-bad), a font for Chinese
(fonts-noto-cjk), and pocketsphinx with its test data.
"""

import argparse
import fcntl
import html
import json
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPEECH = "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb"
SENTENCES = ["0930", "0920", "0870"]
CHINESE = "今天的雨已经停了，往北的路又通了，大家可以放心出门。"
COLUMNS, ROWS = 80, 12
# Upper bound on each run of a program, in seconds.
TIMEOUT = 90


def launch(*words, environment=None):
    command = ["gst-launch-1.0", "-q", *" ".join(words).split()]
    subprocess.run(command, env=environment, check=True, timeout=TIMEOUT)


class Service:
    """The loopback service, and the environment of its clients."""

    def __init__(self, build, *recogniser):
        command = [build / "volcasr", "serve", "--recogniser", *recogniser]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "VOLCENGINE_API_KEY"},
            "VOLCASR_URI": self.process.stdout.readline().strip(),
            "VOLCENGINE_APP_ID": "app-1",
            "VOLCENGINE_ACCESS_KEY": "secret-access-key",
            "GST_PLUGIN_PATH": str(build),
            "TERM": "xterm-256color",
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Screen:
    """A terminal, as far as the program uses one: rows of (character, style)."""

    SEQUENCE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])")

    def __init__(self):
        self.rows, self.row, self.column, self.style = [[]], 0, 0, ""

    def feed(self, text):
        at = 0
        while at < len(text):
            sequence = self.SEQUENCE.match(text, at)
            if sequence:
                self.control(sequence[1], sequence[2])
                at = sequence.end()
                continue
            self.put(text[at])
            at += 1

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.down()
        elif character >= " ":
            if self.column == COLUMNS:
                self.column = 0
                self.down()
            row = self.rows[self.row]
            row.extend([(" ", "")] * (self.column + 1 - len(row)))
            row[self.column] = (character, self.style)
            self.column += 1

    def down(self):
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append([])

    def control(self, parameters, final):
        number = int(parameters) if parameters.isdigit() else 0
        if final == "A":
            self.row = max(0, self.row - max(1, number))
        elif final in "JK":
            del self.rows[self.row][self.column :]
            if final == "J":
                del self.rows[self.row + 1 :]
        elif final == "m":
            self.style = "" if number == 0 else parameters

    def lines(self):
        """The visible rows, as copies."""
        return [list(row) for row in self.rows[-ROWS:]]


def watch(command, environment):
    """Runs a program on a terminal; yields the screen after each of its writes."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(command[0], command, environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    screen, rest, end = Screen(), b"", time.monotonic() + TIMEOUT
    while time.monotonic() < end and select.select([terminal], [], [], 5)[0]:
        try:
            rest += os.read(terminal, 65536)
        except OSError:
            break
        try:
            text, rest = rest.decode(), b""
        except UnicodeDecodeError:
            continue
        screen.feed(text)
        yield screen.lines()
    os.close(terminal)
    os.waitpid(child, 0)


def best(screens):
    """The screen with the most finished lines that still has interim text, the longest of those."""

    def worth(lines):
        interim = sum(style == "2" for row in lines for _, style in row)
        return (sum(bool(row) for row in lines), interim) if interim else (0, 0)

    return max(screens, key=worth)


def runs(row):
    """A row's pieces of one style each, with their columns."""
    start = 0
    for at in range(1, len(row) + 1):
        if at == len(row) or row[at][1] != row[start][1]:
            yield start, row[start][1], "".join(character for character, _ in row[start:at])
            start = at


def svg(command, lines):
    wide, high, left, top = 8.4, 19, 18, 62
    width, height = 2 * left + COLUMNS * wide, top + (len(lines) + 1) * high + 6
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<title>{html.escape(command)}, in a terminal</title>",
        '<rect width="100%" height="100%" rx="9" fill="#16181d"/>',
        *(
            f'<circle cx="{20 + 20 * n}" cy="19" r="6" fill="{colour}"/>'
            for n, colour in enumerate(["#ec6a5e", "#f4bf4f", "#61c554"])
        ),
        '<g font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="14"'
        ' fill="#e8e8e8" xml:space="preserve">',
        f'<text x="{left}" y="{top - high * 0.2:.0f}"><tspan fill="#61c554">$</tspan>'
        f" {html.escape(command)}</text>",
    ]
    for number, row in enumerate(lines, 1):
        for column, style, text in runs(row):
            if text.strip():
                colour = {"2": "#8b919c", "": "#e8e8e8"}.get(style, "#7fb4e8")
                out.append(
                    f'<text x="{left + column * wide:.1f}" y="{top + number * high}"'
                    f' textLength="{len(text) * wide:.1f}" fill="{colour}">'
                    f"{html.escape(text)}</text>"
                )
    return "\n".join([*out, "</g>", "</svg>", ""])


def terminal(service, build, scratch):
    talk = scratch / "talk.wav"
    pause = "audiotestsrc wave=silence num-buffers=16 samplesperbuffer=1600"
    pieces = [
        f"filesrc location={SPEECH}-{sentence}.wav ! wavparse ! c. {pause} ! "
        "audio/x-raw,format=S16LE,rate=16000,channels=1 ! c."
        for sentence in SENTENCES
    ]
    launch(f"concat name=c ! wavenc ! filesink location={talk}", *pieces)
    command = [str(build / "volcasr"), "captions", str(talk), "--realtime"]
    lines = best(watch(command, service.environment))
    (ROOT / "docs/captions.svg").write_text(svg("volcasr captions talk.wav --realtime", lines))


def frame(service, scratch, speech):
    """A frame with the captions of speech, as gst-launch-1.0 makes it."""
    picture = f"filesrc location={ROOT}/scripts/scene.svg ! rsvgdec ! imagefreeze num-buffers=40"
    launch(
        f"{picture} ! video/x-raw,framerate=10/1 ! videoconvert ! queue !",
        "textoverlay name=o font-desc=Sans,18 shaded-background=true ! videoconvert ! videorate !",
        "video/x-raw,framerate=1/1 ! pngenc compression-level=9 !",
        f"multifilesink location={scratch}/frame-%d.png",
        f"{speech} ! audioconvert ! audioresample ! volcasrtranscriber grouping=cue ! o.text_sink",
        environment=service.environment,
    )
    return (scratch / "frame-2.png").rename(scratch / f"{time.monotonic_ns()}.png")


def script(scratch):
    """What the service says of any audio: a sentence in Chinese."""
    said = {"definite": True, "start_time": 200, "end_time": 3600, "text": CHINESE}
    last = {"audio_info": {"duration": 4000}, "result": {"utterances": [said]}}
    path = scratch / "script.json"
    path.write_text(json.dumps({"steps": [{"at": "finish", "last": last}]}))
    return path


def frames(build, service, scratch):
    silence = "audiotestsrc wave=silence num-buffers=40 samplesperbuffer=1600"
    silence += " ! audio/x-raw,rate=16000"
    english = frame(service, scratch, f"filesrc location={SPEECH}-0930.wav ! wavparse")
    with Service(build, "scripted", "--script", script(scratch)) as scripted:
        chinese = frame(scripted, scratch, silence)
    (ROOT / "docs/overlay.png").write_bytes(english.read_bytes())
    launch(
        "compositor name=c sink_1::ypos=360 ! videoconvert ! video/x-raw,format=RGB !",
        f"pngenc compression-level=9 snapshot=true ! filesink location={ROOT}/docs/transcriber.png",
        *(f"filesrc location={file} ! pngdec ! videoconvert ! c." for file in (english, chinese)),
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "target/release")
    build = parser.parse_args().build.resolve()
    if not (build / "volcasr").exists():
        sys.exit(f"{build}/volcasr is missing: build it first")
    with tempfile.TemporaryDirectory() as scratch, Service(build, "pocketsphinx") as service:
        terminal(service, build, pathlib.Path(scratch))
        frames(build, service, pathlib.Path(scratch))


main()
