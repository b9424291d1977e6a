#!/usr/bin/env python3
"""Measures the sink's costs beside others', in one run: prints a table, draws curves into target/.

Builds nothing: `make bench` does. Everything is measured on this machine, against the loopback
service in a process of its own; CPU is that of the whole process. BENCH_SESSIONS (default "1 10 100
300 1000"), BENCH_SECONDS (default 8) and BENCH_HOURS (default 4) size the curves; BENCH_PARTS
(default all) is some of "hour one start reading live long".
"""
import glob
import json
import os
import platform
import re
import resource
import select
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "benches"))
import scripted
from plot import Plot

TARGET = os.environ.get("CARGO_TARGET_DIR", "target")
RELEASE = os.path.join(TARGET, "release")
HOUR = 3600
RATE = 24000
SPEECH = "/usr/share/pocketsphinx/test/data/librivox/*.wav"
# `make bench` makes it, with the package that the baseline in Python needs.
PYTHON = os.path.join(TARGET, "bench-venv", "bin", "python")
PARSE = (
    "rawaudioparse use-sink-caps=false format=pcm pcm-format=s16le sample-rate=24000 num-channels=1"
)
SINK = "volcasrsink sync=false max-speed=0"
TRANSCRIBER = "volcasrtranscriber max-speed=0"
# The plugin alone, for both sides: in the directory of the build GStreamer looks into every file.
PLUGIN = os.path.abspath(os.path.join(TARGET, "bench-plugin"))
ENVIRONMENT = dict(
    os.environ,
    GST_PLUGIN_PATH=PLUGIN,
    VOLCENGINE_APP_ID="app-1",
    VOLCENGINE_ACCESS_KEY="secret-access-key",
)


def line(*cells):
    print("{:<50} {:>12} {:>27} {:>6} {:>11} {:>11}".format(*cells).rstrip(), flush=True)


def row(what, value, beside="", ratio=None, goal="", share=None):
    """`ratio`: to what is beside it. `share`: of the goal; up to 1 it is reached."""
    met = "" if share is None else f"{share:.2f} {'met' if share <= 1 else 'MISSED'}"
    line(what, value, beside, "" if ratio is None else f"{ratio:.3f}", goal, met)


