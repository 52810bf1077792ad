import type { DatabaseSync } from "node:sqlite";
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
  }
  | { readonly action: "suggest"; readonly value: string; readonly limit: number }
  /** An entry, as the reply to `get`, or to a search for its key. */
  | { readonly action: "get" | "exact"; readonly value: string };

/** A reply that a search worker made. */
export interface WorkerReply {
  /** The content of the reply, JSON in UTF-8; `undefined` if there is no such entry. */
  readonly content: Uint8Array<ArrayBuffer> | undefined;
  /** Whether the spelling of the query was corrected. */
  readonly corrected: boolean;
}

/**
 * Makes replies in a search worker, down to their bytes: the thread that serves has nothing to do
 * with their content.
 */
export class Replier {
  readonly #searcher: Searcher;
  readonly #entries: EntryReplies;

  /** @param db The searcher's connection; the caller closes it. */
  constructor(db: DatabaseSync, searcher: Searcher) {
    this.#searcher = searcher;
    this.#entries = new EntryReplies(db);
  }

  /** Makes one reply. */
  reply(request: ReplyRequest): WorkerReply {
    switch (request.action) {
      case "search": {
        const { value, limit, offset } = request;
        const found = this.#searcher.search({ query: value, limit, offset });
        const content = encodeJson(searchReply(value, found));
        return { content, corrected: found.corrected !== undefined };
      }
      case "suggest": {
        const suggestions = this.#searcher.suggest(request.value, request.limit);
        return { content: encodeJson(suggestReply(suggestions)), corrected: false };
      }
      case "get":
      case "exact":
        return { content: this.#entries.encode(request.action, request.value), corrected: false };
    }
  }
}

const encoder = new TextEncoder();

function encodeJson(reply: ActionReply): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(reply));
}
