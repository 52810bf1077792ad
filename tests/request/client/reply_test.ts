import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  ContentError,
  encodeFrame,
  FrameDecoder,
  type HeaderInit,
  jsonFrame,
} from "../../../lib/frame/mod.ts";
import { Reply, type ReplyError } from "../../../lib/request/client/mod.ts";

function replyOf(content: string | Uint8Array, header: HeaderInit = {}): Reply {
  const bytes = encodeFrame({ header, content });
  // Among other bytes, as in a buffer.
  const buffer = new TextEncoder().encode(`"error"${" ".repeat(bytes.length)}"error"`);
  buffer.set(bytes, 7);
  const [frame] = new FrameDecoder().decode(buffer, 7, 7 + bytes.length).frames;
  return new Reply(frame!.header, buffer, 7, frame!.contentStart, frame!.end);
}

const json = (value: unknown, header: HeaderInit = {}) => {
  const frame = jsonFrame(value, header);
  return replyOf(frame.content as string, frame.header);
};

const TOLD: ReplyError = { code: "no-entry", message: "There is none" };

Deno.test("an answer that tells of a failure is one, whatever else it says", () => {
  const failing: [Reply, ReplyError][] = [
    [json({ error: TOLD }), TOLD],
    [json({ result: "Error: There is none", error: { ...TOLD, id: 5 } }), TOLD],
    [json({ a: [1, { b: '"' }], error: TOLD, z: "error" }), TOLD],
    [json({ error: { code: "x", message: "ünïcödé \n" } }), { code: "x", message: "ünïcödé \n" }],
    [json({ error: { code: "", message: "" } }), { code: "", message: "" }],
    [replyOf(`{ "error" : { "code" : "x" , "message" : "y" } }`, { "content-type": "text/json" }), {
      code: "x",
      message: "y",
    }],
    [json({ error: { code: "x" } }), {
      code: "x",
      message: 'The server answered with the error "x"',
    }],
    [json({ error: { code: "x", message: 5 } }), {
      code: "x",
      message: 'The server answered with the error "x"',
    }],
  ];
  for (const [reply, error] of failing) assertEquals([reply.ok, reply.error], [false, error]);
  const utf16 = new Uint8Array(
    new Uint16Array([...JSON.stringify({ error: TOLD })].map((c) => c.charCodeAt(0))).buffer,
  );
  const header = { "content-type": "text/json", "content-encoding": "utf-16le" };
  assertEquals(replyOf(utf16, header).error, TOLD);
});

Deno.test("any other answer is none, and never throws", () => {
  const text = { "content-type": "text/json", "content-encoding": "utf-8" };
  const fine = [
    json({}),
    json({ result: "error" }),
    json({ result: { error: TOLD } }),
    json([{ error: TOLD }]),
    json({ error: null }),
    json({ error: "no-entry" }),
    json({ error: ["no-entry"] }),
    json({ error: {} }),
    json({ error: { code: 5 } }),
    json({ Error: TOLD }),
    json({ error: TOLD }, { "content-type": "text/plain" }),
    json({ error: TOLD }, { "content-type": "application/json" }),
    json('"error"'),
    json(null),
    json(5),
    replyOf(`{"error":`, text),
    replyOf("", text),
    replyOf(new Uint8Array([0xff, 0x22]), text),
    replyOf(new TextEncoder().encode(`{"error":{"code":"x"}}`), {
      ...text,
      "content-encoding": "klingon",
    }),
  ];
  for (const reply of fine) assertEquals([reply.ok, reply.error], [true, undefined]);
});

Deno.test("it is what JSON.parse makes of it", () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom("error", '"error"', "\\", '\\"', "x", 5, null, true),
      fc.dictionary(
        fc.constantFrom("error", "code", "message", "errors", 'er"ror', "x"),
        tie("any"),
      ),
      fc.array(tie("any"), { maxLength: 3 }),
    ),
  })).any;
  fc.assert(
    fc.property(value, (value) => {
      const { error } = (value ?? {}) as { error?: { code?: unknown; message?: unknown } };
      const isObject = (v: unknown) => typeof v === "object" && v !== null && !Array.isArray(v);
      const tells = isObject(value) && isObject(error) && typeof error?.code === "string";
      const reply = json(value);
      assertEquals(reply.ok, !tells);
      assertEquals(reply.error?.code, tells ? error?.code : undefined);
    }),
    { numRuns: 700 },
  );
});

Deno.test("an answer that nests so deep that it takes seconds to read is none", () => {
  const nested = (depth: number) => replyOf(`${"[".repeat(depth)}${"]".repeat(depth)}`);
  assertThrows(() => nested(100_000).json(), ContentError, "it nests deeper than 1000");
  assertEquals(JSON.stringify(nested(900).json()).length, 1_800);
  const wide = Array.from({ length: 20_000 }, (_, i) => [[i]]);
  assertEquals(json(wide).json(), wide);
});
