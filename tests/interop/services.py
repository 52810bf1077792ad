"""A small service of each kind: services.py KIND prints its port and serves until stdin ends.

line     answers each line with OK and the line; ERR and a word for every third
prefix   answers a message behind its length in 4 bytes, big-endian, with one of the same form
self     the same with 2 bytes, little-endian, which count themselves
fixed    answers 4 bytes with 12
close    answers a line and closes
sink     answers nothing
mute     reads, and never answers
daytime  answers a line with as many bytes as it takes, in pieces of 3
"""

import socket
import struct
import sys
import threading
import time


def receive(conn, count):
    data = b""
    while len(data) < count:
        part = conn.recv(count - len(data))
        if not part:
            return None
        data += part
    return data


def line(conn):
    with conn.makefile("rb") as lines:
        for number, text in enumerate(lines):
            ok = number % 3 != 2
            conn.sendall(b"OK " + text if ok else b"ERR broken\n")


def prefix(conn):
    while (head := receive(conn, 4)) is not None:
        body = receive(conn, struct.unpack(">I", head)[0])
        answer = b"answer to " + body
        conn.sendall(struct.pack(">I", len(answer)) + answer)


def itself(conn):
    while (head := receive(conn, 2)) is not None:
        receive(conn, struct.unpack("<H", head)[0] - 2)
        conn.sendall(struct.pack("<H", 7) + b"fine.")


def fixed(conn):
    while receive(conn, 4) is not None:
        conn.sendall(b"twelve bytes")


def close(conn):
    with conn.makefile("rb") as lines:
        conn.sendall(b"you said " + lines.readline())


def sink(conn):
    while conn.recv(65536):
        pass


def daytime(conn):
    with conn.makefile("rb") as lines:
        for text in lines:
            for at in range(0, len(text), 3):
                conn.sendall(text[at : at + 3])
                time.sleep(0.001)


KINDS = {
    "line": line,
    "prefix": prefix,
    "self": itself,
    "fixed": fixed,
    "close": close,
    "sink": sink,
    "mute": sink,
    "daytime": daytime,
}


def handle(conn, serve):
    with conn:
        try:
            serve(conn)
        except OSError:
            pass


def accept(server, serve):
    while True:
        conn, _ = server.accept()
        threading.Thread(target=handle, args=(conn, serve), daemon=True).start()


with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
    threading.Thread(target=accept, args=(server, KINDS[sys.argv[1]]), daemon=True).start()
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
