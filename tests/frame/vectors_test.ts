import { assertEquals, assertInstanceOf } from "@std/assert";
import { FrameError, type FrameErrorCode } from "../../lib/frame/mod.ts";
import vectors from "../vectors/frames.json" with { type: "json" };
import { assertSameJson, fromHex, join, plainFrame } from "./raw_frames.ts";
import { type Outcome, WAYS_IN } from "./ways_in.ts";

const BEFORE = [plainFrame("before"), plainFrame("", ',"id":1')];
const AFTER = plainFrame("after");

/** The file of vectors lists the fields of a header in an order of its own. */
function sorted(header: object): object {
  return Object.fromEntries(Object.entries(header).sort());
}

function assertFrames(outcome: Outcome, expected: readonly (typeof vectors.valid)[number][]) {
  assertEquals(outcome.errors.map((error) => error.code), []);
  assertEquals(outcome.frames.length, expected.length);
  for (const [i, vector] of expected.entries()) {
    assertSameJson(sorted(outcome.frames[i]?.header ?? {}), sorted(vector.header), vector.name);
    assertEquals(outcome.frames[i]?.content, fromHex(vector.contentHex), vector.name);
  }
}

function assertOneError(outcome: Outcome, code: string, frames: number, where: string) {
  assertEquals(outcome.errors.map((error) => error.code), [code as FrameErrorCode], where);
  assertInstanceOf(outcome.errors[0], FrameError);
  assertEquals(outcome.errors[0]?.recoverable, code === "frame-too-large", where);
  assertEquals(outcome.frames.length, frames, where);
}

/** A frame that is too large can be gone past, but its content never comes: the stream is cut. */
function codesToTheEnd(code: string): string[] {
  return code === "frame-too-large" ? [code, "truncated"] : [code];
}

for (const way of WAYS_IN) {
  Deno.test(`${way.name} decodes every valid vector, split at every byte`, async () => {
    for (const vector of vectors.valid) {
      const bytes = fromHex(vector.frameHex);
      for (let at = 0; at <= bytes.length; at++) {
        const outcome = await way.decode([bytes.subarray(0, at), bytes.subarray(at)]);
        assertFrames(outcome, [vector]);
      }
    }
  });

  Deno.test(`${way.name} decodes all valid vectors as one stream, byte by byte and at once`, async () => {
    const bytes = join(...vectors.valid.map((vector) => fromHex(vector.frameHex)));
    assertFrames(await way.decode([bytes]), vectors.valid);
    assertFrames(await way.decode([...bytes].map((byte) => Uint8Array.of(byte))), vectors.valid);
  });

  Deno.test(`${way.name} gives every invalid vector its code, split at every byte`, async () => {
    for (const vector of vectors.invalid) {
      const bytes = fromHex(vector.frameHex);
      for (let at = 0; at <= bytes.length; at++) {
        const outcome = await way.decode([bytes.subarray(0, at), bytes.subarray(at)]);
        const codes = outcome.errors.map((error) => error.code as string);
        // Nothing of the content is there: the frame that is skipped is also cut short.
        assertEquals(codes, codesToTheEnd(vector.code), `${vector.name}, split at ${at}`);
        assertEquals(outcome.frames, []);
      }
    }
  });

  Deno.test(`${way.name} gives all frames before an invalid vector first`, async () => {
    for (const vector of vectors.invalid) {
      const bytes = join(...BEFORE, fromHex(vector.frameHex));
      for (const chunks of [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))]) {
        const outcome = await way.decode(chunks);
        const codes = outcome.errors.map((error) => error.code as string);
        assertEquals(codes, codesToTheEnd(vector.code), vector.name);
        assertEquals(outcome.frames.map((frame) => frame.content.length), [6, 0], vector.name);
      }
    }
  });

  Deno.test(`${way.name} gives nothing behind an invalid vector`, async () => {
    for (const vector of vectors.invalid) {
      if (vector.code !== "header-syntax" && vector.code !== "header-field") continue;
      for (
        const between of [[join(fromHex(vector.frameHex), AFTER)], [
          fromHex(vector.frameHex),
          AFTER,
        ]]
      ) {
        assertOneError(await way.decode([BEFORE[0]!, ...between]), vector.code, 1, vector.name);
      }
    }
  });
}
