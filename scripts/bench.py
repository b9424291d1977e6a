#!/usr/bin/env python3
"""What the sink costs, beside what others cost, in one run: prints a table, draws curves into target/.

Builds nothing: `make bench` does. Everything is measured on this machine, against the loopback service in a process of
its own; CPU is that of the whole process. BENCH_SESSIONS (default "1 10 100 300 1000"), BENCH_SECONDS (default 10) and BENCH_HOURS (default
4) size the curves, BENCH_PARTS (default all) is some of "hour start one reading live long"; BENCH_BASELINE is one more command that sends
an hour of the same audio by other means, with {port} and {pcm} filled in, to compare with.
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
# The plugin alone, for both sides: in the directory of the build GStreamer looks into every file.
PLUGIN = os.path.abspath(os.path.join(TARGET, "bench-plugin"))
ENVIRONMENT = dict(
    os.environ,
    GST_PLUGIN_PATH=PLUGIN,
    VOLCENGINE_APP_ID="app-1",
    VOLCENGINE_ACCESS_KEY="secret-access-key",
)


def row(what, measured, beside="", ratio=None, goal=None, share=None):
    """`ratio`: to what is beside it. `share`: of the goal, from 0 on; up to 1 it is reached."""
    cells = ["" if ratio is None else f"{ratio:.3f}", goal or "", "" if share is None else f"{share:.3f}"]
    print(f"{what:<47} {measured:>14} {beside:>30} {cells[0]:>7} {cells[1]:>14} {cells[2]:>8}", flush=True)


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


def speech():
    """Half a minute of human speech at 24 kHz: recordings, resampled by GStreamer."""
    pieces = []
    for name in sorted(glob.glob(SPEECH)):
        line = f"filesrc location={name} ! wavparse ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate={RATE},channels=1 ! fdsink"
        pieces.append(subprocess.run(["gst-launch-1.0", "-q", *shlex.split(line)], check=True, capture_output=True).stdout)
    once = b"".join(pieces)
    if not once:
        sys.exit(f"bench: no recordings at {SPEECH} (Debian, Ubuntu: pocketsphinx-testdata)")
    return once


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
    os.waitpid(drainer, 0)
    per_second = 1000 / HOUR
    sink = "volcasrsink sync=false max-speed=0"
    with Service("--recogniser", "silent") as service:
        ours = best(launch(pcm, f"{sink} compression=none uri={service.uri}"))
        row("CPU for a second of audio, none", f"{ours * per_second:.4f} ms", f"tcpclientsink {tcp * per_second:.4f}", ours / tcp, "<= 2.5 times", ours / tcp / 2.5)
        gzip = best(launch(pcm, f"{sink} compression=gzip uri={service.uri}"))
        # In one session, as the others do.
        relay = Relay(service.port)
        cpu(launch(pcm, f"{sink} max-session-time=0 compression=gzip uri={service.uri.replace(f':{service.port}/', f':{relay.port}/')}"))
        sent = relay.sent()
        for label, line in baselines():
            command = lambda port: shlex.split(line.format(port=port, pcm=pcm))
            other = python_cpu(command(service.port))
            row("CPU for a second of audio, gzip", f"{gzip * per_second:.4f} ms", f"{label} {other:.4f}", gzip * per_second / other, "<= 0.25 times", gzip * per_second / other / 0.25)
            relay = Relay(service.port)
            subprocess.run(command(relay.port), check=True, stdout=subprocess.DEVNULL)
            theirs = relay.sent()
            row("bytes on the wire, gzip", f"{sent / 1e6:.2f} MB", f"{label} {theirs / 1e6:.2f}", sent / theirs, "<= 1 times", sent / theirs)
    with tempfile.TemporaryDirectory() as scratch:
        authority = os.path.join(scratch, "ca.pem")
        with Service("--recogniser", "silent", "--tls", "--ca-file", authority) as service:
            ENVIRONMENT["SSL_CERT_FILE"] = authority
            tls = best(launch(pcm, f"{sink} compression=none uri={service.uri}"))
            row("CPU for a second of audio, none, TLS", f"{tls * per_second:.4f} ms", f"without {ours * per_second:.4f}", tls / ours)
            late = bench("one", "latency", service.uri)
            row("chunk complete to kernel, TLS, p99", f"{late['sent_p99_ms']:.2f} ms", f"p50 {late['sent_p50_ms']:.2f} ms", None, "<= 2 ms", late["sent_p99_ms"] / 2)
            del ENVIRONMENT["SSL_CERT_FILE"]


def baselines():
    """A program in Python, without its start, in two sizes of frames: ours have 200 ms."""
    own = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "benches", "baseline.py")
    for ms in (100, 200):
        yield f"Python, {ms} ms", f"{sys.executable} {own} {{port}} {{pcm}} {ms}"
    if "BENCH_BASELINE" in os.environ:
        yield "BENCH_BASELINE", os.environ["BENCH_BASELINE"]


def python_cpu(command):
    """What the command says of itself, in ms for a second of audio; what it took as a whole, if it says nothing."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        return json.loads(done.stdout)["ms"]
    except (ValueError, KeyError, TypeError):
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000 / HOUR


