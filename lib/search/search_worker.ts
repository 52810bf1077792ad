/**
 * A thread that searches. Not for import: it is started as a worker.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { closeQuietly } from "../sqlite/mod.ts";
import { toPosted } from "./error.ts";
import { asIndexError } from "./index/index_error.ts";
import { openIndexReader } from "./index/open_index.ts";
import { Searcher } from "./query/searcher.ts";
import type { PoolMessage, PoolRequest } from "./worker/worker_pool.ts";
import { workerScope } from "./worker/worker_scope.ts";
import type { SearchTask, SearchTaskResult } from "./worker/search_task.ts";

const scope = workerScope<PoolRequest<SearchTask, string>, PoolMessage<SearchTaskResult>>();
let path = "";
let db: DatabaseSync | undefined;
let searcher: Searcher | undefined;

scope.onmessage = ({ data: request }) => {
  try {
    switch (request.type) {
      case "open":
        path = request.setup;
        db = openIndexReader(path);
        searcher = new Searcher(db);
        scope.postMessage({ type: "ready" });
        break;
      case "run":
        scope.postMessage({ type: "done", value: answer(searcher!, request.task) });
        break;
      case "close":
        closeQuietly(db);
        scope.postMessage({ type: "closed" });
        break;
    }
  } catch (error) {
    const type = request.type === "open" ? "unusable" : "failed";
    scope.postMessage({ type, error: toPosted(asIndexError(error, path, "read")) });
  }
};

function answer(searcher: Searcher, task: SearchTask): SearchTaskResult {
  switch (task.kind) {
    case "search":
      return searcher.search(task);
    case "suggest":
      return searcher.suggest(task.prefix, task.limit);
    case "count":
      return searcher.countEntries();
  }
}
