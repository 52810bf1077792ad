#!/usr/bin/env python3
"""A publisher and subscriber in Python, to test the broker against a second implementation.

Written from docs/protocol.md with `struct`, `json` and the standard library's sockets.

    pubsub_peer.py pub HOST PORT TOPIC COUNT    publishes the texts 0, 1, …, the last one confirmed,
                                                and prints the broker's answer to that
    pubsub_peer.py sub HOST PORT FILTER COUNT   subscribes, prints the answer, then a line of JSON
                                                for each frame, until COUNT were received or missed
    pubsub_peer.py work HOST PORT STREAM COUNT  stores COUNT texts on the topic STREAM.py, works them
                                                off as the consumer python, each acknowledged, and
                                                prints a line of JSON for each
    pubsub_peer.py echo HOST PORT TOPIC COUNT   answers COUNT requests with their text in capitals
"""

import json
import socket
import struct
import sys


class Peer:
    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=20)
        self.file = self.socket.makefile("rb")

    def send(self, op: str, content: bytes = b"", **fields: object) -> None:
        header = {
            "byteorder": sys.byteorder,
            "content-type": "text/plain",
            "content-encoding": "utf-8",
            "content-length": len(content),
            "op": op,
            **fields,
        }
        encoded = json.dumps(header, ensure_ascii=False).encode("utf-8")
        self.socket.sendall(struct.pack(">H", len(encoded)) + encoded + content)

    def receive(self) -> tuple[dict, bytes]:
        """The next frame; a ping is answered on the way."""
        while True:
            (size,) = struct.unpack(">H", self.exactly(2))
            header = json.loads(self.exactly(size).decode("utf-8"))
            content = self.exactly(header["content-length"])
            if header["op"] != "ping":
                return header, content
            self.send("pong")

    def exactly(self, size: int) -> bytes:
        data = self.file.read(size)
        if len(data) != size:
            raise EOFError("the broker closed the connection")
        return data


def show(value: object) -> None:
    print(json.dumps(value), flush=True)


def work(peer: Peer, stream: str, total: int) -> None:
    """Stores all, then takes and acknowledges all; answers and deliveries come in any order."""
    for number in range(total):
        fields = {"stored": True, "msg-id": f"py-{number}", "id": 100 + number}
        peer.send("pub", str(number).encode(), topic=f"{stream}.py", **fields)
        answer, _ = peer.receive()
        assert (answer["op"], answer["seq"]) == ("ok", number + 1), answer
    name = {"stream": stream, "consumer": "python"}
    peer.send("consume", **name, sid=7, id=4)
    acked = 0
    while acked < total:
        header, content = peer.receive()
        if header["op"] == "pub":
            show({"header": header, "text": content.decode()})
            peer.send("ack", **name, deliveries=[header["delivery"]], id=1000 + header["seq"])
        elif header["id"] > 1000:
            assert header["op"] == "ok", header
            acked += 1


def main() -> None:
    action, host, port, topic, count = sys.argv[1:]
    peer, total = Peer(host, int(port)), int(count)
    peer.send("hello", id=1, version=1, name="python")
    answer, _ = peer.receive()
    assert answer["op"] == "ok" and answer["id"] == 1, answer
    if action == "pub":
        for number in range(total):
            last = {"id": 2} if number == total - 1 else {}
            peer.send("pub", str(number).encode(), topic=topic, **last)
        show(peer.receive()[0])
        peer.send("bye")
        return
    if action == "work":
        return work(peer, topic, total)
    peer.send("sub", topic=topic, id=3)
    show(peer.receive()[0])
    done = 0
    while done < total:
        header, content = peer.receive()
        if action == "echo":
            peer.send("pub", content.decode().upper().encode(), topic=header["reply-to"])
            done += 1
            continue
        show({"header": header, "text": content.decode()})
        done += header["count"] if header["op"] == "missed" else 1


main()
