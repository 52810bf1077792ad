"""Clients that never complete a TLS handshake: slow_handshakes.py PORT COUNT CA [SECONDS].

Opens COUNT connections to 127.0.0.1. A third says nothing, a third sends a ClientHello a byte at a
time, a third sends all of it and then nothing. What the server closes is opened again half a second
to a second later, not all at once, so that most are there all the time. After each round a healthy
client connects, completes its handshake and gets an echo. Quiet moments and attacks take turns, so
that a busy machine disturbs both. After SECONDS, prints a line of JSON, in milliseconds: how long
such clients took in quiet moments, and beside the others, a list for each attack.
"""
import json
import socket
import ssl
import sys
import time

ROUNDS = 2
QUIET = 20

# Of 100 and fewer the 99th percentile is the longest, that of the client behind all that come at once.
LEAST = 101


def client_hello(ca):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context(cafile=ca).wrap_bio(incoming, outgoing, server_hostname="x")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake needs a server")


class Slow:
    def __init__(self, port, kind, hello, pause):
        self.port, self.kind, self.hello, self.pause = port, kind, hello, pause
        self.sock, self.sent, self.again = None, 0, 0

    def step(self, now):
        if self.sock is None:
            if now < self.again:
                return
            self.sock = socket.create_connection(("127.0.0.1", self.port))
            self.sock.setblocking(False)
            self.sent = 0
        try:
            if self.kind == 1 and self.sent < len(self.hello) - 1:
                self.sent += self.sock.send(self.hello[self.sent : self.sent + 1])
            if self.kind == 2 and self.sent == 0:
                self.sent = self.sock.send(self.hello)
            while self.sock.recv(65536):
                pass
            self.close(now)
        except BlockingIOError:
            pass
        except OSError:
            self.close(now)

    def close(self, now):
        self.sock.close()
        self.sock, self.again = None, now + self.pause

    def leave(self):
        if self.sock is not None:
            self.close(0)
        self.again = 0


def healthy(port, ca):
    begin = time.perf_counter()
    sock = socket.create_connection(("127.0.0.1", port))
    sock.settimeout(60)
    context = ssl.create_default_context(cafile=ca)
    with context.wrap_socket(sock, server_hostname="127.0.0.1") as tls:
        tls.sendall(b"hello")
        if tls.recv(65536) != b"hello":
            raise EOFError("the server closed the connection")
    return (time.perf_counter() - begin) * 1000


def main():
    port, count, ca = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    seconds = float(sys.argv[4]) if len(sys.argv) > 4 else 1.5
    hello = client_hello(ca)
    slow = [Slow(port, i % 3, hello, 0.5 + 0.5 * i / count) for i in range(count)]
    quiet, beside = [], []
    for _ in range(ROUNDS):
        for each in slow:
            each.leave()
        quiet += [healthy(port, ca) for _ in range(QUIET)]
        times = []
        end = time.monotonic() + seconds / ROUNDS
        while time.monotonic() < end or len(times) < LEAST:
            now = time.monotonic()
            for each in slow:
                each.step(now)
            times.append(healthy(port, ca))
        beside.append(times)
    open_count = sum(each.sock is not None for each in slow)
    print(json.dumps({"quiet": quiet, "beside": beside, "open": open_count}), flush=True)
    sys.stdin.read()


main()
