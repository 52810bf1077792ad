import { assertEquals, assertMatch } from "@std/assert";
import type { FrameError } from "../../lib/frame/mod.ts";
import { headerText, join, plainFrame, rawFrame } from "./raw_frames.ts";
import { DIRECT_WAYS_IN, WAYS_IN } from "./ways_in.ts";

const FRAMES = [
  plainFrame("content"),
  plainFrame(""),
  rawFrame(` ${headerText(3, ',"trace":"é"')}\n`, "abc"),
  plainFrame("z".repeat(40)),
];
const STREAM = join(...FRAMES);

/** Where in which frame the stream is cut. */
function expectedAt(offset: number) {
  let whole = 0;
  let into = offset;
  for (const frame of FRAMES) {
    if (into < frame.length) break;
    into -= frame.length;
    whole++;
  }
  if (into === 0) return { whole, error: undefined };
  const frame = FRAMES[whole]!;
  if (into < 2) return { whole, error: ["header-length", into, 2] };
  const headerLength = (frame[0]! << 8) + frame[1]!;
  const contentStart = 2 + headerLength;
  if (into < contentStart) return { whole, error: ["header", into - 2, headerLength] };
  return { whole, error: ["content", into - contentStart, frame.length - contentStart] };
}

function details(error: FrameError | undefined): unknown[] | undefined {
  return error && [error.part, error.received, error.expected];
}

for (const way of WAYS_IN) {
  Deno.test(`${way.name} says where a stream ended, cut at every offset`, async () => {
    for (let offset = 0; offset <= STREAM.length; offset++) {
      const { whole, error } = expectedAt(offset);
      const { frames, errors } = await way.decode([STREAM.subarray(0, offset)]);
      assertEquals(frames.length, whole, `cut at ${offset}`);
      assertEquals(details(errors[0]), error, `cut at ${offset}`);
      assertEquals(
        errors.map((each) => [each.code, each.recoverable]),
        error ? [["truncated", false]] : [],
      );
      if (error) {
        assertMatch(errors[0]!.message, new RegExp(`\\b${error[1]}\\b.*\\b${error[2]}\\b`));
      }
    }
  });

  Deno.test(`${way.name} says where a stream of single bytes ended`, async () => {
    for (let offset = 0; offset <= STREAM.length; offset += 13) {
      const bytes = [...STREAM.subarray(0, offset)].map((byte) => Uint8Array.of(byte));
      const { errors } = await way.decode(bytes);
      assertEquals(details(errors[0]), expectedAt(offset).error, `cut at ${offset}`);
    }
  });
}

for (const way of DIRECT_WAYS_IN) {
  Deno.test(`${way.name} says where a stream ended inside a frame that is skipped`, async () => {
    const header = headerText(20);
    const bytes = rawFrame(header, "x".repeat(20));
    for (let sent = 0; sent < 20; sent++) {
      const cut = bytes.subarray(0, 2 + header.length + sent);
      for (const chunks of [[cut], [cut.subarray(0, 50), cut.subarray(50)]]) {
        const { errors } = await way.decode(chunks, { maxContentBytes: 10 });
        assertEquals(errors.map((error) => error.code), ["frame-too-large", "truncated"]);
        assertEquals(details(errors[1]), ["content", sent, 20]);
      }
    }
  });

  Deno.test(`${way.name} says where a stream ended inside content that comes in parts`, async () => {
    const bytes = rawFrame(headerText(20), "x".repeat(20));
    for (let sent = 0; sent < 20; sent++) {
      const cut = bytes.subarray(0, bytes.length - 20 + sent);
      for (const at of [50, cut.length - (sent >> 1), cut.length]) {
        const { errors } = await way.decode([cut.subarray(0, at), cut.subarray(at)], {
          streamAbove: 4,
        });
        assertEquals(errors.map(details), [["content", sent, 20]], `${sent} sent, split at ${at}`);
      }
    }
  });

  Deno.test(`${way.name} says where a stream ended inside a header above its limit`, async () => {
    const bytes = rawFrame(headerText(3, `,"pad":"${"p".repeat(200)}"`), "abc");
    const headerLength = bytes.length - 5;
    for (const offset of [2, 3, 100, headerLength, headerLength + 1]) {
      const { frames, errors } = await way.decode([bytes.subarray(0, offset)], {
        maxHeaderBytes: 100,
      });
      assertEquals([frames.length, errors.at(-1)?.code], [0, "truncated"]);
      assertEquals(details(errors.at(-1)), ["header", offset - 2, headerLength]);
    }
  });
}
