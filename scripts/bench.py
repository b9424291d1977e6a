#!/usr/bin/env python3
"""What the sink costs, beside what others cost, in one run: prints a table, draws curves into target/.

Builds nothing: `make bench` does. Everything is measured on this machine, against the loopback service in a process of
its own. BENCH_SESSIONS (default "1 10 100 300 1000") and BENCH_SECONDS (default 10) size the curve; BENCH_BASELINE is a
command that sends an hour of the same audio by other means, with {port} and {pcm} filled in, to compare with.
"""
import glob
import json
import os
import re
import resource
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time

TARGET = os.environ.get("CARGO_TARGET_DIR", "target")
RELEASE = os.path.join(TARGET, "release")
HOUR = 3600
RATE = 24000
SPEECH = "/usr/share/pocketsphinx/test/data/librivox/*.wav"
PARSE = "rawaudioparse use-sink-caps=false format=pcm pcm-format=s16le sample-rate=24000 num-channels=1"
ENVIRONMENT = dict(
    os.environ,
    GST_PLUGIN_PATH=os.path.abspath(RELEASE),
    VOLCENGINE_APP_ID="app-1",
    VOLCENGINE_ACCESS_KEY="secret-access-key",
)
rows = []


def row(what, measured, beside, ratio, goal):
    rows.append((what, measured, beside, ratio, goal))
    print(f"{what:<44} {measured:>16} {beside:>26} {ratio:>10} {goal:>14}", flush=True)


