/** A class of errors whose instances are made of nothing but their own properties. */
// A constructor of any parameters; it is never called.
// deno-lint-ignore no-explicit-any
export type ErrorClass = abstract new (...args: any[]) => Error;

/** A value of a property, in a form that can be posted to another thread. */
type PostedValue =
  | { readonly error: PostedError }
  | { readonly list: readonly PostedValue[] }
  | { readonly value: unknown };

/** An error in a form that can be posted to another thread. */
export interface PostedError {
  /** Which of the codec's classes it has; -1 for another, -2 for a `DOMException`. */
  readonly kind: number;
  readonly properties: Readonly<Record<string, PostedValue>>;
}

const OTHER = -1;
const DOM_EXCEPTION = -2;

/** Classes that every codec knows. */
const BUILT_IN: readonly ErrorClass[] = [
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
];

/** Properties that do not show when an error is printed: the runtime prints them in its own form. */
const HIDDEN = ["message", "stack", "cause", "errors"];

/** Causes of causes are followed so far: an error may be its own cause. */
const MAX_DEPTH = 8;

/**
 * Takes errors apart and puts them together again, so that they can be posted between threads. The
 * structured clone, which posting is, would leave of an error its message and stack.
 *
 * Of each error all own properties arrive: `message`, `stack`, `cause`, `code` and whatever else its
 * class gives it. It is an instance of its class where that is a class of the codec or of the
 * language; else of the nearest such class above it. Both threads need a codec of the same classes.
 *
 * @example
 * ```ts
 * import { ErrorCodec } from "./error_codec.ts";
 * import { assert, assertEquals } from "@std/assert";
 *
 * class BusyError extends Error {
 *   readonly code = "busy";
 * }
 * const codec = new ErrorCodec(BusyError);
 * const posted = structuredClone(codec.encode(new BusyError("Too much", { cause: "load" })));
 * const error = codec.decode(posted);
 * assert(error instanceof BusyError);
 * assertEquals([error.message, error.code, error.cause], ["Too much", "busy", "load"]);
 * ```
 */
export class ErrorCodec {
  readonly #classes: readonly ErrorClass[];

  /**
   * Knows the classes of the language, and these.
   *
   * @param classes Their instances must have no private state: no constructor runs in `decode`.
   */
  constructor(...classes: readonly ErrorClass[]) {
    this.#classes = [...classes, ...BUILT_IN];
  }

  /** Takes an error apart. What is thrown and is no error becomes the cause of one. */
  encode(thrown: unknown): PostedError {
    const error = thrown instanceof Error
      ? thrown
      : new Error(`Something that is no error was thrown: ${textOf(thrown)}`, { cause: thrown });
    return this.#encode(error, 0);
  }

  /** Puts an error together again. */
  decode({ kind, properties }: PostedError): Error {
    const decoded = new Map(
      Object.entries(properties).map(([name, value]) => [name, this.#decodeValue(value)]),
    );
    const error = kind === DOM_EXCEPTION
      ? new DOMException(String(decoded.get("message")), String(decoded.get("name")))
      : Object.setPrototypeOf(new Error(), (this.#classes[kind] ?? Error).prototype);
    for (const [name, value] of decoded) {
      // The name and the message of a DOMException are of its own making.
      if (kind === DOM_EXCEPTION && name !== "stack") continue;
      const enumerable = !HIDDEN.includes(name);
      Object.defineProperty(error, name, {
        value,
        enumerable,
        writable: true,
        configurable: true,
      });
    }
    return error;
  }

  #encode(error: Error, depth: number): PostedError {
    const isDomException = error instanceof DOMException;
    const names = new Set(Object.getOwnPropertyNames(error));
    if (isDomException) names.add("name").add("message");
    const properties: Record<string, PostedValue> = {};
    for (const name of names) {
      properties[name] = this.#encodeValue(error[name as keyof Error], depth);
    }
    return { kind: isDomException ? DOM_EXCEPTION : this.#kindOf(error), properties };
  }

  #kindOf(error: Error): number {
    for (let at = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at)) {
      const kind = this.#classes.findIndex(({ prototype }) => prototype === at);
      if (kind >= 0) return kind;
    }
    return OTHER;
  }

  #encodeValue(value: unknown, depth: number): PostedValue {
    if (value instanceof Error && depth < MAX_DEPTH) {
      return { error: this.#encode(value, depth + 1) };
    }
    if (Array.isArray(value) && depth < MAX_DEPTH) {
      return { list: value.map((each) => this.#encodeValue(each, depth + 1)) };
    }
    return { value: value instanceof Error || !canBeCloned(value) ? textOf(value) : value };
  }

  #decodeValue(posted: PostedValue): unknown {
    if ("error" in posted) return this.decode(posted.error);
    if ("list" in posted) return posted.list.map((each) => this.#decodeValue(each));
    return posted.value;
  }
}

function canBeCloned(value: unknown): boolean {
  if (value === null || typeof value !== "object") {
    return typeof value !== "function" && typeof value !== "symbol";
  }
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}
