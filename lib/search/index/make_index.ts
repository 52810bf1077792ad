import type { FileIdentity } from "../../sqlite/mod.ts";
import type { SearchError } from "../error.ts";
import { searchErrorOf } from "../worker/thread_errors.ts";
import { IndexJob, type IndexJobOptions } from "./index_job.ts";

/**
 * Makes an index that nothing is written to afterwards, and closes it. This is done on the calling
 * thread: for a few entries it takes some milliseconds, a tenth of what it takes to start a thread.
 *
 * @returns the file that it is.
 * @throws {SearchError} `index-*`.
 */
export async function makeIndex(options: IndexJobOptions): Promise<FileIdentity> {
  let identity: FileIdentity | undefined;
  let failure: SearchError | undefined;
  const job = new IndexJob(options, (message) => {
    if (message.type === "ready") identity = message.identity;
    else if (message.type === "failed") failure = searchErrorOf(message.error);
  });
  await job.start();
  await job.close();
  if (identity === undefined) throw failure;
  return identity;
}
