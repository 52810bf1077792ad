/**
 * The thread that takes the text out of PDF, DOCX and EPUB. Not for import: it is started as a worker.
 *
 * @module
 */
import { messageOf } from "../base/message_of.ts";
import { openThreadPort } from "../base/threads/thread_port.ts";
import { extract } from "./data/packed/extract.ts";
import type { PackedFile } from "./data/packed/packed_file.ts";
import type { ExtractOutcome } from "./extractor.ts";
import { ERRORS } from "./worker/thread_errors.ts";
import type { PoolMessage, PoolRequest } from "./worker/worker_pool.ts";

type Request = PoolRequest<PackedFile, undefined>;

const port = openThreadPort<Request, PoolMessage<ExtractOutcome>>(ERRORS, async (request) => {
  switch (request.type) {
    case "open":
      port.report({ type: "ready" });
      break;
    case "run":
      port.report({ type: "done", value: await outcomeOf(request.task) });
      break;
    case "close":
      port.report({ type: "closed" });
      break;
  }
});

async function outcomeOf(file: PackedFile): Promise<ExtractOutcome> {
  try {
    return await extract(file);
  } catch (error) {
    return { problem: messageOf(error) };
  }
}
