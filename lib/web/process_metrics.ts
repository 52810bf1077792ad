import { PeriodicLook } from "../base/periodic_look.ts";
import { TimeHistogram } from "./histogram.ts";
import type { Metric } from "./metrics.ts";

/** How often the delay of the event loop is measured. */
const LOOP_MS = 100;

/** The figures of a process, measured until they are disposed of. */
export interface ProcessMetrics extends Disposable {
  /** For `Metrics.add`. */
  readonly metrics: readonly (Metric | TimeHistogram)[];
}

/**
 * Memory, time and the delay of the event loop of this process, and which program it is.
 *
 * @param version That of the program.
 */
export function processMetrics(version: string): ProcessMetrics {
  const startSeconds = (performance.timeOrigin) / 1_000;
  const delays = new TimeHistogram(
    "socktool_event_loop_delay_seconds",
    "How much later than asked for a timer fires, ten times a second",
  );
  let before = performance.now();
  const looking = new PeriodicLook(LOOP_MS, (now) => {
    delays.observe(Math.max(0, now - before - LOOP_MS));
    before = now;
  });
  looking.start();
  const memory = (kind: keyof Deno.MemoryUsage) => () => Deno.memoryUsage()[kind];
  const gauge = (name: string, help: string, values: Metric["values"]): Metric => ({
    name,
    help,
    type: "gauge",
    values,
  });
  return {
    metrics: [
      gauge(
        "socktool_build_info",
        "The program that runs; always 1",
        () => [{ labels: { version, deno: Deno.version.deno }, value: 1 }],
      ),
      gauge(
        "socktool_process_start_time_seconds",
        "When the process started, in seconds since 1970",
        () => startSeconds,
      ),
      gauge("socktool_process_resident_memory_bytes", "Memory of the process", memory("rss")),
      gauge("socktool_process_heap_bytes", "Memory that V8's heap has in use", memory("heapUsed")),
      gauge(
        "socktool_process_external_bytes",
        "Memory of buffers outside of it",
        memory("external"),
      ),
      delays,
    ],
    [Symbol.dispose]: () => looking.stop(),
  };
}
