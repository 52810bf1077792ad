/**
 * One thread of a load: does its part of the plan when told to, and reports what happens.
 *
 * @module
 */
import { openThreadPort } from "../base/threads/thread_port.ts";
import { loadHistogramLibrary } from "../base/latencies.ts";
import type { LoadPart } from "./load_plan.ts";
import { LoadShare, type StartSignal } from "./load_share.ts";
import { ERRORS, type LoadOrder, type LoadThreadReport } from "./thread_messages.ts";

let share: LoadShare | undefined;

const port = openThreadPort<LoadOrder, LoadThreadReport>(ERRORS, async (order) => {
  if (order.type === "connect") await connect(order.part);
  else if (order.type === "run") await run(order.start);
  else share?.stop();
});

async function connect(part: LoadPart): Promise<void> {
  share = new LoadShare(part, await loadHistogramLibrary(), {
    connecting: (connected, failed) => port.report({ type: "connecting", connected, failed }),
    failed: (error) => port.report({ type: "failed", error: ERRORS.encode(error) }),
    interval: (durationMs, tally, openConnections) =>
      port.report({ type: "interval", durationMs, tally: tally.encode(), openConnections }),
  });
  port.report({ type: "connected", connected: await share.connect() });
}

async function run(start: StartSignal): Promise<void> {
  const end = await share?.run(start);
  if (end) port.report({ type: "finished", end });
}
