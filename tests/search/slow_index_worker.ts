/** An index worker that writes nothing and says that it took 1 ms for each write. */
import { openThreadPort } from "../../lib/base/threads/thread_port.ts";
import type { IndexMessage, IndexRequest } from "../../lib/search/index/index_job.ts";
import { ERRORS } from "../../lib/search/worker/thread_errors.ts";

const port = openThreadPort<IndexRequest, IndexMessage>(ERRORS, (request) => {
  if (request.type === "open") port.report({ type: "ready", identity: "none" });
  else if (request.type === "close") port.report({ type: "closed" });
  else if (request.type === "write") {
    const outcomes = request.operations.map(() => true);
    port.report({ type: "written", outcomes, ms: outcomes.length });
  }
});
