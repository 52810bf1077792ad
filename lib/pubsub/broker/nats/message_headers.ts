/**
 * How the fields of a publication stand in the headers of a NATS message, and back.
 *
 * @module
 */
import type { FrameHeader, HeaderInit } from "../../../frame/mod.ts";

/** Where a message comes from: the gateway, the number of its topic's counter, and the count. */
export const ORIGIN = "Socktool-From";
/** Fields that no header of their own can hold, as a JSON object. */
const FIELDS = "Socktool-Fields";
/** The `reply-to` of a publication that a stream keeps: JetStream answers to the reply subject. */
const REPLY_TO = "Socktool-Reply-To";
const TYPE = "Content-Type";
const ENCODING = "Content-Encoding";

/** What a message without headers for them has. */
export const TEXT_TYPE = "text/plain";
export const TEXT_ENCODING = "utf-8";
export const BINARY_TYPE = "application/octet-stream";
export const BINARY_ENCODING = "binary";

/** Fields of a frame that NATS carries in other ways, or that are between a client and its broker. */
const NOT_CARRIED = new Set([
  "op",
  "topic",
  "id",
  "content-length",
  "reply-to",
  "ok-if",
  "sid",
  "group",
  "filter",
]);

/** What is the broker's or the codec's own: no header of somebody else's message sets it. */
const OWN_FIELDS = new Set([
  ...NOT_CARRIED,
  "byteorder",
  "content-type",
  "content-encoding",
  "stream",
  "seq",
  "time",
  "consumer",
  "delivery",
  "attempt",
]);

/**
 * Begins the headers by which NATS itself is told what to do with a message. Its servers look for them
 * anywhere among the headers, also within others' names and values.
 */
const NATS = "Nats-";

/** The most that the JSON of fields may have: a frame's header has at most 64,000 bytes. */
const MAX_FIELDS_LENGTH = 48_000;

/** Header lines for the fields of a publication, each ended by CRLF; empty if none are needed. */
export function headerLines(header: FrameHeader): string {
  let lines = "";
  let others: Record<string, unknown> | undefined;
  const { "content-type": type, "content-encoding": encoding, byteorder } = header;
  if (type !== TEXT_TYPE || encoding !== TEXT_ENCODING) {
    if (isPlainValue(type)) lines += `${TYPE}: ${type}\r\n`;
    else (others ??= {})["content-type"] = type;
    if (isPlainValue(encoding)) lines += `${ENCODING}: ${encoding}\r\n`;
    else (others ??= {})["content-encoding"] = encoding;
  }
  if (byteorder !== "little") (others ??= {})["byteorder"] = byteorder;
  for (const [name, value] of Object.entries(header)) {
    if (OWN_FIELDS.has(name)) {
      if (NOT_CARRIED.has(name) || name.startsWith("content-") || name === "byteorder") continue;
      (others ??= {})[name] = value;
    } else if (isPlainName(name) && isPlainValue(value)) lines += `${name}: ${value}\r\n`;
    else if (value !== undefined) (others ??= {})[name] = value;
  }
  if (others === undefined) return lines;
  const json = JSON.stringify(others).replaceAll(NATS, "\\u004eats-");
  return `${lines}${FIELDS}: ${json}\r\n`;
}

/** The fields that the headers of a message stand for, without type and encoding. */
export interface CarriedFields {
  readonly type: string | undefined;
  readonly encoding: string | undefined;
  /** Of the gateway that sent it; `undefined` if a client of NATS itself did. */
  readonly origin: string | undefined;
  /** What stands there in place of the reply subject. */
  readonly replyTo: string | undefined;
  /** All others; `undefined` if there are none. */
  readonly others: HeaderInit | undefined;
}

/** What a message without headers stands for. */
export const NO_FIELDS: CarriedFields = {
  type: undefined,
  encoding: undefined,
  origin: undefined,
  replyTo: undefined,
  others: undefined,
};

/** Reads the headers of a message. */
export function readHeaders(headers: Iterable<[string, string[]]>): CarriedFields {
  let type: string | undefined;
  let encoding: string | undefined;
  let origin: string | undefined;
  let replyTo: string | undefined;
  let others: Record<string, unknown> | undefined;
  for (const [name, values] of headers) {
    const value = values[0]!;
    if (name === ORIGIN) origin = value;
    else if (name === REPLY_TO) replyTo = readReplyTo(value);
    else if (name === FIELDS) {
      const { "content-type": t, "content-encoding": e, ...rest } = parseFields(value);
      if (typeof t === "string") type = t;
      if (typeof e === "string") encoding = e;
      others = { ...others, ...rest };
    } else {
      const lower = name.toLowerCase();
      if (lower === "content-type") type = value;
      else if (lower === "content-encoding") encoding = value;
      // What NATS itself says of a message is no field of it.
      else if (!OWN_FIELDS.has(lower) && !lower.startsWith("nats-") && name !== "__proto__") {
        (others ??= {})[name] = value;
      }
    }
  }
  return { type, encoding, origin, replyTo, others };
}

/** The header line for the `reply-to` of a publication that a stream keeps. */
export function replyToLine(replyTo: string): string {
  return `${REPLY_TO}: ${encodeURIComponent(replyTo)}\r\n`;
}

function readReplyTo(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** Nothing that a frame's own fields mean is taken from a stranger. */
function parseFields(json: string): Record<string, unknown> {
  if (json.length > MAX_FIELDS_LENGTH) return {};
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return {};
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  const fields: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(value)) {
    if (NOT_CARRIED.has(name) || name === "__proto__") continue;
    if (name === "byteorder" && each !== "big" && each !== "little") continue;
    fields[name] = each;
  }
  return fields;
}

function isPlainName(name: string): boolean {
  const lower = name.toLowerCase();
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !OWN_FIELDS.has(lower) &&
    !lower.includes("nats-") && !lower.startsWith("socktool-") && name !== "__proto__";
}

/** Whether a value comes out of a header as it went in. */
function isPlainValue(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.trim() === value &&
    !value.includes(NATS) &&
    // deno-lint-ignore no-control-regex
    !/[\x00-\x1f\x7f]/.test(value) && value.isWellFormed();
}