def bench(name, *args, **environment):
    """What one of the programs in benches/ prints."""
    built = [path for path in glob.glob(os.path.join(RELEASE, "deps", f"{name}-*")) if not path.endswith(".d")]
    program = max(built, key=os.path.getmtime)
    done = subprocess.run(
        [program, *map(str, args)], env=dict(ENVIRONMENT, **environment), check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


# What is said in the recordings, about.
SENTENCES = [
    "and mister john dashwood had then leisure to consider how much there might be prudently in his power to do for them",
    "he was not an ill disposed young man",
    "unless to be rather cold hearted and rather selfish is to be ill disposed",
    "had he married a more amiable woman he might have been made still more respectable than he was",
    "he might even have been made amiable himself",
]


def utterance(sentence, start, end, words=None):
    """As the service lists it: `words` of it are said so far, and between `start` and `end`, or all, and it is settled."""
    every = sentence.split()
    said = every[:words]
    pace = (end - start) / len(every)
    times = [(int(start + n * pace), int(start + (n + 0.8) * pace)) for n in range(len(said))]
    spaced = []
    for word, (begins, ends) in zip(said, times):
        spaced += [{"end_time": -1, "start_time": -1, "text": " "}, {"end_time": ends, "start_time": begins, "text": word}]
    text = " ".join(said).capitalize() + ("." if words is None else "")
    listed = {"additions": {"source": "stream"}, "definite": words is None, "end_time": times[-1][1], "start_time": int(start), "text": text, "words": spaced[1:]}
    return json.dumps(listed, separators=(",", ":"))


def answer(duration, utterances):
    text = json.dumps(" ".join(re.search(r'"text":"([^"]*)","words"', listed).group(1) for listed in utterances))
    return f'{{"audio_info":{{"duration":{duration}}},"result":{{"additions":{{"log_id":"bench"}},"text":{text},"utterances":[{",".join(utterances)}]}}}}'


def script(path, seconds, history):
    """A `full` service to speech: three words a second, an answer to each, half a second late. It begins with so many settled
    sentences, said in the first six seconds, as if the session were as old as that."""
    steps, listed, at = [], [], 200
    for n in range(history):
        listed.append(utterance(SENTENCES[n % 5], at + n * 6000 / history, at + (n + 0.9) * 6000 / history))
    at += 6000 if history else 0
    number = 0
    while at < seconds * 1000:
        sentence = SENTENCES[number % 5]
        count = len(sentence.split())
        end = at + count * 333
        for words in range(1, count + 1):
            now = at + words * 333
            steps.append((now + 500, answer(now, [*listed, utterance(sentence, at, end, words)])))
        listed.append(utterance(sentence, at, end))
        # The service's end window.
        steps.append((end + 800, answer(end + 800, listed)))
        at, number = end + 300, number + 1
    with open(path, "w") as file:
        file.write('{"steps":[' + ",".join(f'{{"at":{at},"json":{said}}}' for at, said in sorted(steps, key=lambda step: step[0])) + "]}")


def live_sessions(scratch):
    counts = [int(n) for n in os.environ.get("BENCH_SESSIONS", "1 10 100 300 1000").split()]
    seconds = int(os.environ.get("BENCH_SECONDS", "10"))
    speaking = {"SPEECH": os.path.join(scratch, "speech.pcm")}
    young, old = os.path.join(scratch, "young.json"), os.path.join(scratch, "old.json")
    # Warming up and starting one after the other take ten seconds.
    script(young, seconds + 15, 0)
    # Five minutes, which is the average age of sessions that rotate after ten.
    script(old, seconds + 15, 50)
    curve = []

    def measure(n, what, options, **environment):
        with Service(*options) as service:
            ours, plain = bench("live", "volcasrsink", n, seconds, service.uri, **environment), bench("live", "fakesink", n, seconds, **environment)
        share = ours["cores"] - plain["cores"]
        memory = (ours["rss_kib"] - plain["rss_kib"]) / n
        if ours["errors"]:
            sys.exit(f"bench: {ours['errors']} errors and warnings in {n} live sessions, {what}")
        return ours, plain, share, memory

    for n in counts:
        ours, plain, share, memory = measure(n, "marks", ["--recogniser", "marks"])
        threads = ours["threads"] - plain["threads"]
        curve.append((n, share, memory, ours["p99_ms"], threads))
        name = f"{n} live session{'s' * (n > 1)}"
        last = n == max(counts)
        row(f"{name}: cores", f"{share:.3f}", f"fakesink {plain['cores']:.3f}", ours["cores"] / plain["cores"], "<= 1 at 1000" if last else None, share if last else None)
        row(f"{name}: chunk complete to kernel, p99", f"{ours['p99_ms']:.2f} ms", f"p50 {ours['p50_ms']:.2f}, of {ours['writes']}", None, "<= 20 ms", ours["p99_ms"] / 20)
        row(f"{name}: memory each", f"{memory:.0f} KiB", f"fakesink {plain['rss_kib'] / n:.0f}", None, "<= 150 KiB" if last else None, memory / 150 if last else None)
        row(f"{name}: threads beyond fakesink's", f"{threads}", f"of {ours['threads']}")
    if len(curve) > 2:
        (few, cost, *_), (many, total, *_) = curve[2], curve[-1]
        row(f"linear: cores for one of {many} to one of {few}", f"{total / many / (cost / few):.2f}", "", None, "<= 1.1", total / many / (cost / few) / 1.1)
        row(f"constant: threads at {many} less at {curve[1][0]}", f"{curve[-1][4] - curve[1][4]}")
    for n, what, options in [
        (max(counts), "human speech", ["--recogniser", "scripted", "--script", young, "--threads", "2"]),
        (max(1, max(counts) // 5), "human speech, 5 minutes old", ["--recogniser", "scripted", "--script", old, "--threads", "2"]),
    ]:
        ours, plain, share, memory = measure(n, what, options, **speaking)
        name = f"{n}, {what}"
        row(f"{name}: cores", f"{share:.3f}", f"fakesink {plain['cores']:.3f}", None, f"<= {n / 1000:g}", share / (n / 1000))
        row(f"{name}: to kernel, p99", f"{ours['p99_ms']:.2f} ms", f"p50 {ours['p50_ms']:.2f}, of {ours['writes']}", None, "<= 20 ms", ours["p99_ms"] / 20)
        if what == "human speech":
            row(f"{name}: memory each", f"{memory:.0f} KiB", "", None, "<= 150 KiB", memory / 150)
    return curve


def reading(scratch):
    """Responses of megabytes through the socket, several a second, each with one word more."""
    path, count, listed = os.path.join(scratch, "reading.json"), 40, []
    for n in range(1500):
        listed.append(utterance(SENTENCES[n % 5], n * 6000, n * 6000 + 5500))
    steps = [(100, answer(9_000_000, listed))]
    for n in range(count):
        steps.append((1000 + n * 50, answer(9_006_000, [*listed, utterance(SENTENCES[0], 9_000_000, 9_006_000, 1 + n % 20)])))
    with open(path, "w") as file:
        file.write('{"steps":[' + ",".join(f'{{"at":{at},"json":{said}}}' for at, said in steps) + "]}")
    size = sum(len(said) for _, said in steps[1:])
    with Service("--recogniser", "scripted", "--script", path) as service:
        got = bench("one", "reading", service.uri, RESPONSES=str(count), BYTES=str(size))
    row(f"full responses of {size / count / 1e6:.1f} MB: read, of one core", f"{got['cpu_mb_s']} MB/s", f"by the clock {got['wall_mb_s']}", None, ">= 300 MB/s", 300 / got["cpu_mb_s"])
    row("allocations for one of them", f"{got['allocations']:.0f}", f"{got['kib']:.0f} KiB, {got['messages']} messages for {count}")


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
        without = inspect("fakesink", empty)
    ours = inspect("volcasrsink", PLUGIN)
    row("gst-inspect-1.0 volcasrsink", f"{ours:.1f} ms", f"fakesink {without:.1f} ms", ours / without, "<= +10 ms", max(0, ours - without) / 10)
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, os.path.join(RELEASE, "libgstvolcasr.so")], check=True)
        size = os.path.getsize(stripped.name) / 1024 / 1024
    row("library, stripped", f"{size:.2f} MiB", "", None, "<= 4 MiB", size / 4)


def one_session():
    with Service("--recogniser", "silent") as service:
        start = bench("one", "start", service.uri)
    beyond = start["start_ms"] - start["bare_ms"]
    row("element created to request answered", f"{start['start_ms']:.2f} ms", f"bare connection {start['bare_ms']:.2f} ms", None, "<= +15 ms", beyond / 15)
    row("the worst of 24; the very first", f"{start['worst_ms']:.2f} ms", f"the first {start['first_ms']:.2f} ms", None, "<= +15 ms", (start["first_ms"] - start["bare_ms"]) / 15)
    for compression, least in [("none", "the frame, its owners' count"), ("gzip", "the audio, kept for a replay")]:
        with Service("--recogniser", "silent") as service:
            frame = bench("one", "allocations", service.uri, COMPRESSION=compression)
        row(f"allocations for a frame, {compression}", f"{frame['allocations']:.2f}", least, None, "1", frame["allocations"])
    with Service("--recogniser", "marks", "--lag", "0s", "--told-at") as service:
        late = bench("one", "latency", service.uri)
    row("chunk complete to kernel, p99", f"{late['sent_p99_ms']:.2f} ms", f"p50 {late['sent_p50_ms']:.2f} ms", None, "<= 2 ms", late["sent_p99_ms"] / 2)
    row("told by the service to the bus, p99", f"{late['told_p99_ms']:.2f} ms", f"p50 {late['told_p50_ms']:.2f} ms", None, "<= 2 ms", late["told_p99_ms"] / 2)


def long_streams():
    """Hours in one session: CPU and memory for each ten minutes."""
    hours = int(os.environ.get("BENCH_HOURS", "4"))
    curves = {}
    for kind in ["single", "full"]:
        with Service("--recogniser", "marks", "--answer-every", "60s") as service:
            got = bench("long", service.uri, kind, hours, COMPRESSION="none")
        # A sentence of marks takes 2.6 s.
        if not got["ended"] or got["troubles"] or got["finals"] < hours * 3600 / 2.6 * 0.99:
            sys.exit(f"bench: {hours} hours, {kind}: {got['finals']} sentences, {got['troubles']} errors and warnings, ended: {got['ended']}")
        cpus, memory = zip(*got["points"])
        steps = [after - before for before, after in zip((0, *cpus), cpus)]
        quarter = len(steps) // 4
        # The first step has the start in it.
        first, last = sum(steps[1:quarter]) / (quarter - 1), sum(steps[-quarter:]) / quarter
        curves[kind] = [(600 * (n + 1) / 3600, step * 1000 / 600, kib / 1024) for n, (step, kib) in enumerate(zip(steps, memory))]
        row(f"{hours} h, {kind}: CPU, last quarter to first", f"{last * 1000 / 600:.4f} ms", f"first {first * 1000 / 600:.4f} ms", last / first, "<= 1.1 times", last / first / 1.1)
        after_ten, most = memory[0], max(memory[1:])
        goal, share = ("<= 1.05 times", most / after_ten / 1.05) if kind == "single" else ("the response's", None)
        row(f"{hours} h, {kind}: memory", f"{most / 1024:.1f} MiB", f"after 10 minutes {after_ten / 1024:.1f} MiB", most / after_ten, goal, share)
    return curves


class Plot:
    """Panels over one axis as SVG, plain enough to be written by hand. Each has a scale of its own, from 0 on."""

    WIDTH, HEIGHT, PAD = 640, 150, 60

    def __init__(self, title, across):
        self.title, self.across, self.panels = title, across, []

    def panel(self, label, points):
        self.panels.append((label, points))

    def write(self, path):
        width, height, pad = self.WIDTH, self.HEIGHT, self.PAD
        whole = 40 + len(self.panels) * height + 30
        out = [f'<text x="{pad}" y="22" font-size="13">{self.title}</text>']
        right = max(x for _, points in self.panels for x, _ in points)
        for number, (label, points) in enumerate(self.panels):
            upper, base = 60 + number * height, 40 + (number + 1) * height - 12
            top = max(y for _, y in points) * 1.1 or 1
            across = lambda x: pad + (width - 2 * pad) * x / right
            up = lambda y: base - (base - upper) * max(y, 0) / top
            for tick in (0, top / 2, top):
                out.append(f'<line x1="{pad}" y1="{up(tick):.0f}" x2="{width - pad}" y2="{up(tick):.0f}" stroke="#ddd"/>')
                out.append(f'<text x="{pad - 5}" y="{up(tick) + 4:.0f}" text-anchor="end">{tick:.3g}</text>')
            for x in (right / 4, right / 2, right * 3 / 4, right):
                out.append(f'<text x="{across(x):.0f}" y="{base + 12}" text-anchor="middle">{x:g}</text>')
            line = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in points)
            out.append(f'<polyline points="{line}" fill="none" stroke="#1b6ca8" stroke-width="1.5"/>')
            out += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="2" fill="#1b6ca8"/>' for x, y in points]
            out.append(f'<text x="{pad}" y="{upper - 6}" fill="#1b6ca8">{label}</text>')
        out.append(f'<text x="{width / 2}" y="{whole - 8}" text-anchor="middle">{self.across}</text>')
        with open(path, "w") as file:
            file.write(
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{whole}" font-family="sans-serif" font-size="11">'
                f'<rect width="100%" height="100%" fill="white"/>{"".join(out)}</svg>\n'
            )
        print(f"curve: {path}")


