#!/usr/bin/env python3
"""Compares deflate libraries on speech, frame by frame.

Prints the table of time and bytes that src/protocol/compression.rs quotes.

    python3 -m venv DIR && DIR/bin/pip install deflate isal zlib-ng
    DIR/bin/python benches/packing.py SPEECH.pcm

SPEECH.pcm is S16LE, 24 kHz, mono; some minutes are enough. Libraries that are not installed are
left out: `deflate` is libdeflate, which the plugin uses through libdeflater. All of them are called
through Python in the same way, once for each frame, with the state that each makes for itself; that
costs them some microseconds each.
"""
import importlib
import sys
import time
import zlib

SECOND = 48_000
# Rounds over the pieces as they come; the best counts.
ROUNDS = 3


def members():
    """Name, and a function from bytes to a gzip member (or as long as one)."""
    for level in (1, 6, 9):
        compress = lambda data, level=level: zlib.compress(data, level, 31)
        yield f"zlib {zlib.ZLIB_RUNTIME_VERSION}, level {level}", compress
    for module, label, levels in [
        ("zlib_ng.zlib_ng", "zlib-ng", (1, 2, 6, 9)),
        ("isal.isal_zlib", "isa-l", (0, 1, 2, 3)),
    ]:
        try:
            library = importlib.import_module(module)
        except ImportError:
            continue
        for level in levels:
            compress = lambda data, level=level, zlib=library: zlib.compress(data, level, 31)
            yield f"{label}, level {level}", compress
    try:
        import deflate
    except ImportError:
        return
    for level in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10):
        compress = lambda data, level=level: deflate.gzip_compress(data, level)
        yield f"libdeflate, level {level}", compress


def measure(pack, frames):
    best = None
    for _ in range(ROUNDS):
        size, began = 0, time.process_time()
        for frame in frames:
            size += len(pack(frame))
        took = time.process_time() - began
        best = took if best is None else min(best, took)
    return best, size


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as file:
        pcm = file.read(240 * SECOND)
    seconds = len(pcm) / SECOND
    print(f"{'':<34} {'100 ms':>20} {'200 ms':>22}")
    for name, pack in members():
        cells = []
        for ms in (100, 200):
            step = SECOND * ms // 1000
            took, size = measure(pack, [pcm[at : at + step] for at in range(0, len(pcm), step)])
            cells.append(f"{took * 1000 / seconds:.3f} ms/s {100 * size / len(pcm):6.2f} %")
        print(f"{name:<34} {cells[0]:>20}  {cells[1]:>20}", flush=True)


if __name__ == "__main__":
    main()
