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
        done(request.task);
        break;
      case "close":
        closeQuietly(db);
        port.report({ type: "closed" });
        break;
    }
  } catch (error) {
    const type = request.type === "open" ? "unusable" : "failed";
    port.report({ type, error: ERRORS.encode(asIndexError(error, path, "read")) });
  }
});

function done(task: SearchTask): void {
  if (task.kind === "reply") {
    const value = replier!.reply(task.request);
    const { content } = value;
    const transfer = content instanceof Uint8Array ? [content.buffer] : undefined;
    port.report({ type: "done", value }, transfer);
  } else port.report({ type: "done", value: answer(searcher!, task) });
}

function answer(
  searcher: Searcher,
  task: Exclude<SearchTask, { kind: "reply" }>,
): SearchTaskResult {
  switch (task.kind) {
    case "search":
      return searcher.search(task);
    case "suggest":
      return searcher.suggest(task.prefix, task.limit);
    case "count":
      return searcher.countEntries();
  }
}
