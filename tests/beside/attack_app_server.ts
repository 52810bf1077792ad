/**
 * Asks app servers for much work, in a process of its own. It reads lines, `[PORT, ATTACK, SIZE]` as
 * JSON: when all that the attack asks for is answered, and that so many times, it prints `done`.
 */
import { readLines } from "../../cmd/_cli/read_lines.ts";
import { ChunkDecoder, encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";

const MiB = 1024 * 1024;

function json(text: string): Uint8Array {
  return encodeFrame({ header: { "content-type": "text/json" }, content: text });
}

function action(request: Record<string, unknown>): Uint8Array {
  return encodeFrame(jsonFrame(request));
}

function times(count: number, make: (i: number) => Uint8Array): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** What each connection sends. */
export const ATTACKS: Record<string, { connections: number; frames: () => Uint8Array[] }> = {
  "JSON of 16 MiB in five million arrays": {
    connections: 3,
    frames: () => [json(`{"action":"get","value":[${"[],".repeat(16 * MiB / 3)}1]}`)],
  },
  "JSON of 16 MiB in one string": {
    connections: 1,
    frames: () => times(2, () => json(`{"action":"get","value":"${"x".repeat(16 * MiB)}"}`)),
  },
  "JSON of 64 KiB in thousands of arrays": {
    connections: 1,
    frames: () =>
      times(150, () => json(`{"action":"get","value":"x","a":[${"[],".repeat(21_000)}1]}`)),
  },
  "get of an entry of 4 MiB, 12 at once": {
    connections: 1,
    frames: () => times(12, () => action({ action: "get", value: "large" })),
  },
  "search for the key of an entry of 4 MiB, 12 at once": {
    connections: 1,
    frames: () => times(12, () => action({ action: "search", value: "large" })),
  },
  "search of 100 hits with large texts and titles": {
    connections: 1,
    frames: () => times(10, () => action({ action: "search", value: "findme", limit: 100 })),
  },
  "completions of entries with large titles": {
    connections: 1,
    frames: () => times(128, () => action({ action: "suggest", value: "medium", limit: 50 })),
  },
  "stats, 256 at once": {
    connections: 1,
    frames: () => times(256, () => action({ action: "stats" })),
  },
  "put of entries of 1 MiB": {
    connections: 1,
    frames: () =>
      times(6, (i) => action({ action: "put", key: `p${i}`, value: "word ".repeat(MiB / 5 - i) })),
  },
};

async function attack(port: number, frames: readonly Uint8Array[]): Promise<void> {
  using conn = await Deno.connect({ port });
  const sending = (async () => {
    for (const frame of frames) {
      for (let at = 0; at < frame.length;) at += await conn.write(frame.subarray(at));
    }
  })();
  // Contents are not put together: that would be work on the server's machine.
  const decoder = new ChunkDecoder({ maxContentBytes: 64 * MiB, streamAbove: 0 });
  const buffer = new Uint8Array(256 * 1024);
  for (let answers = 0; answers < frames.length;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`the server closed after ${answers} answers`);
    const { frames: parts } = decoder.push(buffer.subarray(0, count));
    answers += parts.filter(({ complete }) => complete).length;
  }
  await sending;
}

if (import.meta.main) {
  for await (const line of readLines(Deno.stdin.readable)) {
    const [port, name, size] = JSON.parse(line) as [number, string, number];
    const { connections, frames } = ATTACKS[name]!;
    const made = frames();
    for (let i = 0; i < size; i++) {
      await Promise.all(Array.from({ length: connections }, () => attack(port, made)));
    }
    await Deno.stdout.write(new TextEncoder().encode("done\n"));
  }
}
