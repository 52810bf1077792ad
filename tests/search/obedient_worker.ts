/**
 * A worker for a pool that does what it is told: it dies, hangs, finds it costly, or repeats the
 * task.
 */
import { openThreadPort } from "../../lib/base/threads/thread_port.ts";
import { SearchError } from "../../lib/search/error.ts";
import { ERRORS } from "../../lib/search/worker/thread_errors.ts";
import type { PoolMessage, PoolRequest } from "../../lib/search/worker/worker_pool.ts";

type Task = string | { readonly query?: string };

const port = openThreadPort<PoolRequest<Task, string>, PoolMessage<unknown>>(ERRORS, (request) => {
  if (request.type === "open") {
    if (request.setup === "die") die();
    else if (request.setup === "refuse") {
      const error = ERRORS.encode(new SearchError("index-locked", "m"));
      port.report({ type: "unusable", error });
    } else port.report({ type: "ready" });
  } else if (request.type === "run") {
    const { task } = request;
    const order = typeof task === "string" ? task : task.query;
    if (order === "die") die();
    else if (order?.startsWith("costly ") && !request.isCostly) port.report({ type: "costly" });
    else if (order === "throw") throw new RangeError("told to throw");
    else if (order !== "hang") port.report({ type: "done", value: task });
  } else port.report({ type: "closed" });
});

/** A worker dies of an error outside of any promise or handler of its own. */
function die(): void {
  setTimeout(() => {
    throw new Error("told to die");
  });
}
