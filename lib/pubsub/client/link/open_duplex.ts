import type { ByteDuplex } from "../../../net/bytes/byte_duplex.ts";
import type { DuplexSource } from "../client_options.ts";

/**
 * Makes the duplex of a connection.
 *
 * @throws what the target's function rejects with, or the signal's reason. A duplex that comes after
 * the signal was aborted is closed.
 */
export async function openDuplex(target: DuplexSource, signal: AbortSignal): Promise<ByteDuplex> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const opening = target(signal);
  try {
    return await Promise.race([opening, aborted.promise]);
  } catch (error) {
    opening.then((duplex) => duplex.close()).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
