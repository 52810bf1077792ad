import { assertEquals } from "@std/assert";
import type { Frame } from "../../../lib/frame/mod.ts";
import { RawClient } from "../../support/peers.ts";
import { startAppServer } from "../../support/programs.ts";
import type { Random } from "../random.ts";
import type { LooseFrame } from "./mutate.ts";
import { MAX_CONTENT_BYTES, type Target } from "./target.ts";

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

/** An app server whose clients may store entries. */
export async function startAppTarget(): Promise<Target> {
  const server = await startAppServer([
    ":0",
    "--writable",
    "--frame-timeout",
    "5s",
    "--max-content",
    `${MAX_CONTENT_BYTES}`,
  ]);
  const neighbour = await RawClient.connect(server.address);
  return {
    name: "app-server",
    server,
    ingredients: { frame: request, maxContentBytes: MAX_CONTENT_BYTES },
    async askNeighbour() {
      await neighbour.send({
        header: { "content-type": "text/json", "content-encoding": "utf-8" },
        content: '{"action":"search","value":"ring"}',
      });
      const { result } = await neighbour.json();
      assertEquals(result, "In the caves beneath the Misty Mountains. 💍");
    },
    isAnswer: () => true,
    isFarewell: () => false,
    isOwnFault: (frame) => codeOf(frame) === "internal" || codeOf(frame) === "worker-died",
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
