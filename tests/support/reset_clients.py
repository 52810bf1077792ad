"""Clients that reset before they are accepted: reset_clients.py PORT COUNT HELLO [CA].

HELLO is what a client sends, in hexadecimal, and is answered by at least a byte. With CA, the file of
an authority, clients that say hello speak TLS. Quiet moments and attacks take turns, so that a busy
machine disturbs both. Prints a line of JSON, in milliseconds: how long clients took in quiet moments,
how long a client that was there before waited for answers beside the resets, how long it took to
make them, and how long the first client after them took.
"""
import json
import os
import socket
import ssl
import struct
import sys
import time

ROUNDS = 2
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def reset(port, count):
    for _ in range(count):
        sock = socket.socket()
        sock.connect(("127.0.0.1", port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        sock.close()


def connect(port, tls):
    sock = socket.create_connection(("127.0.0.1", port))
    sock.settimeout(60)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock if tls is None else tls.wrap_socket(sock, server_hostname="127.0.0.1")


def ask(sock, hello):
    begin = time.perf_counter()
    sock.sendall(hello)
    if sock.recv(65536) == b"":
        raise EOFError("the server closed the connection")
    return (time.perf_counter() - begin) * 1000


def ask_newly(port, hello, tls):
    begin = time.perf_counter()
    with connect(port, tls) as sock:
        ask(sock, hello)
    return (time.perf_counter() - begin) * 1000


def main():
    port, count, hello = int(sys.argv[1]), int(sys.argv[2]), bytes.fromhex(sys.argv[3])
    tls = ssl.create_default_context(cafile=sys.argv[4]) if len(sys.argv) > 4 else None
    quiet, beside, resets, after = [], [], [], []
    with connect(port, tls) as neighbour:
        for _ in range(ROUNDS):
            for _ in range(20):
                quiet.append(ask_newly(port, hello, tls))
                quiet.append(ask(neighbour, hello))
            begin = time.perf_counter()
            flood = os.fork()
            if flood == 0:
                reset(port, count)
                os._exit(0)
            while os.waitpid(flood, os.WNOHANG)[0] == 0:
                beside.append(ask(neighbour, hello))
                time.sleep(0.001)
            resets.append((time.perf_counter() - begin) * 1000)
            after.append(ask_newly(port, hello, tls))
    print(json.dumps({"quiet": quiet, "beside": beside, "resets": resets, "after": after}))


main()
