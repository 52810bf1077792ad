#!/usr/bin/env python3
"""A second implementation of the framed request/response protocol, to test the first one against.

Written from docs/protocol.md with `struct` and `json` for the frames and the standard library's
sockets and threads for the rest. It is strict where the protocol lets a receiver be strict.

    peer.py serve PORT [--close-after-each] [--timeout SECONDS]

Serves the tutorial's three entries on 127.0.0.1 and prints `listening PORT`; PORT 0 takes a free
one. Ends by itself when no connection has come for SECONDS (default 30).

    peer.py request HOST PORT [--timeout SECONDS]

Reads commands from stdin, a JSON object on each line, and sends a request for each:

    {"json": VALUE}                      text/json
    {"binary": BASE64, "type": TEXT}     any bytes; the type has a default
    {"raw": BASE64}                      bytes that go out as they are, be they a frame or not

with any of these beside it:

    "encoding": "utf-8"      of a json request, e.g. "utf-16" or "latin-1"
    "byteorder": "little"    the header's field, and the order of UTF-16
    "header": {}             further fields of the header
    "responses": 1           how many responses are due
    "pipeline": false        send the next request before these responses came
    "half_close": false      close the sending half behind this request, then read to the end
    "until_close": false     read until the server closes, without closing anything

It prints a line of JSON for each response, {"header": …, "compact": …, "text": …} or with "base64"
where the encoding is binary; "compact" tells whether the header is written as encoders must. Each
connection ends with a line {"end": …}: "closed by us", "closed by peer", "reset by peer",
"timeout", or "broken" with "code" and "message". Where a server closes after an answer, what is
unanswered is sent again over a further connection. Exit code 0 where all was in order, else 1.
"""

from __future__ import annotations

import base64
import json
import socket
import struct
import sys
import threading
from typing import Any, NamedTuple

MAX_CONTENT_BYTES = 16 * 1024 * 1024
MAX_SAFE_INTEGER = 2**53 - 1
FOUR_FIELDS = ["byteorder", "content-type", "content-encoding", "content-length"]
ENTRIES = {
    "morpheus": "Follow the white rabbit. \U0001f430",
    "ring": "In the caves beneath the Misty Mountains. \U0001f48d",
    "\U0001f436": "\U0001f43e Playing ball! \U0001f3d0",
}


class BrokenFrame(Exception):
    """A stream of frames that breaks a rule of the protocol."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Frame(NamedTuple):
    """A frame as it was received."""

    header: dict[str, Any]
    content: bytes
    compact: bool


def read_exactly(sock: socket.socket, size: int) -> bytes:
    """Reads `size` bytes, or fewer where the stream ends before. Memory grows with what comes."""
    pieces: list[bytes] = []
    missing = size
    while missing > 0:
        piece = sock.recv(min(missing, 65_536))
        if not piece:
            break
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def refuse_constant(name: str) -> Any:
    """Python's parser takes NaN and Infinity, which are no JSON."""
    raise ValueError(f"{name} is not JSON")


def parse_json(text: str) -> Any:
    """Parses JSON and nothing else."""
    # A whole number of very many digits is a number all the same, only not an exact one.
    return json.loads(
        text,
        parse_constant=refuse_constant,
        parse_int=lambda digits: int(digits) if len(digits) < 400 else float("inf"),
    )


