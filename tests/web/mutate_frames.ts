import type { Address } from "../../lib/net/mod.ts";
import type { Random } from "../soak/random.ts";
import { deadline } from "../support/deadline.ts";
import { frameOf, OP, RawWebSocket } from "./raw_web_socket.ts";

/**
 * Sends sequences of frames with some bytes changed, removed or doubled, each sequence on its own
 * connection, and sees that each ends: the server closes it, or answers that the client closes.
 */
export async function mutateFrames(
  web: { readonly address: Address },
  request: Uint8Array,
  rounds: number,
  random: Random,
): Promise<void> {
  const below = (count: number) => random.int(0, count - 1);
  for (let round = 0; round < rounds; round++) {
    const half = below(request.length);
    const frames = [
      frameOf(request),
      frameOf(request.subarray(0, half), { fin: false }),
      frameOf("?", { op: OP.ping }),
      frameOf(request.subarray(half), { op: OP.more }),
    ];
    let bytes = frames.flatMap((frame) => [...frame]);
    for (let i = 0; i <= below(4); i++) {
      const at = below(bytes.length);
      const change = below(4);
      if (change === 0) bytes[at]! ^= 1 << below(8);
      else if (change === 1) bytes = bytes.toSpliced(at, 1 + below(3));
      else if (change === 2) bytes = bytes.toSpliced(at, 0, below(256));
      else bytes = bytes.slice(0, at + 1);
    }
    using socket = await RawWebSocket.open(web);
    await socket.send(Uint8Array.from(bytes)).catch(() => {});
    await socket.conn.closeWrite().catch(() => {});
    await deadline(readAll(socket), `the end after round ${round}`);
  }
}

async function readAll({ conn }: RawWebSocket): Promise<void> {
  const chunk = new Uint8Array(65_536);
  try {
    while (await conn.read(chunk) !== null);
  } catch {
    // It was broken off.
  }
}
