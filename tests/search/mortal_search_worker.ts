/** The search worker, except that it dies when it is to search for `die`. */
import "../../lib/search/search_worker.ts";
import type { SearchTask } from "../../lib/search/worker/search_task.ts";
import type { PoolRequest } from "../../lib/search/worker/worker_pool.ts";

type Serve = (event: { readonly data: PoolRequest<SearchTask, unknown> }) => void;

const scope = globalThis as unknown as { onmessage: Serve };
const serve = scope.onmessage;

scope.onmessage = (event) => {
  const { data: request } = event;
  const isFatal = request.type === "run" && request.task.kind === "search" &&
    request.task.query === "die";
  if (!isFatal) return serve(event);
  setTimeout(() => {
    throw new Error("told to die");
  });
};
