/**
 * Which words of a command line are the address, and which the other arguments.
 *
 * An address is one word or two, and may be absent if it has a default. Flags have been removed.
 * The first of these rules that fits decides:
 *
 * 1. A first word that is written as a whole address (`unix:PATH`, `[::1]:PORT`, `HOST:PORT`,
 *    `:PORT`, `ws://…`) is the address.
 * 2. A first word that the next argument has by name (`search` of `app-client`) is that, if the
 *    arguments can take all words.
 * 3. A first word that can be a host, followed by a port number, is the address, provided that
 *    enough words are left for the required arguments. After `127.0.0.1`, `[::1]` and `localhost`
 *    it is the address in any case.
 * 4. If the other arguments can take all words, there is no address. But a first word that is
 *    `localhost`, or has a full stop or a colon and no space, may be meant as one: where a text could
 *    be it too, both readings are shown, and nothing is sent to a server that was not meant.
 * 5. Otherwise the first word is an address with a mistake in it or, for a command that takes
 *    nothing but an address, a host without a port.
 *
 * Where further arguments are addresses, as in `proxy :6000 example.org 5634`, each of them is one word
 * or two as well.
 *
 * So `app-client search 5634` searches on the default server for "5634",
 * `app-client example.org 5634 search x` is one host, one port and two words, and
 * `echo-client db.internal` is refused.
 *
 * @module
 */
import { type Address, AddressError, parseAddress, parseHostPort } from "../../lib/net/address.ts";
import { lowerFirst } from "./describe_error.ts";
import {
  type AnyValue,
  argumentLabel,
  type ArgumentSpec,
  type ArgumentTable,
  isOptional,
} from "./spec.ts";
import { UsageError } from "./exit_code.ts";
import { checkKind, readValue } from "./values.ts";

type Entry = readonly [name: string, spec: ArgumentSpec];

/**
 * Gives each argument its value.
 *
 * @throws {UsageError} if there are too many words or too few, or one cannot be read.
 */
export function readPositionals(
  table: ArgumentTable,
  words: readonly string[],
): Record<string, AnyValue | readonly AnyValue[] | undefined> {
  const entries = Object.entries(table);
  const values: Record<string, AnyValue | readonly AnyValue[] | undefined> = {};
  let rest = words;
  if (entries[0]?.[1].type === "address") {
    const [name, spec] = entries.shift()!;
    const taken = addressWords(words, entries);
    if (taken === 0 && spec.default !== undefined) refuseLikelyHost(spec, words, entries);
    values[name] = taken > 0
      ? readAddressWords(spec, words.slice(0, taken), entries)
      : standIn(spec, argumentLabel(name, spec));
    rest = words.slice(taken);
  }
  rest = joinHostPorts(rest, entries);
  checkCount(entries, rest);
  let at = 0;
  let spare = rest.length - entries.filter(([, spec]) => !isOptional(spec)).length;
  for (const [name, spec] of entries) {
    const label = argumentLabel(name, spec);
    if (spec.repeat) {
      values[name] = rest.slice(at).map((word) => readValue(spec, word, label));
      at = rest.length;
    } else if (!isOptional(spec)) {
      values[name] = readValue(spec, rest[at++]!, label);
    } else if (spare > 0) {
      values[name] = readValue(spec, rest[at++]!, label);
      spare--;
    } else {
      values[name] = standIn(spec, label);
    }
  }
  return values;
}

/** How many words the address takes: 0, 1 or 2, by the rules above. */
function addressWords(words: readonly string[], others: readonly Entry[]): 0 | 1 | 2 {
  const [first, second] = words;
  if (first === undefined) return 0;
  if (isWholeAddress(first)) return 1;
  if (others[0]?.[1].known?.includes(first) && words.length <= capacity(others)) return 0;
  const needed = others.filter(([, spec]) => !isOptional(spec)).length;
  if (second !== undefined && /^\d+$/.test(second) && isHost(first)) {
    if (words.length - 2 >= needed || isPlainlyHost(first)) return 2;
  }
  return words.length <= capacity(others) ? 0 : 1;
}

/** Where an argument behind the first is an address too, it may be two words as well. */
function joinHostPorts(words: readonly string[], entries: readonly Entry[]): readonly string[] {
  const joined = [...words];
  entries.forEach(([, spec], i) => {
    const [host, port] = joined.slice(i);
    if (spec.type !== "address" || host === undefined || port === undefined) return;
    if (isWholeAddress(host) || !isHost(host) || !/^\d+$/.test(port)) return;
    joined.splice(
      i,
      2,
      host.includes(":") ? `[${host.replace(/^\[|\]$/g, "")}]:${port}` : `${host}:${port}`,
    );
  });
  return joined;
}

