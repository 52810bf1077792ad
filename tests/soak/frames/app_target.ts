import { assertEquals } from "@std/assert";
import type { Frame } from "../../../lib/frame/mod.ts";
import { dial } from "../../../lib/net/mod.ts";
import { RawClient } from "../../support/peers.ts";
import { startAppServer } from "../../support/programs.ts";
import { FrameJudge, type FrameRules } from "./judge.ts";
import type { Random } from "../random.ts";
import type { LooseFrame } from "./mutate.ts";
import { FRAME_TIMEOUT_MS, MAX_CONTENT_BYTES, type Target, type Transport } from "./target.ts";

const WORDS = [
  "morpheus",
  "ring",
  "🐶",
  "white",
  "rab*",
  '"follow the"',
  "-x",
  "OR",
  "東京",
  "é",
  "",
];

/** An app server, whose clients may store entries if its arguments say so. */
export async function startAppTarget(
  name: string,
  args: readonly string[],
  { flags, tls }: Transport,
): Promise<Target> {
  const server = await startAppServer([
    ...[":0", "--frame-timeout", `${FRAME_TIMEOUT_MS}ms`, "--max-content", `${MAX_CONTENT_BYTES}`],
    ...args,
    ...flags,
  ]);
  const neighbour = new RawClient(await dial(server.address, { tls }));
  const rules: FrameRules = {
    name,
    isAnswer: () => true,
    isFarewell: () => false,
    isOwnFault: (frame) => codeOf(frame) === "internal" || codeOf(frame) === "worker-died",
  };
  return {
    name,
    server,
    tls,
    ingredients: { frame: request, maxContentBytes: MAX_CONTENT_BYTES },
    async askNeighbour() {
      await neighbour.send({
        header: { "content-type": "text/json", "content-encoding": "utf-8" },
        content: '{"action":"search","value":"ring"}',
      });
      const { result } = await neighbour.json();
      assertEquals(result, "In the caves beneath the Misty Mountains. 💍");
    },
    judge: (attack) => new FrameJudge(attack, rules),
    async [Symbol.asyncDispose]() {
      neighbour.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function request(random: Random): LooseFrame {
  if (random.chance(0.1)) {
    return {
      fields: { "content-type": "binary/custom-client-binary-type" },
      content: random.bytes(random.int(0, 40)),
    };
  }
  const words = Array.from({ length: random.int(1, 4) }, () => random.pick(WORDS)).join(" ");
  const key = `key-${random.int(0, 9)}`;
  const value: unknown = random.pick([
    { action: "search", value: words },
    { action: "search", value: words, limit: random.int(-1, 200), offset: random.int(-1, 10) },
    { action: "suggest", value: words.slice(0, 2), limit: random.int(0, 10) },
    { action: "get", value: random.pick([key, "ring"]) },
    { action: "put", key, value: words.repeat(random.int(1, 50)), title: words },
    { action: "delete", value: key },
    { action: "stats" },
    { action: words, value: words },
  ]);
  return {
    fields: { "content-type": "text/json", "content-encoding": "utf-8" },
    content: new TextEncoder().encode(JSON.stringify(value)),
  };
}

function codeOf(frame: Frame): unknown {
  try {
    return (frame.json() as { error?: { code?: unknown } }).error?.code;
  } catch {
    return undefined;
  }
}
