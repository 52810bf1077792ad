/** A worker for a pool that does what it is told: it dies, hangs, or repeats the task. */
import type { PoolMessage, PoolRequest } from "../../lib/search/worker/worker_pool.ts";
import { workerScope } from "../../lib/search/worker/worker_scope.ts";

type Task = string | { readonly query?: string };

const scope = workerScope<PoolRequest<Task, string>, PoolMessage<unknown>>();

scope.onmessage = ({ data: request }) => {
  if (request.type === "open") {
    if (request.setup === "die") die();
    else if (request.setup === "refuse") {
      const error = {
        code: "index-locked",
        message: "m",
        path: undefined,
        cause: undefined,
      } as const;
      scope.postMessage({ type: "unusable", error });
    } else scope.postMessage({ type: "ready" });
  } else if (request.type === "run") {
    const { task } = request;
    const order = typeof task === "string" ? task : task.query;
    if (order === "die") die();
    else if (order !== "hang") scope.postMessage({ type: "done", value: task });
  } else scope.postMessage({ type: "closed" });
};

/** A worker dies of an error outside of any promise or handler of its own. */
function die(): void {
  setTimeout(() => {
    throw new Error("told to die");
  });
}
