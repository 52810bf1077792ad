import { SMALL_BYTES } from "./read_memory.ts";

/** What is read of the runtime's handle of a connection before a socket is made of it. */
export interface ReadHandle {
  /** Called when something was read into the memory it was told to use, or nothing more comes. */
  onread?: () => void;
  useUserBuffer(memory: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  getBytesRead(): number;
}

/** All handles are read into it: what was read is copied at once. */
const memory = new Uint8Array(SMALL_BYTES);

/** What was read of handles that have no socket yet. */
const firsts = new WeakMap<ReadHandle, Uint8Array>();

/**
 * Reads what a client sends first, at most 4 KiB, while it waits: making a socket for that would take ten
 * times as long.
 *
 * @param hasSent Called when something was read. It must not throw.
 */
export function readFirst(handle: ReadHandle, hasSent: () => void): void {
  handle.onread = () => {
    // It need not begin again at the end, which the socket finds by itself.
    handle.readStop();
    const count = handle.getBytesRead();
    if (count === 0) return;
    firsts.set(handle, memory.slice(0, count));
    hasSent();
  };
  handle.useUserBuffer(memory);
  handle.readStart();
}

/** Stops reading a handle of which a socket is to be made, and takes what was read. */
export function takeFirst(handle: ReadHandle): Uint8Array | undefined {
  handle.readStop();
  const first = firsts.get(handle);
  firsts.delete(handle);
  return first;
}