def main():
    parts = os.environ.get("BENCH_PARTS", "hour start one reading live long").split()
    os.makedirs(PLUGIN, exist_ok=True)
    shutil.copy(os.path.join(RELEASE, "libgstvolcasr.so"), PLUGIN)
    print(f"{'':<47} {'volcasrsink':>14} {'beside':>30} {'ratio':>7} {'goal':>14} {'of goal':>8}")
    with tempfile.TemporaryDirectory() as scratch:
        once, pcm = speech(), os.path.join(scratch, "hour.pcm")
        with open(os.path.join(scratch, "speech.pcm"), "wb") as file:
            file.write(once)
        if "hour" in parts:
            with open(pcm, "wb") as file:
                file.write((once * (HOUR * RATE * 2 // len(once) + 1))[: HOUR * RATE * 2])
            cpu_of_an_hour(pcm)
        if "start" in parts:
            start_up()
        if "one" in parts:
            one_session()
        if "reading" in parts:
            reading(scratch)
        if "live" in parts:
            curve = live_sessions(scratch)
            plot = Plot("Live sessions in one process: what is the sinks', without the pipelines", "sessions")
            plot.panel("cores", [(n, share) for n, share, *_ in curve])
            plot.panel("KiB of memory for each", [(n, memory) for n, _, memory, *_ in curve])
            plot.panel("ms from a complete chunk to the kernel, 99 %", [(n, p99) for n, _, _, p99, _ in curve])
            plot.write(os.path.join(TARGET, "live-sessions.svg"))
    if "long" in parts:
        plot = Plot("One session of hours, sped up", "hours of audio")
        for kind, points in long_streams().items():
            plot.panel(f"{kind}: ms of CPU for a second of audio", [(hour, ms) for hour, ms, _ in points])
            plot.panel(f"{kind}: MiB of memory", [(hour, mib) for hour, _, mib in points])
        plot.write(os.path.join(TARGET, "long-streams.svg"))


if __name__ == "__main__":
    main()
