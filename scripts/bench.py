#!/usr/bin/env python3
"""What the sink costs, beside what others cost, in one run: prints a table, draws curves into target/.

Builds nothing: `make bench` does. Everything is measured on this machine, against the loopback service in a process of
its own. BENCH_SESSIONS (default "1 10 100 300 1000"), BENCH_SECONDS (default 10) and BENCH_HOURS (default 4) size the curves; BENCH_BASELINE is a
command that sends an hour of the same audio by other means, with {port} and {pcm} filled in, to compare with.
"""
import glob
import json
import os
import re
import resource
import select
import shlex
import shutil
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


class Relay:
    """Counts the bytes that go to a service, in a process of its own."""

    def __init__(self, port):
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        reader, writer = os.pipe()
        self.counts = os.fdopen(reader)
        self.process = os.fork()
        if self.process == 0:
            with os.fdopen(writer, "w") as counts:
                self.relay(listener, port, counts)
        os.close(writer)
        listener.close()

    @staticmethod
    def relay(listener, port, counts):
        client, _ = listener.accept()
        service = socket.create_connection(("127.0.0.1", port))
        both, sent = {client: service, service: client}, 0
        while True:
            for source in select.select(list(both), [], [])[0]:
                try:
                    data = source.recv(1 << 20)
                except ConnectionError:
                    data = b""
                if not data:
                    print(sent, file=counts, flush=True)
                    os._exit(0)
                both[source].sendall(data)
                sent += len(data) if source is client else 0

    def sent(self):
        count = int(self.counts.readline())
        os.waitpid(self.process, 0)
        return count


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
                other = best(shlex.split(line), 2)
                row("CPU, compression=gzip", measured, f"baseline {other * per_second:.4f}", f"{ours / other:.2f}", "<= 0.25")
                relay = Relay(service.port)
                # In one session, as the other does.
                cpu(launch(pcm, f'{sink.replace(f":{service.port}/", f":{relay.port}/")} max-session-time=0'))
                ours = relay.sent()
                relay = Relay(service.port)
                cpu(shlex.split(os.environ["BENCH_BASELINE"].format(port=relay.port, pcm=pcm)))
                other = relay.sent()
                row("bytes on the wire, compression=gzip", f"{ours}", f"baseline {other}", f"{ours / other:.4f}", "<= 1")
            else:
                row("CPU, compression=gzip", measured, "", "", "")


def bench(name, *args, **environment):
    """What one of the programs in benches/ prints."""
    built = [path for path in glob.glob(os.path.join(RELEASE, "deps", f"{name}-*")) if not path.endswith(".d")]
    program = max(built, key=os.path.getmtime)
    done = subprocess.run(
        [program, *map(str, args)], env=dict(ENVIRONMENT, **environment), check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def live(sink, n, seconds, *uri):
    return bench("live", sink, n, seconds, *uri)


def live_sessions():
    counts = [int(n) for n in os.environ.get("BENCH_SESSIONS", "1 10 100 300 1000").split()]
    seconds = int(os.environ.get("BENCH_SECONDS", "10"))
    curve = []
    for n in counts:
        with Service("--recogniser", "marks") as service:
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
    def inspect(element, path):
        took = []
        for _ in range(9):
            environment = dict(ENVIRONMENT, GST_PLUGIN_PATH=path)
            began = time.monotonic()
            subprocess.run(["gst-inspect-1.0", element], env=environment, stdout=subprocess.DEVNULL, check=True)
            took.append(time.monotonic() - began)
        return sorted(took)[len(took) // 2] * 1000

    with tempfile.TemporaryDirectory() as empty:
        # Alone: in the directory of the build GStreamer looks into every file.
        alone = os.path.join(empty, "alone")
        os.mkdir(alone)
        without = inspect("fakesink", alone)
        shutil.copy(os.path.join(RELEASE, "libgstvolcasr.so"), alone)
        ours = inspect("volcasrsink", alone)
    row("gst-inspect-1.0 volcasrsink", f"{ours:.1f} ms", f"fakesink {without:.1f} ms", f"+{ours - without:.1f} ms", "<= +10 ms")
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, os.path.join(RELEASE, "libgstvolcasr.so")], check=True)
        size = os.path.getsize(stripped.name) / 1024 / 1024
    row("library, stripped", f"{size:.2f} MiB", "", "", "<= 4 MiB")


def one_session():
    with Service("--recogniser", "silent") as service:
        start = bench("one", "start", service.uri)
        beyond = start["start_ms"] - start["bare_ms"]
        row("element created to frame 1", f"{start['start_ms']:.2f} ms", f"bare connection {start['bare_ms']:.2f} ms", f"+{beyond:.2f} ms", "<= +15 ms")
    for compression in ["none", "gzip"]:
        with Service("--recogniser", "silent") as service:
            frame = bench("one", "allocations", service.uri, COMPRESSION=compression)
        row(f"allocations for a frame, {compression}", f"{frame['allocations']:.2f}", f"{frame['bytes']:.0f} bytes", "", "<= 1")
    with Service("--recogniser", "marks", "--lag", "0s", "--told-at") as service:
        late = bench("one", "latency", service.uri)
    row("chunk complete to written, p99", f"{late['sent_p99_ms']:.2f} ms", f"p50 {late['sent_p50_ms']:.2f} ms", "", "<= 2 ms")
    row("told by the service to the bus, p99", f"{late['told_p99_ms']:.2f} ms", f"p50 {late['told_p50_ms']:.2f} ms", "", "<= 2 ms")


