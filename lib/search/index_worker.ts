/**
 * The thread that writes an index. Not for import: it is started as a worker.
 *
 * @module
 */
import { openThreadPort } from "../base/threads/thread_port.ts";
import { IndexJob, type IndexMessage, type IndexRequest, loadIndexer } from "./index/index_job.ts";
import { ERRORS } from "./worker/thread_errors.ts";

let job: IndexJob | undefined;

const port = openThreadPort<IndexRequest, IndexMessage>(ERRORS, async (request) => {
  switch (request.type) {
    case "open":
      try {
        job = new IndexJob(request.options, (message) => port.report(message));
      } catch (error) {
        port.report({ type: "failed", error: ERRORS.encode(error) });
        return;
      }
      await job.start();
      break;
    case "prepare":
      // What fails here fails again when it is needed.
      await loadIndexer().catch(() => {});
      break;
    case "write":
      job?.write(request);
      break;
    case "cancel":
      job?.cancel();
      break;
    case "close":
      await job?.close();
      port.report({ type: "closed" });
      break;
  }
});
