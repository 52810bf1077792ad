import { controlBytes } from "../protocol/control_frame.ts";

/** What a ping is on the wire, once one was sent. */
let pingBytes: number | undefined;

/** Whether the client of a connection is still there, as far as one can see. */
export class SignsOfLife {
  /** When it last gave one, in milliseconds of `performance.now()`. */
  heardAt: number = performance.now();
  /** How many pings it has left unanswered. */
  pings = 0;
  /** Bytes that its socket had taken at the last look, pings not counted, and bytes of pings. */
  #takenBytes = 0;
  #pingBytes = 0;

  /** Something came from it. */
  heard(): void {
    this.heardAt = performance.now();
    this.pings = 0;
  }

  /** Nothing was read from it for a while: its silence counts from here on. */
  restart(): void {
    this.heardAt = performance.now();
  }

  /** It was sent a ping. */
  pinged(): void {
    this.pings++;
    this.#pingBytes += pingBytes ??= controlBytes("ping");
  }

  /**
   * A client that takes what is delivered is alive, whether it answers pings or not.
   *
   * @param writtenBytes What its socket has taken, pings included.
   */
  noteTaken(writtenBytes: number, now: number): void {
    const takenBytes = writtenBytes - this.#pingBytes;
    if (takenBytes <= this.#takenBytes) return;
    this.#takenBytes = takenBytes;
    this.heardAt = now;
    this.pings = 0;
  }
}
