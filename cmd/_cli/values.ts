import {
  type Address,
  AddressError,
  formatAddress,
  isWebSocket,
  parseAddress,
} from "../../lib/net/address.ts";
import { suggestion } from "../../lib/base/nearest.ts";
import { lowerFirst } from "./describe_error.ts";
import type { AnyValue, Bounds, NumericType, ValueSpec } from "./spec.ts";
import {
  formatBytes,
  formatDuration,
  parseBytes,
  parseCount,
  parseDuration,
  parseRate,
} from "../../lib/base/units.ts";
import { UsageError } from "./exit_code.ts";

/**
 * Reads the value of a flag or an argument.
 *
 * @param label How messages name it: `--idle-timeout`, `NUM_CONNS`.
 * @throws {UsageError} if the text is not such a value, or is out of bounds.
 */
export function readValue(spec: ValueSpec, text: string, label: string): AnyValue {
  switch (spec.type) {
    case "string":
      return text;
    case "path":
      if (text === "" || text.includes("\0")) throw new UsageError(`${label}: the path is empty`);
      return text;
    case "choice":
      if (spec.choices.includes(text)) return text;
      throw new UsageError(
        `${label}: ${quote(text)} is none of ${spec.choices.join(", ")}` +
          suggestion(text, spec.choices),
      );
    case "address":
      return readAddress(text, spec, label);
    default:
      return readNumber(spec, text, label);
  }
}

function readAddress(
  text: string,
  spec: ValueSpec & { readonly type: "address" },
  label: string,
): AnyValue {
  const { port } = spec;
  try {
    const address = parseAddress(text, port === undefined ? {} : { port });
    checkKind(spec, address);
    return address;
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new UsageError(`${label}: ${lowerFirst(error.message)}`);
  }
}

/** Refuses the URL of a WebSocket where none can be used. @throws {UsageError} */
export function checkKind(spec: ValueSpec, address: Address): void {
  if (!isWebSocket(address) || (spec.type === "address" && spec.webSocket)) return;
  throw new UsageError(`${formatAddress(address)} is a WebSocket, which cannot be used here`);
}

interface NumericReader {
  readonly read: (text: string) => number | undefined;
  readonly what: string;
  /** How such values are written. */
  readonly write: string;
  readonly show: (value: number) => string;
}

const READERS: Readonly<Record<NumericType, NumericReader>> = {
  integer: {
    read: (text) => /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined,
    what: "a whole number",
    write: "",
    show: String,
  },
  number: {
    read: (text) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined,
    what: "a number",
    write: "",
    show: String,
  },
  count: {
    read: parseCount,
    what: "a whole number",
    write: "write 250, 10k or 1M",
    show: String,
  },
  rate: {
    read: parseRate,
    what: "a rate",
    write: "write 250, 10k, 6/m or 90/h",
    show: (value) => `${value}/s`,
  },
  size: {
    read: parseBytes,
    what: "a size",
    write: "write 512, 64KiB or 1MB",
    show: formatBytes,
  },
  duration: {
    read: parseDuration,
    what: "a duration",
    write: "write 500ms, 30s, 5m or 1h",
    show: formatDuration,
  },
};

function readNumber(
  spec: { type: NumericType } & Bounds,
  text: string,
  label: string,
): number {
  const { read, what, write, show } = READERS[spec.type];
  const value = read(text);
  if (value === undefined || !Number.isFinite(value)) {
    const hint = write === "" ? "" : ` (${write})`;
    throw new UsageError(`${label}: cannot read ${quote(text)} as ${what}${hint}`);
  }
  if (spec.type === "rate" && value === 0) {
    throw new UsageError(`${label}: ${text} is too small (more than 0)`);
  }
  const { min, max } = spec;
  if (min !== undefined && value < min) {
    throw new UsageError(`${label}: ${text} is too small (at least ${show(min)})`);
  }
  if (max !== undefined && value > max) {
    throw new UsageError(`${label}: ${text} is too large (at most ${show(max)})`);
  }
  return value;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
