import { concat } from "@std/bytes";
import type { RenderedEchoReader } from "./answers/rendered_echo_reader.ts";
import { type Batch, BytesBatch, type MessageSource } from "./payload.ts";

/** `{seq}`, `{conn}` and `{random:8}`. */
const PLACEHOLDER = /\{(seq|conn|random:([1-9]\d{0,6}))\}/;

/** What random texts are made of. */
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** The most characters of one random text. */
const MAX_RANDOM = 1_048_576;

/** Messages that all differ are made at most this many at a time. */
const BATCH = 16;

const encoder = new TextEncoder();

/** What is put in place of the placeholders. */
export interface TemplateValues {
  /** The number of the message among those of all connections, from 1. */
  readonly seq: number;
  /** The number of the connection, from 1. */
  readonly conn: number;
}

/** A text with placeholders: `{seq}`, `{conn}`, and `{random:8}` for eight letters and digits. */
export class Template {
  /** Texts, and between each two of them a placeholder. */
  readonly #parts: readonly (string | "seq" | "conn" | number)[];

  /** @throws {RangeError} if a random text would be too long. */
  constructor(text: string) {
    const parts: (string | number)[] = [];
    let rest = text;
    for (let match = PLACEHOLDER.exec(rest); match; match = PLACEHOLDER.exec(rest)) {
      const [whole, name, length] = match;
      parts.push(rest.slice(0, match.index));
      parts.push(length === undefined ? name! : Number(length));
      rest = rest.slice(match.index + whole.length);
    }
    parts.push(rest);
    this.#parts = parts;
    const tooLong = parts.find((part, i) => i % 2 === 1 && Number(part) > MAX_RANDOM);
    if (tooLong !== undefined) {
      throw new RangeError(`Cannot make ${tooLong} random characters: give at most ${MAX_RANDOM}`);
    }
  }

  /** Whether a text has placeholders. */
  static has(text: string): boolean {
    return PLACEHOLDER.test(text);
  }

  /** The text with everything filled in. */
  render({ seq, conn }: TemplateValues): string {
    let text = "";
    for (const [i, part] of this.#parts.entries()) {
      if (i % 2 === 0) text += part;
      else if (part === "seq") text += seq;
      else if (part === "conn") text += conn;
      else text += randomText(part as number);
    }
    return text;
  }
}

/** What one connection sends where each message is made anew. */
export class RenderedMessages implements MessageSource {
  /** The most messages in one batch. */
  readonly maxBatch = BATCH;
  readonly #messages: readonly (Template | Uint8Array)[];
  readonly #connection: number;
  readonly #connections: number;
  readonly #echoes: RenderedEchoReader | undefined;

  /**
   * @param connection Which one it is, from 1, of how many.
   * @param echoes Is told what is to come back.
   */
  constructor(
    messages: readonly (Template | Uint8Array)[],
    connection: number,
    connections: number,
    echoes: RenderedEchoReader | undefined,
  ) {
    this.#messages = messages;
    this.#connection = connection;
    this.#connections = connections;
    this.#echoes = echoes;
  }

  /** Makes messages. */
  batch(first: number, count: number): Batch {
    const made: Uint8Array[] = [];
    for (let index = first; index < first + count; index++) {
      const message = this.#messages[index % this.#messages.length]!;
      const seq = index * this.#connections + this.#connection;
      const bytes = message instanceof Uint8Array
        ? message
        : encoder.encode(message.render({ seq, conn: this.#connection }));
      this.#echoes?.expect(bytes);
      made.push(bytes);
    }
    return new BytesBatch(made.length === 1 ? made[0]! : concat(made));
  }
}

function randomText(length: number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += LETTERS[Math.floor(Math.random() * LETTERS.length)];
  return text;
}