def write_json(value: Any) -> str:
    """Compact JSON; lone surrogates are escaped, as UTF-8 has no bytes for them."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, separators=(",", ":"))
    return text


def parse_header(raw: bytes) -> dict[str, Any]:
    """Parses a header and checks its four fields."""
    try:
        # Decoded as plain UTF-8, a byte order mark stays in the text, and no JSON begins with it.
        header = parse_json(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BrokenFrame("header-syntax", f"the header is no JSON in UTF-8: {error}") from error
    if not isinstance(header, dict):
        raise BrokenFrame("header-syntax", "the header is no object")
    for field in FOUR_FIELDS:
        if field not in header:
            raise BrokenFrame("header-field", f"{field} is missing")
    if header["byteorder"] not in ("little", "big"):
        raise BrokenFrame("header-field", "byteorder is neither little nor big")
    for field in ("content-type", "content-encoding"):
        if not isinstance(header[field], str):
            raise BrokenFrame("header-field", f"{field} is no text")
    length = header["content-length"]
    # True is an int to Python; 1.0 and 1e2 are whole numbers to JSON.
    whole = not isinstance(length, bool) and (
        isinstance(length, int) or (isinstance(length, float) and length.is_integer())
    )
    if not whole or not 0 <= length <= MAX_SAFE_INTEGER:
        raise BrokenFrame("header-field", "content-length is no size")
    return header


def is_compact(raw: bytes, header: dict[str, Any]) -> bool:
    """Whether the header is written as encoders must: compact, the four fields first, in order."""
    text = raw.decode("utf-8")
    return list(header)[:4] == FOUR_FIELDS and text in (
        json.dumps(header, ensure_ascii=False, separators=(",", ":")),
        json.dumps(header, separators=(",", ":")),
    )


def read_frame(sock: socket.socket) -> Frame | None:
    """Reads a frame; None where the stream ends before one begins."""
    length_bytes = read_exactly(sock, 2)
    if not length_bytes:
        return None
    if len(length_bytes) < 2:
        raise BrokenFrame("truncated", "the stream ended inside the header length: 1 of 2 bytes")
    (header_length,) = struct.unpack(">H", length_bytes)
    if header_length == 0:
        raise BrokenFrame("header-syntax", "the header length is 0")
    raw = read_exactly(sock, header_length)
    if len(raw) < header_length:
        raise BrokenFrame(
            "truncated", f"the stream ended inside the header: {len(raw)} of {header_length} bytes"
        )
    header = parse_header(raw)
    size = int(header["content-length"])
    if size > MAX_CONTENT_BYTES:
        raise BrokenFrame("frame-too-large", f"{size} bytes of content, {MAX_CONTENT_BYTES} allowed")
    content = read_exactly(sock, size)
    if len(content) < size:
        raise BrokenFrame(
            "truncated", f"the stream ended inside the content: {len(content)} of {size} bytes"
        )
    return Frame(header, content, is_compact(raw, header))


def make_frame(
    content: bytes,
    content_type: str,
    encoding: str,
    byteorder: str = sys.byteorder,
    extra: dict[str, Any] | None = None,
) -> bytes:
    """Puts header length and header in front of a content."""
    header = {
        "byteorder": byteorder,
        "content-type": content_type,
        "content-encoding": encoding,
        "content-length": len(content),
        **(extra or {}),
    }
    raw = write_json(header).encode("utf-8")
    return struct.pack(">H", len(raw)) + raw + content


def make_json_frame(
    value: Any,
    encoding: str = "utf-8",
    byteorder: str = sys.byteorder,
    extra: dict[str, Any] | None = None,
) -> bytes:
    """A frame of JSON in any encoding; UTF-16 has a byte order mark and the sender's order."""
    text = write_json(value)
    if encoding.lower().replace("_", "-") == "utf-16":
        content = ("\ufeff" + text).encode("utf-16-le" if byteorder == "little" else "utf-16-be")
    else:
        content = text.encode(encoding)
    return make_frame(content, "text/json", encoding, byteorder, extra)


# The server.


def error_response(code: str, message: str) -> bytes:
    """The response that names a fault."""
    return make_json_frame(
        {"result": f"Error: {message}.", "error": {"code": code, "message": message}}
    )


def answer(request: Frame) -> bytes:
    """The response to a request."""
    if request.header["content-type"] != "text/json":
        content = b"First 10 bytes of request: " + request.content[:10]
        return make_frame(content, "binary/custom-server-binary-type", "binary")
    try:
        value = parse_json(request.content.decode(request.header["content-encoding"]))
    except LookupError as error:
        return error_response("unknown-encoding", str(error))
    except UnicodeDecodeError as error:
        return error_response("bad-text", str(error))
    except (ValueError, RecursionError) as error:
        return error_response("bad-json", str(error))
    if not isinstance(value, dict):
        return error_response("bad-request", "the request is no object")
    action = value.get("action")
    if action != "search":
        return make_json_frame({"result": f"Error: invalid action '{action}'."})
    query = value.get("value")
    if not isinstance(query, str):
        return error_response("bad-request", "value is no text")
    return make_json_frame({"result": ENTRIES.get(query, f"No match for '{query}'.")})


def close_gently(sock: socket.socket) -> None:
    """Closes so that what was sent still arrives: closing with bytes unread would reset."""
    try:
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(2)
        while sock.recv(65_536):
            pass
    except OSError:
        pass
    sock.close()


def serve_connection(sock: socket.socket, close_after_each: bool) -> None:
    """Answers the requests of a connection, in order."""
    try:
        while True:
            try:
                request = read_frame(sock)
            except BrokenFrame as error:
                sock.sendall(error_response(error.code, str(error)))
                break
            if request is None:
                break
            sock.sendall(answer(request))
            if close_after_each:
                break
    except OSError:
        pass
    close_gently(sock)


