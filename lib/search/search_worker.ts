/**
 * A thread that searches. Not for import: it is started as a worker.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { closeQuietly } from "../base/close_quietly.ts";
import { openThreadPort } from "../base/threads/thread_port.ts";
import { asIndexError } from "./index/index_error.ts";
import { type KnownIndex, openIndexReader } from "./index/open_index.ts";
import { CHEAP_ENTRIES } from "./cost.ts";
import { CostlySearchError, Effort } from "./query/effort.ts";
import { Replier } from "./reply/replier.ts";
import { Searcher } from "./query/searcher.ts";
import { loadLanguages } from "./index/languages.ts";
import type { PoolMessage, PoolRequest } from "./worker/worker_pool.ts";
import { ERRORS } from "./worker/thread_errors.ts";
import type { SearchTask, SearchTaskResult } from "./worker/search_task.ts";

let path = "";
let db: DatabaseSync | undefined;
let searcher: Searcher | undefined;
let replier: Replier | undefined;

type Request = PoolRequest<SearchTask, KnownIndex>;

const port = openThreadPort<Request, PoolMessage<SearchTaskResult>>(ERRORS, async (request) => {
  try {
    switch (request.type) {
      case "open":
        path = request.setup.path;
        db = openIndexReader(request.setup);
        await loadLanguages(db);
        searcher = new Searcher(db);
        replier = new Replier(db, searcher);
        port.report({ type: "ready" });
        break;
      case "run":
        done(request.task, new Effort(request.isCostly ? undefined : CHEAP_ENTRIES));
        break;
      case "close":
        closeQuietly(db);
        port.report({ type: "closed" });
        break;
    }
  } catch (error) {
    if (error instanceof CostlySearchError) port.report({ type: "costly" });
    else {
      const type = request.type === "open" ? "unusable" : "failed";
      port.report({ type, error: ERRORS.encode(asIndexError(error, path, "read")) });
    }
  }
});

function done(task: SearchTask, effort: Effort): void {
  if (task.kind === "reply") {
    const value = replier!.reply(task.request, effort);
    const { content } = value;
    const transfer = content instanceof Uint8Array ? [content.buffer] : undefined;
    port.report({ type: "done", value }, transfer);
  } else port.report({ type: "done", value: answer(searcher!, task, effort) });
}

function answer(
  searcher: Searcher,
  task: Exclude<SearchTask, { kind: "reply" }>,
  effort: Effort,
): SearchTaskResult {
  switch (task.kind) {
    case "search":
      return searcher.search(task, effort);
    case "suggest":
      return searcher.suggest(task.prefix, task.limit, effort);
    case "count":
      return searcher.countEntries();
  }
}
