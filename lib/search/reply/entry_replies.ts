/**
 * Encodes replies with a large entry. Its text goes from the index into the reply as JSON in UTF-8,
 * as SQLite writes it, and never becomes a JavaScript string: 4 MiB take about 3 ms, where parsing,
 * `JSON.stringify` and encoding take 10 to 60 ms.
 *
 * @module
 */
import { concat } from "@std/bytes";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { servedRecord } from "../index/schema.ts";
import { fromStored, type Stored, toStored } from "../index/stored_text.ts";
import type { SearchEntry } from "../types.ts";
import { type ActionReply, entryReply, exactReply } from "./replies.ts";

/**
 * Stands for the text while the rest of a reply is made. No entry contains it: nobody can guess it.
 */
const PLACEHOLDER = crypto.randomUUID();

/** More than a snippet shows: the beginning of a text is all that a reply has beside the whole. */
const BEGINNING_LENGTH = 1000;

const encoder = new TextEncoder();

/** Which reply is made of an entry: that to `get`, or to a search for its key. */
export type EntryReplyKind = "get" | "exact";

/** Encodes replies with entries of one index. */
export class EntryReplies {
  readonly #find: StatementSync;
  readonly #whole: StatementSync;

  /** @param db A connection for reading; the caller closes it. */
  constructor(db: DatabaseSync) {
    // A text with a NUL is stored as a BLOB, which SQLite does not write as JSON.
    this.#find = db.prepare(servedRecord(`title, substr(text, 1, ${BEGINNING_LENGTH}) AS beginning,
        CASE typeof(text) WHEN 'text' THEN CAST(json_quote(text) AS BLOB) END AS json`));
    this.#whole = db.prepare(servedRecord("text"));
  }

  /** The content of the reply; `undefined` if there is no entry with this key. */
  encode(kind: EntryReplyKind, key: string): Uint8Array<ArrayBuffer> | undefined {
    const stored = toStored(key) as Stored;
    const row = this.#find.get(stored);
    if (row === undefined) return undefined;
    const title = fromStored(row["title"]);
    const json = row["json"] instanceof Uint8Array
      ? row["json"]
      : encoder.encode(JSON.stringify(fromStored(this.#whole.get(stored)?.["text"])));
    const beginning = fromStored(row["beginning"]);
    return join(partsOf(kind, { key, title, text: beginning }), json);
  }
}

/** The reply's JSON around the places where the text is. */
function partsOf(kind: EntryReplyKind, { key, title, text: beginning }: SearchEntry): string[] {
  const entry = { key, title, text: PLACEHOLDER };
  const reply: ActionReply = kind === "get"
    ? entryReply(entry)
    : { ...exactReply({ key, title, text: beginning }), result: PLACEHOLDER };
  return JSON.stringify(reply).split(`"${PLACEHOLDER}"`);
}

function join(parts: readonly string[], text: Uint8Array): Uint8Array<ArrayBuffer> {
  const encoded = parts.flatMap((part, i) =>
    i > 0 ? [text, encoder.encode(part)] : encoder.encode(part)
  );
  return concat(encoded);
}
