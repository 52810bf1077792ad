"""Who sees a reset: both ends of a connection through a proxy, by plain sockets.

run: python3 reset_peer.py PROXY_PORT UPSTREAM_PORT < commands

A command is one line, answered by one line:

    open      listens on UPSTREAM_PORT, connects to PROXY_PORT, accepts
    send WHO  WHO (client or upstream) sends 5 bytes, and the other reads them
    pour WHO  WHO sends 100,000 bytes, and the other reads them
    half WHO  WHO shuts its sending half down, and the other reads the end
    reset WHO WHO resets the connection
    see WHO   what WHO sees next: a number of bytes, "end" or "ECONNRESET"
    close     closes both ends
"""

import socket
import struct
import sys

proxy_port, upstream_port = int(sys.argv[1]), int(sys.argv[2])
listener = socket.create_server(("127.0.0.1", upstream_port))
listener.settimeout(20)
ends = {}


def see(end: socket.socket) -> str:
    try:
        got = end.recv(65536)
        return str(len(got)) if got else "end"
    except ConnectionResetError:
        return "ECONNRESET"


for line in sys.stdin:
    command, *who = line.split()
    answer = "ok"
    if command == "open":
        ends["client"] = socket.create_connection(("127.0.0.1", proxy_port), 20)
        ends["upstream"] = listener.accept()[0]
        ends["upstream"].settimeout(20)
    elif command == "close":
        for end in ends.values():
            end.close()
    else:
        end = ends[who[0]]
        other = ends["upstream" if who[0] == "client" else "client"]
        if command == "send":
            end.sendall(b"hello")
            answer = see(other)
        elif command == "pour":
            end.sendall(b"x" * 100_000)
            got = 0
            while got < 100_000:
                got += len(other.recv(65536))
            answer = str(got)
        elif command == "half":
            end.shutdown(socket.SHUT_WR)
            answer = see(other)
        elif command == "reset":
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()
        elif command == "see":
            answer = see(end)
    print(answer, flush=True)
