/** Connections without a socket, which do what a test says. */
import { ChunkDecoder, encodeFrame, type Frame, type FrameInit } from "../../../lib/frame/mod.ts";
import { IncomingBytes } from "../../support/incoming_bytes.ts";
import type { ByteDuplex } from "../../../lib/request/client/mod.ts";

/** The client's end of a connection; what it writes can be held up, and what it reads is given. */
export class HeldDuplex implements ByteDuplex {
  /** Frames that were written whole. */
  readonly requests: Frame[] = [];
  /** Bytes that were taken. */
  written = 0;
  closed = false;
  /** While it is there, writes wait for it. */
  held: PromiseWithResolvers<void> | undefined;
  /** What writes fail with. */
  failure: Error | undefined;
  readonly #decoder = new ChunkDecoder();
  readonly #incoming = new IncomingBytes();

  hold(): void {
    this.held ??= Promise.withResolvers();
  }

  release(): void {
    this.held?.resolve();
    this.held = undefined;
  }

  /** Lets the client read an answer. */
  answer(...frames: readonly { readonly content: string | Uint8Array }[]): void {
    this.give(...frames.map((frame) => encodeFrame(frame)));
  }

  /** Lets the client read bytes. */
  give(...bytes: readonly Uint8Array[]): void {
    this.#incoming.give(...bytes);
  }

  /** Ends what the client reads. */
  end(): void {
    this.#incoming.end();
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#incoming.read(into);
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.held?.promise;
    if (this.failure) throw this.failure;
    if (this.closed) throw new Error("closed");
    this.written += bytes.length;
    this.requests.push(...this.#decoder.push(bytes.slice()).frames);
    return bytes.length;
  }

  close(): void {
    this.closed = true;
    this.release();
    this.#incoming.end();
  }
}

/** Lets everything that can go on go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => setTimeout(resolve, 0)));
}

/** Frames of a content that have this size, head included. */
export function sizeOf(frame: FrameInit): number {
  return encodeFrame(typeof frame === "string" ? { content: frame } : frame as never).length;
}
