import type { OptionKinds } from "../../../../base/option_kinds.ts";
import { WorkerThread } from "../../../../base/threads/worker_thread.ts";
import type { CareAnswer, CareOrder, CareProgress, CareReport } from "./care_thread.ts";
import { ERRORS } from "./thread_errors.ts";

/** How far the check or the repair of a store has come. */
export type StreamStoreProgress = CareProgress;

/** Options of {@linkcode checkStreamStore} and {@linkcode repairStreamStore}. */
export interface StreamStoreCareOptions {
  /** Ends it: the store is then as it was. */
  readonly signal?: AbortSignal | undefined;
  /** Is called at the beginning of each step, and then up to ten times a second. */
  readonly onProgress?: ((progress: StreamStoreProgress) => void) | undefined;
}

/** Of what kind these options are. */
export const CARE_OPTIONS: OptionKinds<StreamStoreCareOptions> = {
  signal: "signal",
  onProgress: "function",
};

/**
 * Has a thread of its own do something with a store, so that it can be ended: the thread may be in the middle
 * of a statement then, which ends by itself and does nothing to the store.
 *
 * @throws the reason of the signal, and what the thread throws.
 */
export async function inCareThread<Kind extends CareOrder["kind"]>(
  order: CareOrder & { readonly kind: Kind },
  { signal, onProgress }: StreamStoreCareOptions,
): Promise<CareAnswer<Kind>> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<CareAnswer<Kind>>();
  const thread = new WorkerThread<CareOrder, CareReport>(
    new URL("./care_thread.ts", import.meta.url),
    {
      name: "stream store care",
      errors: ERRORS,
      onReport: (report) => {
        if ("progress" in report) onProgress?.(report.progress);
        else if ("value" in report) resolve(report.value as CareAnswer<Kind>);
        else reject(ERRORS.decode(report.error));
      },
      onDied: reject,
    },
  );
  const stop = () => reject(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  thread.post(order);
  try {
    return await promise;
  } finally {
    signal?.removeEventListener("abort", stop);
    thread.terminate();
  }
}
