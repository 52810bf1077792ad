import type { ReplyRequest, WorkerReply } from "../reply/replier.ts";
import type { SearchResult, Suggestion } from "../types.ts";

/** What a search worker is asked. */
export type SearchTask =
  | {
    readonly kind: "search";
    readonly query: string;
    readonly limit: number;
    readonly offset: number;
    /** Whether only the words as they are written count. */
    readonly exactly: boolean;
  }
  | { readonly kind: "suggest"; readonly prefix: string; readonly limit: number }
  | { readonly kind: "count" }
  | { readonly kind: "reply"; readonly request: ReplyRequest };

/** What a search worker answers, by the kind of the task. */
export type SearchTaskResult = SearchResult | readonly Suggestion[] | number | WorkerReply;
