/** Frames with something wrong in them, made of valid ones. */
import { concat } from "@std/bytes";
import type { Random } from "../random.ts";

/** A frame whose parts need not fit together. */
export interface LooseFrame {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly content: Uint8Array;
}

/** Values that a field does not have, or hardly ever. */
const ODD_VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 1e308, 2 ** 53, -(2 ** 53), 2 ** 31, 4_294_967_296],
  ...["", "0", " ", "\u0000", "\ud800", "é".repeat(200), "a".repeat(5_000), "__proto__", "*", ">"],
  ...["a..b", ".", "a.*.>", ">.a", "_sys.stats", "x".repeat(256), "a.".repeat(40) + "a"],
  ...["utf-16", "utf-8", "latin-1", "binary", "no-such-encoding", "text/json"],
  ...[[], {}, [[]], { a: 1 }, [null], { toString: 1 }],
];

const NAMES: readonly string[] = [
  ...["byteorder", "content-type", "content-encoding", "content-length", "op", "topic", "id"],
  ...["action", "value", "group", "slow", "retain", "reply-to", "version", "__proto__", "x", ""],
];

/**
 * Writes a frame with mistakes.
 *
 * @param mistakes How likely each kind of mistake is, from 0 for none at all to 1.
 */
export function writeMutated(random: Random, frame: LooseFrame, mistakes: number): Uint8Array {
  const wrong = (share: number) => random.chance(mistakes * share);
  const content = wrong(0.3) ? mutateContent(random, frame.content) : frame.content;
  const fields: Record<string, unknown> = {
    byteorder: "little",
    "content-type": "application/octet-stream",
    "content-encoding": "binary",
    "content-length": content.length,
    ...frame.fields,
  };
  if (wrong(0.3)) {
    const length = content.length;
    fields["content-length"] = random.pick<unknown>([
      ...[length + 1, length - 1, 0, -1, 0.5, 2 ** 53 - 1, 2 ** 53, 1e300, `${length}`, null],
      ...[random.int(0, 100_000), undefined],
    ]);
  }
  for (let i = wrong(0.4) ? random.int(1, 3) : 0; i > 0; i--) {
    const name = random.pick(random.chance(0.7) ? Object.keys(fields) : NAMES);
    if (random.chance(0.3)) delete fields[name];
    else fields[name] = random.pick(ODD_VALUES);
  }
  let text = JSON.stringify(fields);
  if (wrong(0.3)) text = mutateText(random, text);
  let header: Uint8Array = new TextEncoder().encode(text).subarray(0, 65_535);
  if (wrong(0.2)) header = mutateBytes(random, header);
  const said = wrong(0.2)
    ? random.pick([header.length + 1, header.length - 1, 0, 1, 65_535, random.int(0, 65_535)])
    : header.length;
  const bytes = new Uint8Array(2 + header.length + content.length);
  new DataView(bytes.buffer).setUint16(0, Math.max(0, said) & 0xffff);
  bytes.set(header, 2);
  bytes.set(content, 2 + header.length);
  return bytes;
}

/** A header's text that is no JSON any more, or other JSON than anybody writes. */
function mutateText(random: Random, text: string): string {
  const at = random.int(0, text.length);
  const kinds: readonly (() => string)[] = [
    () => text.slice(0, at),
    () => text + random.pick([" ", "}", "{}", "\n\n", "\u0000", ",", text]),
    () => `\ufeff${text}`,
    () => text.replaceAll('"', "'"),
    () => text.replaceAll(",", " ,\t\r\n "),
    // Every letter as an escape, which means the same.
    () => text.replace(/[a-z]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`),
    () => text.replace("{", `{"${random.pick(NAMES)}":${JSON.stringify(random.pick(ODD_VALUES))},`),
    () => `${text.slice(0, -1)},"deep":${"[".repeat(random.int(1, 20_000))}`,
    () => `${text.slice(0, -1)},"wide":[${"[],".repeat(random.int(1, 10_000))}0]}`,
    () => `${text.slice(0, -1)},"long":"${"x".repeat(random.int(1, 65_000))}"}`,
    () => text.slice(0, at) + random.pick(['"', "\\", "{", "[", ":", "\u2028"]) + text.slice(at),
    () => random.pick(["null", "[]", "1", '""', "", "{", `[${text}]`]),
  ];
  return random.pick(kinds)();
}

/** Some bytes changed, taken away or put in. */
function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let mutated: Uint8Array = bytes.slice();
  for (let i = random.int(1, 4); i > 0 && mutated.length > 0; i--) {
    const at = random.int(0, mutated.length - 1);
    random.pick([
      () => void (mutated[at]! ^= 1 << random.int(0, 7)),
      () => void (mutated = splice(mutated, at, random.int(1, 5))),
      () => void (mutated = splice(mutated, at, 0, random.bytes(random.int(1, 5)))),
    ])();
  }
  return mutated;
}

/** Bytes of which some are taken away from a place on, and others put there. */
function splice(bytes: Uint8Array, at: number, taken: number, put = new Uint8Array(0)): Uint8Array {
  return concat([bytes.subarray(0, at), put, bytes.subarray(at + taken)]);
}

function mutateContent(random: Random, content: Uint8Array): Uint8Array {
  return random.pick<() => Uint8Array>([
    () => mutateBytes(random, content),
    () => random.bytes(random.int(0, 300)),
    () => content.subarray(0, random.int(0, content.length)),
    () => new Uint8Array(random.int(0, 50_000)),
    () => new TextEncoder().encode("[".repeat(random.int(1, 50_000))),
  ])();
}
