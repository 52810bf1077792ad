/**
 * The thread that writes an index. Not for import: it is started as a worker.
 *
 * @module
 */
import { toPosted } from "./error.ts";
import { IndexJob, type IndexMessage, type IndexRequest } from "./index/index_job.ts";
import { workerScope } from "./worker/worker_scope.ts";

const scope = workerScope<IndexRequest, IndexMessage>();
let job: IndexJob | undefined;

scope.onmessage = async ({ data: request }) => {
  switch (request.type) {
    case "open":
      try {
        job = new IndexJob(request.options, (message) => scope.postMessage(message));
      } catch (error) {
        scope.postMessage({ type: "failed", error: toPosted(error) });
        return;
      }
      await job.start();
      break;
    case "write":
      job?.write(request.operations);
      break;
    case "cancel":
      job?.cancel();
      break;
    case "close":
      await job?.close();
      scope.postMessage({ type: "closed" });
      break;
  }
};
