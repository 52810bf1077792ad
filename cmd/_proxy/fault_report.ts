import type { FaultReport, FiredFault, Proxy, ProxyNotice } from "../../lib/proxy/mod.ts";
import { type Context, EXIT, formatExactCount, type LossyOutput } from "../_cli/mod.ts";

/** Tells what faults do, by lines on stderr or as JSON on stdout. */
export class FaultLines {
  readonly #context: Context;
  readonly #events: LossyOutput | undefined;
  readonly #noticed = new Set<ProxyNotice>();

  /** @param events Where they are printed as JSON; without it lines go to stderr. */
  constructor(context: Context, events?: LossyOutput) {
    this.#context = context;
    this.#events = events;
  }

  /** A fault did something. */
  fired({ fault, connection, direction, offset }: FiredFault): void {
    if (this.#events) {
      return this.#events.print({ type: "fault", fault, connection, direction, offset });
    }
    const { log } = this.#context;
    if (log.level !== "verbose") return;
    const text = `connection ${connection}, ${direction}, byte ${offset}: ${fault}`;
    log.detail(text, { connection });
  }

  /** A fault cannot do what it should; each kind is told once. */
  noticed(connection: number, notice: ProxyNotice): void {
    if (this.#noticed.has(notice)) return;
    this.#noticed.add(notice);
    this.#context.log.warn(`connection ${connection}: ${NOTICES[notice]}`, { connection });
  }

  /** What the faults of a proxy have done. @returns the exit code. */
  summary(proxy: Proxy, expectFired: boolean): number {
    const { out, log } = this.#context;
    const reports = proxy.reports();
    if (this.#events) {
      this.#events.finish();
      const faults = reports.map(({ fault, fired }) => ({ fault, fired }));
      out.json({ type: "summary", seed: proxy.seed, faults });
    } else for (const report of reports) log.info(lineOf(report));
    if (!expectFired) return EXIT.ok;
    const idle = reports.filter(({ fired }) => fired === 0);
    for (const { fault } of idle) log.error(`'${fault}' never did anything (--expect-fired)`);
    return idle.length > 0 ? EXIT.threshold : EXIT.ok;
  }
}

function lineOf({ fault, fired }: FaultReport): string {
  return `${fault}: ${formatExactCount(fired, "time")}`;
}

const NOTICES: Readonly<Record<ProxyNotice, string>> = {
  "no-frames": "a fault is about frames, but these bytes are none; they are passed as they are",
  "full":
    "as much waits for its time as may (16 MiB, or --max-memory is used up); nothing more is " +
    "read until there is room",
};
