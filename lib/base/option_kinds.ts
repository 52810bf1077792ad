/**
 * Checks options that are no numbers, with the wording of `numeric_options.ts`: `Cannot use the number
 * 5 as onError: give a function`. Without it, what a program without types gives by mistake would
 * fail late, and in the runtime's own words, or be taken for something else.
 *
 * @module
 */
import { shownValue } from "./value_kind.ts";

/** What an option may be. */
export type OptionKind =
  | "flag"
  | "text"
  | "texts"
  | "function"
  | "signal"
  | "object"
  | "bytes"
  | "stream";

/** What some options of an interface may be; of one that has options itself, what these may be. */
export type OptionKinds<T> = {
  readonly [K in keyof T]?: OptionKind | OptionKinds<NonNullable<T[K]>>;
};

/** What a kind is called in a message, and whether a value is of it. */
type Kind = readonly [expected: string, accepts: (value: unknown) => boolean];

const KINDS: Readonly<Record<OptionKind, Kind>> = {
  flag: ["true or false", (value) => typeof value === "boolean"],
  text: ["a string", isText],
  texts: ["an array of strings", (value) => Array.isArray(value) && value.every(isText)],
  function: ["a function", (value) => typeof value === "function"],
  // Those of another realm, such as another frame of a page, have their methods too.
  signal: ["an AbortSignal", (value) => hasMethod(value, "throwIfAborted")],
  stream: ["a ReadableStream", (value) => hasMethod(value, "getReader")],
  object: ["an object", isObject],
  bytes: ["a Uint8Array", isBytes],
};

/**
 * Checks options, and those of an option that has some. What is `undefined`, or has no kind here, is
 * left alone.
 *
 * @param options What a program gives as its options.
 * @param kinds What they may be.
 * @param name What the options themselves are called: that of a parameter, or of an option.
 *
 * @example
 * ```ts
 * import { checkOptions } from "./option_kinds.ts";
 * import { assertThrows } from "@std/assert";
 *
 * const onError = "log" as unknown as () => void;
 * assertThrows(
 *   () => checkOptions({ onError }, { onError: "function" }),
 *   TypeError,
 *   'Cannot use "log" as onError: give a function',
 * );
 * ```
 *
 * @throws {TypeError} if the options are no object, or one is of another kind.
 */
export function checkOptions<T extends object>(
  options: T | undefined,
  kinds: OptionKinds<T>,
  name = "options",
): void {
  if (options === undefined) return;
  checkGiven(name, options, "object");
  for (const each in kinds) {
    const kind: OptionKind | OptionKinds<object> = kinds[each]!;
    if (typeof kind === "string") checkKind(each, options[each], kind);
    else checkOptions(options[each] as object | undefined, kind, each);
  }
}

/**
 * Checks one option, or a parameter.
 *
 * @throws {TypeError} if it is not `undefined`, and of another kind.
 */
export function checkKind(name: string, value: unknown, kind: OptionKind): void {
  if (value !== undefined) checkGiven(name, value, kind);
}

/**
 * Checks what must be given.
 *
 * @throws {TypeError} if it is of another kind.
 */
export function checkGiven(name: string, value: unknown, kind: OptionKind): void {
  const [expected, accepts] = KINDS[kind];
  if (accepts(value)) return;
  throw new TypeError(refusal(name, value, expected));
}

/** What is said of a value that cannot be used. @param expected What to give instead, in words. */
export function refusal(name: string, value: unknown, expected: string): string {
  return `Cannot use ${shownValue(value)} as ${name}: give ${expected}`;
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof (value as Record<string, unknown> | null | undefined)?.[name] === "function";
}

/** The tag of `Uint8Array`s, also of subclasses and those of other realms, and of nothing else. */
const tagOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!;

/** Whether a value is an array of bytes. */
export function isBytes(value: unknown): value is Uint8Array {
  return tagOf.call(value) === "Uint8Array";
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
