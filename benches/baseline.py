#!/usr/bin/env python3
"""A client in Python as people write it, with the package `websockets`: `baseline.py PORT PCM MS`.

Sends a file (S16LE, 24 kHz, mono) as gzip frames of MS milliseconds, as fast as the service takes
them, and waits for the final response. Prints one line of JSON: the CPU from the first frame on, in
milliseconds for a second of audio. scripts/bench.py runs it.
"""
import asyncio
import gzip
import json
import resource
import struct
import sys
import uuid

import websockets

REQUEST = {
    "user": {"uid": "baseline"},
    "audio": {"format": "pcm", "codec": "raw", "rate": 24000, "bits": 16, "channel": 1},
    "request": {
        "model_name": "bigmodel",
        "enable_itn": True,
        "enable_punc": True,
        "show_utterances": True,
    },
}
HEADERS = {
    "X-Api-App-Key": "app-1",
    "X-Api-Access-Key": "secret-access-key",
    "X-Api-Resource-Id": "volc.seedasr.sauc.duration",
}
AUDIO, FULL_REQUEST = 0b0010, 0b0001
SEQUENCE, LAST = 0b0001, 0b0011


def packet(kind, flags, number, payload):
    packed = gzip.compress(payload)
    header = bytes([0x11, kind << 4 | flags, 0x11, 0])
    return header + struct.pack(">iI", number, len(packed)) + packed


def is_last(message):
    return bool(message[1] & 0b0010)


def parse(message):
    """The JSON of a response, as every client reads it."""
    at = 8 if message[1] & SEQUENCE else 4
    (size,) = struct.unpack(">I", message[at : at + 4])
    return json.loads(message[at + 4 : at + 4 + size])


async def receive(connection):
    async for message in connection:
        parse(message)
        if is_last(message):
            return


async def main(port, path, ms):
    with open(path, "rb") as file:
        pcm = file.read()
    connection = await websockets.connect(
        f"ws://127.0.0.1:{port}/api/v3/sauc/bigmodel_async",
        additional_headers={**HEADERS, "X-Api-Connect-Id": str(uuid.uuid4())},
        ping_interval=None,
        proxy=None,
    )
    await connection.send(packet(FULL_REQUEST, SEQUENCE, 1, json.dumps(REQUEST).encode()))
    parse(await connection.recv())
    receiver = asyncio.create_task(receive(connection))
    before = resource.getrusage(resource.RUSAGE_SELF)
    number, step = 2, 48 * ms
    for at in range(0, len(pcm), step):
        await connection.send(packet(AUDIO, SEQUENCE, number, pcm[at : at + step]))
        number += 1
    await connection.send(packet(AUDIO, LAST, -number, b""))
    await receiver
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"ms": used * 1000 / (len(pcm) / 48000)}))
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
