/**
 * One thread of a load: does its part of the plan when told to, and reports what happens.
 *
 * @module
 */
import { loadHistogramLibrary } from "./latencies.ts";
import type { LoadErrorKind } from "./load_error.ts";
import type { LoadPart } from "./load_plan.ts";
import { LoadShare } from "./load_share.ts";
import type { EncodedTally } from "./tally.ts";

/** What a thread of a load is told to do. */
export type LoadOrder =
  | { readonly type: "connect"; readonly part: LoadPart }
  | { readonly type: "run" | "stop" };

/** What a thread of a load reports. */
export type LoadThreadReport =
  | { readonly type: "connecting"; readonly connected: number; readonly failed: number }
  | { readonly type: "connected"; readonly connected: number }
  | { readonly type: "failed"; readonly code: LoadErrorKind; readonly message: string }
  | {
    readonly type: "interval";
    readonly durationMs: number;
    readonly tally: EncodedTally;
    readonly openConnections: number;
  }
  | { readonly type: "finished" };

/** This thread; the compiler takes it for a window. */
const thread = globalThis as unknown as {
  onmessage: ((event: MessageEvent<LoadOrder>) => void) | null;
  postMessage(report: LoadThreadReport): void;
};

let share: LoadShare | undefined;

thread.onmessage = ({ data: order }) => {
  if (order.type === "connect") void connect(order.part);
  else if (order.type === "run") void run();
  else share?.stop();
};

async function connect(part: LoadPart): Promise<void> {
  share = new LoadShare(part, await loadHistogramLibrary(), {
    connecting: (connected, failed) =>
      thread.postMessage({ type: "connecting", connected, failed }),
    failed: ({ code, message }) => thread.postMessage({ type: "failed", code, message }),
    interval: (durationMs, tally, openConnections) =>
      thread.postMessage({ type: "interval", durationMs, tally: tally.encode(), openConnections }),
  });
  thread.postMessage({ type: "connected", connected: await share.connect() });
}

async function run(): Promise<void> {
  await share?.run();
  thread.postMessage({ type: "finished" });
}