class Service:
    """The loopback service, in a process of its own."""

    def __init__(self, *options):
        program = os.path.join(RELEASE, "examples", "loopback")
        self.process = subprocess.Popen(
            [program, "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.uri = self.process.stdout.readline().strip()
        self.port = int(re.search(r":(\d+)/", self.uri).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def cpu(command):
    """User and system seconds of a command, and how long it took."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - began


def best(command, times=3):
    return min(cpu(command)[0] for _ in range(times))


def speech(path):
    """An hour of human speech at 24 kHz: recordings, resampled by GStreamer, over and over."""
    pieces = []
    for name in sorted(glob.glob(SPEECH)):
        line = f"filesrc location={name} ! wavparse ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate={RATE},channels=1 ! fdsink"
        pieces.append(subprocess.run(["gst-launch-1.0", "-q", *shlex.split(line)], check=True, capture_output=True).stdout)
    once = b"".join(pieces)
    if not once:
        sys.exit(f"bench: no recordings at {SPEECH} (Debian, Ubuntu: pocketsphinx-testdata)")
    with open(path, "wb") as file:
        file.write((once * (HOUR * RATE * 2 // len(once) + 1))[: HOUR * RATE * 2])


def launch(pcm, sink):
    return ["gst-launch-1.0", "-q", *shlex.split(f"filesrc location={pcm} ! {PARSE} ! {sink}")]


def drain(listener):
    """Takes what comes, for tcpclientsink."""
    while True:
        connection, _ = listener.accept()
        while connection.recv(1 << 20):
            pass


def cpu_of_an_hour(pcm):
    listener = socket.create_server(("127.0.0.1", 0))
    # In another process: its CPU is not the sink's.
    drainer = os.fork()
    if drainer == 0:
        drain(listener)
    port = listener.getsockname()[1]
    tcp = best(launch(pcm, f"tcpclientsink sync=false host=127.0.0.1 port={port}"))
    os.kill(drainer, signal.SIGTERM)
    per_second = 1000 / HOUR
    with Service("--recogniser", "silent") as service:
        for compression in ["none", "gzip"]:
            sink = f"volcasrsink sync=false max-speed=0 compression={compression} uri={service.uri}"
            ours = best(launch(pcm, sink))
            measured = f"{ours * per_second:.4f} ms/s"
            if compression == "none":
                row("CPU, compression=none", measured, f"tcpclientsink {tcp * per_second:.4f}", f"{ours / tcp:.2f}", "<= 2.5")
            elif "BENCH_BASELINE" in os.environ:
                line = os.environ["BENCH_BASELINE"].format(port=service.port, pcm=pcm)
                other = best(shlex.split(line), 1)
                row("CPU, compression=gzip", measured, f"baseline {other * per_second:.4f}", f"{ours / other:.2f}", "<= 0.25")
            else:
                row("CPU, compression=gzip", measured, "", "", "")


def live(sink, n, seconds, uri=None):
    program = max(glob.glob(os.path.join(RELEASE, "deps", "live-*")), key=lambda p: (os.access(p, os.X_OK) and not p.endswith(".d"), os.path.getmtime(p)))
    command = [program, sink, str(n), str(seconds)] + ([uri] if uri else [])
    done = subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def live_sessions():
    counts = [int(n) for n in os.environ.get("BENCH_SESSIONS", "1 10 100 300 1000").split()]
    seconds = int(os.environ.get("BENCH_SECONDS", "10"))
    curve = []
    for n in counts:
        with Service("--recogniser", "silent") as service:
            ours, plain = live("volcasrsink", n, seconds, service.uri), live("fakesink", n, seconds)
        share = ours["cores"] - plain["cores"]
        memory = (ours["rss_kib"] - plain["rss_kib"]) / n
        threads = ours["threads"] - plain["threads"]
        curve.append((n, share, memory, ours["p99_ms"], threads))
        row(f"{n} live sessions: cores", f"{share:.3f}", f"fakesink {plain['cores']:.3f}", "", "<= 1 at 1000")
        row(f"{n} live sessions: frame to kernel, p99", f"{ours['p99_ms']:.2f} ms", f"p50 {ours['p50_ms']:.2f} ms", "", "<= 20 ms")
        row(f"{n} live sessions: memory each", f"{memory:.0f} KiB", f"errors {ours['errors']}", "", "<= 150 KiB")
        row(f"{n} live sessions: threads beyond", f"{threads}", f"of {ours['threads']}", "", "constant")
    return curve


def start_up():
    def inspect(path):
        took = []
        for _ in range(9):
            environment = dict(ENVIRONMENT, GST_PLUGIN_PATH=path)
            began = time.monotonic()
            subprocess.run(["gst-inspect-1.0", "fakesink"], env=environment, stdout=subprocess.DEVNULL, check=True)
            took.append(time.monotonic() - began)
        return sorted(took)[len(took) // 2] * 1000

    with tempfile.TemporaryDirectory() as empty:
        ours, without = inspect(os.path.abspath(RELEASE)), inspect(empty)
    row("gst-inspect-1.0, with the plugin", f"{ours:.1f} ms", f"without {without:.1f} ms", f"+{ours - without:.1f} ms", "<= +10 ms")
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, os.path.join(RELEASE, "libgstvolcasr.so")], check=True)
        size = os.path.getsize(stripped.name) / 1024 / 1024
    row("library, stripped", f"{size:.2f} MiB", "", "", "<= 4 MiB")


def draw(curve, path):
    """Cores and memory over sessions, as SVG: plain enough to be written by hand."""
    width, height, pad = 640, 320, 50
    top = max(share for _, share, *_ in curve) or 1
    right = max(n for n, *_ in curve)
    x = lambda n: pad + (width - 2 * pad) * n / right
    y = lambda share: height - pad - (height - 2 * pad) * share / top
    points = " ".join(f"{x(n):.0f},{y(max(share, 0)):.0f}" for n, share, *_ in curve)
    marks = "".join(
        f'<circle cx="{x(n):.0f}" cy="{y(max(share, 0)):.0f}" r="3"/>'
        f'<text x="{x(n):.0f}" y="{height - pad + 16}" text-anchor="middle">{n}</text>'
        f'<text x="{x(n):.0f}" y="{y(max(share, 0)) - 8:.0f}" text-anchor="middle">{share:.2f}</text>'
        for n, share, *_ in curve
    )
    with open(path, "w") as file:
        file.write(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="11">'
            f'<rect width="100%" height="100%" fill="white"/><polyline points="{points}" fill="none" stroke="black"/>{marks}'
            f'<text x="{width / 2}" y="{height - 8}" text-anchor="middle">live sessions</text>'
            f'<text x="{pad}" y="20">cores for the sinks, without the pipelines</text></svg>'
        )


def main():
    print(f"{'':<44} {'volcasrsink':>16} {'beside':>26} {'ratio':>10} {'goal':>14}")
    with tempfile.TemporaryDirectory() as scratch:
        pcm = os.path.join(scratch, "hour.pcm")
        speech(pcm)
        cpu_of_an_hour(pcm)
    start_up()
    curve = live_sessions()
    draw(curve, os.path.join(TARGET, "live-sessions.svg"))
    print(f"curve: {os.path.join(TARGET, 'live-sessions.svg')}")


if __name__ == "__main__":
    main()