def serve(port: int, close_after_each: bool, timeout: float) -> int:
    """Accepts connections until none has come for `timeout` seconds."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(timeout)
        print(f"listening {listener.getsockname()[1]}", flush=True)
        while True:
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                return 0
            sock.settimeout(timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(
                target=serve_connection, args=(sock, close_after_each), daemon=True
            ).start()


# The client.


class Command(NamedTuple):
    """A line of stdin."""

    request: bytes
    responses: int
    pipeline: bool
    half_close: bool
    until_close: bool


def parse_command(line: str) -> Command:
    """Reads a line of stdin. A wrong one is the caller's mistake and ends the program."""
    command = json.loads(line)
    byteorder = command.get("byteorder", sys.byteorder)
    extra = command.get("header")
    if "json" in command:
        encoding = command.get("encoding", "utf-8")
        request = make_json_frame(command["json"], encoding, byteorder, extra)
    elif "binary" in command:
        content = base64.b64decode(command["binary"], validate=True)
        content_type = command.get("type", "binary/custom-client-binary-type")
        request = make_frame(content, content_type, "binary", byteorder, extra)
    else:
        request = base64.b64decode(command["raw"], validate=True)
    return Command(
        request,
        int(command.get("responses", 1)),
        bool(command.get("pipeline", False)),
        bool(command.get("half_close", False)),
        bool(command.get("until_close", False)),
    )


def print_line(value: dict[str, Any]) -> None:
    """Prints a line of JSON, in ASCII so that no terminal or pipe can spoil it."""
    print(json.dumps(value), flush=True)


def print_response(frame: Frame) -> None:
    """Prints a response, decoded by its own header."""
    line: dict[str, Any] = {"header": frame.header, "compact": frame.compact}
    encoding = frame.header["content-encoding"]
    if encoding == "binary":
        line["base64"] = base64.b64encode(frame.content).decode("ascii")
    else:
        try:
            line["text"] = frame.content.decode(encoding)
            if frame.header["content-type"] == "text/json":
                parse_json(line["text"])
        except (LookupError, ValueError) as error:
            raise BrokenFrame("content", f"the content is not what it is called: {error}") from error
    print_line(line)


class Connection:
    """One connection: it sends in a thread, so that neither side can wait for the other forever."""

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        self.sock = socket.create_connection(address, timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answered = 0
        self.due = 0

    def send(self, data: bytes, half_close: bool) -> None:
        """Sends. A failure shows when the response is read."""
        try:
            self.sock.sendall(data)
            if half_close:
                self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def read_response(self) -> bool:
        """Reads and prints a response; False where the server closed instead."""
        frame = read_frame(self.sock)
        if frame is None:
            return False
        print_response(frame)
        self.answered += 1
        return True

    def run(self, commands: list[Command]) -> str:
        """Sends the commands, prints the responses; returns how the connection ended."""
        position = 0
        while position < len(commands):
            batch = [commands[position]]
            while batch[-1].pipeline and position + len(batch) < len(commands):
                batch.append(commands[position + len(batch)])
            position += len(batch)
            last = batch[-1]
            sender = threading.Thread(
                target=self.send,
                args=(b"".join(each.request for each in batch), last.half_close),
                daemon=True,
            )
            sender.start()
            self.due += sum(each.responses for each in batch)
            while self.answered < self.due:
                if not self.read_response():
                    return "closed by peer"
            sender.join()
            if last.half_close or last.until_close:
                while self.read_response():
                    pass
                return "closed by peer"
        return "closed by us"


def unanswered(commands: list[Command], answered: int) -> list[Command]:
    """The commands that have not had all their responses."""
    rest = list(commands)
    while rest and answered >= rest[0].responses:
        answered -= rest[0].responses
        rest.pop(0)
    return rest


def request(host: str, port: int, timeout: float) -> int:
    """Sends what stdin says, over as many connections as the server makes necessary."""
    commands = [parse_command(line) for line in sys.stdin if line.strip()]
    while True:
        try:
            connection = Connection((host, port), timeout)
        except OSError as error:
            print_line({"end": "refused", "message": str(error)})
            return 1
        end: dict[str, Any]
        try:
            end = {"end": connection.run(commands)}
        except BrokenFrame as error:
            end = {"end": "broken", "code": error.code, "message": str(error)}
        except TimeoutError:
            end = {"end": "timeout"}
        except OSError:
            end = {"end": "reset by peer"}
        connection.sock.close()
        print_line(end)
        if end["end"] in ("broken", "timeout"):
            return 1
        rest = unanswered(commands, connection.answered)
        if not rest:
            return 0 if end["end"] != "reset by peer" else 1
        if connection.answered == 0:
            return 1
        commands = rest


def main(arguments: list[str]) -> int:
    """Runs the command line."""
    arguments = list(arguments)
    timeout = 0.0
    if "--timeout" in arguments:
        at = arguments.index("--timeout")
        timeout = float(arguments[at + 1])
        del arguments[at : at + 2]
    close_after_each = "--close-after-each" in arguments
    if close_after_each:
        arguments.remove("--close-after-each")
    if len(arguments) == 2 and arguments[0] == "serve":
        return serve(int(arguments[1]), close_after_each, timeout or 30)
    if len(arguments) == 3 and arguments[0] == "request":
        return request(arguments[1], int(arguments[2]), timeout or 10)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
