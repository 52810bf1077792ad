import type { Address, CloseReason, Peer } from "../../lib/net/mod.ts";
import type { WebRequest } from "../../lib/web/mod.ts";

/**
 * Who asked over HTTP, for a handler that answers connections. It lives as long as its request; the
 * web server counts the bytes of both, and keeps their bounds.
 */
export class WebPeer implements Peer {
  /** Not numbered: no line of the log names it. */
  readonly id = 0;
  readonly remote: Address;
  readonly openedAt = performance.now();
  readonly readBytes = 0;
  readonly readFrames = 1;
  readonly midFrame = false;
  readonly writtenBytes = 0;
  readonly pendingBytes = 0;
  readonly closeReason = undefined;
  readonly signal: AbortSignal;

  /** Of the request that it has made. */
  constructor({ remote, signal }: WebRequest) {
    this.remote = remote;
    this.signal = signal;
  }

  /** Does nothing: the answer to the request tells its client. */
  revoke(): void {}

  /** Only what writes entries holds memory for a peer, and no route does. */
  tryHold(_bytes: number): boolean {
    return false;
  }

  countHeld(_bytes: number): void {}

  close(_reason: CloseReason): void {}
}
