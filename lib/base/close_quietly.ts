/**
 * Closes a connection, a file or a database whatever state it is in: also one that is closed, such
 * as a connection that the runtime closed when the peer reset it, or one that was never opened.
 */
export function closeQuietly(closeable: { close(): void } | undefined): void {
  try {
    closeable?.close();
  } catch {
    // It was closed before.
  }
}
