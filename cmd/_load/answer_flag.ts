import type { AnswerFormat, LengthType } from "../../lib/load/mod.ts";
import { parseBytes, UsageError } from "../_cli/mod.ts";

const LENGTHS: Readonly<Record<string, LengthType>> = {
  u8: "u8",
  u16: "u16be",
  u16le: "u16le",
  u16be: "u16be",
  u32: "u32be",
  u32le: "u32le",
  u32be: "u32be",
};

/**
 * Reads `--answer`: `echo`, `until:\n`, `bytes:12`, `length:u32be`, `length:u32be:inclusive`,
 * `close`, `none`.
 *
 * @throws {UsageError} if it is none of them.
 */
export function parseAnswer(text: string): AnswerFormat {
  if (text === "echo" || text === "close" || text === "none") return text;
  const refuse = (problem: string) =>
    new UsageError(`--answer: cannot use ${JSON.stringify(text)}: ${problem}`);
  const colon = text.indexOf(":");
  const value = text.slice(colon + 1);
  switch (colon < 0 ? "" : text.slice(0, colon)) {
    case "until": {
      const until = unescaped(value);
      if (until === undefined) throw refuse("the escapes are \\n \\r \\t \\0 \\\\ and \\xHH");
      if (until.length === 0) throw refuse("write what an answer ends with, as in until:'\\n'");
      return { until };
    }
    case "bytes": {
      const bytes = parseBytes(value);
      if (bytes === undefined || bytes < 1) {
        throw refuse("write how many bytes an answer has, as in bytes:12");
      }
      return { bytes };
    }
    case "length": {
      const [type = "", option] = value.split(":");
      const length = Object.hasOwn(LENGTHS, type) ? LENGTHS[type]! : undefined;
      if (length === undefined || (option !== undefined && option !== "inclusive")) {
        throw refuse(
          "write the length's type, u8, u16le, u16be, u32le or u32be, and :inclusive behind it if " +
            "the length counts its own bytes",
        );
      }
      return { length, inclusive: option === "inclusive" };
    }
    default:
      throw refuse("write echo, until:'\\n', bytes:12, length:u32be, close or none");
  }
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, "0": 0, "\\": 92 };

/** A text as bytes, its escapes read; `undefined` if one is unknown. */
function unescaped(text: string): Uint8Array | undefined {
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  for (const [part, escape] of text.matchAll(/\\(x[0-9A-Fa-f]{2}|.|$)|[^\\]+/gs)) {
    if (escape === undefined) bytes.push(...encoder.encode(part));
    else if (escape.length === 3) bytes.push(parseInt(escape.slice(1), 16));
    else if (Object.hasOwn(ESCAPES, escape)) bytes.push(ESCAPES[escape]!);
    else return undefined;
  }
  return Uint8Array.from(bytes);
}
