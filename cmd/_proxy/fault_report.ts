import type { FaultReport, FiredFault, Proxy, ProxyNotice } from "../../lib/proxy/mod.ts";
import { type Context, EXIT, formatExactCount } from "../_cli/mod.ts";

/** Tells what faults do, by lines on stderr or as JSON on stdout. */
export class FaultLines {
  readonly #context: Context;
  readonly #json: boolean;
  /** Set while the reader of stdout is behind: then events are counted, not kept. */
  #isBehind = false;
  #leftOut = 0;
  readonly #noticed = new Set<ProxyNotice>();

  constructor(context: Context, json: boolean) {
    this.#context = context;
    this.#json = json;
  }

  /** A fault did something. */
  fired({ fault, connection, direction, offset }: FiredFault): void {
    const { out, log } = this.#context;
    if (!this.#json) {
      const text = `connection ${connection}, ${direction}, byte ${offset}: ${fault}`;
      return log.detail(text, { connection });
    }
    if (this.#isBehind) return void this.#leftOut++;
    const behind = out.json({ type: "fault", fault, connection, direction, offset });
    if (behind === undefined) return;
    this.#isBehind = true;
    void behind.then(() => {
      this.#isBehind = false;
      this.#tellLeftOut();
    });
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
    this.#tellLeftOut();
    const reports = proxy.reports();
    if (this.#json) {
      const faults = reports.map(({ fault, fired }) => ({ fault, fired }));
      out.json({ type: "summary", seed: proxy.seed, faults });
    } else for (const report of reports) log.info(lineOf(report));
    if (!expectFired) return EXIT.ok;
    const idle = reports.filter(({ fired }) => fired === 0);
    for (const { fault } of idle) log.error(`'${fault}' never did anything (--expect-fired)`);
    return idle.length > 0 ? EXIT.threshold : EXIT.ok;
  }

  #tellLeftOut(): void {
    if (this.#leftOut === 0) return;
    this.#context.out.json({ type: "left-out", events: this.#leftOut });
    this.#leftOut = 0;
  }
}

function lineOf({ fault, fired }: FaultReport): string {
  return `${fault}: ${formatExactCount(fired, "time")}`;
}

const NOTICES: Readonly<Record<ProxyNotice, string>> = {
  "no-frames": "a fault is about frames, but these bytes are none; they are passed as they are",
  "full": "16 MiB wait for their time; nothing more is read until there is room",
};
