import type { TLSSocket } from "node:tls";

/** What the runtime's handle of a TLS socket has, if the socket lies on a stream. */
interface TlsHandle {
  /** Takes what was encrypted since the last call. */
  drainEncOut?(): Uint8Array | ArrayBuffer | undefined;
}

/**
 * Has a TLS socket hand on what it has encrypted as it is. The runtime copies it, and gives back what it
 * has copied from at a later collection: at full speed, 60 MiB of it lie about.
 */
export function handOnUncopied(socket: TLSSocket): void {
  const { _handle: handle } = socket as unknown as { readonly _handle: TlsHandle | null };
  const drain = handle?.drainEncOut;
  // Other runtimes, and other versions of this one, do it in another way.
  if (!handle || !drain) return;
  handle.drainEncOut = () => {
    const encrypted = drain.call(handle);
    // The runtime makes a new array of it: of a buffer that is a view, of an array a copy.
    const isView = encrypted instanceof Uint8Array &&
      encrypted.length === encrypted.buffer.byteLength;
    return isView ? encrypted.buffer as ArrayBuffer : encrypted;
  };
}