def long_streams():
    """Hours in one session: CPU and memory for each ten minutes."""
    hours = int(os.environ.get("BENCH_HOURS", "4"))
    curves = {}
    for kind in ["single", "full"]:
        with Service("--recogniser", "marks", "--answer-every", "60s") as service:
            got = bench("long", service.uri, kind, hours, COMPRESSION="none")
        cpus, memory = zip(*got["points"])
        steps = [after - before for before, after in zip((0, *cpus), cpus)]
        quarter = len(steps) // 4
        # The first step has the start in it.
        first, last = sum(steps[1:quarter]) / (quarter - 1), sum(steps[-quarter:]) / quarter
        curves[kind] = [(600 * (n + 1) / 3600, step * 1000 / 600, kib / 1024) for n, (step, kib) in enumerate(zip(steps, memory))]
        each = f"{last * 1000 / 600:.4f} ms/s"
        goal = "<= 1.1" if kind == "single" else ""
        row(f"{hours} h, {kind}: CPU, last quarter to first", each, f"first {first * 1000 / 600:.4f}", f"{last / first:.2f}", goal)
        after_ten = memory[0]
        row(f"{hours} h, {kind}: memory", f"{max(memory) / 1024:.1f} MiB", f"after 10 min {after_ten / 1024:.1f} MiB", f"{max(memory[1:]) / after_ten:.2f}", "<= 1.05" if kind == "single" else "")
        row(f"{hours} h, {kind}: utterances", f"{got['finals']}", f"errors, warnings {got['troubles']}", "", "")
    return curves


class Plot:
    """Lines over one axis as SVG, plain enough to be written by hand."""

    WIDTH, HEIGHT, PAD = 640, 300, 55

    def __init__(self, title, across):
        self.title, self.across, self.lines = title, across, []

    def line(self, label, points, unit="{:.2f}"):
        self.lines.append((label, points, unit))

    def write(self, path):
        width, height, pad = self.WIDTH, self.HEIGHT, self.PAD
        right = max(x for _, points, _ in self.lines for x, _ in points)
        out = [f'<text x="{width / 2}" y="{height - 10}" text-anchor="middle">{self.across}</text><text x="{pad}" y="20">{self.title}</text>']
        for number, (label, points, unit) in enumerate(self.lines):
            # Each line has a scale of its own, from 0 to its top, named at its end.
            top = max(y for _, y in points) * 1.15 or 1
            place = [(pad + (width - 3 * pad) * x / right, height - pad - (height - 2.2 * pad) * max(y, 0) / top) for x, y in points]
            colour = ["#1b6ca8", "#b4441c", "#3c7d3c", "#7a4b94"][number % 4]
            path_points = " ".join(f"{x:.0f},{y:.0f}" for x, y in place)
            out.append(f'<polyline points="{path_points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
            last = place[-1]
            out.append(f'<text x="{last[0] + 5:.0f}" y="{last[1] + 4:.0f}" fill="{colour}">{label} {unit.format(points[-1][1])}</text>')
            out.append(f'<text x="{place[0][0]:.0f}" y="{place[0][1] - 6:.0f}" fill="{colour}" text-anchor="middle">{unit.format(points[0][1])}</text>')
        ticks = sorted({x for _, points, _ in self.lines for x, _ in points})
        step = max(1, len(ticks) // 8)
        for x in ticks[step - 1 :: step]:
            at = pad + (width - 3 * pad) * x / right
            out.append(f'<text x="{at:.0f}" y="{height - pad + 16}" text-anchor="middle">{x:g}</text>')
        base = height - pad
        out.append(f'<line x1="{pad}" y1="{base}" x2="{width - 2 * pad}" y2="{base}" stroke="#888"/>')
        with open(path, "w") as file:
            file.write(
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="11">'
                f'<rect width="100%" height="100%" fill="white"/>{"".join(out)}</svg>\n'
            )
        print(f"curve: {path}")


def main():
    print(f"{'':<44} {'volcasrsink':>16} {'beside':>26} {'ratio':>10} {'goal':>14}")
    with tempfile.TemporaryDirectory() as scratch:
        pcm = os.path.join(scratch, "hour.pcm")
        speech(pcm)
        cpu_of_an_hour(pcm)
    start_up()
    one_session()
    curve = live_sessions()
    plot = Plot("live sessions: for the sinks, without the pipelines", "sessions")
    plot.line("cores", [(n, share) for n, share, *_ in curve])
    plot.line("KiB each", [(n, memory) for n, _, memory, *_ in curve], "{:.0f}")
    plot.line("p99 ms", [(n, p99) for n, _, _, p99, _ in curve])
    plot.write(os.path.join(TARGET, "live-sessions.svg"))
    plot = Plot("one session of hours: each line has its own scale", "hours of audio")
    for kind, points in long_streams().items():
        plot.line(f"{kind}: CPU ms/s", [(hour, ms) for hour, ms, _ in points], "{:.3f}")
        plot.line(f"{kind}: MiB", [(hour, mib) for hour, _, mib in points], "{:.0f}")
    plot.write(os.path.join(TARGET, "long-streams.svg"))


if __name__ == "__main__":
    main()
