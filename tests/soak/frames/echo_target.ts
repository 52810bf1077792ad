import { assertEquals } from "@std/assert";
import { dial } from "../../../lib/net/mod.ts";
import { deadline } from "../../support/deadline.ts";
import { script, ServerProgram } from "../../support/programs.ts";
import { EchoJudge } from "./judge.ts";
import type { LooseFrame } from "./mutate.ts";
import type { Random } from "../random.ts";
import { MAX_CONTENT_BYTES, type Target, type Transport } from "./target.ts";

/** A server that sends back what it is sent; frames mean nothing to it. */
export async function startEchoTarget(
  name: string,
  command: readonly string[],
  { flags, tls }: Transport,
): Promise<Target> {
  const [program, ...args] = command;
  const server = await ServerProgram.start(
    script("cmd/socktool.ts", program!, ":0", ...args, ...flags),
  );
  const neighbour = await dial(server.address, { tls });
  let count = 0;
  return {
    name,
    server,
    tls,
    ingredients: { frame, maxContentBytes: MAX_CONTENT_BYTES },
    async askNeighbour() {
      const text = `message ${count++}`;
      await neighbour.write(new TextEncoder().encode(text));
      const bytes = new Uint8Array(text.length);
      for (let at = 0; at < bytes.length;) {
        at += await deadline(neighbour.read(bytes.subarray(at)), "an echo") ?? Infinity;
      }
      assertEquals(new TextDecoder().decode(bytes), text);
    },
    judge: (attack) => new EchoJudge(attack),
    async [Symbol.asyncDispose]() {
      neighbour.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function frame(random: Random): LooseFrame {
  return { fields: { n: random.int(0, 9) }, content: random.bytes(random.int(0, 2_000)) };
}
