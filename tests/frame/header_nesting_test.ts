import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeFrame, FrameDecoder } from "../../lib/frame/mod.ts";
import {
  MAX_HEADER_DEPTH,
  MAX_HEADER_MEMBERS,
  nestingProblem,
} from "../../lib/frame/header_nesting.ts";
import { rawFrame } from "../support/peers.ts";

const FOUR =
  `"byteorder":"little","content-type":"a","content-encoding":"binary","content-length":0`;

/** The error of a frame with these further fields. */
function errorOf(fields: string): string | undefined {
  return new FrameDecoder().decode(rawFrame(`{${FOUR},${fields}}`)).error?.message;
}

Deno.test("a header that would be a large tree of objects is refused before it is one", () => {
  const cases: [string, RegExp | undefined][] = [
    [`"a":${"[".repeat(31)}${"]".repeat(31)}`, undefined],
    [`"a":${"[".repeat(32)}${"]".repeat(32)}`, /deeper/],
    [`"a":${'{"b":'.repeat(31)}0${"}".repeat(31)}`, undefined],
    [`"a":${'{"b":'.repeat(32)}0${"}".repeat(32)}`, /deeper/],
    [`"a":${"[".repeat(60_000)}`, /deeper/],
    [`"a":[${"0,".repeat(990)}0]`, undefined],
    [`"a":[${"0,".repeat(1_000)}0]`, /members/],
    [`"a":[${"[],".repeat(600)}0]`, /members/],
    [Array.from({ length: 1_001 }, (_, i) => `"f${i}":0`).join(), /members/],
    // In a text brackets and commas are letters.
    [`"a":${JSON.stringify("[{,".repeat(2_000))}`, undefined],
    [`"a":${JSON.stringify('\\"[['.repeat(2_000))}`, undefined],
    [`"a\\\\":${"[".repeat(40)}${"]".repeat(40)}`, /deeper/],
  ];
  for (const [fields, problem] of cases) {
    const message = errorOf(fields);
    assertEquals(message !== undefined, problem !== undefined, fields.slice(0, 40));
    if (problem) assert(problem.test(message!), message);
  }
});

Deno.test("depth and members are those of the parsed value, for any JSON", () => {
  const depthOf = (value: unknown): number =>
    typeof value !== "object" || value === null
      ? 0
      : 1 + Math.max(0, ...Object.values(value).map(depthOf));
  // An empty object counts as one that has a member: what it costs is the object.
  const membersOf = (value: unknown): number =>
    typeof value !== "object" || value === null ? 0 : Math.max(1, Object.keys(value).length) +
      Object.values(value).reduce((sum: number, inner) => sum + membersOf(inner), 0);
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 40 }), (value) => {
    const refused = depthOf(value) > MAX_HEADER_DEPTH || membersOf(value) > MAX_HEADER_MEMBERS;
    assertEquals(nestingProblem(JSON.stringify(value)) !== undefined, refused);
  }));
});

Deno.test("nothing that is no JSON makes it fail", () => {
  const letters = fc.constantFrom('"', "\\", "[", "]", "{", "}", ",", ":", "a", "0");
  fc.assert(fc.property(fc.string({ unit: letters, maxLength: 80 }), (text) => {
    nestingProblem(text);
  }));
});

Deno.test("what an encoder writes is read, however its fields are", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
    const bytes = encodeFrame({ header: { app: fields } });
    const { frames, error } = new FrameDecoder().decode(bytes);
    const refused = nestingProblem(JSON.stringify({ app: fields })) !== undefined;
    assertEquals(error === undefined, frames.length === 1);
    if (!refused) assertEquals(JSON.stringify(frames[0]?.header["app"]), JSON.stringify(fields));
  }));
});
