/** The index worker, except that it dies when it is to store an entry with the key `die`. */
import "../../lib/search/index_worker.ts";
import type { IndexRequest } from "../../lib/search/index/index_job.ts";

type Serve = (event: { readonly data: IndexRequest }) => void;

const scope = globalThis as unknown as { onmessage: Serve };
const serve = scope.onmessage;

scope.onmessage = (event) => {
  const { data: request } = event;
  const isFatal = request.type === "write" &&
    request.operations.some((operation) =>
      operation.kind === "put" && operation.entry.key === "die"
    );
  if (!isFatal) return serve(event);
  setTimeout(() => {
    throw new Error("told to die");
  });
};
