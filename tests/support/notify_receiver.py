"""A service manager's socket as sd_notify(3) has it: prints what is sent, and by which process.

Arguments: the path, or @ and an abstract name. Ends with stdin.
"""

import json
import os
import select
import socket
import struct
import sys

path = sys.argv[1]
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
sock.bind("\0" + path[1:] if path.startswith("@") else path)
print(json.dumps("bound"), flush=True)
while True:
    ready, _, _ = select.select([sock, sys.stdin], [], [])
    if sock in ready:
        message, control, _, _ = sock.recvmsg(4096, socket.CMSG_SPACE(12))
        pid = struct.unpack("3i", control[0][2])[0]
        print(json.dumps({"pid": pid, "lines": message.decode().split("\n")}), flush=True)
    elif not os.read(0, 1):
        break
