import type { DatabaseSync } from "node:sqlite";
import type { Effort } from "../query/effort.ts";
import type { Searcher } from "../query/searcher.ts";
import { EntryReplies } from "./entry_replies.ts";
import { type ActionReply, searchReply, suggestReply } from "./replies.ts";

/** What a search worker makes a reply to. */
export type ReplyRequest =
  | {
    readonly action: "search";
    readonly value: string;
    readonly limit: number;
    readonly offset: number;
    /** Whether only the words as they are written count. */
    readonly exactly: boolean;
  }
  | { readonly action: "suggest"; readonly value: string; readonly limit: number }
  /** An entry, as the reply to `get`, or to a search for its key. */
  | { readonly action: "get" | "exact"; readonly value: string };

/**
 * A reply's JSON: as text, or where it is long in UTF-8, whose memory goes from thread to thread. Up
 * to some KiB copying and encoding a text takes less time than handing over memory, about 4 µs.
 */
export type ReplyContent = string | Uint8Array<ArrayBuffer>;

/** A reply that a search worker made. */
export interface WorkerReply {
  /** The content of the reply; `undefined` if there is no such entry. */
  readonly content: ReplyContent | undefined;
  /** Whether the spelling of the query was corrected. */
  readonly corrected: boolean;
}

/**
 * Makes replies in a search worker, down to their contents: the thread that serves has nothing to do
 * with them but to send them.
 */
export class Replier {
  readonly #searcher: Searcher;
  readonly #entries: EntryReplies;

  /** @param db The searcher's connection; the caller closes it. */
  constructor(db: DatabaseSync, searcher: Searcher) {
    this.#searcher = searcher;
    this.#entries = new EntryReplies(db);
  }

  /** Makes one reply. @throws {CostlySearchError} if it costs more than it may. */
  reply(request: ReplyRequest, effort: Effort): WorkerReply {
    switch (request.action) {
      case "search": {
        const { value, limit, offset, exactly } = request;
        const found = this.#searcher.search({ query: value, limit, offset, exactly }, effort);
        const content = encodeJson(searchReply(value, found));
        return { content, corrected: found.corrected !== undefined };
      }
      case "suggest": {
        const suggestions = this.#searcher.suggest(request.value, request.limit, effort);
        return { content: encodeJson(suggestReply(suggestions)), corrected: false };
      }
      case "get":
      case "exact":
        return { content: this.#entries.encode(request.action, request.value), corrected: false };
    }
  }
}

const encoder = new TextEncoder();

/** The longest JSON that goes to the other thread as text, in code units. */
const MAX_TEXT_LENGTH = 8192;

function encodeJson(reply: ActionReply): ReplyContent {
  const json = JSON.stringify(reply);
  return json.length <= MAX_TEXT_LENGTH ? json : encoder.encode(json);
}