class Service:
    """The loopback service, in a process of its own."""

    def __init__(self, *options):
        program = os.path.join(RELEASE, "volcasr")
        self.process = subprocess.Popen(
            [program, "serve", "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.uri = self.process.stdout.readline().strip()
        self.port = int(re.search(r":(\d+)/", self.uri).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


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


class Discard:
    """Takes what tcpclientsink sends, in a process of its own: its CPU is not the sink's."""

    def __enter__(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.process = os.fork()
        if self.process == 0:
            while True:
                connection, _ = listener.accept()
                while connection.recv(1 << 20):
                    pass
        return listener.getsockname()[1]

    def __exit__(self, *_):
        os.kill(self.process, signal.SIGTERM)
        os.waitpid(self.process, 0)


def launch(pcm, sink):
    """What an hour in `pcm` costs: CPU in ms for a second of audio, of the whole process."""
    command = ["gst-launch-1.0", "-q", *shlex.split(f"filesrc location={pcm} ! {PARSE} ! {sink}")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000 / HOUR


def best(pcm, sink, times=3):
    return min(launch(pcm, sink) for _ in range(times))


def bench(name, *args, **environment):
    """What one of the programs in benches/ prints."""
    built = glob.glob(os.path.join(RELEASE, "deps", f"{name}-*"))
    built = [path for path in built if not path.endswith(".d")]
    program = max(built, key=os.path.getmtime)
    done = subprocess.run(
        [program, *map(str, args)],
        env=dict(ENVIRONMENT, **environment),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def speech():
    """Half a minute of human speech at 24 kHz: recordings, resampled by GStreamer."""
    pieces = []
    for name in sorted(glob.glob(SPEECH)):
        chain = (
            f"filesrc location={name} ! wavparse ! audioconvert ! audioresample ! "
            f"audio/x-raw,format=S16LE,rate={RATE},channels=1 ! fdsink"
        )
        command = ["gst-launch-1.0", "-q", *shlex.split(chain)]
        pieces.append(subprocess.run(command, check=True, capture_output=True).stdout)
    once = b"".join(pieces)
    if not once:
        sys.exit(f"bench: no recordings at {SPEECH} (Debian, Ubuntu: pocketsphinx-testdata)")
    return once


def cpu_of_an_hour(pcm):
    with Discard() as port:
        tcp = best(pcm, f"tcpclientsink sync=false host=127.0.0.1 port={port}")
    with Service("--recogniser", "silent") as service:
        none = best(pcm, f"{SINK} compression=none uri={service.uri}")
        row(
            "CPU for a second of speech, none",
            f"{none:.4f} ms",
            f"tcpclientsink {tcp:.4f} ms",
            none / tcp,
            "<= 2.5",
            none / tcp / 2.5,
        )
        text = best(
            pcm,
            f"{TRANSCRIBER} compression=none uri={service.uri} ! fakesink sync=false async=false",
        )
        row(
            "CPU for a second of speech, none, transcriber",
            f"{text:.4f} ms",
            f"volcasrsink {none:.4f} ms",
            text / none,
            "<= 1.2",
            text / none / 1.2,
        )
        gzip = best(pcm, f"{SINK} compression=gzip uri={service.uri}")
        # In one session, as the others do.
        relay = Relay(service.port)
        uri = service.uri.replace(f":{service.port}/", f":{relay.port}/")
        launch(pcm, f"{SINK} max-session-time=0 compression=gzip uri={uri}")
        sent = relay.sent()
        # Ours are of 200 ms.
        for ms in (100, 200):
            relay = Relay(service.port)
            client = [PYTHON, os.path.join(ROOT, "benches", "baseline.py")]
            done = subprocess.run(
                [*client, str(relay.port), pcm, str(ms)],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            cost, theirs = json.loads(done.stdout)["ms"], relay.sent()
            row(
                "CPU for a second of speech, gzip",
                f"{gzip:.4f} ms",
                f"Python, {ms} ms: {cost:.4f} ms",
                gzip / cost,
                "<= 0.25",
                gzip / cost / 0.25,
            )
            row(
                "bytes on the wire, gzip",
                f"{sent / 1e6:.2f} MB",
                f"Python, {ms} ms: {theirs / 1e6:.2f} MB",
                sent / theirs,
                "<= 1.015",
                sent / theirs / 1.015,
            )
    with tempfile.TemporaryDirectory() as scratch:
        authority = os.path.join(scratch, "ca.pem")
        with Service("--recogniser", "silent", "--tls", "--ca-file", authority) as service:
            ENVIRONMENT["SSL_CERT_FILE"] = authority
            tls = best(pcm, f"{SINK} compression=none uri={service.uri}")
            row(
                "CPU for a second of speech, none, TLS",
                f"{tls:.4f} ms",
                f"without {none:.4f} ms",
                tls / none,
            )
            late = bench("one", "latency", service.uri)
            row(
                "chunk complete to kernel, TLS, p99",
                f"{late['sent_p99_ms']:.2f} ms",
                f"p50 {late['sent_p50_ms']:.2f} ms",
                None,
                "<= 2 ms",
                late["sent_p99_ms"] / 2,
            )
            del ENVIRONMENT["SSL_CERT_FILE"]


def one_session():
    with Service("--recogniser", "marks", "--lag", "0s", "--sent-at") as service:
        late = bench("one", "latency", service.uri)
    row(
        "chunk complete to kernel, p99",
        f"{late['sent_p99_ms']:.2f} ms",
        f"p50 {late['sent_p50_ms']:.2f} ms",
        None,
        "<= 2 ms",
        late["sent_p99_ms"] / 2,
    )
    row(
        "response sent to message on the bus, p99",
        f"{late['posted_p99_ms']:.2f} ms",
        f"p50 {late['posted_p50_ms']:.2f} ms",
        None,
        "<= 2 ms",
        late["posted_p99_ms"] / 2,
    )
    with Service("--recogniser", "marks", "--lag", "0s") as service:
        due = bench("one", "due", service.uri)
    if due["words"] < 100:
        sys.exit(f"bench: {due['words']} words left when they were due")
    row(
        "a word due to a word on the pad, p99",
        f"{due['due_p99_ms']:.2f} ms",
        f"p50 {due['due_p50_ms']:.2f} ms",
        None,
        "<= 20 ms",
        due["due_p99_ms"] / 20,
    )
    for compression in ["none", "gzip"]:
        with Service("--recogniser", "silent") as service:
            frame = bench("one", "allocations", service.uri, COMPRESSION=compression)
        row(
            f"allocations for a frame, {compression}",
            f"{frame['allocations']:.2f}",
            f"{frame['bytes']:.0f} bytes, audio 9600",
        )


def start_up():
    with Service("--recogniser", "silent") as service:
        start = bench("one", "start", service.uri)
    for what, took in [("median", start["start_ms"]), ("the very first", start["first_ms"])]:
        beyond = took - start["bare_ms"]
        row(
            f"element created to request answered, {what}",
            f"{took:.2f} ms",
            f"bare connection {start['bare_ms']:.2f} ms",
            None,
            "<= +15 ms",
            beyond / 15,
        )

    def inspect(element, path):
        took = []
        for _ in range(20):
            environment = dict(ENVIRONMENT, GST_PLUGIN_PATH=path)
            began = time.monotonic()
            subprocess.run(
                ["gst-inspect-1.0", element], env=environment, stdout=subprocess.DEVNULL, check=True
            )
            took.append(time.monotonic() - began)
        # The least: what it takes, without what else the machine did.
        return min(took) * 1000

    with tempfile.TemporaryDirectory() as empty:
        without = inspect("fakesink", empty)
    ours = inspect("volcasrsink", PLUGIN)
    row(
        "gst-inspect-1.0 volcasrsink",
        f"{ours:.1f} ms",
        f"fakesink {without:.1f} ms",
        ours / without,
        "<= +10 ms",
        (ours - without) / 10,
    )
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(
            ["strip", "-o", stripped.name, os.path.join(RELEASE, "libgstvolcasr.so")], check=True
        )
        size = os.path.getsize(stripped.name) / 1024 / 1024
    row("library, stripped", f"{size:.2f} MiB", "", None, "<= 4 MiB", size / 4)


def reading(scratch):
    """Responses of megabytes through the socket, several a second, each with one word more."""
    # More would be more than the service holds for a client that has to catch up.
    path, count = os.path.join(scratch, "reading.json"), 20
    size = scripted.reading(path, count)
    with Service("--recogniser", "scripted", "--script", path) as service:
        got = bench("one", "reading", service.uri, RESPONSES=str(count), BYTES=str(size))
    row(
        f"full responses of {size / count / 1e6:.1f} MB, read",
        f"{got['cpu_mb_s']} MB/s",
        "of CPU, socket to bus",
        None,
        ">= 300 MB/s",
        300 / got["cpu_mb_s"],
    )
    row(
        "allocations for one of them",
        f"{got['allocations']:.0f}",
        f"{got['kib']:.0f} KiB, {got['messages'] / count:.1f} messages",
    )


def live_sessions(scratch):
    """The curve, with marks, and what speech makes of the most sessions, and of older ones."""
    counts = [int(n) for n in os.environ.get("BENCH_SESSIONS", "1 10 100 300 1000").split()]
    seconds = int(os.environ.get("BENCH_SECONDS", "8"))
    plain = {n: bench("live", "fakesink", n, seconds) for n in counts}

    def measure(n, what, options, **environment):
        with Service(*options) as service:
            ours = bench("live", "volcasrsink", n, seconds, service.uri, **environment)
        if ours["errors"]:
            sys.exit(f"bench: {ours['errors']} errors and warnings in {n} live sessions, {what}")
        beside = plain[n]
        ours["share"] = ours["cores"] - beside["cores"]
        ours["each"] = (ours["rss_kib"] - beside["rss_kib"]) / n
        ours["beyond"] = ours["threads"] - beside["threads"]
        goal = n / 1000
        # Of few, what the process has once is most.
        limit = (lambda goal, share: {"goal": goal, "share": share}) if n >= 100 else lambda *_: {}
        row(
            f"{n} live, {what}: cores, sinks' share",
            f"{ours['share']:.3f}",
            f"fakesink {beside['cores']:.3f}",
            ours["cores"] / beside["cores"],
            **limit(f"<= {goal:g}", ours["share"] / goal),
        )
        row(
            f"{n} live, {what}: chunk to kernel, p99",
            f"{ours['p99_ms']:.2f} ms",
            f"p50 {ours['p50_ms']:.2f} ms",
            None,
            "<= 20 ms",
            ours["p99_ms"] / 20,
        )
        row(
            f"{n} live, {what}: memory each",
            f"{ours['each']:.0f} KiB",
            f"fakesink {beside['rss_kib'] / n:.0f} KiB",
            **limit("<= 150 KiB", ours["each"] / 150),
        )
        return ours

    marks = ["--recogniser", "marks", "--threads", "2"]
    curve = [measure(n, "marks", marks) for n in counts]
    with Service(*marks) as service:
        text = bench("live", "volcasrtranscriber", counts[-1], seconds, service.uri)
    if text["errors"] or text["texts"] < counts[-1]:
        sys.exit(
            f"bench: {text['errors']} errors and warnings, {text['texts']} texts in "
            f"{counts[-1]} live transcribers"
        )
    ours = curve[-1]["cores"]
    row(
        f"{counts[-1]} live, marks: cores with volcasrtranscriber",
        f"{text['cores']:.3f}",
        f"volcasrsink {ours:.3f}",
        text["cores"] / ours,
        "<= 1.3",
        text["cores"] / ours / 1.3,
    )
    if len(curve) > 2:
        few, many = curve[-2], curve[-1]
        each, before = many["share"] / many["n"], few["share"] / few["n"]
        row(
            f"linear: a session's CPU, one of {many['n']} to one of {few['n']}",
            f"{each * 1000:.3f} ms/s",
            f"{before * 1000:.3f} ms/s",
            each / before,
            "<= 1.1",
            each / before / 1.1,
        )
        row(
            "threads beyond fakesink's",
            f"{many['beyond']}",
            f"at {curve[1]['n']}: {curve[1]['beyond']}",
        )
    speaking = {"SPEECH": os.path.join(scratch, "speech.pcm")}
    young, old = os.path.join(scratch, "young.json"), os.path.join(scratch, "old.json")
    # Warming up and starting one after the other take ten seconds.
    scripted.speech(young, seconds + 15, 0)
    # Five minutes, which is the average age of sessions that roll over after ten.
    scripted.speech(old, seconds + 15, 50)
    measure(
        counts[-1],
        "speech",
        ["--recogniser", "scripted", "--script", young, "--threads", "2"],
        **speaking,
    )
    # Of one number alone, that one.
    fewer = counts[-2:][0]
    measure(
        fewer,
        "speech, 5 min old",
        ["--recogniser", "scripted", "--script", old, "--threads", "2"],
        **speaking,
    )
    plot = Plot(
        "Live sessions in one process: what is the sinks', without the pipelines", "sessions"
    )
    plot.panel("cores", [(at["n"], at["share"]) for at in curve])
    plot.panel("KiB of memory for each", [(at["n"], at["each"]) for at in curve])
    plot.panel(
        "ms from a complete chunk to the kernel, 99 %", [(at["n"], at["p99_ms"]) for at in curve]
    )
    plot.panel("threads beyond fakesink's", [(at["n"], at["beyond"]) for at in curve])
    plot.write(os.path.join(TARGET, "live-sessions.svg"))


def long_streams():
    """Hours in one session: CPU and memory for each ten minutes."""
    hours = int(os.environ.get("BENCH_HOURS", "4"))
    plot = Plot("One session of hours, sped up", "hours of audio")
    for kind in ["single", "full"]:
        # Unanswered audio is kept, which is another matter; and each response in `full` repeats
        # everything.
        every = {"single": "1s", "full": "60s"}[kind]
        with Service("--recogniser", "marks", "--answer-every", every) as service:
            got = bench("long", service.uri, kind, hours, COMPRESSION="none", MALLOC_ARENA_MAX="1")
        # A sentence of marks takes 2.6 s.
        if not got["ended"] or got["failures"] or got["finals"] < hours * 3600 / 2.6 * 0.99:
            sys.exit(
                f"bench: {hours} hours, {kind}: {got['finals']} sentences, "
                f"{got['failures']} errors and warnings, ended: {got['ended']}"
            )
        cpus, memory = zip(*got["points"])
        steps = [(after - before) * 1000 / 600 for before, after in zip((0, *cpus), cpus)]
        quarter = len(steps) // 4
        # The first step has the start in it.
        first, last = statistics.median(steps[1:quarter]), statistics.median(steps[-quarter:])
        goal = {"goal": "<= 1.1", "share": last / first / 1.1} if kind == "single" else {}
        row(
            f"{hours} h, {kind}: CPU for a second, last quarter",
            f"{last:.4f} ms",
            f"first quarter {first:.4f} ms",
            last / first,
            **goal,
        )
        after_ten, most = memory[0], max(memory[1:])
        goal = {"goal": "<= 1.05", "share": most / after_ten / 1.05} if kind == "single" else {}
        row(
            f"{hours} h, {kind}: memory, at most",
            f"{most / 1024:.1f} MiB",
            f"after 10 min {after_ten / 1024:.1f} MiB",
            most / after_ten,
            **goal,
        )
        if kind == "single":
            # Each thread that allocates gets an arena of its own, sooner or later: a step of a
            # megabyte, by chance.
            with Service("--recogniser", "marks", "--answer-every", every) as service:
                got = bench("long", service.uri, kind, hours, COMPRESSION="none")
            usual = [kib for _, kib in got["points"]]
            row(
                "  the same, with more than one arena of malloc",
                f"{max(usual[1:]) / 1024:.1f} MiB",
                f"after 10 min {usual[0] / 1024:.1f} MiB",
                max(usual[1:]) / usual[0],
            )
        at = [(n + 1) / 6 for n in range(len(steps))]
        plot.panel(f"{kind}: ms of CPU for a second of audio", list(zip(at, steps)))
        plot.panel(f"{kind}: MiB of memory", [(hour, kib / 1024) for hour, kib in zip(at, memory)])
    plot.write(os.path.join(TARGET, "long-streams.svg"))


def machine():
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    name = model.group(1) if model else platform.machine()
    return f"{os.cpu_count()} processors: {name}, Linux {platform.release()}"


def main():
    began = time.monotonic()
    parts = os.environ.get("BENCH_PARTS", "hour one start reading live long").split()
    os.makedirs(PLUGIN, exist_ok=True)
    shutil.copy(os.path.join(RELEASE, "libgstvolcasr.so"), PLUGIN)
    print(machine())
    line("", "volcasrsink", "beside", "ratio", "goal", "of goal")
    with tempfile.TemporaryDirectory() as scratch:
        once, pcm = speech(), os.path.join(scratch, "hour.pcm")
        with open(os.path.join(scratch, "speech.pcm"), "wb") as file:
            file.write(once)
        if "hour" in parts:
            with open(pcm, "wb") as file:
                file.write((once * (HOUR * RATE * 2 // len(once) + 1))[: HOUR * RATE * 2])
            cpu_of_an_hour(pcm)
            os.remove(pcm)
        if "one" in parts:
            one_session()
        if "start" in parts:
            start_up()
        if "reading" in parts:
            reading(scratch)
        if "live" in parts:
            live_sessions(scratch)
        if "long" in parts:
            long_streams()
    took = time.monotonic() - began
    print(f"{took:.0f} s; the curves: {TARGET}/live-sessions.svg, {TARGET}/long-streams.svg")


if __name__ == "__main__":
    main()