/** Refuses a first word that is read as a text, and may be meant as the address. */
function refuseLikelyHost(
  spec: ArgumentSpec,
  [first, ...rest]: readonly string[],
  [next]: readonly Entry[],
): void {
  if (first === undefined || next?.[1].type !== "string") return;
  if (!/^localhost$/i.test(first) && !/^\S*[.:]\S*$/.test(first)) return;
  // With a full stop or colon alone, it is neither a host nor a port.
  if (!/[\p{L}\p{N}]/u.test(first)) return;
  const port = String(defaultPort(spec) ?? "PORT");
  const others = rest.length === 0 ? "" : ` ${rest.join(" ")}`;
  throw new UsageError(
    `${JSON.stringify(first)} may be the server or ${argumentLabel(...next)}: write ` +
      `'${
        asServer(first, port)
      }${others}' for the server, ':${port} ${first}${others}' for the other`,
  );
}

/** How a word is written that is meant as the server. */
function asServer(word: string, port: string): string {
  const host = word.replace(/^[a-z]+:\/\//i, "").replace(/\/.*$/, "");
  if (isIpv6(host)) return `[${host.replace(/^\[(.*)\]$/, "$1")}]:${port}`;
  if (isWholeAddress(host)) return host;
  return host.includes(":") ? "HOST:PORT" : `${host}:${port}`;
}

/** `10:30` is a time of day, not a host called 10: a host in `HOST:PORT` has a letter or a dot. */
function isWholeAddress(word: string): boolean {
  return word.startsWith("unix:") || /^wss?:\/\//i.test(word) || /^\[[^\]]*\]:\d+$/.test(word) ||
    /^:\d+$/.test(word) ||
    (/^[A-Za-z0-9_.-]+:\d+$/.test(word) && !/^\d+:/.test(word));
}

function isHost(word: string): boolean {
  return /^[A-Za-z0-9_.-]*[A-Za-z.][A-Za-z0-9_.-]*$/.test(word) || isIpv6(word);
}

function isPlainlyHost(word: string): boolean {
  return word === "localhost" || /^\d{1,3}(\.\d{1,3}){3}$/.test(word) || isIpv6(word);
}

function isIpv6(word: string): boolean {
  const bare = word.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  return bare.includes(":") && URL.canParse(`tcp://[${bare}]`);
}

function readAddressWords(
  spec: ArgumentSpec,
  words: readonly string[],
  others: readonly Entry[],
): Address {
  const [first, port] = words as [string, string?];
  const onlyAddresses = others.every(([, spec]) => spec.type === "address");
  try {
    if (port !== undefined) return parseHostPort(first, port);
    if (/^\d+$/.test(first) && onlyAddresses) {
      throw new UsageError(`write the port ${first} as :${first}`);
    }
    // Where there are other arguments, a lone host may be one of them in the wrong place.
    const fallback = others.length > 0 ? undefined : defaultPort(spec);
    const address = parseAddress(first, fallback === undefined ? {} : { port: fallback });
    checkKind(spec, address);
    return address;
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    if (!onlyAddresses && port === undefined && !isWholeAddress(first)) {
      const quoted = JSON.stringify(first);
      throw new UsageError(
        `too many arguments; if ${quoted} is the address, write it as HOST:PORT`,
      );
    }
    throw new UsageError(lowerFirst(error.message));
  }
}

function defaultPort(spec: ArgumentSpec): number | undefined {
  if (spec.type === "address" && spec.port !== undefined) return spec.port;
  if (spec.default === undefined) return undefined;
  const address = parseAddress(spec.default);
  return address.transport === "tcp" ? address.port : undefined;
}

function standIn(spec: ArgumentSpec, label: string): AnyValue | undefined {
  if (spec.default !== undefined) return readValue(spec, spec.default, label);
  if (spec.optional) return undefined;
  throw new UsageError(`${label} is missing`);
}

function capacity(entries: readonly Entry[]): number {
  return entries.some(([, spec]) => spec.repeat) ? Infinity : entries.length;
}

function checkCount(entries: readonly Entry[], words: readonly string[]): void {
  const needed = entries.filter(([, spec]) => !isOptional(spec));
  if (words.length < needed.length) {
    const missing = needed.slice(words.length).map(([name, spec]) => argumentLabel(name, spec));
    throw new UsageError(
      `${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing`,
    );
  }
  const most = capacity(entries);
  if (words.length > most) {
    const extra = words.slice(most).map((word) => JSON.stringify(word)).join(" ");
    throw new UsageError(`too many arguments: ${extra} (quote a text of several words)`);
  }
}
