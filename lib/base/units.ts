/**
 * Reads and writes quantities with units. The printed form keeps three digits; reading it gives the
 * same quantity within that rounding, and printing that gives the same form again.
 *
 * @module
 */

const BYTE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const MS_UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // the micro sign, U+00B5
  μs: 1e-3, // the Greek letter, U+03BC
  ms: 1,
  s: 1e3,
  m: 60e3,
  min: 60e3,
  h: 3600e3,
  d: 86_400e3,
};

const COUNT_UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 };

/** Reads `512`, `64KiB`, `1.5 MB`; `undefined` if it is no size, or no whole number of bytes. */
export function parseBytes(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text) ?? [];
  const factor = unit === "" ? 1 : own(BYTE_UNITS, unit?.toLowerCase());
  return digits === undefined || factor === undefined ? undefined : whole(digits, factor);
}

/** Writes bytes as `512 B`, `1.5 KiB`, `3.25 GiB`. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
}

/** Reads `500ms`, `3m`, `1h30m`, `1.5 s`, `0`; milliseconds, `undefined` if it is no duration. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  const part = /(\d+(?:\.\d+)?) ?(ns|us|µs|μs|ms|s|min|m|h|d)/y;
  let total = 0;
  let lastFactor = Infinity;
  for (let at = 0; at < text.length;) {
    if (at > 0 && text[at] === " ") at++;
    part.lastIndex = at;
    const [match, digits, unit] = part.exec(text) ?? [];
    const factor = own(MS_UNITS, unit);
    // Units go from large to small, each once: `30m1h` is probably a mistake.
    if (match === undefined || factor === undefined || factor >= lastFactor) return undefined;
    total += Number(digits) * factor;
    lastFactor = factor;
    at += match.length;
  }
  return lastFactor === Infinity || !Number.isFinite(total) ? undefined : total;
}

/** Writes milliseconds as `340 µs`, `1.25 ms`, `12.3 s`, `3m 20s`, `1h 30m`, `2d 4h`. */
export function formatDuration(ms: number): string {
  const micros = Number((ms * 1000).toPrecision(3));
  if (micros < 0.001) return "0 µs";
  if (micros < 1000) return `${micros} µs`;
  if (Number(ms.toPrecision(3)) < 1000) return `${Number(ms.toPrecision(3))} ms`;
  const seconds = Number((ms / 1000).toPrecision(3));
  if (seconds < 60) return `${seconds} s`;
  const whole = Math.round(ms / 1000);
  if (whole < 3600) return pair(Math.floor(whole / 60), "m", whole % 60, "s");
  const minutes = Math.round(whole / 60);
  if (minutes < 1440) return pair(Math.floor(minutes / 60), "h", minutes % 60, "m");
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** Reads `250`, `10k`, `1.5M`; `undefined` if it is no whole number. */
export function parseCount(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([kKMG]?)$/.exec(text) ?? [];
  const factor = own(COUNT_UNITS, unit);
  return digits === undefined || factor === undefined ? undefined : whole(digits, factor);
}

/**
 * Writes a count of things: `1 message`, `9999 messages`, `12.3k messages`.
 *
 * @param noun What is counted, in the singular.
 * @param plural @default {noun + "s"}
 */
export function formatCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${magnitude(count)} ${count === 1 ? noun : plural}`;
}

/** Writes a count with all its digits: `24212 messages`. */
export function formatExactCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** Seconds of what a rate may be given per. */
const RATE_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600 };

/**
 * Reads a rate: `250`, `10k`, `0.5`, `10k/s`, `6/m` (or `6/min`), `90/h`; `undefined` if it is none.
 *
 * @returns how many per second.
 */
export function parseRate(text: string): number | undefined {
  const [, digits, unit, per = "s"] = /^(\d+(?:\.\d+)?) ?([kKMG]?)(?:\/(s|m|min|h))?$/.exec(text) ??
    [];
  const factor = own(COUNT_UNITS, unit);
  if (digits === undefined || factor === undefined) return undefined;
  return Number(digits) * factor / RATE_SECONDS[per]!;
}

/** Writes a rate: `950 messages/s`, `1.24M messages/s`. For bytes: `formatBytes(n) + "/s"`. */
export function formatRate(perSecond: number, noun: string, plural = `${noun}s`): string {
  return `${magnitude(perSecond)} ${plural}/s`;
}

/** A number without its noun: exact up to 9999, then three digits and `k`, `M` or `G`. */
function magnitude(value: number): string {
  if (value < 10_000) return String(Number.isInteger(value) ? value : rounded(value));
  return scaled(value, 1000, ["", "k", "M", "G"]).replace(" ", "");
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let power = 0;
  // Compares the rounded value: 1023.9 would be printed as 1024 of the smaller unit.
  while (power < units.length - 1 && rounded(value) >= base) {
    value /= base;
    power++;
  }
  return `${rounded(value)} ${units[power]}`;
}

/** Three digits, or all digits before the point. */
function rounded(value: number): number {
  return value >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit} ${small}${smallUnit}`;
}

function whole(digits: string, factor: number): number | undefined {
  const value = Number(digits) * factor;
  // 1.1 kB is 1100.0000000000002 in floating point; users mean 1100.
  const nearest = Math.round(value);
  if (!Number.isSafeInteger(nearest)) return undefined;
  return Math.abs(value - nearest) < 1e-6 * Math.max(1, factor) ? nearest : undefined;
}

function own(table: Readonly<Record<string, number>>, key: string | undefined) {
  return key !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;
}
