/**
 * Finds out what a JSON file holds, without parsing it: one record, a dictionary, or records
 * somewhere in it.
 *
 * @module
 */

/** An array or object inside a JSON text. */
export interface JsonPart {
  /** The names on the way to it. */
  readonly path: readonly string[];
  readonly isArray: boolean;
  /** Where its opening bracket is, in code units. */
  readonly start: number;
  /** The line of that bracket, from 1. */
  readonly line: number;
  /** Its length in code units; up to the end of the text if it is not closed. */
  length: number;
  /** How many of its members are objects. */
  objects: number;
  /** How many of its members are texts. */
  texts: number;
  /** How many members it has, if it is an object. */
  members: number;
}

/** Parts on deeper levels are not looked at. */
const MAX_DEPTH = 4;
/** The most parts that are noted. */
const MAX_PARTS = 10_000;

/** Names of arrays that hold the records of an answer of some service. */
const RECORD_NAMES: ReadonlySet<string> = new Set([
  "results",
  "records",
  "items",
  "data",
  "hits",
  "docs",
  "documents",
  "entries",
  "rows",
  "features",
  "list",
  "articles",
  "posts",
  "products",
]);

interface Level {
  readonly part: JsonPart | undefined;
  readonly isArray: boolean;
  /** The member that is being read. */
  name: string;
  expectsName: boolean;
}

/** Takes a JSON text in pieces that may be cut anywhere. */
export class JsonOutline {
  /** Names of the outermost object's members, the first of them. */
  readonly names: string[] = [];
  /** The outermost value's parts, itself first. */
  readonly parts: JsonPart[] = [];
  readonly #levels: Level[] = [];
  #depth = 0;
  #offset = 0;
  #line = 1;
  #inString = false;
  #escaped = false;
  #name: string[] | undefined;

  /** Takes the next piece. @returns `false` if no more is needed: it is no object. */
  push(chunk: string): boolean {
    let nameStart = 0;
    for (let i = 0; i < chunk.length; i++) {
      const code = chunk.charCodeAt(i);
      if (code === 0x0a) this.#line++;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (code === 0x5c) this.#escaped = true;
        else if (code === 0x22 || code === 0x0a) {
          this.#inString = false;
          this.#name?.push(chunk.slice(nameStart, i));
          this.#endString();
        }
        continue;
      }
      switch (code) {
        case 0x22:
          this.#beginString();
          nameStart = i + 1;
          break;
        case 0x7b:
        case 0x5b:
          this.#open(code === 0x5b, this.#offset + i);
          break;
        case 0x7d:
        case 0x5d:
          this.#close(this.#offset + i + 1);
          break;
        case 0x2c: {
          const level = this.#level;
          if (level !== undefined && !level.isArray) level.expectsName = true;
        }
      }
      if (this.parts.length > 0 && this.parts[0]!.isArray) return false;
    }
    if (this.#inString) this.#name?.push(chunk.slice(nameStart));
    this.#offset += chunk.length;
    return true;
  }

  /** The text is over. */
  end(): void {
    for (const { part } of this.#levels) {
      if (part !== undefined) part.length = this.#offset - part.start;
    }
  }

  /** The level that is being read, if it is noted. */
  get #level(): Level | undefined {
    return this.#depth === this.#levels.length ? this.#levels.at(-1) : undefined;
  }

  #beginString(): void {
    this.#inString = true;
    this.#escaped = false;
    const level = this.#level;
    this.#name = level?.expectsName ? [] : undefined;
    if (level?.part !== undefined && !level.expectsName) level.part.texts++;
  }

  #endString(): void {
    const level = this.#level;
    if (this.#name === undefined || level === undefined) return;
    level.name = this.#name.join("");
    level.expectsName = false;
    this.#name = undefined;
    if (level.part !== undefined) level.part.members++;
    if (this.#depth === 1 && this.names.length < MAX_PARTS) this.names.push(level.name);
  }

  #open(isArray: boolean, start: number): void {
    const level = this.#level;
    this.#depth++;
    if (!isArray && level?.part !== undefined) level.part.objects++;
    // Only what is reached by names is noted; an array's members have none.
    const isNoted = this.#levels.length === this.#depth - 1 && this.#depth <= MAX_DEPTH &&
      this.parts.length < MAX_PARTS && (level === undefined || !level.isArray);
    if (!isNoted) return;
    const path = level === undefined ? [] : [...level.part!.path, level.name];
    const part = {
      path,
      isArray,
      start,
      line: this.#line,
      length: 0,
      objects: 0,
      texts: 0,
      members: 0,
    };
    this.parts.push(part);
    this.#levels.push({ part, isArray, name: "", expectsName: !isArray });
  }

  #close(end: number): void {
    if (this.#depth === 0) return;
    const level = this.#level;
    if (level !== undefined) {
      this.#levels.pop();
      level.part!.length = end - level.part!.start;
    }
    this.#depth--;
  }
}

/**
 * The array that holds the records of a file whose outermost value is an object; `undefined` if
 * there seems to be none. It is an array with a usual name for records, or one of several objects
 * that makes up more than half of the file.
 */
export function recordsOf({ parts }: JsonOutline): JsonPart | undefined {
  const total = parts[0]?.length ?? 0;
  const isLikely = (part: JsonPart) => {
    if (!part.isArray || part.objects + part.texts === 0) return false;
    return RECORD_NAMES.has(part.path.at(-1)!.toLowerCase()) ||
      (part.objects > 1 && part.length * 2 > total);
  };
  return parts.filter(isLikely).sort((a, b) =>
    a.path.length - b.path.length || b.length - a.length
  )[0];
}
