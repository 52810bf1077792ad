#!/usr/bin/env python3
"""Echo in the way of the tutorial, with Python's sockets, to test the programs here against.

    echo_peer.py serve-one                 serves one client with blocking calls, then ends
    echo_peer.py serve-many CLIENTS [PORT] serves with a selector until so many have ended
    echo_peer.py talk HOST PORT            sends two lines, prints the answer of one recv
    echo_peer.py talk-many HOST PORT N     N connections, two messages on each, with a selector

The servers listen on 127.0.0.1, on a free port unless one is given, and print it. Whatever they read they print.
"""

import selectors
import socket
import sys

MESSAGES = [b"first message of a peer.", b"second message."]


def listener(port=0):
    server = socket.create_server(("127.0.0.1", port), backlog=128)
    print(server.getsockname()[1], flush=True)
    return server


def serve_one():
    with listener() as server:
        connection, _ = server.accept()
        with connection:
            while data := connection.recv(1024):
                print(data.decode(), flush=True)
                connection.sendall(data)


def serve_many(clients, port=0):
    selector = selectors.DefaultSelector()
    server = listener(port)
    server.setblocking(False)
    selector.register(server, selectors.EVENT_READ, None)
    pending = {}
    ended = 0
    while ended < clients:
        for key, mask in selector.select():
            sock = key.fileobj
            if key.data is None:
                connection, _ = sock.accept()
                connection.setblocking(False)
                pending[connection] = b""
                both = selectors.EVENT_READ | selectors.EVENT_WRITE
                selector.register(connection, both, "client")
                continue
            if mask & selectors.EVENT_READ:
                try:
                    data = sock.recv(1024)
                except ConnectionError:
                    data = b""
                if not data:
                    selector.unregister(sock)
                    sock.close()
                    ended += 1
                    continue
                pending[sock] += data
            if mask & selectors.EVENT_WRITE and pending[sock]:
                try:
                    sent = sock.send(pending[sock])
                except ConnectionError:
                    sent = len(pending[sock])  # the next read says that it has ended
                pending[sock] = pending[sock][sent:]


def talk(host, port):
    with socket.create_connection((host, port)) as connection:
        connection.sendall(b"hello, universe.\nHi, friend.")
        print(connection.recv(1024).decode())


def talk_many(host, port, count):
    selector = selectors.DefaultSelector()
    due = sum(map(len, MESSAGES))
    for _ in range(count):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex((host, port))
        state = {"left": MESSAGES.copy(), "got": b""}
        selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE, state)
    while selector.get_map():
        for key, mask in selector.select(timeout=1):
            sock, state = key.fileobj, key.data
            if mask & selectors.EVENT_READ:
                state["got"] += sock.recv(1024)
                if len(state["got"]) == due:
                    print(state["got"].decode())
                    selector.unregister(sock)
                    sock.close()
                    continue
            if mask & selectors.EVENT_WRITE and state["left"]:
                sock.sendall(state["left"].pop(0))


def main():
    command, *args = sys.argv[1:]
    if command == "serve-one":
        serve_one()
    elif command == "serve-many":
        serve_many(*map(int, args))
    elif command == "talk":
        talk(args[0], int(args[1]))
    elif command == "talk-many":
        talk_many(args[0], int(args[1]), int(args[2]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
