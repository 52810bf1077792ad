import { redirectErrors } from "../report.ts";
import type { ErrorCodec } from "./error_codec.ts";
import type { ThreadPost } from "./thread_post.ts";

/** The part of a thread's global object that is used here. The compiler takes it for a window's. */
interface ThreadScope<Order, Report> extends EventTarget {
  onmessage: ((event: MessageEvent<Order>) => void) | null;
  postMessage(post: ThreadPost<Report>, transfer?: Transferable[]): void;
}

/** A thread's way to the one that started it. */
export interface ThreadPort<Report> {
  /**
   * Tells something: it is cloned, memory behind a view with all of it.
   *
   * @param transfer Memory of the report that goes to the other thread instead of being cloned.
   */
  report(report: Report, transfer?: Transferable[]): void;
}

/**
 * Opens the way to the thread that started this one, which has a {@linkcode WorkerThread}. Called
 * once, by a thread's own module.
 *
 * @param errors Posts errors: the one that this thread dies of, since nothing in it caught it, and
 * those that nobody in it listens to.
 * @param onOrder Is called with each order, in order; an order does not wait for the promise of the
 * one before. The thread dies of what it throws.
 */
export function openThreadPort<Order, Report>(
  errors: ErrorCodec,
  onOrder: (order: Order) => void | Promise<void>,
): ThreadPort<Report> {
  const scope = globalThis as unknown as ThreadScope<Order, Report>;
  redirectErrors((error, what) => {
    scope.postMessage({ type: "unheard", error: errors.encode(error), what });
  });
  // The runtime would print the error and end the thread, and its class and code would be lost.
  const die = (event: Pick<Event, "preventDefault">, error: unknown) => {
    event.preventDefault();
    scope.postMessage({ type: "failed", error: errors.encode(error) });
  };
  scope.addEventListener("error", (event) => die(event, (event as ErrorEvent).error));
  scope.addEventListener(
    "unhandledrejection",
    (event) => die(event, (event as PromiseRejectionEvent).reason),
  );
  scope.onmessage = ({ data }) => void onOrder(data);
  return {
    report(report, transfer) {
      if (typeof report === "number" || typeof report === "string") scope.postMessage(report);
      else scope.postMessage({ type: "report", report }, transfer);
    },
  };
}
