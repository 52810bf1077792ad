/** One direction under faults without sockets: what goes in, and what comes out. */
import { until } from "../../support/deadline.ts";
import { FaultLine, type LineExit } from "../../../lib/proxy/faults/fault_line.ts";
import type { Mark } from "../../../lib/proxy/faults/shaping.ts";
import { FaultSet, type FiredFault } from "../../../lib/proxy/faults/fault_set.ts";
import { parseFault } from "../../../lib/proxy/mod.ts";
import type { Direction } from "../../../lib/proxy/mod.ts";
import { concat } from "@std/bytes";

/** A line whose receiver takes everything at once. */
export class TestLine implements LineExit, Disposable {
  readonly pieces: Uint8Array[] = [];
  readonly times: number[] = [];
  readonly marks: Mark[] = [];
  readonly fired: FiredFault[] = [];
  readonly notices: string[] = [];
  isReading = true;
  readonly parse = parseFault;
  pendingBytes = 0;
  readonly set: FaultSet;
  readonly line: FaultLine;

  constructor(
    faults: readonly string[],
    options: {
      readonly seed?: number;
      readonly connection?: number;
      readonly direction?: Direction;
      readonly hostname?: string;
      /** The faults of another line's proxy. */
      readonly set?: FaultSet;
    } = {},
  ) {
    const { seed = 1, connection = 1, direction = "up", hostname = "127.0.0.1" } = options;
    this.set = options.set ?? new FaultSet(seed, (fired) => this.fired.push(fired));
    if (options.set === undefined) this.set.set(faults.map(parseFault));
    const client = { transport: "tcp", hostname, port: 9 } as const;
    this.line = new FaultLine(this.set, connection, client, direction, 0, this);
    this.set.listen(() => this.line.look());
    this.line.look();
  }

  write(bytes: Uint8Array): boolean {
    this.pieces.push(bytes);
    this.times.push(performance.now());
    return true;
  }

  writeAlone(bytes: Uint8Array): boolean {
    return this.write(bytes);
  }

  givesWay(): boolean {
    return false;
  }

  reached(mark: Mark): void {
    this.marks.push(mark);
  }

  read(isReading: boolean): void {
    this.isReading = isReading;
  }

  noFrames(): void {
    this.notices.push("no-frames");
  }

  full(): void {
    this.notices.push("full");
  }

  /** All that came out so far. */
  get bytes(): Uint8Array {
    return concat(this.pieces);
  }

  /** Sends bytes in chunks, and the end of the stream; waits until that has come out. */
  async pass(bytes: Uint8Array, chunkBytes = bytes.length): Promise<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      this.line.received(bytes.subarray(at, at + chunkBytes));
    }
    this.line.ended("end");
    await until(() => this.marks.length > 0, "the end of a line");
    return this.bytes;
  }

  [Symbol.dispose](): void {
    this.line.stop();
    this.set[Symbol.dispose]();
  }
}
