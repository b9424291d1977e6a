#!/usr/bin/env python3
"""What a program in Python does to have speech recognised, with what comes with Python: `baseline.py PORT PCM MS`.

Sends a file (S16LE, 24 kHz, mono) as gzip frames of so many milliseconds, as fast as it goes, and waits for the final response. Prints
one line of JSON: the CPU that it took from the first frame on, in ms for a second of audio. scripts/bench.py runs it.
"""
import gzip
import json
import os
import resource
import socket
import struct
import sys
import uuid

REQUEST = {
    "user": {"uid": "baseline"},
    "audio": {"format": "pcm", "codec": "raw", "rate": 24000, "bits": 16, "channel": 1},
    "request": {"model_name": "bigmodel", "enable_itn": True, "enable_punc": True, "show_utterances": True},
}
AUDIO, FULL_REQUEST = 0b0010, 0b0001
NUMBERED, LAST = 0b0001, 0b0011


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = [
        "GET /api/v3/sauc/bigmodel_async HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "X-Api-App-Key: app-1",
        "X-Api-Access-Key: secret-access-key",
        "X-Api-Resource-Id: volc.seedasr.sauc.duration",
        f"X-Api-Connect-Id: {uuid.uuid4()}",
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    reader = connection.makefile("rb")
    if b" 101 " not in reader.readline():
        sys.exit("the service refuses")
    while reader.readline().strip():
        pass
    return connection, reader


def send(connection, data):
    """One binary message, masked."""
    size = len(data)
    length = bytes([0x80 | size]) if size < 126 else struct.pack(">BH", 0xFE, size) if size < 65536 else struct.pack(">BQ", 0xFF, size)
    key = os.urandom(4)
    mask = (key * (size // 4 + 1))[:size]
    masked = (int.from_bytes(data, "little") ^ int.from_bytes(mask, "little")).to_bytes(size, "little")
    connection.sendall(b"\x82" + length + key + masked)


def packet(kind, flags, number, payload):
    packed = gzip.compress(payload)
    return bytes([0x11, kind << 4 | flags, 0x11, 0]) + struct.pack(">iI", number, len(packed)) + packed


def receive(reader):
    """One message: whether it is the last."""
    first, size = reader.read(2)
    if size == 126:
        (size,) = struct.unpack(">H", reader.read(2))
    elif size == 127:
        (size,) = struct.unpack(">Q", reader.read(8))
    message = reader.read(size)
    return first & 0x0F == 8 or bool(message[1] & 0b0010)


def main(port, path, ms):
    connection, reader = connect(port)
    send(connection, packet(FULL_REQUEST, NUMBERED, 1, json.dumps(REQUEST).encode()))
    receive(reader)
    with open(path, "rb") as file:
        pcm = file.read()
    before = resource.getrusage(resource.RUSAGE_SELF)
    number, step = 2, 48 * ms
    for at in range(0, len(pcm), step):
        send(connection, packet(AUDIO, NUMBERED, number, pcm[at : at + step]))
        number += 1
    send(connection, packet(AUDIO, LAST, -number, b""))
    while not receive(reader):
        pass
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"ms": used * 1000 / (len(pcm) / 48000)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
