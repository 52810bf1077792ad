/**
 * The thread that parses large requests. Not for import: it is started as a worker.
 *
 * @module
 */
import { openThreadPort } from "../base/threads/thread_port.ts";
import {
  type LargeRequest,
  type ParsedRequest,
  parseLargeRequest,
} from "./request/large_request.ts";
import { ERRORS } from "./worker/thread_errors.ts";
import type { PoolMessage, PoolRequest } from "./worker/worker_pool.ts";

type Request = PoolRequest<LargeRequest, number>;

let maxEntryBytes = 0;

const port = openThreadPort<Request, PoolMessage<ParsedRequest>>(ERRORS, (request) => {
  switch (request.type) {
    case "open":
      maxEntryBytes = request.setup;
      port.report({ type: "ready" });
      break;
    case "run": {
      const value = parseLargeRequest(request.task, maxEntryBytes);
      const texts = "code" in value ? [] : [value.title, value.text];
      port.report({ type: "done", value }, texts.map(({ buffer }) => buffer as ArrayBuffer));
      break;
    }
    case "close":
      port.report({ type: "closed" });
      break;
  }
});
